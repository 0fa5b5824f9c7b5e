#include "certify/logits.h"
#include "certify/bounder.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double beyond = 0.5; /* of the half-width of a root's range, on each side */
enum { NUMBERS_A_LOGIT = 2 };     /* measured: with as many logits as numbers boxes are more, not fewer */

/* The free numbers of A_th. */
static int numbers_of(const BfObjective *x, int t, int h) {
  const BfMatrix *m     = &x->problem->layer.attention[2 * h];
  int             count = 0;
  for (int k = 0; k < x->free.n; k++) {
    const int64_t i = x->free.number[k] - (int64_t)t * x->problem->layer.free - m->offset;
    count += i >= 0 && i < m->free;
  }
  return count;
}

/* An end of it may be none, or none that doubles reach. */
static bool varies(const BfLogitRange *logit) { return logit->least < logit->most; }
static bool is_known(const BfLogitRange *logit) { return fabs(logit->least) < 1e300 && fabs(logit->most) < 1e300; }

/* Whether those of layer t and head h are worth it. */
static bool are_few(const BfObjective *x, const BfLogits *all, int t, int h) {
  const int T     = x->problem->horizon;
  int64_t   count = 0;
  for (int64_t s = 0; s < x->data.contexts; s++)
    for (int64_t i = all->first[s * T + t]; i < all->first[s * T + t + 1]; i++) {
      const BfLogitRange *logit = &all->logit[i];
      if (logit->head != h || !varies(logit)) continue;
      if (!is_known(logit)) return false;
      count++;
    }
  return count > 0 && NUMBERS_A_LOGIT * count <= numbers_of(x, t, h);
}

static void choose(const BfObjective *x, const char few[], BfLogits *all) {
  const int T = x->problem->horizon, heads = x->problem->layer.heads;
  int64_t   kept = 0;
  for (int64_t at = 0; at < x->data.contexts * T; at++) {
    const int64_t first = all->first[at];
    all->first[at]      = kept;
    for (int64_t i = first; i < all->first[at + 1]; i++)
      if (few[at % T * heads + all->logit[i].head] && varies(&all->logit[i])) all->logit[kept++] = all->logit[i];
  }
  all->count = all->first[x->data.contexts * T] = kept;
}

/* The box of free numbers is already there. */
static BfStatus append(BfObjective *x, const BfLogits *chosen, BfError *error) {
  const int n = x->n, all = n + (int)chosen->count;
  double   *root[] = {x->lower, x->upper, x->decay}, *more[] = {NULL, NULL, NULL};
  for (int i = 0; i < 3; i++) {
    BF_TRY(BF_NEW(&more[i], all, error));
    if (n) memcpy(more[i], root[i], sizeof(double) * (size_t)n);
    bf_free(root[i]);
    *(double **[]){&x->lower, &x->upper, &x->decay}[i] = more[i];
  }
  for (int64_t i = 0; i < chosen->count; i++) {
    BfLogitRange *logit  = &chosen->logit[i];
    const double  centre = 0.5 * logit->least + 0.5 * logit->most;
    const double  width  = (1 + beyond) * fmax(logit->most - centre, centre - logit->least);
    logit->variable      = n + (int)i;
    x->lower[n + i]      = centre - width;
    x->upper[n + i]      = centre + width;
  }
  x->n      = all;
  x->logits = *chosen;
  return BF_OK;
}

/* A slot of a context, and what tells tokens apart before the first layer. */
typedef struct {
  const BfLayer  *layer;
  const BfMerged *merged;
  int             slot;
} Token;

static bool has_same_data(Token x, Token y) {
  const int d = x.layer->dim;
  for (int a = 0; a < d; a++)
    if (x.merged->z[x.slot * d + a] != y.merged->z[y.slot * d + a]) return false;
  return true;
}

/* With the rows of the encoding; a merged slot is a tag of its own. */
static bool are_equal(Token x, Token y) {
  const int     d = x.layer->dim, p = x.merged->context.position[x.slot], q = y.merged->context.position[y.slot];
  const double *e = x.layer->encoding;
  for (int a = 0; e && a < d; a++)
    if (e[(int64_t)p * d + a] != e[(int64_t)q * d + a]) return false;
  return has_same_data(x, y);
}

/* Within a context tokens of the same data are alike, or none has logits of its own: not where a causal mask shows them
 * other keys, nor where their encodings differ, and means of them alone do not depend on shares. */
static bool differs_within(const BfLayer *layer, const BfMerged *x) {
  for (int j = 0; j < x->context.slots; j++)
    for (int i = 0; i < j; i++) {
      const Token a = {layer, x, i}, b = {layer, x, j};
      if (has_same_data(a, b) && (layer->mask == BF_MASK_CAUSAL || !are_equal(a, b))) return false;
    }
  return true;
}

/* How many tokens of y some token of x is equal to. */
static int count_shared(const BfLayer *layer, const BfMerged *x, const BfMerged *y) {
  int count = 0;
  for (int j = 0; j < y->context.slots; j++) {
    bool is = false;
    for (int i = 0; i < x->context.slots; i++) is = is || are_equal((Token){layer, x, i}, (Token){layer, y, j});
    count += is;
  }
  return count;
}

/* Whether it can be told by the data that every logit is another function of the controls. Else logits of different
 * names may be one, which would be two variables, and count other tokens as alike. */
static bool are_different(const BfObjective *x) {
  const BfLayer *layer = &x->problem->layer;
  for (int64_t s = 0; s < x->data.contexts; s++) {
    const BfMerged *own = &x->data.context[s];
    if (!differs_within(layer, own)) return false;
    for (int64_t r = 0; r < s; r++)
      if (count_shared(layer, &x->data.context[r], own) > 1) return false;
  }
  return true;
}

/* Every layer has a query of each context that is needed and sees, or is seen by, all its other tokens: where these
 * alone are too many nothing need be bounded, which may take long. */
static bool may_be_few(const BfObjective *x) {
  const int heads = x->problem->layer.heads;
  int64_t   count = 0;
  int       most  = 0;
  for (int at = 0; at < x->problem->horizon * heads; at++) {
    const int numbers = numbers_of(x, at / heads, at % heads);
    most              = numbers > most ? numbers : most;
  }
  for (int64_t s = 0; s < x->data.contexts; s++) count += x->data.context[s].context.slots - 1;
  return most > 0 && NUMBERS_A_LOGIT * count <= most;
}

static BfStatus find(BfObjective *x, BfLogits *all, char few[], BfError *error) {
  const int T = x->problem->horizon, heads = x->problem->layer.heads;
  if (!may_be_few(x) || !are_different(x)) return BF_OK;
  BF_TRY(bf_bounder_tell(x, all, error));
  if (!all->first) return BF_OK;
  for (int at = 0; at < T * heads; at++) few[at] = (char)are_few(x, all, at / heads, at % heads);
  choose(x, few, all);
  return all->count && x->n + all->count <= BF_MOST_VARIABLES ? append(x, all, error) : BF_OK;
}

BfStatus bf_objective_logits(BfObjective *x, BfError *error) {
  BfLogits all = {0};
  char    *few = NULL;
  BfStatus status;
  BF_GOTO(BF_NEW(&few, (int64_t)x->problem->horizon * x->problem->layer.heads, error));
  status = find(x, &all, few, error);
done:
  bf_free(few);
  if (!x->logits.count) bf_logits_clear(&all);
  return status;
}

int bf_objective_dimension(const BfObjective *x) {
  const int T = x->problem->horizon, heads = x->problem->layer.heads;
  int       dimension = x->n;
  for (int at = 0; at < T * heads; at++) {
    bool there = false;
    for (int64_t s = 0; x->logits.count && s < x->data.contexts; s++)
      for (int64_t i = x->logits.first[s * T + at / heads]; i < x->logits.first[s * T + at / heads + 1]; i++)
        there = there || x->logits.logit[i].head == at % heads;
    if (there) dimension -= numbers_of(x, at / heads, at % heads);
  }
  return dimension;
}

const char *bf_logit_name(const BfObjective *x, int64_t i, char text[BF_LOGIT_TEXT]) {
  const BfLogitRange *logit = &x->logits.logit[i];
  const int           T     = x->problem->horizon;
  int64_t             at    = 0;
  while (x->logits.first[at + 1] <= i) at++;
  const BfMerged *merged = &x->data.context[at / T];
  snprintf(text, BF_LOGIT_TEXT, "delta_%d (sequence %lld, layer %d, head %d, query %d)", merged->token[logit->key],
           (long long)merged->of, (int)(at % T), logit->head, merged->token[logit->query]);
  return text;
}
