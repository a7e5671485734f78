/* The monotonic clock: for how long something took, not for what time it is. */
#ifndef T5GIST_RUNTIME_CLOCK_H
#define T5GIST_RUNTIME_CLOCK_H

#include <stdint.h>

int64_t tg_now_ns(void);
double tg_now_ms(void); /* milliseconds */
double tg_now(void);    /* seconds */

#endif
