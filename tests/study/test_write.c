/* STUDY.h5 and STUDY.csv, written by rank 0 while the others wait; what they must not be written over. */
#include "../ranks.h"
#include "bellformer/store.h"
#include "study_case.h"
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  BfRun      *run;
  BfArguments arguments;
  char        folder[256], out[512], table[512];
} Where;

static void path_of(const Where *w, const char *name, char path[512]) { snprintf(path, 512, "%s/%s", w->folder, name); }

static void touch(const Where *w, const char *path, const char *text) {
  if (w->run->rank == 0) {
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

static void make_case(Case *c) {
  BfError error = {0};
  case_begin(c);
  case_vary(c, "n", "1 2 4");
  case_vary(c, "layer.norm", "none \"r,ms\"");
  case_measure(c, (BfMeasure){.name = "y", .of = "solve/rollout@cost"});
  case_measure(c, (BfMeasure){.name = "error", .kind = BF_MEASURE_DIFFERENCE, .of = "y", .reference = true});
  case_fit(c, "y", "n", -1);
  case_points(c);
  case_refer(c, "0");
  for (int64_t p = 0; p < 8; p++) {
    case_number(c, p, "solve/rollout@cost", 1.0 / 3 / (double)(p + 1));
    case_number(c, p, "solve/@horizon", 3);
    bf_record_add_text(c->record[p], "solve/@name", "xor", &error);
    bf_record_add_array(c->record[p], "solve/rollout/tokens", 2, (int64_t[]){1, 2}, (double[]){1, (double)p}, &error);
  }
  c->record[1]->state   = BF_POINT_FAILED;
  c->record[1]->message = strcpy(bf_calloc(32, 1, &error), "solve: no");
  bf_table_create(&c->plan, c->record, &c->table, &error);
}

static BfStatus write_study(const Where *w, const Case *c, const char *out, BfError *error) {
  const BfStatus mine =
      w->run->rank == 0 ? bf_study_write(w->run, &w->arguments, c->table, c->record, out, error) : BF_OK;
  return bf_together(w->run->world, mine, error);
}

static int is_text(BfStore *store, const char *path, const char *name, const char *value) {
  BfError   error = {0};
  char     *text  = NULL;
  const int is    = bf_store_get_text(store, path, name, &text, &error) == BF_OK && !strcmp(text, value);
  bf_free(text);
  return is;
}

static int is_number(BfStore *store, const char *path, const char *name, double value) {
  BfError error = {0};
  double  number;
  return bf_store_get_double(store, path, name, &number, &error) == BF_OK && number == value;
}

static int is_integer(BfStore *store, const char *path, const char *name, int64_t value) {
  BfError error = {0};
  int64_t number;
  return bf_store_get_int(store, path, name, &number, &error) == BF_OK && number == value;
}

static int is_column(BfStore *store, const char *path, int64_t rows, const double value[]) {
  BfError error = {0};
  int64_t dims[1];
  double *data = NULL;
  int     is = bf_store_read(store, path, BF_STORE_DOUBLE, 1, dims, (void **)&data, &error) == BF_OK && dims[0] == rows;
  for (int64_t i = 0; is && i < rows; i++) is = data[i] == value[i] || (isnan(data[i]) && isnan(value[i]));
  bf_free(data);
  return is;
}

/* Records are read back from the bytes that the file keeps of them. */
static int are_records(BfStore *store, const Case *c) {
  BfError        error = {0};
  int64_t        size[1], at = 0, p = 0;
  unsigned char *bytes = NULL;
  int            are = bf_store_read(store, "/study/records", BF_STORE_BYTE, 1, size, (void **)&bytes, &error) == BF_OK;
  for (; are && at < size[0]; p++) {
    BfRecord *record = NULL;
    int64_t   used   = 0;
    are              = bf_record_unpack(bytes + at, size[0] - at, &used, &record, &error) == BF_OK && record &&
          !strcmp(record->key, c->record[p]->key) && record->state == c->record[p]->state &&
          record->count == c->record[p]->count;
    bf_record_destroy(&record);
    at += used;
  }
  bf_free(bytes);
  return are && p == 8;
}

static void contents(Tap *tap, const Where *w, const Case *c) {
  BfError      error = {0};
  BfStore     *store = NULL;
  const double y[]   = {1.0 / 3, NAN, 1.0 / 9, 1.0 / 12, 1.0 / 15, 1.0 / 18};
  check(tap, bf_store_open(MPI_COMM_WORLD, w->out, &store, &error) == BF_OK, "a study is a file");
  if (!store) return;
  check(tap,
        is_integer(store, "/study", "points", 6) && is_integer(store, "/study", "references", 2) &&
            is_integer(store, "/study", "done", 7) && is_integer(store, "/study", "failed", 1) &&
            is_integer(store, "/study", "format", 1) && is_text(store, "/study", "name", "by hand"),
        "/study");
  check(tap,
        is_integer(store, "/provenance", "ranks", w->run->size) &&
            is_text(store, "/provenance", "command", "bellformer study"),
        "/provenance: of all ranks");
  check(tap,
        is_column(store, "/table/n", 6, (double[]){1, 1, 2, 2, 4, 4}) && is_column(store, "/table/y", 6, y) &&
            is_column(store, "/references/n", 2, (double[]){0, 0}),
        "/table, /references");
  check(tap, is_text(store, "/table", "keys", "n\nlayer.norm") && is_text(store, "/table", "measures", "y\nerror"),
        "which columns are keys, and their order");
  check(tap, is_column(store, "/means/y.count", 6, (double[]){1, 0, 1, 1, 1, 1}), "/means");
  check(tap,
        is_text(store, "/fits/00", "series", "layer.norm none") && is_integer(store, "/fits/00", "points", 3) &&
            is_integer(store, "/fits/01", "left_out", 1) && is_number(store, "/fits/01", "expect", -1),
        "/fits");
  check(tap,
        is_text(store, "/plot", "x", "n") && is_text(store, "/plot", "y", "y") &&
            is_text(store, "/plot", "log", "both"),
        "/plot: chosen by the fits");
  check(tap,
        is_text(store, "/runs/0001", "state", "failed") && is_text(store, "/runs/0001", "message", "solve: no") &&
            is_number(store, "/runs/0007/solve/rollout", "cost", 1.0 / 24) &&
            is_number(store, "/runs/0000/solve", "horizon", 3) && is_text(store, "/runs/0000/solve", "name", "xor"),
        "/runs: attributes");
  int64_t dims[2];
  double *tokens = NULL;
  check(tap,
        bf_store_read(store, "/runs/0002/solve/rollout/tokens", BF_STORE_DOUBLE, 2, dims, (void **)&tokens, &error) ==
                BF_OK &&
            dims[1] == 2 && tokens[1] == 2,
        "/runs: datasets");
  bf_free(tokens);
  check(tap, are_records(store, c), "/study/records");
  bf_store_close(&store);
}

static int is_file(const Where *w, const char *path, const char *text) {
  char         read[1024] = "";
  FILE        *file       = fopen(path, "r");
  const size_t length     = file ? fread(read, 1, sizeof read - 1, file) : 0;
  if (file) fclose(file);
  if (w->run->rank == 0 && strcmp(read, text)) printf("# %zu bytes:\n# %s\n", length, read);
  return file && !strcmp(read, text);
}

static void csv(Tap *tap, const Where *w) {
  check(tap,
        is_file(w, w->table,
                "n,layer.norm,y,error\n"
                "1,none,0.3333333333333333,0.2857142857142857\n"
                "1,\"\"\"r,ms\"\"\",NaN,NaN\n"
                "2,none,0.1111111111111111,0.06349206349206349\n"
                "2,\"\"\"r,ms\"\"\",0.08333333333333333,0.041666666666666664\n"
                "4,none,0.06666666666666667,0.01904761904761905\n"
                "4,\"\"\"r,ms\"\"\",0.05555555555555555,0.013888888888888888\n"),
        "CSV: a header, numbers with all bits, texts in quotes");
}

static void refuse(Tap *tap, const Where *w, Case *c, const char *out, const char *what) {
  BfError error = {0};
  check(tap,
        bf_study_check_target(w->run, &w->arguments, &c->study, out, true, &error) == BF_BAD_INPUT &&
            strstr(error.text, "would overwrite"),
        what);
}

static void targets(Tap *tap, const Where *w, Case *c) {
  BfError error = {0};
  char    problem[512], data[512], out[512];
  BfSet   set = {"data.file", "train.csv"};
  path_of(w, "p.yaml", problem);
  path_of(w, "train.csv", data);
  touch(w, problem, "");
  touch(w, data, "");
  c->study.problem = problem;
  c->study.set     = (BfSets){.count = 1, .set = &set};
  check(tap, bf_study_check_target(w->run, &w->arguments, &c->study, w->out, false, &error) == BF_OK,
        "targets that are not read");
  refuse(tap, w, c, problem, "never over the problem");
  path_of(w, "train.h5", out);
  refuse(tap, w, c, out, "never, as the table beside it, over a file that a value names from the problem's folder");
  path_of(w, "p.yaml.h5", out);
  set.value = problem;
  check(tap, bf_study_check_target(w->run, &w->arguments, &c->study, out, false, &error) == BF_OK, "another name");
  path_of(w, "p.yaml.csv", data);
  touch(w, data, "");
  check(tap,
        bf_study_check_target(w->run, &w->arguments, &c->study, out, false, &error) == BF_BAD_INPUT &&
            strstr(error.text, "-overwrite"),
        "a table without its study is not replaced unasked");
  error = (BfError){0};
  check(tap, bf_study_check_target(w->run, &w->arguments, &c->study, out, true, &error) == BF_OK,
        "... but with -overwrite");
}

/* Rank 0's failure is told to the others. */
static void fails(Tap *tap, const Where *w, const Case *c) {
  BfError error = {0};
  char    out[512];
  path_of(w, "no/such/folder.h5", out);
  check(tap, write_study(w, c, out, &error) == BF_BAD_INPUT && strstr(error.text, "folder.h5"),
        "a failure is known to all");
}

int main(int argc, char **argv) {
  Tap     tap   = {0};
  BfError error = {0};
  Where   w     = {.arguments = {"study", NULL, 2, (char *[]){"bellformer", "study"}}};
  Case    c;
  MPI_Init(&argc, &argv);
  bf_run_create(MPI_COMM_WORLD, 0, &w.run, &error);
  snprintf(w.folder, sizeof w.folder, "/tmp/bf_study_XXXXXX");
  if (w.run->rank == 0 && !mkdtemp(w.folder)) return 1;
  MPI_Bcast(w.folder, sizeof w.folder, MPI_CHAR, 0, MPI_COMM_WORLD);
  path_of(&w, "s.h5", w.out);
  path_of(&w, "s.csv", w.table);
  make_case(&c);
  check(&tap, write_study(&w, &c, w.out, &error) == BF_OK, "written");
  check(&tap, write_study(&w, &c, w.out, &error) == BF_OK, "written again, in its place");
  contents(&tap, &w, &c);
  csv(&tap, &w);
  fails(&tap, &w, &c);
  targets(&tap, &w, &c);
  case_end(&c);
  char remove[512];
  snprintf(remove, sizeof remove, "rm -rf %s", w.folder);
  MPI_Barrier(MPI_COMM_WORLD);
  if (w.run->rank == 0 && system(remove)) return 1;
  bf_run_destroy(&w.run);
  return finish_tap(&tap);
}
