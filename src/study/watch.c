/* What a study looks at while its points are run: whether it is to stop, how far it is. */
#include "study/group.h"
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>

/* ---- when to stop ----------------------------------------------------------------------------------------------- */

bool bf_work_stops(BfWork *w) {
  struct stat  about;
  const double now  = bf_seconds();
  const double room = 1 + fmin(w->longest, 5); /* points that are longer ask for themselves */
  if (bf_signals_asked() || now + room >= w->deadline) return true;
  if (now - w->looked < 1) return false;
  w->looked = now;
  return (stat(w->stop, &about) == 0 && !S_ISDIR(about.st_mode)) || bf_deal_has_ended(w);
}

/* ---- progress --------------------------------------------------------------------------------------------------- */

/* At most a lifetime: microseconds of it are counted in whole numbers. */
double bf_task_units(const BfTask *task) { return task->seconds > 0 ? fmin(task->seconds, 1e9) : 1; }

static void tell(BfWork *w, int64_t begun, int64_t failed, int64_t running) {
  char text[64] = "";
  if (failed) snprintf(text, sizeof text, ", %lld failed", (long long)failed);
  bf_progress_what(w->run, "%lld of %lld points done, %lld running%s", (long long)(w->kept + begun - running - failed),
                   (long long)(w->kept + w->tasks), (long long)running, text);
}

static void pass_counted(BfWork *w) {
  const int64_t begun = bf_queue_seen(&w->queue, BF_COUNT_BEGUN), done = bf_queue_seen(&w->queue, BF_COUNT_DONE);
  const int64_t failed = bf_queue_seen(&w->queue, BF_COUNT_FAILED);
  const int64_t micro  = bf_queue_seen(&w->queue, BF_COUNT_MICROSECONDS);
  tell(w, begun, failed, begun - done - failed);
  bf_work_done(w->run, BF_PHASE_STUDY, 1e-6 * (double)(micro - w->told));
  w->told = micro;
}

/* Of points that were taken all but the last of each group have ended, in order of tasks: nearly, until all have. */
static void pass_taken(BfWork *w) {
  const int64_t begun   = bf_deal_begun(w, &w->begun);
  const int64_t groups  = begun && !w->all_ended ? (w->run->size - 1) / w->task[begun - 1].ranks + 1 : 0;
  const int64_t running = begun < groups ? begun : groups;
  tell(w, begun, 0, running);
  for (; w->told < begun - running; w->told++) bf_work_done(w->run, BF_PHASE_STUDY, bf_task_units(&w->task[w->told]));
}

/* Runs ask for this after every evaluation, of microseconds perhaps; a probe of MPI may give the processor away. */
void bf_work_pass(BfWork *w) {
  const double now = bf_seconds();
  if (w->run->rank != 0 || now - w->passed < (w->between_hosts ? 1 : 0.02)) return;
  w->passed = now;
  if (w->between_hosts) pass_taken(w);
  else pass_counted(w);
}
