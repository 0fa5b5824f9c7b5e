#include "train/info.h"
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

typedef char Text[BF_HUMAN];

bool bf_info_predicts(const BfInfo *x) {
  return x->machine && (x->machine->ranks != x->run->size || x->machine->nodes != x->run->nodes);
}

int bf_info_node_ranks(const BfInfo *x) { return x->machine ? x->machine->node_ranks : x->run->node_size; }

double bf_info_program_bytes(const BfInfo *x) { return (double)x->program * bf_info_node_ranks(x); }

double bf_info_memory_left(const BfInfo *x) { return bf_memory_least(x->run); }

void bf_info_memory(const BfInfo *x, const char *bound, double bytes, double left, const char *parts) {
  Text a, b;
  if (x->answer) x->answer->bytes = bytes;
  bf_print(x->run, "  memory a node      %s%s, %s are free%s: %s%s\n", bound, bf_human_bytes(bytes, a),
           bf_human_bytes(left, b), bf_info_predicts(x) ? " here" : "",
           bytes <= left ? "fits"
           : *bound      ? "may not fit"
                         : "does not fit",
           parts);
}

void bf_info_time(const BfInfo *x, const BfEstimate *e) {
  Text a;
  if (x->answer) x->answer->seconds = bf_estimate_seconds(e);
  if (x->answer) x->answer->at_most = e->at_most, x->answer->rough = e->rough;
  bf_print(x->run, "  %-18s %s%s%s:", bf_info_predicts(x) ? "predicted time" : "time", e->at_most ? "at most " : "",
           e->rough ? "very roughly " : "about ", bf_human_time(bf_estimate_seconds(e), a));
  for (int i = 0; i < e->parts; i++)
    bf_print(x->run, "%s %s %s", i ? "," : "", e->part[i].what, bf_human_time(e->part[i].seconds, a));
  bf_print(x->run, "\n");
}

/* What a result and a checkpoint hold whatever is found, by writing it to a file that is then removed: its bytes, and
 * the seconds of both. */
static BfStatus measure_files(const BfInfo *x, double *bytes, double *seconds, BfError *error) {
  BfStore    *store = NULL;
  char        path[4096];
  struct stat about = {0};
  BfStatus    status;
  snprintf(path, sizeof path, "%s.measure", x->o->out);
  MPI_Barrier(x->run->world);
  const double begin = bf_seconds();
  BF_GOTO(bf_store_create(x->run->world, path, 1, &store, error));
  BF_GOTO(bf_result_describe(x->run, x->arguments, x->problem, x->arguments->name, store, error));
  BF_GOTO(bf_result_write_actions(x->problem, store, error));
  status = bf_store_commit(&store, error);
done:
  bf_store_close(&store);
  if (x->run->rank == 0) {
    stat(path, &about);
    unlink(path);
  }
  *bytes   = (double)about.st_size;
  *seconds = 2 * (bf_seconds() - begin);
  return status;
}

/* /rollout and /model, and what HDF5 puts around datasets. */
static double rollout_bytes(const BfProblem *p) {
  const double around = 64e3, around_layer = 24e3;
  return around + p->horizon * (around_layer + 8.0 * (p->layer.free + p->layer.parameters)) +
         8.0 * (p->horizon + 1) * (double)(p->train.tokens + p->test.tokens) * p->layer.dim;
}

BfStatus bf_info_ends(const BfInfo *x, const char *bound, double bytes, const char *parts, BfEstimate *e,
                      BfError *error) {
  double train = 0, test = 0, bandwidth = 1e8, fixed, files;
  Text   a, b;
  bf_rollout_estimate(x->problem, &x->problem->train, &train, error);
  if (error->status == BF_OK) bf_rollout_estimate(x->problem, &x->problem->test, &test, error);
  BF_TRY(bf_agree(x->run->world, error));
  bf_estimate_add(x->run, e, "rollout", train + test);
  if (!x->o->out) return BF_OK;
  BF_TRY(measure_files(x, &fixed, &files, error));
  if (bytes > 1e6) BF_TRY(bf_store_measure(x->run->world, x->o->out, &bandwidth, error));
  bf_estimate_add(x->run, e, "writing", files + bytes / bandwidth);
  bf_print(x->run, "  result file        %s%s%s, %s are free there\n", bound,
           bf_human_bytes(bytes + fixed + rollout_bytes(x->problem), a), parts,
           bf_human_bytes((double)bf_disk_free(x->o->out), b));
  return BF_OK;
}
