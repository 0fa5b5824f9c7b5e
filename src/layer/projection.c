/* The projections that there are; a new one is a file and a line here. */
#include "bellformer/layer.h"

const BfProjection *const bf_projections[] = {&bf_project_clip, &bf_project_sphere, &bf_project_none, NULL};

static const BfKind *kind_of(int k) { return bf_projections[k] ? &bf_projections[k]->base : NULL; }
static const BfKey   key                  = {"token.projection", "word", "clip", "P after every layer"};
const BfFamily       bf_projection_family = {&key, false, false, kind_of};
