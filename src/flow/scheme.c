/* The schemes: the layers themselves, and Runge-Kutta methods of PETSc's under the names of the field. */
#include "flow/flow.h"
#include "flow/settings.h"
#include "run/text.h"

/* PETSc 3.18's adjoint gives a wrong parameter gradient for every tableau with a zero weight b[i]; its own 5dp is one.
 * dopri5 is Dormand and Prince's with that weight 1e-30, which no rounding sees (integrator.c registers it). */
static const BfScheme schemes[] = {
    {"layers", &bf_integrator_layers, NULL, 0, true, false, 1, BF_STANDARD_AFTER_SOLVE},
    {"euler", &bf_integrator_ts, "1fe", 1, false, false, BF_STEPS_EULER, BF_STANDARD_NEVER},
    {"rk4", &bf_integrator_ts, "4", 4, false, false, BF_STEPS_RK4, BF_STANDARD_ELSEWHERE},
    {"bs3", &bf_integrator_ts, "3bs", 4, false, true, 1, BF_STANDARD_NEVER},
    {"dopri5", &bf_integrator_ts, "bellformer_dopri5", 7, false, true, 1, BF_STANDARD_NEVER}};
enum { SCHEMES = sizeof schemes / sizeof *schemes };

int bf_scheme_standard(bool after_solve) {
  int i = 0;
  while (schemes[i].standard != (after_solve ? BF_STANDARD_AFTER_SOLVE : BF_STANDARD_ELSEWHERE)) i++;
  return i;
}

const char *bf_scheme_name(int i) { return i >= 0 && i < SCHEMES ? schemes[i].name : NULL; }

const BfScheme *bf_scheme(const char *name) {
  const int i = bf_text_find(bf_scheme_name, name);
  return i < 0 ? NULL : &schemes[i];
}
