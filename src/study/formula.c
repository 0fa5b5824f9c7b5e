/* A formula in columns: recursive descent into a list of steps on a stack. */
#include "study/formula.h"
#include "run/text.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 64 }; /* of brackets, and of the stack: "(1 + (1 + (..." needs a place a bracket */

typedef enum { NUMBER, COLUMN, ADD, SUBTRACT, MULTIPLY, DIVIDE, POWER, MINUS, SQRT, LOG, EXP, ABS, MIN, MAX } Kind;

typedef struct {
  Kind   kind;
  double number;
  int    column;
} Step;

struct BfFormula {
  int64_t steps, room, names, name_room;
  Step   *step;
  char  **name;
};

typedef struct {
  const char *at;
  BfFormula  *f;
  int         depth, height; /* brackets that are open; what the stack holds */
  BfError    *error;
} Parser;

static const struct {
  const char *name;
  Kind        kind;
  int         values;
} functions[] = {{"sqrt", SQRT, 1}, {"log", LOG, 1}, {"exp", EXP, 1},
                 {"abs", ABS, 1},   {"min", MIN, 2}, {"max", MAX, 2}};

static BfStatus wrong(Parser *p, const char *at) {
  char quote[BF_QUOTE];
  if (!*at) return bf_fail(p->error, BF_BAD_INPUT, "is no formula: it ends too soon");
  return bf_fail(p->error, BF_BAD_INPUT, "is no formula at '%s'", bf_text_quote(at, quote));
}

static void blanks(Parser *p) {
  while (isspace((unsigned char)*p->at)) p->at++;
}

static bool take(Parser *p, char c) {
  blanks(p);
  if (*p->at != c) return false;
  p->at++;
  return true;
}

/* grow: what the step adds to the stack: 1 a value, 0 a function of one, -1 of two. */
static BfStatus add(Parser *p, Step step, int grow) {
  BF_TRY(bf_array_room(&p->f->step, p->f->steps, &p->f->room, sizeof *p->f->step, p->error));
  p->f->step[p->f->steps++] = step;
  p->height += grow;
  if (p->height > DEEPEST) return bf_fail(p->error, BF_BAD_INPUT, "is a formula with too many brackets");
  return BF_OK;
}

static BfStatus sum(Parser *p);

static BfStatus column(Parser *p, const char *name, int64_t length) {
  BfFormula *f = p->f;
  int        i = 0;
  while (i < f->names && (strncmp(f->name[i], name, (size_t)length) != 0 || f->name[i][length])) i++;
  if (i == f->names) {
    BF_TRY(bf_array_room(&f->name, f->names, &f->name_room, sizeof *f->name, p->error));
    f->name[i] = bf_text_copy(name, length, p->error);
    if (!f->name[i]) return BF_FAILURE;
    f->names++;
  }
  return add(p, (Step){.kind = COLUMN, .column = i}, 1);
}

static BfStatus call(Parser *p, const char *name, int64_t length) {
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    if (strncmp(functions[i].name, name, (size_t)length) != 0 || functions[i].name[length]) continue;
    for (int v = 0; v < functions[i].values; v++) {
      if (v && !take(p, ',')) return wrong(p, p->at);
      BF_TRY(sum(p));
    }
    if (!take(p, ')')) return wrong(p, p->at);
    return add(p, (Step){.kind = functions[i].kind}, 1 - functions[i].values);
  }
  return bf_fail(p->error, BF_BAD_INPUT, "has no function '%.*s' (sqrt, log, exp, abs, min, max)",
                 (int)(length < 40 ? length : 40), name);
}

static BfStatus value(Parser *p) {
  blanks(p);
  const char *from = p->at;
  if (take(p, '(')) {
    BF_TRY(sum(p));
    return take(p, ')') ? BF_OK : wrong(p, p->at);
  }
  if (isdigit((unsigned char)*from) || *from == '.') {
    char        *end;
    const double number = strtod(from, &end);
    if (end == from || !isfinite(number) || from[1] == 'x' || from[1] == 'X') return wrong(p, from);
    p->at = end;
    return add(p, (Step){.kind = NUMBER, .number = number}, 1);
  }
  if (!isalpha((unsigned char)*from) && *from != '_') return wrong(p, from);
  while (isalnum((unsigned char)*p->at) || *p->at == '_' || *p->at == '.') p->at++;
  const int64_t length = p->at - from;
  return take(p, '(') ? call(p, from, length) : column(p, from, length);
}

/* value [^ factor], or - factor. */
static BfStatus factor(Parser *p) {
  BfStatus status;
  if (++p->depth > DEEPEST) return bf_fail(p->error, BF_BAD_INPUT, "is a formula with too many brackets");
  if (take(p, '-')) {
    BF_GOTO(factor(p));
    status = add(p, (Step){.kind = MINUS}, 0);
  } else {
    BF_GOTO(value(p));
    if (take(p, '^')) {
      BF_GOTO(factor(p));
      status = add(p, (Step){.kind = POWER}, -1);
    }
  }
done:
  p->depth--;
  return status;
}

static BfStatus product(Parser *p) {
  BF_TRY(factor(p));
  for (;;) {
    const bool times = take(p, '*');
    if (!times && !take(p, '/')) return BF_OK;
    BF_TRY(factor(p));
    BF_TRY(add(p, (Step){.kind = times ? MULTIPLY : DIVIDE}, -1));
  }
}

static BfStatus sum(Parser *p) {
  BF_TRY(product(p));
  for (;;) {
    const bool plus = take(p, '+');
    if (!plus && !take(p, '-')) return BF_OK;
    BF_TRY(product(p));
    BF_TRY(add(p, (Step){.kind = plus ? ADD : SUBTRACT}, -1));
  }
}

BfStatus bf_formula_create(const char *text, BfFormula **out, BfError *error) {
  Parser   p = {.at = text, .error = error};
  BfStatus status;
  BF_TRY(BF_NEW(&p.f, 1, error));
  BF_GOTO(sum(&p));
  blanks(&p);
  status = *p.at ? wrong(&p, p.at) : BF_OK;
done:
  if (status != BF_OK) bf_formula_destroy(&p.f);
  *out = p.f;
  return status;
}

void bf_formula_destroy(BfFormula **formula) {
  BfFormula *f = *formula;
  if (!f) return;
  for (int64_t i = 0; i < f->names; i++) bf_free(f->name[i]);
  bf_free(f->name);
  bf_free(f->step);
  bf_free(f);
  *formula = NULL;
}

int bf_formula_names(const BfFormula *formula) { return (int)formula->names; }

const char *bf_formula_name(const BfFormula *formula, int i) { return formula->name[i]; }

static double of_one(Kind kind, double x) {
  switch (kind) {
  case MINUS:
    return -x;
  case SQRT:
    return sqrt(x);
  case LOG:
    return log(x);
  case EXP:
    return exp(x);
  default:
    return fabs(x);
  }
}

static double of_two(Kind kind, double x, double y) {
  switch (kind) {
  case ADD:
    return x + y;
  case SUBTRACT:
    return x - y;
  case MULTIPLY:
    return x * y;
  case DIVIDE:
    return x / y;
  case POWER:
    return pow(x, y);
  case MIN:
    return isnan(x) || x < y ? x : y; /* NaN stays */
  default:
    return isnan(x) || x > y ? x : y;
  }
}

double bf_formula_value(const BfFormula *formula, const double column_value[]) {
  double stack[DEEPEST] = {0};
  int    top            = 0;
  for (int64_t i = 0; i < formula->steps; i++) {
    const Step *step = &formula->step[i];
    const Kind  kind = step->kind;
    if (kind == NUMBER || kind == COLUMN) stack[top++] = kind == NUMBER ? step->number : column_value[step->column];
    else if (kind >= MINUS && kind <= ABS) stack[top - 1] = of_one(kind, stack[top - 1]);
    else {
      top--;
      stack[top - 1] = of_two(kind, stack[top - 1], stack[top]);
    }
  }
  return stack[0];
}
