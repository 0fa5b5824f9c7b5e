/* The terms of the velocity that the program comes with. A new one: a file that defines `const BfTermKind
 * bf_term_NAME`, and a line here. */
#pragma once
#include "bellformer/term.h"

/* In the order of u. */
#define BF_TERM_KINDS(KIND)                                                                                            \
  KIND(attention)                                                                                                      \
  KIND(feedforward)                                                                                                    \
  KIND(linear)

#define BF_DECLARE_TERM_KIND(kind) extern const BfTermKind bf_term_##kind;
BF_TERM_KINDS(BF_DECLARE_TERM_KIND)
#undef BF_DECLARE_TERM_KIND

/* Those of attention's entries that stand in a file of their own. */
void    bf_attention_bound(const BfTermBound *call, BfAffine *sum);
int64_t bf_attention_bound_work(const BfLayer *layer, const BfContext *context);

/* v += W2 hidden + b2: the feed-forward part, its hidden layer being known, [rows][width][BF_LANES]. stride: BF_LANES.
 */
void bf_feedforward_shown(const BfTermCall *call, const double *hidden, double *v);
