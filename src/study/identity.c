#include "study/identity.h"
#include "bellformer/plugin.h"
#include "bellformer/run.h"
#include "problem/strict_yaml.h"
#include "run/text.h"
#include "study/read.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESULTS ":" /* the folder of earlier runs' results: no other file is there */

enum { VERSION = 1 }; /* of the form of keys: another one makes all points new */

typedef struct {
  uint64_t a, b;
} Hash;

typedef struct {
  char *path;
  Hash  hash;
} Known;

typedef struct {
  MPI_Comm      comm;
  BfPlan       *plan;
  char         *folder; /* of the problem */
  BfYaml        yaml;   /* of the problem */
  const BfFile *text;
  int64_t       known, room;
  Known        *file;
  BfError      *error;
} Identity;

/* ---- a hash of 128 bits -------------------------------------------------------------------------------------------
 */

static uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

static void add_word(Hash *h, uint64_t word) {
  h->a = mix(h->a ^ word) + 0x9e3779b97f4a7c15u;
  h->b = mix(h->b + word * 0xd6e8feb86659fd93u) ^ h->a;
}

/* Little-endian words, so that all machines agree; the length last, so that texts do not run together. */
static void add_bytes(Hash *h, const unsigned char *bytes, size_t size) {
  for (size_t i = 0; i < size; i += 8) {
    uint64_t word = 0;
    for (size_t k = 0; k < 8 && i + k < size; k++) word |= (uint64_t)bytes[i + k] << (8 * k);
    add_word(h, word);
  }
  add_word(h, size);
}

static void add_text(Hash *h, const char *text) { add_bytes(h, (const unsigned char *)text, strlen(text)); }

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* A file that is not there is told by who reads it. */
static Hash hash_file(const char *path) {
  unsigned char block[1 << 16];
  Hash          h      = {0};
  FILE         *stream = fopen(path, "rb");
  size_t        got;
  while (stream && (got = fread(block, 1, sizeof block, stream))) add_bytes(&h, block, got);
  if (stream) fclose(stream);
  return h;
}

/* A file that is new stands in the list with a hash of 0, until all are hashed. may_be: the text is perhaps no file's
 * name, and then it is nothing but itself. */
static BfStatus add_file(Identity *x, Hash *h, const char *path, bool may_be) {
  int64_t i = 0;
  while (i < x->known && strcmp(x->file[i].path, path)) i++;
  if (i == x->known) {
    BF_TRY(bf_array_room(&x->file, x->known, &x->room, sizeof *x->file, x->error));
    char *copy = bf_text_copy(path, (int64_t)strlen(path), x->error);
    if (!copy) return x->error->status;
    x->file[x->known++] = (Known){.path = copy};
  }
  const Hash hash = x->file[i].hash;
  if (may_be && !hash.a && !hash.b) return BF_OK;
  add_word(h, hash.a);
  add_word(h, hash.b);
  return BF_OK;
}

static BfStatus add_table(Identity *x, Hash *h, const char *name) {
  char       path[4096];
  const bool beside = name[0] != '/' && *x->folder;
  snprintf(path, sizeof path, "%s%s%s", beside ? x->folder : "", beside ? "/" : "", name);
  return add_file(x, h, path, false);
}

/* Every file is read once, by rank 0. */
static void hash_files(Identity *x) {
  int rank;
  MPI_Comm_rank(x->comm, &rank);
  for (int64_t i = 0; i < x->known; i++) {
    if (rank == 0) x->file[i].hash = hash_file(x->file[i].path);
    MPI_Bcast(&x->file[i].hash, 2, MPI_UINT64_T, 0, x->comm);
  }
}

/* ---- points ------------------------------------------------------------------------------------------------------ */

typedef struct {
  const char *name, *value;
} Option;

static int by_name(const void *a, const void *b) {
  return strcmp(((const Option *)a)->name, ((const Option *)b)->name);
}

/* In the order of names: however the study is written. */
static BfStatus sort_options(const BfOptions *options, Option **out, BfError *error) {
  const int64_t n = bf_options_count(options);
  BF_TRY(BF_NEW(out, n, error));
  for (int64_t i = 0; i < n; i++) (*out)[i] = (Option){bf_options_name(options, i), bf_options_value(options, i)};
  qsort(*out, (size_t)n, sizeof **out, by_name);
  return BF_OK;
}

static BfStatus add_option(Identity *x, const BfStudyCommand *command, const Option *o, Hash *h) {
  add_text(h, o->name);
  add_text(h, o->value);
  if (bf_study_names_table(o->name)) return add_table(x, h, o->value);
  const bool result = !strncmp(o->value, RESULTS "/", strlen(RESULTS "/"));
  if (result || !bf_study_may_name_file(command, o->name)) return BF_OK;
  return add_file(x, h, o->value, !bf_study_names_file(command, o->name, o->value));
}

static BfStatus add_run(Identity *x, int64_t point, int r, Hash *h) {
  const BfStudyRun *run     = &x->plan->study->run[r];
  BfOptions        *options = NULL;
  Option           *sorted  = NULL;
  const char       *file;
  BfStatus          status;
  add_text(h, run->name);
  add_text(h, run->command->name);
  BF_GOTO(bf_plan_options(x->plan, point, r, RESULTS, &options, &file, x->error));
  BF_GOTO(sort_options(options, &sorted, x->error));
  for (int64_t i = 0; i < bf_options_count(options); i++) BF_GOTO(add_option(x, run->command, &sorted[i], h));
done:
  bf_free(sorted);
  bf_options_destroy(&options);
  return status;
}

/* What kinds from outside compute is in them. */
static void add_plugins(Hash *h) {
  for (int k = 0; bf_plugin(k); k++) add_text(h, bf_plugin(k)->hash);
}

/* The problem file, and the tables that it names. */
static BfStatus add_problem(Identity *x, Hash *h) {
  add_word(h, VERSION);
  add_plugins(h);
  add_bytes(h, (const unsigned char *)x->text->bytes, (size_t)x->text->size);
  for (int64_t i = 0; i < x->yaml.count; i++)
    if (x->yaml.entry[i].kind == BF_YAML_SCALAR && bf_study_names_table(x->yaml.entry[i].key))
      BF_TRY(add_table(x, h, x->yaml.entry[i].value[0]));
  return BF_OK;
}

static BfStatus add_points(Identity *x) {
  BfPlan *plan = x->plan;
  Hash    base = {0};
  BF_TRY(add_problem(x, &base));
  for (int64_t p = 0; p < plan->points + plan->references; p++) {
    Hash h = base;
    for (int r = 0; r < plan->study->runs; r++) BF_TRY(add_run(x, p, r, &h));
    snprintf(plan->point[p].key, BF_POINT_KEY, "%016" PRIx64 "%016" PRIx64, h.a, h.b);
  }
  return BF_OK;
}

/* Whatever else is wrong with a problem is told by who reads it. */
static BfStatus refuse_study(const BfFile *file, BfError *error) {
  BfTree  tree   = {0};
  BfError unused = {0};
  if (bf_tree_parse(file, &tree, &unused) == BF_OK && (bf_tree_find(&tree, "vary") || bf_tree_find(&tree, "problem")))
    bf_fail(error, BF_BAD_INPUT, "problem: %s is a study file", file->name);
  bf_tree_clear(&tree);
  return error->status;
}

/* Twice: which files there are, then with their bytes. */
BfStatus bf_plan_identify(MPI_Comm comm, BfPlan *plan, BfError *error) {
  const char *path = plan->study->problem, *slash = strrchr(path, '/');
  Identity    x     = {.comm = comm, .plan = plan, .error = error};
  BfFiles    *files = NULL;
  BfStatus    status;
  x.folder = bf_text_copy(path, slash ? (slash == path ? 1 : slash - path) : 0, error);
  status   = x.folder ? bf_files_create(comm, x.folder, &files, error) : error->status;
  BF_GOTO(bf_together(comm, status, error));
  BF_GOTO(bf_files_get(files, slash ? slash + 1 : path, &x.text, error));
  BF_GOTO(bf_together(comm, refuse_study(x.text, error), error));
  BF_GOTO(bf_together(comm, bf_yaml_parse(x.text, &x.yaml, error), error));
  BF_GOTO(bf_together(comm, add_points(&x), error));
  hash_files(&x);
  status = bf_together(comm, add_points(&x), error);
done:
  for (int64_t i = 0; i < x.known; i++) bf_free(x.file[i].path);
  bf_free(x.file);
  bf_free(x.folder);
  bf_yaml_clear(&x.yaml);
  bf_files_destroy(&files);
  return status;
}
