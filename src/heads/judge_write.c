/* The judgement of a law in a result, and in words. */
#include "heads/judge.h"
#include <math.h>

/* ---- in a result ------------------------------------------------------------------------------------------------- */

static BfStatus write_kernel(const BfDescent *x, const BfJudgement *j, BfStore *store, BfError *error) {
  const BfTangent  *first = &x->first_kernel, *last = bf_last_kernel(x);
  const BfAttribute attribute[] = {{"kernel_smallest", NULL, first->smallest},
                                   {"kernel_largest", NULL, first->largest},
                                   {"kernel_trace", NULL, first->trace},
                                   {"kernel_pooled_smallest", NULL, first->pooled_smallest},
                                   {"kernel_residual", NULL, first->residual},
                                   {"final_kernel_smallest", NULL, last->smallest},
                                   {"final_kernel_largest", NULL, last->largest},
                                   {"final_kernel_trace", NULL, last->trace},
                                   {"final_kernel_pooled_smallest", NULL, last->pooled_smallest},
                                   {"final_kernel_residual", NULL, last->residual},
                                   {"promised_rate", NULL, j->promise}};
  if (!x->set->kernel) return BF_OK;
  BF_TRY(bf_store_put_all(store, "/heads", sizeof attribute / sizeof *attribute, attribute, error));
  BF_TRY(bf_store_put_int(store, "/heads", "kernel_rank", first->rank, error));
  BF_TRY(bf_store_put_int(store, "/heads", "final_kernel_rank", last->rank, error));
  BF_TRY(bf_store_write(store, "/heads/kernel/initial", BF_STORE_DOUBLE, 1, &first->values, first->spectrum, error));
  return bf_store_write(store, "/heads/kernel/final", BF_STORE_DOUBLE, 1, &last->values, last->spectrum, error);
}

static BfStatus write_lse(const BfDescent *x, const BfJudgement *j, BfStore *store, BfError *error) {
  const int64_t     depths      = x->problem->horizon + 1;
  const BfAttribute attribute[] = {{"lse_first", NULL, x->set->lse ? j->first.lse[0] : NAN},
                                   {"lse_last", NULL, x->set->lse ? j->first.lse[depths - 1] : NAN}};
  if (!x->set->lse) return BF_OK;
  BF_TRY(bf_store_put_all(store, "/heads", 2, attribute, error));
  BF_TRY(bf_store_write(store, "/heads/lse/initial", BF_STORE_DOUBLE, 1, &depths, j->first.lse, error));
  return bf_store_write(store, "/heads/lse/final", BF_STORE_DOUBLE, 1, &depths, j->last.lse, error);
}

static BfStatus write_stationarity(const BfDescent *x, const BfJudgement *j, BfStore *store, BfError *error) {
  const BfStationarity *s           = &j->last.stationary;
  const int64_t         T[]         = {x->law.layers, x->law.free};
  const BfAttribute     attribute[] = {{"stationarity", NULL, s->stationarity},
                                       {"initial_stationarity", NULL, j->first.stationary.stationarity}};
  BF_TRY(bf_store_put_all(store, "/heads", 2, attribute, error));
  BF_TRY(bf_store_put_int(store, "/heads", "stationarity_layer", s->layer, error));
  BF_TRY(bf_store_write(store, "/heads/stationarity/mean", BF_STORE_DOUBLE, 1, T, s->mean, error));
  BF_TRY(bf_store_write(store, "/heads/stationarity/least", BF_STORE_DOUBLE, 1, T, s->least, error));
  return bf_store_write(store, "/heads/stationarity/theta", BF_STORE_DOUBLE, 2, T, s->theta, error);
}

/* |found - lower| relative to found, as `certify` has it. */
static double gap_of(const BfCertificate *c) { return (c->found - c->lower) / fabs(c->found); }

static BfStatus write_certificate(const BfDescent *x, const BfJudgement *j, BfStore *store, BfError *error) {
  const BfCertificate *c           = &j->certificate;
  const int64_t        T           = x->law.layers;
  const BfAttribute    attribute[] = {{"certified_lower", NULL, c->lower},
                                      {"certified_found", NULL, c->found},
                                      {"certified_gap", NULL, gap_of(c)},
                                      {"certified_scale", NULL, c->scale}};
  if (!x->set->certify) return BF_OK;
  if (T == 1) {
    BF_TRY(bf_store_put_all(store, "/heads", 4, attribute, error));
    return bf_store_put_int(store, "/heads", "certified_cells", c->cells, error);
  }
  BF_TRY(bf_store_put_double(store, "/heads", "certified_stationarity", j->certified, error));
  return bf_store_write(store, "/heads/stationarity/lower", BF_STORE_DOUBLE, 1, &T, x->lower, error);
}

BfStatus bf_judgement_write(const BfDescent *x, const BfJudgement *j, BfStore *store, BfError *error) {
  BF_TRY(write_kernel(x, j, store, error));
  BF_TRY(write_lse(x, j, store, error));
  BF_TRY(write_stationarity(x, j, store, error));
  return write_certificate(x, j, store, error);
}

/* ---- in words ---------------------------------------------------------------------------------------------------- */

static void print_number(const BfRun *run, const char *what, double x) {
  if (isnan(x)) bf_print(run, "%s unknown", what);
  else bf_print(run, "%s %.4g", what, x);
}

static void print_kernel(const BfRun *run, const char *when, const BfTangent *k) {
  bf_print(run, "tangent kernel at the %s: %lld outputs, ", when, (long long)k->outputs);
  print_number(run, "eigenvalues from", k->smallest);
  print_number(run, " to", k->largest);
  print_number(run, ", trace", k->trace);
  if (k->rank >= 0) bf_print(run, ", rank %lld", (long long)k->rank);
  if (!isnan(k->pooled_smallest)) bf_print(run, "; of the pooled outputs from %.4g", k->pooled_smallest);
  bf_print(run, "\n");
}

static void print_certificate(const BfDescent *x, const BfJudgement *j) {
  const BfCertificate *c = &j->certificate;
  if (x->law.layers == 1)
    bf_print(x->run,
             "certified: %.8g <= least risk over all laws of heads in the box <= %.8g, gap %.2f %% (%lld cells)\n",
             c->lower, c->found, 100 * gap_of(c), (long long)c->cells);
  else
    bf_print(
        x->run,
        "certified stationarity: int G_t dnu_t - min G_t is at most %.4g at every layer, at the tokens and costates "
        "as computed; no bound of the risk, which is not convex for more than one layer\n",
        j->certified);
}

void bf_judgement_report(const BfDescent *x, const BfJudgement *j) {
  const BfRun          *run = x->run;
  const BfStationarity *s   = &j->last.stationary;
  bf_print(run, "stationarity %.4g at layer %d (at the start %.4g)\n", s->stationarity, s->layer,
           j->first.stationary.stationarity);
  if (x->set->kernel) {
    print_kernel(run, "start", &x->first_kernel);
    print_kernel(run, "end", bf_last_kernel(x));
    if (!isnan(j->promise))
      bf_print(run, "promised rate of decay 4 lambda_min / N = %.4g, while lambda_min holds\n", j->promise);
  }
  if (x->set->lse) {
    const int T = x->problem->horizon;
    print_number(run, "log-sum-exp test of the laws, at the start:", j->first.lse[0]);
    print_number(run, " at depth 0,", j->first.lse[T]);
    bf_print(run, " at depth T\n");
    bf_print(
        run,
        "  (a diagnostic: neither does a value above 0 prove that the kernel is injective, nor 0 that it is not)\n");
  }
  if (x->set->certify) print_certificate(x, j);
}
