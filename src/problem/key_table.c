#include "key_table.h"
#include "bellformer/term.h"
#include "family.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static const BfKey general[] = {
    {"name", "text", "the file's name", "for output and plots", .cosmetic = true},
    {"horizon", "integer", NULL, "T, the number of layers", .least = 1, .most = 1000000},
    {"step", "number", NULL, "eps, the step of a layer; depth runs from 0 to T eps", 0, INFINITY, .above = true},
    {"token.dim", "integer", NULL, "d", .least = 1, .most = BF_MOST_DIM},
    {"token.lower", "numbers", NULL, "lowest corner of Z: d numbers, or one for all"},
    {"token.upper", "numbers", NULL, "highest corner; above `lower` in every component, both within 1e140"},
    {"data.file", "file", NULL, "the table to train on"},
    {"data.test", "file", "none", "such a table, on which the trained model is only evaluated"},
    {"layer.residual", "integer", "1", "r", .least = 0, .most = 1},
    {"control.A.value", "numbers", NULL, "rows x columns numbers, row by row, or one for every entry"},
    {"control.A.range", "numbers", NULL,
     "`[lo, hi]` for all free numbers, or a pair for each; lo <= hi, both within 1e290. May be left out where "
     "`action.kind` is `file`: then it is what the rows span"},
    {"control.A.levels", "integers", NULL,
     "values that a grid takes in the range, both ends included; 1: its middle. One for all free numbers, or one for "
     "each. Of a sample or of rows no file has levels; a file's levels stand aside where the command line sets "
     "`action.kind`",
     .least = 1, .most = INT_MAX},
    {"control.A.row_I_column_J.range", "numbers", "control.A.range",
     "the same for single rows, columns and entries, see below"},
    {"control.A.row_I_column_J.levels", "integer", "control.A.levels", "the same", .least = 1, .most = INT_MAX},
    {"cost.weight_decay", "number", "0", "lambda", .least = 0, .most = INFINITY},
    {"flow.profile", "word or numbers", "constant",
     "zeta(t), which `bellformer flow` alone reads: `constant` (1), or 2 to 1000000 values at equally spaced depths "
     "from 0 to T eps, linear in between"},
    {"heads.count", "integer", "layer.heads", "H of `bellformer heads`, which alone reads this section", .least = 1,
     .most = 1000000},
    {"heads.room", "integer", "0", "places a layer beside these for heads that `-insert` adds, which gives this key",
     .least = 0, .most = 100000},
    {"heads.same", "word", "true", "`true`: one draw for all layers; `false`: one a layer"},
    {"heads.seed", "integer", "0", "of what is drawn", .most = INFINITY},
    {.name = NULL},
};

static const BfKey *next_described(const BfKind *kind, BfKeyWalk *walk) {
  while (kind->keys && kind->keys[walk->key].name) {
    const BfKey *key = &kind->keys[walk->key++];
    if (key->type) return key;
  }
  return NULL;
}

/* Of a family: the key that chooses, then those of its kinds. */
static const BfKey *next_of_family(const BfFamily *family, BfKeyWalk *walk) {
  const BfKind *kind;
  if (!walk->chosen++ && family->key) return family->key;
  for (; (kind = family->kind((int)walk->kind)); walk->kind++, walk->key = 0) {
    const BfKey *key = next_described(kind, walk);
    if (key) return key;
  }
  return NULL;
}

const BfKey *bf_key_next(BfKeyWalk *walk) {
  const BfKey *key;
  if (general[walk->general].name) return &general[walk->general++];
  for (const BfFamily *family; (family = bf_family_at((int)walk->family));
       walk->family++, walk->kind = walk->chosen = 0)
    if ((key = next_of_family(family, walk))) return key;
  for (const BfTermKind *term; (term = bf_term_kind((int)walk->term)); walk->term++, walk->key = 0)
    if ((key = next_described(&term->base, walk))) return key;
  return NULL;
}

const BfKey *bf_key_row(const char *name) {
  const BfKey *key;
  for (BfKeyWalk walk = {0}; (key = bf_key_next(&walk));)
    if (!strcmp(key->name, name)) return key;
  return NULL;
}

bool bf_key_has_range(const BfKey *key) { return key->least != 0 || key->most != 0; }

bool bf_key_allows(const BfKey *key, double value) {
  if (!bf_key_has_range(key)) return true;
  return (key->above ? value > key->least : value >= key->least) && value <= key->most;
}

void bf_key_range(const BfKey *key, char text[BF_RANGE]) {
  *text = '\0';
  if (!bf_key_has_range(key)) return;
  snprintf(text, BF_RANGE, key->above ? "above %.15g" : isinf(key->most) ? "at least %.15g" : "%.15g", key->least);
  if (!isinf(key->most))
    snprintf(text + strlen(text), BF_RANGE - strlen(text), "%s%.15g", key->above ? ", at most " : " to ", key->most);
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
  snprintf(text, size, "%s%s", key->meaning, key->cosmetic ? "; changes no answer" : "");
  for (int f = 0; (family = bf_family_at(f)); f++)
    for (int k = 0; family->key && !strcmp(family->key->name, key->name) && family->kind(k); k++)
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

/* Whether an option is the key's, with _ for every dot: asked for every key of every problem that a study checks. */
static bool is_option_of(const char *key, const char *option) {
  for (; *key && (*key == *option || (*key == '.' && *option == '_')); key++) option++;
  return !*key && !*option;
}

int bf_key_name(const char *option, BfKeyName *out) {
  char        canonical[BF_OPTION_LENGTH];
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
  for (BfKeyWalk walk = {0}; (out->row = bf_key_next(&walk));)
    if (is_option_of(out->row->name, canonical) && !of_piece == !strstr(out->row->name, "row_I")) return 1;
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
  static const char *const begin[] = {"action.", "quantize.", "flow.", "heads."}; /* in the order of their bits */
  const char              *last    = strrchr(row->name, '.');
  for (unsigned k = 0; k < sizeof begin / sizeof *begin; k++)
    if (!strncmp(row->name, begin[k], strlen(begin[k]))) return 1u << k;
  return last && !strcmp(last, ".levels") ? BF_SECTION_ACTION : 0;
}
