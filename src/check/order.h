/* Boxes of which inequalities x_k <= s x_j between variables leave a part. Local, exact. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  int  k, j;     /* x_k <= x_j, */
  bool opposite; /* or x_k <= -x_j; where k = j: x_k <= 0 */
} BfCheckOrder;

typedef struct {
  int64_t       count;
  BfCheckOrder *order;
} BfCheckOrders;

/* low, high: the smallest box within them which no inequality, by the ends of its two variables, makes smaller. False
 * where that is empty. */
bool bf_check_narrow(const BfCheckOrders *orders, double low[], double high[]);
