/* Plug-ins: kinds (kind.h) from outside of the program, in shared objects that a run loads: README, Extend or embed.
 *
 * A plug-in is C or C++ that is compiled against these headers and registers its kinds in one function:
 *
 *     #include <bellformer/bellformer.h>
 *     static const BfCostKind huber = {.base = {"huber", keys}, .version = BF_KIND_VERSION, ...};
 *     BF_PLUGIN(error) { return bf_cost_register(&huber, error); }
 *
 *     cc -shared -fPIC huber.c -o huber.so $(pkg-config --cflags --libs bellformer)
 *     bellformer solve PROBLEM.yaml -plugin ./huber.so -o RUN.h5
 *
 * What it registers stays loaded until the process ends. */
#pragma once
#include "bellformer/kind.h"
#include "bellformer/with_mpi.h"

BF_API_BEGIN

/* What a plug-in defines; no other name of it is looked for. */
extern const int bf_plugin_version; /* BF_KIND_VERSION of the headers that it was compiled against */
BfStatus         bf_plugin_register(BfError *error);
#define BF_PLUGIN(error)                                                                                               \
  const int bf_plugin_version = BF_KIND_VERSION;                                                                       \
  BfStatus  bf_plugin_register(BfError *error)

typedef struct {
  char    *path;     /* as it was given, "./" before a name without a folder */
  char    *name;     /* the file's, without folders; within path */
  char     hash[17]; /* FNV-1a of its bytes, 64 bits, in hexadecimal: a result tells of what it needs by it */
  void    *handle;   /* dlopen's */
  uint64_t base;     /* where it is loaded */
} BfPlugin;

/* Load files[] "a.so,b.so" in this order; one that is loaded already is passed over. What rank 0 gives counts, NULL is
 * nothing. Call it before a problem is read. BF_BAD_INPUT, with one line, for a file that cannot be read or loaded, is
 * another on another rank, is no plug-in, is of another interface version, or whose kinds are refused: then no problem
 * is to be read afterwards. Collective on comm. */
BfStatus bf_plugins_load(MPI_Comm comm, const char *files, BfError *error);
/* The k-th that was loaded; NULL behind the last. Not collective. */
const BfPlugin *bf_plugin(int k);
/* The plug-in that a kind stands in; NULL: the program. Not collective. */
const BfPlugin *bf_plugin_of(const void *kind);

BF_API_END
