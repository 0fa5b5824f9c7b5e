/* What an interruption says and leaves, at every step of a file that is being written; who hears of signals. */
#include "run/end.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef enum { TAKEN, TOLD, WRITTEN, MOVED, NAMED, DONE, LAUNCHED } Step;

static const struct {
  Step        step;
  const char *name, *said;
  bool        part, whole;
  int         code;
} cases[] = {{WRITTEN, "while it is written", "bellformer: interrupted: old stands\n", false, false, BF_STOPPED},
             {MOVED, "while it gets its name", "bellformer: interrupted: old stands\n", false, true, BF_STOPPED},
             {NAMED, "once it stands", "bellformer: interrupted: new stands\n", false, true, BF_STOPPED},
             {TAKEN, "where another rank has ended the run and said why", "", false, false, BF_STOPPED},
             {TOLD, "where it has said itself why the run ends", "", false, false, BF_STOPPED},
             {DONE, "once all is done", "bellformer: interrupted: all was done\n", false, true, BF_OK},
             {LAUNCHED, "before all is done, by a launcher that lets no rank end",
              "bellformer: interrupted: all was done\n", false, true, 9}};

static void interrupted_at(Step step, const char *part, const char *whole) {
  struct stat about;
  FILE       *file = fopen(part, "w");
  if (step == LAUNCHED) setenv("OMPI_COMM_WORLD_RANK", "0", 1);
  bf_signals_watch(true);
  bf_signals_stands(BF_STOPPED, "interrupted: %s stands", "old");
  if (!file || fclose(file) || stat(part, &about)) _exit(9);
  BfTemporary temporary = {.path = part, .made = true, .device = about.st_dev, .inode = about.st_ino};
  bf_temporary_enlist(&temporary);
  if (step == TAKEN) unlink(part);
  if (step == TOLD) bf_signals_told();
  if (step == LAUNCHED) bf_signals_listen(true), raise(SIGTERM);
  if (step >= MOVED) {
    temporary.moving = true;
    if (rename(part, whole)) _exit(9);
  }
  if (step >= NAMED) {
    bf_temporary_strike(&temporary);
    bf_signals_stands(BF_STOPPED, "interrupted: %s stands", "new");
  }
  if (step >= DONE) bf_signals_done();
  raise(SIGTERM);
  _exit(9);
}

/* What a process says that is interrupted there; its exit code. */
static int interrupt(Step step, const char *part, const char *whole, size_t size, char said[]) {
  int     ends[2], status = 0;
  ssize_t got = 0;
  if (pipe(ends)) return -1;
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    interrupted_at(step, part, whole);
  }
  close(ends[1]);
  memset(said, 0, size);
  for (size_t at = 0; at < size - 1 && (got = read(ends[0], said + at, size - 1 - at)) > 0; at += (size_t)got) {
  }
  close(ends[0]);
  if (child < 0 || waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- several runs in one process -------------------------------------------------------------------------------- */

/* What a child exits with. */
static int in_child(void (*run)(const char *part), const char *part) {
  int         status = 0;
  const pid_t child  = fork();
  if (child == 0) run(part);
  if (child < 0 || waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* One of two that listen ends: the other still hears, and what nobody hears is let pass. */
static void two_listen(const char *part) {
  (void)part;
  bf_signals_watch(false);
  bf_signals_listen(true);
  bf_signals_listen(true);
  bf_signals_listen(false);
  raise(SIGUSR1);
  _exit(bf_signals_asked() ? 0 : 1);
}

static void none_listens(const char *part) {
  (void)part;
  bf_signals_watch(false);
  bf_signals_listen(true);
  bf_signals_listen(false);
  raise(SIGUSR1);
  _exit(bf_signals_asked() ? 1 : 0);
}

/* What is interrupted finds its errno as it was, and a file is left behind. */
static void errno_stays(const char *part) {
  bf_signals_watch(false);
  bf_signals_listen(true);
  bf_signals_leave(part);
  unlink(part);
  mkdir(part, 0700); /* it cannot be made: the handler's calls fail */
  errno = 0;
  raise(SIGTERM);
  const bool kept = errno == 0;
  rmdir(part);
  raise(SIGTERM);
  const bool left = access(part, F_OK) == 0;
  unlink(part);
  bf_signals_leave(NULL);
  raise(SIGTERM);
  _exit(kept && left && access(part, F_OK) != 0 ? 0 : 1);
}

/* Rank 0 of a run, which is not rank 0 of the world: its own files go, those of others stay. */
static void silent_rank(const char *part) {
  char        other[80];
  BfTemporary mine = {.path = part, .made = true}, theirs = {.path = other};
  snprintf(other, sizeof other, "%s.other", part);
  fclose(fopen(part, "w"));
  fclose(fopen(other, "w"));
  bf_temporary_enlist(&theirs);
  bf_temporary_enlist(&mine);
  bf_signals_watch(false);
  raise(SIGTERM);
  for (;;) pause();
}

static bool silent_rank_removes_its_own(const char *part) {
  char other[80];
  snprintf(other, sizeof other, "%s.other", part);
  const int  code  = in_child(silent_rank, part);
  const bool right = code == BF_FAILURE && access(part, F_OK) != 0 && access(other, F_OK) == 0;
  unlink(other);
  return right;
}

int main(void) {
  char folder[] = "/tmp/bf_signals_XXXXXX", part[64], whole[64], said[256];
  int  failed = 0, number = 0;
  if (!mkdtemp(folder)) return 1;
  snprintf(part, sizeof part, "%s/x.part", folder);
  snprintf(whole, sizeof whole, "%s/x", folder);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const int  code  = interrupt(cases[i].step, part, whole, sizeof said, said);
    const bool right = code == cases[i].code && !strcmp(said, cases[i].said) &&
                       (access(part, F_OK) == 0) == cases[i].part && (access(whole, F_OK) == 0) == cases[i].whole;
    failed += !right;
    printf("%sok %d - %s\n", right ? "" : "not ", ++number, cases[i].name);
    unlink(part);
    unlink(whole);
  }
  const struct {
    bool        right;
    const char *name;
  } more[] = {{in_child(two_listen, part) == 0, "one of two that listen ends"},
              {in_child(none_listens, part) == 0, "none listens any more"},
              {in_child(errno_stays, part) == 0, "errno stays, and a file is left where one is asked for"},
              {silent_rank_removes_its_own(part), "a rank that does not speak removes what it made"}};
  for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
    failed += !more[i].right;
    printf("%sok %d - %s\n", more[i].right ? "" : "not ", ++number, more[i].name);
  }
  rmdir(folder);
  printf("1..%d\n", number);
  return failed > 0;
}
