/* A study file, and where a study's parts come from. Files that it names are relative to it: the problem, and those
 * that options name (eval's `data`, `init`); those that keys of the problem name are relative to the problem file, as
 * everywhere (share/doc/studies.md). */
#include "bellformer/run.h"
#include "run/text.h"
#include "study/read.h"
#include <stdio.h>
#include <string.h>

static const char *const sections[] = {"name", "statement", "source",  "problem", "set", "vary",
                                       "runs", "reference", "measure", "over",    "fit", "plot"};
enum { SECTIONS = sizeof sections / sizeof *sections };

static BfStatus check_sections(const BfTree *tree, BfError *error) {
  for (int64_t i = 0; i < tree->count; i++) {
    const char *key = tree->child[i].key, *like = NULL;
    int         far = bf_text_far(key), k = 0;
    for (; k < SECTIONS && strcmp(sections[k], key); k++) {
      const int distance = bf_text_distance(sections[k], key);
      if (distance < far) far = distance, like = sections[k];
    }
    if (k == SECTIONS)
      return bf_fail(error, BF_BAD_INPUT, "line %d: unknown key %s%s%s%s", tree->child[i].line, key,
                     like ? ", did you mean " : "", like ? like : "", like ? "?" : "");
  }
  return BF_OK;
}

/* The file's name without folders and ending. */
static char *stem(const char *path, BfError *error) {
  const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *dot = strrchr(base, '.');
  return bf_text_copy(base, dot && dot > base ? dot - base : (int64_t)strlen(base), error);
}

/* given: -problem, a path as it is; or NULL. */
static BfStatus read_problem(const BfStudyReader *reader, const BfTree *tree, const char *given, BfError *error) {
  BfStudy *study = reader->study;
  char    *name  = NULL, path[4096];
  if (given) return bf_text_join(&study->problem, given, "", error);
  BF_TRY(bf_read_text(tree, "problem", &name, error));
  if (!name) return bf_fail(error, BF_BAD_INPUT, "problem is missing: the problem file of every run");
  const bool beside = name[0] != '/' && *reader->folder;
  if (snprintf(path, sizeof path, "%s%s%s", beside ? reader->folder : "", beside ? "/" : "", name) >= (int)sizeof path)
    bf_fail(error, BF_BAD_INPUT, "problem: the path is too long");
  else study->problem = bf_text_copy(path, (int64_t)strlen(path), error);
  bf_free(name);
  return error->status;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static BfStatus read_tree(const BfStudyReader *reader, const BfTree *tree, BfOptions *options, BfError *error) {
  BfStudy      *study = reader->study;
  const BfTree *node, *runs = bf_tree_find(tree, "runs");
  BF_TRY(check_sections(tree, error));
  BF_TRY(bf_read_text(tree, "name", &study->name, error));
  BF_TRY(bf_read_text(tree, "statement", &study->statement, error));
  BF_TRY(bf_read_text(tree, "source", &study->source, error));
  BF_TRY(read_problem(reader, tree, bf_options_read(options, "problem"), error));
  BF_TRY(bf_read_runs(reader, runs, error));
  BF_TRY(bf_study_take_options(reader, options, error));
  const int64_t given = study->set.count; /* on the line */
  if ((node = bf_tree_find(tree, "set"))) BF_TRY(bf_read_sets(reader, NULL, node, &study->set, error));
  if (!(node = bf_tree_find(tree, "vary"))) return bf_fail(error, BF_BAD_INPUT, "vary is missing: what the points are");
  BF_TRY(bf_read_vary(reader, node, error));
  BF_TRY(bf_read_run_sets(reader, runs, error));
  BF_TRY(bf_study_check_all(study, given, bf_tree_find(tree, "set"), error));
  if (bf_study_check_vary(study, error) != BF_OK) return bf_study_at(node, "vary", error);
  if ((node = bf_tree_find(tree, "reference"))) {
    study->has_reference = true;
    BF_TRY(bf_read_sets(reader, NULL, node, &study->reference, error));
    if (bf_study_check_reference(study, error) != BF_OK) return bf_study_at(node, "reference", error);
  }
  if ((node = bf_tree_find(tree, "measure"))) BF_TRY(bf_read_measures(reader, node, error));
  else BF_TRY(bf_study_default_measures(reader, error));
  if (!bf_study_uses_reference(study))
    return bf_fail(error, BF_BAD_INPUT, "line %d: reference: no measure uses it: {of: NAME, minus: reference}",
                   bf_tree_find(tree, "reference")->line);
  if ((node = bf_tree_find(tree, "over"))) BF_TRY(bf_read_over(reader, node, error));
  if ((node = bf_tree_find(tree, "fit"))) BF_TRY(bf_read_fits(reader, node, error));
  return (node = bf_tree_find(tree, "plot")) ? bf_read_plot(reader, node, error) : BF_OK;
}

/* A study has what varies, or what is run; a problem has neither. */
static bool is_study(const BfTree *tree) { return bf_tree_find(tree, "vary") || bf_tree_find(tree, "problem"); }

static BfStatus read_bytes(const BfStudyReader *reader, const BfFile *file, const char *path, BfOptions *options,
                           BfError *error) {
  BfTree   tree   = {0};
  BfStudy *study  = reader->study;
  BfStatus status = bf_tree_parse(file, &tree, error);
  if (status == BF_OK && !is_study(&tree) && bf_options_given(options, "vary")) {
    bf_tree_clear(&tree);
    if (bf_options_given(options, "problem"))
      return bf_fail(error, BF_BAD_INPUT, "option -problem goes with a study file; %s is a problem itself", path);
    return bf_study_of_line(reader, path, options, error); /* its errors are of the line */
  }
  if (status == BF_OK && !is_study(&tree))
    status = bf_fail(error, BF_BAD_INPUT,
                     "no study: it has neither `problem` nor `vary`; of a problem file -vary tells what varies");
  for (int i = 0; status == BF_OK && i < 5; i++) {
    static const char *const of_line[] = {"vary", "reference", "fit", "over", "measure"};
    if (bf_options_given(options, of_line[i]))
      status =
          bf_fail(error, BF_BAD_INPUT, "option -%s goes with a problem file; a study file says it itself", of_line[i]);
  }
  if (status == BF_OK) status = bf_text_join(&study->from, file->name, ": vary", error);
  if (status == BF_OK && !(study->text = bf_text_copy(file->bytes, file->size, error))) status = error->status;
  if (status == BF_OK) status = read_tree(reader, &tree, options, error);
  if (status == BF_OK && !study->name && !(study->name = stem(path, error))) status = error->status;
  bf_tree_clear(&tree);
  if (status != BF_OK) bf_error_prefix(error, "%s", file->name);
  return status;
}

BfStatus bf_study_read(MPI_Comm comm, const char *path, const BfStudyCommand commands[], BfOptions *options,
                       BfStudy **out, BfError *error) {
  const char   *slash  = strrchr(path, '/');
  char         *folder = bf_text_copy(path, slash ? (slash == path ? 1 : slash - path) : 0, error);
  BfFiles      *files  = NULL;
  BfStudy      *study  = NULL;
  const BfFile *file;
  BfStatus      status = folder ? bf_files_create(comm, folder, &files, error) : error->status;
  if (status == BF_OK) status = BF_NEW(&study, 1, error);
  BF_GOTO(bf_together(comm, status, error));
  BF_GOTO(bf_files_get(files, slash ? slash + 1 : path, &file, error));
  const BfStudyReader reader = {commands, folder, study};
  status                     = bf_together(comm, read_bytes(&reader, file, path, options, error), error);
done:
  bf_files_destroy(&files);
  bf_free(folder);
  if (status == BF_OK) *out = study;
  else bf_study_destroy(&study);
  return status;
}

static void free_texts(int count, char **text) {
  for (int i = 0; i < count; i++) bf_free(text[i]);
  bf_free(text);
}

void bf_study_destroy(BfStudy **study) {
  BfStudy *x = *study;
  if (!x) return;
  char *const texts[] = {x->from,   x->name,   x->problem,     x->text,    x->statement,
                         x->source, x->plot_x, x->plot_series, x->plot_log};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) bf_free(texts[i]);
  bf_sets_clear(&x->set);
  bf_sets_clear(&x->reference);
  for (int i = 0; i < x->items; i++) bf_item_clear(&x->item[i]);
  for (int r = 0; r < x->runs; r++) {
    bf_free(x->run[r].name);
    bf_sets_clear(&x->run[r].set);
  }
  for (int i = 0; i < x->measures; i++) bf_measure_clear(&x->measure[i]);
  for (int i = 0; i < x->fits; i++) {
    bf_free(x->fit[i].y);
    bf_free(x->fit[i].x);
  }
  free_texts(x->overs, x->over);
  free_texts(x->plot_ys, x->plot_y);
  bf_free(x->item);
  bf_free(x->run);
  bf_free(x->measure);
  bf_free(x->fit);
  bf_free(x);
  *study = NULL;
}
