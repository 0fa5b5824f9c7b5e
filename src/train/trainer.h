/* A trainer: a way to find a model, as a row of functions. What all trainers share (where a run starts, its result and
 * its checkpoints, the model on the data, the report) is theirs without a word. To add one: a folder with its row, and
 * a row of the table of commands in main.c.
 *
 * Functions may be NULL where a trainer has nothing to do. `state` is theirs: `size` bytes, zeros at first, the
 * settings of `options` at its beginning. All but `parse`, `input`, `only`, `report`,
 * `holds` and `destroy` are collective. */
#pragma once
#include "bellformer/train.h"
#include "model/answer.h"
#include "train/options.h"
#include "train/session.h"
#include "train/statement.h"

typedef struct BfInfo BfInfo; /* train/info.h */

struct BfTrainer {
  const char        *name;          /* of the command */
  const char        *about, *notes; /* of its help: paragraphs, each ends with \n; notes may be NULL */
  const BfOption    *options;
  const BfSections  *sections;       /* what it reads of a problem */
  const char        *spares;         /* an option with which it reads less; NULL: none is */
  const BfSections  *spared;         /* that, then */
  const char *const *outputs;        /* what its result holds beside bf_result_outputs, in the same form */
  bool               trains_readout; /* it moves one that is trained; the others take where the problem begins it */
  const char *const (*needs)[2];     /* of these, {output, option}: what one option alone asks for; {NULL} ends them */
  size_t size;

  /* ---- its options, before a problem is read ---- */

  /* Take what the table does not: PETSc's own. Local. */
  BfStatus (*parse)(void *state, BfOptions *options, BfError *error);
  /* Whether parse takes options of that name, beside those of the table. */
  bool (*takes)(const char *option);
  /* What options come to together; refuse those that do not go together. */
  BfStatus (*settle)(void *state, const BfRun *run, BfError *error);
  /* A file that is read beside the problem, or NULL. */
  const char *(*input)(const void *state);

  /* The option that asks for something else in place of training, which `instead` does; NULL where none does. */
  const char *(*only)(const void *state);

  /* ---- where it starts, and how it is kept ---- */

  /* Put what the problem decides, where the options do not, into the state: of a run that starts afresh, or that does
   * if there is nothing to go on from (-restart auto). */
  BfStatus (*choose)(void *state, const BfRun *run, const BfProblem *problem, BfError *error);
  /* Refuse what a run with this state would refuse of the problem; NULL: nothing. Local. */
  BfStatus (*check)(const void *state, const BfProblem *problem, BfError *error);
  /* What a checkpoint and a result keep beside the options, and back from a checkpoint. */
  BfStatus (*save)(const void *state, BfStore *store, BfError *error);
  BfStatus (*restore)(void *state, const BfRun *run, BfStore *store, BfError *error);
  /* As bf_options_compare. then: the problem of the file. */
  BfStatus (*compare)(void *state, const BfRun *run, const BfProblem *then, bool all, BfStore *store, bool *differ,
                      BfError *error);

  /* ---- the run ---- */

  /* Make what it needs, and refuse what does not go, before any file is made; may set session->space. */
  BfStatus (*create)(void *state, BfSession *session, BfError *error);
  BfStatus (*instead)(void *state, BfSession *session, BfError *error);
  /* The model into session->trained.model, tables of its own into session->store; with session->checkpoint as
   * checkpoint.h tells. Both may be NULL. */
  BfStatus (*train)(void *state, BfSession *session, BfError *error);
  /* More of the answer, once the model was applied to the data. */
  BfStatus (*judge)(void *state, BfSession *session, BfError *error);
  /* Groups of its own into the result, beside /rollout and /model. */
  BfStatus (*write)(const void *state, const BfSession *session, BfStore *store, BfError *error);
  /* Lines on standard output. Rank 0 speaks. */
  void (*report)(const void *state, const BfSession *session);
  /* What the answer is known to be, "the best of all 729^2 lists of actions", where more can be asked of `certify`: the
   * result keeps it, and the report ends with it. */
  void (*holds)(const void *state, const BfSession *session, char text[BF_STATEMENT]);
  /* Free what the state owns, apart from the texts of its settings. */
  void (*destroy)(void *state);

  /* ---- eval ---- */

  /* The model of the result `path` on data, as this trainer applies it, where the result is of it and that is more than
   * the layers: into *out, zeros at first, whose tokens are the caller's also after a failure. */
  BfStatus (*apply)(BfRun *run, const char *path, const BfProblem *problem, const BfData *data, const BfModel *model,
                    BfApplied *out, BfError *error);

  /* ---- info ---- */

  /* Memory, file and time of a run with this state, measured and told (train/info.h). */
  BfStatus (*estimate)(void *state, const BfInfo *info, BfError *error);
};

/* All of them, NULL behind the last: main.c. */
extern const BfTrainer *const bf_trainers[];

/* What it reads of a problem with these options: keys of other sections on the line are refused. Not collective. */
const BfSections *bf_trainer_reads(const BfTrainer *trainer, const BfOptions *options);
/* A state with its settings from the options, before a problem is read; and its end. Collective. */
BfStatus bf_trainer_begin(const BfTrainer *trainer, BfRun *run, void **state, BfError *error);
void     bf_trainer_end(const BfTrainer *trainer, void **state);
/* The command of a trainer. */
BfStatus bf_train_command(BfRun *run, const BfTrainer *trainer, const BfArguments *arguments, BfError *error);
