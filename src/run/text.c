#include "run/text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The spellings of what is no finite number, in C and in YAML. */
static int spells_infinity(const char *text) {
  static const char *const names[] = {"nan", "inf", "infinity", ".nan", ".inf", NULL};
  if (*text == '+' || *text == '-') text++;
  for (int k = 0; names[k]; k++)
    if (!strcasecmp(text, names[k])) return 1;
  return 0;
}

const char *bf_text_number(const char *text, double *value) {
  if (spells_infinity(text)) return "must be finite";
  /* strtod alone would take blanks, hexadecimal numbers and "nan(...)". */
  if (!*text || text[strspn(text, "0123456789+-.eE")]) return "is not a number";
  char  *end;
  double number = strtod(text, &end);
  if (end == text || *end) return "is not a number";
  if (!isfinite(number)) return "is too large";
  *value = number;
  return NULL;
}

const char *bf_text_integer(const char *text, int64_t *value) {
  const char *digits = text + (*text == '+' || *text == '-');
  if (!*digits || digits[strspn(digits, "0123456789")]) return "is not an integer";
  errno            = 0;
  long long number = strtoll(text, NULL, 10);
  if (errno == ERANGE) return "is too large";
  *value = number;
  return NULL;
}

const char *bf_text_quote(const char *text, char out[BF_QUOTE]) {
  int k = 0;
  for (; k < 40 && text[k]; k++) out[k] = isprint((unsigned char)text[k]) ? text[k] : '?';
  if (text[k])
    for (int dot = 0; dot < 3; dot++) out[k++] = '.';
  out[k] = '\0';
  return out;
}

const char *bf_text_hint(const char *text) {
  const size_t length = strlen(text), numbers = strspn(text, "0123456789+-.eE \t");
  if (length && text[length - 1] == ',') return " (commas stand between values in brackets only)";
  if (strstr(text, "//")) return " (a comment begins with #)";
  if (strchr(text, '#')) return " (a comment begins with a blank and #)";
  if (text[strcspn(text, ",")] && length == strspn(text, "0123456789+-.eE, \t"))
    return " (the decimal mark is a point; a list stands in brackets)";
  if (length && numbers == length && strpbrk(text, " \t")) return " (commas stand between the values of a list)";
  return "";
}

int bf_text_find(const char *(*name)(int k), const char *text) {
  for (int k = 0; name(k); k++)
    if (!strcmp(name(k), text)) return k;
  return -1;
}

char *bf_text_copy(const char *text, int64_t length, BfError *error) {
  char *copy = bf_calloc(length + 1, 1, error);
  if (copy && length) memcpy(copy, text, (size_t)length);
  return copy;
}

BfStatus bf_text_join(char **out, const char *text, const char *more, BfError *error) {
  BF_TRY(BF_NEW(out, (int64_t)(strlen(text) + strlen(more)) + 1, error));
  strcpy(stpcpy(*out, text), more);
  return BF_OK;
}

int bf_text_distance(const char *a, const char *b) {
  enum { LONGEST = 100, FAR = 1000 };
  int    row[LONGEST + 1];
  size_t n = strlen(a), m = strlen(b);
  if (n > LONGEST || m > LONGEST) return FAR;
  for (size_t j = 0; j <= m; j++) row[j] = (int)j;
  for (size_t i = 1; i <= n; i++) {
    int diagonal = row[0];
    row[0]       = (int)i;
    for (size_t j = 1; j <= m; j++) {
      int replace = diagonal + (a[i - 1] != b[j - 1]);
      int change  = 1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);
      diagonal    = row[j];
      row[j]      = replace < change ? replace : change;
    }
  }
  return row[m];
}

int bf_text_far(const char *name) { return 2 + (int)strlen(name) / 4; }

BfStatus bf_array_room(void *slot, int64_t count, int64_t *room, size_t size, BfError *error) {
  if (count < *room) return BF_OK;
  int64_t wanted = *room ? 2 * *room : 16;
  void   *old, *grown = bf_calloc(wanted, size, error);
  if (!grown) return error->status;
  memcpy(&old, slot, sizeof old);
  if (count) memcpy(grown, old, (size_t)count * size);
  bf_free(old);
  memcpy(slot, &grown, sizeof grown);
  *room = wanted;
  return BF_OK;
}
