/* Where a run that trains starts: afresh, or from a checkpoint. */
#include "command/session.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static BfStatus copy(const char *from, char **to, BfError *error) {
  BF_TRY(BF_NEW(to, (int64_t)strlen(from) + 1, error));
  strcpy(*to, from);
  return BF_OK;
}

static bool exists(const BfRun *run, const char *path) {
  int there = run->rank == 0 && access(path, F_OK) == 0;
  MPI_Bcast(&there, 1, MPI_INT, 0, run->world);
  return there;
}

/* Whether the result appeared after the newest checkpoint: the run was killed between that and the end, or is just
 * ending. A result that a run is to overwrite is older. */
static bool appeared(const BfRun *run, const char *result) {
  char        path[4096];
  struct stat whole, saved;
  const int   newest = bf_checkpoint_newest((BfRun *)run, result);
  int         later  = 0;
  bf_checkpoint_path(result, newest, sizeof path, path);
  if (run->rank == 0 && stat(result, &whole) == 0 && stat(path, &saved) == 0)
    later = whole.st_mtim.tv_sec > saved.st_mtim.tv_sec ||
            (whole.st_mtim.tv_sec == saved.st_mtim.tv_sec && whole.st_mtim.tv_nsec >= saved.st_mtim.tv_nsec);
  MPI_Bcast(&later, 1, MPI_INT, 0, run->world);
  return later;
}

/* -restart RUN.h5 names the result; auto takes that of -o. */
static BfStatus settle_name(const BfArguments *arguments, BfStartOptions *o, BfError *error) {
  const bool named = o->restart && strcmp(o->restart, "auto");
  if (named && o->out && strcmp(o->out, o->restart))
    return bf_fail(error, BF_BAD_INPUT, "-restart %s and -o %s are two results; give one", o->restart, o->out);
  if (named && !o->out) return copy(o->restart, &o->out, error);
  if (o->restart && !named && (!o->out || !arguments->file))
    return bf_fail(error, BF_BAD_INPUT,
                   "-restart auto needs a problem file and -o RUN.h5, in case that it starts afresh");
  return BF_OK;
}

BfStatus bf_restart_plan(const BfRun *run, const BfArguments *arguments, BfStartOptions *o, BfStart *start,
                         BfError *error) {
  BF_TRY(settle_name(arguments, o, error));
  *start = BF_FRESH;
  if (!o->out) return BF_OK;
  const bool saved = bf_checkpoint_newest((BfRun *)run, o->out) >= 0, done = exists(run, o->out);
  if (o->restart) {
    *start = saved && !appeared(run, o->out) ? BF_GOING_ON : done ? BF_FINISHED : BF_FRESH;
    if (*start == BF_FINISHED && saved) return bf_checkpoint_remove((BfRun *)run, o->out, error);
    if (*start == BF_FRESH && strcmp(o->restart, "auto"))
      return bf_fail(error, BF_BAD_INPUT, "%s: there is neither a checkpoint (%s.checkpoint) nor a result", o->out,
                     o->out);
    return BF_OK;
  }
  if (saved && !o->overwrite)
    return bf_fail(error, BF_BAD_INPUT,
                   "%s.checkpoint holds a run of that name: go on with -restart %s, or give -overwrite to start afresh",
                   o->out, o->out);
  return BF_OK;
}

/* ---- the problem ------------------------------------------------------------------------------------------------ */

static const BfFile *file_of(const BfFiles *files, const char *name) {
  for (int i = 0; i < files->count; i++)
    if (!strcmp(files->file[i].name, name)) return &files->file[i];
  return NULL;
}

/* The same files, byte for byte, under the same overrides. */
static BfStatus same_problem(const BfProblem *given, const BfProblem *saved, const BfStartOptions *o, BfError *error) {
  const char *hint = "remove the folder, or give -overwrite without -restart, to start afresh";
  if (given->files->count != saved->files->count || strcmp(given->overrides, saved->overrides))
    return bf_fail(error, BF_BAD_INPUT, "%s.checkpoint was made with other options of the problem: %s", o->out, hint);
  for (int i = 0; i < given->files->count; i++) {
    const BfFile *mine = &given->files->file[i], *other = file_of(saved->files, mine->name);
    if (!other || other->size != mine->size || memcmp(other->bytes, mine->bytes, (size_t)mine->size))
      return bf_fail(error, BF_BAD_INPUT, "%s.checkpoint was made with another %s: %s", o->out, mine->name, hint);
  }
  return BF_OK;
}

typedef struct {
  const BfArguments *arguments;
  BfStartOptions    *o;
  const BfKept      *kept;
  bool               other; /* the generation is whole, but of another run */
} Reader;

/* A run of another command is another run. */
static BfStatus same_command(BfStore *store, Reader *reader, const char *path, BfError *error) {
  char *name = NULL;
  BF_TRY(bf_store_read_text(store, "/options", "command", &name, error));
  reader->other = strcmp(name, reader->arguments->name) != 0;
  if (reader->other) bf_fail(error, BF_BAD_INPUT, "%s is a checkpoint of `bellformer %s`", path, name);
  bf_free(name);
  return error->status;
}

static BfStatus read_generation(const BfRun *run, int generation, Reader *reader, BfProblem **problem, BfError *error) {
  char     path[4096];
  BfStore *store = NULL;
  BfStatus status;
  bf_checkpoint_path(reader->o->out, generation, sizeof path, path);
  BF_GOTO(bf_store_open(run->world, path, &store, error));
  BF_GOTO(same_command(store, reader, path, error));
  BF_GOTO(bf_result_problem(run, store, path, problem, error));
  BF_GOTO(bf_options_restore(bf_output_options, reader->o, store, error));
  BF_GOTO(bf_options_compare(reader->kept->options, reader->kept->settings, store, &reader->other, error));
  BF_GOTO(bf_options_restore(reader->kept->options, reader->kept->settings, store, error));
  if (reader->kept->restore) status = reader->kept->restore(reader->kept->more, store, error);
done:
  bf_store_close(&store);
  if (status != BF_OK) bf_problem_destroy(problem);
  return status;
}

BfStatus bf_restart_read(const BfRun *run, const BfArguments *arguments, const BfProblem *given, BfStartOptions *o,
                         const BfKept *kept, BfProblem **problem, BfError *error) {
  Reader  reader = {arguments, o, kept, false};
  BfError first  = {0};
  for (int g = bf_checkpoint_newest((BfRun *)run, o->out); g >= 0; g--) {
    BfError here = {0};
    o->newest    = g;
    if (read_generation(run, g, &reader, problem, &here) == BF_OK)
      return given ? same_problem(given, *problem, o, error) : BF_OK;
    if (first.status == BF_OK) first = here;
    if (here.status != BF_BAD_INPUT || reader.other) break;
    if (g > 0) bf_warn(run, "%s; looking for an older generation", here.text);
  }
  return bf_fail(error, first.status, "%s", first.text);
}
