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

/* The weaker statements, beside what is proved of the whole box. Nothing is known of a run that had ended before this
 * process began. */
static void tell(const BfSession *session, const BfTrained *trained) {
  const BfProblem *problem = session->problem;
  const BfModel   *model   = &trained->model;
  if (!model->layers) return;
  if (model->action)
    bf_print(session->run, "solve: the best of all %lld^%d lists of actions%s%s costs %.10g, unquantized %.10g\n",
             (long long)problem->actions, problem->horizon, problem->cells ? ", on quantized tokens," : "",
             problem->cost.trained ? ", with its readout as it stands," : "", model->quantized_cost,
             trained->train.cost);
  else
    bf_print(session->run, "flow: the best of %s draws%s, refined by gradients, costs %.10g\n", starts,
             problem->actions ? " and solve's best lists" : "", trained->train.cost);
}

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
  if (status == BF_OK) tell(session, &trained);
done:
  bf_trained_clear(&trained);
  bf_options_destroy(&options);
  bf_run_destroy(&run);
  MPI_Comm_free(&apart);
  bf_free(stop);
  return status;
}

/* Whether there is a result now: what cannot be run, or fails, is told and left out: a point in the box is enough
 * to begin with. What stops it stops the run. */
static BfStatus attempt(const BfSession *session, const char *name, const Word words[], bool *there, BfError *error) {
  BfError here = {0};
  bf_progress_what(session->run, "%s", name);
  const BfStatus status = train(session, bf_trainer(name), words, &here);
  *there                = status == BF_OK;
  if (status == BF_STOPPED && session->checkpoint) return bf_checkpoint_stopped(session->checkpoint, error);
  if (status == BF_STOPPED) return bf_fail(error, status, "stopped during %s; without -o nothing is kept", name);
  if (status != BF_OK) bf_print(session->run, "%s left out: %s\n", name, here.text);
  return BF_OK;
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

/* ---- both -------------------------------------------------------------------------------------------------------- */

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
  if (status == BF_STOPPED && session->checkpoint) return status; /* a restart goes on with them */
  forget(session, folder);
  return status;
}
