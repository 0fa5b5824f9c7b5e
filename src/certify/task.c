#include "certify/task.h"
#include <math.h>
#include <string.h>

/* A box whose volume a cut has brought below that part of it is bounded again before it is split; a cut that leaves
 * more than the second is not worth its bytes. */
static const double bound_again = 0.7, worth_a_cut = 0.95;
enum { TRIED = 16 };                  /* one of so many boxes has a point of it tried */
static const double task_seconds = 1; /* a stop is heard between boxes, and what a task had is lost then */

BfStatus bf_bytes_reserve(BfBytes *x, int64_t more, BfError *error) {
  uint8_t      *grown;
  const int64_t room = 2 * (x->count + more) + 256;
  if (x->count + more <= x->room) return BF_OK;
  BF_TRY(BF_NEW(&grown, room, error));
  if (x->count) memcpy(grown, x->byte, (size_t)x->count);
  bf_free(x->byte);
  x->byte = grown;
  x->room = room;
  return BF_OK;
}

/* Of attention, for each of three keys or more a comparison of every two, which is half as much as a form; of the rest
 * a product for every two numbers of a token; of the lower form a dozen steps, each with a Hessian, and a form for each
 * end of a number. */
double bf_box_seconds(const BfObjective *of, int n) {
  const BfLayer *layer = &of->problem->layer;
  const double   form = 60e-9 + 2e-9 * n, d = layer->dim;
  double         pass = 0;
  for (int64_t s = 0; s < of->data.contexts; s++) {
    const double m = of->data.context[s].context.slots;
    pass += layer->heads * (m > 2 ? m * m * m / 2 : 0) + (layer->heads + 1.0) * m * m * d + m * d * d;
  }
  const double forms = 3 * 12 + 2.0 * n, steps = (double)of->features * (2 * forms * (n + 4) + 6.0 * n * n);
  return of->problem->horizon * pass * form + steps * 1e-9;
}

int64_t bf_task_boxes(const BfObjective *of, int64_t budget) {
  const double fit  = fmin(task_seconds / bf_box_seconds(of, of->n), budget ? (double)budget / 16 : INFINITY);
  int64_t      most = BF_MOST_BOXES;
  while (most > 1 && (double)most > fit) most /= 2;
  return most;
}

BfStatus bf_worker_create(const BfObjective *of, const BfObjective *points, int64_t budget, BfWorker *x,
                          BfError *error) {
  const int64_t n = of->n;
  x->of           = of;
  x->bound        = bf_bound_box;
  x->most         = bf_task_boxes(of, budget);
  BF_TRY(bf_bounder_create(of, true, &x->box, error));
  BF_TRY(bf_bounder_create(points, false, &x->point, error));
  BF_TRY(bf_lower_create(of, &x->lower, error));
  BF_TRY(BF_NEW(&x->stack, (BF_MOST_BOXES + 2) * 2 * n, error));
  BF_TRY(BF_NEW(&x->whole, points->free.all, error));
  BF_TRY(BF_NEW(&x->best, points->free.all, error));
  return bf_contraction_create(&x->lower, &x->contraction, error);
}

void bf_worker_clear(BfWorker *x) {
  bf_bounder_clear(&x->box);
  bf_bounder_clear(&x->point);
  bf_lower_clear(&x->lower);
  bf_free(x->stack);
  bf_free(x->whole);
  bf_free(x->best);
  bf_contraction_clear(&x->contraction);
  *x = (BfWorker){0};
}

double bf_worker_bytes(const BfObjective *of) {
  const double n = of->n, m = of->features + (double)of->logits.count;
  return bf_bounder_bytes(of, true) + bf_bounder_bytes(of, false) + 8 * (2 * m * n + 11 * m + n * n + 12 * n) +
         16.0 * (BF_MOST_BOXES + 2) * n + 16.0 * (double)of->free.all +
         bf_contraction_bytes(n, n + 2 * (double)of->logits.count);
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

static void put(BfBytes *record, uint8_t byte) { record->byte[record->count++] = byte; }

static void put_point(BfBytes *record, const BfLower *lower) {
  memcpy(record->byte + record->count, lower->point, (size_t)lower->size);
  record->count += lower->size;
}

static void put_leaf(BfBytes *record, const BfLower *lower) {
  put(record, BF_LEAF);
  put_point(record, lower);
}

static void put_cut(BfBytes *record, const BfContraction *c) {
  const int64_t points = (int64_t)c->count * c->size, cuts = 2 * (int64_t)c->n;
  put(record, c->count == 1 ? BF_CUT : BF_CUTS);
  if (c->count != 1) put(record, (uint8_t)c->count);
  memcpy(record->byte + record->count, c->point, (size_t)points);
  memcpy(record->byte + record->count + points, c->cut, (size_t)cuts);
  record->count += points + cuts;
}

/* Of a logit with where, as the four bytes of a float, the lowest first. */
static void put_split(BfBytes *record, int k, bool logit, double middle) {
  const float where = (float)middle;
  uint32_t    bits;
  memcpy(&bits, &where, sizeof bits);
  put(record, BF_SPLIT);
  put(record, (uint8_t)k);
  for (int i = 0; logit && i < 4; i++) put(record, (uint8_t)(bits >> 8 * i));
}

/* ---- one box ----------------------------------------------------------------------------------------------------- */

/* Where the lower form was found to touch best: often the least of the box, about. */
static void find_point(BfWorker *x, const double box[]) {
  const BfFreeNumbers *free = &x->of->free;
  const int            n    = x->lower.n;
  memcpy(x->whole, free->rest, sizeof(double) * (size_t)free->all);
  for (int k = 0; k < free->n; k++) {
    const double u            = x->lower.centre[k] + x->lower.width[k] * x->lower.best[k];
    x->whole[free->number[k]] = fmin(fmax(u, box[k]), box[n + k]);
  }
}

/* J there, or what is bounded in place of it. */
static void try_point(BfWorker *x, int root, BfTaskOutcome *out) {
  const BfFreeNumbers *free  = &x->point.of->free;
  double               value = bf_bounder_value(&x->point, root, x->whole);
  for (int k = 0; x->lower.tilt && k < free->n; k++) value += x->lower.tilt[k] * x->whole[free->number[k]];
  if (!(value < out->value)) return;
  out->value = value;
  memcpy(x->best, x->whole, sizeof(double) * (size_t)free->all);
}

BfStatus bf_bound_box(BfWorker *x, int root, const double box[], BfBoxBound *out, BfError *error) {
  const int n = x->lower.n;
  (void)error;
  bf_bounder_box(&x->box, root, box, box + n, &x->lower);
  bf_lower_find(&x->lower, x->target);
  out->lower = x->lower.lower;
  if (out->lower >= x->target) return BF_OK;
  if (out->tries) find_point(x, box);
  out->split = n ? bf_lower_branch(&x->lower) : -1;
  out->left  = out->lower > -INFINITY ? bf_contract(&x->contraction, &x->lower, x->target, box, box + n) : 1;
  return BF_OK;
}

/* Whether that makes the box smaller, which may be of a few doubles. */
static bool apply_cut(const uint8_t cut[], int n, double box[]) {
  bool smaller = false;
  for (int k = 0; k < n; k++) {
    const double lower = box[k], upper = box[n + k], width = upper - lower;
    if (cut[2 * k]) box[k] = lower + width * (cut[2 * k] / 256.0);
    if (cut[2 * k + 1]) box[n + k] = upper - width * (cut[2 * k + 1] / 256.0);
    smaller = smaller || box[k] > lower || box[n + k] < upper;
  }
  return smaller;
}

/* Halves along variable k: box becomes the second, the first stands behind it. */
static bool split(BfWorker *x, int k, double box[], BfBytes *record) {
  const int    n      = x->lower.n;
  const double middle = bf_lower_middle(&x->lower, k, box, box + n);
  double      *first  = box + 2 * n;
  if (!(box[k] < middle && middle < box[n + k])) return false;
  memcpy(first, box, 2 * sizeof *box * (size_t)n);
  first[n + k] = middle;
  box[k]       = middle;
  put_split(record, k, k >= x->of->free.n, middle);
  return true;
}

/* Every box of the tree is what inequalities leave of it, before anything else is done with it; false: nothing, which
 * is its record. */
static bool narrow(const BfWorker *x, double box[], BfBytes *record) {
  const bool left = bf_symmetry_narrow(&x->of->symmetry, box, box + x->lower.n);
  if (!left) put(record, BF_EXCLUDED);
  return left;
}

/* Bounds the box, on top of the stack, and what cuts leave of it. *parts: 0, it is a leaf; 2, the parts that it was
 * split into stand in its place, the first above; 1, it cannot be split any more. */
static BfStatus open_box(BfWorker *x, int root, double box[], BfBytes *record, int *parts, BfTaskOutcome *out,
                         BfError *error) {
  const int  n     = x->lower.n;
  BfBoxBound bound = {0};
  for (*parts = 0;;) {
    BF_TRY(bf_bytes_reserve(record, (2 * (int64_t)n + 4) * x->lower.size + 2 * (int64_t)n + 10, error));
    if (!narrow(x, box, record)) return BF_OK;
    bound.tries = out->boxes++ % TRIED == 0;
    BF_TRY(x->bound(x, root, box, &bound, error));
    if (bound.lower >= x->target) {
      put_leaf(record, &x->lower);
      out->least = fmin(out->least, bound.lower);
      return BF_OK;
    }
    if (bound.tries) try_point(x, root, out);
    if (bound.left > worth_a_cut) break;
    put_cut(record, &x->contraction);
    if (!apply_cut(x->contraction.cut, n, box) || bound.left > bound_again) break;
  }
  if (!narrow(x, box, record)) return BF_OK;
  *parts = bound.split >= 0 && split(x, bound.split, box, record) ? 2 : 1;
  return BF_OK;
}

/* ---- a task ------------------------------------------------------------------------------------------------------ */

static bool stops(const BfWorker *x) { return x->stops && x->stops(x->context); }

/* Those on the stack, from its top: the order in which the record comes to them. */
static BfStatus leave(const BfWorker *x, int left, BfBytes *record, BfBytes *open, BfTaskOutcome *out, BfError *error) {
  const int64_t size = 2 * (int64_t)sizeof(double) * x->lower.n;
  BF_TRY(bf_bytes_reserve(record, left, error));
  BF_TRY(bf_bytes_reserve(open, left * size, error));
  for (int i = left - 1; i >= 0; i--) {
    put(record, BF_OPEN);
    if (size) memcpy(open->byte + open->count, x->stack + (int64_t)i * 2 * x->lower.n, (size_t)size);
    open->count += size;
  }
  out->open = left;
  return BF_OK;
}

BfStatus bf_task(BfWorker *x, const BfBoxTag *tag, const double box[], BfBytes *record, BfBytes *open,
                 BfTaskOutcome *out, BfError *error) {
  const int64_t n = x->lower.n, aged = BF_FIRST_BOXES << (tag->age < BF_MOST_AGE ? tag->age : BF_MOST_AGE);
  const int64_t most = aged < x->most ? aged : x->most, before = record->count;
  int           left = 1, parts;
  *out               = (BfTaskOutcome){.least = INFINITY, .value = INFINITY};
  if (n) memcpy(x->stack, box, 2 * sizeof *box * (size_t)n);
  while (left && out->boxes < most && out->value >= x->target && !out->stuck) {
    if (stops(x)) {
      *out          = (BfTaskOutcome){.least = INFINITY, .value = INFINITY, .left = true};
      record->count = before;
      return BF_OK;
    }
    BF_TRY(open_box(x, tag->root, x->stack + (left - 1) * 2 * n, record, &parts, out, error));
    left += parts - 1;
    out->stuck = parts == 1;
  }
  return leave(x, left, record, open, out, error);
}

BfStatus bf_task_leaf(BfWorker *x, const BfBoxTag *tag, const double box[], BfBytes *record, BfTaskOutcome *out,
                      BfError *error) {
  *out = (BfTaskOutcome){.least = INFINITY, .value = INFINITY, .left = stops(x)};
  if (out->left) return BF_OK;
  BF_TRY(bf_bytes_reserve(record, x->lower.size + 1, error));
  if (x->lower.n) memcpy(x->stack, box, 2 * sizeof *box * (size_t)x->lower.n);
  if (!narrow(x, x->stack, record)) return BF_OK;
  bf_bounder_box(&x->box, tag->root, x->stack, x->stack + x->lower.n, &x->lower);
  bf_lower_find(&x->lower, INFINITY);
  put_leaf(record, &x->lower);
  out->boxes = 1;
  out->least = x->lower.lower;
  return BF_OK;
}
