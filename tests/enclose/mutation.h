/* Included before the sources of enclose/, compiled again: each remainder has a name, and a factor. */
#pragma once

/* The factor of a name, which stays where it is. */
double *mutation_factor(const char *name, int rounding);

#define MUTATED(name, rounding)                                                                                        \
  __extension__({                                                                                                      \
    static double *factor;                                                                                             \
    if (!factor) factor = mutation_factor(name, rounding);                                                             \
    *factor;                                                                                                           \
  })
#define BF_REMAINDER(name, x) (MUTATED(name, 0) * (x))
#define BF_ROUNDING(name, x) (MUTATED(name, 1) * (x))
#define BF_EXTREME(name, x, ends) ((ends) + MUTATED(name, 0) * ((x) - (ends)))
