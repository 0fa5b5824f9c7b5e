/* Kernels in every instruction set against the generic ones: what a family of cases is, and what cases share. */
#pragma once
#include <stdint.h>

#include "bellformer/layer.h"
#include "kernel/kernels.h"
#include "layer/flat.h"

/* What a case holds, given back together. */
typedef struct {
  void  **held;
  int64_t count, room;
} Memory;
void *take(Memory *m, int64_t count, size_t size); /* zeroed, 64-byte aligned; ends the program where there is none */
#define TAKE(m, type, count) ((type *)take((m), (count), sizeof(type)))
void keep(Memory *m, void *pointer);
void release(Memory *m);

/* Random choices: the same on every machine. */
int    below(uint64_t *seed, int bound);
double within(uint64_t *seed, double low, double high);
void   fill_random(uint64_t *seed, int64_t count, double scale, double x[]); /* in [-scale, scale] */

enum { MOST_OUTPUTS = 3 };
typedef struct {
  int     count;
  double *out[MOST_OUTPUTS]; /* what a run fills; compared as a whole each */
  int64_t size[MOST_OUTPUTS];
} Outputs;
double *output(Memory *m, Outputs *outputs, int64_t size);

typedef enum {
  EVERYWHERE,       /* the same bits in every instruction set of every architecture */
  INSTRUCTION_SETS, /* the same bits in those of one architecture; between architectures, whose libm differ, to 1e-13 */
  CLOSE             /* to 1e-13 of the largest number of an output */
} Promise;

typedef struct {
  const char *name;
  Promise     promise;
  int         cases;
  /* A random case of `seed`; `large`: the one that is timed. */
  void *(*make)(Memory *m, uint64_t *seed, int large, Outputs *outputs);
  void (*run)(void *x, const BfKernels *kernels);
  /* How many numbers of the outputs are not what the definition gives, bit for bit; NULL where other tests do that. */
  int64_t (*wrong)(void *x, const Outputs *outputs);
} Family;

extern const Family exp_family, activation_family, norm_family;
extern const Family layer_family, layer_libm_family, known_family, alone_family;
extern const Family table_family, pairs_family;
extern const Family sweep_family, last_family, take_family;
extern const Family velocity_family, transposed_family;
extern const Family softmax_family, squares_family;

/* A random layer of dim components; activation: NULL, or a name. Its parameters are to come. */
void make_layer(Memory *m, uint64_t *seed, int dim, const char *activation, BfLayer *layer);
/* A random context of at most `tags` tags of at most `atoms` atoms. */
void make_context(Memory *m, uint64_t *seed, int tags, int atoms, BfContext *context);
/* Random parameters [parameters][BF_LANES] in [-scale, scale]. */
double *make_parameters(Memory *m, uint64_t *seed, const BfLayer *layer, double scale);
