/* The kinds of terms: those of the program, then those of plug-ins; and the terms that a layer has. */
#include "layer/term_kinds.h"

#include <ctype.h>
#include <string.h>

#define ADDRESS(kind) &bf_term_##kind,
static const BfTermKind *kinds[BF_MOST_TERMS + 1] = {BF_TERM_KINDS(ADDRESS)}; /* ends with NULL */

const BfTermKind *bf_term_kind(int k) { return kinds[k]; }

static const BfKind *kind_at(int k) { return kinds[k] ? &kinds[k]->base : NULL; }

/* ---- those of plug-ins ------------------------------------------------------------------------------------------ */

static bool is_word(const char *name) {
  const char *at = name;
  while (*at == '_' || isalnum((unsigned char)*at)) at++;
  return at > name && !*at && isalpha((unsigned char)*name);
}

static BfStatus check_matrix(const BfTermKind *kind, const char *name, BfError *error) {
  if (!is_word(name) || strchr(name, '_') || strlen(name) > 11)
    return bf_fail(error, BF_BAD_INPUT, "layer term %s: a matrix is called '%s'", kind->base.name, name);
  for (int k = 0; kinds[k]; k++)
    for (const char *const *taken = kinds[k]->matrices; *taken; taken++)
      if (!strncmp(*taken, name, strcspn(*taken, "_")) && strlen(name) == strcspn(*taken, "_"))
        return bf_fail(error, BF_BAD_INPUT, "layer term %s: term %s has a matrix %s already", kind->base.name,
                       kinds[k]->base.name, name);
  return BF_OK;
}

static BfStatus check_functions(const BfTermKind *kind, BfError *error) {
  const char *name = kind->base.name;
  if (!kind->apply)
    return bf_fail(error, BF_BAD_INPUT,
                   "layer term %s has no function apply: terms that see the measure are the program's own", name);
  if (!kind->transposed || !kind->matrix || !kind->read || !kind->matrices)
    return bf_fail(error, BF_BAD_INPUT, "layer term %s has no %s", name,
                   !kind->transposed ? "function transposed"
                   : !kind->matrix   ? "function matrix"
                   : !kind->read     ? "function read"
                                     : "names of matrices");
  return BF_OK;
}

static BfStatus check_key(const BfTermKind *kind, const BfKey *key, BfError *error) {
  if (!strncmp(key->name, "layer.", 6)) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "layer term %s: the key %s does not begin with layer.", kind->base.name,
                 key->name);
}

/* What its kinds use may be named like anything: other families' keys, too. */
static BfStatus check_family(const BfTermKind *kind, BfError *error) {
  const BfFamily *family = kind->family;
  if (!family) return BF_OK;
  if (!family->key || !family->key->name || !family->kind || !family->kind(0))
    return bf_fail(error, BF_BAD_INPUT, "layer term %s: its family has no %s", kind->base.name,
                   family->key && family->key->name ? "kinds" : "key");
  return check_key(kind, family->key, error);
}

BfStatus bf_term_register(const BfTermKind *kind, BfError *error) {
  const char *name  = kind->base.name;
  int         count = 0;
  if (kind->version != BF_KIND_VERSION)
    return bf_fail(error, BF_BAD_INPUT, "layer term %s is of interface version %d, this program has %d",
                   name ? name : "", kind->version, BF_KIND_VERSION);
  if (!name || !is_word(name))
    return bf_fail(error, BF_BAD_INPUT, "a layer term is called '%s', which is no word", name ? name : "");
  if (bf_kind_find(kind_at, name) >= 0) return bf_fail(error, BF_BAD_INPUT, "there is a layer term %s already", name);
  BF_TRY(check_functions(kind, error));
  BF_TRY(check_family(kind, error));
  for (const BfKey *key = kind->base.keys; key && key->name; key++) BF_TRY(check_key(kind, key, error));
  for (const char *const *matrix = kind->matrices; *matrix; matrix++) BF_TRY(check_matrix(kind, *matrix, error));
  while (kinds[count]) count++;
  if (count == BF_MOST_TERMS)
    return bf_fail(error, BF_BAD_INPUT, "layer term %s: there are %d kinds already", name, BF_MOST_TERMS);
  kinds[count] = kind;
  return BF_OK;
}

/* ---- of a layer ------------------------------------------------------------------------------------------------- */

const BfTerm *bf_layer_term(const BfLayer *layer, const BfTermKind *kind) {
  for (int k = 0; k < layer->terms; k++)
    if (layer->term[k].kind == kind) return &layer->term[k];
  return NULL;
}

static BfStatus create(const BfTermKind *kind, BfTerm *term, BfError *error) {
  *term = (BfTerm){.kind = kind};
  return kind->own ? BF_NEW((char **)&term->own, (int64_t)kind->own, error) : BF_OK;
}

BfStatus bf_layer_add_term(BfLayer *layer, const char *name, BfError *error) {
  const int k = bf_kind_find(kind_at, name);
  if (k < 0) return bf_fail(error, BF_BAD_INPUT, "there is no layer term %s", name);
  if (bf_layer_term(layer, kinds[k])) return bf_fail(error, BF_BAD_INPUT, "the layer has its term %s already", name);
  return create(kinds[k], &layer->term[layer->terms++], error);
}

BfStatus bf_layer_read_terms(BfLayer *layer, const BfKeyReader *keys, BfError *error) {
  int count = 0;
  while (kinds[count]) count++;
  for (int k = count - 1; k >= 0; k--) { /* attention last: it fails where there is no other term */
    BfTerm  *term  = &layer->term[layer->terms];
    bool     there = false;
    BfStatus status;
    BF_TRY(create(kinds[k], term, error));
    status = kinds[k]->read(layer, term, keys, &there, error);
    if (there && status == BF_OK) {
      layer->terms++;
    } else {
      bf_free(term->own);
      *term = (BfTerm){0};
    }
    BF_TRY(status);
  }
  return BF_OK;
}

int64_t bf_terms_work(const BfLayer *layer) {
  int64_t most = 0;
  for (int k = 0; k < layer->terms; k++) {
    const BfTermKind *kind = layer->term[k].kind;
    const int64_t     work = kind->work ? kind->work(layer, &layer->term[k]) : 0;
    if (work > most) most = work;
  }
  return most;
}
