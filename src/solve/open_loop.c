#include "bellformer/solve.h"

void bf_open_loop_clear(BfOpenLoop *loop) {
  bf_free(loop->action);
  bf_free(loop->control);
  *loop = (BfOpenLoop){0};
}
