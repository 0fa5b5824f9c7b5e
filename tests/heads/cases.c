#include "cases.h"
#include "bellformer/splitmix64.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char classes[] = "sequence,position,label,z0,z1\n0,0,0,0.3,-0.4\n0,1,0,-0.7,0.2\n0,2,0,0.5,0.9\n"
                              "1,0,1,0.1,0.8\n1,1,1,0.6,-0.9\n2,0,1,-0.2,-0.3\n2,1,1,0.4,0.1\n2,2,1,-1.0,0.7\n";
static const char targets[] = "sequence,position,y0,y1,z0,z1\n0,0,0.5,-0.2,0.3,-0.4\n0,1,-0.4,0.3,-0.7,0.2\n"
                              "1,0,0.2,0.7,0.1,0.8\n1,1,0.9,-0.5,0.6,-0.9\n1,2,0.1,0.1,-0.5,-0.6\n";
static const char line[]    = "sequence,position,y0,z0\n0,0,0.5,0.3\n0,1,-0.4,-0.7\n1,0,0.2,0.9\n1,1,0.3,-0.1\n";
static const char space[] =
    "sequence,position,y0,y1,y2,z0,z1,z2\n0,0,0.5,0,0.1,0.3,0.4,-0.2\n0,1,-0.4,0.3,0,-0.7,0.1,0.5\n"
    "1,0,0.2,0.1,-0.3,0.9,-0.6,0.3\n1,1,0.3,0.5,0.4,-0.1,-0.4,-0.8\n";

#define READOUT "cost.readout.kind=fixed;cost.readout.matrix=2,1,-1,0.5;cost.readout.bias=0.1,-0.2;"
#define PLANE "token.dim=2;token.lower=-1.5,-1.5;token.upper=1.5,1.5;"

const Case cases[] = {
    {"pooled cross entropy, full", PLANE READOUT "cost.terminal=pooled_cross_entropy;cost.weight_decay=0.05", classes},
    {"token cross entropy, causal, an encoding",
     PLANE READOUT
     "cost.terminal=token_cross_entropy;layer.mask=causal;data.position_encoding=0.1,0.2,-0.3,0.1,0.2,-0.2",
     classes},
    {"squared error, A full, V diagonal, beta 2",
     PLANE "cost.terminal=squared_error;control.V.form=diagonal;layer.beta=2", targets},
    {"squared error, A skew, V given",
     PLANE "cost.terminal=squared_error;control.A.form=skew;control.V.form=fixed;"
           "control.V.value=1,0.5,-0.3,0.8;cost.weight_decay=0.1",
     targets},
    {"squared error on a line",
     "token.dim=1;token.lower=-2;token.upper=2;cost.terminal=squared_error;cost.weight_decay=0.02", line},
    {"squared error in space, A diagonal",
     "token.dim=3;token.lower=-2,-2,-2;token.upper=2,2,2;cost.terminal=squared_error;"
     "control.A.form=diagonal;cost.weight_decay=0.03",
     space},
    {"one layer, squared error", PLANE "horizon=1;cost.terminal=squared_error;cost.weight_decay=0.05", targets},
    {"one layer, squared error, no decay", PLANE "horizon=1;cost.terminal=squared_error;control.A.form=diagonal",
     targets},
    {"one layer, pooled cross entropy",
     PLANE READOUT "horizon=1;cost.terminal=pooled_cross_entropy;cost.weight_decay=0.02", classes},
    {"one layer, token cross entropy, causal",
     PLANE READOUT "horizon=1;cost.terminal=token_cross_entropy;layer.mask=causal;control.V.form=scalar", classes},
    {NULL, NULL, NULL}};

static BfStatus add_keys(BfSettings *settings, const char *text, BfError *error) {
  char *copy = strdup(text), *rest = copy;
  for (char *word; (word = strsep(&rest, ";"));) {
    char *value = strchr(word, '=');
    if (!value) continue;
    *value++ = '\0';
    if (bf_settings_add(settings, word, value, error) != BF_OK) break;
  }
  free(copy);
  return error->status;
}

BfProblem *make_case(const Case *c, int heads, BfError *error) {
  static const BfSections sections = {"heads", 0, BF_SECTION_HEADS};
  BfSettings              settings = {0};
  BfFiles                *files    = NULL;
  BfProblem              *problem  = NULL;
  char                    count[32];
  snprintf(count, sizeof count, "%d", heads);
  if (bf_files_create(MPI_COMM_WORLD, NULL, &files, error) != BF_OK) return NULL;
  bf_files_add(files, "table.csv", c->table, (int64_t)strlen(c->table), error);
  add_keys(&settings, "horizon=3;step=0.4;data.file=table.csv;control.A.range=-3,3", error);
  if (!strstr(c->keys, "control.V.value")) add_keys(&settings, "control.V.range=-2,2", error);
  bf_settings_add(&settings, "heads.count", count, error);
  add_keys(&settings, c->keys, error);
  bf_problem_create(files, &settings, &sections, &problem, error);
  bf_settings_clear(&settings);
  return problem;
}

double noise(uint64_t a, uint64_t b) {
  uint64_t state = a * UINT64_C(0x9e3779b97f4a7c15) + b;
  bf_splitmix64(&state);
  return 2 * bf_uniform(&state) - 1;
}

void fill_law(BfHeadLaw *law, double deviation) {
  for (int t = 0; t < law->layers; t++)
    for (int64_t h = 0; h < law->count; h++)
      for (int k = 0; k < law->free; k++)
        law->theta[(t * law->count + h) * law->free + k] =
            deviation * noise((uint64_t)(law->first + h) * 64 + (uint64_t)k, (uint64_t)t);
}
