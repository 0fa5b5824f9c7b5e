/* A table in an HDF5 file: every column a one-dimensional dataset of the root. The file is read from its image in
 * memory, so that every rank, and a problem that was taken from a result file, sees the same bytes. */
#include "table.h"

#include <hdf5.h>
#include <inttypes.h>
#include <string.h>

bool bf_file_is_hdf5(const BfFile *file) { return file->size >= 8 && !memcmp(file->bytes, "\x89HDF\r\n\x1a\n", 8); }

static BfStatus fail_damaged(BfError *error) {
  return bf_fail(error, BF_BAD_INPUT, "the HDF5 file is damaged or truncated");
}

/* HDF5 refuses an image whose name is that of a file: this one cannot be. */
static const char IMAGE_NAME[] = "/dev/null/image";

static hid_t open_image(const BfFile *file) {
  const size_t step   = 65536; /* by which the image would grow, were it written to */
  hid_t        access = H5Pcreate(H5P_FILE_ACCESS), opened = H5I_INVALID_HID;
  if (H5Pset_fapl_core(access, step, 0) >= 0 && H5Pset_file_image(access, file->bytes, (size_t)file->size) >= 0)
    opened = H5Fopen(IMAGE_NAME, H5F_ACC_RDONLY, access);
  H5Pclose(access);
  return opened;
}

/* HDF5 prints its stack of errors unless told not to; what it says is of no help to a user. */
typedef struct {
  H5E_auto2_t function;
  void       *data;
} Silence;

static Silence be_silent(void) {
  Silence before;
  H5Eget_auto2(H5E_DEFAULT, &before.function, &before.data);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  return before;
}

static void end_silence(Silence before) { H5Eset_auto2(H5E_DEFAULT, before.function, before.data); }

/* ---- names ------------------------------------------------------------------------------------------------------ */

typedef struct {
  BfTable *table;
  BfError *error;
} Names;

/* Links that lead out of the file are not followed: the problem is what its bytes say. */
static herr_t add_name(hid_t group, const char *name, const H5L_info_t *link, void *context) {
  Names     *names = context;
  H5O_info_t object;
  if (link->type != H5L_TYPE_HARD || H5Oget_info_by_name(group, name, &object, H5P_DEFAULT) < 0 ||
      object.type != H5O_TYPE_DATASET) {
    bf_fail(names->error, BF_BAD_INPUT, "%s is not a dataset", name);
    return -1;
  }
  return bf_table_add(names->table, name, (int64_t)strlen(name), names->error) == BF_OK ? 0 : -1;
}

/* Rows of one dataset. The bytes that are stored bound what may be asked for: deflate shrinks by 1032 at most, so that
 * a file of a few bytes cannot claim 2^60 rows. */
static BfStatus column_rows(hid_t dataset, const char *name, int64_t *rows, BfError *error) {
  hid_t    space = H5Dget_space(dataset), type = H5Dget_type(dataset), create = H5Dget_create_plist(dataset);
  hsize_t  extent = 0;
  int      vector = space >= 0 && H5Sget_simple_extent_ndims(space) == 1;
  double   stored = (double)H5Dget_storage_size(dataset), size = (double)H5Tget_size(type);
  int      own    = H5Pget_layout(create) != H5D_VIRTUAL && H5Pget_external_count(create) == 0;
  BfStatus status = BF_OK;
  if (vector && H5Sget_simple_extent_dims(space, &extent, NULL) < 0) status = fail_damaged(error);
  else if (!vector) status = bf_fail(error, BF_BAD_INPUT, "dataset %s must have one dimension", name);
  else if (!own || (double)extent * size > 1032 * stored || extent > INT64_MAX)
    status = bf_fail(error, BF_BAD_INPUT, "dataset %s does not hold its %llu values", name, (unsigned long long)extent);
  else *rows = (int64_t)extent;
  H5Pclose(create);
  H5Tclose(type);
  H5Sclose(space);
  return status;
}

static BfStatus count_rows(BfTable *table, hid_t file, BfError *error) {
  for (int64_t j = 0; j < table->columns; j++) {
    const char *name    = table->column[j].name;
    hid_t       dataset = H5Dopen2(file, name, H5P_DEFAULT);
    int64_t     rows    = 0;
    if (dataset < 0) return fail_damaged(error);
    BfStatus status = column_rows(dataset, name, &rows, error);
    H5Dclose(dataset);
    BF_TRY(status);
    if (j && rows != table->rows)
      return bf_fail(error, BF_BAD_INPUT, "dataset %s has %" PRId64 " rows, but %s has %" PRId64, name, rows,
                     table->column[0].name, table->rows);
    table->rows = rows;
  }
  return table->columns ? BF_OK : bf_fail(error, BF_BAD_INPUT, "the table is empty");
}

BfStatus bf_table_hdf5_open(BfTable *table, BfError *error) {
  Silence  before = be_silent();
  Names    names  = {table, error};
  hid_t    file   = open_image(table->file);
  BfStatus status = BF_OK;
  if (file < 0 || H5Literate(file, H5_INDEX_NAME, H5_ITER_INC, NULL, add_name, &names) < 0)
    status = error->status != BF_OK ? error->status : fail_damaged(error);
  if (status == BF_OK) status = count_rows(table, file, error);
  if (file >= 0) H5Fclose(file);
  end_silence(before);
  return status;
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

static BfStatus read_column(BfTable *table, BfColumn *column, hid_t file, BfError *error) {
  int         integer = column->type == BF_COLUMN_INTEGER;
  hid_t       dataset = H5Dopen2(file, column->name, H5P_DEFAULT);
  hid_t       type    = H5Dget_type(dataset);
  H5T_class_t kind    = H5Tget_class(type);
  BfStatus    status  = BF_OK;
  if (dataset < 0 || type < 0) status = fail_damaged(error);
  else if (kind != H5T_INTEGER && (integer || kind != H5T_FLOAT))
    status = bf_fail(error, BF_BAD_INPUT, "dataset %s must hold %s", column->name, integer ? "integers" : "numbers");
  else if (H5Dread(dataset, integer ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                   integer ? (void *)column->integer : (void *)column->number) < 0)
    status = bf_fail(error, BF_BAD_INPUT, "dataset %s is damaged", column->name);
  H5Tclose(type);
  H5Dclose(dataset);
  if (status != BF_OK || integer) return status;
  for (int64_t row = 0; row < table->rows; row++)
    if (!__builtin_isfinite(column->number[row]))
      return bf_fail(error, BF_BAD_INPUT, "row %" PRId64 ": column %s must be finite: '%g'", row, column->name,
                     column->number[row]);
  return BF_OK;
}

BfStatus bf_table_hdf5_read(BfTable *table, BfError *error) {
  Silence  before = be_silent();
  hid_t    file   = open_image(table->file);
  BfStatus status = file < 0 ? fail_damaged(error) : BF_OK;
  for (int64_t j = 0; j < table->columns && status == BF_OK; j++)
    status = read_column(table, &table->column[j], file, error);
  if (file >= 0) H5Fclose(file);
  end_silence(before);
  return status;
}
