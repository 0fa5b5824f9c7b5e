/* A convergence study: a problem, what varies, what is run at each point, what is measured. share/doc/studies.md.
 *
 *   file.c     a study file into a BfStudy; line.c: the line's -vary; read.h: its parts
 *   points.c, plan.c  its points, and the options of each run at each point; identity.c: what a point is
 *   check.c    every value of every point, before anything runs
 *   formula.c  a column by a formula in others
 *   record.h   what a run at a point has given: numbers by name
 *   queue.c    what is left to do, and the end of it
 *   group.c    points dealt to groups of ranks
 *   point.c    the runs at a point
 *   outcome.c  a run's result file back into numbers
 *   log.c      records on disk, appended as they come
 *   table.c    columns from records; means, fits
 *   write.c    STUDY.h5, STUDY.csv
 */
#pragma once
#include "bellformer/problem.h"
#include "study/record.h"
#include "train/options.h"

/* ---- what can be run at a point -----------------------------------------------------------------------------------
 */

/* What a run is checked by. */
typedef struct {
  const char    *name, *file;
  const char    *init;     /* the command whose result it will start from; NULL: none */
  const BfFiles *files;    /* of the problem, read once; others are read from disk */
  BfProblem    **problem;  /* that the last run before this one, or this one, has read: in and out */
  bool          *at_most;  /* becomes true where the seconds are a bound; with them */
  bool          *rough;    /* where they are a guess; with them */
  double *seconds, *bytes; /* that it would take on these ranks; a node's bytes. 0: unknown. NULL: not asked for */
} BfStudyCheck;

/* A command as a study sees it; command/study.c makes one of every trainer, and of eval. */
typedef struct {
  const char *name;
  const char *file; /* key of `set` that names its file, a run's name or a path ("model"); NULL: it is the problem */
  const BfOption *const *tables;   /* of its options; NULL ends them */
  const BfSections      *sections; /* what it reads of a problem; NULL: none of its keys can be set */
  const char            *spares;   /* an option with which it reads `spared` instead; NULL: none is */
  const BfSections      *spared;
  bool (*takes)(const char *option); /* further options, without the dash: PETSc's; may be NULL */
  const char *const *outputs;        /* what its file holds: "/rollout@cost", "/rollout/tokens"; NULL ends them */
  const char *const (*needs)[2];     /* {output, option} that alone asks for it; {NULL} ends them; NULL: none */
  /* Run it on run->world with run->options; file: the problem, or what `file` names. Writes what its option -o says. */
  BfStatus (*run)(BfRun *run, const char *name, const char *file, BfError *error);
  /* Check what that would read, on `run`: options, and keys of the problem. Nothing is written. file: NULL where it is
   * the result of an earlier run. */
  BfStatus (*check)(BfRun *run, const BfStudyCheck *x, BfError *error);
} BfStudyCommand;

/* ---- a study ------------------------------------------------------------------------------------------------------
 */

/* A key of the problem with dots ("quantize.cells"), or an option of a command ("space"), and its text as an option
 * takes it ("8,8"; lists of lists are flattened). */
typedef struct {
  char *key, *value;
} BfSet;

typedef struct {
  int64_t count, room;
  BfSet  *set;
} BfSets;

/* An item of `vary`: keys that move together, through `count` values. */
typedef struct {
  int     keys;
  char  **key; /* [keys] */
  int64_t count;
  char  **value; /* [count][keys] */
} BfItem;

typedef struct {
  char                 *name;
  const BfStudyCommand *command;
  BfSets                set; /* its own, on top of the study's; a value that is an earlier run's name (of `init`, or of
                                command->file) is that run's result */
} BfStudyRun;

typedef enum { BF_MEASURE_VALUE, BF_MEASURE_DIFFERENCE, BF_MEASURE_NORM, BF_MEASURE_FORMULA } BfMeasureKind;
/* Of absolute values; the last two, of two datasets as laws at every depth (laws.h). */
typedef enum {
  BF_APART_MAX,
  BF_APART_RMS,
  BF_APART_LEAST,
  BF_APART_MEDIAN,
  BF_APART_MEAN,
  BF_APART_ENERGY,
  BF_APART_SLICED
} BfApart;

/* A column: a number that a run has written, "program/rollout@cost"; or |of - minus|, of numbers, or a norm of it over
 * the entries that both have, of datasets ("program/rollout/tokens"); or a norm of one dataset, {of: ..., norm: max};
 * or {formula: "2 * lipschitz / quantize.cells"}, in earlier measures and varied keys (study/formula.h): bounds. */
typedef struct {
  char         *name;
  BfMeasureKind kind;
  char         *of, *minus; /* RUN/GROUP@ATTRIBUTE, RUN/DATASET, or the name of an earlier measure */
  bool          reference;  /* minus is `of` at the point's reference */
  BfApart       apart;
  char         *formula; /* NULL: it is none */
} BfMeasure;

typedef struct {
  char  *y, *x;  /* columns: a measure, or a varied key whose values are numbers */
  double expect; /* exponent; NaN: none is expected */
  bool   ranged; /* what lies in `within` is as expected, too: bounds are rates "at least"; a sequence that is no draw
                    comes near its rate, not to it */
  double within[2];
} BfFit;

typedef struct {
  char       *name, *problem; /* problem: path, relative to the working folder */
  char       *from;           /* for messages: "q.yaml: vary", "option -vary" */
  char       *text;           /* of the study file, for the result; of the line, where there is none */
  char       *statement;      /* what it is to show, a sentence: for reports; NULL: not given */
  char       *source;         /* whose statement that is: "[ASY26] Theorem 4"; NULL: not given */
  BfSets      set;
  int         items;
  BfItem     *item;
  int         runs;
  BfStudyRun *run;
  bool        has_reference;
  BfSets      reference;
  int         measures;
  BfMeasure  *measure;
  int         overs;
  char      **over; /* keys of `vary` */
  int         fits;
  BfFit      *fit;
  char       *plot_x, *plot_series; /* NULL: chosen */
  int         plot_ys;
  char      **plot_y;
  char       *plot_log; /* "x", "y", "both", "none" */
} BfStudy;

/* ---- file.c: read -------------------------------------------------------------------------------------------------
 */

/* From a study file; or of a problem file and the options vary, reference, fit, over of `options`. Every option that is
 * none of the study's goes into `set` (it counts as read). commands: what can be run, ends with a NULL name; borrowed.
 * Errors name file and line: "q.yaml: line 7: vary: ...". Collective on comm. */
BfStatus bf_study_read(MPI_Comm comm, const char *path, const BfStudyCommand commands[], BfOptions *options,
                       BfStudy **out, BfError *error);
void     bf_study_destroy(BfStudy **study);
/* The row of a command's own option; NULL: it has none of the name. */
const BfOption *bf_study_option(const BfStudyCommand *command, const char *option);
/* Whether a command takes the key, of the problem or one of its options; whether its value there names a file. */
bool bf_study_takes(const BfStudyCommand *command, const char *key);
bool bf_study_names_file(const BfStudyCommand *command, const char *key, const char *text);
/* Whether it takes the key where it reads these sections of a problem instead; whether a run does, with what it is
 * given. */
bool bf_study_takes_of(const BfStudyCommand *command, const BfSections *sections, const char *key);
bool bf_study_run_takes(const BfStudy *study, const BfStudyRun *run, const char *key);
/* Whether some value of the key there is a file's name, one without a dot or a slash among them. */
bool bf_study_may_name_file(const BfStudyCommand *command, const char *key);
/* Whether `path` is one of that output's form, in which a * stands for anything but a slash. */
bool bf_study_is_output(const char *output, const char *path);
/* Whether a key of the problem names a file, however it is spelt. */
bool bf_study_names_table(const char *key);
/* Whether a value is a number: "8", or "8,8", which stands for it. */
bool bf_study_number(const char *value, double *number);

/* ---- plan.c -------------------------------------------------------------------------------------------------------
 */

enum { BF_POINT_KEY = 33 };

typedef struct {
  int64_t *choice; /* [items] which value of each; -1: the item is replaced by `reference` */
  bool     reference;
  int64_t  refers;            /* number of the point's reference, -1: none */
  char     key[BF_POINT_KEY]; /* what it is, whatever study it is of: a hash of all that its runs read, in hex */
  double   seconds;           /* estimated, on one rank; 0: unknown */
  double   bytes;             /* of memory, on one rank; 0: unknown */
  int      ranks;             /* of the group that runs it, as far as the plan knows; 0: one */
} BfPoint;

typedef struct {
  const BfStudy *study;
  int64_t        points;     /* in the order of the product, last item fastest */
  int64_t        references; /* behind them */
  BfPoint       *point;      /* [points + references] */
  int64_t       *choices;    /* of all points */
  bool           at_most;    /* of some points the seconds are a bound */
  bool           rough;      /* of some points they are a guess */
} BfPlan;

BfStatus bf_study_plan_create(MPI_Comm comm, const BfStudy *study, BfPlan **out, BfError *error);
void     bf_study_plan_destroy(BfPlan **plan);
/* The options of run r at a point: those of `set`, of the point, of the run (the last counts) that its command takes.
 * folder: where results of earlier runs stand, FOLDER/NAME.h5; NULL: they are not there yet, and what names them is
 * left out. *file: what the command is given as its file, borrowed of study or of options; NULL: such a result. Local.
 */
BfStatus bf_plan_options(const BfPlan *plan, int64_t point, int run, const char *folder, BfOptions **options,
                         const char **file, BfError *error);
/* The earlier run whose result `init` names; NULL: none. */
const BfStudyRun *bf_plan_init(const BfPlan *plan, int64_t point, int run);
/* The value of a varied key at a point (its reference's where it is one); NULL: it has none. */
const char *bf_plan_value(const BfPlan *plan, int64_t point, const char *key);
/* "quantize.cells 4, action.seed 3" */
void bf_plan_describe(const BfPlan *plan, int64_t point, size_t size, char text[]);
/* Whether that is a number (a list of equal ones counts as one). */
bool bf_plan_number(const BfPlan *plan, int64_t point, const char *key, double *number);

/* ---- ranks.c ------------------------------------------------------------------------------------------------------
 */

/* A point's ranks: the least power of two, or all, of which each has no more of its seconds than is fair, whole / size
 * (whole: seconds of all points), or than half a second. */
int bf_ranks_by_time(double seconds, double whole, int size);
/* That of every point, or more where a group of so few would not have its memory, but not beyond a node. Collective. */
void bf_study_give_ranks(const BfRun *run, BfPlan *plan);
/* Bytes that a node has for a study, where least is. Collective. */
double bf_study_room(const BfRun *run);

/* ---- check.c ------------------------------------------------------------------------------------------------------
 */

/* Refuse what would not run: keys and options that no run takes, values, measures of what no run writes. Estimates of
 * seconds and bytes into the plan, and ranks by them: points that differ only in `over` share one. Points are dealt to
 * ranks of the run. out: what must be none of the problem's files, or NULL. Collective. */
BfStatus bf_study_check(BfRun *run, BfPlan *plan, const char *out, BfError *error);
/* Of that, whether `out` is none of the problem's files. Collective. */
BfStatus bf_study_check_reads(const BfRun *run, const BfStudy *study, const char *out, BfError *error);
/* Warn of runs that nothing uses, of formulas that are finite nowhere, of a reference that differs from no point; tell
 * points whose estimate is beyond the memory of a node (waste.c). Collective. */
void bf_study_tell_waste(const BfRun *run, const BfPlan *plan);

/* ---- queue.c: run -------------------------------------------------------------------------------------------------
 */

/* Writes STUDY.h5 from records[points + references], by point; NULL: not run yet. On rank 0 alone: when all is done,
 * when the study stops, and now and then. */
typedef BfStatus BfStudyWrite(void *context, BfRecord *const records[], BfError *error);

int bf_study_stem(const char *out); /* length of "STUDY", of which STUDY.csv and the like are made */

typedef struct {
  char         *out;   /* STUDY.h5; of a part its own: bf_study_part */
  int64_t       ranks; /* of a group; 0: by the estimates */
  bool          keep, retry, overwrite;
  double        hours;
  int64_t       part, parts; /* 1 of 1, or 0 of 0: all */
  BfStudyWrite *write;       /* NULL: nothing is written */
  void         *context;
} BfStudyOptions;

/* Run the points that neither STUDY.h5 nor the working folder of an earlier start holds, and tell how many they do.
 * Where all are done STUDY.h5 is written, and the folder goes. Points that the study no longer has, and that were done,
 * are BF_BAD_INPUT without `overwrite`. records[points + references], NULL at first: on rank 0 those of all points in
 * the end, each to be destroyed; of points of equal keys each has its own. BF_STOPPED with all that was done in the
 * folder, and in STUDY.h5; BF_OK also where points failed (their records say so). Collective. */
BfStatus bf_study_run(BfRun *run, const BfPlan *plan, const BfStudyOptions *o, BfRecord *records[], BfError *error);

/* ---- table.c, means.c, fit.c, write.c, print.c: study/table.h -------------------------------------------------------
 */
