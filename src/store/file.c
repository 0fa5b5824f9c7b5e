/* Files appear whole: written as FILE.part, synced, renamed. */
#include "bellformer/run.h"
#include "run/text.h"
#include "store/store.h"
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

hid_t bf_store_memory_type(BfStoreType type) {
  const hid_t types[] = {H5T_NATIVE_DOUBLE, H5T_NATIVE_INT32, H5T_NATIVE_INT64, H5T_NATIVE_UINT8};
  return types[type];
}

int64_t bf_store_size(BfStoreType type) {
  static const int64_t bytes[] = {8, 4, 8, 1};
  return bytes[type];
}

hid_t bf_store_file_type(BfStoreType type) {
  const hid_t types[] = {H5T_IEEE_F64LE, H5T_STD_I32LE, H5T_STD_I64LE, H5T_STD_U8LE};
  return types[type];
}

/* Two runs of one -o. */
static bool is_taken(const BfStore *store) {
  return store->temporary.inode && !bf_temporary_is_there(&store->temporary);
}

static BfStatus fail_taken(const BfStore *store, BfError *error) {
  return bf_fail(error, BF_FAILURE, "%s: another run has put its own file in the place of %s", store->path,
                 store->part);
}

BfStatus bf_store_check(BfStore *store, int failed, BfStatus status, const char *path, const char *what,
                        BfError *error) {
  if (failed && is_taken(store)) fail_taken(store, error);
  else if (failed) bf_fail(error, status, "%s: %s%s%s", store->path, path, *path ? " " : "", what);
  return bf_agree(store->comm, error);
}

BfStatus bf_store_together(BfStore *store, BfStatus mine, BfError *error) {
  return bf_together(store->comm, mine, error);
}

static int reserve(BfStore *store) {
  const int file = open(store->part, O_WRONLY);
  if (file < 0) return -1;
  int failed = fallocate(file, FALLOC_FL_KEEP_SIZE, 0, store->reserved) ? errno : 0;
  if (failed == EOPNOTSUPP || failed == ENOSYS) {
    struct stat about;
    failed = fstat(file, &about) == 0 && store->reserved - (int64_t)about.st_blocks * 512 > bf_disk_free(store->part)
                 ? ENOSPC
                 : 0;
  }
  close(file);
  errno = failed;
  return failed ? -1 : 0;
}

void bf_store_hasten(BfStore *store, bool hasty) { store->hasty = hasty; }

BfStatus bf_store_reserve(BfStore *store, int64_t bytes, const char *what, BfError *error) {
  if (store->hasty && store->size == 1) return error->status; /* nobody would wait */
  store->reserved += bytes;
  if (store->rank == 0 && is_taken(store)) fail_taken(store, error);
  if (store->rank == 0 && error->status == BF_OK && reserve(store) < 0)
    bf_fail(error, BF_FAILURE, "%s: %s needs %.3g MiB more of the disk: %s", store->path, what, (double)bytes / 0x1p20,
            strerror(errno));
  return bf_agree(store->comm, error);
}

static void free_store(BfStore *store) {
  bf_temporary_strike(&store->temporary);
  if (store->transfer >= 0) H5Pclose(store->transfer);
  if (store->create_links >= 0) H5Pclose(store->create_links);
  if (store->comm != MPI_COMM_NULL) MPI_Comm_free(&store->comm);
  bf_free(store->path);
  bf_free(store->part);
  bf_free(store);
}

/* Errors are told in our own words, not in HDF5's. suffix: of the temporary name, NULL where there is none. That name
 * is enlisted before MPI is asked anything: a rank that fails there ends the run while rank 0 may already make the
 * file.
 */
static BfStatus allocate(const char *path, const char *suffix, BfStore **out, BfError *error) {
  BfStore *store;
  BF_TRY(BF_NEW(out, 1, error));
  store  = *out;
  *store = (BfStore){.comm = MPI_COMM_NULL, .file = -1, .transfer = -1, .create_links = -1};
  BF_TRY(bf_text_join(&store->path, path, "", error));
  if (suffix) BF_TRY(bf_text_join(&store->part, path, suffix, error));
  store->temporary.path = store->part;
  if (suffix) bf_temporary_enlist(&store->temporary);
  store->transfer     = H5Pcreate(H5P_DATASET_XFER);
  store->create_links = H5Pcreate(H5P_LINK_CREATE);
  if (H5Eset_auto2(H5E_DEFAULT, NULL, NULL) < 0 || H5Pset_dxpl_mpio(store->transfer, H5FD_MPIO_COLLECTIVE) < 0 ||
      H5Pset_create_intermediate_group(store->create_links, 1) < 0)
    return bf_fail(error, BF_FAILURE, "%s: HDF5 cannot be set up", path);
  return BF_OK;
}

/* A store without a file yet. */
static BfStatus new_store(MPI_Comm comm, const char *path, const char *suffix, BfStore **out, BfError *error) {
  BfStore *store = NULL;
  if (bf_together(comm, allocate(path, suffix, &store, error), error) != BF_OK) {
    if (store) free_store(store);
    return error->status;
  }
  MPI_Comm_dup(comm, &store->comm);
  MPI_Comm_rank(store->comm, &store->rank);
  MPI_Comm_size(store->comm, &store->size);
  *out = store;
  return BF_OK;
}

/* How all ranks open the file together. Whatever is open in it is closed with it. */
static BfStatus make_access(const BfStore *store, hid_t *access, BfError *error) {
  *access = H5Pcreate(H5P_FILE_ACCESS);
  if (H5Pset_fapl_mpio(*access, store->comm, MPI_INFO_NULL) < 0 || H5Pset_all_coll_metadata_ops(*access, 1) < 0 ||
      H5Pset_coll_metadata_write(*access, 1) < 0 || H5Pset_fclose_degree(*access, H5F_CLOSE_STRONG) < 0)
    return bf_fail(error, BF_FAILURE, "%s: HDF5 cannot be set up", store->path);
  return BF_OK;
}

/* Open, or create, on all ranks. Open MPI opens no file whose name is a single character: that gets its folder. */
static BfStatus open_together(BfStore *store, BfError *error) {
  hid_t       access       = -1;
  char        in_folder[4] = "./";
  const char *path         = strlen(store->path) == 1 ? strcat(in_folder, store->path) : store->path;
  BfStatus    status       = bf_together(store->comm, make_access(store, &access, error), error);
  if (status == BF_OK) {
    store->file = store->part ? H5Fcreate(store->part, H5F_ACC_TRUNC, H5P_DEFAULT, access)
                              : H5Fopen(path, H5F_ACC_RDONLY, access);
    status      = bf_store_check(store, store->file < 0, BF_FAILURE, "",
                            store->part ? "cannot be created" : "cannot be opened by all ranks", error);
  }
  if (access >= 0) H5Pclose(access);
  return status;
}

/* What HDF5 writes beside arrays and their descriptions. */
static const int64_t reserved_at_first = 64 << 10;

/* Open MPI's lock files beside a temporary file, PART-JOB-PROCESS.lock, of runs between machines that died. */
static void remove_locks(const char *part) {
  glob_t found;
  char   pattern[8192];
  size_t at = 0;
  for (const char *c = part; *c && at < sizeof pattern - 64; c++) {
    if (strchr("\\*?[", *c)) pattern[at++] = '\\';
    pattern[at++] = *c;
  }
  strcpy(pattern + at, "-[0-9]*-[0-9]*.lock");
  if (glob(pattern, 0, NULL, &found) != 0) return;
  for (size_t i = 0; i < found.gl_pathc; i++) {
    const char *name = found.gl_pathv[i] + strlen(part);
    if (strspn(name, "-0123456789") == strlen(name) - strlen(".lock")) unlink(found.gl_pathv[i]);
  }
  globfree(&found);
}

/* Rank 0 tries what will be needed at the end: the name is free, the folder takes files, the disk has room for one. */
static BfStatus try_path(BfStore *store, int overwrite, BfError *error) {
  struct stat about;
  const int   exists = lstat(store->path, &about) == 0;
  if (!exists && errno != ENOENT)
    return bf_fail(error, BF_BAD_INPUT, "%s cannot be written: %s", store->path, strerror(errno));
  if (exists && !overwrite)
    return bf_fail(error, BF_BAD_INPUT, "%s exists; give -overwrite to replace it", store->path);
  if (exists && !S_ISREG(about.st_mode))
    return bf_fail(error, BF_BAD_INPUT, "%s cannot be replaced: it is not an ordinary file", store->path);
  remove_locks(store->part);
  unlink(store->part); /* of a run that was killed; one that still writes to it keeps a file without a name */
  FILE     *file  = fopen(store->part, "wb");
  const int known = file && fstat(fileno(file), &about) == 0;
  if (known) {
    store->temporary.device = about.st_dev;
    store->temporary.inode  = about.st_ino;
  }
  if (file) fclose(file);
  store->reserved = reserved_at_first;
  if (known && reserve(store) == 0) return BF_OK;
  bf_fail(error, file ? BF_FAILURE : BF_BAD_INPUT, "%s cannot be written: %s", store->path, strerror(errno));
  if (file) unlink(store->part);
  return error->status;
}

/* What all ranks must know to remove the file, whichever of them ends the run. */
static void tell_inode(BfStore *store) { MPI_Bcast(&store->temporary.inode, 1, MPI_UINT64_T, 0, store->comm); }

BfStatus bf_store_create(MPI_Comm comm, const char *path, int overwrite, BfStore **out, BfError *error) {
  BfStore *store = NULL;
  BF_TRY(new_store(comm, path, ".part", &store, error));
  store->temporary.made = store->rank == 0;
  if (bf_together(store->comm, store->rank == 0 ? try_path(store, overwrite, error) : BF_OK, error) != BF_OK) {
    free_store(store);
    return error->status;
  }
  tell_inode(store);
  if (open_together(store, error) != BF_OK) {
    bf_store_close(&store);
    return error->status;
  }
  *out = store;
  return BF_OK;
}

static herr_t visit_nothing(hid_t group, const char *name, const H5O_info_t *info, void *data) {
  (void)group, (void)name, (void)info, (void)data;
  return 0;
}

/* fsync of a file or folder. */
static int sync_path(const char *path, int flags) {
  const int file = open(path, flags);
  if (file < 0) return -1;
  const int failed = fsync(file);
  close(file);
  return failed;
}

/* Whether the file is whole, read by one rank alone: what a collective write has lost may have been told to no one. */
static bool is_whole(const char *path) {
  const hid_t file  = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  const bool  whole = file >= 0 && H5Ovisit(file, H5_INDEX_NAME, H5_ITER_NATIVE, visit_nothing, NULL) >= 0;
  return file >= 0 && H5Fclose(file) >= 0 && whole;
}

/* The space that was set aside and not needed goes back. */
static void trim(const char *path) {
  struct stat about;
  if (stat(path, &about) == 0 && truncate(path, about.st_size) != 0) return; /* then it stays set aside */
}

static BfStatus publish(BfStore *store, BfError *error) {
  char folder[4096];
  if (!bf_temporary_is_there(&store->temporary)) return fail_taken(store, error);
  if (!store->hasty || store->size > 1) trim(store->part);
  if (!store->hasty && !is_whole(store->part))
    return bf_fail(error, BF_FAILURE, "%s is not whole after it was written: " BF_STORE_LOST, store->path);
  snprintf(folder, sizeof folder, "%s", store->path);
  store->temporary.moving = true;
  const bool waits        = !store->hasty;
  if ((waits && sync_path(store->part, O_RDWR)) || rename(store->part, store->path) ||
      (waits && sync_path(dirname(folder), O_RDONLY | O_DIRECTORY)))
    return bf_fail(error, BF_FAILURE, "%s cannot be completed: %s", store->path, strerror(errno));
  bf_temporary_strike(&store->temporary);
  return BF_OK;
}

BfStatus bf_store_commit(BfStore **out, BfError *error) {
  BfStore  *store  = *out;
  const int failed = H5Fclose(store->file) < 0;
  store->file      = -1;
  BfStatus status  = bf_store_check(store, failed, BF_FAILURE, "", "cannot be closed: " BF_STORE_LOST, error);
  if (status == BF_OK) status = bf_together(store->comm, store->rank == 0 ? publish(store, error) : BF_OK, error);
  bf_store_close(out);
  return status;
}

static BfStatus try_reading(const char *path, BfError *error) {
  if (access(path, R_OK) != 0) return bf_fail(error, BF_BAD_INPUT, "%s cannot be read: %s", path, strerror(errno));
  return is_whole(path) ? BF_OK : bf_fail(error, BF_BAD_INPUT, "%s is not a whole HDF5 file", path);
}

BfStatus bf_store_open(MPI_Comm comm, const char *path, BfStore **out, BfError *error) {
  BfStore *store = NULL;
  BF_TRY(new_store(comm, path, NULL, &store, error));
  BfStatus status = bf_together(store->comm, store->rank == 0 ? try_reading(path, error) : BF_OK, error);
  if (status == BF_OK) status = open_together(store, error);
  if (status == BF_OK) {
    *out = store;
    return BF_OK;
  }
  if (store->file >= 0) bf_leave_open(); /* not on all ranks: they could not close it */
  free_store(store);
  return status;
}

/* After a failure the ranks may hold different parts of a file that was being written, and HDF5 would wait for ever for
 * what some do not have: it is given up. Where a rank alone cannot close, the others wait for it. */
static void close_file(BfStore *store) {
  const hid_t file = store->file;
  store->file      = -1;
  if (file < 0) return;
  if (store->part && store->size > 1 && bf_has_failed(store->comm)) {
    bf_leave_open();
  } else if (H5Fclose(file) < 0 && store->size > 1) {
    BfError error = {0};
    bf_fail(&error, BF_FAILURE, "%s cannot be closed", store->path);
    bf_end_run_at_once(&error);
  }
}

void bf_store_close(BfStore **out) {
  if (!*out) return;
  BfStore *store = *out;
  close_file(store);
  if (store->part && store->rank == 0 && bf_temporary_is_there(&store->temporary)) unlink(store->part);
  free_store(store);
  *out = NULL;
}

BfStatus bf_store_end(BfStore **store, BfError *error) {
  if (*store) bf_agree((*store)->comm, error);
  bf_store_close(store);
  return error->status;
}
