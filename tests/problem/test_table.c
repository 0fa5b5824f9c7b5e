/* Tables from bytes: CSV and HDF5 say the same, and whatever is wrong is named with its line and column. */
#include "scratch.h"

#include <hdf5.h>

#include "../../src/problem/table.h"

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static void rows_with_and_without_a_header(void **state) {
  static const char *const texts[] = {"1,2\n3,4\n", "u0,u1\n1,2\n3,4\n",
                                      "# by hand\n\n\"u0\" , u1\r\n 1 ,\t2\r\n\r\n3,4",
                                      "\xEF\xBB\xBF"
                                      "1,2\n3,\"4\"\n"};
  (void)state;
  for (size_t t = 0; t < LENGTH(texts); t++) {
    BfError error = {0};
    int64_t rows;
    double *u;
    BfFile  file = file_of("u.csv", texts[t], strlen(texts[t]));
    assert_int_equal(bf_rows_parse(&file, 2, &rows, &u, &error), BF_OK);
    assert_int_equal(rows, 2);
    for (int k = 0; k < 4; k++) assert_true(u[k] == k + 1);
    bf_free(u);
  }
}

static void wrong_rows_are_named(void **state) {
  static const char *const cases[][2] = {
      {"", "u.csv: the table is empty"},
      {"# nothing\n", "u.csv: the table is empty"},
      {"a,b\n", "u.csv: the table has no rows"},
      {"1,2\n3\n", "u.csv: line 2: 1 cells, but 2 are wanted"},
      {"1,2,3\n", "u.csv: line 1: 3 cells, but 2 are wanted"},
      {"1,b\n", "u.csv: line 1: cell 2 is not a number: 'b'"},
      {"1,2\n3,4x\n", "u.csv: line 2: cell 2 is not a number: '4x'"},
      {"1,2\n\n3,\n", "u.csv: line 3: cell 2 is not a number: ''"},
      {"nan,b\n", "u.csv: line 1: cell 1 must be finite: 'nan'"},
      {"1,-inf\n", "u.csv: line 1: cell 2 must be finite: '-inf'"},
      {"1,1e999\n", "u.csv: line 1: cell 2 is too large: '1e999'"},
  };
  (void)state;
  for (size_t k = 0; k < LENGTH(cases); k++) {
    BfError error = {0};
    int64_t rows;
    double *u    = NULL;
    BfFile  file = file_of("u.csv", cases[k][0], strlen(cases[k][0]));
    assert_int_equal(bf_rows_parse(&file, 2, &rows, &u, &error), BF_BAD_INPUT);
    assert_error(&error, BF_BAD_INPUT, cases[k][1]);
    assert_null(u);
  }
}

/* ---- HDF5 ------------------------------------------------------------------------------------------------------- */

typedef struct {
  const char *name;
  hid_t       type;
  int         rows;
  const void *values;
} Column;

/* The bytes of an HDF5 file in memory with these columns. */
static BfFile hdf5_of(int columns, const Column column[]) {
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access, 4096, 0);
  hid_t file = H5Fcreate("made.h5", H5F_ACC_TRUNC, H5P_DEFAULT, access);
  for (int k = 0; k < columns; k++) {
    hsize_t rows    = (hsize_t)column[k].rows;
    hid_t   space   = H5Screate_simple(1, &rows, NULL);
    hid_t   dataset = H5Dcreate2(file, column[k].name, column[k].type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (column[k].values) H5Dwrite(dataset, column[k].type, H5S_ALL, H5S_ALL, H5P_DEFAULT, column[k].values);
    H5Dclose(dataset);
    H5Sclose(space);
  }
  H5Fflush(file, H5F_SCOPE_GLOBAL);
  ssize_t size  = H5Fget_file_image(file, NULL, 0);
  char   *bytes = malloc((size_t)size);
  H5Fget_file_image(file, bytes, (size_t)size);
  H5Fclose(file);
  H5Pclose(access);
  return file_of("x.h5", bytes, (size_t)size);
}

static const int32_t SEQUENCE[] = {4, 4, 0};
static const int64_t POSITION[] = {1, 0, 0};
static const uint8_t LABEL[]    = {1, 1, 0};
static const double  Z0[]       = {0.5, -0.25, 1};

static void hdf5_and_csv_say_the_same(void **state) {
  const char csv[]     = "position,z0,label,sequence\n1,0.5,1,4\n0,-0.25,1,4\n0,1,0,0\n";
  Column     columns[] = {{"sequence", H5T_NATIVE_INT32, 3, SEQUENCE},
                          {"position", H5T_NATIVE_INT64, 3, POSITION},
                          {"label", H5T_NATIVE_UINT8, 3, LABEL},
                          {"z0", H5T_IEEE_F64BE, 3, NULL}};
  BfError    error     = {0};
  BfData     a, b;
  double     big_endian[3];
  (void)state;
  memcpy(big_endian, Z0, sizeof Z0);
  for (int k = 0; k < 3; k++) {
    uint64_t bits;
    memcpy(&bits, &big_endian[k], 8);
    bits = __builtin_bswap64(bits);
    memcpy(&big_endian[k], &bits, 8);
  }
  columns[3].values = big_endian;
  BfFile text = file_of("x.csv", csv, strlen(csv)), hdf5 = hdf5_of(4, columns);
  assert_false(bf_file_is_hdf5(&text));
  assert_true(bf_file_is_hdf5(&hdf5));
  assert_int_equal(bf_data_parse(&text, 1, &a, &error), BF_OK);
  assert_int_equal(bf_data_parse(&hdf5, 1, &b, &error), BF_OK);
  assert_int_equal(a.tokens, 3);
  assert_int_equal(b.tokens, 3);
  assert_int_equal(a.tags, b.tags);
  assert_memory_equal(a.z, b.z, sizeof Z0);
  assert_memory_equal(a.row, b.row, 3 * sizeof *a.row);
  assert_memory_equal(a.label, b.label, 3 * sizeof *a.label);
  assert_memory_equal(a.sequence, b.sequence, 3 * sizeof *a.sequence);
  bf_data_clear(&a);
  bf_data_clear(&b);
  free(hdf5.bytes);
}

static void check_hdf5(int columns, const Column column[], const char *text) {
  BfError error = {0};
  BfData  data;
  BfFile  file = hdf5_of(columns, column);
  assert_int_equal(bf_data_parse(&file, 1, &data, &error), BF_BAD_INPUT);
  assert_error(&error, BF_BAD_INPUT, text);
  free(file.bytes);
}

static void wrong_hdf5_is_named(void **state) {
  static const double not_finite[] = {0, 0. / 0., 0};
  Column              good[]       = {{"sequence", H5T_NATIVE_INT32, 3, SEQUENCE},
                                      {"position", H5T_NATIVE_INT64, 3, POSITION},
                                      {"label", H5T_NATIVE_UINT8, 3, LABEL},
                                      {"z0", H5T_NATIVE_DOUBLE, 3, Z0}};
  Column              bad[4];
  (void)state;
  check_hdf5(0, good, "x.h5: the table is empty");
  check_hdf5(3, good, "x.h5: column z0 is missing");
  memcpy(bad, good, sizeof good);
  bad[3].name = "w";
  check_hdf5(4, bad, "x.h5: unexpected column w");
  bad[3].name = "z0", bad[3].rows = 2;
  check_hdf5(4, bad, "x.h5: dataset z0 has 2 rows, but label has 3");
  bad[3].rows = 3, bad[3].values = not_finite;
  check_hdf5(4, bad, "x.h5: row 1: column z0 must be finite: 'nan'");
  bad[3].values = NULL; /* claimed, never written */
  check_hdf5(4, bad, "x.h5: dataset z0 does not hold its 3 values");
  bad[3].values = Z0, bad[2].type = H5T_NATIVE_DOUBLE, bad[2].values = Z0;
  check_hdf5(4, bad, "x.h5: dataset label must hold integers");
}

static void damaged_hdf5_is_refused(void **state) {
  Column column[] = {{"sequence", H5T_NATIVE_INT32, 3, SEQUENCE}, {"z0", H5T_NATIVE_DOUBLE, 3, Z0}};
  BfFile file     = hdf5_of(2, column);
  (void)state;
  for (int64_t size = 8; size < 400; size += 40) {
    BfError error = {0};
    BfData  data;
    BfFile  part = file_of("x.h5", file.bytes, (size_t)size);
    assert_int_equal(bf_data_parse(&part, 1, &data, &error), BF_BAD_INPUT);
    assert_error(&error, BF_BAD_INPUT, "x.h5: the HDF5 file is damaged or truncated");
  }
  free(file.bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_with_and_without_a_header), cmocka_unit_test(wrong_rows_are_named),
      cmocka_unit_test(hdf5_and_csv_say_the_same),      cmocka_unit_test(wrong_hdf5_is_named),
      cmocka_unit_test(damaged_hdf5_is_refused),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
