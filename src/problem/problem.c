#include "bellformer/problem.h"
#include "bellformer/run.h"
#include "reader.h"
#include "run/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The file's name without folders and ending. */
static void stem(const char *file, const char **begin, int64_t *length) {
  const char *slash = strrchr(file, '/');
  const char *base = slash ? slash + 1 : file, *dot = strrchr(base, '.');
  *begin  = base;
  *length = dot && dot > base ? dot - base : (int64_t)strlen(base);
}

static BfStatus read_general(BfReader *reader, BfError *error) {
  BfProblem  *problem = reader->problem;
  const char *name    = NULL;
  int64_t     length, horizon = 0;
  BF_TRY(bf_key_text(reader->keys, "name", &name, error));
  if (name) length = (int64_t)strlen(name);
  else stem(problem->yaml, &name, &length);
  if (!(problem->name = bf_text_copy(name, length, error))) return error->status;
  for (char *c = problem->name; *c; c++)
    if ((unsigned char)*c < ' ') *c = ' '; /* it is printed in one line */
  BF_TRY(bf_key_integer(reader->keys, "horizon", &horizon, error));
  problem->horizon = (int)horizon;
  return BF_OK;
}

static BfStatus read_steps(BfReader *reader, BfError *error) {
  BF_TRY(bf_keys_check_sections(reader->keys, reader->sections, error));
  if (bf_uses_heads(reader)) BF_TRY(bf_keys_leave_section(reader->keys, BF_SECTION_ACTION, error));
  BF_TRY(read_general(reader, error));
  BF_TRY(bf_read_layer(reader, error));
  BF_TRY(bf_read_data(reader, error));
  BF_TRY(bf_read_control(reader, error));
  BF_TRY(bf_read_action(reader, error));
  BF_TRY(bf_note_box(reader, error));
  BF_TRY(bf_read_quantize(reader, error));
  BF_TRY(bf_read_cost(reader, error));
  BF_TRY(bf_read_flow(reader, error));
  BF_TRY(bf_check_data(reader, error));
  return bf_keys_finish(reader->keys, error);
}

/* Where a problem is read from. */
typedef struct {
  const char *yaml;
  const char *record; /* as in bf_keys_create */
  BfOptions  *line;
} Source;

/* files: taken over, also on failure. */
static BfStatus read_problem(BfFiles *files, const Source *source, const BfSections *sections, BfProblem **out,
                             BfError *error) {
  static const BfSections none = {NULL, 0, ~(unsigned)BF_SECTION_HEADS};
  const BfFile           *file;
  BfProblem              *problem;
  BfReader                reader = {.sections = sections ? sections : &none};
  BfStatus                status;
  if (bf_together(files->comm, BF_NEW(&problem, 1, error), error) != BF_OK) {
    bf_files_destroy(&files);
    return error->status;
  }
  problem->files = files;
  reader.problem = problem;
  reader.memory  = (double)bf_least_memory_free(files->comm) / bf_most_node_ranks(files->comm);
  BF_GOTO(bf_files_get(files, source->yaml, &file, error));
  BF_GOTO((problem->yaml = bf_text_copy(source->yaml, (int64_t)strlen(source->yaml), error)) ? BF_OK : error->status);
  /* The list of files moves as it grows: keys are given a copy that stays, with the name that the problem owns. */
  BfFile text = {.name = problem->yaml, .bytes = file->bytes, .size = file->size};
  BF_GOTO(bf_keys_create(&text, source->record, source->line, &reader.keys, error));
  BF_GOTO(read_steps(&reader, error));
  const char *overrides = bf_keys_overrides(reader.keys);
  problem->overrides    = bf_text_copy(overrides, (int64_t)strlen(overrides), error);
  BF_GOTO(problem->overrides ? BF_OK : error->status);
  problem->settings           = *bf_keys_taken(reader.keys);
  *bf_keys_taken(reader.keys) = (BfSettings){0};
  *out                        = problem;
done:
  bf_keys_destroy(&reader.keys);
  bf_free(reader.levels);
  bf_free(reader.ranged);
  if (status != BF_OK) bf_problem_destroy(&problem);
  return status;
}

static BfStatus add_copies(const BfFiles *from, BfFiles *to, BfError *error) {
  for (int i = 0; from && i < from->count; i++)
    BF_TRY(bf_files_add(to, from->file[i].name, from->file[i].bytes, from->file[i].size, error));
  return BF_OK;
}

BfStatus bf_problem_read_beside(MPI_Comm comm, const char *path, const BfFiles *beside, const BfSections *sections,
                                BfOptions *options, BfProblem **out, BfError *error) {
  const char *slash     = strrchr(path, '/');
  int64_t     length    = slash ? (slash == path ? 1 : slash - path) : 0;
  BfFiles    *files     = NULL;
  BfProblem  *problem   = NULL;
  char       *directory = bf_text_copy(path, length, error);
  BfStatus    status    = directory ? bf_files_create(comm, directory, &files, error) : error->status;
  bf_free(directory);
  if (status == BF_OK) status = add_copies(beside, files, error);
  if (bf_together(comm, status, error) != BF_OK) {
    bf_files_destroy(&files);
    return error->status;
  }
  const Source source = {slash ? slash + 1 : path, NULL, options};
  status              = read_problem(files, &source, sections, &problem, error);
  if (bf_together(comm, status, error) != BF_OK) {
    bf_problem_destroy(&problem);
    return error->status;
  }
  *out = problem;
  return BF_OK;
}

BfStatus bf_problem_read(MPI_Comm comm, const char *path, const BfSections *sections, BfOptions *options,
                         BfProblem **out, BfError *error) {
  return bf_problem_read_beside(comm, path, NULL, sections, options, out, error);
}

BfStatus bf_problem_restore(BfFiles *files, const char *yaml, const char *overrides, const BfSections *sections,
                            BfProblem **out, BfError *error) {
  return read_problem(files, &(Source){yaml, overrides ? overrides : "", NULL}, sections, out, error);
}

BfStatus bf_problem_reread(const BfProblem *problem, const BfSections *sections, BfOptions *options, BfProblem **out,
                           BfError *error) {
  const BfFiles *from  = problem->files;
  BfFiles       *files = NULL;
  BfProblem     *copy  = NULL;
  bf_files_create(from->comm, NULL, &files, error);
  if (error->status == BF_OK) add_copies(from, files, error);
  if (bf_agree(from->comm, error) != BF_OK) {
    bf_files_destroy(&files);
    return error->status;
  }
  read_problem(files, &(Source){problem->yaml, problem->overrides, options}, sections, &copy, error);
  if (bf_agree(from->comm, error) != BF_OK) {
    bf_problem_destroy(&copy);
    return error->status;
  }
  *out = copy;
  return BF_OK;
}

static void clear_warnings(BfProblem *problem) {
  for (int k = 0; k < problem->warnings; k++) bf_free(problem->warning[k]);
  bf_free(problem->warning);
}

void bf_problem_destroy(BfProblem **problem) {
  BfProblem *p = *problem;
  if (!p) return;
  bf_contexts_destroy(&p->train, &p->context);
  bf_layer_clear(&p->layer);
  bf_cost_clear(&p->cost);
  bf_data_clear(&p->train);
  bf_data_clear(&p->test);
  bf_cells_destroy(&p->cells);
  bf_free(p->action);
  bf_free(p->levels);
  bf_free(p->profile);
  bf_free(p->control_lower);
  bf_free(p->control_upper);
  bf_files_destroy(&p->files);
  bf_free(p->name);
  bf_free(p->yaml);
  bf_free(p->overrides);
  bf_settings_clear(&p->settings);
  clear_warnings(p);
  bf_free(p);
  *problem = NULL;
}
