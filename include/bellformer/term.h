/* A term of a layer's velocity v: attention, the feed-forward part, a matrix, ours and those of plug-ins. Pure.
 *
 * Attention, which sees the measure, is inlined in the kernels. Every other term is of single tokens: v += term(z), and
 * goes through this interface wherever a layer is evaluated: on contexts, on the cells of tables, in the flow. */
#pragma once
#include "bellformer/layer.h"

BF_API_BEGIN

/* Tokens at which a term is evaluated, in lanes. */
typedef struct {
  const BfLayer *layer;
  const BfTerm  *term;
  const double  *parameters; /* the layer's; see bf_term_matrix */
  int64_t        stride;     /* BF_LANES: each lane has parameters of its own; 1: all have the same */
  int            rows;
  const double  *z; /* [rows][dim][BF_LANES] N(z), or where the kind is `unnormed` z itself; aligned as doubles are,
                       like all arrays here but work */
  double *work;     /* kind->work(layer) doubles, 64-byte aligned */
} BfTermCall;

/* Entry e of the term's matrix k, row-major, in lane l: bf_term_matrix(call, k)[e * stride + l % stride]. */
static inline const double *bf_term_matrix(const BfTermCall *call, int k) {
  return call->parameters + call->term->matrix[k].at * call->stride;
}

/* Tokens of a context at which a term is bounded. */
typedef struct {
  const BfLayerBound *of;
  const BfTerm       *term;
  const BfAffine     *z;    /* [slots][dim] forms of N(z), or where the kind is `unnormed` of z itself */
  BfAffine           *work; /* kind->bound_work(layer, context) forms, or BF_BOUND_WORK(dim) where that is NULL */
} BfTermBound;

/* The form of entry e of the term's matrix k. */
static inline const BfAffine *bf_term_entry(const BfTermBound *call, int k, int e) {
  return bf_affine_at(call->of->space, call->of->parameters, call->term->matrix[k].at + e);
}
/* Whether the slot's term is to be added: its image is wanted, and not that of a token before. */
static inline bool bf_term_wants(const BfTermBound *call, int slot) {
  const char *wanted = call->of->wanted;
  const int   first  = call->of->like ? call->of->like[slot] : slot;
  return (!wanted || wanted[slot]) && (first == slot || (wanted && !wanted[first]));
}

/* A term: a file that defines one, a line in src/layer/term_kinds.h; or a plug-in, which gives it to bf_term_register.
 * Members that may be NULL say so. */
struct BfTermKind {
  BfKind          base;    /* its keys begin with "layer."; those that are not described elsewhere */
  int             version; /* BF_KIND_VERSION */
  const BfFamily *family;  /* of a key of its own, by which a layer has the term or not: what uses its other keys, and
                              those of its matrices, "control.B" */
  const char *const *matrices; /* their names, to 11 letters and digits; ends with NULL. "A_": A_0, A_1, ... of heads */
  bool               unnormed; /* it sees z itself, not N(z), which attention and the feed-forward part see */
  size_t             own;      /* bytes of its settings */

  /* Read its keys, of a layer whose dim is set; *there: whether the layer has the term. Settings go into term->own,
   * which is zeroed before and freed by the layer; what they point to is not. */
  BfStatus (*read)(BfLayer *layer, BfTerm *term, const BfKeyReader *keys, bool *there, BfError *error);
  /* Whether the layer has the term by members of its own, without having read it. NULL: never. */
  bool (*implied)(const BfLayer *layer);
  /* Name, rows and cols of its matrix k, in the order of u; 0 behind the last. */
  int (*matrix)(const BfLayer *layer, const BfTerm *term, int k, BfMatrix *out);
  /* Tell its settings, for a result's /layer; term: NULL where the layer has none. NULL: nothing. */
  BfStatus (*describe)(const BfLayer *layer, const BfTerm *term, const BfDescription *to, BfError *error);

  /* Doubles of work of either function below; NULL: none. */
  int64_t (*work)(const BfLayer *layer, const BfTerm *term);
  /* v += term(z); v [rows][dim][BF_LANES]. NULL: the kernels do it, which a plug-in cannot ask for. All lanes by the
   * same instructions in the same order, whatever the number of rows; finite for finite z and parameters, as far as
   * numbers reach. */
  void (*apply)(const BfTermCall *call, double *v);
  /* by_z += (d term/dz)^T lambda, all [rows][dim][BF_LANES];   by_parameters += (d term/dparameters)^T lambda, in
   * lanes: entry e of its matrix k in lane l is at [(term->matrix[k].at + e) * BF_LANES + l]. stride is 1. */
  void (*transposed)(const BfTermCall *call, const double *lambda, double *by_z, double *by_parameters);

  /* Add eps term(z) to sum [slots][dim], which are open sums (bf_affine_plus), of the tokens that are wanted; eps is
   * the layer's step. NULL: no enclosure is known. */
  void (*bound)(const BfTermBound *call, BfAffine *sum);
  /* Forms of its work; NULL: BF_BOUND_WORK(dim). */
  int64_t (*bound_work)(const BfLayer *layer, const BfContext *context);
};

/* The k-th kind, in the order of u: those of the program, then those of plug-ins; NULL behind the last. */
const BfTermKind *bf_term_kind(int k);
/* Add a kind, which stays where it is as long as the program runs; call it before a problem is read, on all ranks.
 * BF_BAD_INPUT for another interface version, a name, key or matrix that is taken or no word, a key (its family's too)
 * that does not begin with "layer.", a function that is missing, a family without key or kinds, or one kind too many.
 */
BfStatus bf_term_register(const BfTermKind *kind, BfError *error);

/* Read the terms of a layer whose dim is set, before bf_layer_matrices. */
BfStatus bf_layer_read_terms(BfLayer *layer, const BfKeyReader *keys, BfError *error);
/* Give the layer the term of that name, with all settings 0; before bf_layer_matrices, which adds those that are
 * implied by heads and activation. */
BfStatus bf_layer_add_term(BfLayer *layer, const char *name, BfError *error);
/* The layer's term of a kind; NULL: it has none. */
const BfTerm *bf_layer_term(const BfLayer *layer, const BfTermKind *kind);

/* Whether a term is evaluated token by token, through its functions. */
static inline bool bf_term_is_tokenwise(const BfTerm *term) { return term->kind->apply != NULL; }
/* Doubles of work that suffice for every term of the layer. */
int64_t bf_terms_work(const BfLayer *layer);

BF_API_END
