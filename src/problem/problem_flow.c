/* flow.*: what only the continuous-depth flow reads. */
#include "reader.h"
#include "run/text.h"

#include <string.h>

BfStatus bf_read_flow(BfReader *reader, BfError *error) {
  const char *key      = "flow.profile", *name;
  BfProblem  *problem  = reader->problem;
  BfError     not_text = {0};
  char        quote[BF_QUOTE];
  int64_t     count = 0;
  const int   text  = bf_key_text(reader->keys, key, &name, &not_text) == BF_OK;
  if (text && !strcmp(name, "constant")) return BF_OK;
  if (text && !strchr(name, ','))
    return bf_key_fail(reader->keys, key, error, "must be constant or a list of 2 numbers or more, got '%s'%s",
                       bf_text_quote(name, quote), bf_text_hint(name));
  BF_TRY(bf_key_numbers(reader->keys, key, &count, &problem->profile, error));
  if (count < 2 || count > 1000000)
    return bf_key_fail(reader->keys, key, error, "wants 2 to 1000000 numbers, got %lld", (long long)count);
  problem->profile_count = (int)count;
  return BF_OK;
}
