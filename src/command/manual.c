/* Help and manual pages. */
#include "command/manual.h"
#include "command/command.h"
#include <string.h>

enum { WIDTH = 100, INDENT = 26 };

static const char stops[] =
    "With -o, SIGUSR1 (TERM, INT), or a file named STOP in the result's folder: finish the piece at hand, save a "
    "checkpoint, exit 75. The next start removes the file. Ctrl-C on mpirun (TERM, INT) leaves the ranks about a "
    "second: if "
    "that does not do for the piece at hand, the last checkpoint stands, and one line names it; mpirun returns 1 in "
    "any "
    "case.\n";
static const char keys[] = "The keys of a problem file are listed in the README.\n";

/* Words of a text in lines of WIDTH, from column `at` on, further lines indented. \n starts a new line. */
static void wrap(const char *text, int at, int indent, FILE *out) {
  for (int first = 1; *text; first = 0) {
    const int length = (int)strcspn(text, " \n");
    if (!first && at + 1 + length > WIDTH) {
      fprintf(out, "\n%*s", indent, "");
      at = indent;
    } else if (!first && at > indent) {
      fputc(' ', out);
      at++;
    }
    fprintf(out, "%.*s", length, text);
    at += length;
    text += length;
    if (*text == '\n') {
      fputc('\n', out);
      at = 0;
      if (text[1]) fprintf(out, "%*s", at = indent, "");
    }
    text += *text != '\0';
  }
}

/* The default stands behind the meaning, where there is one to tell. */
static void describe(const BfOption *row, size_t size, char text[]) {
  const bool told = row->standard && row->type != BF_OPTION_BOOL;
  snprintf(text, size, "%s%s%s\n", row->meaning, told ? "; default " : "", told ? row->standard : "");
}

static void list_option(const BfOption *row, FILE *out) {
  char      text[2048];
  const int used = fprintf(out, "  -%s%s%s", row->name, row->argument ? " " : "", row->argument ? row->argument : "");
  describe(row, sizeof text, text);
  fprintf(out, "%*s", used < INDENT ? INDENT - used : 2, "");
  wrap(text, used < INDENT ? INDENT : used + 2, INDENT, out);
}

void bf_manual_help(const char *command, const BfManual *manual, FILE *out) {
  fprintf(out, "usage: [mpirun -n RANKS] bellformer %s %s\n\n", command, manual->usage);
  wrap(manual->about, 0, 0, out);
  fputc('\n', out);
  bool problem = false;
  for (const BfOption *const *table = manual->options; *table; table++) {
    problem |= *table == bf_key_options;
    for (const BfOption *row = *table; row->name; row++) list_option(row, out);
  }
  fputc('\n', out);
  if (manual->notes) wrap(manual->notes, 0, 0, out);
  if (manual->stops) wrap(stops, 0, 0, out);
  fprintf(out, "Exit codes: 0 done, 1 failure inside, 2 bad usage or input%s.\n",
          manual->stops ? ", 75 stopped with a checkpoint" : "");
  if (problem) wrap(keys, 0, 0, out);
}
