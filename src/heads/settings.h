/* The settings of `bellformer heads`, as its options give them. */
#pragma once
#include "train/petsc.h"

typedef struct {
  double  tau, risk, slope; /* where the descent ends: at tau, or below the others */
  bool    box;
  int64_t outputs; /* K, between the start and the end */
  int64_t groups;  /* of heads; 0: chosen */
  char   *init;    /* a file; NULL: the problem's law */
  int64_t insert, certify;
  bool    kernel, lse;
  char   *petsc; /* PETSc's own, as bf_petsc_take has them */
} BfHeadsSettings;

extern const BfOption       bf_heads_options[]; /* into BfHeadsSettings */
extern const BfPetscOptions bf_heads_petsc;
bool                        bf_heads_petsc_is(const char *option);
/* PETSc's own of a run's options, into the settings. Local. */
BfStatus bf_heads_petsc_take(void *state, BfOptions *options, BfError *error);
/* A database with them, the defaults and the norm of a step's error, which is the maximum; to be destroyed by
 * bf_petsc_database_destroy, also after a failure. Local. */
BfStatus bf_heads_database_create(const char *petsc, struct _n_PetscOptions **database, BfError *error);
