#include "bellformer/plugin.h"
#include "bellformer/run.h"
#include "run/hash.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Of the process, as what they register is. */
enum { MOST = 64 };
static BfPlugin loaded[MOST];
static int      count;

const BfPlugin *bf_plugin(int k) { return k >= 0 && k < count ? &loaded[k] : NULL; }

const BfPlugin *bf_plugin_of(const void *kind) {
  Dl_info where;
  if (!kind || !dladdr(kind, &where)) return NULL;
  for (int k = 0; k < count; k++)
    if (loaded[k].base == (uint64_t)(uintptr_t)where.dli_fbase) return &loaded[k];
  return NULL;
}

/* ---- one file ---------------------------------------------------------------------------------------------------- */

static BfStatus hash_file(const char *path, char hash[17], BfError *error) {
  uint64_t    sum;
  const char *why = bf_hash_file(path, &sum);
  if (why) return bf_fail(error, BF_BAD_INPUT, "cannot read the plug-in %s: %s", path, why);
  snprintf(hash, 17, "%016" PRIx64, sum);
  return BF_OK;
}

/* dlopen's own words, in one line, after the path where they do not begin with it. */
static BfStatus fail_loading(const char *path, BfError *error) {
  const char *said = dlerror();
  if (said && !strncmp(said, path, strlen(path)) && said[strlen(path)] == ':') said += strlen(path) + 1;
  bf_fail(error, BF_BAD_INPUT, "cannot load the plug-in %s: %s", path, said ? said + strspn(said, " ") : "unknown");
  for (char *c = error->text; *c; c++)
    if (*c == '\n') *c = ' ';
  return error->status;
}

/* Map it and look at its version; nothing of it but what a linker starts has run then. */
static BfStatus open_file(const char *path, BfPlugin *plugin, BfError *error) {
  Dl_info where;
  if (!(plugin->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL))) return fail_loading(path, error);
  const int *version = dlsym(plugin->handle, "bf_plugin_version");
  if (!version || !dlsym(plugin->handle, "bf_plugin_register") || !dladdr(version, &where))
    return bf_fail(error, BF_BAD_INPUT, "%s is no plug-in of bellformer: it has no bf_plugin_version and _register",
                   path);
  if (*version != BF_KIND_VERSION)
    return bf_fail(error, BF_BAD_INPUT, "the plug-in %s is of interface version %d, this program has %d", path,
                   *version, BF_KIND_VERSION);
  plugin->base = (uint64_t)(uintptr_t)where.dli_fbase;
  BF_TRY(BF_NEW(&plugin->path, (int64_t)strlen(path) + 1, error));
  strcpy(plugin->path, path);
  plugin->name = strrchr(plugin->path, '/') + 1;
  return BF_OK;
}

static BfStatus register_kinds(const char *path, const BfPlugin *plugin, BfError *error) {
  BfStatus (*enter)(BfError *);
  *(void **)&enter      = dlsym(plugin->handle, "bf_plugin_register"); /* as POSIX has it */
  const BfStatus status = enter(error);
  if (status == BF_OK) return BF_OK;
  bf_fail(error, BF_BAD_INPUT, "it did not say why");
  bf_error_prefix(error, "plug-in %s", path);
  return error->status;
}

static bool is_loaded(const char *hash) {
  for (int k = 0; k < count; k++)
    if (!strcmp(loaded[k].hash, hash)) return true;
  return false;
}

static BfStatus check_same(MPI_Comm comm, const char *path, const char *hash, BfError *error) {
  char of_first[sizeof loaded->hash];
  memcpy(of_first, hash, sizeof of_first);
  MPI_Bcast(of_first, sizeof of_first, MPI_CHAR, 0, comm);
  if (strcmp(of_first, hash)) bf_fail(error, BF_BAD_INPUT, "the plug-in %s is not the same on all ranks", path);
  return bf_agree(comm, error);
}

/* Collective. */
static BfStatus load(MPI_Comm comm, const char *path, BfError *error) {
  BfPlugin plugin = {0};
  BF_TRY(bf_together(comm, hash_file(path, plugin.hash, error), error));
  BF_TRY(check_same(comm, path, plugin.hash, error));
  if (is_loaded(plugin.hash)) return BF_OK;
  if (count == MOST) return bf_fail(error, BF_BAD_INPUT, "%s: there are %d plug-ins already", path, MOST);
  BfStatus status = bf_together(comm, open_file(path, &plugin, error), error);
  if (status == BF_OK) status = bf_together(comm, register_kinds(path, &plugin, error), error);
  if (status == BF_OK) loaded[count++] = plugin;
  else bf_free(plugin.path);
  return status;
}

/* ---- the list ---------------------------------------------------------------------------------------------------- */

/* Rank 0's text on all ranks, to be freed with bf_free. Collective. */
static BfStatus share(MPI_Comm comm, const char *text, char **out, BfError *error) {
  int length = text ? (int)strlen(text) : 0;
  MPI_Bcast(&length, 1, MPI_INT, 0, comm);
  BF_TRY(bf_together(comm, BF_NEW(out, length + 1, error), error));
  int rank;
  MPI_Comm_rank(comm, &rank);
  if (rank == 0 && text) memcpy(*out, text, (size_t)length);
  MPI_Bcast(*out, length, MPI_CHAR, 0, comm);
  return BF_OK;
}

BfStatus bf_plugins_load(MPI_Comm comm, const char *files, BfError *error) {
  char    *list = NULL, *path = NULL;
  BfStatus status;
  BF_GOTO(share(comm, files, &list, error));
  BF_GOTO(bf_together(comm, BF_NEW(&path, (int64_t)strlen(list) + 3, error), error));
  for (const char *at = list; *at;) {
    const size_t length = strcspn(at, ",");
    const bool   folder = memchr(at, '/', length); /* without one the linker would look elsewhere */
    snprintf(path, strlen(list) + 3, "%s%.*s", folder ? "" : "./", (int)length, at);
    if (length) BF_GOTO(load(comm, path, error));
    at += length + (at[length] == ',');
  }
done:
  bf_free(list);
  bf_free(path);
  return status;
}
