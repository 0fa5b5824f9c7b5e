/* What surrounds every command: MPI and PETSc, errors, exit codes. */
#include "command/command.h"

#include <hdf5.h>
#include <petscsys.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bellformer/version.h"

int bf_usage(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("bellformer: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  return BF_BAD_INPUT;
}

int bf_print_versions(void) {
  char     mpi[MPI_MAX_LIBRARY_VERSION_STRING];
  int      length;
  unsigned major, minor, release;
  MPI_Get_library_version(mpi, &length);
  H5get_libversion(&major, &minor, &release);
  mpi[strcspn(mpi, ",")] = '\0';
  printf("bellformer %s\nPETSc %d.%d.%d, %s, HDF5 %u.%u.%u\nkernels here: %s\n", BF_VERSION, PETSC_VERSION_MAJOR,
         PETSC_VERSION_MINOR, PETSC_VERSION_SUBMINOR, mpi, major, minor, release, bf_instruction_set());
  return BF_OK;
}

void bf_print_warnings(const BfRun *run, const BfProblem *problem) {
  for (int i = 0; i < problem->warnings; i++) bf_warn(run, "%s", problem->warning[i]);
}

/* The file is the first word behind the command that is not an option. */
static BfStatus find_file(BfArguments *arguments, BfError *error) {
  if (arguments->argc > 2 && arguments->argv[2][0] != '-') arguments->file = arguments->argv[2];
  for (int i = 3; i < arguments->argc; i++)
    if (arguments->argv[i][0] != '-' && arguments->argv[i - 1][0] != '-')
      return bf_fail(error, BF_BAD_INPUT, "unexpected word '%s'; see `bellformer help %s`", arguments->argv[i], arguments->name);
  return BF_OK;
}

static BfStatus run_command(const BfCommand *command, BfArguments *arguments, BfError *error) {
  BfRun  *run       = NULL;
  int64_t node_size = 0;
  bool    quiet     = false;
  BF_TRY(find_file(arguments, error));
  BF_TRY(bf_option_int("-node_size", 0, INT32_MAX, &node_size, error));
  BF_TRY(bf_option_bool("-quiet", &quiet, error));
  BF_TRY(bf_run_create(PETSC_COMM_WORLD, (int)node_size, &run, error));
  run->quiet            = quiet;
  const BfStatus status = command->run(run, arguments, error);
  bf_run_destroy(&run);
  return status;
}

int bf_run_command(const BfCommand *command, int argc, char **argv) {
  BfError     error     = {0};
  BfArguments arguments = {command->name, NULL, argc, argv};
  int         rank;
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return BF_FAILURE;
  arguments.argc = argc;
  arguments.argv = argv;
  PetscPopSignalHandler(); /* no stack traces for the user */
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  const BfStatus status = run_command(command, &arguments, &error);
  if (status != BF_OK && rank == 0) fprintf(stderr, "bellformer: %s\n", error.text);
  MPI_Barrier(PETSC_COMM_WORLD); /* a rank that exits with an error would have the launcher kill the others */
  PetscOptionsSetValue(NULL, "-options_left", "0"); /* unread options were refused already, in one line */
  PetscFinalize();
  return status;
}
