/* Attention, sum over heads of V_h times a mean over the tokens that a token sees: the kernels evaluate it themselves.
 */
#include "layer/term_kinds.h"
#include <stdio.h>
#include <string.h>

static const BfKind choices[] = {
    {.name = "0"},
    {.name = "1 or more",
     .keys = (const BfKey[]){{"layer.beta", "number", "1", "beta in exp( beta < z + e_p, A (z' + e_p') > )"},
                             {"layer.mask", "word", "full",
                              "`full`, or `causal`: a token sees positions p' <= p; one token a position then"},
                             {.name = "data.position_encoding"},
                             {.name = "data.position_amplitude"},
                             {.name = "control.A"},
                             {.name = "control.V"},
                             {.name = "heads.count"},
                             {.name = "heads.init.kind"},
                             {.name = "heads.init.A"},
                             {.name = "heads.init.V"},
                             {.name = "heads.same"},
                             {.name = "heads.room"},
                             {.name = "heads.seed"},
                             {.name = NULL}}}};
static const BfKind  *choice(int k) { return k < 2 ? &choices[k] : NULL; }
static const BfKey    key    = {"layer.heads", "integer", "1", "H; 0: no attention", .least = 0, .most = 10000};
static const BfFamily family = {&key, true, true, choice};

static const char *const masks[] = {"full", "causal", NULL};

/* Of a layer without any term; the others are read before. */
static BfStatus fail_empty(const BfKeyReader *keys, BfError *error) {
  const BfTermKind *kind;
  char              others[256] = "";
  for (int k = 0; (kind = bf_term_kind(k)); k++) {
    const size_t used = strlen(others);
    if (!kind->family || kind->family == &family) continue;
    snprintf(others + used, sizeof others - used, "%s%s", used ? ", " : "", kind->family->key->name);
  }
  return keys->fail(keys, key.name, error, "must be at least 1 where a layer has no other term (%s), got 0", others);
}

static BfStatus read(BfLayer *layer, BfTerm *term, const BfKeyReader *keys, bool *there, BfError *error) {
  int     chosen, mask = 0;
  int64_t heads = 0;
  (void)term;
  BF_TRY(keys->integer(keys, key.name, &heads, error));
  if (!heads && !layer->terms) return fail_empty(keys, error);
  BF_TRY(keys->choose(keys, &family, &chosen, error));
  BF_TRY(keys->integer(keys, key.name, &heads, error)); /* 01 becomes the setting 1 */
  BF_TRY(keys->number(keys, "layer.beta", &layer->beta, error));
  BF_TRY(keys->word(keys, "layer.mask", masks, &mask, error));
  layer->heads = (int)heads;
  layer->mask  = mask == 1 ? BF_MASK_CAUSAL : BF_MASK_FULL;
  *there       = heads > 0;
  return BF_OK;
}

static bool implied(const BfLayer *layer) { return layer->heads > 0; }

static int matrix(const BfLayer *layer, const BfTerm *term, int k, BfMatrix *out) {
  (void)term;
  if (k >= 2 * layer->heads) return 0;
  *out = (BfMatrix){.rows = layer->dim, .cols = layer->dim};
  snprintf(out->name, sizeof out->name, "%c_%d", k % 2 ? 'V' : 'A', k / 2);
  return 1;
}

static BfStatus describe(const BfLayer *layer, const BfTerm *term, const BfDescription *to, BfError *error) {
  (void)term;
  BF_TRY(to->integer(to, "heads", layer->heads, error));
  BF_TRY(to->number(to, "beta", layer->beta, error));
  return to->text(to, "mask", masks[layer->mask == BF_MASK_CAUSAL], error);
}

const BfTermKind bf_term_attention = {.base       = {.name = "attention"},
                                      .version    = BF_KIND_VERSION,
                                      .family     = &family,
                                      .matrices   = (const char *const[]){"A_", "V_", NULL},
                                      .read       = read,
                                      .implied    = implied,
                                      .matrix     = matrix,
                                      .describe   = describe,
                                      .bound      = bf_attention_bound,
                                      .bound_work = bf_attention_bound_work};
