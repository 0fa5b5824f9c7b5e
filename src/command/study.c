/* bellformer study: a convergence study. */
#include "command/study.h"
#include "run/text.h"
#include "study/table.h"
#include "train/session.h"
#include <stdio.h>
#include <string.h>

typedef struct {
  char   *out;
  bool    overwrite, keep, retry, gather, dry;
  int64_t ranks;
  double  hours;
  char   *part;
} Settings;

#define AT(field) offsetof(Settings, field)

static const BfOption study_options[] = {
    {"o", BF_OPTION_TEXT, BF_OF_THIS_START, "STUDY.h5", AT(out),
     .meaning = "the result (HDF5), and STUDY.csv beside it. The same line goes on where a study was stopped or died; "
                "a changed study keeps every point that it still contains"},
    {"overwrite", BF_OPTION_BOOL, BF_OF_THIS_START, NULL, AT(overwrite),
     .meaning = "begin anew, and give up the points that STUDY.h5 holds"},
    {"ranks", BF_OPTION_INT, BF_OF_THIS_START, "R", AT(ranks), NULL, 1, INT32_MAX,
     .meaning = "of every group, of which each takes one point after the other; without it by what points are "
                "estimated to take"},
    {"keep", BF_OPTION_BOOL, BF_OF_THIS_START, NULL, AT(keep),
     .meaning = "keep the whole results of all runs, in STUDY.d/"},
    {"retry", BF_OPTION_BOOL, BF_OF_THIS_START, NULL, AT(retry), .meaning = "run points again that failed"},
    {"part", BF_OPTION_TEXT, BF_OF_THIS_START, "I/N", AT(part),
     .meaning = "run the I-th of N parts, into STUDY.part-I-of-N.h5: a task of a job array"},
    {"gather", BF_OPTION_BOOL, BF_OF_THIS_START, NULL, AT(gather), .meaning = "join parts into STUDY.h5; runs nothing"},
    {"maxh", BF_OPTION_NUMBER, BF_OF_THIS_START, "HOURS", AT(hours), NULL, 0, 1e6,
     .meaning = "stop in time; in a SLURM job its limit is the default"},
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
      .usage   = "STUDY.yaml | PROBLEM.yaml -vary '...' [-o STUDY.h5] [options]",
      .about   = "Runs commands at every point of a product of keys' values, in groups of ranks, and writes a table of "
                 "what they measure, means over draws, and fitted rates.\n",
      .options = {study_options, line_options, set_options, bf_run_options},
      .notes   = "A study file: share/doc/studies.md.\n",
      .stops   = true};
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

static BfStatus read_part(const char *text, BfStudyOptions *o, BfError *error) {
  long long i, n;
  char      rest;
  if (sscanf(text, "%lld/%lld%c", &i, &n, &rest) != 2 || i < 1 || n < 1 || i > n || n > 1000000)
    return bf_fail(error, BF_BAD_INPUT, "option -part must be I/N with I from 1 to N, got '%.40s'", text);
  o->part  = i;
  o->parts = n;
  return BF_OK;
}

static BfStatus read_options(BfOptions *options, Settings *s, BfStudyOptions *o, BfError *error) {
  BF_TRY(bf_options_parse(study_options, options, s, error));
  for (const BfOption *row = line_options; row->name; row++) BF_TRY(bf_options_know(options, row->name, error));
  *o = (BfStudyOptions){
      .out = s->out, .ranks = s->ranks, .keep = s->keep, .retry = s->retry, .hours = s->hours, .part = 1, .parts = 1};
  if (s->part) BF_TRY(read_part(s->part, o, error));
  if (s->part && s->gather) return bf_fail(error, BF_BAD_INPUT, "option -gather joins all parts: leave out -part");
  if (!s->out && (s->part || s->gather || s->keep))
    return bf_fail(error, BF_BAD_INPUT, "option -%s needs -o STUDY.h5",
                   s->part     ? "part"
                   : s->gather ? "gather"
                               : "keep");
  return BF_OK;
}

/* ---- what is told ------------------------------------------------------------------------------------------------ */

static void tell(const BfRun *run, const BfPlan *plan, const BfOptions *options) {
  const BfStudy *study   = plan->study;
  double         seconds = 0, most = 0;
  char           a[BF_HUMAN], b[BF_HUMAN];
  for (int64_t p = 0; p < plan->points + plan->references; p++) {
    seconds += plan->point[p].seconds;
    if (plan->point[p].seconds > most) most = plan->point[p].seconds;
  }
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
  if (seconds > 0)
    bf_print(run, "  about %s of one rank in all, %s at the most for a point\n", bf_human_time(seconds, a),
             bf_human_time(most, b));
}

/* ---- the run ----------------------------------------------------------------------------------------------------- */

static BfStatus study(BfRun *run, const BfArguments *arguments, const Settings *s, const BfStudyOptions *o,
                      BfError *error) {
  BfStudyCommands *commands = NULL;
  BfStudy         *study    = NULL;
  BfPlan          *plan     = NULL;
  BfStatus         status;
  BF_GOTO(bf_together(run->world, bf_study_commands_create(&commands, error), error));
  BF_GOTO(bf_study_read(run->world, arguments->file, bf_study_commands(commands), run->options, &study, error));
  BF_GOTO(bf_study_plan_create(run->world, study, &plan, error));
  BF_GOTO(bf_study_check(run, plan, o->out, error));
  tell(run, plan, run->options);
  (void)s;
  (void)o;
done:
  bf_study_plan_destroy(&plan);
  bf_study_destroy(&study);
  bf_study_commands_destroy(&commands);
  return status;
}

BfStatus bf_command_study(BfRun *run, const BfArguments *arguments, BfError *error) {
  Settings       s = {0};
  BfStudyOptions o = {0};
  BfStatus       status;
  BF_GOTO(bf_together(run->world, read_options(run->options, &s, &o, error), error));
  status = arguments->file ? study(run, arguments, &s, &o, error)
                           : bf_fail(error, BF_BAD_INPUT,
                                     "study needs a study file, or a problem file and -vary; see "
                                     "`bellformer help study`");
done:
  bf_options_clear(study_options, &s);
  return status;
}
