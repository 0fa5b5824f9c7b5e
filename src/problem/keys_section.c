/* The sections of a problem file that one command uses and another does not. */
#include "keys_inside.h"

#include <string.h>

/* The section that a key speaks to, 0 where every command reads it. */
static unsigned section_of(const char *row) {
  static const char *const begin[] = {"action.", "quantize.", "flow."}; /* in the order of their bits */
  const char              *last    = strrchr(row, '.');
  for (unsigned k = 0; k < sizeof begin / sizeof *begin; k++)
    if (!strncmp(row, begin[k], strlen(begin[k]))) return 1u << k;
  return last && !strcmp(last, ".levels") ? BF_SECTION_ACTION : 0;
}

int bf_keys_has_section(const BfKeys *keys, unsigned section) {
  const BfGiven *given;
  for (int64_t at = 0; (given = bf_keys_next(keys, &at));)
    if (section_of(given->name.row->name) == section) return 1;
  return 0;
}

BfStatus bf_keys_check_sections(const BfKeys *keys, const BfSections *sections, BfError *error) {
  const BfGiven *given;
  for (int64_t at = 0; (given = bf_keys_next(keys, &at));) {
    const unsigned section = section_of(given->name.row->name);
    if (!given->on_line || !bf_overrides_is_of_line(keys->overrides, given->at) || !section || sections->uses & section)
      continue;
    return bf_keys_refuse(keys, given, error, "by %s", sections->reader);
  }
  return BF_OK;
}
