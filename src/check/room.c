/* Room for forms, and what all that make them share (forms.h). */
#include "check/forms.h"
#include "check/share.h"

/* ---- room ------------------------------------------------------------------------------------------------------- */

static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

static int64_t most_slots(const BfCheckModel *model) {
  int64_t slots = 0;
  for (int64_t s = 0; s < model->problem->train.contexts; s++) slots = most(slots, model->context[s].slots);
  return slots;
}

/* Forms in use at once beside the tokens: of a layer its parameters, N(z) and what one query needs; of a readout its
 * numbers and what one context needs. */
static int64_t scratch_forms(const BfCheckModel *model) {
  const BfProblem *problem = model->problem;
  const int64_t    d = problem->layer.dim, width = problem->layer.width, classes = problem->cost.classes;
  const int64_t    slots = most_slots(model);
  const int64_t    layer = problem->layer.parameters + model->tokens * d + slots * (d + 2) + 8 * d + width + 32;
  return most(layer, problem->cost.trained + classes + 4 * d + 32);
}

static void split(BfCheckForms *out, int64_t tokens, int64_t scratch) {
  const int64_t    size    = out->tokens[0].size;
  BfLinears *const space[] = {&out->tokens[0], &out->tokens[1], &out->scratch};
  double          *memory  = out->memory;
  for (int i = 0; i < 3; i++) {
    *space[i]        = out->tokens[0];
    space[i]->memory = memory;
    space[i]->room   = size * (i < 2 ? tokens : scratch);
    memory += space[i]->room;
  }
}

BfStatus bf_check_forms(const BfCheckModel *model, const BfCheckNumbers *numbers, int n, BfCheckForms *out,
                        BfError *error) {
  const BfProblem *problem = model->problem;
  const int64_t    d = problem->layer.dim, tokens = model->tokens * d, scratch = scratch_forms(model);
  *out           = (BfCheckForms){.model = model, .numbers = *numbers, .to = problem->horizon};
  out->tokens[0] = (BfLinears){.n = n, .size = bf_linear_size(n)};
  BF_TRY(BF_NEW(&out->memory, (2 * tokens + scratch) * out->tokens[0].size, error));
  BF_TRY(BF_NEW(&out->z, tokens, error));
  BF_TRY(BF_NEW(&out->next, tokens, error));
  BF_TRY(BF_NEW(&out->seen, tokens, error));
  BF_TRY(BF_NEW(&out->parameter, most(problem->layer.parameters, problem->cost.trained), error));
  BF_TRY(BF_NEW(&out->group, model->tokens, error));
  BF_TRY(BF_NEW(&out->many, model->tokens, error));
  BF_TRY(BF_NEW(&out->list, scratch, error));
  BF_TRY(BF_NEW(&out->room, bf_check_share_room(most_slots(model)), error));
  BF_TRY(BF_NEW(&out->number, 5 * most(problem->cost.classes, d), error));
  split(out, tokens, scratch);
  bf_check_way(out, 0);
  return BF_OK;
}

/* A form that allows up to four times its range keeps slopes that may cancel later; a range keeps none, but is small.
 */
void bf_check_way(BfCheckForms *forms, int way) {
  static const struct { double all, means; } trust[BF_CHECK_WAYS] = {{4, 4}, {4, 1}, {2, 2}, {1, 1}};
  forms->scratch.trust                                            = trust[way].all;
  forms->trust_means                                              = trust[way].means;
}

void bf_check_forms_clear(BfCheckForms *forms) {
  bf_free(forms->memory);
  bf_free(forms->z);
  bf_free(forms->next);
  bf_free(forms->seen);
  bf_free(forms->parameter);
  bf_free(forms->group);
  bf_free(forms->many);
  bf_free(forms->list);
  bf_free(forms->room);
  bf_free(forms->number);
  *forms = (BfCheckForms){0};
}

BfLinear *bf_check_zero(BfCheckForms *forms) {
  BfLinear *x = bf_linear_new(&forms->scratch);
  bf_linear_span(&forms->scratch, x, bf_span(0));
  return x;
}

void bf_check_add_product(BfCheckForms *forms, BfLinear *z, const BfLinear *x, const BfLinear *y) {
  BfLinears *space = &forms->scratch;
  if (bf_linear_is_zero(x) || bf_linear_is_zero(y)) return;
  if (bf_linear_is_constant(x)) {
    bf_linear_add(space, z, bf_span(x->c), y);
  } else if (bf_linear_is_constant(y)) {
    bf_linear_add(space, z, bf_span(y->c), x);
  } else {
    const int64_t mark    = space->used;
    BfLinear     *product = bf_linear_new(space);
    bf_linear_mul(space, x, y, product);
    bf_linear_add(space, z, bf_span(1), product);
    space->used = mark;
  }
}

/* ---- parameters ------------------------------------------------------------------------------------------------- */

void bf_check_number(BfCheckForms *forms, int64_t i, double factor, BfLinear *out) {
  const BfCheckNumbers *x = &forms->numbers;
  if (x->point) {
    bf_linear_span(&forms->scratch, out, bf_span_scale(factor, bf_span(x->point[i])));
  } else if (x->variable[i] >= 0) {
    const int k = x->variable[i];
    bf_linear_variable(&forms->scratch, out, k, (BfSpan){forms->low[k], forms->high[k]}, factor);
  } else {
    bf_linear_span(&forms->scratch, out, bf_span_scale(factor, (BfSpan){x->lower[i], x->upper[i]}));
  }
}
