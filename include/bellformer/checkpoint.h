/* Checkpoints: what a run needs to go on after it was stopped or killed.
 *
 * Layout: a folder RUN.h5.checkpoint/ beside the result, with files NNNN.h5, the generations. A generation holds the
 * problem, the position of the run, and the arrays that were completed since the one before it: each array is written
 * once, in one file, and never changed. A list in every generation tells which file holds which array. Files appear by
 * rename after fsync, their arrays are sealed by sums (store.h); the two newest generations stand, and so does every
 * file that one of them refers to. One growing file would be less to look at, but a kill during a write could damage
 * all of it, and writing all arrays again each time would cost the square of the number of layers.
 *
 * A damaged newest generation is told by name, and the older one is taken. A file `claim` names the run that may write:
 * one whose claim is gone (its node was given up and the job started elsewhere) stops at its next checkpoint. A run
 * that ends by itself adds the line "ended" to it; one that is killed cannot.
 *
 * All functions are collective on run->world, unless said otherwise; a NULL BfCheckpoint (a run without a result file)
 * saves nothing and is never told to stop: a signal ends the process. */
#pragma once
#include "bellformer/run.h"
#include "bellformer/store.h"

BF_API_BEGIN

typedef struct BfCheckpoint BfCheckpoint;

/* Writes what every generation begins with, so that it can be read without the problem file. */
typedef BfStatus BfDescribe(void *context, BfStore *store, BfError *error);

typedef struct {
  double interval;   /* seconds between checkpoints within a layer; then every layer's end is one, too. < 0: within a
                        layer   600, or 50 times what a write takes if that is longer; at a layer's end where the write
                        costs   less than 2 % of what it saves */
  double      hours; /* stop so early that the last checkpoint is written before; <= 0: the SLURM job's limit, if any */
  const char *command; /* that goes on: "solve", and what it needs beside -restart */
  int         newest;  /* the newest generation to go on from; INT_MAX: any */
  BfDescribe *describe;
  void       *context;
} BfCheckpointOptions;

/* result: the path of RUN.h5. Makes the folder; takes the claim; removes a STOP file of an earlier start. What the
 * folder holds stays until the first new generation. */
BfStatus bf_checkpoint_create(BfRun *run, const char *result, const BfCheckpointOptions *options, BfCheckpoint **out,
                              BfError *error);
void     bf_checkpoint_destroy(BfCheckpoint **checkpoint);
/* Whether this run still has the claim: asked before the result appears. */
BfStatus bf_checkpoint_claimed(const BfCheckpoint *checkpoint, BfError *error);
/* Remove the folder of a result: the run is complete, or is to start afresh. */
BfStatus bf_checkpoint_remove(BfRun *run, const char *result, BfError *error);
/* The newest generation's number in a result's folder, -1: there is none. */
int bf_checkpoint_newest(BfRun *run, const char *result);
/* The result's path. Not collective. */
const char *bf_checkpoint_result(const BfCheckpoint *checkpoint);
/* The first generation that this start of the run writes. Not collective. */
int bf_checkpoint_first(const BfCheckpoint *checkpoint);
/* Remove the generations before that: they are of another run, in whose place this one is. */
BfStatus bf_checkpoint_forget_earlier(BfCheckpoint *checkpoint, BfError *error);
/* Path of a generation: "RUN.h5.checkpoint/0003.h5". Not collective. */
void bf_checkpoint_path(const char *result, int generation, size_t size, char path[]);

/* The run comes to another part of its work, which has arrays of its own: their names are free again, and what
 * generations hold of other parts is not read: bf_checkpoint_restore finds their numbers 0 and no arrays, *restored 0.
 * Parts are numbered from 0; a run begins in part 0. Not collective; the same on all ranks. */
void bf_checkpoint_part(BfCheckpoint *checkpoint, int part);

/* ---- when ------------------------------------------------------------------------------------------------------- */

typedef enum { BF_GO_ON, BF_SAVE, BF_SAVE_AND_STOP } BfOrder;

/* Called at the end of every piece of work, the same number of times on all ranks; bytes: what a checkpoint would write
 * now, by all ranks together. The answer is that of the call before: nobody waits. */
BfOrder bf_checkpoint_ask(BfCheckpoint *checkpoint, double bytes);
/* The same at the end of a layer, where ranks wait for each other anyway: today's answer. */
BfOrder bf_checkpoint_ask_layer(BfCheckpoint *checkpoint, double bytes);
/* What this rank alone would answer now; ranks that do not work in step agree in their own way. longest: seconds of the
 * longest piece of any of them. Not collective; clocks and files are rank 0's to watch. */
BfOrder bf_checkpoint_due(BfCheckpoint *checkpoint, double bytes, double longest);
/* BF_STOPPED with the line that tells how to go on. Not collective. */
BfStatus bf_checkpoint_stopped(const BfCheckpoint *checkpoint, BfError *error);

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* Start the next generation; names that begin with "partial/" are forgotten. Give its numbers and arrays; finish. On
 * failure nothing appears and the older generations stand. bytes: as it was estimated. */
BfStatus bf_checkpoint_begin(BfCheckpoint *checkpoint, BfError *error);
BfStatus bf_checkpoint_number(BfCheckpoint *checkpoint, const char *name, int64_t value, BfError *error);
/* An array of `rows` rows of all ranks, in `columns` columns, of which this rank gives the rows of its parts. */
BfStatus bf_checkpoint_array(BfCheckpoint *checkpoint, const char *name, BfStoreType type, int64_t rows,
                             int64_t columns, const BfParts *parts, const void *data, BfError *error);
BfStatus bf_checkpoint_end(BfCheckpoint *checkpoint, double bytes, BfError *error);
/* Forget the arrays whose names begin like that: what the next generations do not refer to any more. The names are free
 * again. Not collective; the same on all ranks. */
void bf_checkpoint_forget(BfCheckpoint *checkpoint, const char *begins);
/* Whether an array of that name is in this or an earlier generation. Not collective. */
bool bf_checkpoint_has(const BfCheckpoint *checkpoint, const char *name);

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* Refuse an open generation of another format; other: as of bf_store_check_format. */
BfStatus bf_checkpoint_check_format(BfStore *generation, bool *other, BfError *error);

/* Go back to the newest generation from which `restore` can read all that it needs; BF_BAD_INPUT from it (or a file
 * that is damaged) is printed as a warning and the next older one is tried. *restored is 0 where the folder holds none.
 */
typedef BfStatus BfRestore(void *state, BfCheckpoint *checkpoint, BfError *error);
BfStatus         bf_checkpoint_restore(BfCheckpoint *checkpoint, BfRestore *restore, void *state, int *restored,
                                       BfError *error);
/* Within restore: numbers and arrays of the generation, as they were given. A missing one is BF_BAD_INPUT. */
BfStatus bf_checkpoint_get(BfCheckpoint *checkpoint, const char *name, int64_t *value, BfError *error);
BfStatus bf_checkpoint_rows(BfCheckpoint *checkpoint, const char *name, int64_t *rows, BfError *error);
BfStatus bf_checkpoint_read(BfCheckpoint *checkpoint, const char *name, BfStoreType type, int64_t columns,
                            const BfParts *parts, void *data, BfError *error);

BF_API_END
