/* A study, its plan and its records by hand: the points of a product, in its order. */
#pragma once
#include "study/table.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CASE_POINTS = 256, CASE_ITEMS = 4, CASE_MEASURES = 12, CASE_FITS = 4 };

typedef struct {
  BfStudy   study;
  BfPlan    plan;
  BfItem    item[CASE_ITEMS];
  char     *key[CASE_ITEMS], *value[CASE_ITEMS][CASE_POINTS]; /* one key an item */
  BfMeasure measure[CASE_MEASURES];
  BfFit     fit[CASE_FITS];
  BfSet     reference[1];
  BfPoint   point[CASE_POINTS];
  int64_t   choice[CASE_POINTS][CASE_ITEMS];
  BfRecord *record[CASE_POINTS];
  BfTable  *table;
} Case;

static inline void case_begin(Case *c) {
  *c                     = (Case){0};
  c->study.name          = "by hand";
  c->study.problem       = "p.yaml";
  c->study.text          = "name: by hand\n";
  c->study.item          = c->item;
  c->study.measure       = c->measure;
  c->study.fit           = c->fit;
  c->plan.study          = &c->study;
  c->plan.point          = c->point;
  c->reference[0]        = (BfSet){NULL, NULL};
  c->study.reference.set = c->reference;
}

/* values: "4 8 16" */
static inline void case_vary(Case *c, char *key, const char *values) {
  const int i     = c->study.items++;
  BfItem   *item  = &c->item[i];
  char     *words = strdup(values);
  c->key[i]       = key;
  *item           = (BfItem){.keys = 1, .key = &c->key[i], .value = c->value[i]};
  for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) item->value[item->count++] = strdup(word);
  free(words);
}

static inline BfMeasure *case_measure(Case *c, BfMeasure measure) {
  c->measure[c->study.measures] = measure;
  return &c->measure[c->study.measures++];
}

static inline void case_fit(Case *c, char *y, char *x, double expect) {
  c->fit[c->study.fits++] = (BfFit){.y = y, .x = x, .expect = expect};
}

static inline void case_point(Case *c, int64_t p) {
  char    key[33];
  BfError error = {0};
  snprintf(key, sizeof key, "%032lld", (long long)p);
  c->point[p] = (BfPoint){.choice = c->choice[p], .refers = -1};
  bf_record_create(key, &c->record[p], &error);
  c->record[p]->state = BF_POINT_DONE;
}

/* All points; and, where `reference` is a value of the last item but one's key, a reference for each value of the other
 * items. */
static inline void case_points(Case *c) {
  int64_t n = 1;
  for (int i = 0; i < c->study.items; i++) n *= c->item[i].count;
  c->plan.points = n;
  for (int64_t p = 0; p < n; p++) {
    int64_t rest = p;
    case_point(c, p);
    for (int i = c->study.items - 1; i >= 0; i--) {
      c->choice[p][i] = rest % c->item[i].count;
      rest /= c->item[i].count;
    }
  }
}

/* The first item is replaced by `value`: one reference for each combination of the others. */
static inline void case_refer(Case *c, char *value) {
  const int64_t others     = c->plan.points / c->item[0].count;
  c->reference[0]          = (BfSet){c->key[0], value};
  c->study.reference.count = 1;
  c->study.has_reference   = true;
  c->plan.references       = others;
  for (int64_t r = 0; r < others; r++) {
    const int64_t p = c->plan.points + r;
    case_point(c, p);
    memcpy(c->choice[p], c->choice[r], sizeof c->choice[p]); /* the first item is the slowest */
    c->choice[p][0]       = -1;
    c->point[p].reference = true;
  }
  for (int64_t p = 0; p < c->plan.points; p++) c->point[p].refers = c->plan.points + p % others;
}

static inline void case_number(Case *c, int64_t p, const char *name, double number) {
  BfError error = {0};
  bf_record_add_number(c->record[p], name, number, &error);
}

static inline const double *case_column(const BfColumns *columns, const char *name) {
  static const double none[CASE_POINTS];
  const BfColumn     *column = bf_columns_find(columns, name);
  return column && column->number ? column->number : none;
}

static inline void case_end(Case *c) {
  bf_table_destroy(&c->table);
  for (int64_t p = 0; p < c->plan.points + c->plan.references; p++) bf_record_destroy(&c->record[p]);
  for (int i = 0; i < c->study.items; i++)
    for (int64_t v = 0; v < c->item[i].count; v++) free(c->value[i][v]);
}
