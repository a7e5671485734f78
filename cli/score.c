/* t5gist score: see run.c. */
#include "cli/run.h"

t5gist_status tg_command_score(tg_context *context, t5gist_error *err) {
  return tg_run_requests(context, true, err);
}
