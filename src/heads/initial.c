/* The law that heads start from. */
#include "heads/initial.h"
#include "bellformer/splitmix64.h"
#include "bellformer/store.h"
#include "problem/head_init.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- drawn ------------------------------------------------------------------------------------------------------- */

/* In (0, 1), as far from one end as its mirror image from the other. */
static double draw(uint64_t *state) { return ((double)(bf_splitmix64(state) >> 12) + 0.5) * 0x1p-52; }

static void draw_layer(const BfProblem *problem, uint64_t stream, int64_t count, BfHeadLaw *law, double theta[]) {
  const BfHeadStart *start = &problem->heads;
  const int          q = law->free, of_A = problem->layer.attention[0].free;
  bf_splitmix64_skip(&stream, (uint64_t)law->first * (uint64_t)q);
  for (int64_t i = 0; i < count * q; i++) {
    const int j = (int)(i % q);
    theta[i]    = start->init->number(start->deviation[j >= of_A], problem->control_lower[j], problem->control_upper[j],
                                      draw(&stream));
  }
}

static void draw_law(const BfProblem *problem, int64_t H, BfHeadLaw *law) {
  const int64_t left = H - law->first, count = left < 0 ? 0 : left < law->count ? left : law->count;
  uint64_t      state = (uint64_t)problem->heads.seed;
  const int64_t row   = law->count * law->free;
  for (int t = 0; t < law->layers; t++) {
    if (t && problem->heads.same) memcpy(law->theta + t * row, law->theta, (size_t)row * sizeof *law->theta);
    else draw_layer(problem, bf_splitmix64(&state), count, law, law->theta + t * row);
    for (int64_t i = 0; i < law->count; i++) law->weight[t * law->count + i] = i < count ? 1.0 / (double)H : 0;
  }
}

/* ---- from a file ------------------------------------------------------------------------------------------------- */

/* Of a law, the sum of the first `heads` weights of a layer. */
static double sum_weights(const BfHeadLaw *law, int t, int64_t heads) {
  double sum = 0;
  for (int64_t h = 0; h < heads && h < law->heads; h++) sum += law->weight[t * law->heads + h];
  return sum;
}

static BfStatus thin(const BfRun *run, const BfHeadLaw *from, int64_t H, const char *init, double scale[],
                     BfError *error) {
  double least = 1;
  for (int t = 0; t < from->layers; t++) {
    const double kept = sum_weights(from, t, H);
    if (!(kept > 0))
      return bf_fail(error, BF_BAD_INPUT, "-init %s: the first %" PRId64 " of its heads have no weight at layer %d",
                     init, H, t);
    scale[t] = 1 / kept;
    if (kept < least) least = kept;
  }
  bf_print(run,
           "-init %s: the first %" PRId64 " of its %" PRId64
           " heads are taken, which have at least %.3g %% of the weight\n",
           init, H, from->heads, 100 * least);
  return BF_OK;
}

/* A fixed V is divided by the number of heads in the layer that is written, whatever their weights. */
static BfStatus check_weights(const BfProblem *problem, const BfHeadLaw *from, int64_t H, const char *init,
                              BfError *error) {
  bool equal = H <= from->heads || H % from->heads == 0;
  if (problem->layer.attention[1].free) return BF_OK;
  for (int64_t i = 0; i < from->layers * from->heads; i++) equal &= from->weight[i] == from->weight[0];
  return equal ? BF_OK
               : bf_fail(error, BF_BAD_INPUT, "-init %s: heads would have different weights, where V is fixed", init);
}

/* Head h from head h mod H' of the whole law. */
static BfStatus take(const BfRun *run, const BfProblem *problem, const BfHeadLaw *from, const char *init,
                     BfHeadLaw *law, BfError *error) {
  const int64_t H = bf_heads_number(problem), have = from->heads;
  const int     q     = law->free;
  double       *scale = NULL;
  BfStatus      status;
  BF_TRY(check_weights(problem, from, H, init, error));
  BF_TRY(BF_NEW(&scale, law->layers, error));
  for (int t = 0; t < law->layers; t++) scale[t] = 1;
  if (have > H) BF_GOTO(thin(run, from, H, init, scale, error));
  for (int64_t i = 0; i < law->layers * law->count; i++) {
    const int64_t t = i / law->count, h = law->first + i % law->count, source = t * have + h % have;
    const double  copies = (double)(H / have + (h % have < H % have));
    law->weight[i]       = h >= H ? 0 : have > H ? from->weight[source] * scale[t] : from->weight[source] / copies;
    for (int j = 0; j < q; j++) law->theta[i * q + j] = h < H ? from->theta[source * q + j] : 0;
  }
  status = BF_OK;
done:
  bf_free(scale);
  return status;
}

/* Whether it is an HDF5 file with a group of that name. */
static BfStatus is_result(const BfRun *run, const char *path, bool *result, BfError *error) {
  char     begin[8] = "";
  BfFile   file     = {.bytes = begin, .size = sizeof begin};
  BfStore *store    = NULL;
  BfStatus status   = BF_OK;
  FILE    *stream   = run->rank ? NULL : fopen(path, "rb");
  if (!run->rank && !stream) bf_fail(error, BF_BAD_INPUT, "-init: cannot read %s: %s", path, strerror(errno));
  if (stream && fread(begin, 1, sizeof begin, stream) < sizeof begin) file.size = 0;
  if (stream) fclose(stream);
  BF_TRY(bf_agree(run->world, error));
  *result = bf_file_is_hdf5(&file);
  MPI_Bcast(result, sizeof *result, MPI_BYTE, 0, run->world);
  if (!*result) return BF_OK;
  BF_GOTO(bf_store_open(run->world, path, &store, error));
  BF_GOTO(bf_store_has(store, "/rollout", result, error));
done:
  return bf_store_end(&store, error);
}

static BfStatus read_law(const BfRun *run, const BfProblem *problem, const char *path, BfHeadLaw *law, BfError *error) {
  bool result;
  BF_TRY(is_result(run, path, &result, error));
  return result ? bf_heads_read_result(run, problem, path, law, error)
                : bf_heads_read_table(run, problem, path, law, error);
}

BfStatus bf_heads_initial(const BfRun *run, const BfProblem *problem, const char *init, BfHeadLaw *law,
                          BfError *error) {
  BfHeadLaw whole = {0};
  BfStatus  status;
  if (!init) {
    draw_law(problem, bf_heads_number(problem), law);
    return BF_OK;
  }
  BF_GOTO(read_law(run, problem, init, &whole, error));
  status = bf_together(run->world, take(run, problem, &whole, init, law, error), error);
done:
  bf_heads_law_clear(&whole);
  return status;
}
