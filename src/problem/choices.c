/* The choices that a problem makes: families of kinds, and choices whose kinds are words alone. */
#include "bellformer/form.h"
#include "bellformer/term.h"
#include "cost/readout_kind.h"
#include "family.h"
#include "quantize/sampler.h"
#include "quantize/transition.h"

/* NAME: a family's kinds by their names and keys alone, in braces. */
#define KINDS(NAME, ...)                                                                                               \
  static const BfKind  NAME##s[] = {__VA_ARGS__};                                                                      \
  static const BfKind *NAME(int k) { return k < (int)(sizeof NAME##s / sizeof *NAME##s) ? &NAME##s[k] : NULL; }
#define KEY(key)                                                                                                       \
  { .name = key }
#define KEYS(...)                                                                                                      \
  .keys = (const BfKey[]) {                                                                                            \
    __VA_ARGS__, { .name = NULL }                                                                                      \
  }

KINDS(encoding_kind, {.name = "none"}, {.name = "sinusoidal", KEYS(KEY("data.position_amplitude"))}, {.name = "a list"})
const BfFamily bf_family_encoding = {"data.position_encoding", "none", false, true, encoding_kind};

KINDS(sample_kind, {.name = "0"}, {.name = "1 or more", KEYS(KEY("data.sample.seed"))})
const BfFamily bf_family_sample = {"data.sample.count", "0", true, true, sample_kind};

KINDS(cells_kind, {.name = "0"},
      {.name = "1 or more", KEYS(KEY("quantize.atoms"), KEY("quantize.transition"), KEY("quantize.shift"))})
const BfFamily bf_family_cells = {"quantize.cells", "1 or more", true, true, cells_kind};

static const BfFamily *const families[] = {&bf_family_encoding,   &bf_family_sample,    &bf_form_family,
                                           &bf_sampler_family,    &bf_cost_family,      &bf_readout_family,
                                           &bf_readout_source,    &bf_quantizer_family, &bf_family_cells,
                                           &bf_transition_family, &bf_family_norm,      &bf_family_projection};
enum { FAMILIES = sizeof families / sizeof *families };

const BfFamily *bf_family_at(int k) {
  const BfTermKind *term;
  for (int i = 0; (term = bf_term_kind(i)); i++)
    if (term->family && !k--) return term->family;
  return k < FAMILIES ? families[k] : NULL;
}
