/* Rounding to 4 bits with feedback between columns: the calibrated rounding of t5/round4.h, which is the only user. */
#ifndef T5GIST_T5_ROUND4_FEEDBACK_H
#define T5GIST_T5_ROUND4_FEEDBACK_H

#include "t5/round4.h"

typedef struct tg_feedback tg_feedback;
enum { TG_FEEDBACK_ROWS = 16 }; /* rows rounded together, for the caches */

t5gist_status tg_feedback_new(const tg_inputs *inputs, size_t group, tg_team *team, tg_feedback **feedback, t5gist_error *err);
void tg_feedback_free(tg_feedback *feedback); /* null is allowed */

/* rows [n, n_in], n at most TG_FEEDBACK_ROWS; thread: 0 .. that of the team - 1, no two at the same time. */
void tg_feedback_round(const tg_feedback *feedback, const float *rows, size_t n, int thread, unsigned char *nibbles, float *scales);

#endif
