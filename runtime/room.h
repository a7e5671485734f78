/* How much memory this process may still take. */
#ifndef T5GIST_RUNTIME_ROOM_H
#define T5GIST_RUNTIME_ROOM_H

#include <stddef.h>

/* Bytes: the least of what the machine has available, of what the limits of this process's cgroups leave (pages of files, which can be dropped, count
 * as free), and of what its limit of address space (ulimit -v) leaves. SIZE_MAX: nothing is known. Reads a few small files each time. */
size_t tg_memory_room(void);

#endif
