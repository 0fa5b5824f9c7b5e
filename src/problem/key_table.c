#include "key_table.h"
#include "bellformer/term.h"
#include "family.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static const BfKey general[] = {
    {"name", "text", "the file's name", "for output and plots"},
    {"horizon", "integer", NULL, "T, the number of layers, 1 to 1000000"},
    {"step", "number", NULL, "eps > 0, the step of a layer; depth runs from 0 to T eps"},
    {"token.dim", "integer", NULL, "d, 1 to 64"},
    {"token.lower", "numbers", NULL, "lowest corner of Z: d numbers, or one for all"},
    {"token.upper", "numbers", NULL, "highest corner; above `lower` in every component, both within 1e140"},
    {"token.projection", "word", "clip", "P after every layer"},
    {"data.file", "file", NULL, "the table to train on"},
    {"data.test", "file", "none", "such a table, on which the trained model is only evaluated"},
    {"data.sample.count", "integer", "0",
     "N of the sequences of `data.file`, drawn without replacement; of a table of one sequence N tokens of each tag. "
     "0: "
     "all"},
    {"data.sample.seed", "integer", "0", "of that draw, at least 0; a larger count contains the smaller"},
    {"data.position_encoding", "word or numbers", "none", "e_p, added to queries and keys"},
    {"layer.residual", "integer", "1", "r, 1 or 0"},
    {"layer.norm", "word", "none", "what attention and feed-forward see of z, before e_p is added"},
    {"layer.heads", "integer", "1", "H, 0 to 10000; 0: no attention"},
    {"layer.beta", "number", "1", "beta in exp( beta < z + e_p, A (z' + e_p') > )"},
    {"layer.mask", "word", "full", "`full`, or `causal`: a token sees positions p' <= p; one token a position then"},
    {"layer.feedforward", "word", "none", "sigma of W2 sigma(W1 z + b1) + b2"},
    {"layer.width", "integer", NULL, "rows of W1, 1 to 65536"},
    {"control.A.form", "word", "full", "which numbers of the matrix are free"},
    {"control.A.value", "numbers", NULL, "rows x columns numbers, row by row, or one for every entry"},
    {"control.A.range", "numbers", NULL,
     "`[lo, hi]` for all free numbers, or a pair for each; lo <= hi, both within 1e290. May be left out where "
     "`action.kind` is `file`: then it is what the rows span"},
    {"control.A.levels", "integers", NULL,
     "values that a grid takes in the range, both ends included; 1: its middle. One for all free numbers, or one for "
     "each. Of a sample or of rows no file has levels; a file's levels stand aside where the command line sets "
     "`action.kind`"},
    {"control.A.row_I_column_J.range", "numbers", "control.A.range",
     "the same for single rows, columns and entries, see below"},
    {"control.A.row_I_column_J.levels", "integer", "control.A.levels", "the same"},
    {"action.kind", "word", "grid", "how the set is chosen, see below"},
    {"cost.terminal", "word", NULL, "what tokens cost after the last layer, see below"},
    {"cost.weight_decay", "number", "0", "lambda >= 0"},
    {"flow.profile", "word or numbers", "constant",
     "zeta(t), which `bellformer flow` alone reads: `constant` (1), or 2 to 1000000 values at equally spaced depths "
     "from 0 to T eps, linear in between"},
    {NULL, NULL, NULL, NULL},
};

static const BfKey *next_described(const BfKind *kind, BfKeyWalk *walk) {
  while (kind->keys && kind->keys[walk->key].name) {
    const BfKey *key = &kind->keys[walk->key++];
    if (key->type) return key;
  }
  return NULL;
}

const BfKey *bf_key_next(BfKeyWalk *walk) {
  if (general[walk->general].name) return &general[walk->general++];
  for (const BfFamily *family; (family = bf_family_at((int)walk->family)); walk->family++, walk->kind = 0) {
    const BfKind *kind;
    for (; (kind = family->kind((int)walk->kind)); walk->kind++, walk->key = 0) {
      const BfKey *key = next_described(kind, walk);
      if (key) return key;
    }
  }
  for (const BfTermKind *term; (term = bf_term_kind((int)walk->term)); walk->term++, walk->key = 0) {
    const BfKey *key = next_described(&term->base, walk);
    if (key) return key;
  }
  return NULL;
}

/* "`none`: z", behind what stands there already; numbers, which the last of an open family is, are no word. */
static void add_kind(const BfFamily *family, int k, size_t size, char text[]) {
  const BfKind *kind   = family->kind(k);
  const bool    word   = !family->open || family->kind(k + 1);
  const char   *quote  = word ? "`" : "";
  const size_t  length = strlen(text);
  if (!kind->meaning) return;
  snprintf(text + length, size - length, "%s%s%s%s: %s", strchr(text, '`') ? "; " : ": ", quote, kind->name, quote,
           kind->meaning);
}

void bf_key_meaning(const BfKey *key, size_t size, char text[]) {
  const BfFamily *family;
  snprintf(text, size, "%s", key->meaning);
  for (int f = 0; (family = bf_family_at(f)); f++)
    for (int k = 0; family->key && !strcmp(family->key, key->name) && family->kind(k); k++)
      add_kind(family, k, size, text);
}

/* ---- names of matrices and of their pieces ---------------------------------------------------------------------- */

/* Digits, of which a matrix has few. Returns what stands behind them, NULL where there are none. */
static const char *number(const char *at, int *out) {
  const size_t digits = strspn(at, "0123456789");
  *out                = 0;
  if (!digits || digits > 7 || (digits > 1 && at[0] == '0')) return NULL;
  for (size_t k = 0; k < digits; k++) *out = 10 * *out + (at[k] - '0');
  return at + digits;
}

/* How long the name of a matrix of that term is with which `at` begins; 0: none. "A_" is one for each head, and a name
 * for all of them. */
static size_t matrix_length(const BfTermKind *term, const char *at) {
  for (const char *const *name = term->matrices; *name; name++) {
    const size_t length = strlen(*name);
    int          head;
    if (strncmp(at, *name, length)) continue;
    if ((*name)[length - 1] != '_') {
      if (at[length] == '_') return length;
    } else {
      const char *end = number(at + length, &head);
      return end ? (size_t)(end - at) : length - 1;
    }
  }
  return 0;
}

/* "A_12_levels" -> the matrix "A_12", and what stands behind its '_'; NULL where it does not begin with a matrix. */
static const char *matrix_name(const char *at, char name[BF_MATRIX_NAME]) {
  const BfTermKind *term;
  size_t            length = 0;
  for (int k = 0; !length && (term = bf_term_kind(k)); k++) length = matrix_length(term, at);
  if (!length || at[length] != '_') return NULL;
  memcpy(name, at, length);
  name[length] = '\0';
  return at + length + 1;
}

/* "row_3_" or "row_3_to_4_", where the word is "row_". Returns what stands behind, or NULL. */
static const char *span(const char *at, const char *word, int bounds[2]) {
  const size_t length = strlen(word);
  if (strncmp(at, word, length)) return NULL;
  if (!(at = number(at + length, &bounds[0]))) return NULL;
  bounds[1] = bounds[0];
  if (!strncmp(at, "_to_", 4) && !(at = number(at + 4, &bounds[1]))) return NULL;
  return *at == '_' ? at + 1 : NULL;
}

/* "row_3_column_0_to_2_levels" -> the piece, and "levels"; NULL where it does not begin with a piece. */
static const char *piece_name(const char *at, BfPiece *piece) {
  *piece              = (BfPiece){{0, INT_MAX}, {0, INT_MAX}};
  const char *row     = span(at, "row_", piece->row);
  const char *column  = span(row ? row : at, "column_", piece->column);
  const int   aligned = piece->row[0] <= piece->row[1] && piece->column[0] <= piece->column[1];
  return !aligned ? NULL : column ? column : row;
}

int bf_key_name(const char *option, BfKeyName *out) {
  char        canonical[BF_OPTION_LENGTH], row[BF_OPTION_LENGTH];
  const char *of_piece = NULL;
  *out                 = (BfKeyName){0};
  snprintf(canonical, sizeof canonical, "%s", option);
  if (!strncmp(option, "control_", 8)) {
    const char *what = matrix_name(option + 8, out->matrix);
    if (!what) return 0;
    of_piece = piece_name(what, &out->piece);
    snprintf(canonical, sizeof canonical, "control_A_%s%s", of_piece ? "row_I_column_J_" : "",
             of_piece ? of_piece : what);
  }
  for (BfKeyWalk walk = {0}; (out->row = bf_key_next(&walk));) {
    bf_option_name(out->row->name, row);
    if (!strcmp(row, canonical) && !of_piece == !strstr(row, "row_I")) return 1;
  }
  return 0;
}

const char *bf_key_dotted(const BfKeyName *name, const char *option, char key[BF_OPTION_LENGTH]) {
  if (!*name->matrix) return name->row->name;
  snprintf(key, BF_OPTION_LENGTH, "%s", option);
  key[strlen("control")] = key[strlen("control.") + strlen(name->matrix)] = '.';
  key[strlen(key) - strlen(strrchr(name->row->name, '.'))]                = '.';
  return key;
}

unsigned bf_key_section(const BfKey *row) {
  static const char *const begin[] = {"action.", "quantize.", "flow."}; /* in the order of their bits */
  const char              *last    = strrchr(row->name, '.');
  for (unsigned k = 0; k < sizeof begin / sizeof *begin; k++)
    if (!strncmp(row->name, begin[k], strlen(begin[k]))) return 1u << k;
  return last && !strcmp(last, ".levels") ? BF_SECTION_ACTION : 0;
}
