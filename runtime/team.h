/* Threads that compute together: a team of the calling thread and n - 1 others, which wait for work spinning for some tens of microseconds and
 * asleep from then on. */
#ifndef T5GIST_RUNTIME_TEAM_H
#define T5GIST_RUNTIME_TEAM_H

#include <stddef.h>

#include "t5gist/types.h"

typedef struct tg_team tg_team;

/* threads >= 1, the caller's included. Refused when the system gives fewer. */
t5gist_status tg_team_new(int threads, tg_team **team, t5gist_error *err);
void tg_team_free(tg_team *team); /* null is allowed */

int tg_team_threads(const tg_team *team); /* null: 1 */

/* Does items begin .. end - 1. thread: 0 .. tg_team_threads - 1, no two at the same time; 0 is the caller of tg_team_run. */
typedef void tg_team_work(void *argument, size_t begin, size_t end, int thread);

/* Calls work on pieces [begin, end) that cover [0, n) without overlap, side by side, and returns when all are done; everything is visible to the
 * caller then. Pieces are handed out as threads ask for them: how [0, n) is cut and who does what differs from run to run, so a result must not
 * depend on it. Where it would (sums over items), let the items be parts of a fixed size and add up afterwards. A thread that is late, because the
 * machine is busy, delays nothing but the piece it holds.
 * One call at a time per team, none from inside work. A null team is the caller alone. Inside work OpenMP has one thread, so that libraries which
 * know of no other threads than its (oneDNN) compute in the thread that calls them. */
void tg_team_run(tg_team *team, size_t n, tg_team_work *work, void *argument);

#endif
