/* The norms that there are; a new one is a file and a line here. */
#include "bellformer/layer.h"

const BfNorm bf_norm_none = {.base = {.name = "none", .meaning = "z"}};

const BfNorm *const bf_norms[] = {&bf_norm_none, &bf_norm_rms, &bf_norm_layer, NULL};

static const BfKind *kind_of(int k) { return bf_norms[k] ? &bf_norms[k]->base : NULL; }
static const BfKey   key            = {"layer.norm", "word", "none",
                                       "what attention and feed-forward see of z, before e_p is added"};
const BfFamily       bf_norm_family = {&key, false, false, kind_of};
