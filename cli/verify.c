/* t5gist verify: is a model folder or a gist file sound? */
#include "cli/cli.h"

t5gist_status tg_command_verify(tg_context *context, t5gist_error *err) {
  TG_TRY(t5gist_verify(context->arguments[0], stdout, err));
  return tg_out_write("ok\n", 3, err);
}
