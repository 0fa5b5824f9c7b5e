/* Whether anyone watches: is standard output a terminal? */
#include "run/phases.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Columns of the terminal behind a descriptor; 80 where it does not say. */
static int width_of(int descriptor) {
  struct winsize size = {0};
  const char    *told = getenv("COLUMNS");
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return told && atoi(told) > 0 ? atoi(told) : 80;
}

/* Open MPI's mpirun gives every rank a pseudo-terminal for its standard output, whatever its own is: a file, a pipe. So
 * what counts is the standard output of the process that started this one: of mpirun itself on its host, of its daemon
 * elsewhere, which has none. */
static int launcher_width(void) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%ld/fd/1", (long)getppid());
  const int descriptor = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) return 0;
  const int width = isatty(descriptor) ? width_of(descriptor) : 0;
  close(descriptor);
  return width;
}

int bf_terminal_width(void) {
  const char *kind = getenv("TERM");
  if (!isatty(STDOUT_FILENO) || !kind || !strcmp(kind, "dumb")) return 0;
  return getenv("OMPI_COMM_WORLD_RANK") ? launcher_width() : width_of(STDOUT_FILENO);
}
