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
  const double *parameters; /* the layer's: entry e of its matrix k in lane l is at bf_term_matrix(call, k)[e * stride +
                               l % stride] */
  int64_t       stride;     /* BF_LANES: each lane has parameters of its own; 1: all have the same */
  int           rows;
  const double *z; /* [rows][dim][BF_LANES] N(z), or where the kind is `unnormed` z itself; aligned as doubles are, like
                      all arrays here but work */
  double *work;    /* of kind->work doubles, 64-byte aligned */
} BfTermCall;

static inline const double *bf_term_matrix(const BfTermCall *call, int k) {
  return call->parameters + call->term->matrix[k].at * call->stride;
}

struct BfTermKind {
  const char *name;
  int         unnormed; /* 1: it sees z itself; 0: N(z), as attention does */
  /* The size of its matrix k, and that matrix's name, in the order of u; 0 behind the last. */
  int (*matrix)(const BfLayer *layer, int k, BfMatrix *out);
  /* Doubles of work of either function below; NULL: none. */
  int64_t (*work)(const BfLayer *layer);
  /* v += term(z); v [rows][dim][BF_LANES]. NULL: the kernels do it. All lanes by the same instructions in the same
   * order, whatever the number of rows; finite for finite z and parameters, as far as numbers reach. */
  void (*apply)(const BfTermCall *call, double *v);
  /* by_z += (d term/dz)^T lambda;   by_parameters += (d term/dparameters)^T lambda, in lanes: [layer->parameters]
   * [BF_LANES], entry e of its matrix k at (term->matrix[k].at + e) * BF_LANES. stride is 1. */
  void (*transposed)(const BfTermCall *call, const double *lambda, double *by_z, double *by_parameters);
};

extern const BfTermKind bf_term_attention, bf_term_feedforward;

/* Whether a term is evaluated token by token, through its functions. */
static inline int bf_term_is_tokenwise(const BfTerm *term) { return term->kind->apply != NULL; }
/* Doubles of work that suffice for every term of the layer. */
int64_t bf_terms_work(const BfLayer *layer);

BF_API_END
