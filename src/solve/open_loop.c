#include "bellformer/solve.h"

BfStatus bf_open_loop_create(const BfProblem *problem, BfOpenLoop *loop, BfError *error) {
  BF_TRY(BF_NEW(&loop->action, problem->horizon, error));
  return BF_NEW(&loop->control, (int64_t)problem->horizon * problem->layer.free, error);
}

void bf_open_loop_clear(BfOpenLoop *loop) {
  bf_free(loop->action);
  bf_free(loop->control);
  *loop = (BfOpenLoop){0};
}
