/* What a run tells people while it lasts. */
#include <stdarg.h>
#include <stdio.h>

#include "training/trainer_parts.h"

void tg_trainer_say(const tg_trainer *t, const char *format, ...) {
  char text[512];
  va_list arguments;
  if (t->group.rank > 0 || !t->call->say) return;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  t->call->say(t->call->user, text);
}

void tg_trainer_progress(const tg_trainer *t, const char *doing) {
  if (!t->call->progress) return;
  const tg_train_progress progress = {.rank = t->group.rank,
                                      .step = (int)t->step,
                                      .steps = t->recipe->steps,
                                      .loss = t->smoothed,
                                      .tokens_per_second = t->seconds > 0 ? t->tokens / t->seconds : 0,
                                      .flops_per_second = t->seconds > 0 ? t->flops / t->seconds : 0,
                                      .seconds_left = t->step_seconds * (t->recipe->steps - (int)t->step),
                                      .doing = doing};
  t->call->progress(t->call->user, &progress);
}
