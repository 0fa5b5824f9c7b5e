/* The plug-ins of a result's problem: told in the file, and looked for where it is read. */
#include "bellformer/plugin.h"
#include "model/format.h"
#include <stdio.h>
#include <string.h>

/* Whether a kind of the problem stands in the plug-in. */
static bool is_used(const BfPlugin *plugin, const BfProblem *problem) {
  const BfLayer *layer = &problem->layer;
  for (int k = 0; k < layer->terms; k++)
    if (bf_plugin_of(layer->term[k].kind) == plugin) return true;
  return bf_plugin_of(problem->cost.kind) == plugin;
}

/* A group for each plug-in that the problem needs. */
BfStatus bf_plugins_save(const BfProblem *problem, BfStore *store, BfError *error) {
  const BfPlugin *plugin;
  for (int k = 0; (plugin = bf_plugin(k)); k++) {
    char path[64];
    if (!is_used(plugin, problem)) continue;
    snprintf(path, sizeof path, "/problem/plugins/%04d", k);
    BF_TRY(bf_store_put_text(store, path, "name", plugin->name, error));
    BF_TRY(bf_store_put_text(store, path, "hash", plugin->hash, error));
  }
  return BF_OK;
}

/* Whether that plug-in is loaded; else what is amiss. */
static BfStatus find(const char *name, const char *hash, BfError *error) {
  const BfPlugin *plugin, *alike = NULL;
  for (int k = 0; (plugin = bf_plugin(k)); k++) {
    if (!strcmp(plugin->hash, hash)) return BF_OK;
    if (!strcmp(plugin->name, name)) alike = plugin;
  }
  if (!alike) return bf_fail(error, BF_BAD_INPUT, "needs the plug-in %s (hash %s): -plugin FILE", name, hash);
  return bf_fail(error, BF_BAD_INPUT, "needs another plug-in %s than is loaded: of hash %s, not %s", name, hash,
                 alike->hash);
}

static BfStatus check(BfStore *store, const char *group, bool *missing, BfError *error) {
  char     path[128], *name = NULL, *hash = NULL;
  BfStatus status;
  snprintf(path, sizeof path, "/problem/plugins/%s", group);
  BF_GOTO(bf_store_get_text(store, path, "name", &name, error));
  BF_GOTO(bf_store_get_text(store, path, "hash", &hash, error));
  status   = bf_store_together(store, find(name, hash, error), error);
  *missing = status != BF_OK;
done:
  bf_free(name);
  bf_free(hash);
  return status;
}

BfStatus bf_plugins_check(BfStore *store, bool *missing, BfError *error) {
  int      count = 0;
  char   **names = NULL;
  bool     there;
  BfStatus status = bf_store_has(store, "/problem/plugins", &there, error);
  *missing        = false;
  if (status == BF_OK && there) status = bf_store_list(store, "/problem/plugins", &count, &names, error);
  for (int i = 0; i < count && status == BF_OK; i++) status = check(store, names[i], missing, error);
  for (int i = 0; i < count; i++) bf_free(names[i]);
  bf_free(names);
  return status;
}
