/* Transition tables by images (src/kernel/images.h) against a whole layer for every measure: every entry the same
 * number, in every way to find images, by every instruction set that this machine runs, whatever the number of workers.
 * Laws that lie on a border between cells, or whose rounding by [R11] is tied, are decided otherwise: few but where
 * actions are laid so that they must be. */
#include "../ranks.h" /* before PETSc's, whose macros count messages */

#include "bellformer/solve.h"
#include "bellformer/splitmix64.h"
#include "kernel/kernels.h"
#include "solve/full/images.h"
#include "solve/full/table_shape.h"
#include <petscsys.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const char *name, *keys;
  const char *tags; /* of one context: position and label of each, two characters a tag, and how many tokens */
  int         way;
  bool        tied;
} Case;

#define PLANE "token.dim=2;token.lower=-1.5,-1.5;token.upper=1.5,1.5;"
#define SAMPLE "action.kind=sample;action.count=21;action.seed=3;control.A.range=-3,3;control.V.range=-2,2;"
#define NEAREST "quantize.transition=nearest;"
#define SPLIT "quantize.transition=split;"

static const Case cases[] = {
    {"one tag", PLANE SAMPLE NEAREST "quantize.cells=4,3;quantize.atoms=3", "003", BF_IMAGES_ROWS, false},
    {"three tags alike", PLANE SAMPLE NEAREST "quantize.cells=3,2;quantize.atoms=2", "002012022", BF_IMAGES_UNIONS,
     false},
    {"three tags alike, split", PLANE SAMPLE SPLIT "quantize.cells=3,2;quantize.atoms=3", "002012022", BF_IMAGES_UNIONS,
     false},
    {"three tags alike, split, a feed-forward part, RMS norm",
     PLANE SAMPLE SPLIT
     "quantize.cells=3,3;quantize.atoms=2;layer.feedforward=tanh;layer.width=2;control.W1.range=-2,2;"
     "control.b1.range=-1,1;control.W2.range=-1,1;control.b2.range=-1,1;layer.norm=rms",
     "003013023", BF_IMAGES_UNIONS, false},
    {"four tags, two of them of another mass", PLANE SAMPLE NEAREST "quantize.cells=2,2;quantize.atoms=2",
     "002012025035", BF_IMAGES_ROWS, false},
    {"five positions, causal", PLANE SAMPLE NEAREST "quantize.cells=3,3;quantize.atoms=1;layer.mask=causal",
     "001101201301401", BF_IMAGES_UNIONS, false},
    {"two tags alike", PLANE SAMPLE NEAREST "quantize.cells=4,3;quantize.atoms=3", "003013", BF_IMAGES_PAIRS, false},
    {"two tags alike, two heads, split", PLANE SAMPLE SPLIT "quantize.cells=4,3;quantize.atoms=2;layer.heads=2",
     "003013", BF_IMAGES_PAIRS, false},
    {"a tag of few laws before one of many", PLANE SAMPLE NEAREST "quantize.cells=4,3;quantize.atoms=0", "001014",
     BF_IMAGES_PAIRS, false},
    {"two tags of two masses", PLANE SAMPLE NEAREST "quantize.cells=4,3;quantize.atoms=2", "002015", BF_IMAGES_PAIRS,
     false},
    {"two tags, an encoding, causal, no residual",
     PLANE SAMPLE NEAREST "quantize.cells=4,3;quantize.atoms=2;layer.mask=causal;layer.residual=0;"
                          "data.position_encoding=0.1,0.2,-0.3,0.1",
     "001101", BF_IMAGES_PAIRS, false},
    {"three tags, an encoding, causal, two heads",
     PLANE SAMPLE NEAREST "quantize.cells=3,3;quantize.atoms=1;layer.mask=causal;layer.heads=2;"
                          "data.position_encoding=0.1,0.2,-0.3,0.1,0.2,-0.2",
     "001101201", BF_IMAGES_ROWS, false},
    {"three tags, an encoding, split",
     PLANE SAMPLE SPLIT "quantize.cells=3,2;quantize.atoms=2;data.position_encoding=0.1,0.2,-0.3,0.1,0.2,-0.2",
     "002102202", BF_IMAGES_ROWS, false},
    {"on the sphere", PLANE SAMPLE NEAREST "quantize.cells=4,4;quantize.atoms=2;token.projection=sphere", "002012",
     BF_IMAGES_PAIRS, false},
    {"on the sphere, split", PLANE SAMPLE SPLIT "quantize.cells=3,2;quantize.atoms=2;token.projection=sphere",
     "002012022", BF_IMAGES_UNIONS, false},
    {"without projection", PLANE SAMPLE SPLIT "quantize.cells=4,3;quantize.atoms=2;token.projection=none", "002012",
     BF_IMAGES_PAIRS, false},
    {"on a line, logits 80 to 600 apart",
     "token.dim=1;token.lower=-2;token.upper=2;" SAMPLE NEAREST "quantize.cells=9;quantize.atoms=3;layer.beta=20",
     "003013", BF_IMAGES_PAIRS, false},
    {"on a line, logits more than 600 apart",
     "token.dim=1;token.lower=-2;token.upper=2;" SAMPLE SPLIT "quantize.cells=9;quantize.atoms=3;layer.beta=2000",
     "003013", BF_IMAGES_PAIRS, false},
    {"eight atoms, ranks beyond floats",
     "token.dim=1;token.lower=-2;token.upper=2;" NEAREST "action.kind=sample;action.count=6;action.seed=3;"
     "control.A.range=-3,3;control.V.range=-2,2;quantize.cells=14;quantize.atoms=8",
     "008", BF_IMAGES_ROWS, false},
    {"in five dimensions, layer norm, linear",
     "token.dim=5;token.lower=-1,-1,-1,-1,-1;token.upper=1,1,1,1,1;" SAMPLE SPLIT
     "quantize.cells=2,1,2,3,1;quantize.atoms=1;layer.norm=layer;layer.linear=1;"
     "control.B.form=scalar;control.B.range=-1,1",
     "001011", BF_IMAGES_PAIRS, false},
    {"no numbers from a feed-forward part, on some cells",
     PLANE NEAREST "quantize.cells=4,3;quantize.atoms=2;layer.feedforward=relu;layer.width=2;action.kind=grid;"
                   "control.A.form=scalar;control.A.range=-1,1;control.A.levels=2;control.V.form=scalar;"
                   "control.V.range=-1,1;control.V.levels=2;control.W1.range=1e200,1e200;control.W1.levels=1;"
                   "control.b1.range=0,0;control.b1.levels=1;control.W2.range=-1e200,1e200;control.W2.levels=2;"
                   "control.b2.range=0,0;control.b2.levels=1",
     "002012", BF_IMAGES_PAIRS, true},
    {"far beyond the sphere",
     PLANE NEAREST "quantize.cells=4,4;quantize.atoms=2;token.projection=sphere;action.kind=sample;"
                   "action.count=20;action.seed=1;control.A.range=-3,3;control.V.range=-1e25,1e25",
     "002012", BF_IMAGES_PAIRS, true},
    {"in space",
     "token.dim=3;token.lower=-1,-1,-1;token.upper=1,1,1;" SAMPLE SPLIT "quantize.cells=2,3,2;quantize.atoms=2",
     "002012", BF_IMAGES_PAIRS, false},
    {"on borders",
     PLANE NEAREST "quantize.cells=4,4;quantize.atoms=2;step=0.5;action.kind=grid;control.A.form=scalar;"
                   "control.A.range=-1,1;control.A.levels=3;control.V.form=scalar;control.V.range=-2,2;"
                   "control.V.levels=5",
     "002012", BF_IMAGES_PAIRS, true},
    {"tied",
     PLANE SPLIT "quantize.cells=3,3;quantize.atoms=2;step=0.5;action.kind=grid;control.A.form=scalar;"
                 "control.A.range=-1,1;control.A.levels=3;control.V.form=scalar;control.V.range=-2,2;"
                 "control.V.levels=5",
     "002012022", BF_IMAGES_UNIONS, true},
    {"by ranks, two tags alike", PLANE SAMPLE NEAREST "quantize.cells=4,3;quantize.atoms=3", "003013", BF_IMAGES_RANKS,
     false},
    {"by ranks, as many cells and atoms as in moons, nearly",
     PLANE SAMPLE NEAREST "quantize.cells=3,2;quantize.atoms=4;step=1", "004014", BF_IMAGES_RANKS, false},
    {"by ranks, a tag of few laws before one of many", PLANE SAMPLE NEAREST "quantize.cells=4,3;quantize.atoms=0",
     "001014", BF_IMAGES_RANKS, false},
    {"by ranks, two tags of two masses, more than 16 cells", PLANE SAMPLE NEAREST "quantize.cells=6,3;quantize.atoms=2",
     "002015", BF_IMAGES_RANKS, false},
    {"by ranks, an encoding, no residual, a feed-forward part, RMS norm",
     PLANE SAMPLE NEAREST "quantize.cells=3,3;quantize.atoms=2;layer.residual=0;layer.feedforward=tanh;layer.width=2;"
                          "control.W1.range=-2,2;control.b1.range=-1,1;control.W2.range=-1,1;control.b2.range=-1,1;"
                          "layer.norm=rms;data.position_encoding=0.1,0.2,-0.3,0.1",
     "002102", BF_IMAGES_RANKS, false},
    {"by ranks, without projection, in space",
     "token.dim=3;token.lower=-1,-1,-1;token.upper=1,1,1;token.projection=none;" SAMPLE NEAREST
     "quantize.cells=2,3,2;quantize.atoms=2",
     "002012", BF_IMAGES_RANKS, false},
    {"by ranks, on a line, logits 80 to 600 apart",
     "token.dim=1;token.lower=-2;token.upper=2;" SAMPLE NEAREST "quantize.cells=5;quantize.atoms=5;layer.beta=20",
     "005015", BF_IMAGES_RANKS, false},
    {"by ranks, on a line, logits more than 600 apart",
     "token.dim=1;token.lower=-2;token.upper=2;" SAMPLE NEAREST "quantize.cells=5;quantize.atoms=3;layer.beta=2000",
     "003013", BF_IMAGES_RANKS, false},
    {"by ranks, no attention: laws of one mean",
     PLANE NEAREST "quantize.cells=3,3;quantize.atoms=3;action.kind=sample;action.count=9;action.seed=3;control.A."
                   "range=0,0;control.V.range=-2,2",
     "003013", BF_IMAGES_RANKS, false},
    {"by ranks, no numbers from a feed-forward part, on some cells",
     PLANE NEAREST
     "quantize.cells=4,3;quantize.atoms=2;layer.feedforward=relu;layer.width=2;action.kind=grid;control.A.form=scalar;"
     "control.A.range=-1,1;control.A.levels=2;control.V.form=scalar;control.V.range=-1,1;control.V.levels=2;control.W1."
     "range=1e200,1e200;control.W1.levels=1;control.b1.range=0,0;control.b1.levels=1;control.W2.range=-1e200,1e200;"
     "control.W2.levels=2;control.b2.range=0,0;control.b2.levels=1",
     "002012", BF_IMAGES_RANKS, true},
    {"by ranks, huge V",
     PLANE NEAREST "quantize.cells=4,4;quantize.atoms=2;action.kind=sample;action.count=20;action.seed=1;control.A."
                   "range=-3,3;control.V.range=-1e12,1e12",
     "002012", BF_IMAGES_RANKS, false},
    {"by ranks, on borders",
     PLANE NEAREST "quantize.cells=4,4;quantize.atoms=2;step=0.5;action.kind=grid;control.A.form=scalar;control.A."
                   "range=-1,1;control.A.levels=3;control.V.form=scalar;control.V.range=-2,2;control.V.levels=5",
     "002012", BF_IMAGES_RANKS, true},
    {"by ranks, on borders, of two masses",
     PLANE NEAREST "quantize.cells=4,4;quantize.atoms=2;step=0.5;action.kind=grid;control.A.form=scalar;control.A."
                   "range=-1,1;control.A.levels=3;control.V.form=scalar;control.V.range=-2,2;control.V.levels=5",
     "002014", BF_IMAGES_RANKS, true},
};

static bool ranks; /* whether they pay, however few laws there are */
bool        __wrap_bf_ranks_pay(const BfImagesPlan *plan);
bool        __wrap_bf_ranks_pay(const BfImagesPlan *plan) { return plan && ranks; }

static int64_t uncertain; /* measures that images do not decide */
BfStatus       __real_bf_images_settle(const BfTagImages *images, const BfTableShare *share, int64_t block,
                                       const BfTableRegion *region, int64_t doubts, BfError *error);
BfStatus       __wrap_bf_images_settle(const BfTagImages *images, const BfTableShare *share, int64_t block,
                                       const BfTableRegion *region, int64_t doubts, BfError *error) {
        uncertain += doubts;
        return __real_bf_images_settle(images, share, block, region, doubts, error);
}

/* ---- problems --------------------------------------------------------------------------------------------------- */

static char *make_table(const Case *c, int dim) {
  char    *text = malloc(8192);
  uint64_t seed = 7;
  int      at   = sprintf(text, "sequence,position,label");
  for (int a = 0; a < dim; a++) at += sprintf(text + at, ",z%d", a);
  at += sprintf(text + at, "\n");
  for (const char *tag = c->tags; *tag; tag += 3)
    for (int i = 0; i < tag[2] - '0'; i++) {
      at += sprintf(text + at, "0,%c,%c", tag[0], tag[1]);
      for (int a = 0; a < dim; a++) at += sprintf(text + at, ",%.3f", 2 * bf_uniform(&seed) - 1);
      at += sprintf(text + at, "\n");
    }
  return text;
}

static void add_keys(BfSettings *settings, const char *text, BfError *error) {
  char *copy = strdup(text), *rest = copy;
  for (char *word; (word = strsep(&rest, ";"));) {
    char *value = strchr(word, '=');
    if (!value) continue;
    *value++ = '\0';
    if (bf_settings_add(settings, word, value, error) != BF_OK) break;
  }
  free(copy);
}

static BfProblem *make_problem(const Case *c, BfError *error) {
  BfSettings settings = {0};
  BfFiles   *files    = NULL;
  BfProblem *problem  = NULL;
  char      *table    = make_table(c, c->keys[strlen("token.dim=")] - '0');
  if (bf_files_create(MPI_COMM_WORLD, NULL, &files, error) != BF_OK) return NULL;
  bf_files_add(files, "table.csv", table, (int64_t)strlen(table), error);
  add_keys(&settings, "horizon=1;data.file=table.csv;cost.terminal=token_cross_entropy;cost.readout.kind=fixed", error);
  add_keys(&settings, strstr(c->keys, "step=") ? "name=images" : "step=0.7", error);
  add_keys(&settings, c->keys, error);
  char matrix[200] = "cost.readout.matrix=1", bias[100] = "cost.readout.bias=0";
  int  labels = 1;
  for (const char *tag = c->tags; *tag; tag += 3) labels = tag[1] - '0' + 1 > labels ? tag[1] - '0' + 1 : labels;
  labels = labels < 2 ? 2 : labels;
  for (int i = 1; i < labels * (c->keys[strlen("token.dim=")] - '0'); i++) strcat(matrix, ",1");
  for (int i = 1; i < labels; i++) strcat(bias, ",0");
  add_keys(&settings, matrix, error);
  add_keys(&settings, bias, error);
  bf_problem_create(files, &settings, &bf_solve_sections, &problem, error);
  bf_settings_clear(&settings);
  free(table);
  return problem;
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

typedef struct {
  Tap               *tap;
  const Case        *c;
  BfProblem         *problem;
  BfFullSpace        space;
  BfActionParameters actions;
  BfScratch          scratch;
  int32_t           *whole, *images; /* [K][M] */
  BfError            error;
} Test;

static void say(Test *t, bool holds, const char *what) {
  char text[2 * BF_ERROR_LENGTH];
  snprintf(text, sizeof text, "%s: %s%s%s", t->c->name, what, t->error.status ? "; " : "", t->error.text);
  check(t->tap, holds && t->error.status == BF_OK, text);
}

/* What a node's ranks share is memory as it comes: whatever it holds. */
static void fill(Test *t, int workers, bool rows, int32_t *next) {
  BfTableWay way = {0};
  bf_table_way(&t->space, 0, &way, &t->error);
  const int64_t size   = (way.images_bytes + 127) / 64 * 64;
  void         *images = aligned_alloc(64, (size_t)size);
  memset(images, workers == 1 ? 0x7f : 0xfe, (size_t)size);
  BfTableShare share = {.images  = way.images_bytes ? images : NULL,
                        .parts   = 1,
                        .space   = &t->space,
                        .actions = &t->actions,
                        .scratch = &t->scratch,
                        .workers = workers,
                        .next    = next,
                        .rows    = rows};
  for (share.worker = 0; share.worker < workers && t->error.status == BF_OK; share.worker++)
    bf_table_fill(&share, 0, t->actions.blocks, &t->error);
  free(images);
}

static int64_t count_wrong(Test *t, int workers, bool rows) {
  const int64_t entries = t->space.measures * t->problem->actions;
  int64_t       wrong   = 0;
  memset(t->images, 0xff, sizeof *t->images * (size_t)entries);
  uncertain = 0;
  fill(t, workers, rows, t->images);
  for (int64_t i = 0; i < entries; i++) wrong += t->whole[i] != t->images[i];
  return wrong;
}

/* quick: by the fastest kernels, dealt to three. */
static void compare(Test *t, bool quick) {
  const BfKernels *chosen = t->problem->layer.kernels;
  BfTableWay       way;
  char             text[160];
  int64_t          wrong = 0;
  for (int i = 0; bf_kernels_compiled(i); i++) {
    if (i && !bf_machine_runs(bf_kernels_compiled(i)->name)) continue;
    if (quick && bf_kernels_compiled(i) != chosen) continue;
    t->problem->layer.kernels = bf_kernels_compiled(i);
    wrong += count_wrong(t, quick ? 3 : 1 + 2 * (i % 3), i % 2);
  }
  t->problem->layer.kernels = chosen;
  bf_table_way(&t->space, 0, &way, &t->error);
  if (!quick) wrong += count_wrong(t, 2, true) + count_wrong(t, 37, false);
  snprintf(text, sizeof text, "%lld of %lld entries wrong, %lld measures uncertain", (long long)wrong,
           (long long)(t->space.measures * t->problem->actions), (long long)uncertain);
  say(t, !wrong && (t->c->tied ? uncertain > t->space.measures / 10 : uncertain < t->space.measures / 50 + 1), text);
  say(t, way.by == t->c->way, "found in the way that was meant");
}

static void test_case(Tap *tap, const Case *c, bool quick) {
  Test t    = {.tap = tap, .c = c};
  ranks     = c->way == BF_IMAGES_RANKS;
  t.problem = make_problem(c, &t.error);
  if (t.problem && bf_full_space_create(t.problem, &t.space, &t.error) == BF_OK &&
      bf_action_parameters_create(t.problem, &t.actions, &t.error) == BF_OK &&
      bf_scratch_create(t.problem, &t.scratch, &t.error) == BF_OK &&
      BF_NEW(&t.whole, t.space.measures * t.problem->actions, &t.error) == BF_OK &&
      BF_NEW(&t.images, t.space.measures * t.problem->actions, &t.error) == BF_OK) {
    const BfTableShare share = {
        .space = &t.space, .actions = &t.actions, .scratch = &t.scratch, .workers = 1, .next = t.whole};
    bf_table_fill_directly(&share, 0, t.actions.blocks, &t.error);
    compare(&t, quick);
  } else {
    say(&t, false, "made");
  }
  bf_free(t.whole);
  bf_free(t.images);
  bf_scratch_clear(&t.scratch);
  bf_action_parameters_clear(&t.actions);
  bf_full_space_clear(&t.space);
  bf_problem_destroy(&t.problem);
}

int main(int argc, char **argv) {
  Tap        tap   = {0};
  const bool quick = argc > 1 && !strcmp(argv[1], "quick");
  MPI_Init(&argc, &argv);
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  for (int i = 0; i < (int)(sizeof cases / sizeof *cases); i++) test_case(&tap, &cases[i], quick);
  PetscFinalize();
  return finish_tap(&tap);
}
