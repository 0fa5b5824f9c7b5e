/* quantize.*: X_n, the atoms of a tag, the transition; and the contexts of the data with those atoms. */
#include "quantize/cells.h"
#include "quantize/transition.h"
#include "reader.h"

static BfStatus read_cells(BfReader *reader, const BfKeyReader *keys, BfError *error) {
  BfProblem       *problem = reader->problem;
  const BfTokenBox box     = {problem->layer.dim, problem->layer.lower, problem->layer.upper};
  int              kind;
  BF_TRY(keys->choose(keys, &bf_quantizer_family, &kind, error));
  BF_TRY(bf_quantizer(kind)->read(keys, &box, &problem->cells, error));
  return bf_family_settle(reader->keys, &bf_cells_family, problem->cells ? "[]" : "0", error);
}

/* A rank holds the atoms of all contexts once, and those of the largest context in lanes, several times over. */
static BfStatus check_memory(const BfReader *reader, BfError *error) {
  const BfData *data  = &reader->problem->train;
  const double  atoms = reader->problem->atoms ? (double)data->tags * reader->problem->atoms : (double)data->tokens;
  const double  bytes = atoms * (double)sizeof(double) * (2 + 6.0 * data->dim * BF_LANES / (double)data->contexts);
  if (bytes <= reader->memory) return BF_OK;
  return bf_key_fail(reader->keys, "quantize.atoms", error, "gives %.4g atoms: %.3g GiB a rank, %.3g GiB are free",
                     atoms, bytes / 0x1p30, reader->memory / 0x1p30);
}

static BfStatus make_contexts(BfProblem *problem, BfError *error) {
  return bf_contexts_create(&problem->train, problem->atoms, &problem->context, error);
}

BfStatus bf_read_quantize(BfReader *reader, BfError *error) {
  BfProblem        *problem = reader->problem;
  const BfKeyReader keys    = bf_key_reader(reader);
  int64_t           atoms   = 0;
  int               kind    = bf_family_find(&bf_transition_family, NULL);
  problem->transition       = bf_transition_at(kind);
  if (!bf_reads_section(reader, BF_SECTION_QUANTIZE)) return make_contexts(problem, error);
  BF_TRY(read_cells(reader, &keys, error));
  BF_TRY(bf_key_integer(reader->keys, "quantize.atoms", &atoms, error));
  BF_TRY(keys.choose(&keys, &bf_transition_family, &kind, error));
  problem->atoms      = (int)atoms;
  problem->transition = bf_transition_at(kind);
  if (problem->cells && problem->transition->check) BF_TRY(problem->transition->check(&keys, problem->cells, error));
  BF_TRY(check_memory(reader, error));
  BfStatus status = make_contexts(problem, error);
  if (status == BF_BAD_INPUT) bf_key_prefix(reader->keys, "quantize.atoms", error);
  return status;
}
