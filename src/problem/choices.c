/* The choices that a problem makes: families of kinds, and choices whose kinds are words alone. */
#include "bellformer/form.h"
#include "cost/readout_kind.h"
#include "family.h"
#include "quantize/sampler.h"

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

KINDS(heads_kind, {.name = "0"},
      {.name = "1 or more",
       KEYS(KEY("layer.beta"), KEY("layer.mask"), KEY("data.position_encoding"), KEY("data.position_amplitude"),
            KEY("control.A"), KEY("control.V"))})
const BfFamily bf_family_heads = {"layer.heads", "1 or more", true, true, heads_kind};

KINDS(feedforward_kind, {.name = "none"},
      {.name = "tanh, relu or gelu",
       KEYS(KEY("layer.width"), KEY("control.W1"), KEY("control.b1"), KEY("control.W2"), KEY("control.b2"))})
const BfFamily bf_family_feedforward = {"layer.feedforward", "none", false, true, feedforward_kind};

KINDS(encoding_kind, {.name = "none"}, {.name = "sinusoidal", KEYS(KEY("data.position_amplitude"))}, {.name = "a list"})
const BfFamily bf_family_encoding = {"data.position_encoding", "none", false, true, encoding_kind};

KINDS(codebook_kind, {.name = "quantize.codebook", KEYS(KEY("quantize.codebook"))},
      {.name = "quantize.cells", KEYS(KEY("quantize.cells"))})
const BfFamily bf_family_codebook = {NULL, NULL, false, false, codebook_kind};

KINDS(cells_kind, {.name = "0"}, {.name = "1 or more", KEYS(KEY("quantize.atoms"), KEY("quantize.transition"))})
const BfFamily bf_family_cells = {"quantize.cells", "1 or more", true, true, cells_kind};

const BfFamily *const bf_families[] = {&bf_family_heads,
                                       &bf_family_feedforward,
                                       &bf_family_encoding,
                                       &bf_form_family,
                                       &bf_family_action,
                                       &bf_cost_family,
                                       &bf_readout_family,
                                       &bf_readout_source,
                                       &bf_family_codebook,
                                       &bf_family_cells,
                                       &bf_family_norm,
                                       &bf_family_projection,
                                       NULL};
