/* A disk that loses power: records what a stretch of work does to the files below a folder, and makes the folders that a crash at any moment may leave. What
 * was brought to disk (fsync of a file for its bytes, of a folder for its names) is there; of everything else any part. */
#ifndef T5GIST_TESTS_INJECTION_DISK_H
#define T5GIST_TESTS_INJECTION_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct disk disk;

/* Takes what is in folder now as being on disk, and records from now on. */
disk *disk_record(const char *folder);
void disk_stop(void);
/* What a power loss may leave, into a new folder under parent, by the number of the case: cases differ in when and in what was lost. */
char *disk_crash(const disk *disk, const char *parent, uint64_t which);
bool disk_crash_is_late(const disk *disk, uint64_t which); /* whether the case's loss comes after all that was recorded */
size_t disk_operations(const disk *disk); /* recorded: changes and syncs */
void disk_free(disk *disk);

#endif
