/* A problem: a YAML file and its tables in, everything checked out. README, A problem file. */
#pragma once
#include "bellformer/cost.h"
#include "bellformer/error.h"
#include "bellformer/layer.h"
#include "bellformer/options.h"
#include "bellformer/quantize.h"
#include "bellformer/with_mpi.h"

BF_API_BEGIN

/* ---- files ------------------------------------------------------------------------------------------------------ */

/* The bytes of every file that a problem consists of, by the name under which the problem refers to it. A result file
 * carries them along, so that the problem can be read again from it, on another machine. */
typedef struct {
  char   *name;
  char   *bytes; /* [size], and a '\0' behind them */
  int64_t size;
} BfFile;

typedef struct {
  MPI_Comm comm;      /* on which a file that is not yet here is read from disk: by rank 0, then broadcast */
  char    *directory; /* of the problem file: relative names start there; NULL: nothing is read from disk */
  int      count, room;
  BfFile  *file;
} BfFiles;

/* comm is borrowed. directory may be NULL. */
BfStatus bf_files_create(MPI_Comm comm, const char *directory, BfFiles **out, BfError *error);
void     bf_files_destroy(BfFiles **files);
/* Whether it is HDF5, by its first bytes. */
bool bf_file_is_hdf5(const BfFile *file);
/* Add a file from memory (copied). */
BfStatus bf_files_add(BfFiles *files, const char *name, const char *bytes, int64_t size, BfError *error);
/* The file of that name, read from disk and kept if it is not here. Collective; all ranks get the same answer. */
BfStatus bf_files_get(BfFiles *files, const char *name, const BfFile **out, BfError *error);

/* ---- data ------------------------------------------------------------------------------------------------------- */

/* A data set, its tokens sorted by tag, the tags sorted by (sequence, position, label or target). */
typedef struct {
  int      dim;
  int64_t  tokens;        /* N */
  int64_t  tags;          /* G */
  int64_t  contexts;      /* S */
  int64_t *row;           /* [tokens] each token's row among those that were taken, in the table's order, from 0 */
  int64_t *place;         /* [tokens] its row in the table: the same, but of a sample */
  double  *z;             /* [tokens][dim] */
  int64_t *tag_first;     /* [tags + 1]: the tokens of tag g are tag_first[g] .. tag_first[g+1]-1 */
  int64_t *sequence;      /* [tags] */
  int     *position;      /* [tags] */
  int     *label;         /* [tags], or NULL */
  double  *target;        /* [tags][dim], or NULL */
  int64_t *context_first; /* [contexts + 1]: the tags of context s are context_first[s] .. context_first[s+1]-1 */
  int      labels;        /* largest label + 1, of the whole table; 0 with targets */
  int      positions;     /* largest position + 1, of the whole table */
  int      unlabelled;    /* the table has neither: every label is 0, or every target, and means nothing */
} BfData;

/* Read a table from the bytes of a file: CSV with header `sequence,position,label,z0,...` or `...,y0,y1,...` in place
 * of label (columns in any order, every one required and no other), or an HDF5 file that holds the same columns as
 * one-dimensional datasets of its root. dim: the number of z columns that must be there. Errors name line and column.
 */
BfStatus bf_data_parse(const BfFile *file, int dim, BfData *out, BfError *error);
/* The same of a table that may have neither label nor targets, whose columns are not wanted for a prediction: then
 * unlabelled is set; targets: whether targets stand in rather than labels. */
BfStatus bf_data_parse_unlabelled(const BfFile *file, int dim, int targets, BfData *out, BfError *error);
/* Leave `count` of its sequences, drawn without replacement; of its tokens of each tag, where it has one sequence alone
 * (a population). The i-th sequence in increasing order of their numbers (the i-th row of the table) has the i-th draw
 * of splitmix64(seed), 64 bits; those with the least are taken, so that a larger count contains the smaller. Refused
 * where there are fewer. Once, on a whole table; on failure the data are as they were, or to be cleared. Local. */
BfStatus bf_data_sample(BfData *data, int64_t count, uint64_t seed, BfError *error);
void     bf_data_clear(BfData *data);

/* The context s of the data as the layer sees it, every tag with `atoms` atoms (0: one for each of its tokens). Owns
 * its arrays, apart from label and target, which it borrows from the data. On failure nothing is there to be cleared.
 */
BfStatus bf_context_create(const BfData *data, int64_t s, int atoms, BfContext *out, BfError *error);
void     bf_context_clear(BfContext *context);
/* All of them, *out [contexts]; destroy them also after a failure. NULL-safe, sets NULL. */
BfStatus bf_contexts_create(const BfData *data, int atoms, BfContext **out, BfError *error);
void     bf_contexts_destroy(const BfData *data, BfContext **contexts);

/* ---- settings --------------------------------------------------------------------------------------------------- */

/* The keys of a problem as they were taken, defaults like what is given: what two problems are compared by, however
 * they are written. */
typedef struct {
  char *key;   /* "control.A.range" */
  char *value; /* one line: a word, or numbers joined by commas, in the shortest form that gives their bits */
  bool  alike; /* one value stands for a list of it */
} BfSetting;

typedef struct {
  int64_t    count, room;
  BfSetting *setting; /* in the order of reading */
} BfSettings;

/* Add a key, or give it another value. */
BfStatus    bf_settings_add(BfSettings *settings, const char *key, const char *value, BfError *error);
BfStatus    bf_settings_add_integers(BfSettings *settings, const char *key, int64_t count, const int64_t list[],
                                     BfError *error);
BfStatus    bf_settings_add_numbers(BfSettings *settings, const char *key, int64_t count, const double list[],
                                    BfError *error);
void        bf_settings_alike(BfSettings *settings, const char *key); /* one value of it stands for a list of it */
void        bf_settings_clear(BfSettings *settings);
const char *bf_settings_find(const BfSettings *settings, const char *key); /* its value; NULL: not there */

/* ---- the problem ------------------------------------------------------------------------------------------------ */

typedef struct BfHeadInit BfHeadInit; /* problem/head_init.h */

/* heads.*: how many heads a layer has that are averaged, and the law that they are drawn from. */
typedef struct {
  int64_t           count;        /* H; 0: not given, then it is layer.heads */
  int64_t           room;         /* places for more, of weight 0 */
  const BfHeadInit *init;         /* the law */
  double            deviation[2]; /* of the free numbers of A, and of V, where the law has deviations */
  bool              same;         /* one draw for all layers, not one a layer */
  int64_t           seed;
} BfHeadStart;

typedef struct {
  char               *name;
  int                 horizon; /* T */
  BfLayer             layer;
  BfCost              cost;        /* its contexts and tokens are those of `train` */
  BfData              train, test; /* test.tokens is 0 where the problem has no test table */
  BfContext          *context;     /* [train.contexts], with the quantizer's atoms */
  BfCells            *cells;       /* X_n, or NULL: tokens are not quantized */
  int                 atoms;       /* `quantize.atoms` */
  const BfTransition *transition;
  int64_t             actions;                       /* K, below 2^31; 0: none are given */
  double             *action;                        /* [K][q] U_k, or NULL */
  int                *levels;                        /* [q] of a grid of actions, or NULL */
  double             *control_lower, *control_upper; /* [q] the box U */
  int                 profile_count;                 /* of the depth profile of the flow; 0: constant 1 */
  double             *profile; /* [profile_count] zeta at equally spaced depths 0 .. T eps, linear in between */
  BfHeadStart         heads;
  const BfEncoding   *encoding;  /* how e_p is given */
  double              amplitude; /* of the encoding, where it is a formula; 0 where it is not */
  BfFiles            *files;     /* all that the problem was read from; owned */
  char               *yaml;      /* the problem file's name in `files` */
  char               *overrides; /* "key=value" lines: what the command line changed */
  BfSettings          settings;
  int                 warnings;
  char              **warning; /* one line each, for rank 0 to print */
} BfProblem;

/* The sections of a problem file beside the model and its data: who reads a problem says which of them it uses, and
 * which it cannot do without. One that it does not use is checked where the file has it, and refused on the command
 * line, where it would change nothing. Without what gives actions (a key of `action`, or levels), actions is 0 and
 * action NULL; without `quantize`, cells is NULL and atoms 0.
 *
 * Who uses `heads` has another layer: of heads.count heads, where that is given, which have the forms and ranges of
 * control.A and V; a fixed V is divided by their number, so that the layer, which sums heads, takes the mean; and the
 * actions, which are controls of other layers, are left out. */
enum { BF_SECTION_ACTION = 1, BF_SECTION_QUANTIZE = 2, BF_SECTION_FLOW = 4, BF_SECTION_HEADS = 8 };
typedef struct {
  const char *reader;      /* for messages: "solve" */
  unsigned    needs, uses; /* a bit each */
} BfSections;

/* Read a problem: the YAML file `path`, with the run's options (or NULL) overriding any key (`-quantize_cells 8,8`).
 * Every key is checked; unknown, repeated or misspelt ones are errors, and so are options that nothing has read,
 * which this function looks for last: read all others before, those of a trainer by bf_trainer_read_options (train.h).
 * Errors read `xor.yaml: control.A.levels must be ...`. Collective on comm; every rank gets the same error. */
BfStatus bf_problem_read(MPI_Comm comm, const char *path, const BfSections *sections, BfOptions *options,
                         BfProblem **out, BfError *error);
/* The same where some of the files are here already, by the names that the problem has for them: they are copied, the
 * others are read from disk. Collective on comm. */
BfStatus bf_problem_read_beside(MPI_Comm comm, const char *path, const BfFiles *files, const BfSections *sections,
                                BfOptions *options, BfProblem **out, BfError *error);
/* The same from files that were read before (taken over by the problem, also on failure), with the overrides that were
 * given then, and no others. sections: NULL where nothing is needed (of a trained model). */
BfStatus bf_problem_restore(BfFiles *files, const char *yaml, const char *overrides, const BfSections *sections,
                            BfProblem **out, BfError *error);
/* A problem from keys in memory, as a YAML file that has them gives it, with the same checks and messages (of a file
 * "problem.yaml"): bf_settings_add(&settings, "horizon", "2", error), bf_settings_add_numbers(&settings,
 * "control.A.range", 2, (double[]){-4, 4}, error). Lists are joined by commas. A problem's own settings give it again.
 * files: the tables that keys name, by bf_files_add, or a directory to read them from; taken over, also on failure.
 * Collective on the files' communicator; every rank gives the same. */
BfStatus bf_problem_create(BfFiles *files, const BfSettings *settings, const BfSections *sections, BfProblem **out,
                           BfError *error);
/* A copy of it, with what the options change on top of its own overrides. Collective. */
BfStatus bf_problem_reread(const BfProblem *problem, const BfSections *sections, BfOptions *options, BfProblem **out,
                           BfError *error);
void     bf_problem_destroy(BfProblem **problem);

/* Whether two problems are the same: their keys by value (their names apart: `name`; files by their bytes, not by what
 * they are called), comments and the form of the YAML not at all. BF_BAD_INPUT where they are not, with the first key
 * that differs: "horizon was 2, now 3". */
BfStatus bf_problem_compare(const BfProblem *then, const BfProblem *now, BfError *error);

/* Encode positions 0 .. positions-1 at least, where the encoding is a formula; else nothing changes. */
BfStatus bf_problem_encode(BfProblem *problem, int positions, BfError *error);

/* Whether a table (parsed from `file`) fits the problem: the token's box, labels or targets as the cost needs them, the
 * mask, the length of the encoding. outside: NULL, or it takes the number of tokens outside the box, which then are no
 * error. */
BfStatus bf_problem_check_data(const BfProblem *problem, const BfFile *file, const BfData *data, int64_t *outside,
                               BfError *error);

/* diam^2 of the smallest box that holds Z, on the sphere the unit ball, and the targets of a table: no token is farther
 * from a target. For the position weight of `wasserstein`. */
double bf_problem_diameter2(const BfLayer *layer, const BfData *data);

/* The quantized initial law: for every context's slots, in order, the cell of each atom; non-decreasing within a tag.
 * cell: room for all slots of all contexts. Needs problem->tokens. */
BfStatus bf_problem_initial_cells(const BfProblem *problem, int64_t cell[], BfError *error);

BF_API_END
