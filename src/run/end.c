#include "run/end.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What must be found from an error handler of MPI, or a signal's. */
static struct {
  BfTemporary *temporaries;
  bool         told, open, ending;
} end;

void bf_end_is_told(void) { end.told = true; }
void bf_leave_open(void) { end.open = true; }
bool bf_left_open(void) { return end.open; }

/* ---- temporary files -------------------------------------------------------------------------------------------- */

void bf_temporary_enlist(BfTemporary *temporary) {
  temporary->next = end.temporaries;
  end.temporaries = temporary;
}

void bf_temporary_strike(BfTemporary *temporary) {
  for (BfTemporary **at = &end.temporaries; *at; at = &(*at)->next)
    if (*at == temporary) {
      *at = temporary->next;
      return;
    }
}

void bf_temporaries_remove(void) {
  struct stat about;
  for (const BfTemporary *t = end.temporaries; t; t = t->next)
    if (!t->inode || (stat(t->path, &about) == 0 && about.st_ino == t->inode)) unlink(t->path);
}

/* ---- the end ---------------------------------------------------------------------------------------------------- */

static int mpi_runs(void) {
  int started = 0, over = 0;
  MPI_Initialized(&started);
  if (started) MPI_Finalized(&over);
  return started && !over;
}

bool bf_end_mark(size_t size, char path[]) {
  const char *folder = getenv("OMPI_MCA_orte_jobfam_session_dir");
  return folder && snprintf(path, size, "%s/bellformer-ended", folder) < (int)size;
}

static void leave_mark(void) {
  char      path[4096];
  const int file = bf_end_mark(sizeof path, path) ? open(path, O_WRONLY | O_CREAT, 0600) : -1;
  if (file >= 0) close(file);
}

/* Ranks that fail at the same instant take turns: the first that speaks ends the others. */
static void take_turn(void) {
  int rank = 0, size = 1;
  if (!mpi_runs()) return;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (rank) usleep((useconds_t)(200000 + 500000.0 * rank / size));
}

void bf_end_run_at_once(const BfError *error) {
  const int status = error->status == BF_OK ? BF_FAILURE : error->status;
  if (end.ending) _exit(status);
  end.ending = true;
  take_turn();
  if (!end.told) fprintf(stderr, "bellformer: %s\n", error->text);
  leave_mark();
  bf_temporaries_remove();
  if (mpi_runs()) MPI_Abort(MPI_COMM_WORLD, status);
  _exit(status);
}

/* ---- errors of MPI ---------------------------------------------------------------------------------------------- */

static void end_by(int code) {
  BfError error                      = {0};
  char    text[MPI_MAX_ERROR_STRING] = "", host[256] = "";
  int     length, rank                               = 0;
  MPI_Error_string(code, text, &length);
  gethostname(host, sizeof host - 1);
  if (mpi_runs()) MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  bf_fail(&error, BF_FAILURE, "MPI failed on rank %d (%s): %s", rank, host, text);
  bf_end_run_at_once(&error);
}

/* The types are MPI's. */
static void on_error(MPI_Comm *comm, int *code, ...) {
  (void)comm;
  end_by(*code);
}

static void on_window_error(MPI_Win *window, int *code, ...) {
  (void)window;
  end_by(*code);
}

void bf_mpi_errors_end_the_run(void) {
  MPI_Errhandler handler;
  MPI_Comm_create_errhandler(on_error, &handler);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, handler);
  MPI_Comm_set_errhandler(MPI_COMM_SELF, handler);
  MPI_Errhandler_free(&handler);
}

void bf_window_errors_end_the_run(MPI_Win window) {
  MPI_Errhandler handler;
  MPI_Win_create_errhandler(on_window_error, &handler);
  MPI_Win_set_errhandler(window, handler);
  MPI_Errhandler_free(&handler);
}
