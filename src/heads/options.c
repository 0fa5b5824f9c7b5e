/* The options of `bellformer heads`, PETSc's among them. */
#include "bellformer/options.h"
#include "heads/settings.h"
#include <math.h>
#include <petscts.h>
#include <string.h>

#define AT(field) offsetof(BfHeadsSettings, field)

static const char *type_name(int i) {
  static const char *const names[] = {TSRK, TSEULER};
  return i < 2 ? names[i] : NULL;
}

const BfOption bf_heads_options[] = {
    {"tau", BF_OPTION_NUMBER, BF_ANSWER, "X", AT(tau), "100", 0, 1e12,
     .meaning = "training time: the gradient flow runs from 0 to X; 0: evaluate only"},
    {"risk", BF_OPTION_NUMBER, BF_ANSWER, "X", AT(risk), NULL, 0, 1e300,
     .meaning = "end once the risk is at most X; looked at after every step"},
    {"slope", BF_OPTION_NUMBER, BF_ANSWER, "X", AT(slope), NULL, 0, 1e300,
     .meaning = "end once dR/dtau is at most X in size"},
    {"box", BF_OPTION_BOOL, BF_ANSWER, NULL, AT(box),
     .meaning = "keep particles within the ranges of control.A and V: they are projected after every step, and what "
                "would lead out at the border rests. Without it they move freely"},
    {"outputs", BF_OPTION_INT, BF_ANSWER, "K", AT(outputs), "19", 0, 100000,
     .meaning = "report at K equal times between the start and the end, too; steps are cut to meet them"},
    {"init", BF_OPTION_TEXT, BF_KEPT, "FILE", AT(init),
     .meaning =
         "start at a table (layer, head, u0, u1, ...: the free numbers of A, then of V; weight may be a column), "
         "or at a result of solve, flow or heads; without it at heads.init of the problem"},
    {"head_groups", BF_OPTION_INT, BF_OF_THIS_START, "G", AT(groups), NULL, 1, 0x1p31,
     .meaning = "parts of the heads that ranks share, a divisor of their number; within a part they share sequences. "
                "Without it as many as there are chunks of heads for. The answer is the same"},
    {"insert", BF_OPTION_INT, BF_ANSWER, "N", AT(insert), NULL, 1, 1000000,
     .meaning = "N rounds: add a particle where the first variation is least, then descend on particles and weights"},
    {"kernel", BF_OPTION_BOOL, BF_ANSWER, NULL, AT(kernel), .meaning = "the tangent kernel at every report"},
    {"lse", BF_OPTION_BOOL, BF_ANSWER, NULL, AT(lse), .meaning = "the log-sum-exp test of every layer's laws"},
    {"certify", BF_OPTION_INT, BF_ANSWER, "CELLS", AT(certify), NULL, 1, 1e9,
     .meaning = "bounds by branch and bound over A, with so many cells at most; implies -box"},
    {"ts_type", BF_OPTION_OTHER, BF_ANSWER, "TYPE", .standard = TSRK, .choice = type_name,
     .meaning = "PETSc's TS: steps that it chooses, or equal ones: "},
    {"ts_rk_type", BF_OPTION_OTHER, BF_ANSWER, "TYPE", .standard = TSRK3BS,
     .meaning = "the Runge-Kutta scheme: 3bs, 5dp, ..."},
    {"ts_dt", BF_OPTION_OTHER, BF_ANSWER, "X", .standard = "0.1",
     .meaning = "the first step, of euler every one (it needs less than N / the largest eigenvalue of the kernel)"},
    {"ts_rtol", BF_OPTION_OTHER, BF_ANSWER, "X", .standard = "1e-5",
     .meaning = "relative tolerance of a step's error, in the largest number of any particle"},
    {"ts_atol", BF_OPTION_OTHER, BF_ANSWER, "X", .standard = "1e-7",
     .meaning = "absolute tolerance; far below 1e-6, or a risk near 0 is not followed. Far below that of ts_rtol, and "
                "steps shrink where a number passes 0"},
    {0}};

/* ---- PETSc's ----------------------------------------------------------------------------------------------------- */

#define SAME_STEPS "steps are to be the same on any number of ranks and after a restart"

static const char *const settled[][2] = {{"ts_max_time", "give -tau"},
                                         {"ts_init_time", "it is 0"},
                                         {"ts_time_span", "give -outputs"},
                                         {"ts_exact_final_time", "steps are cut to meet -tau and -outputs"},
                                         {"ts_save_trajectory", "give -outputs"},
                                         {"ts_adapt_wnormtype", "the error's norm is the maximum: " SAME_STEPS},
                                         {"ts_adapt_time_step_increase_delay", SAME_STEPS},
                                         {"ts_rk_multirate", "all particles take the same steps"},
                                         {"ts_use_splitrhsfunction", "all particles take the same steps"},
                                         {0}};
static const char *const prefix[]     = {"ts_", NULL};

/* TS and its adaptive part look up all options as they are set up, but for the viewer of the end. */
static int look(void) {
  TS          ts;
  PetscViewer viewer = NULL;
  PetscBool   given;
  PetscCall(TSCreate(PETSC_COMM_SELF, &ts));
  PetscCall(TSSetFromOptions(ts));
  PetscCall(PetscOptionsGetViewer(PETSC_COMM_SELF, NULL, NULL, "-ts_view", &viewer, NULL, &given));
  PetscCall(PetscViewerDestroy(&viewer));
  return TSDestroy(&ts);
}

static void values(const char *name, size_t size, char text[]) {
  if (!strcmp(name, "ts_adapt_type")) snprintf(text, size, "basic, none");
  if (!strcmp(name, "ts_type")) snprintf(text, size, TSRK ", " TSEULER);
}

const BfPetscOptions bf_heads_petsc = {bf_heads_options, prefix, settled, "ts_type", look, values};

BfStatus bf_heads_database_create(const char *petsc, struct _n_PetscOptions **database, BfError *error) {
  BF_TRY(bf_petsc_database_create(bf_heads_options, petsc, database, error));
  return bf_petsc(PetscOptionsSetValue(*database, "-ts_adapt_wnormtype", "INFINITY"), "PetscOptionsSetValue", error);
}

bool bf_heads_petsc_is(const char *name) { return bf_petsc_is(&bf_heads_petsc, name); }

/* Of PETSc's methods those whose steps depend on nothing but where they begin, and are explicit. */
static BfStatus check_words(const BfOptions *options, BfError *error) {
  static const char *const words[][3] = {{"ts_type", TSRK, TSEULER}, {"ts_adapt_type", TSADAPTBASIC, TSADAPTNONE}};
  for (int64_t i = 0; i < bf_options_count(options); i++)
    for (int k = 0; k < 2; k++) {
      const char *value = bf_options_value(options, i);
      if (strcmp(bf_options_name(options, i), words[k][0])) continue;
      if (strcmp(value, words[k][1]) && strcmp(value, words[k][2]))
        return bf_fail(error, BF_BAD_INPUT, "option -%s must be %s or %s, got '%s'", words[k][0], words[k][1],
                       words[k][2], value);
    }
  return BF_OK;
}

/* What equal steps do not read, and schemes without an estimate that steps could be chosen by. */
static PetscErrorCode find_scheme(bool *equal, bool *estimated) {
  TS               ts;
  TSAdapt          adapt;
  PetscBool        rk, none;
  const PetscReal *embedded = NULL;
  PetscCall(TSCreate(PETSC_COMM_SELF, &ts));
  PetscCall(TSSetFromOptions(ts));
  PetscCall(TSGetAdapt(ts, &adapt));
  PetscCall(PetscObjectTypeCompare((PetscObject)ts, TSRK, &rk));
  PetscCall(PetscObjectTypeCompare((PetscObject)adapt, TSADAPTNONE, &none));
  if (rk) PetscCall(TSRKGetTableau(ts, NULL, NULL, NULL, NULL, &embedded, NULL, NULL, NULL));
  *equal     = !rk || none;
  *estimated = embedded != NULL;
  return TSDestroy(&ts);
}

static BfStatus check_scheme(const char *petsc, const BfOptions *options, BfError *error) {
  static const char *const unread[] = {"ts_rtol", "ts_atol"};
  struct _n_PetscOptions  *database = NULL;
  bool                     equal = false, estimated = true;
  BfStatus                 status;
  BF_GOTO(bf_heads_database_create(petsc, &database, error));
  PetscOptionsPush(database);
  const int code = find_scheme(&equal, &estimated);
  PetscOptionsPop();
  BF_GOTO(bf_petsc(code, "TSSetFromOptions", error));
  for (int i = 0; i < 2 && equal; i++)
    if (bf_options_given(options, unread[i]))
      status = bf_fail(error, BF_BAD_INPUT, "option -%s has no meaning where steps are equal: give -ts_dt", unread[i]);
  if (!equal && !estimated)
    status = bf_fail(error, BF_BAD_INPUT,
                     "option -ts_adapt_type: the scheme of -ts_rk_type does not estimate its errors: give none");
done:
  bf_petsc_database_destroy(&database);
  return status;
}

BfStatus bf_heads_petsc_take(void *state, BfOptions *options, BfError *error) {
  BfHeadsSettings *o = state;
  char             room[32];
  o->box = o->box || o->certify; /* a certificate is of laws in the box */
  snprintf(room, sizeof room, "%lld", (long long)o->insert);
  if (o->insert && !bf_options_given(options, "heads_room")) BF_TRY(bf_options_add(options, "heads_room", room, error));
  BF_TRY(check_words(options, error));
  BF_TRY(bf_petsc_take(&bf_heads_petsc, options, &o->petsc, error));
  return check_scheme(o->petsc, options, error);
}
