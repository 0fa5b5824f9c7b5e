#include "solve/covering.h"
#include "quantize/controls.h"
#include <math.h>

/* Points at a time: what memory they take does not depend on how many there are. */
enum { BLOCK = 256 };

/* The work of a rank. */
typedef struct {
  const BfProblem *problem;
  double          *scale; /* [q] one over each side */
  double          *u;     /* [BLOCK][q] */
  double           far;   /* |u - u_k|^2 of the point that is farthest from its nearest action, so far */
} Covering;

static BfStatus create(const BfProblem *problem, Covering *x, BfError *error) {
  const int q = problem->layer.free;
  *x          = (Covering){.problem = problem};
  BF_TRY(BF_NEW(&x->scale, q, error));
  for (int j = 0; j < q; j++) {
    const double side = problem->control_upper[j] - problem->control_lower[j];
    x->scale[j]       = side > 0 ? 1 / side : 0;
  }
  return BF_NEW(&x->u, (int64_t)BLOCK * q, error);
}

static void clear(Covering *x) {
  bf_free(x->scale);
  bf_free(x->u);
}

/* |u - u_k|^2 with side j as unit 1 / scale[j], as far as it is below `most`. */
static double distance2(int q, const double u[], const double action[], const double scale[], double most) {
  double sum = 0;
  for (int j = 0; j < q && sum < most; j++) {
    const double apart = (u[j] - action[j]) * scale[j];
    sum += apart * apart;
  }
  return sum;
}

static BfStatus cover(Covering *x, int64_t first, int64_t count, BfError *error) {
  const BfProblem *p = x->problem;
  const int        q = p->layer.free;
  BF_TRY(bf_controls_halton_part(q, p->control_lower, p->control_upper, first, count, UINT64_MAX, x->u, error));
  for (int64_t i = 0; i < count; i++) {
    double nearest = INFINITY;
    for (int64_t k = 0; k < p->actions && nearest > x->far; k++)
      nearest = fmin(nearest, distance2(q, x->u + i * q, p->action + k * q, x->scale, nearest));
    x->far = fmax(x->far, nearest);
  }
  return BF_OK;
}

/* Points of a block: so few that every rank has some. */
static int64_t block_of(int64_t points, int ranks) {
  const int64_t even = (points + ranks - 1) / ranks;
  return even < BLOCK ? even : BLOCK;
}

/* Blocks are dealt to ranks. */
static BfStatus cover_share(Covering *x, const BfRun *run, const BfProblem *problem, int64_t points, BfError *error) {
  BF_TRY(create(problem, x, error));
  const int64_t block = block_of(points, run->size);
  for (int64_t first = run->rank * block; first < points; first += run->size * block)
    BF_TRY(cover(x, first, points - first < block ? points - first : block, error));
  return BF_OK;
}

BfStatus bf_covering_radius(const BfRun *run, const BfProblem *problem, int64_t points, double *radius,
                            BfError *error) {
  Covering x;
  BfStatus status = bf_together(run->world, cover_share(&x, run, problem, points, error), error);
  MPI_Allreduce(MPI_IN_PLACE, &x.far, 1, MPI_DOUBLE, MPI_MAX, run->world);
  *radius = sqrt(x.far);
  clear(&x);
  return status;
}

BfStatus bf_covering_estimate(const BfProblem *problem, int64_t points, int ranks, double *seconds, BfError *error) {
  const double begin = bf_seconds();
  int64_t      done  = 0;
  Covering     x;
  BfStatus     status = create(problem, &x, error);
  for (int64_t count = 1; status == BF_OK && done < points && bf_seconds() - begin < 0.01;
       count         = count < BLOCK ? 2 * count : BLOCK) {
    if (count > points - done) count = points - done;
    status = cover(&x, done, count, error);
    done += count;
  }
  const int64_t block  = block_of(points, ranks);
  const double  blocks = ceil((double)points / (double)block), most = ceil(blocks / ranks) * (double)block;
  *seconds = (bf_seconds() - begin) / (double)(done ? done : 1) * fmin(most, (double)points);
  clear(&x);
  return status;
}
