/* What an interruption says and leaves, at every step of a file that is being written. */
#include "run/end.h"
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
  rmdir(folder);
  printf("1..%d\n", number);
  return failed > 0;
}
