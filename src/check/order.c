#include "check/order.h"

static bool at_most(double *high, double most) {
  const bool less = *high > most;
  if (less) *high = most;
  return less;
}

static bool at_least(double *low, double least) {
  const bool more = *low < least;
  if (more) *low = least;
  return more;
}

/* x_k <= x_j bounds x_k by the most of x_j, and x_j by the least of x_k; of -x_j the ends are those of x_j, the other
 * way round. */
static bool narrow(const BfCheckOrder *order, double low[], double high[]) {
  const int k = order->k, j = order->j;
  bool      changed;
  if (k == j) return at_most(&high[k], 0);
  changed = at_most(&high[k], order->opposite ? -low[j] : high[j]);
  return (order->opposite ? at_most(&high[j], -low[k]) : at_least(&low[j], low[k])) || changed;
}

bool bf_check_narrow(const BfCheckOrders *orders, double low[], double high[]) {
  bool changed = true;
  while (changed) {
    changed = false;
    for (int64_t i = 0; i < orders->count; i++) {
      const int k = orders->order[i].k, j = orders->order[i].j;
      changed |= narrow(&orders->order[i], low, high);
      if (!(low[k] <= high[k] && low[j] <= high[j])) return false;
    }
  }
  return true;
}
