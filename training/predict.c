/* What a run will take: memory from the sizes of its first steps' plans, time from one pass. */
#include <stdio.h>
#include <string.h>

#include "runtime/clock.h"
#include "runtime/error.h"
#include "runtime/memory.h"
#include "training/trainer_parts.h"

enum { SAMPLE = 20 }; /* steps drawn */

size_t tg_resident_bytes(bool peak) {
  const char *key = peak ? "VmHWM:" : "VmRSS:";
  char line[256];
  unsigned long long kb = 0;
  FILE *file = fopen("/proc/self/status", "re");
  while (file && fgets(line, sizeof line, file)) {
    if (strncmp(line, key, strlen(key)) == 0 && sscanf(line + strlen(key), " %llu", &kb) == 1) break;
  }
  if (file) fclose(file);
  return (size_t)kb * 1024;
}

static t5gist_status sample_step(const tg_trainer *t, uint64_t index, tg_prediction *p, t5gist_error *err) {
  const tg_config *config = &t->start.config;
  tg_step step;
  tg_plan plan = {0};
  t5gist_status status;
  TG_GOTO(tg_step_draw(t, index, &step, err));
  for (int micro = 0; micro < step.n_micro; micro++) {
    TG_GOTO(tg_step_plan(t, &step, micro, &plan, err));
    size_t bytes = tg_pass_bytes(config, (size_t)plan.n_encoder, (size_t)plan.n_decoder, true);
    p->flops += tg_pass_flops(config, &plan, true) / SAMPLE;
    p->tokens += (double)(plan.n_encoder + plan.n_decoder) / SAMPLE;
    if (plan.teacher) {
      p->flops += tg_pass_flops(&t->teacher.config, plan.teacher, false) / SAMPLE;
      bytes += tg_pass_bytes(&t->teacher.config, (size_t)plan.teacher->n_encoder, (size_t)plan.teacher->n_decoder, false);
    }
    if (bytes > p->activations) p->activations = bytes;
    tg_plan_free(&plan);
  }
done:
  tg_plan_free(&plan);
  tg_step_free(&step);
  return status;
}

t5gist_status tg_predict(const tg_trainer *t, tg_prediction *out, t5gist_error *err) {
  const tg_optimiser_options options = tg_recipe_optimiser(t->recipe);
  const size_t own = tg_group_behind(&t->group) - tg_group_first(&t->group), count = t->start.layout.count;
  *out = (tg_prediction){.parameters = 2 * count * sizeof(float)};
  for (uint64_t i = 0; i < SAMPLE; i++) TG_TRY(sample_step(t, i, out, err));
  out->optimiser = (size_t)((double)tg_optimiser_floats(&t->start.layout, &options) * ((double)own / (double)count)) * sizeof(float);
  if (t->recipe->teacher) out->parameters += t->teacher.layout.count * sizeof(float);
  const size_t peak = tg_resident_bytes(false) + out->parameters + out->optimiser + out->activations, until_now = tg_resident_bytes(true);
  out->bytes = peak > until_now ? peak : until_now; /* learning a vocabulary may have taken more */
  return T5GIST_OK;
}

t5gist_status tg_predict_seconds(tg_trainer *t, const tg_prediction *prediction, double *seconds, t5gist_error *err) {
  const tg_pass_options options = tg_trainer_pass_options(t, 0, 0, false);
  tg_pass_result result = {0};
  tg_step step;
  tg_plan plan = {0};
  t5gist_status status;
  TG_GOTO(tg_step_draw(t, 0, &step, err));
  TG_GOTO(tg_step_plan(t, &step, 0, &plan, err));
  double flops = tg_pass_flops(&t->start.config, &plan, true), start = 0, took = 0;
  if (plan.teacher) flops += tg_pass_flops(&t->teacher.config, plan.teacher, false);
  for (int round = 0; round < 2; round++) { /* the first one also touches all memory for the first time */
    start = tg_now();
    TG_GOTO(tg_pass_run(t->pass, t->weights, &plan, &options, t->teacher_pass, t->teacher.weights, t->gradients, &result, err));
    took = tg_now() - start;
    if (took > 5) break;
  }
  *seconds = prediction->flops / t->group.n / (flops / took);
done:
  tg_plan_free(&plan);
  tg_step_free(&step);
  return status;
}
