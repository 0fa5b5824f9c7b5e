/* What is reported at the start, at the end and between. */
#include "heads/descend.h"

const char *const bf_history_name[BF_HISTORY_COLUMNS] = {"tau",           "risk",  "loss",  "accuracy",
                                                         "gradient_norm", "slope", "steps", "evaluations"};

double bf_history_tau(const BfDescent *x, int64_t row) {
  const int64_t last = x->set->outputs + 1;
  return row >= last ? x->set->tau : x->set->tau * ((double)row / (double)last);
}

void bf_history_note(BfDescent *x) {
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
  for (int c = 0; c < BF_HISTORY_COLUMNS; c++) BF_TRY(write_column(x, c, store, error));
  return BF_OK;
}
