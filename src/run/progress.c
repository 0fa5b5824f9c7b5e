/* The progress line: rank 0's, told by a thread of its own, so that no phase is silent because it forgot to speak. The
 * thread makes no MPI calls. */
#include "run/phases.h"
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct BfProgress {
  pthread_t       thread;
  pthread_mutex_t lock;
  pthread_cond_t  ended;
  bool            end;
  BfProgressTimes times;
  int             width;  /* of the terminal; 0: a file, where lines stay */
  bool            shown;  /* the line stands on the terminal */
  bool            inside; /* other output ended within a line */
  double          last;   /* when a line was told */
  char            what[96];
};

void bf_progress_lock(const BfRun *run) {
  if (run->phases->progress) pthread_mutex_lock(&run->phases->progress->lock);
}

void bf_progress_unlock(const BfRun *run) {
  if (run->phases->progress) pthread_mutex_unlock(&run->phases->progress->lock);
}

void bf_progress_clear(const BfRun *run) {
  BfProgress *p = run->phases->progress;
  if (!p || !p->shown) return;
  fputs("\r\033[K", stdout);
  fflush(stdout);
  p->shown = false;
}

void bf_progress_printed(const BfRun *run, const char *text) {
  BfProgress  *p      = run->phases->progress;
  const size_t length = strlen(text);
  if (p && length) p->inside = text[length - 1] != '\n';
}

/* ---- what is left ----------------------------------------------------------------------------------------------- */

double bf_phase_seconds(const BfRun *run, BfPhase phase) {
  const BfPhases *x       = run->phases;
  double          seconds = x->seconds[phase];
  for (int i = 0; i < x->depth; i++)
    if (x->active[i] == phase) seconds += bf_seconds() - x->begun[phase];
  return seconds;
}

static double spent(const BfRun *run, int phase) {
  return bf_phase_seconds(run, (BfPhase)phase) - run->phases->work[phase].before;
}

/* Work that has begun goes on at the rate that was seen; what has not, at its guess, times what guesses were wrong by
 * so far. */
double bf_work_left(const BfRun *run, double *part, bool *at_most) {
  double guessed = 0, seen = 0, left = 0, all = 0, expected = 0;
  *at_most = false;
  for (int i = 0; i < BF_PHASES; i++) {
    const BfPhaseWork *w = &run->phases->work[i];
    expected += w->all;
    all += w->all > 0 ? spent(run, i) : 0;
    guessed += w->done * w->weight;
    seen += w->done > 0 ? spent(run, i) : 0;
  }
  *part = NAN;
  if (!(expected > 0)) return NAN;
  const double wrong = guessed > 0 && seen > 0 ? seen / guessed : 1;
  for (int i = 0; i < BF_PHASES; i++) {
    const BfPhaseWork *w    = &run->phases->work[i];
    const double       rest = w->all - w->done;
    if (rest <= 0) continue;
    left += w->done > 0 ? rest * spent(run, i) / w->done : fmax(0, rest * w->weight * wrong - spent(run, i));
    *at_most |= w->at_most;
  }
  *part = all / (all + left);
  return left;
}

/* ---- the line --------------------------------------------------------------------------------------------------- */

enum { LINE = 256, LEAST = 12 }; /* columns; those that are left to what goes on */

/* On `columns` it is what goes on that is cut: how much is done and left is what the line is for. */
static void describe(const BfRun *run, int columns, char line[2 * LINE]) {
  const BfPhases   *x     = run->phases;
  const BfProgress *p     = x->progress;
  const BfPhase     phase = x->depth ? x->active[x->depth - 1] : BF_PHASES;
  const double      now   = bf_seconds();
  char              a[BF_HUMAN], b[BF_HUMAN], rate[2 * BF_HUMAN] = "", rest[LINE];
  double            part;
  bool              at_most;
  const double      left = bf_work_left(run, &part, &at_most);
  const char *const what = phase == BF_PHASE_CHECKPOINT || phase == BF_PHASE_WRITE || phase == BF_PHASE_ROLLOUT ||
                                   (phase < BF_PHASES && !*p->what)
                               ? bf_phase_name[phase]
                           : *p->what ? p->what
                                      : "working";
  if (phase < BF_PHASES && x->work[phase].unit && x->work[phase].done > 0)
    snprintf(rate, sizeof rate, ", %s %s a second", bf_human_count(x->work[phase].done / spent(run, (int)phase), a),
             x->work[phase].unit);
  if (isnan(left)) snprintf(rest, sizeof rest, ": %s so far%s", bf_human_time(now - x->started, b), rate);
  else
    snprintf(rest, sizeof rest, ": %.1f %% of the run done, %s%s left%s", 100 * part, at_most ? "at most " : "",
             left < 1 ? "a second" : bf_human_time(left, b), rate);
  const int room = columns - (int)strlen(rest);
  snprintf(line, 2 * LINE, "%.*s%s", room > LEAST ? room : LEAST, what, rest);
  line[columns] = 0;
}

static void tell(const BfRun *run) {
  BfProgress *p              = run->phases->progress;
  char        line[2 * LINE] = "";
  p->last                    = bf_seconds();
  if (!p->width) {
    describe(run, LINE - 1, line);
    printf("%s\n", line);
  } else {
    p->width         = bf_terminal_width(); /* it may have changed */
    const int widest = p->width - 1;        /* a line that wraps could not be taken back */
    describe(run, widest < 1 ? 1 : widest < LINE ? widest : LINE - 1, line);
    printf("\r%s\033[K", line);
    p->shown = true;
  }
  fflush(stdout);
}

static void *watch(void *context) {
  const BfRun *run = context;
  BfProgress  *p   = run->phases->progress;
  double       due = run->phases->started + p->times.first;
  pthread_mutex_lock(&p->lock);
  while (!p->end) {
    struct timespec until;
    const double    wait = fmax(due - bf_seconds(), 0.05);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)wait;
    until.tv_nsec += (long)(1e9 * (wait - floor(wait)));
    if (until.tv_nsec >= 1000000000) {
      until.tv_sec++;
      until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&p->ended, &p->lock, &until);
    if (p->end || bf_seconds() < due) continue;
    if (p->inside) continue; /* within a line of other output */
    tell(run);
    due = p->last + (p->width ? p->times.terminal : p->times.file);
  }
  bf_progress_clear(run);
  pthread_mutex_unlock(&p->lock);
  return NULL;
}

/* Signals are for the thread that works. */
static int start_thread(BfProgress *p, BfRun *run) {
  const size_t   stack = 256 << 10;
  pthread_attr_t attributes;
  sigset_t       all, before;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int failed = pthread_create(&p->thread, &attributes, watch, run);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return failed;
}

BfStatus bf_progress_open(BfRun *run, const BfProgressTimes *times, BfError *error) {
  BfProgress        *p;
  pthread_condattr_t attributes;
  if (run->rank != 0 || run->quiet || run->phases->progress) return BF_OK;
  BF_TRY(BF_NEW(&p, 1, error));
  p->times = times ? *times : (BfProgressTimes){3, 1, 60};
  p->width = bf_terminal_width();
  pthread_mutex_init(&p->lock, NULL);
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&p->ended, &attributes);
  pthread_condattr_destroy(&attributes);
  run->phases->progress = p;
  if (start_thread(p, run)) {
    bf_free(p);
    run->phases->progress = NULL;
    fputs("bellformer: warning: no thread for progress lines: there will be none\n", stderr);
  }
  return BF_OK;
}

void bf_progress_close(BfRun *run) {
  BfProgress *p = run->phases->progress;
  if (!p) return;
  pthread_mutex_lock(&p->lock);
  p->end = true;
  pthread_cond_signal(&p->ended);
  pthread_mutex_unlock(&p->lock);
  pthread_join(p->thread, NULL);
  run->phases->progress = NULL;
  pthread_cond_destroy(&p->ended);
  pthread_mutex_destroy(&p->lock);
  bf_free(p);
}

/* ---- what the work tells ---------------------------------------------------------------------------------------- */

void bf_progress_what(const BfRun *run, const char *format, ...) {
  BfProgress *p = run->phases->progress;
  va_list     arguments;
  if (!p) return;
  pthread_mutex_lock(&p->lock);
  va_start(arguments, format);
  vsnprintf(p->what, sizeof p->what, format, arguments);
  va_end(arguments);
  pthread_mutex_unlock(&p->lock);
}

void bf_work_expect(const BfRun *run, BfPhase phase, double units, const char *unit, double weight, bool at_most) {
  bf_progress_lock(run);
  BfPhaseWork *w = &run->phases->work[phase];
  if (!w->all) { /* what was done before is not of this work */
    w->before = bf_phase_seconds(run, phase);
    w->done   = 0;
  }
  w->all     = units;
  w->unit    = unit;
  w->weight  = weight;
  w->at_most = at_most;
  bf_progress_unlock(run);
}

void bf_work_change(const BfRun *run, BfPhase phase, double units) {
  bf_progress_lock(run);
  BfPhaseWork *w = &run->phases->work[phase];
  w->all         = fmax(w->all + units, w->done);
  bf_progress_unlock(run);
}

void bf_work_done(const BfRun *run, BfPhase phase, double units) {
  bf_progress_lock(run);
  BfPhaseWork *w = &run->phases->work[phase];
  w->done        = w->done + units;
  if (w->all > 0 && w->done > w->all) w->all = w->done; /* a guess that was too small */
  bf_progress_unlock(run);
}
