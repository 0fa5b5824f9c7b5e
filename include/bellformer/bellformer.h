/* All of bellformer: from a problem to a trained model. Link with `pkg-config --cflags --libs bellformer`.
 *
 * Names begin with bf_, Bf or BF_. MPI and PETSc are to be initialized first, by the caller. */
#pragma once
#include "bellformer/checkpoint.h"
#include "bellformer/cost.h"
#include "bellformer/error.h"
#include "bellformer/estimate.h"
#include "bellformer/flow.h"
#include "bellformer/form.h"
#include "bellformer/kind.h"
#include "bellformer/layer.h"
#include "bellformer/main.h"
#include "bellformer/model.h"
#include "bellformer/options.h"
#include "bellformer/plugin.h"
#include "bellformer/problem.h"
#include "bellformer/quantize.h"
#include "bellformer/run.h"
#include "bellformer/solve.h"
#include "bellformer/splitmix64.h"
#include "bellformer/store.h"
#include "bellformer/term.h"
#include "bellformer/version.h"
