/* bellformer eval: a trained model on a data table. */
#include <math.h>
#include <string.h>
#include "command/command.h"

const char bf_help_eval[] =
    "usage: [mpirun -n RANKS] bellformer eval RUN.h5 [options]\n"
    "\n"
    "Applies the trained Transformer of a result file to a data table; prints loss and accuracy.\n"
    "\n"
    "  -data TABLE   the table (CSV or HDF5, as in a problem); without it the training data of the result file\n"
    "  -o FILE       write the tokens after every layer as /tokens [T+1, N, d] with loss and accuracy as attributes\n"
    "  -overwrite    replace FILE if it exists\n"
    "\n"
    "Exit codes: 0 done, 1 failure inside, 2 bad usage or input. PETSc's options (-log_view) work too.\n";

static BfStatus read_table(const BfRun *run, BfProblem *problem, const char *path, BfData *data, BfError *error) {
  BfFiles      *files = NULL;
  const BfFile *file;
  BfStatus      status;
  BF_GOTO(bf_files_create(run->world, ".", &files, error));
  BF_GOTO(bf_files_get(files, path, &file, error));
  BF_GOTO(bf_data_parse(file, problem->layer.dim, data, error));
  BF_GOTO(bf_problem_encode(problem, data->positions, error));
  BF_GOTO(bf_problem_check_data(problem, file, data, error));
done:
  bf_files_destroy(&files);
  return status;
}

static BfStatus write_tokens(const BfRun *run, const BfProblem *problem, const BfData *data, const BfRollout *rollout,
                             const char *path, bool overwrite, BfError *error) {
  BfStore      *store  = NULL;
  const int64_t dims[] = {problem->horizon + 1, data->tokens, data->dim};
  BfStatus      status;
  BF_GOTO(bf_store_create(run->world, path, overwrite, &store, error));
  BF_GOTO(bf_store_write(store, "/tokens", BF_STORE_DOUBLE, 3, dims, rollout->tokens, error));
  BF_GOTO(bf_store_attribute_double(store, "/", "loss", rollout->loss, error));
  BF_GOTO(bf_store_attribute_double(store, "/", "accuracy", rollout->accuracy, error));
  BF_GOTO(bf_store_commit(&store, error));
done:
  bf_store_close(&store);
  return status;
}

typedef struct {
  char *data, *out;
  bool  overwrite;
} Options;

static BfStatus eval(BfRun *run, const BfArguments *arguments, const Options *o, BfError *error) {
  BfProblem *problem = NULL;
  BfOpenLoop loop    = {0};
  BfData     table   = {0};
  BfRollout  rollout = {0};
  BfStatus   status;
  BF_GOTO(bf_result_read(run, arguments->file, &problem, &loop, error));
  if (o->data) BF_GOTO(read_table(run, problem, o->data, &table, error));
  const BfData *data = o->data ? &table : &problem->train;
  bf_rollout(problem, data, loop.control, loop.readout, &rollout, error);
  BF_GOTO(bf_agree(run->world, error));
  if (o->out) BF_GOTO(write_tokens(run, problem, data, &rollout, o->out, o->overwrite, error));
  const bool quiet = run->quiet;
  run->quiet       = false; /* the answer is not progress */
  bf_print(run, "%lld sequences, %lld tokens: loss %.10g", (long long)data->contexts, (long long)data->tokens, rollout.loss);
  if (!isnan(rollout.accuracy)) bf_print(run, ", accuracy %.6g", rollout.accuracy);
  bf_print(run, "\n");
  run->quiet = quiet;
done:
  bf_open_loop_clear(&loop);
  bf_rollout_clear(&rollout);
  bf_data_clear(&table);
  bf_problem_destroy(&problem);
  return status;
}

BfStatus bf_command_eval(BfRun *run, const BfArguments *arguments, BfError *error) {
  Options  o = {0};
  BfStatus status;
  BF_GOTO(bf_option_text("-data", &o.data, error));
  BF_GOTO(bf_option_text("-o", &o.out, error));
  BF_GOTO(bf_option_bool("-overwrite", &o.overwrite, error));
  BF_GOTO(bf_refuse_unread_options(error));
  status = arguments->file ? eval(run, arguments, &o, error)
                           : bf_fail(error, BF_BAD_INPUT, "eval needs a result file; see `bellformer help eval`");
done:
  bf_free(o.data);
  bf_free(o.out);
  return status;
}
