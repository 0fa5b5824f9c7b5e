/* Any bytes as a table: of tokens (CSV or HDF5), of rows of numbers (CSV). */
#include "fuzz.h"

#include <math.h>

#include "../../src/problem/table.h"

/* clang-format off */
const char *const WORDS[] = {
    "0", "1", "-1", "-0", "0.5", "1e300", "1e999", "nan", "1000000", "1000001", "9223372036854775807",
    "9223372036854775808", "", "\"1\"", "#", "label", "y0", "z0", "z1", NULL};
/* clang-format on */

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  H5open();
  H5set_free_list_limits(0, 0, 0, 0, 0, 0); /* memory goes back at once: what is left is a leak */
  return 0;
}

/* ---- tokens ----------------------------------------------------------------------------------------------------- */

static int compare_tags(const BfData *data, int64_t a, int64_t b) {
  if (data->sequence[a] != data->sequence[b]) return data->sequence[a] < data->sequence[b] ? -1 : 1;
  if (data->position[a] != data->position[b]) return data->position[a] < data->position[b] ? -1 : 1;
  if (data->label) return (data->label[a] > data->label[b]) - (data->label[a] < data->label[b]);
  for (int j = 0; j < data->dim; j++) {
    double x = data->target[a * data->dim + j], y = data->target[b * data->dim + j];
    if (x != y) return x < y ? -1 : 1;
  }
  return 0;
}

static void tags_must_be_sorted(const BfData *data) {
  MUST(!data->label != !data->target);
  for (int64_t g = 0; g < data->tags; g++) {
    MUST(data->tag_first[g] < data->tag_first[g + 1]);
    MUST(!g || compare_tags(data, g - 1, g) < 0);
    MUST(data->sequence[g] >= 0);
    MUST(data->position[g] >= 0 && data->position[g] < data->positions);
    MUST(!data->label || (data->label[g] >= 0 && data->label[g] < data->labels));
    for (int j = 0; data->target && j < data->dim; j++) MUST(isfinite(data->target[g * data->dim + j]));
  }
  MUST(data->tag_first[0] == 0 && data->tag_first[data->tags] == data->tokens);
}

static void contexts_must_be_sequences(const BfData *data) {
  for (int64_t s = 0; s < data->contexts; s++) {
    int64_t first = data->context_first[s], end = data->context_first[s + 1];
    MUST(first < end);
    for (int64_t g = first; g < end; g++) MUST(data->sequence[g] == data->sequence[first]);
    MUST(!s || data->sequence[first - 1] < data->sequence[first]);
  }
  MUST(data->context_first[0] == 0 && data->context_first[data->contexts] == data->tags);
}

static void data_must_be_sound(const BfData *data, int dim) {
  MUST(data->dim == dim && data->tokens > 0 && data->tags > 0 && data->contexts > 0);
  for (int64_t k = 0; k < data->tokens; k++) {
    MUST(data->row[k] >= 0 && data->row[k] < data->tokens);
    for (int j = 0; j < dim; j++) MUST(isfinite(data->z[k * dim + j]));
  }
  tags_must_be_sorted(data);
  contexts_must_be_sequences(data);
}

/* ---- the same table again --------------------------------------------------------------------------------------- */

static void print_row(FILE *text, const BfData *data, int64_t g, int64_t k) {
  fprintf(text, "%lld,%d", (long long)data->sequence[g], data->position[g]);
  if (data->label) fprintf(text, ",%d", data->label[g]);
  for (int j = 0; data->target && j < data->dim; j++) fprintf(text, ",%.17g", data->target[g * data->dim + j]);
  for (int j = 0; j < data->dim; j++) fprintf(text, ",%.17g", data->z[k * data->dim + j]);
  fprintf(text, "\n");
}

static BfFile print_table(const BfData *data) {
  BfFile file = {.name = "again.csv"};
  size_t size = 0;
  FILE  *text = open_memstream(&file.bytes, &size);
  fprintf(text, "sequence,position%s", data->label ? ",label" : "");
  for (int j = 0; data->target && j < data->dim; j++) fprintf(text, ",y%d", j);
  for (int j = 0; j < data->dim; j++) fprintf(text, ",z%d", j);
  fprintf(text, "\n");
  for (int64_t g = 0; g < data->tags; g++)
    for (int64_t k = data->tag_first[g]; k < data->tag_first[g + 1]; k++) print_row(text, data, g, k);
  fclose(text);
  file.size = (int64_t)size;
  return file;
}

static void must_read_the_same_again(const BfData *data) {
  BfError error = {0};
  BfData  again;
  BfFile  file = print_table(data);
  MUST(bf_data_parse(&file, data->dim, &again, &error) == BF_OK);
  MUST(again.tokens == data->tokens && again.tags == data->tags && again.contexts == data->contexts);
  MUST(again.labels == data->labels && again.positions == data->positions);
  MUST(!memcmp(again.tag_first, data->tag_first, (size_t)(data->tags + 1) * sizeof *data->tag_first));
  MUST(!memcmp(again.z, data->z, (size_t)(data->tokens * data->dim) * sizeof *data->z));
  bf_data_clear(&again);
  free(file.bytes);
}

static void read_tokens(const BfFile *file, int dim) {
  BfError  error  = {0};
  BfData   data   = {0};
  BfStatus status = bf_data_parse(file, dim, &data, &error);
  if (status != BF_OK) {
    must_be_told(status, &error);
    MUST(!data.row && !data.z);
    return;
  }
  data_must_be_sound(&data, dim);
  must_read_the_same_again(&data);
  char place[BF_PLACE];
  MUST(strlen(bf_table_place(file, data.row[0], place)) > 0);
  bf_data_clear(&data);
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static void read_rows(const BfFile *file, int columns) {
  BfError  error  = {0};
  double  *values = NULL;
  int64_t  rows   = 0;
  char     place[BF_PLACE];
  BfStatus status = bf_rows_parse(file, columns, &rows, &values, &error);
  if (status != BF_OK) {
    must_be_told(status, &error);
    MUST(!values);
    return;
  }
  MUST(rows > 0);
  for (int64_t k = 0; k < rows * columns; k++) MUST(isfinite(values[k]));
  MUST(strlen(bf_rows_place(file, rows - 1, place)) > 0);
  bf_free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  char *copy = malloc(size + 1); /* of the exact size, so that a byte too far is seen; files have a '\0' behind */
  if (size) memcpy(copy, bytes, size);
  copy[size]  = '\0';
  BfFile file = {.name = "table", .bytes = copy, .size = (int64_t)size};
  for (int k = 1; k <= 2; k++) {
    read_tokens(&file, k);
    read_rows(&file, k);
  }
  must_leave_no_ids();
  free(copy);
  return 0;
}
