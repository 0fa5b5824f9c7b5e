/* A formula in columns: "3.4 * sqrt((2 * log(64) + log(40)) / (2 * data.sample.count))". Pure.
 *
 * Numbers, names of columns (letters, digits, _ and dots), + - * / ^ (^ binds to the right, and before a sign: -2^2 is
 * -4), brackets, and the functions sqrt, log, exp, abs of one value and min, max of two. */
#pragma once
#include "bellformer/error.h"

typedef struct BfFormula BfFormula;

/* Errors show the place: "is no formula at '* 2'". Local. */
BfStatus bf_formula_create(const char *text, BfFormula **out, BfError *error);
void     bf_formula_destroy(BfFormula **formula);
/* The names in it, each once, in the order of their first places. */
int         bf_formula_names(const BfFormula *formula);
const char *bf_formula_name(const BfFormula *formula, int i);
/* Its value where column i has the value column[i]; NaN or infinite where arithmetic is. */
double bf_formula_value(const BfFormula *formula, const double column[]);
