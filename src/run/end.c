#include "run/end.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What must be found from an error handler of MPI, or a signal's. */
static struct {
  BfTemporary *volatile temporaries;
  bool told, open, ending;
} end;

void bf_end_is_told(void) { end.told = true; }
void bf_leave_open(void) { end.open = true; }
bool bf_left_open(void) { return end.open; }
bool bf_is_ending(void) { return end.ending; }

/* ---- temporary files -------------------------------------------------------------------------------------------- */

void bf_temporary_enlist(BfTemporary *temporary) {
  temporary->next = end.temporaries;
  end.temporaries = temporary;
}

/* Handlers see a whole list at every instant. */
void bf_temporary_strike(BfTemporary *temporary) {
  if (end.temporaries == temporary) end.temporaries = temporary->next;
  for (BfTemporary *t = end.temporaries; t; t = t->next)
    if (t->next == temporary) t->next = temporary->next;
}

bool bf_temporary_is_there(const BfTemporary *t) {
  struct stat about;
  return stat(t->path, &about) == 0 && about.st_ino == t->inode && (!t->device || about.st_dev == t->device);
}

/* Open MPI's lock, while it opens a file. */
static void remove_lock(const char *path) {
  static const char end_of_lock[] = ".locktest.0";
  char              lock[4096];
  if (strlen(path) + sizeof end_of_lock > sizeof lock) return;
  strcpy(lock, path);
  strcat(lock, end_of_lock);
  unlink(lock);
}

void bf_temporaries_remove(bool all) {
  for (const BfTemporary *t = end.temporaries; t; t = t->next)
    if ((all || t->made) && (!t->inode || bf_temporary_is_there(t))) {
      unlink(t->path);
      remove_lock(t->path);
    }
}

bool bf_temporaries_were_removed(void) {
  struct stat about;
  for (const BfTemporary *t = end.temporaries; t; t = t->next)
    if (t->made && t->inode && !t->moving && stat(t->path, &about) != 0) return true;
  return false;
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
  bf_temporaries_remove(true);
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
