/* The choices that a problem makes: the families of kinds. A line each. */
#include "bellformer/form.h"
#include "bellformer/term.h"
#include "cost/readout_kind.h"
#include "family.h"
#include "head_init.h"
#include "layer/encoding.h"
#include "quantize/cells.h"
#include "quantize/sampler.h"
#include "quantize/transition.h"

/* How many, of which 0 is none or all. */
static const BfKey of_sample[] = {
    {"data.sample.seed", "integer", "0", "of that draw; a larger count contains the smaller", .most = INFINITY},
    {.name = NULL}};
static const BfKind  samples[] = {{.name = "0"}, {.name = "1 or more", .keys = of_sample}};
static const BfKind *sample_at(int k) { return k < 2 ? &samples[k] : NULL; }
static const BfKey   sample_count = {
      "data.sample.count", "integer", "0",
      "N of the sequences of `data.file`, drawn without replacement; of a table of one sequence N tokens of each tag. "
        "0: all",
      .most = INFINITY};
const BfFamily bf_sample_family = {&sample_count, true, true, sample_at};

static const BfFamily *const families[] = {
    &bf_encoding_family, &bf_sample_family,         &bf_form_family,      &bf_sampler_family, &bf_cost_family,
    &bf_readout_family,  &bf_readout_source_family, &bf_quantizer_family, &bf_cells_family,   &bf_transition_family,
    &bf_norm_family,     &bf_projection_family,     &bf_head_init_family};
enum { FAMILIES = sizeof families / sizeof *families };

const BfFamily *bf_family_at(int k) {
  const BfTermKind *term;
  for (int i = 0; (term = bf_term_kind(i)); i++)
    if (term->family && !k--) return term->family;
  return k < FAMILIES ? families[k] : NULL;
}
