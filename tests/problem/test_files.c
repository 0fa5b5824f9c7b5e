/* Files: read once, by rank 0 alone, with the same bytes or the same error on every rank. On any number of ranks. */
#include "scratch.h"

#include <mpi.h>

static char folder[64]; /* rank 0's; the others are sent to a folder that does not exist */

static int rank(void) {
  int r;
  MPI_Comm_rank(MPI_COMM_WORLD, &r);
  return r;
}

static void files_are_read_once(void **state) {
  char          path[128], text[256];
  BfError       error = {0};
  BfFiles      *files;
  const BfFile *file;
  (void)state;
  if (!rank()) {
    write_file(folder, "a.txt", "first");
    write_file(folder, "empty", "");
  }
  assert_int_equal(bf_files_create(MPI_COMM_WORLD, rank() ? "/nowhere" : folder, &files, &error), BF_OK);
  assert_int_equal(bf_files_add(files, "m", "x\0y", 3, &error), BF_OK);
  assert_int_equal(bf_files_get(files, "a.txt", &file, &error), BF_OK);
  if (!rank()) write_file(folder, "a.txt", "second");
  assert_int_equal(bf_files_get(files, "a.txt", &file, &error), BF_OK);
  assert_int_equal(file->size, 5);
  assert_string_equal(file->bytes, "first");
  assert_int_equal(bf_files_get(files, "m", &file, &error), BF_OK);
  assert_memory_equal(file->bytes, "x\0y\0", 4);
  assert_int_equal(bf_files_get(files, "empty", &file, &error), BF_OK);
  assert_int_equal(file->size, 0);
  assert_int_equal(bf_files_get(files, "b.txt", &file, &error), BF_BAD_INPUT);
  snprintf(text, sizeof text, "cannot read %s/b.txt: No such file or directory", folder);
  assert_error(&error, BF_BAD_INPUT, text);
  error = (BfError){0};
  assert_int_equal(bf_files_get(files, "/tmp", &file, &error), BF_BAD_INPUT);
  assert_error(&error, BF_BAD_INPUT, "cannot read /tmp: not a file");
  error = (BfError){0};
  assert_int_equal(bf_files_add(files, "m", "", 0, &error), BF_BAD_INPUT);
  assert_error(&error, BF_BAD_INPUT, "m: given twice");
  assert_int_equal(files->count, 3);
  bf_files_destroy(&files);
  assert_null(files);
  bf_files_destroy(&files);
  if (rank()) return;
  snprintf(path, sizeof path, "%s/a.txt", folder);
  unlink(path);
  snprintf(path, sizeof path, "%s/empty", folder);
  unlink(path);
}

static void without_a_folder_nothing_is_read_from_disk(void **state) {
  BfError       error = {0};
  BfFiles      *files;
  const BfFile *file;
  (void)state;
  assert_int_equal(bf_files_create(MPI_COMM_WORLD, NULL, &files, &error), BF_OK);
  assert_int_equal(bf_files_get(files, "/etc/hostname", &file, &error), BF_BAD_INPUT);
  assert_error(&error, BF_BAD_INPUT, "/etc/hostname is not among the files of the problem");
  bf_files_destroy(&files);
}

/* A file that is not a multiple of anything, with every byte value. */
static void bytes_arrive_whole(void **state) {
  enum { SIZE = 1000003 };
  char          path[128];
  BfError       error = {0};
  BfFiles      *files;
  const BfFile *file;
  (void)state;
  snprintf(path, sizeof path, "%s/bytes", folder);
  if (!rank()) {
    FILE *stream = fopen(path, "wb");
    for (int k = 0; k < SIZE; k++) fputc((int)((unsigned)k * 2654435761u >> 24), stream);
    fclose(stream);
  }
  assert_int_equal(bf_files_create(MPI_COMM_WORLD, rank() ? "" : folder, &files, &error), BF_OK);
  assert_int_equal(bf_files_get(files, "bytes", &file, &error), BF_OK);
  assert_int_equal(file->size, SIZE);
  for (int k = 0; k < SIZE; k++)
    if ((unsigned char)file->bytes[k] != (unsigned)k * 2654435761u >> 24) fail_msg("byte %d differs", k);
  assert_int_equal(file->bytes[SIZE], 0);
  bf_files_destroy(&files);
  if (!rank()) unlink(path);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(files_are_read_once),
      cmocka_unit_test(without_a_folder_nothing_is_read_from_disk),
      cmocka_unit_test(bytes_arrive_whole),
  };
  MPI_Init(&argc, &argv);
  strcpy(folder, "/tmp/bf_files_XXXXXX");
  if (!rank() && !mkdtemp(folder)) return 1;
  MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
  if (rank() && !freopen("/dev/null", "w", stdout)) return 1; /* one rank's report is enough */
  cmocka_set_message_output(CM_OUTPUT_TAP);
  int failed = cmocka_run_group_tests(tests, NULL, NULL), all;
  MPI_Allreduce(&failed, &all, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  if (!rank()) rmdir(folder);
  MPI_Finalize();
  return all;
}
