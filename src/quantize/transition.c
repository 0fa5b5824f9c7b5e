/* The transitions. */
#include "quantize/transition.h"

#define ADDRESS(kind) &bf_transition_##kind,
static const BfTransition *const transitions[] = {BF_TRANSITIONS(ADDRESS)};

const BfTransition *bf_transition_at(int k) {
  return k >= 0 && k < (int)(sizeof transitions / sizeof *transitions) ? transitions[k] : NULL;
}

static const BfKind *kind_at(int k) {
  const BfTransition *kind = bf_transition_at(k);
  return kind ? &kind->base : NULL;
}

const BfTransition *bf_transition(const char *name) { return bf_transition_at(bf_kind_find(kind_at, name)); }

static const BfKey key                  = {"quantize.transition", "word", "nearest", "where an atom goes"};
const BfFamily     bf_transition_family = {&key, false, false, kind_at};
