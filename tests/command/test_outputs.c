/* What a study expects runs to write is what they write: every attribute and dataset of results is in the list of their
 * command, and all that the list names is in one of them. Arguments: the folder of problems. */
#include "../ranks.h" /* before PETSc's, whose macros count messages */

#include "bellformer/bellformer.h"
#include "command/study.h"
#include <hdf5.h>
#include <petscsys.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAMES = 4096 };

typedef struct {
  int  count;
  char name[NAMES][128];
} Names;

/* ---- what is in a file ------------------------------------------------------------------------------------------- */

static void add(Names *names, const char *object, const char *attribute) {
  char name[512];
  snprintf(name, sizeof name, "/%s%s%s", strcmp(object, ".") ? object : "", attribute ? "@" : "",
           attribute ? attribute : "");
  for (int i = 0; i < names->count; i++)
    if (!strcmp(names->name[i], name)) return;
  if (names->count < NAMES) snprintf(names->name[names->count++], sizeof *names->name, "%.127s", name);
}

typedef struct {
  Names      *names;
  const char *object;
} Place;

static herr_t take_attribute(hid_t object, const char *name, const H5A_info_t *about, void *context) {
  const Place *place = context;
  (void)object;
  (void)about;
  add(place->names, place->object, name);
  return 0;
}

static herr_t take_object(hid_t file, const char *name, const H5O_info_t *about, void *context) {
  const Place place  = {context, name};
  const hid_t object = H5Oopen(file, name, H5P_DEFAULT);
  if (about->type == H5O_TYPE_DATASET) add(place.names, name, NULL);
  H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, take_attribute, (void *)&place);
  return H5Oclose(object);
}

static void take_file(const char *path, Names *names) {
  const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0) return;
  H5Ovisit1(file, H5_INDEX_NAME, H5_ITER_NATIVE, take_object, names);
  H5Fclose(file);
}

/* ---- runs -------------------------------------------------------------------------------------------------------- */

typedef struct {
  const char *command, *file, *out;
  const char *words; /* "name value name value ..." */
} Case;

static const char *problems;
static char        folder[] = "/tmp/bf_outputs_XXXXXX";

#define TRAINED "cost_readout_kind trained cost_readout_matrix_range -4,4"
static const Case cases[] = {
    {"solve", "xor/xor.yaml", "full.h5",
     "space full quantize_cells 2,2 control_A_levels 2 horizon 1 stability 1 covering 100"},
    {"solve", "xor/xor.yaml", "reachable.h5", "space reachable horizon 2 best 3 zoom 1"},
    {"solve", "xor/xor.yaml", "beam.h5", "space reachable horizon 2 beam 3"},
    {"solve", "induction/induction.yaml", "induction.h5", "space reachable horizon 1"},
    {"solve", "asy26-toy/asy26-toy.yaml", "toy.h5", "space reachable horizon 1"},
    {"solve", "xor/xor.yaml", "many.h5",
     "space reachable horizon 1 layer_heads 65 control_A_levels 1 control_V_levels 1"},
    {"solve", "xor/xor.yaml", "trained.h5", "space reachable horizon 1 " TRAINED},
    {"flow", "xor/xor.yaml", "flow-trained.h5", "tao_max_it 1 horizon 1 init trained.h5 " TRAINED},
    {"flow", "xor/xor.yaml", "flow-many.h5",
     "tao_max_it 0 horizon 1 layer_heads 65 control_A_levels 1 control_V_levels 1"},
    {"flow", "xor/xor.yaml", "flow.h5", "starts 2 best 2 tao_max_it 2"},
    {"flow", "induction/induction.yaml", "flow-test.h5", "tao_max_it 1 init induction.h5"},
    {"flow", "induction/induction.yaml", "flow-given.h5", "tao_max_it 1 init induction.h5 scheme euler"},
    {"flow", "asy26-toy/asy26-toy.yaml", "flow-toy.h5", "tao_max_it 1"},
    {"heads", "xor/xor.yaml", "heads.h5", "tau 1 outputs 1 heads_count 8 kernel 1 lse 1 insert 1"},
    {"heads", "xor/xor.yaml", "heads-one.h5", "tau 1 outputs 1 horizon 1 heads_count 8 certify 50"},
    {"heads", "xor/xor.yaml", "heads-more.h5", "tau 1 outputs 1 heads_count 8 certify 50"},
    {"heads", "xor/xor.yaml", "heads-many.h5", "tau 0 heads_count 65 " TRAINED},
    {"heads", "moons/moons.yaml", "heads-test.h5", "tau 0 heads_count 8 data_sample_count 3"},
    {"heads", "heads/rate.yaml", "heads-target.h5", "tau 0 data_test heads/rate.csv"},
    {"certify", "xor/xor.yaml", "certify.h5", "horizon 2 gap 0.1 width 1"},
    {"certify", "../studies/problems/pair.yaml", "certify-logits.h5", "horizon 1 boxes 1"},
    {"certify", "../studies/problems/pair.yaml", "certify-table.h5",
     "horizon 2 table 1 gap 0.9 control_A_range -0.1,0.1"},
    {"certify", "xor/xor.yaml", "certify-trained.h5", "boxes 1 horizon 1 found flow-trained.h5 " TRAINED},
    {"certify", "xor/xor.yaml", "certify-many.h5",
     "boxes 1 horizon 1 found many.h5 layer_heads 65 control_A_range 0,0"},
    {"certify", "induction/induction.yaml", "certify-test.h5", "boxes 1 horizon 1 found induction.h5"},
    {"certify", "asy26-toy/asy26-toy.yaml", "certify-target.h5",
     "boxes 1 horizon 1 found toy.h5 data_test asy26-toy/train.csv"},
    {"eval", "full.h5", "eval.h5", ""},
    {"eval", "heads.h5", "eval-heads.h5", ""},
    {"eval", "flow-test.h5", "eval-flow.h5", ""},
    {"eval", "full.h5", "eval-law.h5", "w1 1 data xor/xor.csv"},
    {"eval", "flow-given.h5", "eval-given.h5", ""},
    {"eval", "full.h5", "eval-loop.h5", "closed_loop 1"},
};
enum { CASES = sizeof cases / sizeof *cases };

static void in_folder(const char *name, size_t size, char path[]) { snprintf(path, size, "%s/%s", folder, name); }

/* Names of results stand for those of the folder. */
static BfStatus give(BfOptions *options, const Case *c, BfError *error) {
  char        name[64], value[256], path[512];
  const char *words = c->words;
  for (int length; sscanf(words, "%63s %255s%n", name, value, &length) == 2; words += length) {
    in_folder(value, sizeof path, path);
    if (strstr(value, ".csv")) snprintf(path, sizeof path, "%s/%s", problems, value);
    BF_TRY(bf_options_add(options, name, strstr(value, ".h5") || strstr(value, ".csv") ? path : value, error));
  }
  in_folder(c->out, sizeof path, path);
  return bf_options_add(options, "o", path, error);
}

static BfStatus run_case(const Case *c, BfError *error) {
  BfOptions *options = NULL;
  BfRun     *run     = NULL;
  char       path[512];
  BfStatus   status;
  if (strstr(c->file, ".h5")) in_folder(c->file, sizeof path, path);
  else snprintf(path, sizeof path, "%s/%s", problems, c->file);
  BF_GOTO(bf_options_create(&options, error));
  BF_GOTO(give(options, c, error));
  BF_GOTO(bf_run_create(MPI_COMM_WORLD, 0, &run, error));
  run->options = options;
  run->quiet = run->silent = true;
  status                   = bf_run_command(run, c->command, path, error);
done:
  bf_run_destroy(&run);
  bf_options_destroy(&options);
  return status;
}

/* ---- both ways --------------------------------------------------------------------------------------------------- */

static bool is_listed(const BfStudyCommand *command, const char *name) {
  for (const char *const *output = command->outputs; *output; output++)
    if (bf_study_is_output(*output, name)) return true;
  return false;
}

static bool is_written(const Names *names, const char *output) {
  for (int i = 0; i < names->count; i++)
    if (bf_study_is_output(output, names->name[i])) return true;
  return false;
}

/* What all trainers list, and heads has not: a list of actions. */
static bool is_others(const BfStudyCommand *command, const char *output) {
  return !strcmp(command->name, "heads") && !strcmp(output, "/actions/controls");
}

static bool check_lists(const BfStudyCommand *command, const Names *names) {
  bool right = names->count > 0;
  for (int i = 0; i < names->count; i++)
    if (!is_listed(command, names->name[i])) {
      printf("# %s writes %s, which is not listed\n", command->name, names->name[i]);
      right = false;
    }
  for (const char *const *output = command->outputs; *output; output++)
    if (!is_written(names, *output) && !is_others(command, *output)) {
      printf("# %s lists %s, which no run here has written\n", command->name, *output);
      right = false;
    }
  return right;
}

static bool try_command(const BfStudyCommand *command) {
  static Names names;
  BfError      error = {0};
  names.count        = 0;
  for (int i = 0; i < CASES; i++) {
    char path[512];
    if (strcmp(cases[i].command, command->name)) continue;
    if (run_case(&cases[i], &error) != BF_OK) {
      printf("# %s: %s\n", cases[i].out, error.text);
      return false;
    }
    in_folder(cases[i].out, sizeof path, path);
    take_file(path, &names);
  }
  return check_lists(command, &names);
}

static void clean(void) {
  char path[512];
  for (int i = 0; i < CASES; i++) {
    in_folder(cases[i].out, sizeof path, path);
    unlink(path);
  }
  rmdir(folder);
}

int main(int argc, char **argv) {
  BfStudyCommands *commands = NULL;
  BfError          error    = {0};
  int              failed = 0, count = 0;
  PetscInitialize(&argc, &argv, NULL, NULL);
  problems = argv[1];
  if (!mkdtemp(folder) || bf_study_commands_create(&commands, &error) != BF_OK) return 1;
  for (const BfStudyCommand *command = bf_study_commands(commands); command->name; command++) {
    const bool right = try_command(command);
    printf("%sok %d - what %s writes is what it lists\n", right ? "" : "not ", ++count, command->name);
    failed += !right;
  }
  printf("1..%d\n", count);
  clean();
  bf_study_commands_destroy(&commands);
  PetscFinalize();
  return failed != 0;
}
