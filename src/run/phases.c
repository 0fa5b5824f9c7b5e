/* Where the time goes, and the table at the end. */
#include "run/phases.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *const bf_phase_name[BF_PHASES] = {"read",     "costs",      "tables", "expand", "merge",   "sweep",
                                              "exchange", "reduce",     "flow",   "heads",  "certify", "rollout",
                                              "write",    "checkpoint", "check",  "study"};

void bf_phase_begin(const BfRun *run, BfPhase phase) {
  BfPhases *x = run->phases;
  bf_progress_lock(run);
  x->begun[phase] = bf_seconds();
  if (x->depth < BF_PHASE_DEPTH) {
    x->active[x->depth++] = phase;
    if (x->listener.begins) x->listener.begins(x->listener.context, phase);
  }
  bf_progress_unlock(run);
}

/* Phases that a failure left open end with the one around them. */
void bf_phase_end(const BfRun *run, BfPhase phase) {
  BfPhases *x = run->phases;
  bf_progress_lock(run);
  x->seconds[phase] += bf_seconds() - x->begun[phase];
  const int depth = x->depth;
  for (int i = x->depth - 1; i >= 0; i--)
    if (x->active[i] == phase) x->depth = i;
  for (int i = x->depth; x->listener.ends && i < depth; i++) x->listener.ends(x->listener.context);
  bf_progress_unlock(run);
}

void bf_count_values(BfRun *run, double q_values) { run->phases->values += q_values; }
void bf_count_sent(BfRun *run, double bytes) { run->phases->sent += bytes; }

static double sum(const BfRun *run, double x) {
  double total;
  MPI_Allreduce(&x, &total, 1, MPI_DOUBLE, MPI_SUM, run->world);
  return total;
}

double bf_run_values(const BfRun *run) { return run->phases->earlier_values + sum(run, run->phases->values); }
double bf_run_seconds(const BfRun *run) { return run->phases->earlier_seconds + bf_seconds() - run->phases->started; }

void bf_count_earlier(BfRun *run, double seconds, double q_values, int starts) {
  run->phases->earlier_seconds = seconds;
  run->phases->earlier_values  = q_values;
  run->phases->earlier_starts  = starts;
}

int bf_starts(const BfRun *run) { return run->phases->earlier_starts + 1; }

static void report_phase(const BfRun *run, int phase, const char *name) {
  const double mine = run->phases->seconds[phase];
  double       least, most;
  MPI_Reduce(&mine, &least, 1, MPI_DOUBLE, MPI_MIN, 0, run->world);
  MPI_Allreduce(&mine, &most, 1, MPI_DOUBLE, MPI_MAX, run->world);
  const double mean = sum(run, mine) / run->size;
  if (most > 0) bf_print(run, "  %-10s %10.3f %10.3f %10.3f\n", name, least, mean, most);
}

void bf_report(const BfRun *run) {
  char a[BF_HUMAN], b[BF_HUMAN], c[BF_HUMAN], d[BF_HUMAN], e[BF_HUMAN];
  bf_print(run, "  seconds           min       mean        max   over %d rank%s on %d node%s\n", run->size,
           run->size == 1 ? "" : "s", run->nodes, run->nodes > 1 ? "s" : "");
  for (int phase = 0; phase < BF_PHASES; phase++) report_phase(run, phase, bf_phase_name[phase]);
  double       peak, mine = (double)bf_peak_memory();
  const double wall = bf_seconds() - run->phases->started, values = sum(run, run->phases->values),
               sent = sum(run, run->phases->sent);
  const double all  = sum(run, mine);
  MPI_Reduce(&mine, &peak, 1, MPI_DOUBLE, MPI_MAX, 0, run->world);
  bf_print(run, "  %.2f s in all; %s Q-values, %s a second; %s sent; peak memory %s a rank at most, %s in sum\n", wall,
           bf_human_count(values, a), bf_human_count(values / wall, e), bf_human_bytes(sent, b),
           bf_human_bytes(peak, c), bf_human_bytes(all, d));
  const double all_values = bf_run_values(run);
  if (bf_starts(run) > 1)
    bf_print(run, "  with %d earlier start%s: %.2f s, %s Q-values\n", bf_starts(run) - 1, bf_starts(run) > 2 ? "s" : "",
             bf_run_seconds(run), bf_human_count(all_values, a));
}

/* ---- output ----------------------------------------------------------------------------------------------------- */

/* In memory of its own, or where there is none in `room`, cut rather than lost. */
static char *compose(size_t size, char room[], const char *format, va_list arguments) {
  va_list again;
  char   *text;
  va_copy(again, arguments);
  if (vasprintf(&text, format, arguments) < 0) vsnprintf(text = room, size, format, again);
  va_end(again);
  return text;
}

void bf_print(const BfRun *run, const char *format, ...) {
  if (run->rank != 0 || run->quiet) return;
  char    room[BF_ERROR_LENGTH];
  va_list arguments;
  va_start(arguments, format);
  char *text = compose(sizeof room, room, format, arguments);
  va_end(arguments);
  bf_progress_lock(run);
  bf_progress_clear(run);
  fputs(text, stdout);
  fflush(stdout); /* a job's log is read while it runs */
  bf_progress_printed(run, text);
  bf_progress_unlock(run);
  if (text != room) free(text);
}

void bf_warn(const BfRun *run, const char *format, ...) {
  if (run->rank != 0) return;
  char    room[BF_ERROR_LENGTH];
  va_list arguments;
  va_start(arguments, format);
  char *text = compose(sizeof room, room, format, arguments);
  va_end(arguments);
  if (run->owner) {
    run->owner->warned(run->owner->context, text);
  } else {
    bf_progress_lock(run);
    bf_progress_clear(run);
    fprintf(stderr, "bellformer: warning: %s\n", text);
    bf_progress_unlock(run);
  }
  if (text != room) free(text);
}
