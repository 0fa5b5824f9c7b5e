/* The choices that a problem makes: the families of kinds. A line each. */
#include "bellformer/form.h"
#include "bellformer/term.h"
#include "cost/readout_kind.h"
#include "family.h"
#include "layer/encoding.h"
#include "quantize/cells.h"
#include "quantize/sampler.h"
#include "quantize/transition.h"

/* How many, of which 0 is none or all. */
static const BfKey   of_sample[] = {{.name = "data.sample.seed"}, {.name = NULL}};
static const BfKind  samples[]   = {{.name = "0"}, {.name = "1 or more", .keys = of_sample}};
static const BfKind *sample_at(int k) { return k < 2 ? &samples[k] : NULL; }
const BfFamily       bf_family_sample = {"data.sample.count", "0", true, true, sample_at};

static const BfFamily *const families[] = {&bf_encoding_family,   &bf_family_sample,    &bf_form_family,
                                           &bf_sampler_family,    &bf_cost_family,      &bf_readout_family,
                                           &bf_readout_source,    &bf_quantizer_family, &bf_cells_family,
                                           &bf_transition_family, &bf_family_norm,      &bf_family_projection};
enum { FAMILIES = sizeof families / sizeof *families };

const BfFamily *bf_family_at(int k) {
  const BfTermKind *term;
  for (int i = 0; (term = bf_term_kind(i)); i++)
    if (term->family && !k--) return term->family;
  return k < FAMILIES ? families[k] : NULL;
}
