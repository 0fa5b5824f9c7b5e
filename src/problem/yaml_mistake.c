#include "yaml_mistake.h"
#include "run/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { LINE = 400 };

/* A line of the file, counted from 1, without its comment and with the text in quotes blotted out; cut where it is
 * long. */
static void get_line(const BfFile *file, int line, char out[LINE]) {
  const char *at = file->bytes, *end = file->bytes + file->size;
  char        quote = 0;
  int         k     = 0;
  for (int l = 1; l < line && at < end; at++) l += *at == '\n';
  for (; at < end && *at != '\n' && k < LINE - 1; at++) {
    if (!quote && *at == '#' && (!k || out[k - 1] == ' ' || out[k - 1] == '\t')) break;
    if (!quote && (*at == '"' || *at == '\'')) quote = *at;
    else if (quote == *at) quote = 0;
    else if (quote) {
      out[k++] = '"';
      continue;
    }
    out[k++] = *at;
  }
  while (k && isspace((unsigned char)out[k - 1])) k--;
  out[k] = '\0';
}

static const char *behind_blanks(const char *line) { return line + strspn(line, " \t"); }

static bool has_tab(const char *line) { return behind_blanks(line) != line + strspn(line, " "); }

static size_t word(const char *at) {
  size_t n = 0;
  while (isalnum((unsigned char)at[n]) || at[n] == '_') n++;
  return n;
}

/* A key whose colon has no blank behind it, "horizon:2"; NULL: there is none. */
static const char *tight_colon(const char *line) {
  const char *at = behind_blanks(line);
  if (*at == '{') at++;
  const size_t n = word(at);
  return n && at[n] == ':' && at[n + 1] && !isspace((unsigned char)at[n + 1]) ? at : NULL;
}

/* "horizon = 2". */
static bool is_assignment(const char *line) {
  const char *at = behind_blanks(line), *sign = at + word(at);
  return sign != at && *behind_blanks(sign) == '=' && !strchr(line, ':');
}

/* How many of the colons of a line make a key, outside of brackets. */
static int keys_in(const char *line) {
  int depth = 0, keys = 0;
  for (const char *at = line; *at; at++) {
    depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
    keys += !depth && *at == ':' && (!at[1] || at[1] == ' ' || at[1] == '\t');
  }
  return keys;
}

/* The first closing bracket of the lines up to this one that closes nothing; 0: there is none. */
static char closes_nothing(const BfFile *file, int last, int *line) {
  int depth = 0;
  for (*line = 1; *line <= last; ++*line) {
    char text[LINE];
    get_line(file, *line, text);
    for (const char *at = text; *at; at++) {
      depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
      if (depth < 0) return *at;
    }
  }
  return 0;
}

/* ---- by what libyaml says --------------------------------------------------------------------------------------- */

static BfStatus in_brackets(const BfYamlFailure *failure, const char *text, BfError *error) {
  const char close = strchr(failure->problem, ']') ? ']' : '}';
  if (close == '}' && failure->column < (int)strlen(text) && text[failure->column] == ']')
    return bf_fail(error, BF_BAD_INPUT, "line %d: a ']' that closes nothing", failure->line);
  return bf_fail(error, BF_BAD_INPUT, "line %d: a ',' is missing, or the '%c' of the %s that begins in line %d",
                 failure->line, close, close == ']' ? "list" : "map", failure->context);
}

/* Lines that stand where they cannot. */
static BfStatus misplaced(const BfFile *file, const BfYamlFailure *failure, const char *text, BfError *error) {
  int        line;
  char       quote[BF_QUOTE];
  const char close = closes_nothing(file, failure->line, &line);
  if (close) return bf_fail(error, BF_BAD_INPUT, "line %d: a '%c' that closes nothing", line, close);
  if (behind_blanks(text)[0] == '-' && behind_blanks(text)[1] == ' ')
    return bf_fail(error, BF_BAD_INPUT, "line %d: '- ' begins an item of a list, and here stand keys", failure->line);
  if (keys_in(text) > 1)
    return bf_fail(error, BF_BAD_INPUT, "line %d: two keys in a line; a map in one line stands in braces: a: {b: c}",
                   failure->line);
  return bf_fail(error, BF_BAD_INPUT, "line %d: '%s' is indented otherwise than the keys round it", failure->line,
                 bf_text_quote(behind_blanks(text), quote));
}

static BfStatus by_message(const BfFile *file, const BfYamlFailure *failure, const char *text, BfError *error) {
  const char *problem = failure->problem;
  char        quote[BF_QUOTE];
  if (failure->context && strstr(problem, "expected ','")) return in_brackets(failure, text, error);
  if (failure->context && strstr(problem, "unexpected end of stream"))
    return bf_fail(error, BF_BAD_INPUT, "line %d: a quote that begins here is not closed", failure->context);
  if (strstr(problem, "mapping values are not allowed") || strstr(problem, "expected key") ||
      strstr(problem, "expected <document start>"))
    return misplaced(file, failure, text, error);
  if (strstr(problem, "expected ':'") && !strchr(text, ':'))
    return bf_fail(error, BF_BAD_INPUT, "line %d: '%s' is a key without a colon and a value", failure->line,
                   bf_text_quote(behind_blanks(text), quote));
  if (strstr(problem, "cannot start any token"))
    return bf_fail(error, BF_BAD_INPUT, "line %d: a text that begins with %%, @ or ` stands in quotes", failure->line);
  return bf_fail(error, BF_BAD_INPUT, "line %d: not YAML: %s", failure->line, problem);
}

BfStatus bf_yaml_check_line(const BfFile *file, int line, BfError *error) {
  char text[LINE], quote[BF_QUOTE];
  get_line(file, line, text);
  if (has_tab(text))
    return bf_fail(error, BF_BAD_INPUT, "line %d: a tab before '%s': YAML indents with spaces", line,
                   bf_text_quote(behind_blanks(text), quote));
  if (tight_colon(text))
    return bf_fail(error, BF_BAD_INPUT, "line %d: a blank is missing behind the colon of '%s'", line,
                   bf_text_quote(tight_colon(text), quote));
  if (is_assignment(text))
    return bf_fail(error, BF_BAD_INPUT, "line %d: '%s': a colon stands between key and value", line,
                   bf_text_quote(behind_blanks(text), quote));
  return BF_OK;
}

/* The line before this one, but for empty ones and comments; 0: there is none. */
static int line_before(const BfFile *file, int line) {
  char text[LINE];
  while (--line > 0) {
    get_line(file, line, text);
    if (*text) return line;
  }
  return 0;
}

/* What spoils a line shows in that line, or only in the one behind it. */
BfStatus bf_yaml_mistake(const BfFile *file, const BfYamlFailure *failure, BfError *error) {
  char      text[LINE];
  const int before = line_before(file, failure->line);
  BF_TRY(bf_yaml_check_line(file, failure->line, error));
  if (before) BF_TRY(bf_yaml_check_line(file, before, error));
  get_line(file, failure->line, text);
  return by_message(file, failure, text, error);
}

BfStatus bf_yaml_check_blanks(const BfFile *file, BfError *error) {
  static const char no_break[] = "\xc2\xa0";
  int               line       = 1;
  const char       *end        = file->bytes + file->size;
  if (file->size >= 2 && (!memcmp(file->bytes, "\xff\xfe", 2) || !memcmp(file->bytes, "\xfe\xff", 2)))
    return bf_fail(error, BF_BAD_INPUT, "line 1: the file is UTF-16; a problem is UTF-8");
  for (const char *at = file->bytes; at < end; line++) {
    while (at < end && (*at == ' ' || *at == '\t')) at++;
    if (end - at >= 2 && !memcmp(at, no_break, 2))
      return bf_fail(error, BF_BAD_INPUT, "line %d: a no-break space: YAML indents with plain spaces", line);
    at = memchr(at, '\n', (size_t)(end - at));
    at = at ? at + 1 : end;
  }
  return BF_OK;
}
