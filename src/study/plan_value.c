/* What varied keys are at a point. */
#include "run/text.h"
#include "study/study.h"
#include <stdlib.h>
#include <string.h>

static const char *referred(const BfSets *reference, const char *key) {
  for (int64_t i = reference->count; i-- > 0;)
    if (!strcmp(reference->set[i].key, key)) return reference->set[i].value;
  return NULL;
}

const char *bf_plan_value(const BfPlan *plan, int64_t point, const char *key) {
  for (int i = 0; i < plan->study->items; i++) {
    const BfItem *item   = &plan->study->item[i];
    const int64_t choice = plan->point[point].choice[i];
    for (int k = 0; k < item->keys; k++)
      if (!strcmp(item->key[k], key))
        return choice < 0 ? referred(&plan->study->reference, key) : item->value[choice * item->keys + k];
  }
  return NULL;
}

bool bf_study_number(const char *list, double *number) {
  double first = 0;
  for (int count = 0;; count++) {
    char         one[64];
    const size_t length = strcspn(list, ",");
    double       value;
    if (length >= sizeof one) return false;
    memcpy(one, list, length);
    one[length] = '\0';
    if (bf_text_number(one, &value) || (count && value != first)) return false;
    first = value;
    if (!list[length]) break;
    list += length + 1;
  }
  *number = first;
  return true;
}

bool bf_plan_number(const BfPlan *plan, int64_t point, const char *key, double *number) {
  const char *value = bf_plan_value(plan, point, key);
  return value && bf_study_number(value, number);
}
