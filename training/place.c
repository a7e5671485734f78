/* The folder of a run: whose it is, what is in it, and the recipe that it was begun with. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "runtime/error.h"
#include "runtime/file.h"
#include "runtime/folder.h"
#include "runtime/io.h"
#include "runtime/json.h"
#include "runtime/memory.h"
#include "training/snapshot.h"
#include "training/trainer_parts.h"

enum { RECIPE_LIMIT = 1 << 20 };

static bool begins_with(const char *text, const char *begin) {
  return strncmp(text, begin, strlen(begin)) == 0;
}

static bool same_folder(const char *a, const char *b) {
  struct stat x, y;
  return !tg_io_stat(a, &x) && !tg_io_stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Removes path, a file, or a folder and all that is in it. */
static t5gist_status remove_all(const char *path, t5gist_error *err) {
  tg_file_facts facts;
  tg_strings names = {0};
  if (!tg_file_examine(path, &facts)) return T5GIST_OK;
  if (!facts.folder) return tg_file_remove(path, err);
  t5gist_status status = tg_folder_list(path, &names, err);
  for (size_t i = 0; i < names.count && !status; i++) {
    char *inner = NULL;
    status = tg_path_join(&inner, path, names.items[i], err);
    if (!status) status = remove_all(inner, err);
    tg_free(inner);
  }
  tg_strings_clear(&names);
  if (!status && tg_io_rmdir(path)) status = tg_fail_errno(err, "cannot remove the folder %s", path);
  return status;
}

/* What an earlier run wrote into run_dir; its tokenised examples stay, they are found by their content. */
static t5gist_status remove_run(const char *run_dir, t5gist_error *err) {
  tg_strings names = {0};
  t5gist_status status = tg_folder_list(run_dir, &names, err);
  for (size_t i = 0; i < names.count && !status; i++) {
    const char *name = names.items[i];
    char *path = NULL;
    if (!begins_with(name, "step-") && !begins_with(name, "events.out.tfevents.") && strcmp(name, "log.jsonl") != 0 &&
        strcmp(name, "recipe.json") != 0 && strcmp(name, "start") != 0)
      continue;
    status = tg_path_join(&path, run_dir, name, err);
    if (!status) status = remove_all(path, err);
    tg_free(path);
  }
  tg_strings_clear(&names);
  return status;
}

/* Of two runs in one folder each would remove the other's snapshots. What is locked is the folder itself, and the lock ends with the process, however
 * that dies. Where the file system has no locks, taking care is left to the user. */
static t5gist_status lock_run(const char *run_dir, tg_lock *lock, t5gist_error *err) {
  lock->fd = tg_io_open(AT_FDCWD, run_dir, O_RDONLY | O_DIRECTORY, 0);
  if (lock->fd < 0) return tg_fail_errno(err, "cannot open the folder %s", run_dir);
  if (!tg_io_lock(lock->fd, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK) return T5GIST_OK;
  return tg_fail(err, T5GIST_EUSAGE, "expected %s for this run alone, found that another process is training there", run_dir);
}

static t5gist_status write_recipe(const tg_recipe *recipe, const char *path, t5gist_error *err) {
  json_t *json = tg_recipe_json(recipe);
  char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
  const t5gist_status status =
      text ? tg_write_file(path, 0666, text, strlen(text), err) : tg_fail(err, T5GIST_ENOMEM, "not enough memory for the recipe");
  json_decref(json);
  free(text);
  return status;
}

static t5gist_status go_on(const tg_recipe *recipe, const char *run_dir, const char *recipe_path, uint64_t *step, t5gist_error *err) {
  json_t *before = NULL;
  TG_TRY(tg_json_read(recipe_path, RECIPE_LIMIT, &before, err));
  const t5gist_status status = tg_recipe_same(recipe, before, err);
  json_decref(before);
  if (status) return tg_error_context(err, status, "%s: ", run_dir);
  return tg_snapshot_find(run_dir, step, err);
}

/* Written by an evaluation, perhaps long before the first snapshot. */
static t5gist_status has_model(const char *dir, bool *found, t5gist_error *err) {
  char *path;
  TG_TRY(tg_path_join(&path, dir, "config.json", err));
  *found = tg_file_exists(path);
  tg_free(path);
  return T5GIST_OK;
}

/* A run of ours that is there without being asked for: refused where it came somewhere. */
static t5gist_status check_own(const tg_recipe *recipe, const tg_train_call *call, const char *run_dir, t5gist_error *err) {
  uint64_t step;
  bool model;
  TG_TRY(tg_snapshot_find(run_dir, &step, err));
  if (step > 0)
    return tg_fail(err, T5GIST_EUSAGE, "%s holds a run that came to step %llu: \"%s --resume\" goes on with it, --overwrite begins anew in its place",
                   recipe->out, (unsigned long long)step, call->command ? call->command : "t5gist train");
  TG_TRY(has_model(recipe->out, &model, err));
  if (!model) return T5GIST_OK;
  return tg_fail(err, T5GIST_EUSAGE, "%s holds the model of a run that ended before its first snapshot: --overwrite begins anew in its place",
                 recipe->out);
}

/* Somebody's files. */
static t5gist_status check_empty(const tg_recipe *recipe, t5gist_error *err) {
  tg_strings names = {0};
  TG_TRY(tg_folder_list(recipe->out, &names, err));
  t5gist_status status = T5GIST_OK;
  if (names.count > 0)
    status = tg_fail(err, T5GIST_EUSAGE,
                     "out: expected a new or empty folder, found %s with \"%.80s\" in it; --overwrite writes the model there all the same, and "
                     "leaves other files alone",
                     recipe->out, names.items[0]);
  tg_strings_clear(&names);
  return status;
}

static t5gist_status open_place(const tg_recipe *recipe, const tg_train_call *call, const char *run_dir, const char *recipe_path, tg_lock *lock,
                                uint64_t *step, t5gist_error *err) {
  const bool own = tg_file_exists(recipe_path);
  *step = 0;
  if (recipe->model && same_folder(recipe->model, recipe->out))
    return tg_fail(err, T5GIST_EUSAGE, "out: expected another folder than that of model, found %s for both", recipe->out);
  if (call->resume && !own) return tg_fail(err, T5GIST_EUSAGE, "--resume: expected a run in %s to go on with, found none there", recipe->out);
  if (own) TG_TRY(lock_run(run_dir, lock, err));
  if (call->resume) return go_on(recipe, run_dir, recipe_path, step, err);
  if (!call->overwrite) TG_TRY(own ? check_own(recipe, call, run_dir, err) : check_empty(recipe, err));
  TG_TRY(tg_make_dirs(run_dir, err));
  if (!own) TG_TRY(lock_run(run_dir, lock, err));
  TG_TRY(remove_run(run_dir, err));
  return write_recipe(recipe, recipe_path, err);
}

t5gist_status tg_place_open(const tg_recipe *recipe, const tg_train_call *call, char **run_dir, tg_lock *lock, uint64_t *step, t5gist_error *err) {
  char *recipe_path = NULL;
  TG_TRY(tg_path_join(run_dir, recipe->out, "run", err));
  TG_TRY(tg_path_join(&recipe_path, *run_dir, "recipe.json", err));
  const t5gist_status status = open_place(recipe, call, *run_dir, recipe_path, lock, step, err);
  tg_free(recipe_path);
  return status;
}
