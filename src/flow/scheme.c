/* The schemes: the layers themselves, and Runge-Kutta methods of PETSc's under the names of the field. */
#include "flow/flow.h"
#include <string.h>

/* PETSc 3.18's adjoint gives a wrong parameter gradient for every tableau with a zero weight b[i]; its own 5dp is one.
 * dopri5 is Dormand and Prince's with that weight 1e-30, which no rounding sees (integrator.c registers it). */
static const BfScheme schemes[] = {{"layers", &bf_integrator_layers, NULL, 0, true, false, 1},
                                   {"euler", &bf_integrator_ts, "1fe", 1, false, false, 1},
                                   {"rk4", &bf_integrator_ts, "4", 4, false, false, 8},
                                   {"bs3", &bf_integrator_ts, "3bs", 4, false, true, 1},
                                   {"dopri5", &bf_integrator_ts, "bellformer_dopri5", 7, false, true, 1}};
enum { SCHEMES = sizeof schemes / sizeof *schemes };

const BfScheme *bf_scheme(const char *name) {
  for (int i = 0; i < SCHEMES; i++)
    if (!strcmp(schemes[i].name, name)) return &schemes[i];
  return NULL;
}

const char *bf_scheme_name(int i) { return i >= 0 && i < SCHEMES ? schemes[i].name : NULL; }
