/* Result files: what ranks write together is read back, whole or not at all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../ranks.h"
#include "bellformer/store.h"

enum { ROWS = 3, COLUMNS = 100003 };

typedef struct {
  int  rank, size;
  char path[512], part[520];
} Where;

static int exists(const char *path) {
  struct stat s;
  MPI_Barrier(MPI_COMM_WORLD);
  const int found = stat(path, &s) == 0;
  MPI_Barrier(MPI_COMM_WORLD);
  return found;
}

/* Rank r has columns r^2 .. of every row: uneven shares, rank 0 of the last row none. */
static BfStatus write_shares(const Where *w, BfStore *store, BfError *error) {
  BF_TRY(bf_store_define(store, "/group/large", BF_STORE_DOUBLE, 2, (int64_t[]){ROWS, COLUMNS}, error));
  for (int row = 0; row < ROWS; row++) {
    const int64_t total = (int64_t)w->size * w->size;
    int64_t       from  = COLUMNS * ((int64_t)w->rank * w->rank) / total,
            to          = COLUMNS * ((int64_t)(w->rank + 1) * (w->rank + 1)) / total;
    if (row == 2 && w->size > 1) {
      if (w->rank == 0) to = from;
      if (w->rank == 1) from = 0;
    }
    double *x = malloc(sizeof *x * (size_t)(to - from + 1));
    for (int64_t i = from; i < to; i++) x[i - from] = 1000000.0 * row + (double)i;
    const BfStatus status = bf_store_write_block(store, "/group/large", BF_STORE_DOUBLE, 2, (int64_t[]){row, from},
                                                 (int64_t[]){1, to - from}, x, error);
    free(x);
    if (status != BF_OK) return status;
  }
  return BF_OK;
}

static BfStatus write_file(const Where *w, BfStore **store, BfError *error) {
  const int32_t small[6] = {1, -2, 3, INT32_MIN, INT32_MAX, 0};
  BF_TRY(bf_store_create(MPI_COMM_WORLD, w->path, 0, store, error));
  BF_TRY(write_shares(w, *store, error));
  BF_TRY(bf_store_write(*store, "/small", BF_STORE_INT32, 2, (int64_t[]){2, 3}, small, error));
  BF_TRY(bf_store_put_double(*store, "/group", "pi", 3.25, error));
  BF_TRY(bf_store_put_int(*store, "/made", "big", INT64_MAX, error));
  return bf_store_put_text(*store, "/", "text", "eps \xce\xb5, \"quoted\"", error);
}

static void whole(Tap *tap, const Where *w) {
  BfError  error = {0};
  BfStore *store = NULL;
  check(tap, write_file(w, &store, &error) == BF_OK, "written");
  check(tap, !exists(w->path) && exists(w->part), "until it is committed only FILE.part is there");
  check(tap, bf_store_commit(&store, &error) == BF_OK && !store, "committed");
  check(tap, exists(w->path) && !exists(w->part), "then only FILE");
  check(tap, bf_store_create(MPI_COMM_WORLD, w->path, 0, &store, &error) == BF_BAD_INPUT && strstr(error.text, w->path),
        "an existing file is refused by name");
  error = (BfError){0};
  check(tap, bf_store_create(MPI_COMM_WORLD, w->path, 1, &store, &error) == BF_OK, "unless it is to be overwritten");
  bf_store_close(&store);
  check(tap, exists(w->path) && !exists(w->part), "it stands where the new one was given up");
}

static void contents(Tap *tap, const Where *w) {
  BfError  error   = {0};
  BfStore *store   = NULL;
  int64_t  dims[4] = {0}, big = 0;
  int      rank = 0, same = 1, count = 0;
  double  *large = NULL, pi = 0;
  int32_t *small = NULL;
  char    *text = NULL, **names = NULL;
  check(tap, bf_store_open(MPI_COMM_WORLD, w->path, &store, &error) == BF_OK, "opened");
  check(tap,
        bf_store_extent(store, "/group/large", &rank, dims, &error) == BF_OK && rank == 2 && dims[0] == ROWS &&
            dims[1] == COLUMNS,
        "extent");
  check(tap, bf_store_read(store, "/group/large", BF_STORE_DOUBLE, 2, dims, (void **)&large, &error) == BF_OK, "read");
  for (int64_t i = 0; large && i < ROWS * COLUMNS; i++)
    same &= large[i] == 1000000.0 * (double)(i / COLUMNS) + (double)(i % COLUMNS);
  check(tap, same, "every number of every rank");
  bf_free(large);
  double block[7];
  check(tap,
        bf_store_read_block(store, "/group/large", BF_STORE_DOUBLE, 2, (int64_t[]){1, 50 + w->rank}, (int64_t[]){1, 7},
                            block, &error) == BF_OK &&
            block[0] == 1000050.0 + w->rank && block[6] == 1000056.0 + w->rank,
        "a block of its own a rank");
  check(tap,
        bf_store_read(store, "/small", BF_STORE_INT32, 2, dims, (void **)&small, &error) == BF_OK && dims[1] == 3 &&
            small[3] == INT32_MIN && small[4] == INT32_MAX,
        "integers");
  bf_free(small);
  check(tap, bf_store_get_double(store, "/group", "pi", &pi, &error) == BF_OK && pi == 3.25, "attribute: double");
  check(tap, bf_store_get_int(store, "/made", "big", &big, &error) == BF_OK && big == INT64_MAX,
        "attribute: integer, group made");
  check(tap, bf_store_get_text(store, "/", "text", &text, &error) == BF_OK && !strcmp(text, "eps \xce\xb5, \"quoted\""),
        "attribute: text");
  bf_free(text);
  check(tap,
        bf_store_list(store, "/", &count, &names, &error) == BF_OK && count == 3 && !strcmp(names[0], "group") &&
            !strcmp(names[2], "small"),
        "children in order");
  for (int i = 0; i < count; i++) bf_free(names[i]);
  bf_free(names);
  check(tap,
        bf_store_read(store, "/absent", BF_STORE_DOUBLE, 1, dims, (void **)&large, &error) == BF_BAD_INPUT &&
            strstr(error.text, "/absent"),
        "a missing dataset is named");
  bf_store_close(&store);
}

/* Rank 0 changes the file's bytes; all ranks look. */
static BfStatus open_changed(const Where *w, long at, long keep, BfError *error) {
  BfStore *store = NULL;
  double  *large = NULL;
  int64_t  dims[4];
  char     changed[520];
  snprintf(changed, sizeof changed, "%s.changed", w->path);
  if (w->rank == 0) {
    FILE *in = fopen(w->path, "rb"), *out = fopen(changed, "wb");
    for (long i = 0; i < keep; i++) {
      const int c = fgetc(in);
      if (c == EOF) break;
      fputc(i == at ? c ^ 4 : c, out);
    }
    fclose(in);
    fclose(out);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  *error          = (BfError){0};
  BfStatus status = bf_store_open(MPI_COMM_WORLD, changed, &store, error);
  if (status == BF_OK) status = bf_store_read(store, "/group/large", BF_STORE_DOUBLE, 2, dims, (void **)&large, error);
  bf_free(large);
  bf_store_close(&store);
  MPI_Barrier(MPI_COMM_WORLD);
  if (w->rank == 0) unlink(changed);
  return status;
}

static void damage(Tap *tap, const Where *w) {
  struct stat s;
  BfError     error;
  stat(w->path, &s);
  check(tap, open_changed(w, -1, s.st_size, &error) == BF_OK, "an unchanged copy is read");
  const BfStatus flipped = open_changed(w, s.st_size / 2, s.st_size, &error);
  check(tap, flipped == BF_BAD_INPUT && strstr(error.text, "/group/large") && strstr(error.text, ".changed"),
        "a flipped bit in a chunk is refused, file and dataset named");
  for (long keep = 0; keep < s.st_size; keep += s.st_size / 4 + 1)
    check(tap, open_changed(w, -1, keep, &error) == BF_BAD_INPUT && strstr(error.text, ".changed"),
          "a truncated file is refused by name");
}

/* A byte array that ranks hold in turns, in pieces of odd lengths: words and segments are shared. Its sums do not
 * depend on the number of ranks: FNV-1a of them is that of one rank. Any flipped bit is found, wherever ranks begin; so
 * is a changed sum. */
static uint64_t sealed_sums(const Where *w, int64_t bytes, Tap *tap) {
  const int64_t piece  = bytes < 10000 ? 1 : 1003,
                pieces = (bytes + piece - 1) / piece; /* HDF5 takes the square of their number */
  int64_t       *first = calloc((size_t)pieces, sizeof *first), *count = calloc((size_t)pieces, sizeof *count), all[1];
  unsigned char *mine = calloc((size_t)bytes + 1, 1), *back = calloc((size_t)bytes + 1, 1);
  int            blocks = 0;
  int64_t        n      = 0;
  BfError        error  = {0};
  BfStore       *store  = NULL;
  for (int64_t p = 0; p < pieces; p++) {
    if (p % w->size != w->rank) continue;
    first[blocks] = p * piece;
    count[blocks] = bytes - p * piece < piece ? bytes - p * piece : piece;
    for (int64_t i = 0; i < count[blocks]; i++) mine[n++] = (unsigned char)((first[blocks] + i) * 2654435761u >> 7);
    blocks++;
  }
  check(tap,
        bf_store_create(MPI_COMM_WORLD, w->path, 1, &store, &error) == BF_OK &&
            bf_store_write_sealed(store, "/sealed/bytes", BF_STORE_BYTE, bytes, &(BfParts){blocks, first, count}, mine,
                                  &error) == BF_OK &&
            bf_store_commit(&store, &error) == BF_OK,
        "a sealed array is written");
  bf_store_open(MPI_COMM_WORLD, w->path, &store, &error);
  check(tap,
        bf_store_read_sealed(store, "/sealed/bytes", BF_STORE_BYTE, &(BfParts){blocks, first, count}, back, &error) ==
                BF_OK &&
            !memcmp(mine, back, (size_t)n),
        "and read back");
  int64_t *sums = NULL;
  bf_store_read(store, "/sealed/bytes.sums", BF_STORE_INT64, 1, all, (void **)&sums, &error);
  uint64_t hash = 14695981039346656037u;
  for (int64_t i = 0; sums && i < all[0]; i++) hash = (hash ^ (uint64_t)sums[i]) * 1099511628211u;
  bf_free(sums);
  bf_store_close(&store);
  free(first);
  free(count);
  free(mine);
  free(back);
  return hash;
}

/* Flip one bit of the file at its first place that holds the 16 bytes of the array from `at`; whether reading refuses
 * it by name. */
static int flip_is_found(const Where *w, int64_t bytes, int64_t at) {
  BfError  error = {0};
  BfStore *store = NULL;
  if (w->rank == 0) {
    FILE         *file = fopen(w->path, "r+b");
    unsigned char wanted[16], here[1 << 16];
    const long    step = 1 << 15;
    int           done = 0;
    for (int i = 0; i < 16; i++) wanted[i] = (unsigned char)((at + i) * 2654435761u >> 7);
    for (long from = 0; file && !done; from += step) {
      fseek(file, from, SEEK_SET);
      const size_t   n   = fread(here, 1, sizeof here, file);
      unsigned char *hit = n ? memmem(here, n, wanted, 16) : NULL;
      if (hit) {
        fseek(file, from + (hit - here), SEEK_SET);
        fputc(*hit ^ 4, file);
        done = 1;
      }
      if (n < sizeof here) break;
    }
    if (file) fclose(file);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  unsigned char byte[1];
  const int64_t first = w->rank ? 0 : bytes - 1, count = w->rank == 0;
  bf_store_open(MPI_COMM_WORLD, w->path, &store, &error);
  const BfStatus status =
      bf_store_read_sealed(store, "/sealed/bytes", BF_STORE_BYTE, &(BfParts){1, &first, &count}, byte, &error);
  bf_store_close(&store);
  return status == BF_BAD_INPUT && strstr(error.text, "/sealed/bytes is damaged") != NULL;
}

static void sealed(Tap *tap, const Where *w) {
  static const int64_t  sizes[] = {1, 5, 65535, 65536, 300007};
  static const uint64_t alone[] = {12638153115695167455u, 2882117549133809422u, 1569178883529467901u,
                                   6794599146552523260u, 6328771790707617186u};
  for (int i = 0; i < 5; i++) {
    const uint64_t hash = sealed_sums(w, sizes[i], tap);
    if (alone[i] != hash && w->rank == 0)
      printf("# sums of %lld bytes: %lluu\n", (long long)sizes[i], (unsigned long long)hash);
    check(tap, alone[i] == hash, "sums do not depend on ranks");
  }
  check(tap, flip_is_found(w, sizes[4], 0), "a flipped bit at the start");
  sealed_sums(w, sizes[4], tap);
  check(tap, flip_is_found(w, sizes[4], 200001), "a flipped bit within");
  sealed_sums(w, sizes[4], tap);
  check(tap, flip_is_found(w, sizes[4], sizes[4] - 16), "a flipped bit near the end");
}

static void given_up(Tap *tap, const Where *w) {
  BfError  error = {0};
  BfStore *store = NULL;
  Where    none  = *w;
  if (w->rank == 0) unlink(w->path);
  MPI_Barrier(MPI_COMM_WORLD);
  check(tap, write_file(w, &store, &error) == BF_OK, "written again");
  bf_store_close(&store);
  check(tap, !exists(w->path) && !exists(w->part), "nothing is left of what was not committed");
  snprintf(none.path, sizeof none.path, "%.400s.none/run.h5", w->path);
  check(tap,
        bf_store_create(MPI_COMM_WORLD, none.path, 0, &store, &error) == BF_BAD_INPUT && strstr(error.text, ".none/"),
        "a folder that is not there is named");
}

/* Two writers of one name: the second's file appears, the first's does not, and takes nothing with it. */
static void two_writers(Tap *tap, const Where *w) {
  BfError  error = {0}, lost = {0}, late = {0};
  BfStore *first = NULL, *second = NULL;
  check(tap, bf_store_create(MPI_COMM_WORLD, w->path, 1, &first, &error) == BF_OK, "a first writer");
  check(tap, bf_store_create(MPI_COMM_WORLD, w->path, 1, &second, &error) == BF_OK, "a second one");
  bf_store_put_int(second, "/", "writer", 2, &error);
  check(tap,
        bf_store_write(first, "/late", BF_STORE_DOUBLE, 1, (int64_t[]){1}, (double[]){1}, &late) == BF_FAILURE &&
            strstr(late.text, "another run has put its own file in the place of"),
        "the first is told of it by what it writes next");
  check(tap,
        bf_store_commit(&first, &lost) == BF_FAILURE && exists(w->part) && strstr(lost.text, "another run has put"),
        "cannot complete, and leaves the second's file");
  check(tap, bf_store_commit(&second, &error) == BF_OK && exists(w->path), "the second does");
  MPI_Barrier(MPI_COMM_WORLD);
  if (w->rank == 0) unlink(w->path);
  MPI_Barrier(MPI_COMM_WORLD);
}

/* A text file: whole, rank 0's, not in the place of another one unless told. */
static void texts(Tap *tap, const Where *w) {
  BfError error = {0}, refused = {0}, nowhere = {0};
  char    read[32] = "", mine[32];
  snprintf(mine, sizeof mine, "rank %d\n", w->rank);
  check(tap, bf_text_write(MPI_COMM_WORLD, w->path, 0, mine, (int64_t)strlen(mine), &error) == BF_OK && exists(w->path),
        "a text is written");
  check(tap,
        bf_text_write(MPI_COMM_WORLD, w->path, 0, "other", 5, &refused) == BF_BAD_INPUT &&
            strstr(refused.text, "-overwrite"),
        "and not replaced untold");
  FILE *file = fopen(w->path, "r");
  if (file && !fgets(read, sizeof read, file)) read[0] = '\0';
  if (file) fclose(file);
  check(tap, !strcmp(read, "rank 0\n") && !exists(w->part), "it is rank 0's, and nothing stays beside it");
  check(tap, bf_text_write(MPI_COMM_WORLD, w->path, 1, "", 0, &error) == BF_OK, "it is replaced where told");
  check(tap,
        bf_text_write(MPI_COMM_WORLD, "/nowhere/at/all.csv", 1, "", 0, &nowhere) == BF_BAD_INPUT &&
            strstr(nowhere.text, "/nowhere/at/all.csv"),
        "a folder that is not there is named");
  MPI_Barrier(MPI_COMM_WORLD);
  if (w->rank == 0) unlink(w->path);
  MPI_Barrier(MPI_COMM_WORLD);
}

/* Open MPI opens no file whose name is a single character. */
static void shortest_name(Tap *tap, const char *folder) {
  BfStore   *store = NULL;
  BfError    error = {0};
  const bool there = chdir(folder) == 0 && bf_store_create(MPI_COMM_WORLD, "a", 0, &store, &error) == BF_OK &&
                     bf_store_commit(&store, &error) == BF_OK;
  check(tap, there && bf_store_open(MPI_COMM_WORLD, "a", &store, &error) == BF_OK, "a name of one character is one");
  bf_store_close(&store);
  MPI_Barrier(MPI_COMM_WORLD);
  remove("a");
}

int main(int argc, char **argv) {
  Tap   tap = {0, 0};
  Where w   = {0};
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &w.rank);
  MPI_Comm_size(MPI_COMM_WORLD, &w.size);
  char folder[] = "/tmp/bf_store_XXXXXX";
  if (w.rank == 0 && !mkdtemp(folder)) MPI_Abort(MPI_COMM_WORLD, 1);
  MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
  snprintf(w.path, sizeof w.path, "%s/run.h5", folder);
  snprintf(w.part, sizeof w.part, "%s.part", w.path);
  whole(&tap, &w);
  contents(&tap, &w);
  damage(&tap, &w);
  sealed(&tap, &w);
  given_up(&tap, &w);
  two_writers(&tap, &w);
  texts(&tap, &w);
  shortest_name(&tap, folder);
  if (w.rank == 0) rmdir(folder);
  return finish_tap(&tap);
}
