/* t5gist generate: see run.c. */
#include "cli/run.h"

t5gist_status tg_command_generate(tg_context *context, t5gist_error *err) {
  return tg_run_requests(context, false, err);
}
