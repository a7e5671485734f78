#include <math.h>

#include "training/optimiser.h"

double tg_schedule_rate(const tg_schedule *s, int step) {
  if (step < s->warmup) return s->rate * ((double)step + 1) / ((double)s->warmup + 1);
  if (s->kind == TG_CONSTANT) return s->rate;
  const int last = s->steps - 1;
  if (step >= last) return s->final_rate;
  const double done = (double)(step - s->warmup) / (double)(last - s->warmup);
  const double left = s->kind == TG_LINEAR ? 1 - done : 0.5 * (1 + cos(M_PI * done));
  return s->final_rate + (s->rate - s->final_rate) * left;
}
