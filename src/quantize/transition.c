/* The transitions. */
#include "quantize/transition.h"

#include <string.h>

#define ADDRESS(kind) &bf_transition_##kind,
static const BfTransition *const transitions[] = {BF_TRANSITIONS(ADDRESS)};

const BfTransition *bf_transition_at(int k) {
  return k >= 0 && k < (int)(sizeof transitions / sizeof *transitions) ? transitions[k] : NULL;
}

const BfTransition *bf_transition(const char *name) {
  const BfTransition *kind;
  for (int k = 0; (kind = bf_transition_at(k)); k++)
    if (!strcmp(kind->base.name, name)) return kind;
  return NULL;
}

static const BfKind *kind_at(int k) {
  const BfTransition *kind = bf_transition_at(k);
  return kind ? &kind->base : NULL;
}

const BfFamily bf_transition_family = {"quantize.transition", "nearest", false, false, kind_at};
