/* What is found before anything is bounded, where no result is given: solve, then the flow of the layers themselves
 * from its best open loops and from draws. Both are runs of their own, by their rows, with results beside this one's,
 * which are removed when they were read; one that is stopped goes on where it was. */
#include "certify/trainer.h"
#include "checkpoint/checkpoint.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char best[] = "16", starts[] = "32"; /* open loops that are refined; draws */

typedef struct {
  const char *name, *value;
} Word;

static BfStatus give(BfOptions *options, const Word words[], BfError *error) {
  for (int i = 0; words[i].name; i++)
    if (words[i].value) BF_TRY(bf_options_add(options, words[i].name, words[i].value, error));
  return BF_OK;
}

/* Such a run is this one's: it speaks through it, and leaves signals' lines to it. */
static void warn(void *context, const char *text) { bf_warn(((const BfSession *)context)->run, "%s", text); }
static void pass(void *context) { (void)context; }

/* A communicator that is no duplicate: a trainer that fails there leaves the session as it was. */
static BfStatus train(const BfSession *session, const BfTrainer *trainer, const Word words[], BfError *error) {
  const MPI_Comm world   = session->run->world;
  BfOptions     *options = NULL;
  BfRun         *run     = NULL;
  BfTrained      trained = {0};
  MPI_Comm       apart;
  BfStatus       status;
  char          *stop = NULL;
  BF_TRY(bf_together(world, bf_stop_path(session->o.out ? session->o.out : words->value, &stop, error), error));
  const double  deadline = session->checkpoint ? session->checkpoint->when.deadline : INFINITY;
  const BfOwner owner    = {warn, pass, stop, deadline, true, (void *)session};
  MPI_Comm_split(world, 0, session->run->rank, &apart);
  BF_GOTO(bf_run_create(apart, 0, &run, error));
  run->quiet = run->silent = true;
  run->memory              = session->run->memory;
  run->owner               = session->run->owner ? session->run->owner : &owner;
  BF_GOTO(bf_together(apart, bf_options_create(&options, error), error));
  BF_GOTO(bf_together(apart, give(options, words, error), error));
  run->options = options;
  status       = bf_train(run, trainer, session->problem, &trained, error);
done:
  bf_trained_clear(&trained);
  bf_options_destroy(&options);
  bf_run_destroy(&run);
  MPI_Comm_free(&apart);
  bf_free(stop);
  return status;
}

/* Its result's points; what this problem has none of, or none that fits into memory, is told and left out: a point in
 * the box is enough to begin with. What stops it stops the run, and whatever else fails (a disk that is full) ends it.
 */
static BfStatus attempt(const BfSession *session, const char *name, const Word words[], BfFound *out, bool *there,
                        BfError *error) {
  BfError here = {0};
  char    line[BF_ERROR_LENGTH + 64];
  bf_progress_what(session->run, "%s", name);
  const BfStatus status = train(session, bf_trainer(name), words, &here);
  *there                = status == BF_OK;
  const bool tells = here.cause != BF_CAUSE_NONE || status == BF_BAD_INPUT; /* why there is none for this problem */
  if (status == BF_STOPPED && !tells && session->checkpoint) return bf_checkpoint_stopped(session->checkpoint, error);
  if (status == BF_STOPPED && !tells)
    return bf_fail(error, status, "stopped during %s; without -o nothing is kept", name);
  if (status != BF_OK && !tells) return bf_fail(error, status, "%s: %s", name, here.text);
  if (status == BF_OK) return bf_found_read(session->run, session->problem, words->value, name, out, error);
  snprintf(line, sizeof line, "%s left out: %s", name, here.text);
  bf_print(session->run, "%s\n", line);
  return bf_together(session->run->world, bf_found_say(out, line, error), error);
}

/* ---- their files ------------------------------------------------------------------------------------------------- */

enum { PATH = 4096 };
static const char *const name_of[] = {"solve", "flow"};

/* Beside the result; without one in a folder of their own, `folder`, that goes. */
static void path_of(const BfSession *session, const char *folder, int i, char path[PATH]) {
  if (session->o.out) snprintf(path, PATH, "%s.%s.h5", session->o.out, name_of[i]);
  else snprintf(path, PATH, "%s/%s.h5", folder, name_of[i]);
}

static BfStatus make_folder(char folder[PATH], BfError *error) {
  const char *where = getenv("TMPDIR");
  snprintf(folder, PATH, "%s/bellformer-certify-XXXXXX", where && *where ? where : "/tmp");
  return mkdtemp(folder) ? BF_OK : bf_fail(error, BF_FAILURE, "%s cannot be made: %s", folder, strerror(errno));
}

static BfStatus refuse_others(const BfSession *session, BfError *error) {
  for (int i = 0; i < 2; i++) {
    char path[PATH], folder[PATH + 16];
    path_of(session, "", i, path);
    snprintf(folder, sizeof folder, "%s.checkpoint", path);
    if (access(path, F_OK) == 0 || access(folder, F_OK) == 0)
      return bf_fail(error, BF_BAD_INPUT,
                     "%s is there, or its checkpoints: certify writes a file of that name on its way; move it, or give "
                     "-found or another -o",
                     path);
  }
  return BF_OK;
}

BfStatus bf_certify_clear_way(const BfSession *session, BfError *error) {
  const bool looks = session->run->rank == 0 && session->o.out && session->start == BF_FRESH;
  return bf_together(session->run->world, looks ? refuse_others(session, error) : BF_OK, error);
}

/* What the runs before have left, or never made. */
static void forget(const BfSession *session, const char *folder) {
  MPI_Barrier(session->run->world);
  for (int i = 0; i < 2; i++) {
    char    path[PATH];
    BfError unused = {0};
    path_of(session, folder, i, path);
    bf_checkpoint_remove(session->run, path, &unused);
    if (session->run->rank == 0) unlink(path);
  }
  if (!session->o.out && session->run->rank == 0) rmdir(folder);
}

void bf_certify_forget(const BfSession *session) {
  if (session->o.out) forget(session, "");
}

/* Whether one of them has come so far that it can go on. Collective. */
static bool goes_on(const BfSession *session) {
  bool any = false;
  for (int i = 0; i < 2; i++) {
    char path[PATH];
    int  there;
    path_of(session, "", i, path);
    there = session->run->rank == 0 && access(path, F_OK) == 0;
    MPI_Bcast(&there, 1, MPI_INT, 0, session->run->world);
    any = any || there || bf_checkpoint_newest(session->run, path) >= 0;
  }
  return any;
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

static BfStatus search(const BfSession *session, const char *solved, const char *moved, BfFound *out, BfError *error) {
  bool       there   = false, flows;
  const Word solve[] = {{"o", solved}, {"restart", "auto"}, {"best", best}, {NULL, NULL}};
  if (session->problem->actions) BF_TRY(attempt(session, "solve", solve, out, &there, error));
  const Word flow[] = {{"o", moved},       {"restart", "auto"}, {"scheme", "layers"}, {"init", there ? solved : NULL},
                       {"starts", starts}, {NULL, NULL}};
  return attempt(session, "flow", flow, out, &flows, error);
}

BfStatus bf_certify_search(BfSession *session, BfFound *out, BfError *error) {
  const MPI_Comm world        = session->run->world;
  char           folder[PATH] = "", solved[PATH], moved[PATH];
  if (!session->o.out && session->run->nodes > 1) return BF_OK; /* nowhere that all ranks see */
  if (!session->o.out) {
    BF_TRY(bf_together(world, session->run->rank == 0 ? make_folder(folder, error) : BF_OK, error));
    MPI_Bcast(folder, PATH, MPI_CHAR, 0, world);
  }
  path_of(session, folder, 0, solved);
  path_of(session, folder, 1, moved);
  const BfStatus status = search(session, solved, moved, out, error);
  session->keeps        = session->o.out && goes_on(session);
  if (!session->keeps) forget(session, folder);
  return status;
}
