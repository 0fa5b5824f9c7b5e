/* What is found before anything is bounded, where no result is given: solve, then the flow of the layers themselves
 * from its best open loops and from draws. Both are runs of their own, by their rows, with results beside this one's,
 * which are removed when they were read; one that is stopped goes on where it was. */
#include "certify/trainer.h"
#include <math.h>
#include <stdio.h>
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

/* STOP beside the result. */
static void stop_path(const BfSession *session, size_t size, char path[]) {
  const char *out = session->o.out, *slash = out ? strrchr(out, '/') : NULL;
  snprintf(path, size, "%.*sSTOP", slash ? (int)(slash - out) + 1 : 0, slash ? out : "");
}

/* A communicator that is no duplicate: a trainer that fails there leaves the session as it was. */
static BfStatus train(const BfSession *session, const BfTrainer *trainer, const Word words[], BfError *error) {
  const MPI_Comm world   = session->run->world;
  BfOptions     *options = NULL;
  BfRun         *run     = NULL;
  BfTrained      trained = {0};
  MPI_Comm       apart;
  BfStatus       status;
  char           stop[4096];
  stop_path(session, sizeof stop, stop);
  const BfOwner owner = {warn, pass,
                         stop, session->o.hours > 0 ? bf_seconds() + 3600 * session->o.hours : INFINITY,
                         true, (void *)session};
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
  return status;
}

/* Whether there is a result now: what cannot be run is told and left out, but for what ends the run. */
static BfStatus attempt(const BfSession *session, const char *name, const Word words[], bool *there, BfError *error) {
  BfError here = {0}, unused = {0};
  bf_progress_what(session->run, "%s", name);
  const BfStatus status = train(session, bf_trainer(name), words, &here);
  *there                = status == BF_OK;
  if (status == BF_STOPPED && session->checkpoint) return bf_checkpoint_stopped(session->checkpoint, error);
  if (status == BF_STOPPED) { /* nobody can go on */
    bf_checkpoint_remove(session->run, words->value, &unused);
    return bf_fail(error, status, "stopped during %s; without -o nothing is kept", name);
  }
  if (status == BF_FAILURE) return bf_fail(error, status, "%s", here.text);
  if (status != BF_OK) bf_print(session->run, "%s left out: %s\n", name, here.text);
  return BF_OK;
}

/* Beside the result; without one, where this machine has room for files that go. */
static void path_of(const BfSession *session, const char *name, size_t size, char path[]) {
  int process = (int)getpid();
  MPI_Bcast(&process, 1, MPI_INT, 0, session->run->world);
  if (session->o.out) snprintf(path, size, "%s.%s.h5", session->o.out, name);
  else snprintf(path, size, "/tmp/bellformer-certify-%d.%s.h5", process, name);
}

static void forget(const BfSession *session, const char *path) {
  MPI_Barrier(session->run->world);
  if (session->run->rank == 0) unlink(path);
}

static BfStatus search(const BfSession *session, const char *solved, const char *moved, double **out, BfError *error) {
  bool       there = false, flows = false;
  const Word solve[] = {{"o", solved}, {"restart", "auto"}, {"best", best}, {NULL, NULL}};
  if (session->problem->actions) BF_TRY(attempt(session, "solve", solve, &there, error));
  const Word flow[] = {{"o", moved},       {"restart", "auto"}, {"scheme", "layers"}, {"init", there ? solved : NULL},
                       {"starts", starts}, {NULL, NULL}};
  BF_TRY(attempt(session, "flow", flow, &flows, error));
  if (!flows && !there) return BF_OK;
  return bf_certify_read_found(session->run, session->problem, flows ? moved : solved, out, error);
}

BfStatus bf_certify_search(const BfSession *session, double **out, BfError *error) {
  char solved[4096], moved[4096];
  if (!session->o.out && session->run->nodes > 1) return BF_OK; /* nowhere that all ranks see */
  path_of(session, "solve", sizeof solved, solved);
  path_of(session, "flow", sizeof moved, moved);
  const BfStatus status = search(session, solved, moved, out, error);
  if (status == BF_STOPPED && session->checkpoint) return status; /* a restart goes on with them */
  forget(session, solved);
  forget(session, moved);
  return status;
}
