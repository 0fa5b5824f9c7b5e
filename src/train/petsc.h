/* PETSc's own options of a trainer: a text, which a run reads from a database of its own. PETSc looks there while the
 * run calls it, in its sub-objects too. Read once before anything runs, so that a misspelt one is found and named. */
#pragma once
#include "train/options.h"

struct _n_PetscOptions;

typedef struct {
  const BfOption    *rows;         /* the trainer's; those of type BF_OPTION_OTHER have defaults */
  const char *const *prefix;       /* "ts_": of the names that are PETSc's; NULL behind the last */
  const char *const (*settled)[2]; /* names that the trainer settles itself, and what to do instead: "give -scheme";
                                      NULL behind the last */
  const char *method;              /* an option that brings others with it ("tao_type"), or NULL */
  int (*look)(void);               /* makes PETSc look up all that a run will, on this rank alone; a PetscErrorCode */
  /* The values that an option may have, into a text; where that is not known, nothing. NULL: it never is. */
  void (*values)(const char *name, size_t size, char text[]);
} BfPetscOptions;

/* "PETSc: what: error 56". */
BfStatus bf_petsc(int code, const char *what, BfError *error);

/* Whether it is PETSc's, by its name. */
bool bf_petsc_is(const BfPetscOptions *kind, const char *option);
/* Those among the options of a run, as "-name value -name value", to be freed with bf_free. What PETSc looks up counts
 * as read; a value that it does not take is refused by name. Local. */
BfStatus bf_petsc_take(const BfPetscOptions *kind, BfOptions *options, char **text, BfError *error);

/* The defaults of the rows, then the text (NULL: none). Destroy it also after a failure. Local. */
BfStatus bf_petsc_database_create(const BfOption rows[], const char *text, struct _n_PetscOptions **database,
                                  BfError *error);
void     bf_petsc_database_destroy(struct _n_PetscOptions **database);
