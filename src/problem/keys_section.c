/* The sections of a problem file that one command uses and another does not. */
#include "keys_inside.h"

bool bf_keys_has_section(const BfKeys *keys, unsigned section) {
  const BfGiven *given;
  for (int64_t at = 0; (given = bf_keys_next(keys, &at));)
    if (bf_key_section(given->name.row) == section) return true;
  return false;
}

BfStatus bf_keys_check_sections(const BfKeys *keys, const BfSections *sections, BfError *error) {
  const BfGiven *given;
  for (int64_t at = 0; (given = bf_keys_next(keys, &at));) {
    const unsigned section = bf_key_section(given->name.row);
    if (!given->on_line || !bf_overrides_is_of_line(keys->overrides, given->at) || !section || sections->uses & section)
      continue;
    return bf_keys_refuse(keys, given, error, "by %s", sections->reader);
  }
  return BF_OK;
}

BfStatus bf_keys_leave_section(BfKeys *keys, unsigned section, BfError *error) {
  const BfGiven *given;
  const char    *unused;
  for (int64_t at = 0; (given = bf_keys_next(keys, &at));) {
    if (bf_key_section(given->name.row) != section) continue;
    if (given->on_line) BF_TRY(bf_overrides_read(keys->overrides, given->key, &unused, error));
    else bf_keys_set_aside(keys, given);
  }
  return BF_OK;
}
