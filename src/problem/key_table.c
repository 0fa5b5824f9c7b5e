#include "key_table.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

const BfKeyRow bf_key_rows[] = {
    {"name", "text", "the file's name"},
    {"horizon", "integer", NULL},
    {"step", "number", NULL},
    {"token.dim", "integer", NULL},
    {"token.lower", "numbers", NULL},
    {"token.upper", "numbers", NULL},
    {"token.projection", "word", "clip"},
    {"data.file", "file", NULL},
    {"data.test", "file", "none"},
    {"data.position_encoding", "word or numbers", "none"},
    {"data.position_amplitude", "number", "1"},
    {"layer.residual", "integer", "1"},
    {"layer.heads", "integer", "1"},
    {"layer.beta", "number", "1"},
    {"layer.mask", "word", "full"},
    {"layer.feedforward", "word", "none"},
    {"layer.width", "integer", NULL},
    {"control.A.form", "word", "full"},
    {"control.A.value", "numbers", NULL},
    {"control.A.range", "numbers", NULL},
    {"control.A.levels", "integers", NULL},
    {"control.A.row_I_column_J.range", "numbers", "control.A.range"},
    {"control.A.row_I_column_J.levels", "integer", "control.A.levels"},
    {"action.kind", "word", "grid"},
    {"action.count", "integer", NULL},
    {"action.seed", "integer", "0"},
    {"action.file", "file", NULL},
    {"cost.terminal", "word", NULL},
    {"cost.pooling", "word", "mean"},
    {"cost.readout.kind", "word", "fixed"},
    {"cost.readout.matrix", "numbers", NULL},
    {"cost.readout.bias", "numbers", "0"},
    {"cost.readout.classes", "integer", "those of the data"},
    {"cost.readout.file", "file", "none"},
    {"cost.weight_decay", "number", "0"},
    {"cost.position_weight", "number or word", "auto"},
    {"flow.profile", "word or numbers", "constant"},
    {"quantize.cells", "integers", NULL},
    {"quantize.codebook", "file", "none"},
    {"quantize.atoms", "integer", "0"},
    {"quantize.transition", "word", "nearest"},
    {NULL, NULL, NULL},
};

/* ---- names of matrices and of their pieces ---------------------------------------------------------------------- */

/* Digits, of which a matrix has few. Returns what stands behind them, NULL where there are none. */
static const char *number(const char *at, int *out) {
  const size_t digits = strspn(at, "0123456789");
  *out                = 0;
  if (!digits || digits > 7 || (digits > 1 && at[0] == '0')) return NULL;
  for (size_t k = 0; k < digits; k++) *out = 10 * *out + (at[k] - '0');
  return at + digits;
}

/* "A_12_levels" -> the matrix "A_12", and what stands behind its '_'; NULL where it does not begin with a matrix. */
static const char *matrix_name(const char *at, char name[BF_MATRIX_NAME]) {
  static const char *const plain[] = {"W1_", "b1_", "W2_", "b2_"};
  size_t                   length  = 0;
  for (size_t k = 0; k < sizeof plain / sizeof *plain; k++)
    if (!strncmp(at, plain[k], 3)) length = 2;
  if (!strncmp(at, "A_", 2) || !strncmp(at, "V_", 2)) {
    int         head;
    const char *end = number(at + 2, &head);
    length          = end ? (size_t)(end - at) : 1;
  }
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
  for (int k = 0; bf_key_rows[k].name; k++) {
    bf_option_name(bf_key_rows[k].name, row);
    if (strcmp(row, canonical) || !of_piece != !strstr(row, "row_I")) continue;
    out->row = &bf_key_rows[k];
    return 1;
  }
  return 0;
}
