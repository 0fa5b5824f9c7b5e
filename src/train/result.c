/* What a result file holds beside the solver's tables. */
#include "train/result.h"
#include "bellformer/term.h"
#include "bellformer/version.h"
#include "layer/encoding.h"
#include "model/format.h"
#include <hdf5.h>
#include <mpi.h>
#include <petscversion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *const bf_result_outputs[] = {"/@actions",
                                         "/@horizon",
                                         "/@name",
                                         "/@space",
                                         "/actions/controls",
                                         "/control/*@*",
                                         "/control/lower",
                                         "/control/upper",
                                         "/cost@*",
                                         "/cost/readout/*",
                                         "/data/label",
                                         "/data/target",
                                         "/data/position",
                                         "/data/sequence",
                                         "/layer@*",
                                         "/layer/*",
                                         "/model/*",
                                         "/model/*/*",
                                         "/options@*",
                                         "/problem@yaml",
                                         "/problem/files/*",
                                         "/problem/files/*@name",
                                         "/problem/overrides",
                                         "/provenance@bellformer",
                                         "/provenance@command",
                                         "/provenance@date",
                                         "/provenance@format",
                                         "/provenance@hdf5",
                                         "/provenance@host",
                                         "/provenance@instruction_set",
                                         "/provenance@mpi",
                                         "/provenance@nodes",
                                         "/provenance@petsc",
                                         "/provenance@q_values",
                                         "/provenance@ranks",
                                         "/provenance@starts",
                                         "/provenance@wall_seconds",
                                         "/rollout@accuracy",
                                         "/rollout@cost",
                                         "/rollout@largest_control",
                                         "/rollout@largest_token",
                                         "/rollout@loss",
                                         "/rollout@quantized_cost",
                                         "/rollout@readout",
                                         "/rollout@test_accuracy",
                                         "/rollout@test_loss",
                                         "/rollout/actions",
                                         "/rollout/controls",
                                         "/rollout/test_tokens",
                                         "/rollout/tokens",
                                         "/tags/*",
                                         "/test/label",
                                         "/test/position",
                                         "/test/sequence",
                                         "/test/target",
                                         NULL};

/* The command line; an attribute holds 64 KiB, and what is cut says so. */
static BfStatus put_command(const BfArguments *arguments, BfStore *store, BfError *error) {
  const int64_t most = 32 << 10;
  int64_t       size = 1;
  char         *text = NULL, *end;
  BfStatus      status;
  for (int i = 0; i < arguments->argc; i++) size += 1 + (int64_t)strlen(arguments->argv[i]);
  BF_GOTO(bf_store_together(store, BF_NEW(&text, size + 4, error), error));
  end = text;
  for (int i = 0; i < arguments->argc; i++) end = stpcpy(i ? stpcpy(end, " ") : end, arguments->argv[i]);
  if (size > most) strcpy(text + most, " ...");
  status = bf_store_put_text(store, "/provenance", "command", text, error);
done:
  bf_free(text);
  return status;
}

BfStatus bf_result_provenance(MPI_Comm comm, const BfRun *run, const BfArguments *arguments, const BfKernels *kernels,
                              int format, BfStore *store, BfError *error) {
  const char *path = "/provenance";
  char        text[64], mpi[MPI_MAX_LIBRARY_VERSION_STRING], host[256] = "";
  int         length;
  unsigned    major, minor, release;
  BF_TRY(bf_store_put_int(store, path, "format", format, error));
  BF_TRY(put_command(arguments, store, error));
  BF_TRY(bf_store_put_text(store, path, "bellformer", BF_VERSION, error));
  snprintf(text, sizeof text, "%d.%d.%d", PETSC_VERSION_MAJOR, PETSC_VERSION_MINOR, PETSC_VERSION_SUBMINOR);
  BF_TRY(bf_store_put_text(store, path, "petsc", text, error));
  MPI_Get_library_version(mpi, &length);
  BF_TRY(bf_store_put_text(store, path, "mpi", mpi, error));
  H5get_libversion(&major, &minor, &release);
  snprintf(text, sizeof text, "%u.%u.%u", major, minor, release);
  BF_TRY(bf_store_put_text(store, path, "hdf5", text, error));
  const time_t now = time(NULL);
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
  MPI_Bcast(text, 32, MPI_CHAR, 0, comm);
  BF_TRY(bf_store_put_text(store, path, "date", text, error));
  gethostname(host, sizeof host - 1);
  MPI_Bcast(host, sizeof host, MPI_CHAR, 0, comm);
  BF_TRY(bf_store_put_text(store, path, "host", host, error));
  BF_TRY(bf_store_put_text(store, path, "instruction_set", bf_kernels_name(kernels), error));
  BF_TRY(bf_store_put_int(store, path, "ranks", run->size, error));
  return bf_store_put_int(store, path, "nodes", run->nodes, error);
}

static BfStatus write_column(BfStore *store, const char *group, const char *name, BfStoreType type, int64_t rows,
                             int64_t columns, const void *data, BfError *error) {
  char path[128];
  snprintf(path, sizeof path, "%s/%s", group, name);
  return bf_store_write(store, path, type, columns > 0 ? 2 : 1, (int64_t[]){rows, columns}, data, error);
}

/* sequence, position, label or target of every row of a table, in the table's order. */
static BfStatus write_data(const BfData *data, const char *group, BfStore *store, BfError *error) {
  int64_t *sequence = NULL;
  int32_t *position = NULL, *label = NULL;
  double  *target = NULL;
  BfStatus status;
  BF_GOTO(bf_store_together(store, BF_NEW(&sequence, data->tokens, error), error));
  BF_GOTO(bf_store_together(store, BF_NEW(&position, data->tokens, error), error));
  BF_GOTO(bf_store_together(store, BF_NEW(&label, data->tokens, error), error));
  BF_GOTO(bf_store_together(store, BF_NEW(&target, data->tokens * data->dim, error), error));
  for (int64_t g = 0; g < data->tags; g++)
    for (int64_t i = data->tag_first[g]; i < data->tag_first[g + 1]; i++) {
      const int64_t row = data->row[i];
      sequence[row]     = data->sequence[g];
      position[row]     = data->position[g];
      if (data->label) label[row] = data->label[g];
      if (data->target)
        memcpy(target + row * data->dim, data->target + g * data->dim, sizeof(double) * (size_t)data->dim);
    }
  BF_GOTO(write_column(store, group, "sequence", BF_STORE_INT64, data->tokens, 0, sequence, error));
  BF_GOTO(write_column(store, group, "position", BF_STORE_INT32, data->tokens, 0, position, error));
  status = data->label ? write_column(store, group, "label", BF_STORE_INT32, data->tokens, 0, label, error)
                       : write_column(store, group, "target", BF_STORE_DOUBLE, data->tokens, data->dim, target, error);
done:
  bf_free(sequence);
  bf_free(position);
  bf_free(label);
  bf_free(target);
  return status;
}

static BfStatus write_tags(const BfProblem *problem, BfStore *store, BfError *error) {
  const BfData *data  = &problem->train;
  int64_t      *count = NULL;
  BfStatus      status;
  BF_GOTO(bf_store_together(store, BF_NEW(&count, 2 * data->tags, error), error));
  for (int64_t s = 0; s < data->contexts; s++)
    for (int g = 0; g < problem->context[s].tags; g++) {
      const int64_t tag       = data->context_first[s] + g;
      count[tag]              = problem->context[s].first[g + 1] - problem->context[s].first[g];
      count[data->tags + tag] = data->tag_first[tag + 1] - data->tag_first[tag];
    }
  BF_GOTO(write_column(store, "/tags", "sequence", BF_STORE_INT64, data->tags, 0, data->sequence, error));
  BF_GOTO(write_column(store, "/tags", "position", BF_STORE_INT32, data->tags, 0, data->position, error));
  BF_GOTO(data->label
              ? write_column(store, "/tags", "label", BF_STORE_INT32, data->tags, 0, data->label, error)
              : write_column(store, "/tags", "target", BF_STORE_DOUBLE, data->tags, data->dim, data->target, error));
  BF_GOTO(write_column(store, "/tags", "atoms", BF_STORE_INT64, data->tags, 0, count, error));
  BF_GOTO(write_column(store, "/tags", "tokens", BF_STORE_INT64, data->tags, 0, count + data->tags, error));
done:
  bf_free(count);
  return status;
}

/* ---- what a kind tells of itself --------------------------------------------------------------------------------- */

typedef struct {
  BfStore    *store;
  const char *path;
} Place;

static BfStatus tell_text(const BfDescription *to, const char *name, const char *value, BfError *error) {
  const Place *place = to->state;
  return bf_store_put_text(place->store, place->path, name, value, error);
}

static BfStatus tell_integer(const BfDescription *to, const char *name, int64_t value, BfError *error) {
  const Place *place = to->state;
  return bf_store_put_int(place->store, place->path, name, value, error);
}

static BfStatus tell_number(const BfDescription *to, const char *name, double value, BfError *error) {
  const Place *place = to->state;
  return bf_store_put_double(place->store, place->path, name, value, error);
}

static BfDescription describe_in(Place *place) {
  return (BfDescription){.state = place, .text = tell_text, .integer = tell_integer, .number = tell_number};
}

/* ---- parts of the problem ---------------------------------------------------------------------------------------- */

static BfStatus write_terms(const BfLayer *layer, BfStore *store, BfError *error) {
  Place               place = {store, "/layer"};
  const BfDescription to    = describe_in(&place);
  const BfTermKind   *kind;
  for (int k = 0; (kind = bf_term_kind(k)); k++)
    if (kind->describe) BF_TRY(kind->describe(layer, bf_layer_term(layer, kind), &to, error));
  return BF_OK;
}

static BfStatus write_layer(const BfProblem *problem, BfStore *store, BfError *error) {
  const BfLayer *layer = &problem->layer;
  const char    *path  = "/layer";
  const int64_t  d     = layer->dim;
  BF_TRY(bf_store_put_int(store, path, "dim", layer->dim, error));
  BF_TRY(bf_store_together(store, write_terms(layer, store, error), error)); /* a kind may also fail by itself */
  BF_TRY(bf_store_put_double(store, path, "residual", layer->residual, error));
  BF_TRY(bf_store_put_double(store, path, "step", layer->step, error));
  BF_TRY(bf_store_put_text(store, path, "norm", layer->norm->base.name, error));
  BF_TRY(bf_store_put_text(store, path, "projection", layer->projection->base.name, error));
  BF_TRY(bf_store_put_text(store, path, "position_encoding", problem->encoding->word, error));
  if (problem->encoding->row) BF_TRY(bf_store_put_double(store, path, "position_amplitude", problem->amplitude, error));
  BF_TRY(bf_store_write(store, "/layer/lower", BF_STORE_DOUBLE, 1, &d, layer->lower, error));
  BF_TRY(bf_store_write(store, "/layer/upper", BF_STORE_DOUBLE, 1, &d, layer->upper, error));
  if (!layer->encoding) return BF_OK;
  return bf_store_write(store, "/layer/encoding", BF_STORE_DOUBLE, 2, (int64_t[]){layer->positions, d}, layer->encoding,
                        error);
}

/* The box in which R and b are trained. */
static BfStatus write_readout_box(const BfCost *cost, BfStore *store, BfError *error) {
  const int64_t C = cost->classes, d = cost->dim;
  BF_TRY(bf_store_write(store, "/cost/readout/R_lower", BF_STORE_DOUBLE, 2, (int64_t[]){C, d}, cost->lower, error));
  BF_TRY(bf_store_write(store, "/cost/readout/R_upper", BF_STORE_DOUBLE, 2, (int64_t[]){C, d}, cost->upper, error));
  BF_TRY(bf_store_write(store, "/cost/readout/b_lower", BF_STORE_DOUBLE, 1, &C, cost->lower + C * d, error));
  return bf_store_write(store, "/cost/readout/b_upper", BF_STORE_DOUBLE, 1, &C, cost->upper + C * d, error);
}

static BfStatus write_cost(const BfCost *cost, BfStore *store, BfError *error) {
  Place               place = {store, "/cost"};
  const BfDescription to    = describe_in(&place);
  BF_TRY(bf_store_put_text(store, "/cost", "terminal", cost->kind->base.name, error));
  BF_TRY(bf_store_put_double(store, "/cost", "weight_decay", cost->weight_decay, error));
  BF_TRY(bf_store_put_int(store, "/cost", "classes", cost->classes, error));
  BF_TRY(bf_store_put_int(store, "/cost", "readouts", cost->readouts, error));
  if (cost->trained) BF_TRY(write_readout_box(cost, store, error));
  return cost->kind->describe ? cost->kind->describe(cost, &to, error) : BF_OK;
}

static BfStatus write_matrix(const BfMatrix *m, const char *name, BfStore *store, BfError *error) {
  char path[32];
  snprintf(path, sizeof path, "/control/%s", name);
  BF_TRY(bf_store_put_text(store, path, "form", m->form->base.name, error));
  BF_TRY(bf_store_put_int(store, path, "rows", m->rows, error));
  BF_TRY(bf_store_put_int(store, path, "columns", m->cols, error));
  BF_TRY(bf_store_put_int(store, path, "offset", m->offset, error));
  return bf_store_put_int(store, path, "free", m->free, error);
}

/* Whether the matrices of every head have the forms of the first's: one says all. */
static bool are_alike(const BfLayer *layer) {
  for (int k = 2; k < 2 * layer->heads; k++)
    if (layer->attention[k].form != layer->attention[k % 2].form) return false;
  return true;
}

/* Both matrices of all heads, the first's and how many numbers lie between those of two heads. */
static BfStatus write_heads(const BfLayer *layer, BfStore *store, BfError *error) {
  const int stride = layer->attention[2].offset - layer->attention[0].offset;
  for (int k = 0; k < 2; k++) {
    const char *name = k ? "V" : "A", *path = k ? "/control/V" : "/control/A";
    BF_TRY(write_matrix(&layer->attention[k], name, store, error));
    BF_TRY(bf_store_put_int(store, path, "heads", layer->heads, error));
    BF_TRY(bf_store_put_int(store, path, "stride", stride, error));
  }
  return BF_OK;
}

/* The box U, and which of the q numbers fill which matrix, in which form. */
static BfStatus write_control(const BfProblem *problem, BfStore *store, BfError *error) {
  const BfLayer *layer = &problem->layer;
  const int64_t  q     = layer->free;
  const bool     alike = bf_model_is_stacked(layer) && are_alike(layer);
  BF_TRY(bf_store_write(store, "/control/lower", BF_STORE_DOUBLE, 1, &q, problem->control_lower, error));
  BF_TRY(bf_store_write(store, "/control/upper", BF_STORE_DOUBLE, 1, &q, problem->control_upper, error));
  if (alike) BF_TRY(write_heads(layer, store, error));
  for (int i = alike ? 2 * layer->heads : 0; i < layer->matrices; i++)
    BF_TRY(write_matrix(&layer->matrix[i], layer->matrix[i].name, store, error));
  return BF_OK;
}

BfStatus bf_result_totals(const BfRun *run, BfStore *store, BfError *error) {
  double seconds = bf_run_seconds(run);
  MPI_Bcast(&seconds, 1, MPI_DOUBLE, 0, run->world);
  BF_TRY(bf_store_put_double(store, "/provenance", "wall_seconds", seconds, error));
  BF_TRY(bf_store_put_double(store, "/provenance", "q_values", bf_run_values(run), error));
  return bf_store_put_int(store, "/provenance", "starts", bf_starts(run), error);
}

BfStatus bf_result_identify(const BfRun *run, const BfArguments *arguments, const BfProblem *problem, const char *space,
                            BfStore *store, BfError *error) {
  BF_TRY(bf_store_put_text(store, "/", "name", problem->name, error));
  BF_TRY(bf_store_put_text(store, "/", "space", space, error));
  BF_TRY(bf_store_put_int(store, "/", "horizon", problem->horizon, error));
  BF_TRY(bf_result_provenance(run->world, run, arguments, problem->layer.kernels, bf_result_format(problem, space),
                              store, error));
  return bf_problem_save(problem, store, error);
}

BfStatus bf_result_describe(const BfRun *run, const BfArguments *arguments, const BfProblem *problem, const char *space,
                            BfStore *store, BfError *error) {
  BF_TRY(bf_result_identify(run, arguments, problem, space, store, error));
  BF_TRY(write_data(&problem->train, "/data", store, error));
  if (problem->test.tokens) BF_TRY(write_data(&problem->test, "/test", store, error));
  BF_TRY(write_tags(problem, store, error));
  BF_TRY(write_layer(problem, store, error));
  BF_TRY(write_cost(&problem->cost, store, error));
  return write_control(problem, store, error);
}

BfStatus bf_result_write_actions(const BfProblem *problem, BfStore *store, BfError *error) {
  const int64_t q = problem->layer.free;
  BF_TRY(bf_store_put_int(store, "/", "actions", problem->actions, error));
  if (!problem->actions) return BF_OK;
  return bf_store_write(store, "/actions/controls", BF_STORE_DOUBLE, 2, (int64_t[]){problem->actions, q},
                        problem->action, error);
}
