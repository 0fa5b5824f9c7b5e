/* bellformer study: a convergence study. */
#include "command/study.h"
#include "run/text.h"
#include "study/gather.h"
#include "study/table.h"
#include "train/session.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  BfStudyOptions o;
  bool           gather, dry;
  char          *part;
} Settings;

#define AT(field) offsetof(Settings, field)

static const BfOption study_options[] = {
    {"o", BF_OPTION_TEXT, BF_OF_THIS_START, "STUDY.h5", AT(o.out),
     .meaning = "the result (HDF5), and STUDY.csv beside it. The same line goes on where a study was stopped or died; "
                "a changed study keeps every point that it still contains"},
    {"overwrite", BF_OPTION_BOOL, BF_OF_THIS_START, NULL, AT(o.overwrite),
     .meaning = "give up points that STUDY.h5 holds and that the study no longer has"},
    {"ranks", BF_OPTION_INT, BF_OF_THIS_START, "R", AT(o.ranks), NULL, 1, INT32_MAX,
     .meaning = "of every group, of which each takes one point after the other; without it by what points are "
                "estimated to take"},
    {"keep", BF_OPTION_BOOL, BF_OF_THIS_START, NULL, AT(o.keep),
     .meaning = "keep the whole results of all runs, in STUDY.d/"},
    {"retry", BF_OPTION_BOOL, BF_OF_THIS_START, NULL, AT(o.retry), .meaning = "run points again that failed"},
    {"part", BF_OPTION_TEXT, BF_OF_THIS_START, "I/N", AT(part),
     .meaning = "run the I-th of N parts, into STUDY.part-I-of-N.h5: a task of a job array"},
    {"gather", BF_OPTION_BOOL, BF_OF_THIS_START, NULL, AT(gather), .meaning = "join parts into STUDY.h5; runs nothing"},
    {"maxh", BF_OPTION_NUMBER, BF_OF_THIS_START, "HOURS", AT(o.hours), NULL, 0, 1e6,
     .meaning = "stop in time; in a SLURM job its limit is the default"},
    {"problem", BF_OPTION_OTHER, BF_OF_THIS_START, "PROBLEM.yaml",
     .meaning = "in place of the study file's: the same study of another problem"},
    {"dry", BF_OPTION_BOOL, BF_OF_THIS_START, NULL, AT(dry),
     .meaning = "check everything, tell points and time, and stop"},
    {0}};

static const BfOption line_options[] = {
    {"vary", BF_OPTION_OTHER, BF_OF_THIS_START, "'KEY VALUES; ...'",
     .meaning = "of a problem file: what varies, the product of all items. Values stand apart by blanks, 4..64 is a "
                "range, 4..64x2 one by factors, 0..2+0.5 one by steps; keys that move together are joined by &"},
    {"reference", BF_OPTION_OTHER, BF_OF_THIS_START, "'KEY VALUE; ...'",
     .meaning = "a further point for each combination of the other items"},
    {"measure", BF_OPTION_OTHER, BF_OF_THIS_START, "NAMES",
     .meaning = "columns: attributes of /rollout, or RUN/GROUP@ATTRIBUTE, joined by commas; default cost,loss"},
    {"over", BF_OPTION_OTHER, BF_OF_THIS_START, "KEYS",
     .meaning = "average over these; default: keys that end in seed, where something else varies too"},
    {"fit", BF_OPTION_OTHER, BF_OF_THIS_START, "NAMES",
     .meaning = "fit a power law of NAME, or of |NAME - reference|, in the first key that varies by numbers"},
    {0}};

static const BfOption set_options[] = {
    {"KEY", BF_OPTION_OTHER, BF_OF_THIS_START, "VALUE",
     .meaning = "any key of the problem, or option of a command that is run, for all points"},
    {0}};

void bf_manual_study(const char *name, BfManual *manual) {
  (void)name;
  *manual = (BfManual){
      .usage = "STUDY.yaml -o STUDY.h5 [options]",
      .about =
          "Runs commands at every point of a product of keys' values, in groups of ranks, and writes a table of "
          "what they measure, means over draws, and fitted rates. Everything is checked before anything runs. Of a "
          "problem file -vary tells what varies: study PROBLEM.yaml -vary 'quantize_cells 4..64x2' -o STUDY.h5.\n",
      .options = {study_options, line_options, set_options, bf_run_options},
      .notes   = "A study file: share/doc/studies.md.\n",
      .stops   = true};
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

static BfStatus read_part(const char *text, BfStudyOptions *o, BfError *error) {
  long long i = 1, n = 1;
  char      rest;
  if ((text && sscanf(text, "%lld/%lld%c", &i, &n, &rest) != 2) || i < 1 || n < 1 || i > n || n > 1000000)
    return bf_fail(error, BF_BAD_INPUT, "option -part must be I/N with I from 1 to N, got '%.40s'", text);
  o->part  = i;
  o->parts = n;
  return BF_OK;
}

/* A part has a result of its own. */
static BfStatus name_part(BfStudyOptions *o, BfError *error) {
  char *name;
  BF_TRY(bf_study_part(o->out, o->part, o->parts, &name, error));
  bf_free(o->out);
  o->out = name;
  return BF_OK;
}

/* Options that have no meaning beside another one. */
static BfStatus check_options(const BfOptions *options, const Settings *s, BfError *error) {
  /* Those of them that a job gives its parts jobs/study.sbatch leaves out of the line that joins. */
  static const char *const of_runs[] = {"part", "retry", "keep", "ranks", "maxh", "dry"};
  for (size_t i = 0; s->gather && i < sizeof of_runs / sizeof *of_runs; i++)
    if (bf_options_given(options, of_runs[i]))
      return bf_fail(error, BF_BAD_INPUT, "option -gather joins all parts and runs nothing: leave out -%s", of_runs[i]);
  if (s->part && s->dry) return bf_fail(error, BF_BAD_INPUT, "option -dry tells of all points: leave out -part");
  if (s->o.out || s->dry) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "study needs -o STUDY.h5, or -dry, which runs nothing");
}

static BfStatus read_options(BfOptions *options, Settings *s, BfError *error) {
  BF_TRY(bf_options_parse(study_options, options, s, error));
  for (const BfOption *row = line_options; row->name; row++) BF_TRY(bf_options_know(options, row->name, error));
  BF_TRY(read_part(s->part, &s->o, error));
  BF_TRY(check_options(options, s, error));
  return s->part ? name_part(&s->o, error) : BF_OK;
}

/* ---- what is told ------------------------------------------------------------------------------------------------ */

/* Of one rank in all, and the longest point; on all ranks, of which a point has some. */
static void tell_time(const BfRun *run, const BfPlan *plan, const BfStudyOptions *o) {
  const char *bound =
      plan->rough ? (plan->at_most ? "at most very roughly" : "very roughly") : (plan->at_most ? "at most" : "about");
  double seconds = 0, most = 0, last = 0;
  char   a[BF_HUMAN], b[BF_HUMAN];
  for (int64_t p = 0; p < plan->points + plan->references; p++) {
    const BfPoint *point = &plan->point[p];
    const double   given = o->ranks > 0 ? (double)o->ranks : fmax(point->ranks, 1);
    seconds += point->seconds;
    most = fmax(most, point->seconds);
    last = fmax(last, point->seconds / fmin(given, run->size));
  }
  if (seconds <= 0) return;
  bf_print(run, "  %s %s of one rank in all, %s for the longest point", bound, bf_human_time(seconds, a),
           bf_human_time(most, b));
  if (run->size > 1)
    bf_print(run, "; on %d ranks %s %s", run->size, bound, bf_human_time(fmax(seconds / run->size, last), a));
  bf_print(run, "\n");
}

static void tell(const BfRun *run, const BfPlan *plan, const Settings *s) {
  const BfStudy   *study   = plan->study;
  const BfOptions *options = run->options;
  bf_print(run, "%s: %lld point%s", study->name, (long long)plan->points, plan->points > 1 ? "s" : "");
  if (plan->references)
    bf_print(run, " and %lld reference%s", (long long)plan->references, plan->references > 1 ? "s" : "");
  bf_print(run, ", %d run%s each:", study->runs, study->runs > 1 ? "s" : "");
  for (int r = 0; r < study->runs; r++) bf_print(run, " %s", study->run[r].name);
  bf_print(run, "\n");
  for (int i = 0; i < study->items; i++)
    for (int k = 0; k < study->item[i].keys; k++)
      bf_print(run, "  %-22s %lld value%s, %s .. %s\n", study->item[i].key[k], (long long)study->item[i].count,
               study->item[i].count > 1 ? "s" : "", study->item[i].value[k],
               study->item[i].value[(study->item[i].count - 1) * study->item[i].keys + k]);
  for (int i = 0; i < study->overs; i++)
    bf_print(run, "  averaged over %s%s\n", study->over[i],
             bf_options_given(options, "vary") && !bf_options_given(options, "over") ? " (-over names others)" : "");
  tell_time(run, plan, &s->o);
}

/* ---- the run ----------------------------------------------------------------------------------------------------- */

typedef struct {
  BfRun             *run;
  const BfArguments *arguments;
  const Settings    *settings;
  BfPlan            *plan;
  BfRecord         **record; /* [points + references] */
} Study;

/* On rank 0, alone. */
static BfStatus write_result(void *context, BfRecord *const records[], BfError *error) {
  const Study *x     = context;
  BfTable     *table = NULL;
  BF_TRY(bf_together(MPI_COMM_SELF, bf_table_create(x->plan, records, &table, error), error));
  const BfStatus status = bf_study_write(x->run, x->arguments, table, records, x->settings->o.out, error);
  bf_table_destroy(&table);
  return status;
}

/* Points of which there is no answer, one a line. */
static BfStatus tell_failed(const Study *x, BfError *error) {
  const int64_t all    = x->plan->points + x->plan->references;
  int64_t       failed = 0, first = -1;
  char          point[BF_ERROR_LENGTH / 2];
  for (int64_t p = 0; p < all; p++) {
    const BfRecord *record = x->record[p];
    if (!record || (record->state != BF_POINT_FAILED && record->state != BF_POINT_SET_ASIDE)) continue;
    if (!failed++) first = p;
    bf_plan_describe(x->plan, p, sizeof point, point);
    bf_print(x->run, "failed: %s: %s\n", point, record->message ? record->message : "it was in flight in two crashes");
  }
  if (!failed) return BF_OK;
  bf_plan_describe(x->plan, first, sizeof point, point);
  return bf_fail(error, BF_FAILURE, "%s: %lld of %lld points failed, the first: %s: %.400s", x->settings->o.out,
                 (long long)failed, (long long)all, point,
                 x->record[first]->message ? x->record[first]->message : "it was in flight in two crashes");
}

/* On rank 0, alone. The table of a part has too many holes to be read. */
static BfStatus tell_end(const Study *x, BfError *error) {
  BfTable *table = NULL;
  if (x->settings->part) return tell_failed(x, error);
  BF_TRY(bf_table_create(x->plan, x->record, &table, error));
  bf_table_print(x->run, table);
  bf_study_tell_unwritten(x->run, x->plan, x->record);
  bf_table_destroy(&table);
  return tell_failed(x, error);
}

/* On rank 0, alone. */
static BfStatus tell_joined(const Study *x, const BfGathered *g, BfError *error) {
  const long long all = (long long)(x->plan->points + x->plan->references), missing = all - (long long)g->points;
  bf_print(x->run, "joined %lld of %lld parts: %lld of %lld points\n", (long long)g->there, (long long)g->parts,
           (long long)g->points, all);
  BF_TRY(tell_end(x, error));
  if (!missing) return BF_OK;
  if (g->missing)
    return bf_fail(error, BF_FAILURE, "%s: %lld of %lld points are not there; part %lld of %lld is missing",
                   x->settings->o.out, missing, all, (long long)g->missing, (long long)g->parts);
  return bf_fail(error, BF_FAILURE,
                 "%s: %lld of %lld points are not there, or lack what is measured; their parts go on by their lines",
                 x->settings->o.out, missing, all);
}

static BfStatus join_parts(Study *x, BfError *error) {
  BfRun     *run    = x->run;
  const bool speaks = run->rank == 0;
  BfGathered g      = {0};
  BF_TRY(bf_together(run->world, speaks ? bf_study_gather(run, x->plan, &x->settings->o, x->record, &g, error) : BF_OK,
                     error));
  BF_TRY(bf_together(run->world, speaks ? write_result(x, x->record, error) : BF_OK, error));
  return bf_together(run->world, speaks ? tell_joined(x, &g, error) : BF_OK, error);
}

static BfStatus run_points(Study *x, BfError *error) {
  BfRun         *run = x->run;
  const int64_t  all = x->plan->points + x->plan->references;
  BfStudyOptions o   = x->settings->o;
  o.write            = write_result;
  o.context          = x;
  BF_TRY(bf_together(run->world, BF_NEW(&x->record, all, error), error));
  if (x->settings->gather) return join_parts(x, error);
  BF_TRY(bf_study_run(run, x->plan, &o, x->record, error));
  BF_TRY(bf_together(run->world, run->rank == 0 ? tell_end(x, error) : BF_OK, error));
  return BF_OK;
}

static BfStatus study(Study *x, const BfStudyCommand commands[], BfError *error) {
  BfRun      *run   = x->run;
  const char *out   = x->settings->o.out;
  BfStudy    *study = NULL;
  BfStatus    status;
  BF_GOTO(bf_study_read(run->world, x->arguments->file, commands, run->options, &study, error));
  BF_GOTO(bf_study_plan_create(run->world, study, &x->plan, error));
  if (out) BF_GOTO(bf_study_check_target(run, x->arguments, study, out, x->settings->o.overwrite, error));
  if (x->settings->gather) BF_GOTO(bf_study_check_reads(run, study, out, error));
  else BF_GOTO(bf_study_check(run, x->plan, out, error));
  tell(run, x->plan, x->settings);
  if (!x->settings->gather) bf_study_tell_waste(run, x->plan);
  if (!x->settings->dry) status = run_points(x, error);
done:
  for (int64_t p = 0; x->record && p < x->plan->points + x->plan->references; p++) bf_record_destroy(&x->record[p]);
  bf_free(x->record);
  bf_study_plan_destroy(&x->plan);
  bf_study_destroy(&study);
  return status;
}

BfStatus bf_command_study(BfRun *run, const BfArguments *arguments, BfError *error) {
  Settings         s        = {0};
  BfStudyCommands *commands = NULL;
  BfStatus         status;
  Study            x = {.run = run, .arguments = arguments, .settings = &s};
  BF_GOTO(bf_together(run->world, read_options(run->options, &s, error), error));
  BF_GOTO(bf_together(run->world, bf_study_commands_create(&commands, error), error));
  status = arguments->file ? study(&x, bf_study_commands(commands), error)
                           : bf_fail(error, BF_BAD_INPUT,
                                     "study needs a study file, or a problem file and -vary; see "
                                     "`bellformer help study`");
done:
  bf_study_commands_destroy(&commands);
  bf_options_clear(study_options, &s);
  return status;
}
