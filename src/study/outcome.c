#include "study/outcome.h"
#include "run/text.h"
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Where the attributes of a file go, or a failure that ended it. */
typedef struct {
  const char *run, *object; /* "/" or "/rollout" */
  BfRecord   *record;
  BfError    *error;
} Visit;

/* ---- names ------------------------------------------------------------------------------------------------------ */

/* RUN/GROUP@ATTRIBUTE, or the same of a dataset where there is no attribute. */
static BfStatus join(const Visit *v, const char *attribute, char **name) {
  const int64_t size = (int64_t)(strlen(v->run) + strlen(v->object) + (attribute ? strlen(attribute) + 1 : 0)) + 1;
  BF_TRY(BF_NEW(name, size, v->error));
  snprintf(*name, (size_t)size, "%s%s%s%s", v->run, v->object, attribute ? "@" : "", attribute ? attribute : "");
  return BF_OK;
}

/* What stands behind "RUN/" in a measure's name, where that is of this run: "/rollout@cost"; else NULL. */
static const char *of_run(const char *name, const char *run) {
  const size_t length = strlen(run);
  return name && !strncmp(name, run, length) && name[length] == '/' ? name + length : NULL;
}

/* Visit what the study measures of a run. */
typedef BfStatus Measured(const char *path, const char *run, void *context, BfError *error);
static BfStatus  for_measured(const BfStudy *study, const char *run, Measured *each, void *context, BfError *error) {
   for (int m = 0; m < study->measures; m++) {
     const char *const names[] = {study->measure[m].of, study->measure[m].minus};
     for (int i = 0; i < 2; i++) {
       const char *path = of_run(names[i], run);
       if (path) BF_TRY(each(path, run, context, error));
    }
  }
   return BF_OK;
}

/* ---- attributes ------------------------------------------------------------------------------------------------- */

static BfStatus take_text(const Visit *v, const char *name, hid_t attribute, hid_t type) {
  char *text = NULL;
  if (H5Tis_variable_str(type) != 0) return BF_OK; /* none of ours */
  BF_TRY(BF_NEW(&text, (int64_t)H5Tget_size(type) + 1, v->error));
  if (H5Aread(attribute, type, text) < 0) bf_fail(v->error, BF_BAD_INPUT, "%s is damaged", name);
  else bf_record_add_text(v->record, name, text, v->error);
  bf_free(text);
  return v->error->status;
}

static BfStatus take_number(const Visit *v, const char *name, hid_t attribute) {
  double      number = NAN;
  const hid_t space  = H5Aget_space(attribute);
  const bool  scalar = H5Sget_simple_extent_npoints(space) == 1;
  H5Sclose(space);
  if (!scalar) return BF_OK;
  if (H5Aread(attribute, H5T_NATIVE_DOUBLE, &number) < 0) return bf_fail(v->error, BF_BAD_INPUT, "%s is damaged", name);
  return bf_record_add_number(v->record, name, number, v->error);
}

static herr_t visit_attribute(hid_t object, const char *attribute, const H5A_info_t *info, void *context) {
  Visit      *v    = context;
  char       *name = NULL;
  const hid_t a = H5Aopen(object, attribute, H5P_DEFAULT), type = a < 0 ? -1 : H5Aget_type(a);
  (void)info;
  if (type < 0) bf_fail(v->error, BF_BAD_INPUT, "%s@%s is damaged", v->object, attribute);
  else if (join(v, attribute, &name) == BF_OK) {
    const H5T_class_t class = H5Tget_class(type);
    if (class == H5T_STRING) take_text(v, name, a, type);
    if (class == H5T_INTEGER || class == H5T_FLOAT) take_number(v, name, a);
  }
  bf_free(name);
  if (type >= 0) H5Tclose(type);
  if (a >= 0) H5Aclose(a);
  return v->error->status == BF_OK ? 0 : -1;
}

static herr_t visit_object(hid_t file, const char *path, const H5O_info_t *info, void *context) {
  Visit  *v    = context;
  hsize_t from = 0;
  char   *name = NULL;
  hid_t   object;
  if (!info->num_attrs) return 0;
  if (bf_text_join(&name, "/", strcmp(path, ".") ? path : "", v->error) != BF_OK) return -1;
  v->object = name;
  object    = H5Oopen(file, path, H5P_DEFAULT);
  if (object < 0 || H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, &from, visit_attribute, v) < 0)
    bf_fail(v->error, BF_BAD_INPUT, "%s is damaged", name);
  if (object >= 0) H5Oclose(object);
  bf_free(name);
  return v->error->status == BF_OK ? 0 : -1;
}

/* ---- datasets --------------------------------------------------------------------------------------------------- */

enum { DIMS = 4 };

/* Extents of a dataset of numbers, of up to four dimensions; -1: it is none. */
static int extents(hid_t data, int64_t dims[DIMS]) {
  hsize_t     size[H5S_MAX_RANK];
  const hid_t type = H5Dget_type(data), space = H5Dget_space(data);
  const bool  numbers = H5Tget_class(type) == H5T_FLOAT || H5Tget_class(type) == H5T_INTEGER;
  const int   rank    = H5Sget_simple_extent_dims(space, size, NULL);
  H5Tclose(type);
  H5Sclose(space);
  if (!numbers || rank < 0 || rank > DIMS) return -1;
  for (int i = 0; i < rank; i++) dims[i] = (int64_t)size[i];
  return rank;
}

static BfStatus take_array(const Visit *v, const char *name, hid_t data) {
  int64_t   dims[DIMS], entries = 1;
  double   *array = NULL;
  const int rank  = extents(data, dims);
  if (rank < 0) return BF_OK;
  for (int i = 0; i < rank; i++) entries *= dims[i];
  BF_TRY(BF_NEW(&array, entries, v->error));
  if (entries && H5Dread(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, array) < 0)
    bf_fail(v->error, BF_BAD_INPUT, "%s is damaged", name);
  else bf_record_add_array(v->record, name, rank, dims, array, v->error);
  bf_free(array);
  return v->error->status;
}

typedef struct {
  Visit *visit;
  hid_t  file;
} Datasets;

/* One that the file does not have is no failure: it depends on a run's options what it writes. */
static BfStatus take_dataset(const char *path, const char *run, void *context, BfError *error) {
  const Datasets *d    = context;
  char           *name = NULL;
  (void)run, (void)error;
  if (strchr(path, '@')) return BF_OK;
  d->visit->object = path;
  BF_TRY(join(d->visit, NULL, &name));
  const hid_t data = bf_record_find(d->visit->record, name) ? -1 : H5Dopen2(d->file, path, H5P_DEFAULT);
  if (data >= 0) {
    take_array(d->visit, name, data);
    H5Dclose(data);
  }
  bf_free(name);
  return d->visit->error->status;
}

/* ---- what was asked for ----------------------------------------------------------------------------------------- */

static const char measured[] = "/@measured";

static bool has_line(const char *text, const char *line) {
  for (size_t length; *text; text += length + (text[length] == '\n')) {
    length = strcspn(text, "\n");
    if (strlen(line) == length && !strncmp(text, line, length)) return true;
  }
  return false;
}

static BfStatus add_line(const char *path, const char *run, void *context, BfError *error) {
  char *lines = context;
  (void)run, (void)error;
  if (!strchr(path, '@') && !has_line(lines, path)) sprintf(lines + strlen(lines), "%s%s", *lines ? "\n" : "", path);
  return BF_OK;
}

static int64_t length_of(const char *name) { return name ? (int64_t)strlen(name) + 1 : 0; }

/* The paths of all datasets that are measured of a run. */
static BfStatus note_measured(const BfStudy *study, const Visit *v, BfError *error) {
  char   *lines = NULL, *name = NULL;
  int64_t size = 1;
  for (int m = 0; m < study->measures; m++)
    size += length_of(study->measure[m].of) + length_of(study->measure[m].minus);
  BF_TRY(BF_NEW(&lines, size, error));
  BfStatus status = for_measured(study, v->run, add_line, lines, error);
  if (status == BF_OK && *lines) status = bf_text_join(&name, v->run, measured, error);
  if (status == BF_OK && *lines) status = bf_record_add_text(v->record, name, lines, error);
  bf_free(name);
  bf_free(lines);
  return status;
}

static bool was_asked_for(const BfRecord *record, const char *dataset) {
  char      name[512];
  const int run = (int)strcspn(dataset, "/");
  snprintf(name, sizeof name, "%.*s%s", run, dataset, measured);
  const BfDatum *asked = bf_record_find(record, name);
  return bf_record_find(record, dataset) || (asked && asked->text && has_line(asked->text, dataset + run));
}

const char *bf_outcome_lacks(const BfStudy *study, const BfRecord *record) {
  for (int m = 0; m < study->measures; m++) {
    const char *const names[] = {study->measure[m].of, study->measure[m].minus};
    for (int i = 0; i < 2; i++) {
      const bool dataset = names[i] && strchr(names[i], '/') && !strchr(names[i], '@');
      if (dataset && !was_asked_for(record, names[i])) return names[i];
    }
  }
  return NULL;
}

/* ---- a file ----------------------------------------------------------------------------------------------------- */

static hid_t open_file(const char *path) {
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  return H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
}

BfStatus bf_outcome_read(const BfStudy *study, const char *run, const char *path, BfRecord *record, BfError *error) {
  Visit       v    = {.run = run, .record = record, .error = error};
  Datasets    data = {&v, open_file(path)};
  const hid_t file = data.file;
  if (file < 0) return bf_fail(error, BF_BAD_INPUT, "%s is not a whole HDF5 file", path);
  if (H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, visit_object, &v) < 0)
    bf_fail(error, BF_BAD_INPUT, "its attributes cannot be read");
  if (error->status == BF_OK) for_measured(study, run, take_dataset, &data, error);
  if (error->status == BF_OK) note_measured(study, &v, error);
  H5Fclose(file);
  if (error->status != BF_OK) bf_error_prefix(error, "%s", path);
  return error->status;
}

static BfStatus check_number(const char *path, const char *run, void *context, BfError *error) {
  const Visit *v    = context;
  Visit        here = {.run = run, .object = path, .error = error};
  char        *name = NULL;
  BF_TRY(join(&here, NULL, &name));
  const BfDatum *d = bf_record_find(v->record, name);
  if (d && d->kind == BF_DATUM_NUMBER && !isfinite(d->number))
    bf_fail(error, BF_FAILURE, "%s: %s is %g", run, path, d->number);
  bf_free(name);
  return error->status;
}

BfStatus bf_outcome_check(const BfStudy *study, const char *run, const BfRecord *record, BfError *error) {
  Visit v = {.record = (BfRecord *)record};
  return for_measured(study, run, check_number, &v, error);
}

bool bf_outcome_is_whole(const char *path) {
  const hid_t file = open_file(path);
  return file >= 0 && H5Fclose(file) >= 0;
}

static BfStatus read_bytes(hid_t data, int64_t *size, unsigned char **bytes, BfError *error) {
  int64_t dims[DIMS];
  if (extents(data, dims) != 1) return bf_fail(error, BF_BAD_INPUT, "/study/records is no list of bytes");
  BF_TRY(BF_NEW(bytes, dims[0], error));
  *size = dims[0];
  if (!dims[0] || H5Dread(data, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, *bytes) >= 0) return BF_OK;
  bf_free(*bytes);
  *bytes = NULL;
  return bf_fail(error, BF_BAD_INPUT, "/study/records is damaged");
}

BfStatus bf_outcome_records(const char *path, int64_t *size, unsigned char **bytes, BfError *error) {
  const hid_t file = open_file(path), data = file < 0 ? -1 : H5Dopen2(file, "/study/records", H5P_DEFAULT);
  *size  = 0;
  *bytes = NULL;
  if (file < 0) bf_fail(error, BF_BAD_INPUT, "it is not a whole HDF5 file");
  else if (data < 0) bf_fail(error, BF_BAD_INPUT, "it is not the result of a study");
  else read_bytes(data, size, bytes, error);
  if (data >= 0) H5Dclose(data);
  if (file >= 0) H5Fclose(file);
  if (error->status != BF_OK) bf_error_prefix(error, "%s", path);
  return error->status;
}
