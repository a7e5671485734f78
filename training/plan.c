#include "training/plan.h"

#include "runtime/memory.h"

void tg_plan_free(tg_plan *plan) {
  tg_free(plan->encoder_ids);
  tg_free(plan->encoder_spans);
  tg_free(plan->decoder_ids);
  tg_free(plan->targets);
  tg_free(plan->weights);
  tg_free(plan->answers);
  tg_free(plan->teacher_rows);
  tg_free(plan->teacher_weights);
  if (plan->teacher) tg_plan_free(plan->teacher);
  tg_free(plan->teacher);
  *plan = (tg_plan){0};
}
