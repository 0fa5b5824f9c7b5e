/* Where the time goes, and the table at the end. */
#include "run/phases.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

double bf_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void bf_phase_begin(BfRun *run, BfPhase phase) { run->phases->begun[phase] = bf_seconds(); }

void bf_phase_end(BfRun *run, BfPhase phase) {
  run->phases->seconds[phase] += bf_seconds() - run->phases->begun[phase];
}

void bf_count_values(BfRun *run, double q_values) { run->phases->values += q_values; }
void bf_count_sent(BfRun *run, double bytes) { run->phases->sent += bytes; }

static double sum(const BfRun *run, double x) {
  double total;
  MPI_Allreduce(&x, &total, 1, MPI_DOUBLE, MPI_SUM, run->world);
  return total;
}

double bf_total_values(const BfRun *run) { return run->phases->earlier_values + sum(run, run->phases->values); }
double bf_total_seconds(const BfRun *run) { return run->phases->earlier_seconds + bf_seconds() - run->phases->started; }

void bf_count_earlier(BfRun *run, double seconds, double q_values, int starts) {
  run->phases->earlier_seconds = seconds;
  run->phases->earlier_values  = q_values;
  run->phases->earlier_starts  = starts;
}

int bf_starts(const BfRun *run) { return run->phases->earlier_starts + 1; }

/* 12345678 -> "12.3 M": three digits and a factor of a thousand. */
static const char *human(double x, char text[16]) {
  static const char *const factor[] = {"", " k", " M", " G", " T", " P"};
  int                      i        = 0;
  for (; x >= 999.5 && i < 5; i++) x /= 1000;
  snprintf(text, 16, "%.3g%s", x, factor[i]);
  return text;
}

static void report_phase(const BfRun *run, int phase, const char *name) {
  const double mine = run->phases->seconds[phase];
  double       least, most;
  MPI_Reduce(&mine, &least, 1, MPI_DOUBLE, MPI_MIN, 0, run->world);
  MPI_Allreduce(&mine, &most, 1, MPI_DOUBLE, MPI_MAX, run->world);
  const double mean = sum(run, mine) / run->size;
  if (most > 0) bf_print(run, "  %-10s %10.3f %10.3f %10.3f\n", name, least, mean, most);
}

void bf_report(const BfRun *run) {
  static const char *const name[BF_PHASES] = {"read",   "tables", "expand",  "merge", "sweep",
                                              "reduce", "flow",   "rollout", "write", "checkpoint"};
  char                     a[16], b[16], c[16], d[16];
  bf_print(run, "  seconds           min       mean        max   over %d rank%s on %d node%s\n", run->size,
           run->size == 1 ? "" : "s", run->nodes, run->nodes > 1 ? "s" : "");
  for (int phase = 0; phase < BF_PHASES; phase++) report_phase(run, phase, name[phase]);
  double       peak, mine = (double)bf_peak_memory();
  const double wall = bf_seconds() - run->phases->started, values = sum(run, run->phases->values),
               sent = sum(run, run->phases->sent);
  const double all  = sum(run, mine);
  MPI_Reduce(&mine, &peak, 1, MPI_DOUBLE, MPI_MAX, 0, run->world);
  bf_print(run, "  %.2f s in all; %s Q-values, %s a second; %sB sent; peak memory %sB a rank at most, %sB in sum\n",
           wall, human(values, a), human(values / wall, (char[16]){0}), human(sent, b), human(peak, c), human(all, d));
  const double all_values = bf_total_values(run);
  if (bf_starts(run) > 1)
    bf_print(run, "  with %d earlier start%s: %.2f s, %s Q-values\n", bf_starts(run) - 1, bf_starts(run) > 2 ? "s" : "",
             bf_total_seconds(run), human(all_values, a));
}

/* ---- output ----------------------------------------------------------------------------------------------------- */

void bf_print(const BfRun *run, const char *format, ...) {
  if (run->rank != 0 || run->quiet) return;
  va_list arguments;
  va_start(arguments, format);
  vprintf(format, arguments);
  va_end(arguments);
  fflush(stdout); /* a job's log is read while it runs */
}

void bf_warn(const BfRun *run, const char *format, ...) {
  if (run->rank != 0) return;
  va_list arguments;
  va_start(arguments, format);
  fputs("bellformer: warning: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
}

void bf_progress_start(BfProgress *progress, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(progress->what, sizeof progress->what, format, arguments);
  va_end(arguments);
  progress->started = progress->last = bf_seconds();
}

void bf_progress(const BfRun *run, BfProgress *progress, double fraction, double values) {
  if (run->rank != 0 || run->quiet) return;
  const double now = bf_seconds(), interval = 3, spent = now - progress->started;
  if (now - progress->last < interval || fraction <= 0) return;
  char rate[16];
  progress->last = now;
  bf_print(run, "%s: %.1f %% done, %s Q-values a second, %.0f s left\n", progress->what, 100 * fraction,
           human(values * run->size / spent, rate), spent * (1 - fraction) / fraction);
}
