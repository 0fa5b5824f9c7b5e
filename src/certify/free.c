#include "certify/free.h"
#include "bellformer/term.h"
#include <math.h>
#include <string.h>

typedef struct {
  const BfProblem *problem;
  const BfLayer   *layer;
  int              d;
  char            *constant; /* [T + 1][d] */
  char            *read;     /* [T + 1][d] */
  char            *same;     /* [d] work: of N(z) */
  char            *encoded;  /* [d] e_p is equal over the tokens of every context */
  char            *depends;  /* [all] */
  char            *shifts;   /* [all] */
} Algebra;

void bf_number_range(const BfProblem *problem, int64_t i, double *lower, double *upper) {
  const int64_t q = problem->layer.free, controls = problem->horizon * q;
  *lower = i < controls ? problem->control_lower[i % q] : problem->cost.lower[i - controls];
  *upper = i < controls ? problem->control_upper[i % q] : problem->cost.upper[i - controls];
}

/* ---- entries ----------------------------------------------------------------------------------------------------- */

/* The number among the layer's q that entry (r, c) is, -1 where it is none; *zero: it is 0 whatever the control. */
static int entry(const BfProblem *problem, const BfMatrix *m, int r, int c, bool *zero) {
  double    factor = 0;
  const int k      = m->form->number(m->cols, r, c, &factor);
  if (k < 0) {
    *zero = !m->value || m->value[(int64_t)r * m->cols + c] == 0;
    return -1;
  }
  const int j = m->offset + k;
  *zero       = factor == 0 || (problem->control_lower[j] == 0 && problem->control_upper[j] == 0);
  return j;
}

static bool is_zero(const BfProblem *problem, const BfMatrix *m, int r, int c) {
  bool zero;
  entry(problem, m, r, c, &zero);
  return zero;
}

static void count(const Algebra *x, int t, const BfMatrix *m, int r, int c, char *flag) {
  bool      zero;
  const int j = entry(x->problem, m, r, c, &zero);
  if (j >= 0) flag[(int64_t)t * x->layer->free + j] = 1;
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

static bool all_of(const char *flag, int d) {
  for (int a = 0; a < d; a++)
    if (!flag[a]) return false;
  return true;
}

static bool any_of(const char *flag, int d) {
  for (int a = 0; a < d; a++)
    if (flag[a]) return true;
  return false;
}

static void fill(char *flag, int d, bool value) {
  for (int a = 0; a < d; a++) flag[a] = value;
}

/* Whether P moves a component by itself, whatever the others are. */
static bool is_componentwise(const BfLayer *layer) {
  return layer->projection == &bf_project_none || (!layer->projection->unit && !layer->projection->apply);
}

static void of_data(Algebra *x) {
  const BfData *data = &x->problem->train;
  fill(x->constant, x->d, 1);
  fill(x->encoded, x->d, 1);
  for (int64_t s = 0; s < data->contexts; s++) {
    const int64_t first = data->context_first[s];
    for (int64_t g = first; g < data->context_first[s + 1]; g++)
      for (int a = 0; a < x->d; a++) {
        for (int64_t i = data->tag_first[g]; i < data->tag_first[g + 1]; i++)
          if (data->z[i * x->d + a] != data->z[data->tag_first[first] * x->d + a]) x->constant[a] = 0;
        if (x->layer->encoding && x->layer->encoding[(int64_t)data->position[g] * x->d + a] !=
                                      x->layer->encoding[(int64_t)data->position[first] * x->d + a])
          x->encoded[a] = 0;
      }
  }
}

/* x->same: components of N(z_t) that are equal. */
static void normalize(Algebra *x, int t) {
  const char *z = x->constant + (int64_t)t * x->d;
  if (x->layer->norm->apply) fill(x->same, x->d, all_of(z, x->d));
  else memcpy(x->same, z, (size_t)x->d);
}

static void forward(Algebra *x, int t) {
  const BfLayer *layer = x->layer;
  const char    *z     = x->constant + (int64_t)t * x->d;
  char          *next  = x->constant + (int64_t)(t + 1) * x->d;
  normalize(x, t);
  for (int a = 0; a < x->d; a++) next[a] = layer->residual == 0 || z[a];
  for (int h = 0; h < layer->heads; h++)
    for (int a = 0; a < x->d; a++)
      for (int b = 0; b < x->d; b++)
        if (!x->same[b] && !is_zero(x->problem, &layer->attention[2 * h + 1], a, b)) next[a] = 0;
  for (int k = 0; k < layer->terms; k++)
    if (bf_term_is_tokenwise(&layer->term[k]) && !all_of(layer->term[k].kind->unnormed ? z : x->same, x->d))
      fill(next, x->d, 0);
  if (!is_componentwise(layer)) fill(next, x->d, all_of(next, x->d));
}

/* ---- backward ---------------------------------------------------------------------------------------------------- */

/* Columns of the readout that are equal in all classes move all logits alike, and losses see differences alone. */
static void of_cost(Algebra *x) {
  const BfCost *cost = &x->problem->cost;
  char         *read = x->read + (int64_t)x->problem->horizon * x->d;
  if (!cost->kind->has_readout) fill(read, x->d, 1);
  for (int64_t o = 0; cost->kind->has_readout && o < cost->readouts; o++)
    for (int64_t c = 0; c < cost->classes; c++)
      for (int a = 0; a < x->d; a++) {
        const double *R = cost->matrix + o * cost->classes * x->d;
        if (cost->trained
                ? cost->lower[c * x->d + a] != cost->upper[c * x->d + a] || cost->lower[c * x->d + a] != cost->lower[a]
                : R[c * x->d + a] != R[a])
          read[a] = 1;
      }
}

/* Head h, whose output's components `need` are read: what it reads of N(z_t). */
static void through_head(Algebra *x, int t, int h, const char need[], char seen[]) {
  const BfMatrix *A = &x->layer->attention[2 * h], *V = A + 1;
  bool            looks = false;
  for (int a = 0; a < x->d; a++)
    for (int b = 0; b < x->d && need[a]; b++)
      if (!is_zero(x->problem, V, a, b)) {
        count(x, t, V, a, b, x->depends);
        seen[b] = 1;
        looks   = looks || !x->same[b];
      }
  for (int a = 0; a < x->d && looks; a++)
    for (int b = 0; b < x->d; b++) {
      const bool shift = x->same[b] && x->encoded[b];
      if (is_zero(x->problem, A, a, b)) continue;
      count(x, t, A, a, b, shift ? x->shifts : x->depends);
      if (!shift) seen[a] = seen[b] = 1;
    }
}

/* A term of single tokens is taken to carry every component to every other. */
static void through_term(Algebra *x, int t, const BfTerm *term, char seen[]) {
  for (int k = 0; k < term->matrices; k++)
    for (int r = 0; r < term->matrix[k].rows; r++)
      for (int c = 0; c < term->matrix[k].cols; c++) count(x, t, &term->matrix[k], r, c, x->depends);
  fill(seen, x->d, 1);
}

static BfStatus backward(Algebra *x, int t, BfError *error) {
  const BfLayer *layer = x->layer;
  char          *read = x->read + (int64_t)t * x->d, *need = x->read + (int64_t)(t + 1) * x->d, *seen = NULL;
  BF_TRY(BF_NEW(&seen, x->d, error));
  normalize(x, t);
  if (!is_componentwise(layer)) fill(need, x->d, any_of(need, x->d));
  for (int h = 0; h < layer->heads; h++) through_head(x, t, h, need, seen);
  if (any_of(need, x->d))
    for (int k = 0; k < layer->terms; k++)
      if (bf_term_is_tokenwise(&layer->term[k]))
        through_term(x, t, &layer->term[k], layer->term[k].kind->unnormed ? read : seen);
  if (layer->norm->apply && any_of(seen, x->d)) fill(seen, x->d, 1);
  for (int a = 0; a < x->d; a++) read[a] = read[a] || seen[a] || (layer->residual != 0 && need[a]);
  bf_free(seen);
  return BF_OK;
}

static BfStatus prove(Algebra *x, BfError *error) {
  const int T = x->problem->horizon;
  of_data(x);
  for (int t = 0; t < T; t++) forward(x, t);
  of_cost(x);
  for (int t = T - 1; t >= 0; t--) BF_TRY(backward(x, t, error));
  for (int64_t i = 0; i < x->problem->cost.trained; i++) x->depends[(int64_t)T * x->layer->free + i] = 1;
  return BF_OK;
}

/* ---- the list ---------------------------------------------------------------------------------------------------- */

double bf_rest_decay(const BfProblem *problem, const BfFreeNumbers *x, int64_t first, int64_t last) {
  const int64_t controls = (int64_t)problem->horizon * problem->layer.free;
  const double  decay    = problem->cost.step * problem->cost.weight_decay;
  double        sum      = 0;
  for (int64_t i = first; i < last && i < controls; i++) {
    double lower, upper;
    bf_number_range(problem, i, &lower, &upper);
    if (!(x->depends[i] && lower < upper)) sum += decay / 2 * x->rest[i] * x->rest[i];
  }
  /* products, halves and sums: at most all + 3 roundings, each of 2^-53 */
  return sum * (1 - ldexp((double)x->all + 8, -52));
}

static BfStatus list(const BfProblem *problem, BfFreeNumbers *out, BfError *error) {
  const int64_t controls = (int64_t)problem->horizon * problem->layer.free;
  const double  decay    = problem->cost.step * problem->cost.weight_decay;
  BF_TRY(BF_NEW(&out->number, out->all, error));
  BF_TRY(BF_NEW(&out->lower, out->all, error));
  BF_TRY(BF_NEW(&out->upper, out->all, error));
  BF_TRY(BF_NEW(&out->decay, out->all, error));
  BF_TRY(BF_NEW(&out->rest, out->all, error));
  for (int64_t i = 0; i < out->all; i++) {
    double lower, upper;
    bf_number_range(problem, i, &lower, &upper);
    out->rest[i] = fmin(fmax(0, lower), upper);
    if (out->depends[i] && lower < upper) {
      const int k    = out->n++;
      out->number[k] = (int32_t)i;
      out->lower[k]  = lower;
      out->upper[k]  = upper;
      out->decay[k]  = i < controls ? decay : 0;
    }
  }
  out->rest_decay = bf_rest_decay(problem, out, 0, controls);
  return BF_OK;
}

BfStatus bf_free_numbers(const BfProblem *problem, BfFreeNumbers *out, BfError *error) {
  const int64_t T = problem->horizon, d = problem->layer.dim;
  Algebra       x = {.problem = problem, .layer = &problem->layer, .d = (int)d};
  BfStatus      status;
  out->all = T * problem->layer.free + problem->cost.trained;
  if (out->all > INT32_MAX) return bf_fail(error, BF_BAD_INPUT, "certify: more than %d numbers", INT32_MAX);
  BF_GOTO(BF_NEW(&out->depends, out->all, error));
  BF_GOTO(BF_NEW(&out->shifts, out->all, error));
  BF_GOTO(BF_NEW(&out->constant, (T + 1) * d, error));
  BF_GOTO(BF_NEW(&out->reads, (T + 1) * d, error));
  BF_GOTO(BF_NEW(&x.same, d, error));
  BF_GOTO(BF_NEW(&x.encoded, d, error));
  x.constant = out->constant;
  x.read     = out->reads;
  x.depends  = out->depends;
  x.shifts   = out->shifts;
  BF_GOTO(prove(&x, error));
  for (int64_t i = 0; i < out->all; i++) out->shifts[i] = out->shifts[i] && !out->depends[i];
  status = list(problem, out, error);
done:
  bf_free(x.same);
  bf_free(x.encoded);
  return status;
}

void bf_free_numbers_clear(BfFreeNumbers *free) {
  bf_free(free->number);
  bf_free(free->lower);
  bf_free(free->upper);
  bf_free(free->decay);
  bf_free(free->rest);
  bf_free(free->depends);
  bf_free(free->shifts);
  bf_free(free->constant);
  bf_free(free->reads);
  *free = (BfFreeNumbers){0};
}
