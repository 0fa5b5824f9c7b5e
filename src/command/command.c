/* What surrounds every command: MPI and PETSc, errors, exit codes. */
#include "command/command.h"
#include "bellformer/plugin.h"
#include "command/petsc.h"
#include "command/stages.h"
#include "run/end.h"

#include <ctype.h>
#include <errno.h>
#include <hdf5.h>
#include <math.h>
#include <petscsys.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bellformer/version.h"

bool bf_speaks(void) {
  static const char *const rank[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"};
  for (size_t i = 0; i < sizeof rank / sizeof *rank; i++)
    if (getenv(rank[i])) return !strcmp(getenv(rank[i]), "0");
  return true;
}

/* The launcher kills the other ranks at the first that fails: the others wait, so that it is the one that has spoken.
 */
int bf_usage(const char *format, ...) {
  va_list arguments;
  if (!bf_speaks()) {
    sleep(1);
    return BF_BAD_INPUT;
  }
  va_start(arguments, format);
  fputs("bellformer: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  return BF_BAD_INPUT;
}

int bf_print_versions(void) {
  char             mpi[MPI_MAX_LIBRARY_VERSION_STRING];
  int              length;
  unsigned         major, minor, release;
  const BfKernels *kernels;
  BfError          error = {0};
  if (bf_kernels_choose(&kernels, &error) != BF_OK) return bf_usage("%s", error.text);
  if (!bf_speaks()) return BF_OK;
  MPI_Get_library_version(mpi, &length);
  H5get_libversion(&major, &minor, &release);
  mpi[strcspn(mpi, ",")] = '\0';
  printf("bellformer %s\nPETSc %d.%d.%d, %s, HDF5 %u.%u.%u\nkernels here: %s\n", BF_VERSION, PETSC_VERSION_MAJOR,
         PETSC_VERSION_MINOR, PETSC_VERSION_SUBMINOR, mpi, major, minor, release, bf_kernels_name(kernels));
  return BF_OK;
}

/* As PETSc takes them: a letter behind one or two dashes, so that -1.5,-1.5 is a value, and so are -inf and -nan. */
static bool is_option(const char *word) {
  const char *name = word + (word[0] == '-') + (word[0] == '-' && word[1] == '-');
  char       *end;
  if (name == word || !isalpha((unsigned char)*name)) return false;
  strtod(word, &end);
  return end == word || *end == '_' || isalnum((unsigned char)*end);
}

static bool is_number(const char *word) {
  char *end;
  strtod(word, &end);
  return end != word && !*end;
}

static bool ends_in_comma(const char *word) { return *word && word[strlen(word) - 1] == ','; }

/* Of an option that is given twice PETSc keeps the last: a plug-in would be left out without a word. */
static BfStatus check_plugins(const BfArguments *arguments, BfError *error) {
  const char *first = NULL;
  for (int i = 2; i + 1 < arguments->argc; i++) {
    const char *word = arguments->argv[i];
    if (strcmp(word + (word[0] == '-' && word[1] == '-'), "-plugin")) continue;
    if (first)
      return bf_fail(error, BF_BAD_INPUT, "option -plugin is given twice; join its files by commas: -plugin %s,%s",
                     first, arguments->argv[i + 1]);
    first = arguments->argv[++i];
  }
  return BF_OK;
}

/* The file is the word right behind the command, where that is no option; every other word is an option or its value.
 */
static BfStatus find_file(BfArguments *arguments, BfError *error) {
  char **word = arguments->argv;
  int    i    = 2;
  if (i < arguments->argc && !is_option(word[i])) arguments->file = word[i++];
  for (const int first = i; i < arguments->argc; i++) {
    if (!is_option(word[i]) && i >= first + 2 && is_option(word[i - 2]) && is_number(word[i - 1]) && is_number(word[i]))
      return bf_fail(error, BF_BAD_INPUT,
                     "unexpected word '%s'; the values of an option are joined by commas: %s %s,%s", word[i],
                     word[i - 2], word[i - 1], word[i]);
    if (!is_option(word[i]) && i >= first + 2 && is_option(word[i - 2]) && ends_in_comma(word[i - 1]))
      return bf_fail(error, BF_BAD_INPUT, "unexpected word '%s'; no blank stands behind a comma: %s %s%s", word[i],
                     word[i - 2], word[i - 1], word[i]);
    if (!is_option(word[i]))
      return bf_fail(error, BF_BAD_INPUT,
                     "unexpected word '%s'; a file comes right behind the command: `bellformer help %s`", word[i],
                     arguments->name);
    if (i + 1 < arguments->argc && !is_option(word[i + 1])) i++;
  }
  return BF_OK;
}

/* ---- what every command takes ----------------------------------------------------------------------------------- */

typedef struct {
  int64_t node_size;
  double  link_timeout;
  bool    quiet;
  double  gigabytes;
  char   *plugins;
} RunSettings;

const BfOption bf_run_options[] = {
    {"node_size", BF_OPTION_INT, BF_OF_THIS_START, "R", offsetof(RunSettings, node_size), NULL, 0, INT32_MAX,
     .meaning = "treat every R ranks as a node"},
    {"link_timeout", BF_OPTION_NUMBER, BF_OF_THIS_START, "SECONDS", offsetof(RunSettings, link_timeout), "240", 0, 1e6,
     .meaning = "end the run where a host has given no sign of life for that long; 0: never"},
    {"memory", BF_OPTION_NUMBER, BF_OF_THIS_START, "GB", offsetof(RunSettings, gigabytes), NULL, 0, 1e9,
     .meaning = "that a node may take, greater than 0; default: what is free there"},
    {"quiet", BF_OPTION_BOOL, BF_OF_THIS_START, NULL, offsetof(RunSettings, quiet),
     .meaning = "no progress, no report; what eval, info, -test_gradient and -time_gradient answer is told"},
    {"plugin", BF_OPTION_TEXT, BF_OF_THIS_START, "FILES", offsetof(RunSettings, plugins),
     .meaning = "shared objects with further kinds of costs and terms, joined by commas, beside those that the "
                "environment variable BELLFORMER_PLUGINS names"},
    {0}};

const BfOption bf_key_options[] = {
    {"KEY", BF_OPTION_OTHER, BF_OF_THIS_START, "VALUE",
     .meaning = "any key of the problem file, maps joined by _: -quantize_cells 16,16 -action_count 100"},
    {0}};

/* Nodes may differ in their machines and in their environment. */
static BfStatus check_kernels(const BfRun *run, BfError *error) {
  const BfKernels *kernels;
  return bf_together(run->world, bf_kernels_choose(&kernels, error), error);
}

static BfStatus load_plugins(const BfRun *run, const RunSettings *o, BfError *error) {
  BF_TRY(bf_plugins_load(run->world, getenv("BELLFORMER_PLUGINS"), error));
  return bf_plugins_load(run->world, o->plugins, error);
}

static BfStatus check_memory(const BfOptions *options, const RunSettings *o, BfError *error) {
  if (!bf_options_given(options, "memory") || o->gigabytes > 0) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "option -memory must be greater than 0, got %g", o->gigabytes);
}

/* What the program itself has taken when it starts. */
static BfStatus check_room(const BfRun *run, BfError *error) {
  char a[BF_HUMAN];
  if (run->memory && !bf_memory_left(run))
    bf_fail(error, BF_BAD_INPUT,
            "option -memory: %s a node are less than the program alone takes on it, with %d rank%s",
            bf_human_bytes((double)run->memory, a), run->node_size, run->node_size > 1 ? "s" : "");
  return bf_agree(run->world, error);
}

static BfStatus run_with(const BfCommand *command, BfArguments *arguments, BfOptions *options, BfError *error) {
  BfRun      *run = NULL;
  RunSettings o   = {0};
  BfStages    stages;
  BF_TRY(find_file(arguments, error));
  BF_TRY(check_plugins(arguments, error));
  BF_TRY(bf_options_parse(bf_run_options, options, &o, error));
  BF_TRY(check_memory(options, &o, error));
  if (bf_run_create(PETSC_COMM_WORLD, (int)o.node_size, &run, error) != BF_OK) goto done;
  run->options = options;
  run->quiet   = o.quiet;
  run->memory  = (int64_t)ceil(1e9 * o.gigabytes);
  bf_stages_follow(run, &stages, error);
  bf_progress_open(run, NULL, error);
  if (check_room(run, error) == BF_OK && bf_links_watch(run, o.link_timeout, error) == BF_OK &&
      check_kernels(run, error) == BF_OK && load_plugins(run, &o, error) == BF_OK)
    command->run(run, arguments, error);
  bf_run_destroy(&run);
done:
  bf_options_clear(bf_run_options, &o);
  return error->status;
}

static BfStatus run_command(const BfCommand *command, BfArguments *arguments, BfError *error) {
  BfOptions *options = NULL;
  BF_TRY(bf_petsc_check_end(error));
  BF_TRY(bf_petsc_take_options(&options, error));
  run_with(command, arguments, options, error);
  bf_options_destroy(&options);
  return error->status;
}

int bf_program(const BfCommand *command, int argc, char **argv) {
  BfError     error     = {0};
  BfArguments arguments = {command->name, NULL, argc, argv};
  int         rank;
  /* HDF5 needs no shared file pointers. Between machines Open MPI would keep one in a file RUN.h5.part-....lock, which
   * a run that dies leaves behind; of its ways this one alone writes nothing beside the user's files. */
  setenv("OMPI_MCA_sharedfp", "sm", 0);
  setenv("OMPI_MCA_osc", "^rdma", 0); /* run/queue.c */
  /* A file of options that PETSc cannot read gets one line, not PETSc's stack. */
  PetscErrorCode (*const print)(const char[], ...) = PetscErrorPrintf;
  PetscErrorPrintf                                 = PetscErrorPrintfNone;
  bf_signals_watch(bf_speaks());
  if (PetscInitialize(&argc, &argv, NULL, NULL))
    return bf_usage("cannot read PETSc's options (-options_file, .petscrc, PETSC_OPTIONS)");
  PetscErrorPrintf = print;
  PetscPushErrorHandler(PetscIgnoreErrorHandler, NULL); /* what PETSc meets is told in our one line, not in its stack */
  bf_mpi_errors_end_the_run();
  arguments.argc = argc;
  arguments.argv = argv;
  PetscPopSignalHandler(); /* no stack traces for the user */
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  bf_signals_watch(rank == 0);
  signal(SIGXFSZ, SIG_IGN); /* a limit on a file's size is an error like a full disk */
  BfStatus status = run_command(command, &arguments, &error);
  if (rank == 0 && status == BF_OK && (fflush(stdout) || ferror(stdout)))
    bf_fail(&error, BF_FAILURE, "cannot write to standard output: %s", strerror(errno));
  status = bf_agree(PETSC_COMM_WORLD, &error);
  if (status != BF_OK) bf_end_is_told();
  if (status == BF_OK && !bf_left_open()) bf_signals_done();
  else bf_signals_ignore(); /* the last word is said now */
  if (status != BF_OK && rank == 0) fprintf(stderr, "bellformer: %s\n", error.text);
  MPI_Barrier(PETSC_COMM_WORLD); /* a rank that exits with an error would have the launcher kill the others */
  if (bf_left_open()) MPI_Abort(PETSC_COMM_WORLD, status);
  PetscOptionsSetValue(NULL, "-options_left", "0"); /* unread options were refused already, in one line */
  if (PetscFinalize()) {
    bf_fail(&error, BF_FAILURE, "PETSc cannot do at its end what it was asked for (-log_view, -options_view, ...)");
    bf_end_run_at_once(&error);
  }
  return status;
}
