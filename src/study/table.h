/* A study's numbers as columns: its points, its references, means over `over`; and its fits. Rank 0 makes them, alone,
 * from the records of all points: nothing here is collective but bf_study_check_target. */
#pragma once
#include "study/study.h"
#include "train/result.h"

typedef struct {
  char        *name;   /* "quantize.cells", "error"; of means also "error.standard_error" */
  double      *number; /* [rows]; NaN: there is none. NULL: the column has texts */
  const char **text;   /* [rows], borrowed of the plan; "": there is none */
} BfColumn;

typedef struct {
  int64_t   rows;
  int       keys;    /* the first columns: keys of `vary`, in the order of the file; behind them measures */
  int       columns; /* in all */
  BfColumn *column;
} BfColumns;

/* y = factor x^exponent, by least squares in the logarithms of the means' rows of a series. */
typedef struct {
  const BfFit *asked;                /* borrowed of the study */
  char        *series;               /* "action.count 16, layer.norm rms"; "": all rows */
  int64_t      points;               /* rows that were fitted */
  int64_t      left_out;             /* rows where x or y is not a positive number */
  double       exponent, factor, r2; /* NaN: none; r2 also where y does not vary */
  double       low, high; /* of the exponent, with 95 %: by bootstrap over `over`, or Student's t; NaN: there is none */
  int inside;      /* 1, 0: whether asked->expect, or some of `within`, is in it; -1: none is expected, or there is no
                      interval */
  const char *why; /* it could not be fitted, or there is no interval; NULL: all is there. Static */
} BfFitted;

/* Rows of means that belong together, in the order of the product. */
typedef struct {
  int64_t  count;
  int64_t *of;   /* [means.rows] */
  char   **name; /* [count] "action.count 16, layer.norm rms"; "": all rows are one */
} BfSeries;

typedef struct {
  const BfPlan *plan; /* borrowed */
  BfColumns     points, references;
  BfColumns     means; /* rows in the order of the product of the items that are not averaged over */
  int64_t       draws; /* points of a row: the product of the items that are */
  int64_t      *draw;  /* [means.rows][draws] the number of the point */
  int64_t       fits, fit_room;
  BfFitted     *fit;    /* fits in the order of the file, of each its series */
  const char   *plot_x; /* what a figure has on its axis; borrowed */
  BfSeries      plot;   /* its series */
} BfTable;

/* records[points + references]: by point; NULL: it has not been run. Borrowed only here. A point whose record is not
 * BF_POINT_DONE has NaN in all measures, and so have differences to such a reference. Clears itself after a failure. */
BfStatus bf_table_create(const BfPlan *plan, BfRecord *const records[], BfTable **out, BfError *error);
void     bf_table_destroy(BfTable **table);
/* NULL: not there. */
const BfColumn *bf_columns_find(const BfColumns *columns, const char *name);

/* Measure number `measure` at a point: NaN where it has none. */
BfStatus bf_measure_value(const BfPlan *plan, BfRecord *const records[], int64_t point, int measure, double *value,
                          BfError *error);

/* ---- write.c, print.c ------------------------------------------------------------------------------------------- */

/* Refuse an `out`, or the table beside it (STUDY.csv of STUDY.h5), over what the study reads: its own file, the
 * problem, files that its values name; and a table that is there while `out` is not, unless overwrite. What the problem
 * itself names: bf_study_check_files. Collective. */
BfStatus bf_study_check_target(const BfRun *run, const BfArguments *arguments, const BfStudy *study, const char *out,
                               bool overwrite, BfError *error);
BfStatus bf_study_check_files(const BfRun *run, const char *out, const BfFiles *files, BfError *error);

/* STUDY.h5 and STUDY.csv, each appears whole, in place of one that is there. For rank 0 alone, at any time: the others
 * learn of a failure by bf_together. share/doc/formats.md. */
BfStatus bf_study_write(const BfRun *run, const BfArguments *arguments, const BfTable *table, BfRecord *const records[],
                        const char *out, BfError *error);
/* The means, fits with what was expected and what was seen, and what could not be fitted and why; nothing when quiet.
 */
void bf_table_print(const BfRun *run, const BfTable *table);
/* Warn of measures that have no number at points that are done, since their runs have not written it: what a run writes
 * depends on its problem (no test data: no test_loss) and options. */
void bf_study_tell_unwritten(const BfRun *run, const BfPlan *plan, BfRecord *const records[]);
