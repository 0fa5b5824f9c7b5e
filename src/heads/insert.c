/* A particle more, where the first variation is least: -insert. */
#include "heads/descend.h"
#include "heads/share.h"
#include "heads/variation/variation.h"
#include <math.h>
#include <string.h>

enum { HALVINGS = 16 };
static const double first_weight = 0.05;

/* A layer as it was, of this rank. */
typedef struct {
  double *theta, *weight; /* [count][q], [count] */
} Layer;

static BfStatus keep_layer(const BfHeadLaw *law, int t, Layer *was, BfError *error) {
  BF_TRY(BF_NEW(&was->theta, law->count * law->free, error));
  BF_TRY(BF_NEW(&was->weight, law->count, error));
  memcpy(was->theta, law->theta + t * law->count * law->free, (size_t)(law->count * law->free) * sizeof(double));
  memcpy(was->weight, law->weight + t * law->count, (size_t)law->count * sizeof(double));
  return BF_OK;
}

/* The layer with a head of weight `share` in place `place`; all others keep alpha V, which leaves what they do as it
 * was, or theta alone. A share of 0: as it was. */
static void put_head(BfDescent *x, const Layer *was, int t, int64_t place, const double *head, double share,
                     bool held) {
  BfHeadLaw *law = &x->law;
  const int  q = law->free, free_A = x->heads->free_A;
  double    *theta = law->theta + t * law->count * q, *weight = law->weight + t * law->count;
  for (int64_t h = 0; h < law->count; h++) {
    const bool own = share > 0 && law->first + h == place;
    weight[h]      = own ? share : was->weight[h] * (1 - share);
    for (int k = 0; k < q; k++)
      theta[h * q + k] =
          own ? head[k] : was->theta[h * q + k] * (!held || k < free_A || !was->weight[h] ? 1 : 1 / (1 - share));
  }
  if (x->set->box) bf_descent_project(x, law->theta);
}

/* *lower: whether R fell. The law is evaluated where it is then. With alpha V held decay grows, and R need not fall
 * where V has not settled; then a mixture of laws, along which it does: dR/dshare is eps (min G - int G dnu). */
static BfStatus try_shares(BfDescent *x, const Layer *was, int t, const double *head, bool *lower, BfError *error) {
  const int64_t place = x->problem->heads.count + x->inserted;
  const double  risk  = x->value.risk;
  *lower              = false;
  for (int i = 0; i < 2 * HALVINGS && !*lower; i++) {
    put_head(x, was, t, place, head, ldexp(first_weight, -(i % HALVINGS)), i < HALVINGS);
    BF_TRY(bf_descent_evaluate(x, error));
    *lower = x->value.risk < risk;
  }
  if (*lower) return BF_OK;
  put_head(x, was, t, place, head, 0, false);
  return bf_descent_evaluate(x, error);
}

BfStatus bf_descent_insert(BfDescent *x, bool *lower, BfError *error) {
  BfStationarity at  = {0};
  Layer          was = {0};
  BfStatus       status;
  BF_GOTO(bf_descent_evaluate_all(x, error));
  BF_GOTO(bf_stationarity(x->heads, &x->law, &x->value, x->set->box, &at, error));
  BF_GOTO(bf_together(x->run->world, keep_layer(&x->law, at.layer, &was, error), error));
  BF_GOTO(try_shares(x, &was, at.layer, at.theta + at.layer * x->law.free, lower, error));
  if (*lower) x->inserted++;
done:
  bf_stationarity_clear(&at);
  bf_free(was.theta);
  bf_free(was.weight);
  return status;
}
