/* Signals that ask a run to stop: USR1, TERM, INT; and what a handler must know to leave nothing half-written, in one
 * line.
 *
 * mpirun, when it is interrupted, hands TERM to the ranks after about a second and kills them a second later. A run
 * that can save a checkpoint tries to for `grace`; then, and where nothing can be saved, rank 0 says in its handler
 * what stands, removes what it was writing, and ends the process: with functions alone that a handler may call. */
#include "run/end.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { LINE = 1 << 14, PATH = 4096 }; /* a line has two paths and the command that goes on */

static const int grace = 600000; /* microseconds of the second that mpirun leaves */

/* All that the handler touches, beside the list of temporary files. */
static struct {
  volatile sig_atomic_t asked, speaks, told, launched;
  volatile sig_atomic_t listens; /* how many do */
  volatile sig_atomic_t shown;   /* which of the lines; 0: none */
  char                  line[3][LINE];
  int                   code[3]; /* of a process that ends with that line */
  char                  mark[PATH];
  const char *_Atomic   left; /* a file that the handler makes; NULL: none */
} state;

/* Whether a rank has ended the run at once, and said why: this one, or its mark is there, or, of one on another host,
 * what this run was writing is gone. */
static bool is_told(void) {
  return state.told || bf_temporaries_were_removed() || (state.mark[0] && access(state.mark, F_OK) == 0);
}

/* Now. Files are whole at any instant. */
static void end(int code) {
  const char *line = state.line[state.shown];
  const bool  tell = state.speaks && !is_told();
  bf_temporaries_remove(false);
  if (tell && write(STDERR_FILENO, line, strlen(line)) < 0) _exit(code);
  _exit(code);
}

static void end_in(int microseconds) {
  const struct itimerval timer = {.it_value = {.tv_usec = microseconds}};
  setitimer(ITIMER_REAL, &timer, NULL);
}

static void late(int number) {
  (void)number;
  end(state.code[state.shown]);
}

static bool is_interrupted(void) { return state.asked == SIGTERM || state.asked == SIGINT; }

/* Other ranks leave the word to rank 0, and the end to the launcher; but where a rank has ended the run there is
 * nothing to wait for, and what this one writes, of a study's other group for one, nobody else removes. */
static void take(int number) {
  const char *left  = state.left;
  const bool  again = is_interrupted();
  if (number == SIGUSR1) {
    if (state.listens && !again) state.asked = number;
    return;
  }
  state.asked = number;
  if (is_told() && !bf_is_ending()) end(state.code[state.shown]);
  if (left && !bf_is_ending()) close(open(left, O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  if (!state.speaks) {
    if (again || !state.listens) end_in(900000);
  } else if (again || !state.listens) {
    end(state.code[state.shown]);
  } else if (state.launched) {
    end_in(grace);
  }
}

/* What is interrupted may be about to look at its errno. */
static void ask(int number) {
  const int kept = errno;
  take(number);
  errno = kept;
}

void bf_signals_watch(bool speaks) {
  struct sigaction action = {.sa_handler = ask, .sa_flags = SA_RESTART};
  state.speaks            = speaks;
  state.launched          = getenv("OMPI_COMM_WORLD_RANK") != NULL;
  if (!bf_end_mark(sizeof state.mark, state.mark)) state.mark[0] = '\0';
  snprintf(state.line[0], LINE, "bellformer: interrupted: nothing is kept\n");
  state.code[0] = BF_FAILURE;
  sigemptyset(&action.sa_mask);
  sigaddset(&action.sa_mask, SIGALRM);
  sigaddset(&action.sa_mask, SIGTERM);
  sigaddset(&action.sa_mask, SIGINT);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  action.sa_handler = late;
  sigaction(SIGALRM, &action, NULL);
}

void bf_signals_listen(bool listens) {
  struct sigaction action = {.sa_handler = ask, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  if (listens) sigaction(SIGUSR1, &action, NULL);
  state.listens += listens ? 1 : -1;
  if (!state.listens) end_in(0);
}

void bf_signals_ignore(void) {
  end_in(0);
  signal(SIGTERM, SIG_IGN);
  signal(SIGINT, SIG_IGN);
}

void bf_signals_done(void) {
  bf_signals_stands(BF_OK, "interrupted: all was done");
  if (!is_interrupted() || !state.launched) return;
  bf_signals_ignore();
  if (state.speaks) fputs(state.line[state.shown], stderr);
}

void bf_signals_leave(const char *path) { state.left = path; }

void bf_signals_told(void) { state.told = 1; }

bool bf_signals_asked(void) { return state.asked != 0; }

void bf_signals_stands(int code, const char *format, ...) {
  const int next = state.shown == 1 ? 2 : 1;
  char     *line = state.line[next];
  va_list   arguments;
  va_start(arguments, format);
  int used = snprintf(line, LINE, "bellformer: ");
  used += vsnprintf(line + used, (size_t)(LINE - used - 1), format, arguments);
  va_end(arguments);
  snprintf(line + (used < LINE - 2 ? used : LINE - 2), 2, "\n");
  state.code[next] = code;
  state.shown      = next;
}
