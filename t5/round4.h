/* Rounding matrices to 4 bits (runtime/int4.h) better than to the nearest.
 *
 * nearest     tg_quantize_row4: a group's largest number decides its scale.
 * search      The scale of each group that leaves the least squared error, of a dozen around the nearest's. From the numbers alone: the same
 *             bits on every machine.
 * calibrated  What a product gets wrong is (w - q) x, so errors may cancel: each column's rounding error is made good, as far as the inputs x that
 *             the layer has seen go together, by the columns that are still to be rounded (the greedy feedback of GPTQ, Frantar et al., 2022, here as
 *             back-substitution through a Cholesky factor of x's correlations); scales by search, errors weighing what their inputs do. */
#ifndef T5GIST_T5_ROUND4_H
#define T5GIST_T5_ROUND4_H

#include "runtime/linear.h"
#include "runtime/team.h"
#include "t5/calibration.h"

typedef enum tg_rounding { TG_ROUND_NEAREST = 0, TG_ROUND_SEARCH, TG_ROUND_CALIBRATED, TG_N_ROUNDINGS } tg_rounding;
const char *tg_rounding_name(tg_rounding rounding); /* "nearest", "search", "calibrated" */
int tg_rounding_from_name(const char *name);        /* -1: unknown */

enum { TG_ROUND_MOST_CALIBRATED = 1 << 14 }; /* inputs, whose correlations are a matrix of as many rows and columns */

/* What rounding matrices of n_in inputs takes. inputs: what they have seen, borrowed during the call; null, empty or too many: calibrated is search.
 * team: who prepares and rounds, borrowed; null: the calling thread. */
typedef struct tg_rounder tg_rounder;
t5gist_status tg_rounder_new(size_t n_in, size_t group, tg_rounding rounding, const tg_inputs *inputs, tg_team *team, tg_rounder **rounder,
                             t5gist_error *err);
void tg_rounder_free(tg_rounder *rounder); /* null is allowed */

/* rows [n, n_in] become nibbles [n, tg_int4_row_bytes(n_in)] and scales [n, tg_int4_groups(n_in, group)], numbers that bf16 holds; those of a group
 * with NaN or infinity are NaN. Each row depends on itself alone. One thread at a time. */
void tg_rounder_round(tg_rounder *rounder, const float *rows, size_t n, unsigned char *nibbles, float *scales);

/* Likewise a whole stored matrix of any type. Its pages are released behind the rounding where it is mapped. */
t5gist_status tg_rounder_round_matrix(tg_rounder *rounder, const tg_matrix *matrix, unsigned char *nibbles, float *scales, t5gist_error *err);

/* One group by search: its scale, NaN and 0 as tg_quantize_group4 returns them. weights [n]: what the squared error of each number counts, not
 * negative; null: all the same. n at most TG_INT4_MOST_GROUP. */
float tg_search_scale4(const float *x, const float *weights, size_t n);

#endif
