/* Signals that ask a run to stop: USR1, TERM, INT. */
#include "bellformer/run.h"
#include <signal.h>
#include <unistd.h>

/* The one thing that a handler may touch. */
static volatile sig_atomic_t asked;

static void ask(int number) {
  if (asked && number != SIGUSR1) _exit(1); /* asked again: at once; files are whole at any instant */
  asked = 1;
}

void bf_signals_watch(void) {
  struct sigaction action = {.sa_handler = ask, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
}

bool bf_signals_asked(void) { return asked != 0; }
