/* What varied keys are at a point. */
#include "run/text.h"
#include "study/read.h"
#include <stdio.h>
#include <string.h>

const char *bf_plan_value(const BfPlan *plan, int64_t point, const char *key) {
  int       which;
  const int i = bf_study_item(plan->study, key, &which);
  if (i < 0) return NULL;
  const BfItem *item   = &plan->study->item[i];
  const int64_t choice = plan->point[point].choice[i];
  return choice < 0 ? bf_sets_find(&plan->study->reference, key) : item->value[choice * item->keys + which];
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

void bf_plan_describe(const BfPlan *plan, int64_t point, size_t size, char text[]) {
  const BfStudy *study = plan->study;
  *text                = '\0';
  for (int i = 0; i < study->items; i++)
    for (int k = 0; k < study->item[i].keys; k++) {
      const size_t used = strlen(text);
      snprintf(text + used, size - used, "%s%s %.60s", used ? ", " : "", study->item[i].key[k],
               bf_plan_value(plan, point, study->item[i].key[k]));
    }
}
