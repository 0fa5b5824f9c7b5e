/* Parallel HDF5: the result file: README, A result file.
 *
 * A file is written under a temporary name, "FILE.part", and appears under its own by rename after fsync: what is seen
 * is whole. Large datasets are chunked with Fletcher32 checksums, so that damage is found and not read. Every function
 * is collective on the file's communicator unless said otherwise; an error that one rank meets is agreed on by all. */
#pragma once
#include "bellformer/error.h"
#include "bellformer/with_mpi.h"
#include <stdbool.h>

BF_API_BEGIN

typedef struct BfStore BfStore;

typedef enum { BF_STORE_DOUBLE, BF_STORE_INT32, BF_STORE_INT64, BF_STORE_BYTE } BfStoreType;
int64_t bf_store_size(BfStoreType type); /* bytes of an entry, in memory and in the file */

/* Start a new file. An existing one is refused (BF_BAD_INPUT) unless overwrite is set, and stands until
 * bf_store_commit. The folder must exist and be writable: found out here, not at the end of a long run. */
BfStatus bf_store_create(MPI_Comm comm, const char *path, int overwrite, BfStore **out, BfError *error);
/* A file that is soon read back and removed: from now on (or no more) the disk is not waited for, and where one rank
 * writes alone no space is set aside. It still appears whole, but may not outlive a power cut. Not collective; the same
 * on all ranks. */
void bf_store_hasten(BfStore *store, bool hasty);
/* Flush, fsync, rename into place, close. On failure nothing appears. */
BfStatus bf_store_commit(BfStore **store, BfError *error);
/* Open a file to read. Missing, truncated, or not HDF5: BF_BAD_INPUT with its name. */
BfStatus bf_store_open(MPI_Comm comm, const char *path, BfStore **out, BfError *error);
/* Close, at the end of a function that may have failed: agrees on `error` first, so that ranks on which it failed and
 * others close together, and returns its status. A file that was created and not committed is removed. NULL-safe, sets
 * NULL. */
BfStatus bf_store_end(BfStore **store, BfError *error);
/* The same where all ranks know that none has failed, or that all have. */
void bf_store_close(BfStore **store);

/* bf_together (run.h) on the store's communicator: for what a function that writes or reads must do locally. */
BfStatus bf_store_together(BfStore *store, BfStatus mine, BfError *error);

/* Groups are made on the way. `path` is absolute in the file: "/rollout/tokens". Dimensions: rank 1 .. 4. */
/* The same small array on all ranks: rank 0's data are written. */
BfStatus bf_store_write(BfStore *store, const char *path, BfStoreType type, int rank, const int64_t dims[],
                        const void *data, BfError *error);
/* The same of texts [count], in UTF-8: strings of one length in the file, filled up with '\0'. */
BfStatus bf_store_write_texts(BfStore *store, const char *path, int64_t count, const char *const text[],
                              BfError *error);
/* A large array [dims[0]][dims[1]] ([rank 2]) or [dims[0]] ([rank 1]) that ranks write piece by piece: created chunked
 * (at most 8 MiB a chunk, one row high) and checksummed ... */
BfStatus bf_store_define(BfStore *store, const char *path, BfStoreType type, int rank, const int64_t dims[],
                         BfError *error);
/* ... then any number of collective writes, in each of which a rank gives the block start[] .. start[] + count[] (a
 * count of 0: nothing of its own), in memory contiguous. Blocks of different ranks must not overlap. */
BfStatus bf_store_write_block(BfStore *store, const char *path, BfStoreType type, int rank, const int64_t start[],
                              const int64_t count[], const void *data, BfError *error);

/* What a rank holds of an array of one dimension, or of a row of two: entries first[p] .. first[p] + count[p] - 1 of
 * each part, in increasing order, contiguous in memory. */
typedef struct {
  int            parts;
  const int64_t *first, *count; /* [parts]; borrowed */
} BfParts;

/* A write, and a read, of parts of one row (row >= 0: of a two-dimensional array; -1: of a one-dimensional one). Parts
 * of ranks must not overlap in a write. */
BfStatus bf_store_write_parts(BfStore *store, const char *path, BfStoreType type, int64_t row, const BfParts *parts,
                              const void *data, BfError *error);
BfStatus bf_store_read_parts(BfStore *store, const char *path, BfStoreType type, int64_t row, const BfParts *parts,
                             void *data, BfError *error);

/* A one-dimensional array that ranks write at once, contiguous, with sums beside it (PATH.sums) that ranks make of what
 * each holds: as safe as checksummed chunks, at nearly the speed of plain parallel writes; but only bellformer reads
 * the sums. Reading checks the whole array first: BF_BAD_INPUT, "is damaged". */
BfStatus bf_store_write_sealed(BfStore *store, const char *path, BfStoreType type, int64_t entries,
                               const BfParts *parts, const void *data, BfError *error);
BfStatus bf_store_read_sealed(BfStore *store, const char *path, BfStoreType type, const BfParts *parts, void *data,
                              BfError *error);

/* Attributes of an object (a group or dataset, made as a group if it is not there). Same value on all ranks. */
BfStatus bf_store_put_double(BfStore *store, const char *path, const char *name, double value, BfError *error);
BfStatus bf_store_put_int(BfStore *store, const char *path, const char *name, int64_t value, BfError *error);
BfStatus bf_store_put_text(BfStore *store, const char *path, const char *name, const char *value, BfError *error);
/* Many of one object, in less time. */
typedef struct {
  const char *name;
  const char *text;   /* NULL: a number */
  double      number; /* without a text */
} BfAttribute;
BfStatus bf_store_put_all(BfStore *store, const char *path, int64_t count, const BfAttribute attribute[],
                          BfError *error);
BfStatus bf_store_get_double(BfStore *store, const char *path, const char *name, double *value, BfError *error);
BfStatus bf_store_get_int(BfStore *store, const char *path, const char *name, int64_t *value, BfError *error);
BfStatus bf_store_get_text(BfStore *store, const char *path, const char *name, char **value, BfError *error);

/* Read: extents (fills up to 4 dims, sets *rank), a whole array onto every rank (*data to be freed with bf_free), or
 * one block. A dataset that is missing, of another shape, or damaged is BF_BAD_INPUT: "RUN.h5: /value is damaged". */
BfStatus bf_store_extent(BfStore *store, const char *path, int *rank, int64_t dims[], BfError *error);
BfStatus bf_store_read(BfStore *store, const char *path, BfStoreType type, int rank, int64_t dims[], void **data,
                       BfError *error);
BfStatus bf_store_read_block(BfStore *store, const char *path, BfStoreType type, int rank, const int64_t start[],
                             const int64_t count[], void *data, BfError *error);
/* Whether there is an object of that name; path: "/a/b", whose group is there. */
BfStatus bf_store_has(BfStore *store, const char *path, bool *there, BfError *error);
/* Whether an object has an attribute of that name. */
BfStatus bf_store_has_attribute(BfStore *store, const char *path, const char *name, bool *there, BfError *error);
/* Names of the children of a group, in alphabetical order; free each and the array with bf_free. */
BfStatus bf_store_list(BfStore *store, const char *path, int *count, char ***names, BfError *error);

/* Which formats of a file are read: share/doc/formats.md. */
typedef struct {
  const char *what; /* "result" */
  int         oldest, newest;
  const char *advice; /* behind the message that refuses others */
} BfFormats;
/* Refuse (BF_BAD_INPUT) a file of another format: attribute `format` of the group `path`, 1 where it has none. "run.h5:
 * another version of bellformer wrote it (result format 3, this one reads 2)". *other, unless it is NULL: whether it
 * was that, and not a file that cannot be read. */
BfStatus bf_store_check_format(BfStore *store, const char *path, const BfFormats *read, bool *other, BfError *error);

/* Bytes a second that the ranks write together into such a file: one of 64 MB appears beside `path` for a moment. */
BfStatus bf_store_measure(MPI_Comm comm, const char *path, double *bandwidth, BfError *error);

/* ---- text files -------------------------------------------------------------------------------------------------- */

/* Write rank 0's text as a file that appears whole. An existing one is refused (BF_BAD_INPUT) unless overwrite is set.
 * Collective; text and length of other ranks are not looked at. */
BfStatus bf_text_write(MPI_Comm comm, const char *path, int overwrite, const char *text, int64_t length,
                       BfError *error);

BF_API_END
