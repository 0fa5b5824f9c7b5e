/* An open result file. */
#pragma once
#include "bellformer/store.h"
#include "run/end.h"
#include <hdf5.h>

struct BfStore {
  MPI_Comm    comm; /* a duplicate; owned */
  int         rank, size;
  hid_t       file;
  char       *path;
  char       *part;         /* the temporary name of a file that is being created; NULL for one that is read */
  hid_t       transfer;     /* collective */
  hid_t       create_links; /* groups on the way */
  bool        hasty;        /* the disk is not waited for */
  int64_t     reserved;     /* bytes of the disk that rank 0 has set aside for the file */
  BfTemporary temporary;    /* the file `part` */
};

#define BF_STORE_LOST "is the disk full, or does another run write the same file?"

enum { BF_STORE_DIMS = 4 }; /* of an array, at most */

int64_t bf_store_product(int rank, const int64_t count[]);
/* bf_store_extent of an array that must have so many dimensions. */
BfStatus bf_store_extent_of(BfStore *store, const char *path, int rank, int64_t dims[], BfError *error);

hid_t bf_store_memory_type(BfStoreType type);
hid_t bf_store_file_type(BfStoreType type);
/* Whether a dataset holds the same class of numbers, of the same size. */
bool bf_store_type_fits(hid_t data, BfStoreType type);
/* Set `bytes` more of the disk aside, before HDF5 needs them: where a collective HDF5 call fails on one rank, others
 * wait for ever. what: "/value". On a file system that sets nothing aside, free space is compared. Collective. */
BfStatus bf_store_reserve(BfStore *store, int64_t bytes, const char *what, BfError *error);
/* "RUN.h5: /value cannot be written", agreed on by all ranks; BF_OK where no rank failed. */
BfStatus bf_store_check(BfStore *store, int failed, BfStatus status, const char *path, const char *what,
                        BfError *error);
