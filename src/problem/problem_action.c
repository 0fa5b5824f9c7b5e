/* action.*: the finite set U_k of controls. */
#include "quantize/sampler.h"
#include "reader.h"

#include <stdio.h>
#include <string.h>

/* The matrix that takes control number j. */
static const BfMatrix *matrix_of(const BfLayer *layer, int j) {
  const BfMatrix *matrix = layer->matrix;
  while (j < matrix->offset || j >= matrix->offset + matrix->free) matrix++;
  return matrix;
}

/* Every number has a range (or levels), or the key of its matrix is missing. */
static BfStatus require(BfReader *reader, const int have[], const char *what, BfError *error) {
  const BfLayer *layer = &reader->problem->layer;
  for (int j = 0; j < layer->free; j++) {
    if (have[j]) continue;
    char name[sizeof layer->matrix->name + 1], key[BF_KEY];
    snprintf(name, sizeof name, "%s", matrix_of(layer, j)->name);
    name[strcspn(name, "_")] = '\0'; /* what most users want: one for all heads */
    snprintf(key, sizeof key, "control.%s.%s", name, what);
    if (bf_keys_given(reader->keys, key)) return bf_key_fail(reader->keys, key, error, "is not for every head");
    return bf_key_missing(reader->keys, key, error);
  }
  return BF_OK;
}

/* What a sampler finds; names: room for the q numbers' matrices. */
static BfControlBox control_box(const BfReader *reader, const char *names[]) {
  const BfLayer *layer = &reader->problem->layer;
  for (int j = 0; j < layer->free; j++) names[j] = matrix_of(layer, j)->name;
  return (BfControlBox){.q      = layer->free,
                        .lower  = reader->problem->control_lower,
                        .upper  = reader->problem->control_upper,
                        .ranged = reader->ranged,
                        .levels = reader->levels,
                        .matrix = names,
                        .bytes  = (layer->free + layer->parameters + 1) * (double)sizeof(double),
                        .room   = reader->memory};
}

static BfStatus read_levels(BfReader *reader, BfError *error) {
  const BfLayer *layer = &reader->problem->layer;
  for (int k = 0; k < layer->matrices; k++) BF_TRY(bf_read_levels(reader, &layer->matrix[k], error));
  return require(reader, reader->levels, "levels", error);
}

/* Who has no use of actions takes them only where they say what the ranges are: all else of them is left. */
static bool leaves(const BfReader *reader) {
  bool ranged = !(reader->sections->uses & BF_SECTION_ACTION);
  for (int j = 0; j < reader->problem->layer.free; j++) ranged = ranged && reader->ranged[j];
  return ranged;
}

BfStatus bf_read_action(BfReader *reader, BfError *error) {
  BfProblem        *problem = reader->problem;
  const BfKeyReader keys    = bf_key_reader(reader);
  const char      **names;
  int               kind;
  if (!bf_reads_section(reader, BF_SECTION_ACTION)) return require(reader, reader->ranged, "range", error);
  if (leaves(reader)) return bf_keys_leave_section(reader->keys, BF_SECTION_ACTION, error);
  BF_TRY(bf_family_choose(reader->keys, &bf_sampler_family, &kind, error));
  const BfSampler *sampler = bf_sampler(kind);
  if (!sampler->spans) BF_TRY(require(reader, reader->ranged, "range", error));
  if (sampler->takes_levels) BF_TRY(read_levels(reader, error));
  BF_TRY(BF_NEW(&names, problem->layer.free, error));
  const BfControlBox box = control_box(reader, names);
  sampler->make(&keys, &box, &problem->actions, &problem->action, error);
  bf_free(names);
  if (error->status != BF_OK || !sampler->takes_levels) return error->status;
  BF_TRY(BF_NEW(&problem->levels, problem->layer.free, error));
  for (int j = 0; j < problem->layer.free; j++) problem->levels[j] = reader->levels[j];
  return BF_OK;
}
