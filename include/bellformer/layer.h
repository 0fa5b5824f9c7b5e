/* One Transformer layer: z+ = P(r z + eps v(z, p; mu_s, u)): README, The model, [ASY26] eq. 1. Queries, keys, values
 * and the feed-forward part of v see N(z) in place of z; e_p is added after N. Pure. */
#pragma once
#include "bellformer/enclose.h"
#include "bellformer/form.h"
#include "bellformer/kernel.h"
#include "bellformer/kind.h"

BF_API_BEGIN

#define BF_FARTHEST 1e140 /* of tokens and targets: squares of distances, their sums and weights stay finite */
#define BF_MATRIX_NAME 16

typedef struct {
  char          name[BF_MATRIX_NAME]; /* "A_0", "V_0", ..., "W1", "b1", "W2", "b2" */
  int           rows, cols;
  bool          vector; /* a column, told as a vector where the matrix is told */
  const BfForm *form;
  int           free; /* free numbers: the matrix takes u[offset .. offset + free - 1] */
  int           offset;
  int           at;    /* its entries in the expanded parameters: [at .. at + rows * cols - 1], row-major */
  double       *value; /* [rows * cols] where the form has entries given, else NULL; owned by the layer */
} BfMatrix;

typedef struct BfLayer BfLayer;

/* N of a layer. Tokens in lanes, [dim][BF_LANES]; both functions are pure, the same in every lane, and finite for
 * finite tokens. */
typedef struct {
  BfKind base;
  /* n = N(z); may be the same array. NULL: N(z) = z. */
  void (*apply)(int dim, const double *z, double *n);
  /* by_z += (dN/dz)^T by_n. */
  void (*transposed)(int dim, const double *z, const double *by_n, double *by_z);
  /* n = N(z), forms [dim], of forms z [dim], two arrays; work: BF_BOUND_WORK(dim) forms. NULL: no enclosure is known.
   */
  void (*bound)(const BfFormSpace *space, int dim, const BfAffine *z, BfAffine *n, BfAffine *work);
} BfNorm;

/* P of a layer. */
typedef struct {
  BfKind base;
  bool   unit; /* whether P(y) = y / |y|, and the flow's v is tangential; else y is clipped to `box`. Kernels do both,
                  to whom that is a flag and a box (src/kernel/flat.h), no kind; they call what P is neither of: */
  /* y = P(y) in all lanes, y [dim][BF_LANES], each lane by itself; NULL: as `unit` says. */
  void (*apply)(const BfLayer *layer, double *y);
  const char *keeps; /* where P keeps tokens: "Z"; NULL where they may go anywhere */
  /* lambda = (dP/dy)^T lambda in all lanes; y, lambda [dim][BF_LANES]. */
  void (*transposed)(const BfLayer *layer, const double *y, double *lambda);
  /* Whether z [dim] is where P would move it (on the sphere by more than 1 %), or outside Z where P moves nothing. */
  bool (*is_outside)(const BfLayer *layer, const double z[]);
  /* A box [dim] that holds Z and all that P gives. */
  void (*box)(const BfLayer *layer, double lower[], double upper[]);
  /* Where the flow starts from z [dim], in place; NULL: at z. */
  void (*start)(int dim, double z[]);
  /* y = P(y), forms [dim], in place; work: BF_BOUND_WORK(dim) forms. NULL: no enclosure is known. */
  void (*bound)(const BfFormSpace *space, const BfLayer *layer, BfAffine *y, BfAffine *work);
} BfProjection;

typedef struct BfTermKind BfTermKind; /* term.h */
typedef struct BfEncoding BfEncoding; /* layer/encoding.h */

/* A term of the velocity, as a layer has it. */
typedef struct {
  const BfTermKind *kind;
  const BfMatrix   *matrix; /* [matrices] its own, among the layer's, their parameters one behind the other */
  int               matrices;
  void             *own; /* settings of the kind alone; NULL: it has none; owned by the layer */
} BfTerm;

#define BF_MOST_TERMS 16

struct BfLayer {
  int                 dim; /* d */
  int                 heads;
  double              residual; /* r: 0 or 1 */
  double              step;     /* eps */
  double              beta;
  BfMask              mask;
  const BfNorm       *norm; /* N */
  const BfProjection *projection;
  const double       *lower, *upper; /* [dim] the box Z; owned by the layer */
  const BfActivation *activation;    /* NULL: no feed-forward part */
  int                 width;         /* of the feed-forward part; 0 where there is none */
  int                 positions;     /* rows of `encoding`; 0 where there is none */
  double             *encoding;      /* [positions][dim] e_p, or NULL; owned by the layer */
  int                 matrices;      /* in the order A_0, V_0, A_1, V_1, ..., W1, b1, W2, b2, B */
  BfMatrix           *matrix;        /* owned by the layer */
  int                 terms;         /* of the velocity, in the order of their matrices */
  BfTerm              term[BF_MOST_TERMS];
  const BfMatrix     *attention;  /* A_0, V_0, ... among the matrices; see bf_attention_A */
  int                 free;       /* q: free numbers of all matrices */
  int                 parameters; /* entries of all matrices */
  const BfKernels    *kernels;    /* that it is evaluated by; chosen by bf_layer_place */
};

/* N(z) = z; z / sqrt(|z|^2 / d + 1e-5); (z - m) / sqrt(s + 1e-5) with the mean m of the components of z and the mean
 * square s of what is left. */
extern const BfNorm bf_norm_none, bf_norm_rms, bf_norm_layer;
/* P(y) = y clipped to Z; y / |y|, and 0 at the origin; y itself, its components within BF_FARTHEST. */
extern const BfProjection bf_project_clip, bf_project_sphere, bf_project_none;
/* All of them; NULL behind the last. */
extern const BfNorm *const       bf_norms[];
extern const BfProjection *const bf_projections[];
extern const BfFamily            bf_norm_family, bf_projection_family;

/* Where the entries of head h's matrices begin in the parameters. */
static inline int bf_attention_A(const BfLayer *layer, int h) { return layer->attention[2 * h].at; }
static inline int bf_attention_V(const BfLayer *layer, int h) { return layer->attention[2 * h + 1].at; }

/* Set up the terms and matrices of a layer whose dim, heads, activation and width are set: names, sizes, and for now
 * every form `full`. */
BfStatus bf_layer_matrices(BfLayer *layer, BfError *error);
/* Count the free numbers and place the matrices, after their forms are chosen: fills free, offset, at, the layer's free
 * and parameters. Refuses forms that do not fit a matrix's shape. Where they are not set, N is `none` and P `clip`.
 * Chooses the kernels (bf_kernels_choose). */
BfStatus bf_layer_place(BfLayer *layer, BfError *error);
/* Free what the layer owns and zero it. */
void bf_layer_clear(BfLayer *layer);

/* The matrices' entries for a control: `parameters`[p * stride] for p < layer->parameters from u[layer->free]. */
void bf_layer_expand(const BfLayer *layer, const double u[], double parameters[], int64_t stride);

/* One layer on one context, in all lanes.
 *   parameters [layer->parameters][BF_LANES]
 *   z, next    [slots][dim][BF_LANES]; may be the same array
 *   work       bf_layer_work(layer, context) doubles, 64-byte aligned
 * `next` is written at the slots that the context asks for alone (kernel.h), which the others are seen by in any case.
 * The maximum of the logits is subtracted over the tokens that are there, so that nothing overflows and no 0/0 appears
 * for any finite parameters. The attention sums run tag by tag: each tag's own maximum and partial sums first, then
 * the tags in order, so that a table over a tag's laws can hold the partial sums without changing a bit.
 * Cost: heads * slots^2 exponentials a lane; bound by their arithmetic, everything else stays in L1. */
void    bf_layer_apply(const BfLayer *layer, const BfContext *context, const double *parameters, const double *z,
                       double *next, double *work);
int64_t bf_layer_work(const BfLayer *layer, const BfContext *context);

/* The same where parts of it are known. The same bits as bf_layer_apply. */
void bf_layer_apply_known(const BfLayer *layer, const BfContext *context, const BfKnownParts *known,
                          const double *parameters, const double *z, double *next, double *work);
/* The mean of N(z') that each slot sees in one head, by weights exp(beta <N(z) + e_p, A (N(z') + e_p')>): mean
 * [asked][dim][BF_LANES] of the slots that the context asks for, from A [dim][dim][BF_LANES]. The bulk of a layer's
 * cost; work as of bf_layer_apply. */
void bf_layer_means(const BfLayer *layer, const BfContext *context, const double *A, const double *z, double *mean,
                    double *work);
/* sigma(W1 N(z) + b1): hidden [asked][width][BF_LANES] from inner: W1 [width][dim][BF_LANES], b1 [width][BF_LANES] one
 * behind the other, as they stand in the parameters from entry bf_layer_inner on, which is -1 where there is no
 * feed-forward part. */
void bf_layer_hidden(const BfLayer *layer, const BfContext *context, const double *inner, const double *z,
                     double *hidden, double *work);
int  bf_layer_inner(const BfLayer *layer);

/* The same of one case by itself, whose slots are the lanes: slot 8 i + l stands in lane l of row i. Each slot gets the
 * bits that it has in a lane of bf_layer_apply, in about an eighth of the time where there are many.
 *   parameters [layer->parameters][BF_LANES], the same in all lanes
 *   z, next    [bf_layer_alone_rows(context)][dim][BF_LANES]; may be the same array. Behind the last slot any finite
 *              numbers, which no slot sees
 *   work       bf_layer_alone_work(layer, context) doubles, 64-byte aligned
 * context->times is NULL. */
void    bf_layer_alone(const BfLayer *layer, const BfContext *context, const double *parameters, const double *z,
                       double *next, double *work);
int64_t bf_layer_alone_work(const BfLayer *layer, const BfContext *context);

static inline int bf_layer_alone_rows(const BfContext *context) { return (context->slots + BF_LANES - 1) / BF_LANES; }

/* What a layer does in a lane on `tokens` tokens of which `pairs` pairs see each other, counted in attention's terms:
 * one a head and pair; four numbers of another term's matrices are about as much for a token. For estimates. */
double bf_layer_terms(const BfLayer *layer, double tokens, double pairs);

/* ---- a layer over a box of parameters ---------------------------------------------------------------------------- */

/* A logit as softmax sees it, over a box: how much more a query thinks of a key than of itself,
 *
 *     delta = beta <A^T s_query, s_key - s_query> + log(mass_key / mass_query),    s = N(z) + e_p,
 *
 * which is known to be in [lower, upper], whatever the parameters say. Where it may be more than one number it becomes
 * the variable of its own that stands for it. */
typedef struct {
  int       head, query, key; /* slots, each the first of those that are alike */
  int       variable;         /* of the box */
  double    lower, upper;
  double    least, most; /* out: what is left of it; least > most: no parameters of the box are there */
  double    radius;      /* out: of the form that the parameters give it; infinite where that says nothing */
  BfAffine *apart;       /* out: that form less the variable's, which is 0 on the box; room is the caller's */
} BfLogitRange;

typedef struct {
  const BfFormSpace *space;
  const BfLayer     *layer;
  const BfContext   *context;    /* of any masses; times is NULL */
  const BfAffine    *parameters; /* [layer->parameters] forms of the matrices' entries */
  const char        *wanted;     /* [slots] 0: the token's image is not wanted; NULL: all are */
  const int         *like;       /* [slots] as bf_layer_alike tells; NULL: of no two tokens it is known */
  const char        *constant;   /* [dim] 1: that component of z is the same for all tokens of the context, whatever the
                                    parameters are; NULL: of none it is known */
  BfLogitRange *logit;           /* [logits] of which something is known; the rest are what parameters say */
  int           logits;
  int          *told; /* not NULL: nothing is known. logit[*told] .. become those that attention comes to, with
                         least and most, *told counts them; `logits` is how many there is room for */
} BfLayerBound;

/* Forms of z+ from forms of z, [slots][dim], two arrays: bf_layer_apply in exact arithmetic, for every point of the
 * box. The images that are not wanted are left as they are. work: bf_layer_bound_work bytes, 64-byte aligned. Of a
 * layer of which bf_layer_unbounded is NULL. Cost: for each head and pair of tokens that see each other an exponential
 * (of `keys` tokens that one sees: their square) and about 3 d products, each of 5 n multiply-adds or so. */
void    bf_layer_bound(const BfLayerBound *call, const BfAffine *z, BfAffine *next, void *work);
int64_t bf_layer_bound_work(const BfFormSpace *space, const BfLayer *layer, const BfContext *context);
/* Which tokens are the same whatever the parameters are: like[i] is the first slot whose z, e_p and keys are those of
 * slot i, of tokens z [slots][dim] before the first layer. Their differences are 0, and their images one, in every
 * layer. */
void bf_layer_alike(const BfLayer *layer, const BfContext *context, const double z[], int like[]);
/* The first kind of the layer that has no enclosure, *what: "layer.norm", "layer term" or "token.projection"; NULL: all
 * have one. */
const BfKind *bf_layer_unbounded(const BfLayer *layer, const char **what);

/* ---- the velocity field of the continuous-depth flow ------------------------------------------------------------- */

/* The right-hand side f of dz/dt = f at all tokens of a block, [HY26]:
 *     f = zeta v(z, p; mu_s, u) + (r - 1) z / eps
 * with v of the layer, its mu_s the tokens' own law (one atom a token), and the second term so that an Euler step of
 * length eps is z + eps f = r z + eps v for r = 0 too. On the sphere v is replaced by its tangential part,
 * v - <z,v> z / |z|^2.
 *
 *   parameters [layer->parameters] of one control, for all lanes
 *   z, f       [rows][dim][BF_LANES], not the same array
 *   work       bf_velocity_work(layer, block) doubles, 64-byte aligned
 *
 * Padding lanes need finite z; they are moved like tokens that nobody sees. Cost a row and key: 2 d multiply-adds and
 * an exponential; bound by their arithmetic where d <= 4, else by loads of keys from L1 or L2. Not the bits of
 * bf_layer_apply: sums have another order, and multiply-adds are fused where the machine has them. The same bits in
 * every lane. */
void    bf_velocity(const BfLayer *layer, const BfBlock *block, const double parameters[], double zeta, const double *z,
                    double *f, double *work);
int64_t bf_velocity_work(const BfLayer *layer, const BfBlock *block);

/* Its transposed Jacobian products with a cotangent lambda [rows][dim][BF_LANES] (0 in padding lanes), both at once:
 *
 *     by_z = (df/dz)^T lambda                       [rows][dim][BF_LANES]; every token's dependence on all others, too
 *     by_parameters += (df/dparameters)^T lambda    [layer->parameters]
 *
 * At the kink of relu the slope is 0. Cost a row and key: 5 d multiply-adds and an exponential. */
void bf_velocity_transposed(const BfLayer *layer, const BfBlock *block, const double parameters[], double zeta,
                            const double *z, const double *lambda, const BfTransposed *to, double *work);

/* ---- a layer with P on a block ----------------------------------------------------------------------------------- */

/* z+ = P(y), y = r z + eps v: bf_layer_apply by the velocity's kernels, equal to it but for rounding, in either layout
 * of a block. parameters, z, work as of bf_velocity; y, next [rows][dim][BF_LANES], three different arrays, 64-byte
 * aligned. */
void bf_step(const BfLayer *layer, const BfBlock *block, const double parameters[], const double *z, double *y,
             double *next, double *work);

/* Its transposed Jacobian products with the cotangent lambda of z+ (0 in padding lanes), which becomes that of y:
 *     by_z = (dz+/dz)^T lambda
 *     by_parameters += (dz+/dparameters)^T lambda
 * P of `clip` has derivative 0 strictly outside Z and 1 elsewhere, on the border too, so that a token that lies there
 * is not lost to the gradient; P of `sphere` that of y / |y|, (1 - n n^T) / |y| with n = y / |y|, and 0 at the origin
 * and where |y| is not finite; P of `none` 1, and 0 beyond BF_FARTHEST. At the kink of relu the slope is 0. */
void bf_step_transposed(const BfLayer *layer, const BfBlock *block, const double parameters[], const double *z,
                        const double *y, double *lambda, const BfTransposed *to, double *work);

/* The transpose of bf_layer_expand: by_u[layer->free] += what by_parameters[layer->parameters] gives for each free
 * number. */
void bf_layer_collect(const BfLayer *layer, const double by_parameters[], double by_u[]);

BF_API_END
