/* What `info` tells of heads. */
#include "heads/check.h"
#include "heads/share.h"
#include "heads/tangent/tangent.h"
#include "heads/trainer.h"
#include "heads/variation/variation.h"
#include <math.h>
#include <petscts.h>

typedef char Text[BF_HUMAN];

static const double moment   = 0.15; /* seconds of evaluations */
static const double logits   = 4e6;  /* of an evaluation that is measured, about */
static const double adaptive = 400;  /* evaluations of a descent that chooses its steps, at -ts_rtol 1e-5: a guess */

/* ---- an evaluation ----------------------------------------------------------------------------------------------- */

static double pairs(const BfData *data, int64_t s) {
  const double n = (double)(data->tag_first[data->context_first[s + 1]] - data->tag_first[data->context_first[s]]);
  return n * n;
}

static double all_pairs(const BfData *data) {
  double sum = 0;
  for (int64_t s = 0; s < data->contexts; s++) sum += pairs(data, s);
  return sum;
}

/* The first sequences, of one layer and few heads. */
static BfData take_part(const BfData *data, double most) {
  BfData part   = *data;
  double sum    = 0;
  part.contexts = 0;
  while (part.contexts < data->contexts && (!part.contexts || sum + pairs(data, part.contexts) <= most))
    sum += pairs(data, part.contexts++);
  part.tags   = data->context_first[part.contexts];
  part.tokens = data->tag_first[part.tags];
  return part;
}

/* The mean of some, after a first one that warms up. */
static BfStatus measure(BfHeads *heads, BfHeadLaw *law, double *velocity, double *seconds, BfError *error) {
  double spent = 0;
  for (int count = -1; count < 1 || spent < moment; count++) {
    BfHeadsValue value = {.velocity = velocity};
    const double begin = bf_seconds();
    BF_TRY(bf_heads_evaluate(heads, law, &value, error));
    spent += count >= 0 ? bf_seconds() - begin : 0;
    *seconds = spent / (count + 1);
  }
  return BF_OK;
}

/* Seconds of an evaluation by one rank, from a part of it that this rank evaluates by itself. */
static BfStatus estimate_alone(BfRun *alone, const BfProblem *problem, double *seconds, BfError *error) {
  BfProblem    small    = *problem;
  BfHeads     *heads    = NULL;
  BfHeadLaw    law      = {0};
  double      *velocity = NULL;
  const BfData part     = take_part(&problem->train, logits / BF_LANES);
  const double there = all_pairs(&part), H = problem->layer.heads;
  const double few = fmax(BF_LANES, fmin(H, BF_LANES * floor(logits / there / BF_LANES)));
  BfStatus     status;
  small.horizon = 1;
  BF_GOTO(bf_heads_create(alone, &small, &part, (int64_t)few, 0, &heads, error));
  BF_GOTO(bf_together(alone->world, bf_heads_law_create(heads, &law, error), error));
  BF_GOTO(bf_together(alone->world, BF_NEW(&velocity, law.count * law.free, error), error));
  BF_GOTO(measure(heads, &law, velocity, seconds, error));
  *seconds *= problem->horizon * fmax(1, H / few) * all_pairs(&problem->train) / there;
done:
  bf_free(velocity);
  bf_heads_law_clear(&law);
  bf_heads_destroy(&heads);
  return status;
}

/* The mean over ranks. Collective. */
static BfStatus estimate(const BfRun *run, const BfProblem *problem, double *seconds, BfError *error) {
  BfRun *alone = NULL;
  *seconds     = 0;
  bf_run_create(MPI_COMM_SELF, 0, &alone, error);
  if (error->status == BF_OK) alone->quiet = true;
  if (bf_agree(run->world, error) == BF_OK) estimate_alone(alone, problem, seconds, error);
  bf_run_destroy(&alone);
  BF_TRY(bf_agree(run->world, error));
  (void)MPI_Allreduce(MPI_IN_PLACE, seconds, 1, MPI_DOUBLE, MPI_SUM, run->world);
  *seconds /= run->size;
  return BF_OK;
}

/* Of a rank that has most: whole chunks of heads, and of sequences what falls to it; and what ranks tell each other at
 * every layer, there and back. */
static double by_ranks(const BfMachine *m, const BfProblem *p, int groups, double alone) {
  int          blocks;
  const double chunks = (double)bf_heads_chunks(p->layer.heads, &blocks), tokens = (double)p->train.tokens;
  const double along   = fmin(m->ranks / groups, fmax(1, fmin((double)p->train.contexts, tokens / 8)));
  const double a_layer = bf_reduction_of_ranks(m, groups, 16 * tokens * p->layer.dim / along);
  return alone * bf_most_dealt(chunks, groups) / chunks / along + 2 * p->horizon * a_layer +
         bf_reduction_of_ranks(m, (int)along, 16.0 * p->horizon * p->layer.free / groups);
}

/* Searches of the least first variation, as evaluations by one rank: of the law at the start, at the end and of each
 * round, layers dealt to ranks. */
static double searches(const BfHeadsSettings *o, const BfProblem *p, int ranks) {
  const double H = fmax(1, p->layer.heads);
  return (double)(2 + o->insert) * bf_stationarity_heads(p->layer.heads) / H * bf_most_dealt(p->horizon, ranks) /
         p->horizon;
}

/* ---- how many ---------------------------------------------------------------------------------------------------- */

/* Stages of the scheme, and evaluations of the whole descent; guessed where TS chooses its steps. */
typedef struct {
  PetscInt stages;
  double   evaluations;
  bool     guessed;
} Scheme;

/* Of a scheme of order p, whose steps are as long as (the tolerance)^(1/p). */
static PetscErrorCode guess(TS ts, double *evaluations) {
  PetscInt  order;
  PetscReal rtol;
  PetscCall(TSRKGetOrder(ts, &order));
  PetscCall(TSGetTolerances(ts, NULL, NULL, &rtol, NULL));
  *evaluations = adaptive * pow(1e-5 / fmax(rtol, 1e-15), 1.0 / order);
  return 0;
}

static PetscErrorCode read_scheme(const BfHeadsSettings *o, Scheme *out) {
  TS        ts;
  TSAdapt   adapt;
  PetscReal dt;
  double    guessed = 0;
  PetscBool rk, none, fsal = PETSC_FALSE;
  PetscCall(TSCreate(PETSC_COMM_SELF, &ts));
  PetscCall(TSSetFromOptions(ts));
  PetscCall(TSGetAdapt(ts, &adapt));
  PetscCall(TSGetTimeStep(ts, &dt));
  PetscCall(PetscObjectTypeCompare((PetscObject)ts, TSRK, &rk));
  PetscCall(PetscObjectTypeCompare((PetscObject)adapt, TSADAPTNONE, &none));
  out->stages = 1;
  if (rk) PetscCall(TSRKGetTableau(ts, &out->stages, NULL, NULL, NULL, NULL, NULL, NULL, &fsal));
  if (rk) PetscCall(guess(ts, &guessed));
  const double steps = ceil(o->tau / dt) + (double)o->outputs, each = out->stages - (rk && fsal);
  out->guessed     = rk && !none;
  out->evaluations = 1 + (out->guessed ? fmax(guessed, each * (double)o->outputs) : steps * each);
  out->evaluations *= (double)(1 + o->insert); /* a descent a round */
  if (o->tau <= 0) out->evaluations = 1;
  return TSDestroy(&ts);
}

static BfStatus find_scheme(const BfHeadsSettings *o, Scheme *out, BfError *error) {
  PetscOptions database = NULL;
  BfStatus     status;
  BF_GOTO(bf_heads_database_create(o->petsc, &database, error));
  PetscOptionsPush(database);
  const int code = read_scheme(o, out);
  PetscOptionsPop();
  status = bf_petsc(code, "TSSetFromOptions", error);
done:
  bf_petsc_database_destroy(&database);
  return status;
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* Of a node, if its heads are shared by all ranks: particles with their copies (of TS, a step and its beginning); on
 * every rank the model (its A or its V as they are written, or a layer in lanes), tokens and adjoints at all depths,
 * and what kernel and certificate are made of. */
static double node_bytes(const BfInfo *x, const BfHeadsSettings *o, const Scheme *scheme) {
  const BfProblem *p = x->problem;
  const double     T = p->horizon, all = T * p->layer.free, ranks = bf_info_node_ranks(x),
               whole     = x->machine ? x->machine->ranks : x->run->size,
               particles = 8 * all * (8 + 2 * scheme->stages) * ranks / whole,
               model     = 8 * (T * p->layer.free + fmax(T / 2, BF_LANES) * p->layer.parameters),
               tokens    = 8 * 6 * (T + 1) * (double)(p->train.tokens + p->test.tokens) * p->layer.dim;
  const double kernel    = o->kernel ? bf_tangent_bytes(p, &p->train, p->layer.heads, (int)whole) : 0;
  const double cells     = o->certify ? bf_certify_bytes(o->certify) : 0;
  return particles + ranks * (model + tokens + kernel + cells) + bf_info_program_bytes(x);
}

BfStatus bf_heads_tell_estimate(void *state, const BfInfo *x, BfError *error) {
  const BfHeadsSettings *o = &((const BfHeadsState *)state)->set;
  const BfProblem       *p = x->problem;
  const double           T = p->horizon, H = p->layer.heads, q = H ? p->layer.free / H : 0;
  Scheme                 scheme = {0};
  double                 alone;
  int                    blocks, groups;
  BfEstimate             e = {0};
  BfMachine              own;
  Text                   a;
  BF_TRY(bf_heads_trainer.choose(state, x->run, p, error)); /* refuses an -init that is not there */
  BF_TRY(bf_together(x->run->world, bf_heads_trainer.check(state, p, error), error));
  BF_TRY(bf_together(x->run->world, find_scheme(o, &scheme, error), error));
  if (!x->machine) bf_machine_of_run(x->run, &own);
  const BfMachine *m      = x->machine ? x->machine : &own;
  const int64_t    chunks = bf_heads_chunks(p->layer.heads, &blocks);
  BF_TRY(bf_together(x->run->world, bf_heads_choose_groups(m->ranks, chunks, (int)o->groups, &groups, error), error));
  BF_TRY(estimate(x->run, p, &alone, error));
  const double seconds = by_ranks(m, p, groups, alone);
  e.rough              = scheme.guessed || o->kernel || o->lse || o->certify;
  e.at_most            = !e.rough;
  bf_print(x->run, "  %.0f heads a layer of %g free numbers, in %.0f layers: %.0f numbers\n", H, q, T,
           T * p->layer.free);
  bf_print(x->run, "  an evaluation      about %s with its gradient; %s%.0f of them to tau = %g%s\n",
           bf_human_time(seconds, a), scheme.guessed ? "perhaps " : "at most ", scheme.evaluations, o->tau,
           scheme.guessed ? ", a guess: steps are chosen as they go" : "");
  bf_info_memory(x, "about ", node_bytes(x, o, &scheme), bf_info_memory_left(x), "");
  bf_estimate_add(x->run, &e, "descent", scheme.evaluations * seconds);
  bf_estimate_add(x->run, &e, "stationarity", searches(o, p, m->ranks) * alone);
  if (o->kernel || o->certify || o->lse) bf_print(x->run, "  -kernel, -lse and -certify are not in the time below\n");
  BF_TRY(bf_info_ends(x, "about ", 8 * T * H * (2 * q + 1) + 16 * (T + 1) * (double)p->train.tokens * p->layer.dim, "",
                      &e, error));
  bf_info_time(x, &e);
  return BF_OK;
}
