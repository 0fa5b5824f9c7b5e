/* Arrays with sums of their own.
 *
 * HDF5 writes checksummed chunks together at half the speed of plain parallel writes: ranks exchange chunks that they
 * share, and the filter runs piece by piece between copies. A sealed array is contiguous, and beside it stands, for
 * every segment of it, a hash that adds up over whatever parts of the segment ranks hold: sum over 32-bit words of word
 * * key(place) modulo the prime 2^61 - 1, with pseudo-random keys. A change of one word always changes it; any other
 * damage goes unseen with probability 2^-61. A product and an addition a word: it is bound by the memory that the words
 * come from. */
#include "bellformer/run.h"
#include "bellformer/splitmix64.h"
#include "run/limits.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

enum { KEYS = 1 << 14 };
__extension__ typedef unsigned __int128 Wide;
static const int64_t                    least_segment = (int64_t)KEYS * 4, most_segments = 1 << 16;
static const uint64_t                   prime = ((uint64_t)1 << 61) - 1;

/* Keys of places 0 .. KEYS-1, and what is added to them for every KEYS places more. */
typedef struct {
  uint64_t *low, *high;
} Keys;

/* Below 2^60: the sum of two is below 2^61. */
static uint64_t draw(uint64_t *state) { return bf_splitmix64(state) >> 4; }

static BfStatus make_keys(int64_t segment, Keys *keys, BfError *error) {
  const int64_t high  = segment / least_segment;
  uint64_t      state = 61;
  BF_TRY(BF_NEW(&keys->low, KEYS, error));
  BF_TRY(BF_NEW(&keys->high, high, error));
  for (int i = 0; i < KEYS; i++) keys->low[i] = draw(&state) | 1;
  for (int64_t i = 1; i < high; i++) keys->high[i] = draw(&state) & ~(uint64_t)1;
  return BF_OK;
}

static void clear_keys(Keys *keys) {
  bf_free(keys->low);
  bf_free(keys->high);
}

static int64_t segment_bytes(int64_t bytes) {
  int64_t segment = least_segment;
  while (bytes / segment > most_segments) segment *= 2;
  return segment;
}

static uint64_t reduce(Wide x) {
  x = (x & prime) + (x >> 61);
  x = (x & prime) + (x >> 61);
  return (uint64_t)(x >= prime ? x - prime : x);
}

/* The share of bytes [at, at + n) of one segment, from `data`; at counts from the segment's start. */
static uint64_t part_of_segment(const Keys *keys, int64_t at, int64_t n, const unsigned char *data) {
  Wide sum = 0;
  while (n > 0) {
    const int64_t   word = at / 4, in = at % 4, row = word / KEYS;
    const uint64_t *key   = keys->low + word % KEYS;
    const uint64_t  more  = keys->high[row];
    const int64_t   whole = in ? 0 : n / 4 < KEYS - word % KEYS ? n / 4 : KEYS - word % KEYS;
    for (int64_t i = 0; i < whole; i++) {
      uint32_t x;
      memcpy(&x, data + 4 * i, 4);
      sum += (Wide)(key[i] + more) * x;
    }
    int64_t done = 4 * whole;
    if (!whole) { /* part of a word, at an end of what this rank holds */
      uint32_t x = 0;
      done       = 4 - in < n ? 4 - in : n;
      memcpy((unsigned char *)&x + in, data, (size_t)done);
      sum += (Wide)(*key + more) * x;
    }
    at += done;
    data += done;
    n -= done;
  }
  return reduce(sum);
}

/* Add bytes [at, at + n) of the array to the sums of its segments. */
static void add_bytes(const Keys *keys, int64_t segment, int64_t at, int64_t n, const unsigned char *data,
                      uint64_t sums[]) {
  while (n > 0) {
    const int64_t s = at / segment, in = at % segment, take = segment - in < n ? segment - in : n;
    sums[s] = reduce((Wide)sums[s] + part_of_segment(keys, in, take, data));
    at += take;
    data += take;
    n -= take;
  }
}

/* Those of all ranks, on rank 0. */
static BfStatus collect(MPI_Comm comm, int64_t segments, uint64_t sums[], BfError *error) {
  int64_t *half = NULL;
  int      rank;
  BfStatus status;
  MPI_Comm_rank(comm, &rank);
  BF_GOTO(bf_together(comm, BF_NEW(&half, 2 * segments, error), error));
  for (int64_t s = 0; s < segments; s++) {
    half[2 * s]     = (int64_t)(sums[s] >> 32);
    half[2 * s + 1] = (int64_t)(sums[s] & 0xffffffffu);
  }
  MPI_Reduce(rank ? half : MPI_IN_PLACE, half, (int)(2 * segments), MPI_INT64_T, MPI_SUM, 0, comm);
  for (int64_t s = 0; s < segments; s++) sums[s] = reduce(((Wide)half[2 * s] << 32) + (uint64_t)half[2 * s + 1]);
done:
  bf_free(half);
  return status;
}

static void name_sums(const char *path, size_t size, char out[]) { snprintf(out, size, "%s.sums", path); }

static BfStatus define(BfStore *store, const char *path, BfStoreType type, int64_t entries, BfError *error) {
  const hsize_t extent = (hsize_t)entries;
  const int64_t size = bf_store_size(type), description = 4 << 10;
  BF_TRY(bf_store_reserve(store, entries * size + description, path, error));
  const hid_t list = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &extent, NULL);
  const int   ready = H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY) >= 0 &&
                    H5Pset_fill_time(list, H5D_FILL_TIME_NEVER) >= 0 && space >= 0;
  const hid_t data =
      ready ? H5Dcreate2(store->file, path, bf_store_file_type(type), space, store->create_links, list, H5P_DEFAULT)
            : -1;
  const int failed = data < 0 || H5Dclose(data) < 0;
  if (space >= 0) H5Sclose(space);
  if (list >= 0) H5Pclose(list);
  return bf_store_check(store, failed, BF_FAILURE, path, "cannot be created", error);
}

BfStatus bf_store_write_sealed(BfStore *store, const char *path, BfStoreType type, int64_t entries,
                               const BfParts *parts, const void *data, BfError *error) {
  const int64_t        size = bf_store_size(type), segment = segment_bytes(entries * size);
  const int64_t        segments = (entries * size + segment - 1) / segment;
  const unsigned char *from     = data;
  char                 name[256];
  Keys                 keys = {0};
  uint64_t            *sums = NULL;
  BfStatus             status;
  name_sums(path, sizeof name, name);
  BF_GOTO(bf_together(store->comm, make_keys(segment, &keys, error), error));
  BF_GOTO(bf_together(store->comm, BF_NEW(&sums, segments, error), error));
  BF_GOTO(define(store, path, type, entries, error));
  if (entries) BF_GOTO(bf_store_write_parts(store, path, type, -1, parts, data, error));
  for (int p = 0; p < parts->parts; p++) {
    add_bytes(&keys, segment, parts->first[p] * size, parts->count[p] * size, from, sums);
    from += parts->count[p] * size;
  }
  BF_GOTO(collect(store->comm, segments, sums, error));
  BF_GOTO(bf_store_write(store, name, BF_STORE_INT64, 1, &segments, sums, error));
done:
  clear_keys(&keys);
  bf_free(sums);
  return status;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* An array as its sums describe it. */
typedef struct {
  const char     *path;
  BfStoreType     type;
  int64_t         bytes, segment;
  Keys            keys;
  const uint64_t *expected; /* [segments] */
} Sealed;

/* This rank's segments begin .. end - 1 against their sums, some at a time; all ranks take as many turns. */
static BfStatus check_segments(BfStore *store, const Sealed *a, int *damaged, BfError *error) {
  const int64_t size = bf_store_size(a->type), segment = a->segment, segments = (a->bytes + segment - 1) / segment;
  const int64_t begin = segments * store->rank / store->size, end = segments * (store->rank + 1) / store->size;
  const int64_t round = bf_limits()->sealed_bytes, most = round / segment > 1 ? round / segment : 1,
                share   = (segments + store->size - 1) / store->size;
  unsigned char *buffer = NULL;
  BfStatus       status;
  BF_GOTO(bf_together(store->comm, BF_NEW(&buffer, (most < share ? most : share) * segment, error), error));
  for (int64_t turn = 0; turn * most < share; turn++) {
    const int64_t s = begin + turn * most, stop = s + most < end ? s + most : end, from = s < end ? s * segment : 0;
    const int64_t n = s < end ? (stop * segment < a->bytes ? stop * segment : a->bytes) - from : 0, first = from / size,
                  count = n / size;
    BF_GOTO(bf_store_read_parts(store, a->path, a->type, -1, &(BfParts){1, &first, &count}, buffer, error));
    for (int64_t i = s; i < stop; i++) {
      const int64_t here = a->bytes - i * segment < segment ? a->bytes - i * segment : segment;
      *damaged |= part_of_segment(&a->keys, 0, here, buffer + (i - s) * segment) != a->expected[i];
    }
  }
done:
  bf_free(buffer);
  return status;
}

/* The whole array against its sums. */
static BfStatus check(BfStore *store, const char *path, BfStoreType type, BfError *error) {
  Sealed    a       = {.path = path, .type = type};
  int       damaged = 0;
  int64_t   dims[BF_STORE_DIMS], segments;
  char      name[256];
  uint64_t *sums = NULL;
  BfStatus  status;
  name_sums(path, sizeof name, name);
  BF_TRY(bf_store_extent_of(store, path, 1, dims, error));
  BF_TRY(bf_store_read(store, name, BF_STORE_INT64, 1, &segments, (void **)&sums, error));
  a.bytes    = dims[0] * bf_store_size(type);
  a.segment  = segment_bytes(a.bytes);
  a.expected = sums;
  BF_GOTO(bf_store_check(store, segments != (a.bytes + a.segment - 1) / a.segment, BF_BAD_INPUT, name,
                         "does not fit its array", error));
  BF_GOTO(bf_together(store->comm, make_keys(a.segment, &a.keys, error), error));
  BF_GOTO(check_segments(store, &a, &damaged, error));
  MPI_Allreduce(MPI_IN_PLACE, &damaged, 1, MPI_INT, MPI_LOR, store->comm);
  status = bf_store_check(store, damaged, BF_BAD_INPUT, path, "is damaged", error);
done:
  clear_keys(&a.keys);
  bf_free(sums);
  return status;
}

BfStatus bf_store_read_sealed(BfStore *store, const char *path, BfStoreType type, const BfParts *parts, void *data,
                              BfError *error) {
  BF_TRY(check(store, path, type, error));
  return bf_store_read_parts(store, path, type, -1, parts, data, error);
}
