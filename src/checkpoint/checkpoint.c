/* Generations: what they hold, and which file holds which array. */
#include "checkpoint/checkpoint.h"
#include "run/text.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FORMAT = 3 };
static const BfFormats formats = {"checkpoint", FORMAT, FORMAT,
                                  ": go on with that, or start afresh by -overwrite without -restart"};

static void clear_list(BfArrayEntry **list, int *count) {
  for (int i = 0; i < *count; i++) bf_free((*list)[i].name);
  bf_free(*list);
  *list  = NULL;
  *count = 0;
}

static BfStatus allocate(BfRun *run, const char *result, const BfCheckpointOptions *options, BfCheckpoint **out,
                         BfError *error) {
  BF_TRY(BF_NEW(out, 1, error));
  BfCheckpoint *c  = *out;
  *c               = (BfCheckpoint){.run = run, .options = *options, .generation = -1, .reading = -1};
  c->when.question = MPI_REQUEST_NULL;
  BF_TRY(bf_text_join(&c->result, result, "", error));
  return bf_schedule_create(&c->when, run, options, result, error);
}

static BfStatus make_folder(BfCheckpoint *c, BfError *error) {
  BF_TRY(bf_folder_make(c->result, error));
  BF_TRY(bf_claim_take(c->result, c->claim, error));
  if (!c->run->owner) unlink(c->when.stop); /* of an earlier start */
  return BF_OK;
}

/* A run that is a point's takes it with its first generation: most end before. */
static BfStatus take_folder(BfCheckpoint *c, BfError *error) {
  if (c->has_folder) return BF_OK;
  c->has_folder = true;
  return bf_together(c->run->world, c->run->rank == 0 ? make_folder(c, error) : BF_OK, error);
}

BfStatus bf_checkpoint_create(BfRun *run, const char *result, const BfCheckpointOptions *options, BfCheckpoint **out,
                              BfError *error) {
  BfCheckpoint *c      = NULL;
  BfStatus      status = bf_together(run->world, allocate(run, result, options, &c, error), error);
  if (status == BF_OK && !run->owner) status = take_folder(c, error);
  if (status != BF_OK) {
    bf_checkpoint_destroy(&c);
    return status;
  }
  c->own = c->next = bf_checkpoint_newest(run, result) + 1;
  bf_signals_listen(true);
  c->listens = true;
  *out       = c;
  return BF_OK;
}

void bf_checkpoint_destroy(BfCheckpoint **checkpoint) {
  BfCheckpoint *c = *checkpoint;
  if (!c) return;
  if (c->listens) bf_signals_listen(false);
  bf_store_close(&c->store);
  if (c->run->rank == 0 && c->result) bf_claim_leave(c->result, c->claim);
  bf_schedule_clear(&c->when);
  clear_list(&c->array, &c->arrays);
  clear_list(&c->keep, &c->kept);
  bf_free(c->result);
  bf_free(c);
  *checkpoint = NULL;
}

BfStatus bf_checkpoint_claimed(const BfCheckpoint *c, BfError *error) {
  if (!c || !c->has_folder) return BF_OK;
  return bf_together(c->run->world, c->run->rank == 0 ? bf_claim_check(c->result, c->claim, error) : BF_OK, error);
}

BfStatus bf_checkpoint_remove(BfRun *run, const char *result, BfError *error) {
  return bf_together(run->world, run->rank == 0 ? bf_folder_remove(result, error) : BF_OK, error);
}

int bf_checkpoint_newest(BfRun *run, const char *result) {
  int newest = run->rank == 0 ? bf_folder_newest(result, INT_MAX) : -1;
  MPI_Bcast(&newest, 1, MPI_INT, 0, run->world);
  return newest;
}

const char *bf_checkpoint_result(const BfCheckpoint *c) { return c->result; }

BfStatus bf_checkpoint_stopped(const BfCheckpoint *c, BfError *error) {
  char path[4096];
  bf_checkpoint_path(c->result, c->generation, sizeof path, path);
  return bf_fail(error, BF_STOPPED, "stopped with checkpoint %s; go on with: bellformer %s -restart %s", path,
                 c->options.command, c->result);
}

/* ---- the list of arrays ----------------------------------------------------------------------------------------- */

static BfStatus add(BfCheckpoint *c, const char *name, int generation, BfError *error) {
  BF_TRY(bf_array_room(&c->array, c->arrays, &c->room, sizeof *c->array, error));
  BF_TRY(bf_text_join(&c->array[c->arrays].name, name, "", error));
  c->array[c->arrays++].generation = generation;
  return BF_OK;
}

static int find(const BfCheckpoint *c, const char *name) {
  for (int i = 0; i < c->arrays; i++)
    if (!strcmp(c->array[i].name, name)) return i;
  return -1;
}

int bf_checkpoint_first(const BfCheckpoint *c) { return c->own; }

BfStatus bf_checkpoint_forget_earlier(BfCheckpoint *c, BfError *error) {
  if (c->run->rank == 0) bf_folder_forget_below(c->result, c->own);
  return bf_agree(c->run->world, error);
}

bool bf_checkpoint_has(const BfCheckpoint *c, const char *name) { return c && find(c, name) >= 0; }

static void forget_arrays(BfCheckpoint *c) {
  clear_list(&c->array, &c->arrays);
  c->room = 0;
}

void bf_checkpoint_part(BfCheckpoint *c, int part) {
  if (!c || c->part == part) return;
  c->part = part;
  forget_arrays(c);
}

void bf_checkpoint_forget(BfCheckpoint *c, const char *begins) {
  int kept = 0;
  for (int i = 0; i < c->arrays; i++) {
    if (!strncmp(c->array[i].name, begins, strlen(begins))) bf_free(c->array[i].name);
    else c->array[kept++] = c->array[i];
  }
  c->arrays = kept;
}

/* "name generation" lines. */
static BfStatus write_list(const BfCheckpoint *c, BfError *error) {
  int64_t length = 1, at = 0;
  char   *text = NULL;
  for (int i = 0; i < c->arrays; i++) length += (int64_t)strlen(c->array[i].name) + 16;
  if (bf_store_together(c->store, BF_NEW(&text, length, error), error) != BF_OK) {
    bf_free(text);
    return error->status;
  }
  for (int i = 0; i < c->arrays; i++)
    at += snprintf(text + at, (size_t)(length - at), "%s %d\n", c->array[i].name, c->array[i].generation);
  at++; /* with the NUL */
  const BfStatus status = bf_store_write(c->store, "/checkpoint/arrays", BF_STORE_BYTE, 1, &at, text, error);
  bf_free(text);
  return status;
}

static BfStatus take_list(BfCheckpoint *c, char *text, BfError *error) {
  char *rest = NULL;
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    char *blank = strrchr(line, ' ');
    if (!blank) break;
    *blank = '\0';
    BF_TRY(add(c, line, atoi(blank + 1), error));
  }
  return BF_OK;
}

static BfStatus read_list(BfCheckpoint *c, BfError *error) {
  int64_t length;
  char   *text = NULL;
  forget_arrays(c);
  BF_TRY(bf_store_read(c->store, "/checkpoint/arrays", BF_STORE_BYTE, 1, &length, (void **)&text, error));
  const BfStatus status = bf_store_together(c->store, take_list(c, text, error), error);
  bf_free(text);
  return status;
}

/* The arrays of the generation that stands beside the newest. */
static BfStatus keep_list(BfCheckpoint *c, BfError *error) {
  clear_list(&c->keep, &c->kept);
  BF_TRY(BF_NEW(&c->keep, c->arrays, error));
  for (int i = 0; i < c->arrays; i++) {
    c->keep[i].generation = c->array[i].generation;
    c->kept++;
  }
  return BF_OK;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static BfStatus tell_what_stands(const BfCheckpoint *c, BfError *error) {
  char      path[4096], reason[BF_ERROR_LENGTH];
  const int stands = bf_checkpoint_newest(c->run, c->result);
  if (error->status != BF_FAILURE || stands < 0) return error->status;
  bf_checkpoint_path(c->result, stands, sizeof path, path);
  memcpy(reason, error->text, sizeof reason);
  *error = (BfError){0};
  return bf_fail(error, BF_FAILURE, "%s; checkpoint %s stands", reason, path);
}

static BfStatus begin(BfCheckpoint *c, BfError *error) {
  char   path[4096];
  double seconds = bf_run_seconds(c->run);
  MPI_Bcast(&seconds, 1, MPI_DOUBLE, 0, c->run->world);
  bf_store_close(&c->store);
  c->begun      = bf_seconds();
  c->generation = c->next;
  bf_checkpoint_forget(c, "partial/");
  BF_TRY(take_folder(c, error));
  BF_TRY(bf_checkpoint_claimed(c, error));
  bf_checkpoint_path(c->result, c->generation, sizeof path, path);
  BF_TRY(bf_store_create(c->run->world, path, 1, &c->store, error));
  BF_TRY(c->options.describe(c->options.context, c->store, error));
  BF_TRY(bf_store_put_int(c->store, "/checkpoint", "format", FORMAT, error));
  BF_TRY(bf_store_put_int(c->store, "/checkpoint", "part", c->part, error));
  BF_TRY(bf_store_put_double(c->store, "/checkpoint", "wall_seconds", seconds, error));
  BF_TRY(bf_store_put_double(c->store, "/checkpoint", "q_values", bf_run_values(c->run), error));
  return bf_store_put_int(c->store, "/checkpoint", "starts", bf_starts(c->run), error);
}

BfStatus bf_checkpoint_begin(BfCheckpoint *c, BfError *error) {
  return begin(c, error) == BF_OK ? BF_OK : tell_what_stands(c, error);
}

BfStatus bf_checkpoint_number(BfCheckpoint *c, const char *name, int64_t value, BfError *error) {
  return bf_store_put_int(c->store, "/checkpoint", name, value, error);
}

/* Parts that count entries, of parts that count rows; `first` is to be freed. Collective. */
static BfStatus make_entries(const BfCheckpoint *c, const BfParts *rows, int64_t columns, BfParts *out,
                             BfError *error) {
  int64_t *scaled = NULL;
  if (bf_together(c->run->world, BF_NEW(&scaled, 2 * (int64_t)rows->parts, error), error) != BF_OK) {
    bf_free(scaled);
    return error->status;
  }
  for (int p = 0; p < rows->parts; p++) {
    scaled[p]               = rows->first[p] * columns;
    scaled[rows->parts + p] = rows->count[p] * columns;
  }
  *out = (BfParts){rows->parts, scaled, scaled + rows->parts};
  return BF_OK;
}

BfStatus bf_checkpoint_array(BfCheckpoint *c, const char *name, BfStoreType type, int64_t rows, int64_t columns,
                             const BfParts *parts, const void *data, BfError *error) {
  char    path[128];
  BfParts entries;
  if (find(c, name) >= 0) return BF_OK; /* written once */
  BF_TRY(make_entries(c, parts, columns, &entries, error));
  BfStatus status = bf_together(c->run->world, add(c, name, c->generation, error), error);
  if (status == BF_OK) {
    snprintf(path, sizeof path, "/arrays/%s", name);
    status = bf_store_write_sealed(c->store, path, type, rows * columns, &entries, data, error);
  }
  bf_free((void *)entries.first);
  return status == BF_OK ? status : tell_what_stands(c, error);
}

/* What an interruption leaves. */
static void tell_signals(const BfCheckpoint *c) {
  char path[4096];
  if (c->run->owner) return;
  bf_checkpoint_path(c->result, c->generation, sizeof path, path);
  bf_signals_stands(BF_STOPPED, "interrupted: checkpoint %s stands; go on with: bellformer %s -restart %s", path,
                    c->options.command, c->result);
}

static BfStatus end(BfCheckpoint *c, BfError *error) {
  BF_TRY(write_list(c, error));
  BF_TRY(bf_checkpoint_claimed(c, error));
  BF_TRY(bf_store_commit(&c->store, error));
  if (c->run->rank == 0) bf_folder_forget(c->result, c->generation, c);
  tell_signals(c);
  c->next++;
  c->options.newest = c->generation;
  return bf_together(c->run->world, keep_list(c, error), error);
}

BfStatus bf_checkpoint_end(BfCheckpoint *c, double bytes, BfError *error) {
  if (end(c, error) != BF_OK) return tell_what_stands(c, error);
  bf_schedule_learn(&c->when, bytes, bf_seconds() - c->begun);
  return BF_OK;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

BfStatus bf_checkpoint_check_format(BfStore *generation, bool *other, BfError *error) {
  return bf_store_check_format(generation, "/checkpoint", &formats, other, error);
}

static BfStatus open_generation(BfCheckpoint *c, int generation, BfError *error) {
  char path[4096];
  if (c->store && c->reading == generation) return BF_OK;
  bf_store_close(&c->store);
  bf_checkpoint_path(c->result, generation, sizeof path, path);
  BF_TRY(bf_store_open(c->run->world, path, &c->store, error));
  c->reading = generation;
  return bf_checkpoint_check_format(c->store, NULL, error);
}

static BfStatus read_totals(BfCheckpoint *c, BfError *error) {
  double  seconds, values;
  int64_t starts;
  BF_TRY(bf_store_get_double(c->store, "/checkpoint", "wall_seconds", &seconds, error));
  BF_TRY(bf_store_get_double(c->store, "/checkpoint", "q_values", &values, error));
  BF_TRY(bf_store_get_int(c->store, "/checkpoint", "starts", &starts, error));
  bf_count_earlier(c->run, seconds, values, (int)starts);
  return BF_OK;
}

/* A generation of another part is restored as an empty one: restore is to forget what it may have read of a newer one.
 */
static BfStatus restore_generation(BfCheckpoint *c, int generation, BfRestore *restore, void *state, int *restored,
                                   BfError *error) {
  int64_t part;
  BF_TRY(open_generation(c, generation, error));
  BF_TRY(bf_store_get_int(c->store, "/checkpoint", "part", &part, error));
  BF_TRY(read_list(c, error));
  BF_TRY(bf_together(c->run->world, keep_list(c, error), error));
  c->empty = part != c->part;
  if (c->empty) forget_arrays(c);
  if (generation < c->own) BF_TRY(read_totals(c, error));
  c->generation         = generation;
  const BfStatus status = bf_together(c->run->world, restore(state, c, error), error);
  *restored             = !c->empty && status == BF_OK;
  c->empty              = false;
  return status;
}

BfStatus bf_checkpoint_restore(BfCheckpoint *c, BfRestore *restore, void *state, int *restored, BfError *error) {
  BfError first    = {0};
  *restored        = 0;
  const int newest = bf_checkpoint_newest(c->run, c->result);
  for (int g = newest < c->options.newest ? newest : c->options.newest; g >= 0;) {
    BfError here = {0};
    if (restore_generation(c, g, restore, state, restored, &here) == BF_OK) {
      bf_store_close(&c->store);
      tell_signals(c);
      c->options.newest = g; /* what is read next is of the same moment */
      return BF_OK;
    }
    if (here.status != BF_BAD_INPUT) return bf_fail(error, here.status, "%s", here.text);
    if (first.status == BF_OK) first = here;
    g = c->run->rank == 0 ? bf_folder_newest(c->result, g) : -1;
    MPI_Bcast(&g, 1, MPI_INT, 0, c->run->world);
    if (g >= 0) bf_warn(c->run, "%s; going back to generation %d", here.text, g);
  }
  bf_store_close(&c->store);
  forget_arrays(c);
  return first.status == BF_OK ? BF_OK
                               : bf_fail(error, BF_BAD_INPUT, "%s, and there is no older checkpoint", first.text);
}

BfStatus bf_checkpoint_get(BfCheckpoint *c, const char *name, int64_t *value, BfError *error) {
  *value = 0;
  if (c->empty) return BF_OK;
  BF_TRY(open_generation(c, c->generation, error));
  return bf_store_get_int(c->store, "/checkpoint", name, value, error);
}

static BfStatus open_array(BfCheckpoint *c, const char *name, char path[128], BfError *error) {
  const int i = find(c, name);
  if (i < 0) return bf_fail(error, BF_BAD_INPUT, "%s.checkpoint: no generation holds %s", c->result, name);
  snprintf(path, 128, "/arrays/%s", name);
  return open_generation(c, c->array[i].generation, error);
}

BfStatus bf_checkpoint_rows(BfCheckpoint *c, const char *name, int64_t *rows, BfError *error) {
  char    path[128];
  int     rank;
  int64_t dims[4];
  BF_TRY(open_array(c, name, path, error));
  BF_TRY(bf_store_extent(c->store, path, &rank, dims, error));
  *rows = dims[0];
  return BF_OK;
}

BfStatus bf_checkpoint_read(BfCheckpoint *c, const char *name, BfStoreType type, int64_t columns, const BfParts *parts,
                            void *data, BfError *error) {
  char    path[128];
  int64_t rows;
  BfParts entries;
  BF_TRY(bf_checkpoint_rows(c, name, &rows, error));
  if (!rows) return BF_OK;
  BF_TRY(open_array(c, name, path, error));
  BF_TRY(make_entries(c, parts, columns, &entries, error));
  const BfStatus status = bf_store_read_sealed(c->store, path, type, &entries, data, error);
  bf_free((void *)entries.first);
  return status;
}
