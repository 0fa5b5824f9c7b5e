/* The parts of a table. Local. */
#pragma once
#include "study/table.h"

BfStatus bf_columns_create(BfColumns *columns, int64_t rows, int most, BfError *error);
void     bf_columns_clear(BfColumns *columns);
/* A column without numbers yet, named name and more. out may be NULL. */
BfStatus bf_columns_add(BfColumns *columns, const char *name, const char *more, BfColumn **out, BfError *error);
/* The values of a key at points [rows]: numbers where they are numbers at all points of the plan. */
BfStatus bf_columns_add_key(BfColumns *columns, const BfPlan *plan, const char *key, const int64_t point[],
                            BfError *error);

/* For qsort of doubles, none of which is NaN. */
int bf_ascending(const void *a, const void *b);
/* Whether it is a name like "y.median", which means give to what they say of y. */
bool bf_is_statistic(const char *name);

/* Series of a figure or a fit with that x: what varies but x and is not averaged over tells them apart; of a measured x
 * the key of `plot: {series: ...}`. Clear it also after a failure. */
BfStatus bf_series_create(const BfTable *table, const char *x, BfSeries *out, BfError *error);
void     bf_series_clear(BfSeries *series);

/* table->means, draws, draw from table->points; then table->fit from these; and what a figure shows. */
BfStatus bf_means_fill(BfTable *table, BfError *error);
BfStatus bf_fits_fill(BfTable *table, BfError *error);
BfStatus bf_plot_fill(BfTable *table, BfError *error);

/* The t of which Student's distribution with `freedom` >= 1 degrees of freedom has 95 % within -t .. t. */
double bf_student_95(int64_t freedom);
