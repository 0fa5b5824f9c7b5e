/* Where bounds from above come from: a result. And what it states of itself, which is weaker than a certificate. */
#include "certify/found.h"
#include "certify/free.h"
#include "model/best.h"
#include "model/format.h"
#include "run/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void bf_found_clear(BfFound *x) {
  bf_free(x->point);
  bf_free(x->says);
  *x = (BfFound){0};
}

BfStatus bf_found_say(BfFound *x, const char *line, BfError *error) {
  char *longer = NULL, *both = NULL;
  BF_TRY(bf_text_join(&longer, x->says ? x->says : "", line, error));
  const BfStatus status = bf_text_join(&both, longer, "\n", error);
  bf_free(longer);
  BF_TRY(status);
  bf_free(x->says);
  x->says = both;
  return BF_OK;
}

/* ---- points ------------------------------------------------------------------------------------------------------ */

typedef struct {
  const BfProblem *problem;
  const char      *path;
  int64_t          layers, free;
  const double    *control, *numbers; /* numbers: NULL, the middle of the box */
} Given;

static BfStatus take(const Given *x, double out[], BfError *error) {
  const BfProblem *p        = x->problem;
  const int64_t    controls = (int64_t)p->horizon * p->layer.free, all = controls + p->cost.trained;
  if (x->layers != p->horizon || x->free != p->layer.free)
    return bf_fail(error, BF_BAD_INPUT, "-found %s: %lld layers of %lld free numbers; the problem has %d of %d",
                   x->path, (long long)x->layers, (long long)x->free, p->horizon, p->layer.free);
  for (int64_t i = 0; i < all; i++) {
    double lower, upper;
    bf_number_range(p, i, &lower, &upper);
    out[i] = i < controls ? x->control[i]
             : x->numbers ? x->numbers[i - controls]
                          : bf_readout_middle(&p->cost, i - controls);
    if (out[i] >= lower && out[i] <= upper) continue;
    return bf_fail(
        error, BF_BAD_INPUT, "-found %s: number %lld of its %s, %.15g, is outside the problem's box [%g, %g]", x->path,
        (long long)(i < controls ? i : i - controls), i < controls ? "controls" : "readout", out[i], lower, upper);
  }
  return BF_OK;
}

static BfStatus take_all(const BfProblem *problem, const char *path, const BfModel *model, const BfBestControls *best,
                         BfFound *out, BfError *error) {
  const int64_t trained = problem->cost.trained, all = (int64_t)problem->horizon * problem->layer.free + trained;
  BF_TRY(BF_NEW(&out->point, (1 + best->count) * all, error));
  BF_TRY(take(&(Given){problem, path, model->layers, model->free, model->control, model->numbers}, out->point, error));
  for (out->count = 1; out->count <= best->count; out->count++) {
    const int64_t i = out->count - 1;
    const Given   x = {problem,
                       path,
                       best->layers,
                       best->free,
                       best->control + i * best->layers * best->free,
                     best->numbers ? best->numbers + i * trained : model->numbers};
    BF_TRY(take(&x, out->point + out->count * all, error));
  }
  return BF_OK;
}

/* ---- what it states ---------------------------------------------------------------------------------------------- */

enum { LINE = 1024 };

static void __attribute__((format(printf, 2, 3))) add(char line[LINE], const char *format, ...) {
  const size_t used = strlen(line);
  va_list      arguments;
  va_start(arguments, format);
  vsnprintf(line + used, LINE - used, format, arguments);
  va_end(arguments);
}

/* Whether the numbers of `then` have other ranges: what holds over one box says nothing of another. */
static bool tell_box(const BfProblem *then, const BfProblem *now, char line[LINE]) {
  const int64_t all = (int64_t)now->horizon * now->layer.free + now->cost.trained;
  char          name[BF_NUMBER_NAME];
  if (then->horizon != now->horizon || then->layer.free != now->layer.free || then->cost.trained != now->cost.trained)
    return false; /* the comparison of keys tells */
  for (int64_t i = 0; i < all; i++) {
    double a, b, c, d;
    bf_number_range(then, i, &a, &b);
    bf_number_range(now, i, &c, &d);
    if (a == c && b == d) continue;
    add(line, "; over another box: %s in [%g, %g], here [%g, %g]", bf_number_name(now, i, name), a, b, c, d);
    return true;
  }
  return false;
}

/* The first difference of the file's problem, its box before all else. */
static BfStatus tell_problem(const BfRun *run, const BfProblem *problem, BfStore *store, const BfModel *model,
                             const char *path, char line[LINE], BfError *error) {
  const BfSections *reads  = strcmp(model->found, "heads") ? &bf_certify_spared : bf_result_sections(model->found);
  BfProblem        *then   = NULL;
  BfError           differ = {0};
  if (bf_problem_load(run, store, path, reads, &then, &differ) != BF_OK) {
    if (differ.status != BF_BAD_INPUT) return bf_fail(error, differ.status, "%s", differ.text);
    add(line, "; its problem cannot be read: %s", differ.text);
    return BF_OK;
  }
  if (!tell_box(then, problem, line) && bf_problem_compare(then, problem, &differ) != BF_OK)
    add(line, "; of another problem: %s", differ.text);
  bf_problem_destroy(&then);
  return BF_OK;
}

static BfStatus tell_answer(BfStore *store, const BfModel *model, char line[LINE], BfError *error) {
  bool   there;
  char  *holds = NULL;
  double cost;
  BF_TRY(bf_store_has_attribute(store, "/rollout", "statement", &there, error));
  if (there) BF_TRY(bf_store_get_text(store, "/rollout", "statement", &holds, error));
  if (holds) add(line, "%s; ", holds);
  bf_free(holds);
  BF_TRY(bf_store_get_double(store, "/rollout", "cost", &cost, error));
  add(line, "cost %.10g", cost);
  if (!bf_model_is_solved(model)) return BF_OK;
  BF_TRY(bf_store_get_double(store, "/rollout", "quantized_cost", &cost, error));
  add(line, ", quantized %.10g", cost);
  return BF_OK;
}

/* "-found xor.h5, of solve: the best of all 81^2 lists of actions; cost 0.0139, quantized 0.0144". */
static BfStatus tell(const BfRun *run, const BfProblem *problem, const char *path, const char *inner,
                     const BfModel *model, char line[LINE], BfError *error) {
  BfStore *store = NULL;
  BfStatus status;
  *line = '\0';
  if (inner) add(line, "%s: ", inner);
  else add(line, "-found %s", path);
  if (!*model->found) {
    add(line, ": controls of which the file states nothing");
    return BF_OK;
  }
  if (!inner) add(line, ", of %s: ", bf_model_is_solved(model) ? "solve" : model->found);
  BF_GOTO(bf_store_open(run->world, path, &store, error));
  BF_GOTO(tell_answer(store, model, line, error));
  if (!inner) status = tell_problem(run, problem, store, model, path, line, error);
done:
  return bf_store_end(&store, error);
}

BfStatus bf_found_read(const BfRun *run, const BfProblem *problem, const char *path, const char *inner, BfFound *out,
                       BfError *error) {
  BfModel        model = {0};
  BfBestControls best  = {0};
  BfStatus       status;
  char           line[LINE];
  bf_free(out->point);
  out->point = NULL;
  out->count = 0;
  BF_GOTO(bf_model_read_controls(run, path, &problem->cost, &model, error));
  BF_GOTO(bf_best_controls_read(run, path, &problem->cost, &best, error));
  BF_GOTO(bf_together(run->world, take_all(problem, path, &model, &best, out, error), error));
  BF_GOTO(tell(run, problem, path, inner, &model, line, error));
  status = bf_together(run->world, bf_found_say(out, line, error), error);
done:
  bf_best_controls_clear(&best);
  bf_model_clear(&model);
  return status;
}
