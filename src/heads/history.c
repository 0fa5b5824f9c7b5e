/* What is reported at the start, at the end and between. */
#include "heads/descend.h"

const char *const bf_history_name[BF_HISTORY_COLUMNS] = {"tau",
                                                         "risk",
                                                         "loss",
                                                         "accuracy",
                                                         "gradient_norm",
                                                         "slope",
                                                         "steps",
                                                         "evaluations",
                                                         "kernel_smallest",
                                                         "kernel_largest",
                                                         "kernel_trace",
                                                         "kernel_pooled_smallest"};

int64_t bf_history_room(const BfHeadsSettings *set) { return 1 + (set->outputs + 1) * (set->insert + 1); }

double bf_history_tau(const BfDescent *x) {
  const double part = (double)x->round_rows / (double)(x->set->outputs + 1);
  return x->round_begin + (part >= 1 ? x->set->tau : x->set->tau * part);
}

static BfStatus note_kernel(BfDescent *x, double row[], BfError *error) {
  BfTangent *kernel = x->rows == 1 ? &x->first_kernel : &x->last_kernel;
  bf_tangent_clear(kernel);
  BF_TRY(bf_tangent_kernel(x->heads, &x->law, kernel, error));
  row[BF_HISTORY_KERNEL_SMALLEST] = kernel->smallest;
  row[BF_HISTORY_KERNEL_LARGEST]  = kernel->largest;
  row[BF_HISTORY_KERNEL_TRACE]    = kernel->trace;
  row[BF_HISTORY_KERNEL_POOLED]   = kernel->pooled_smallest;
  return BF_OK;
}

BfStatus bf_history_note(BfDescent *x, BfError *error) {
  const BfHeadsValue *v       = &x->value;
  double             *row     = x->history + BF_HISTORY_COLUMNS * x->rows++;
  row[BF_HISTORY_TAU]         = x->tau;
  row[BF_HISTORY_RISK]        = v->risk;
  row[BF_HISTORY_LOSS]        = v->loss;
  row[BF_HISTORY_ACCURACY]    = v->accuracy;
  row[BF_HISTORY_GRADIENT]    = v->gradient_norm;
  row[BF_HISTORY_SLOPE]       = v->slope;
  row[BF_HISTORY_STEPS]       = (double)x->steps;
  row[BF_HISTORY_EVALUATIONS] = (double)x->evaluations;
  x->round_rows++;
  return x->set->kernel ? note_kernel(x, row, error) : BF_OK;
}

static BfStatus write_column(const BfDescent *x, int c, BfStore *store, BfError *error) {
  double  *data = NULL;
  char     path[64];
  BfStatus status;
  snprintf(path, sizeof path, "/heads/history/%s", bf_history_name[c]);
  BF_GOTO(bf_store_together(store, BF_NEW(&data, x->rows, error), error));
  for (int64_t i = 0; i < x->rows; i++) data[i] = x->history[BF_HISTORY_COLUMNS * i + c];
  status = bf_store_write(store, path, BF_STORE_DOUBLE, 1, &x->rows, data, error);
done:
  bf_free(data);
  return status;
}

BfStatus bf_history_write(const BfDescent *x, BfStore *store, BfError *error) {
  const int columns = x->set->kernel ? BF_HISTORY_COLUMNS : BF_HISTORY_KERNEL_SMALLEST;
  for (int c = 0; c < columns; c++) BF_TRY(write_column(x, c, store, error));
  return BF_OK;
}
