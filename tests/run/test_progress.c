/* The progress line: what is left of the whole run, in a file and on a terminal; quantities as people say them. */
#include "../ranks.h"
#include "run/phases.h"
#include <fcntl.h>
#include <math.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const BfProgressTimes quick = {0.05, 0.02, 0.3};

/* 50 of 100 units of a phase; the other has not begun, and was guessed to take twice as long a unit. */
static void work(const BfRun *run, const char *what) {
  bf_work_expect(run, BF_PHASE_TABLES, 100, "entries", 0.5, false);
  bf_work_expect(run, BF_PHASE_SWEEP, 100, "Q-values", 1, true);
  bf_progress_what(run, "%s", what);
  bf_phase_begin(run, BF_PHASE_TABLES);
  for (int i = 0; i < 50; i++) {
    usleep(20000);
    bf_work_done(run, BF_PHASE_TABLES, 1);
  }
}

static void whole_run(Tap *tap, BfRun *run) {
  double part;
  bool   at_most;
  check(tap, isnan(bf_work_left(run, &part, &at_most)), "nothing is expected: nothing is told");
  work(run, "transition tables");
  bf_phase_end(run, BF_PHASE_TABLES);
  const double spent = bf_phase_seconds(run, BF_PHASE_TABLES), left = bf_work_left(run, &part, &at_most);
  check(tap, fabs(left - 5 * spent) < 1e-9 * left && at_most, "the rate that was seen corrects what was guessed");
  check(tap, fabs(part - 1.0 / 6) < 1e-9, "the part of the whole run");
  bf_work_expect(run, BF_PHASE_SWEEP, 50, "Q-values", 1, false);
  check(tap, fabs(bf_work_left(run, &part, &at_most) - 3 * spent) < 1e-9 * spent && !at_most, "told again");
  bf_work_change(run, BF_PHASE_SWEEP, -25);
  check(tap, fabs(bf_work_left(run, &part, &at_most) - 2 * spent) < 1e-9 * spent, "changed");
  bf_work_done(run, BF_PHASE_TABLES, 50);
  bf_work_done(run, BF_PHASE_SWEEP, 30);
  check(tap, bf_work_left(run, &part, &at_most) == 0 && part == 1, "more than was expected leaves nothing");
}

/* What a run tells into `descriptor`, with a line of its own in the middle. */
static void tell_into(int descriptor, bool quiet, const char *what) {
  BfRun  *run   = NULL;
  BfError error = {0};
  fflush(stdout);
  const int before = dup(STDOUT_FILENO);
  dup2(descriptor, STDOUT_FILENO);
  bf_run_create(MPI_COMM_SELF, 0, &run, &error);
  run->quiet = quiet;
  bf_progress_open(run, &quick, &error);
  work(run, what);
  bf_print(run, "a line\n");
  usleep(100000);
  bf_run_destroy(&run);
  fflush(stdout);
  dup2(before, STDOUT_FILENO);
  close(before);
}

static int count(const char *text, const char *word) {
  int n = 0;
  for (; (text = strstr(text, word)); text++) n++;
  return n;
}

static void in_a_file(Tap *tap) {
  char         name[] = "/tmp/bf_progress_XXXXXX", text[16384] = "";
  const int    file  = mkstemp(name);
  const double begin = bf_seconds();
  tell_into(file, false, "transition tables");
  const double took = bf_seconds() - begin;
  lseek(file, 0, SEEK_SET);
  check(tap, read(file, text, sizeof text - 1) > 0, "lines in a file");
  const int lines = count(text, " left");
  check(tap, lines >= 2 && lines <= 2 + took / quick.file, "not more often than they may be");
  check(tap, count(text, "\n") == lines + 1 && !strchr(text, '\r') && !strchr(text, '\033'), "each a line of its own");
  check(tap,
        count(text, "transition tables: ") == lines && count(text, "% of the run done, at most ") == lines &&
            count(text, " entries a second\n") >= lines - 1,
        "what, how much, time left, rate");
  check(tap, count(text, "a line\n") == 1, "other output");
  const off_t end = lseek(file, 0, SEEK_END);
  tell_into(file, true, "transition tables");
  check(tap, lseek(file, 0, SEEK_END) == end, "quiet");
  close(file);
  unlink(name);
}

/* What a terminal of so many columns is sent. */
static void read_terminal(unsigned short columns, const char *what, size_t capacity, char text[]) {
  int            terminal, end;
  struct winsize size = {.ws_row = 24, .ws_col = columns};
  setenv("TERM", "xterm", 1);
  unsetenv("OMPI_COMM_WORLD_RANK");
  memset(text, 0, capacity);
  if (openpty(&terminal, &end, NULL, NULL, &size)) return;
  tell_into(end, false, what);
  close(end);
  for (size_t at = 0; at < capacity - 1;) {
    const ssize_t got = read(terminal, text + at, capacity - 1 - at);
    if (got <= 0) break;
    at += (size_t)got;
  }
  close(terminal);
}

static void on_a_narrow_terminal(Tap *tap) {
  char text[65536];
  read_terminal(80, "start 12 of 60, iteration 36, J = 0.0995324, residual 0.058", sizeof text, text);
  const int lines = count(text, "\rstart 12 of ");
  check(tap, lines > 10 && count(text, "% of the run done, at most ") == lines && count(text, " left") == lines,
        "what goes on is cut, not what is done and left");
  read_terminal(200, "start 12 of 60, iteration 36", sizeof text, text);
  check(tap, count(text, "\rstart 12 of 60, iteration 36: ") > 10 && count(text, "entries a second\033") > 10,
        "nothing is cut where there is room");
}

static void on_a_terminal(Tap *tap) {
  char text[65536];
  read_terminal(40, "transition tables", sizeof text, text);
  check(tap, count(text, "\r\033[K") >= 1 && count(text, "\rtransition t: ") > 10, "one line that is refreshed");
  check(tap, count(text, "\n") == 1 && strstr(text, "\r\033[Ka line\r\n") != NULL, "cleared before other output");
  check(tap, !strcmp(text + strlen(text) - 4, "\r\033[K"), "cleared at the end");
  int longest = 0;
  for (char *line = strtok(text, "\r\n"); line; line = strtok(NULL, "\r\n")) {
    const int length = (int)strcspn(line, "\033");
    longest          = length > longest ? length : longest;
  }
  check(tap, longest == 39, "no wider than the terminal");
}

static void quantities(Tap *tap) {
  char text[BF_HUMAN];
  static const struct {
    double      seconds;
    const char *said;
  } time[]  = {{2.5e-5, "25 microseconds"}, {0.5, "500 milliseconds"},   {14, "14 seconds"},
               {200, "3 min 20 s"},         {7200, "2 hours"},           {86400 * 3.5, "3.5 days"},
               {3.15576e9, "100 years"},    {INFINITY, "no end of time"}};
  int right = 0, all = (int)(sizeof time / sizeof *time);
  for (int i = 0; i < all; i++) right += !strcmp(bf_human_time(time[i].seconds, text), time[i].said);
  check(tap, right == all, "times");
  check(tap, !strcmp(bf_human_bytes(1.234e9, text), "1.23 GB") && !strcmp(bf_human_bytes(12, text), "12 bytes"),
        "bytes");
  check(tap, !strcmp(bf_human_count(9363600, text), "9.36 M") && !strcmp(bf_human_count(729, text), "729"), "counts");
}

int main(int argc, char **argv) {
  Tap     tap   = {0, 0};
  BfRun  *run   = NULL;
  BfError error = {0};
  MPI_Init(&argc, &argv);
  bf_run_create(MPI_COMM_SELF, 0, &run, &error);
  whole_run(&tap, run);
  bf_run_destroy(&run);
  in_a_file(&tap);
  on_a_terminal(&tap);
  on_a_narrow_terminal(&tap);
  quantities(&tap);
  return finish_tap(&tap);
}
