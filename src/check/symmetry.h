/* Symmetries that a certificate claims, proved: by each the layers of other controls do to other tokens what those of
 * the given ones do to the given tokens, and neither data, nor cost, nor box tell both apart.
 *
 * A row of /certificate/symmetry says which inequality it gives, and where everything comes from
 * (share/doc/formats.md): component a of the image of a
 * token is plus or minus component q(a); its class c is class p(c); head k of the image of a layer is head h(k), unit j
 * plus or minus unit s(j). */
#pragma once
#include "check/forms.h"
#include "check/order.h"

typedef struct {
  const BfCheckModel   *model;
  const BfCheckNumbers *numbers;
  int                   n;
  int                   dim, classes, heads, width;
  const int32_t        *row;   /* the one at hand, where its places begin */
  int32_t              *image; /* [count] number i of the image: plus or minus (1 + the number that it is) */
} BfCheckSymmetry;

/* The inequalities that rows[count][length] give at once: of each that between the last variable that it moves and
 * what it moves there. `out` owns its array. BF_FAILURE where one is no symmetry: "symmetry 2 moves the data". Local.
 */
BfStatus bf_check_symmetries(const BfCheckModel *model, const BfCheckNumbers *numbers, int n, const int32_t rows[],
                             const int64_t size[2], BfCheckOrders *out, BfError *error);

/* ---- parts ------------------------------------------------------------------------------------------------------ */

/* Places of a row: where each thing comes from, counted from 0 within its block, and its sign. */
static inline int bf_check_origin(const BfCheckSymmetry *x, int first, int i) {
  const int32_t at = x->row[first + i];
  return (at < 0 ? -at : at) - 1 - first;
}
static inline bool bf_check_is_opposite(const BfCheckSymmetry *x, int place) { return x->row[place] < 0; }

/* Why kinds, readout or data are not the same of the images of tokens and classes; NULL: they are, or a failure. */
BfStatus bf_check_reflected(const BfCheckSymmetry *x, const char **why, BfError *error);
