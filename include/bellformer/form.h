/* How the free numbers of a matrix fill it. Pure. */
#pragma once
#include "bellformer/kind.h"

BF_API_BEGIN

/* A form: a row of the table in src/layer/forms.c. Every entry is 0, or given, or one free number times a factor. */
typedef struct {
  BfKind      base;                 /* its keys are those of a matrix that not every form uses */
  bool        given;                /* entries are those of control.A.value; there is no free number */
  bool        pieces;               /* rows, columns and entries may have ranges and levels of their own */
  const char *needs;                /* what a matrix must be, "square"; NULL: anything */
  bool (*fits)(int rows, int cols); /* whether it is; NULL: all are */
  int (*free)(int rows, int cols);  /* how many free numbers */
  /* Which of them entry (r, c) is, and times which *factor; -1: none. */
  int (*number)(int cols, int r, int c, double *factor);
} BfForm;

extern const BfFamily bf_form_family; /* control.A.form; its kinds are BfForms */

const BfForm *bf_form(const char *name); /* NULL for an unknown name */

BF_API_END
