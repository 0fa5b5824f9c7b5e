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
  return stat(w->stop, &about) == 0 && !S_ISDIR(about.st_mode);
}

/* ---- progress --------------------------------------------------------------------------------------------------- */

double bf_task_units(const BfTask *task) { return task->seconds > 0 ? task->seconds : 1; }

void bf_work_pass(BfWork *w) {
  int there;
  if (w->run->rank != 0) return;
  /* Counters are this rank's memory; where groups are on other hosts, MPI serves them when it is called. */
  MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_SELF, &there, MPI_STATUS_IGNORE);
  const int64_t begun = bf_queue_seen(&w->queue, BF_COUNT_BEGUN), done = bf_queue_seen(&w->queue, BF_COUNT_DONE);
  const int64_t failed   = bf_queue_seen(&w->queue, BF_COUNT_FAILED);
  const int64_t micro    = bf_queue_seen(&w->queue, BF_COUNT_MICROSECONDS);
  char          text[64] = "";
  if (failed) snprintf(text, sizeof text, ", %lld failed", (long long)failed);
  bf_progress_what(w->run, "%lld of %lld points done, %lld running%s", (long long)(w->kept + done),
                   (long long)(w->kept + w->tasks), (long long)(begun - done - failed), text);
  bf_work_done(w->run, BF_PHASE_STUDY, 1e-6 * (double)(micro - w->told));
  w->told = micro;
}
