/* The problem of a result, with all its files: in the file, and read from it. */
#include "model/format.h"
#include <stdio.h>
#include <string.h>

BfStatus bf_problem_save(const BfProblem *problem, BfStore *store, BfError *error) {
  char path[64];
  BF_TRY(bf_store_put_text(store, "/problem", "yaml", problem->yaml, error));
  const char   *overrides = problem->overrides ? problem->overrides : "";
  const int64_t length    = (int64_t)strlen(overrides) + 1; /* a dataset: attributes end at 64 KiB */
  BF_TRY(bf_store_write(store, "/problem/overrides", BF_STORE_BYTE, 1, &length, overrides, error));
  for (int i = 0; i < problem->files->count; i++) {
    const BfFile *file = &problem->files->file[i];
    snprintf(path, sizeof path, "/problem/files/%04d", i);
    BF_TRY(bf_store_write(store, path, BF_STORE_BYTE, 1, &file->size, file->bytes, error));
    BF_TRY(bf_store_put_text(store, path, "name", file->name, error));
  }
  return bf_plugins_save(problem, store, error);
}

static bool is_of_heads(const char *space) { return !strcmp(space, "heads"); }

int bf_result_format(const BfProblem *problem, const char *space) {
  return is_of_heads(space) || bf_model_is_stacked(&problem->layer) ? BF_RESULT_OF_HEADS : BF_RESULT_OF_LAYERS;
}

const BfSections *bf_result_sections(const char *space) {
  static const BfSections heads   = {.reader = "heads", .uses = BF_SECTION_HEADS};
  static const BfSections certify = {.uses = BF_SECTION_QUANTIZE | BF_SECTION_FLOW}; /* its actions may be too many */
  return is_of_heads(space) ? &heads : !strcmp(space, "certify") ? &certify : NULL;
}

BfStatus bf_result_check_format(BfStore *store, bool *other, BfError *error) {
  static const BfFormats read = {"result", BF_RESULT_OLDEST, BF_RESULT_NEWEST, ""};
  return bf_store_check_format(store, "/provenance", &read, other, error);
}

static BfStatus read_files(BfStore *store, BfFiles *files, BfError *error) {
  int      count  = 0;
  char   **names  = NULL;
  BfStatus status = bf_store_list(store, "/problem/files", &count, &names, error);
  for (int i = 0; i < count && status == BF_OK; i++) {
    char    path[128], *name = NULL;
    void   *bytes = NULL;
    int64_t size;
    snprintf(path, sizeof path, "/problem/files/%s", names[i]);
    status = bf_store_read(store, path, BF_STORE_BYTE, 1, &size, &bytes, error);
    if (status == BF_OK) status = bf_store_get_text(store, path, "name", &name, error);
    if (status == BF_OK) status = bf_store_together(store, bf_files_add(files, name, bytes, size, error), error);
    bf_free(bytes);
    bf_free(name);
  }
  for (int i = 0; i < count; i++) bf_free(names[i]);
  bf_free(names);
  return status;
}

static BfStatus read_problem(const BfRun *run, BfStore *store, const BfSections *sections, BfProblem **problem,
                             BfError *error) {
  BfFiles *files = NULL;
  char    *yaml = NULL, *overrides = NULL;
  BfStatus status;
  int64_t  length;
  bool     missing;
  BF_GOTO(bf_result_check_format(store, NULL, error));
  BF_GOTO(bf_plugins_check(store, &missing, error));
  BF_GOTO(bf_store_together(store, bf_files_create(run->world, NULL, &files, error), error));
  BF_GOTO(read_files(store, files, error));
  BF_GOTO(bf_store_get_text(store, "/problem", "yaml", &yaml, error));
  BF_GOTO(bf_store_read(store, "/problem/overrides", BF_STORE_BYTE, 1, &length, (void **)&overrides, error));
  if (length < 1 || overrides[length - 1]) {
    status = bf_fail(error, BF_BAD_INPUT, "/problem/overrides is damaged");
    goto done;
  }
  status = bf_problem_restore(files, yaml, overrides, sections, problem, error);
  files  = NULL; /* taken over */
done:
  bf_files_destroy(&files);
  bf_free(yaml);
  bf_free(overrides);
  return status;
}

BfStatus bf_problem_load(const BfRun *run, BfStore *store, const char *path, const BfSections *sections,
                         BfProblem **problem, BfError *error) {
  if (read_problem(run, store, sections, problem, error) != BF_OK && strncmp(error->text, path, strlen(path)))
    bf_error_prefix(error, "%s", path);
  return bf_agree(run->world, error);
}
