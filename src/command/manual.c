/* Help and manual pages. */
#include "command/manual.h"
#include "bellformer/version.h"
#include "command/command.h"
#include <string.h>

enum { WIDTH = 100, INDENT = 26 };

static const char stops[] =
    "With -o, SIGUSR1 (TERM, INT), or a file named STOP in the result's folder: finish the piece at hand, save a "
    "checkpoint, exit 75. The next start removes the file. Ctrl-C on mpirun (TERM, INT) leaves the ranks about a "
    "second: "
    "if that does not do for the piece at hand, the last checkpoint stands, and one line names it; mpirun returns 1 in "
    "any case.\n";
static const char quiet[] =
    "Where a rank exits with an error, mpirun adds twelve lines of its own, but not with --quiet or "
    "OMPI_MCA_orte_execute_quiet=1 in the environment.\n";
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

static void add(const char *more, size_t size, char text[]) {
  const size_t used = strlen(text);
  snprintf(text + used, size - used, "%s", more);
}

static bool wants_names(const BfOption *row) {
  const size_t length = strlen(row->meaning);
  return row->choice && length > 2 && !strcmp(row->meaning + length - 2, ": ");
}

/* Behind the meaning stand the names, where it wants them, and the default, where there is one to tell. */
static void describe(const BfOption *row, size_t size, char text[]) {
  *text = '\0';
  add(row->meaning, size, text);
  for (int i = 0; wants_names(row) && row->choice(i); i++) {
    if (i) add(row->choice(i + 1) ? ", " : " or ", size, text);
    add(row->choice(i), size, text);
  }
  if (row->standard && row->type != BF_OPTION_BOOL) {
    add("; default ", size, text);
    add(row->standard, size, text);
  }
  add("\n", size, text);
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
  wrap(quiet, 0, 0, out);
  fprintf(out, "Exit codes: 0 done, 1 failure inside, 2 bad usage or input%s.\n",
          manual->stops ? ", 75 stopped with a checkpoint" : "");
  if (problem) wrap(keys, 0, 0, out);
}

/* ---- manual pages ----------------------------------------------------------------------------------------------- */

/* Text for troff: no word of it is taken for a request. */
static void escape(const char *text, FILE *out) {
  bool first = true;
  for (; *text; text++) {
    if (first && (*text == '.' || *text == '\'')) fputs("\\&", out);
    if (*text == '\\') fputs("\\e", out);
    else if (*text == '-') fputs("\\-", out);
    else if (*text == '"') fputs("\\(dq", out);
    else if (*text == '~') fputs("\\(ti", out);
    else if (*text == '^') fputs("\\(ha", out);
    else if (*text == '`') fputs("\\(ga", out);
    else fputc(*text, out);
    first = *text == '\n';
  }
}

/* A line, or lines, of prose; every one is a paragraph. */
static void paragraphs(const char *text, FILE *out) {
  for (bool first = true; *text; first = false) {
    char      line[2048];
    const int length = (int)strcspn(text, "\n");
    snprintf(line, sizeof line, "%.*s", length, text);
    if (!first) fputs(".PP\n", out);
    escape(line, out);
    fputc('\n', out);
    text += length + (text[length] == '\n');
  }
}

static void title(const char *name, const char *command, const char *summary, FILE *out) {
  fprintf(out, ".TH BELLFORMER%s%s 1 \"\" \"bellformer %s\" \"bellformer\"\n.SH NAME\nbellformer%s%s \\- ",
          command ? "\\-" : "", command ? command : "", BF_VERSION, command ? "\\-" : "", command ? command : "");
  escape(summary, out);
  fprintf(out, "\n.SH SYNOPSIS\n.B %s\n", name);
}

void bf_manual_page(const char *command, const char *summary, const BfManual *manual, FILE *out) {
  char name[64];
  snprintf(name, sizeof name, "bellformer %s", command);
  title(name, command, summary, out);
  paragraphs(manual->usage, out);
  fputs(".PP\n.B mpirun \\-n\n.I RANKS\n", out);
  fprintf(out, ".B %s\n", name);
  paragraphs(manual->usage, out);
  fputs(".SH DESCRIPTION\n", out);
  paragraphs(manual->about, out);
  fputs(".SH OPTIONS\n", out);
  for (const BfOption *const *table = manual->options; *table; table++)
    for (const BfOption *row = *table; row->name; row++) {
      char text[2048];
      describe(row, sizeof text, text);
      fprintf(out, ".TP\n.BI \\-%s \"%s%s\"\n", row->name, row->argument ? " " : "",
              row->argument ? row->argument : "");
      paragraphs(text, out);
    }
  fputs(".SH NOTES\n", out);
  if (manual->notes) paragraphs(manual->notes, out);
  if (manual->stops) {
    fputs(".PP\n", out);
    paragraphs(stops, out);
  }
  fputs(manual->notes || manual->stops ? ".PP\n" : "", out);
  paragraphs(quiet, out);
  fprintf(
      out,
      ".SH \"EXIT STATUS\"\n0 done, 1 failure inside, 2 bad usage or input%s.\n.SH \"SEE ALSO\"\n.BR bellformer (1)\n",
      manual->stops ? ", 75 stopped with a checkpoint" : "");
}

void bf_manual_page_of_all(FILE *out) {
  title("bellformer", NULL, "train Transformers by optimal control", out);
  fputs(".I COMMAND\n[\n.I FILE\n] [\n.B \\-option\n.I value\n\\&...]\n.SH DESCRIPTION\n", out);
  paragraphs(
      "Layers are time steps, layer parameters are controls, the state is the law of the tokens. Every command runs "
      "alone or under mpirun -n RANKS, with the same bits on any number of ranks.\n",
      out);
  fputs(".SH COMMANDS\n", out);
  for (const BfCommand *command = bf_commands; command->name; command++) {
    fprintf(out, ".TP\n.B %s\n", command->name);
    paragraphs(command->summary, out);
  }
  fputs(".TP\n.B help\n[\n.I COMMAND\n] a list of the commands, or the options of one; with\n.B \\-man\nas a manual "
        "page\n",
        out);
  fputs(".SH \"SEE ALSO\"\n", out);
  for (const BfCommand *command = bf_commands; command->name; command++)
    fprintf(out, "%s.BR bellformer\\-%s (1)", command > bf_commands ? ",\n" : "", command->name);
  fputc('\n', out);
}
