/* Which kernels a process runs: the last compiled ones that the machine has the instructions for, or those that
 * BELLFORMER_ISA names. */
#include "kernel/instruction_sets.h" /* generated: BF_INSTRUCTION_SETS, what was compiled for this architecture */
#include "kernel/kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DECLARE(isa) extern const BfKernels bf_kernels_##isa;
BF_INSTRUCTION_SETS(DECLARE)
#define ADDRESS(isa) &bf_kernels_##isa,
static const BfKernels *const compiled[] = {BF_INSTRUCTION_SETS(ADDRESS)};
enum { COMPILED = sizeof compiled / sizeof *compiled };

const BfKernels *bf_kernels_compiled(int i) { return i < COMPILED ? compiled[i] : NULL; }

static int runs(const BfKernels *kernels) { return kernels == compiled[0] || bf_machine_runs(kernels->name); }

static const BfKernels *fastest(void) {
  int i = COMPILED - 1;
  while (!runs(compiled[i])) i--;
  return compiled[i];
}

BfStatus bf_kernels_choose(const BfKernels **out, BfError *error) {
  const char *name = getenv("BELLFORMER_ISA");
  char        names[128];
  size_t      length = 0;
  if (!name || !*name) {
    *out = fastest();
    return BF_OK;
  }
  for (int i = 0; i < COMPILED; i++) {
    if (!strcmp(name, compiled[i]->name)) {
      if (!runs(compiled[i]))
        return bf_fail(error, BF_BAD_INPUT, "BELLFORMER_ISA=%s: this machine lacks those instructions; it runs %s",
                       name, fastest()->name);
      *out = compiled[i];
      return BF_OK;
    }
    length += (size_t)snprintf(names + length, sizeof names - length, "%s%s", i ? ", " : "", compiled[i]->name);
  }
  return bf_fail(error, BF_BAD_INPUT, "BELLFORMER_ISA=%.40s: kernels here are %s", name, names);
}

const char *bf_kernels_name(const BfKernels *kernels) { return kernels->name; }
