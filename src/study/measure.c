/* The columns of a study, and what is made of them: means, fits, a plot. */
#include "run/text.h"
#include "study/formula.h"
#include "study/means.h"
#include "study/read.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME = 512 };

#define WORD                                                                                                           \
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-." /* what a column's name consists of              \
                                                                       */

static const BfMeasure *find(const BfStudy *study, const char *name) {
  for (int i = 0; i < study->measures; i++)
    if (!strcmp(study->measure[i].name, name)) return &study->measure[i];
  return NULL;
}

static bool is_dataset(const char *path) { return strchr(path, '/') && !strchr(path, '@'); }

/* ---- names ----------------------------------------------------------------------------------------------------- */

/* "program/rollout@cost" as it is; "cost" as the attribute of the last run's /rollout, unless a measure has the name.
 */
static BfStatus resolve(const BfStudyReader *reader, const char *text, char **out, BfError *error) {
  const BfStudy *study  = reader->study;
  const size_t   length = strcspn(text, "/@");
  const char    *within = text + length, *name = NULL;
  char           path[NAME], quoted[BF_QUOTE];
  if (!*within && find(study, text)) {
    *out = bf_text_copy(text, (int64_t)length, error);
    return *out ? BF_OK : error->status;
  }
  int r = *within ? 0 : study->runs - 1;
  while (*within && r < study->runs &&
         (strlen(study->run[r].name) != length || strncmp(study->run[r].name, text, length)))
    r++;
  if (r == study->runs)
    return bf_fail(error, BF_BAD_INPUT, "there is no run of the name in '%s'", bf_text_quote(text, quoted));
  name = study->run[r].name; /* "population@loss" is an attribute of the file, "/@loss" */
  if (snprintf(path, sizeof path, "%s%s%s", name,
               *within == '@' ? "/"
               : *within      ? ""
                              : "/rollout@",
               *within ? within : text) >= (int)sizeof path)
    return bf_fail(error, BF_BAD_INPUT, "a name is too long");
  BF_TRY(bf_study_check_output(study, &study->run[r], path + strlen(name), error));
  *out = bf_text_copy(path, (int64_t)strlen(path), error);
  return *out ? BF_OK : error->status;
}

/* ---- measures ---------------------------------------------------------------------------------------------------- */

static BfStatus make_difference(const BfStudyReader *reader, const char *minus, BfMeasure *m, BfError *error) {
  const BfMeasure *of = find(reader->study, m->of);
  m->kind             = BF_MEASURE_DIFFERENCE;
  m->reference        = !strcmp(minus, "reference");
  if (m->reference && !reader->study->has_reference)
    return bf_fail(error, BF_BAD_INPUT, "minus: reference, and the study has no reference");
  if (m->reference && of && of->reference)
    return bf_fail(error, BF_BAD_INPUT, "minus: reference, and %s is a difference to the reference itself", of->name);
  if (m->reference) return BF_OK;
  BF_TRY(resolve(reader, minus, &m->minus, error));
  if (is_dataset(m->of) != is_dataset(m->minus))
    return bf_fail(error, BF_BAD_INPUT, "a difference is of two numbers, or of two datasets: %s, %s", m->of, m->minus);
  return BF_OK;
}

static BfStatus check_name(const BfStudy *study, const char *name, BfError *error) {
  char quoted[BF_QUOTE];
  if (!*name || strspn(name, WORD) != strlen(name) || strlen(name) > 64)
    return bf_fail(error, BF_BAD_INPUT, "the name of a column is of letters, digits, _, - and dots, got '%s'",
                   bf_text_quote(name, quoted));
  if (find(study, name) || bf_study_item(study, name, NULL) >= 0 || !strcmp(name, "count") || bf_is_statistic(name))
    return bf_fail(error, BF_BAD_INPUT, "there is another column of the name %s", name);
  return BF_OK;
}

void bf_measure_clear(BfMeasure *m) {
  bf_free(m->name);
  bf_free(m->of);
  bf_free(m->minus);
  bf_free(m->formula);
}

/* Taken over, also after a failure. */
static BfStatus add(BfStudy *study, BfMeasure *m, const char *name, BfError *error) {
  int64_t room = study->measures;
  if (error->status == BF_OK) m->name = bf_text_copy(name, (int64_t)strlen(name), error);
  if (error->status == BF_OK) bf_array_room(&study->measure, study->measures, &room, sizeof *study->measure, error);
  if (error->status == BF_OK) study->measure[study->measures++] = *m;
  else bf_measure_clear(m);
  return error->status;
}

typedef struct {
  const char *of, *minus, *norm, *formula; /* NULL: not given */
} Words;

static BfStatus make(const BfStudyReader *reader, const Words *w, BfMeasure *m, BfError *error) {
  static const char *const norms[] = {"max", "rms", "least", "median", "mean", "energy", "sliced"}; /* as BfApart */
  size_t                   k       = 0;
  if (!w->of) return bf_fail(error, BF_BAD_INPUT, "of is missing");
  while (w->norm && k < sizeof norms / sizeof *norms && strcmp(w->norm, norms[k])) k++;
  if (k == sizeof norms / sizeof *norms)
    return bf_fail(error, BF_BAD_INPUT, "norm must be max, rms, least, median, mean, energy or sliced, got '%.40s'",
                   w->norm);
  m->apart = (BfApart)k;
  BF_TRY(resolve(reader, w->of, &m->of, error));
  if (w->norm && !is_dataset(m->of))
    return bf_fail(error, BF_BAD_INPUT, "norm is of datasets, and %s is a number", m->of);
  if (!w->minus && k >= BF_APART_ENERGY)
    return bf_fail(error, BF_BAD_INPUT, "norm %s is between two datasets: give minus", w->norm);
  if (w->minus) return make_difference(reader, w->minus, m, error);
  if (w->norm) m->kind = BF_MEASURE_NORM;
  if (w->norm || !is_dataset(m->of)) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT,
                 "%s is a dataset: a column is a number, GROUP@ATTRIBUTE, or a norm: {of: %s, norm: max}", m->of,
                 m->of);
}

/* Names in a formula are of earlier columns, or of varied keys. */
static BfStatus make_formula(const BfStudyReader *reader, const char *text, BfMeasure *m, BfError *error) {
  BfFormula *formula = NULL;
  m->kind            = BF_MEASURE_FORMULA;
  m->formula         = bf_text_copy(text, (int64_t)strlen(text), error);
  if (error->status == BF_OK) bf_formula_create(text, &formula, error);
  for (int i = 0; error->status == BF_OK && i < bf_formula_names(formula); i++) {
    const char *name = bf_formula_name(formula, i);
    if (find(reader->study, name) || bf_study_is_number(reader->study, name)) continue;
    bf_fail(error, BF_BAD_INPUT,
            "formula: %.60s is neither an earlier column nor a varied key whose values are numbers", name);
  }
  bf_formula_destroy(&formula);
  return error->status;
}

BfStatus bf_add_measure(const BfStudyReader *reader, const char *name, const char *of, const char *minus,
                        BfError *error) {
  BfMeasure m = {0};
  BF_TRY(check_name(reader->study, name, error));
  make(reader, &(Words){.of = of, .minus = minus}, &m, error);
  return add(reader->study, &m, name, error);
}

BfStatus bf_study_default_measures(const BfStudyReader *reader, BfError *error) {
  BF_TRY(bf_add_measure(reader, "cost", "cost", NULL, error));
  return bf_add_measure(reader, "loss", "loss", NULL, error);
}

/* The text of an entry; NULL where there is none. */
static BfStatus text_of(const BfTree *map, const char *key, const char **out, BfError *error) {
  const BfTree *node = bf_tree_find(map, key);
  *out               = node ? node->text : NULL;
  if (node && !node->text) return bf_fail(error, BF_BAD_INPUT, "%s must be one word", key);
  return BF_OK;
}

static BfStatus only(const BfTree *map, const char *const names[], BfError *error) {
  for (int64_t i = 0; i < map->count; i++) {
    int         far  = bf_text_far(map->child[i].key);
    const char *like = NULL, *const *name = names;
    for (; *name && strcmp(*name, map->child[i].key); name++) {
      const int distance = bf_text_distance(*name, map->child[i].key);
      if (distance < far) far = distance, like = *name;
    }
    if (!*name)
      return bf_fail(error, BF_BAD_INPUT, "unknown key %s%s%s%s", map->child[i].key, like ? ", did you mean " : "",
                     like ? like : "", like ? "?" : "");
  }
  return BF_OK;
}

static BfStatus read_measure(const BfStudyReader *reader, const BfTree *node, BfError *error) {
  static const char *const keys[] = {"of", "minus", "norm", "formula", NULL};
  Words                    w      = {0};
  BfMeasure                m      = {0};
  if (node->kind == BF_TREE_TEXT) return bf_add_measure(reader, node->key, node->text, NULL, error);
  if (node->kind == BF_TREE_LIST) return bf_fail(error, BF_BAD_INPUT, "must be RUN/GROUP@ATTRIBUTE, or {of:, minus:}");
  BF_TRY(check_name(reader->study, node->key, error));
  BF_TRY(only(node, keys, error));
  BF_TRY(text_of(node, "of", &w.of, error));
  BF_TRY(text_of(node, "minus", &w.minus, error));
  BF_TRY(text_of(node, "norm", &w.norm, error));
  BF_TRY(text_of(node, "formula", &w.formula, error));
  if (w.formula && node->count > 1) return bf_fail(error, BF_BAD_INPUT, "formula stands alone");
  if (w.formula) make_formula(reader, w.formula, &m, error);
  else make(reader, &w, &m, error);
  return add(reader->study, &m, node->key, error);
}

BfStatus bf_read_measures(const BfStudyReader *reader, const BfTree *node, BfError *error) {
  if (node->kind != BF_TREE_MAP)
    return bf_fail(error, BF_BAD_INPUT, "line %d: measure must be a map of columns", node->line);
  for (int64_t i = 0; i < node->count; i++) {
    const BfTree *child = &node->child[i];
    if (read_measure(reader, child, error) != BF_OK) {
      bf_error_prefix(error, "%s", child->key);
      return bf_study_at(child, "measure", error);
    }
  }
  return BF_OK;
}

/* ---- means ------------------------------------------------------------------------------------------------------- */

static BfStatus add_text(char ***list, int *count, const char *text, BfError *error) {
  int64_t room = *count;
  BF_TRY(bf_array_room(list, *count, &room, sizeof **list, error));
  char *copy = bf_text_copy(text, (int64_t)strlen(text), error);
  if (copy) (*list)[(*count)++] = copy;
  return copy ? BF_OK : error->status;
}

BfStatus bf_add_over(const BfStudyReader *reader, const char *spelt, BfError *error) {
  BfStudy *study = reader->study;
  char    *key   = NULL;
  BF_TRY(bf_study_key(reader, NULL, spelt, &key, error));
  if (bf_study_item(study, key, NULL) < 0) bf_fail(error, BF_BAD_INPUT, "%s does not vary", key);
  for (int i = 0; i < study->overs; i++)
    if (error->status == BF_OK && !strcmp(study->over[i], key)) bf_fail(error, BF_BAD_INPUT, "%s is given twice", key);
  if (error->status == BF_OK) add_text(&study->over, &study->overs, key, error);
  bf_free(key);
  return error->status;
}

/* One word, or a list of words. */
static BfStatus each_text(const BfStudyReader *reader, const BfTree                                 *node,
                          BfStatus (*take)(const BfStudyReader *, const char *, BfError *), BfError *error) {
  if (node->kind == BF_TREE_TEXT) return take(reader, node->text, error);
  if (node->kind == BF_TREE_MAP) return bf_fail(error, BF_BAD_INPUT, "must be a word or a list of words");
  for (int64_t i = 0; i < node->count; i++) {
    if (!node->child[i].text) return bf_fail(error, BF_BAD_INPUT, "must be a word or a list of words");
    BF_TRY(take(reader, node->child[i].text, error));
  }
  return BF_OK;
}

BfStatus bf_read_over(const BfStudyReader *reader, const BfTree *node, BfError *error) {
  return each_text(reader, node, bf_add_over, error) == BF_OK ? BF_OK : bf_study_at(node, "over", error);
}

/* ---- fits, plot -------------------------------------------------------------------------------------------------- */

bool bf_study_is_number(const BfStudy *study, const char *key) {
  int       k;
  const int i = bf_study_item(study, key, &k);
  double    number;
  if (i < 0) return false;
  for (int64_t v = 0; v < study->item[i].count; v++)
    if (!bf_study_number(study->item[i].value[v * study->item[i].keys + k], &number)) return false;
  return true;
}

static BfStatus refuse_averaged(const BfStudy *study, const char *what, const char *key, BfError *error) {
  const int item = bf_study_item(study, key, NULL);
  if (item < 0 || !bf_item_is_over(study, item)) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "%s: %s is averaged over", what, key);
}

/* A column of numbers in means by its name: a measure, or a varied key however it is spelt. */
static BfStatus column(const BfStudyReader *reader, const char *what, const char *name, char **out, BfError *error) {
  const BfStudy *study  = reader->study;
  const char    *like   = NULL;
  int            far    = bf_text_far(name);
  char          *key    = NULL;
  BfError        unused = {0};
  if (find(study, name)) {
    *out = bf_text_copy(name, (int64_t)strlen(name), error);
    return *out ? BF_OK : error->status;
  }
  if (bf_study_key(reader, NULL, name, &key, &unused) == BF_OK && bf_study_item(study, key, NULL) >= 0) {
    *out = key;
    if (refuse_averaged(study, what, key, error) == BF_OK && !bf_study_is_number(study, key))
      bf_fail(error, BF_BAD_INPUT, "%s: the values of %s are no numbers", what, key);
    if (error->status == BF_OK) return BF_OK;
  } else {
    bf_free(key);
    key = NULL;
    for (int i = 0; i < study->measures; i++)
      if (bf_text_distance(name, study->measure[i].name) < far) {
        far  = bf_text_distance(name, study->measure[i].name);
        like = study->measure[i].name;
      }
    bf_fail(error, BF_BAD_INPUT, "%s: there is no column %.60s%s%s%s", what, name, like ? ", did you mean " : "",
            like ? like : "", like ? "?" : "");
  }
  bf_free(key);
  *out = NULL;
  return error->status;
}

BfStatus bf_add_fit(const BfStudyReader *reader, const char *y, const char *x, const BfFit *asked, BfError *error) {
  BfStudy *study = reader->study;
  int64_t  room  = study->fits;
  BfFit    fit   = *asked;
  column(reader, "y", y, &fit.y, error);
  if (error->status == BF_OK) column(reader, "x", x, &fit.x, error);
  if (error->status == BF_OK) bf_array_room(&study->fit, study->fits, &room, sizeof *study->fit, error);
  if (error->status == BF_OK) {
    study->fit[study->fits++] = fit;
    return BF_OK;
  }
  bf_free(fit.y);
  bf_free(fit.x);
  return error->status;
}

static BfStatus read_within(const BfTree *fit, BfFit *asked, BfError *error) {
  const BfTree *node = bf_tree_find(fit, "within");
  asked->ranged      = node != NULL;
  if (!node) return BF_OK;
  bool fits = node->kind == BF_TREE_LIST && node->count == 2;
  for (int i = 0; fits && i < 2; i++)
    fits = node->child[i].text && !bf_text_number(node->child[i].text, &asked->within[i]);
  if (!fits || asked->within[0] > asked->within[1] || isnan(asked->expect))
    return bf_fail(error, BF_BAD_INPUT, "within must be two exponents, the smaller one first, and goes with expect");
  if (asked->expect >= asked->within[0] && asked->expect <= asked->within[1]) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "expect must be one of the exponents within [%g, %g], got %g", asked->within[0],
                 asked->within[1], asked->expect);
}

static BfStatus read_fit(const BfStudyReader *reader, const BfTree *node, BfError *error) {
  static const char *const keys[] = {"y", "x", "expect", "within", NULL};
  const char              *y, *x, *expect;
  BfFit                    asked = {.expect = NAN};
  if (node->kind != BF_TREE_MAP) return bf_fail(error, BF_BAD_INPUT, "must be a map: {y: error, x: quantize.cells}");
  BF_TRY(only(node, keys, error));
  BF_TRY(text_of(node, "y", &y, error));
  BF_TRY(text_of(node, "x", &x, error));
  BF_TRY(text_of(node, "expect", &expect, error));
  if (!x || !y) return bf_fail(error, BF_BAD_INPUT, "%s is missing", y ? "x" : "y");
  if (expect && bf_text_number(expect, &asked.expect))
    return bf_fail(error, BF_BAD_INPUT, "expect must be an exponent, got '%.40s'", expect);
  BF_TRY(read_within(node, &asked, error));
  return bf_add_fit(reader, y, x, &asked, error);
}

BfStatus bf_read_fits(const BfStudyReader *reader, const BfTree *node, BfError *error) {
  if (node->kind != BF_TREE_LIST)
    return bf_fail(error, BF_BAD_INPUT, "line %d: fit must be a list of maps: - {y: error, x: quantize.cells}",
                   node->line);
  for (int64_t i = 0; i < node->count; i++)
    if (read_fit(reader, &node->child[i], error) != BF_OK) return bf_study_at(&node->child[i], "fit", error);
  return BF_OK;
}

static BfStatus add_plot_y(const BfStudyReader *reader, const char *name, BfError *error) {
  char *y = NULL;
  BF_TRY(column(reader, "y", name, &y, error));
  add_text(&reader->study->plot_y, &reader->study->plot_ys, y, error);
  bf_free(y);
  return error->status;
}

/* What tells lines apart may be a word. */
static BfStatus take_series(const BfStudyReader *reader, const char *spelt, BfError *error) {
  BF_TRY(bf_study_key(reader, NULL, spelt, &reader->study->plot_series, error));
  if (bf_study_item(reader->study, reader->study->plot_series, NULL) >= 0)
    return refuse_averaged(reader->study, "series", reader->study->plot_series, error);
  return bf_fail(error, BF_BAD_INPUT, "series: %s does not vary", reader->study->plot_series);
}

static BfStatus read_plot(const BfStudyReader *reader, const BfTree *node, BfError *error) {
  static const char *const keys[] = {"x", "y", "series", "log", NULL}, *const logs[] = {"x", "y", "both", "none"};
  const char *x, *series, *log;
  size_t      k = 0;
  if (node->kind != BF_TREE_MAP) return bf_fail(error, BF_BAD_INPUT, "must be a map: {x: quantize.cells, y: [error]}");
  BF_TRY(only(node, keys, error));
  BF_TRY(text_of(node, "x", &x, error));
  BF_TRY(text_of(node, "series", &series, error));
  BF_TRY(text_of(node, "log", &log, error));
  if (x) BF_TRY(column(reader, "x", x, &reader->study->plot_x, error));
  if (bf_tree_find(node, "y")) BF_TRY(each_text(reader, bf_tree_find(node, "y"), add_plot_y, error));
  if (series) BF_TRY(take_series(reader, series, error));
  while (log && k < 4 && strcmp(logs[k], log)) k++;
  if (k == 4) return bf_fail(error, BF_BAD_INPUT, "log must be x, y, both or none, got '%.40s'", log);
  if (log) reader->study->plot_log = bf_text_copy(log, (int64_t)strlen(log), error);
  return error->status;
}

BfStatus bf_read_plot(const BfStudyReader *reader, const BfTree *node, BfError *error) {
  return read_plot(reader, node, error) == BF_OK ? BF_OK : bf_study_at(node, "plot", error);
}
