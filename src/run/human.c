/* Quantities as people say them. */
#include "bellformer/run.h"
#include <math.h>
#include <stdio.h>

typedef struct {
  double      size;
  const char *name, *plural;
} Unit;

/* The largest unit that the number, rounded to what is printed, fills. */
static const Unit *choose(const Unit *unit, int units, double x) {
  int i = units - 1;
  while (i > 0 && x < 0.9995 * unit[i].size) i--;
  return &unit[i];
}

const char *bf_human_time(double seconds, char text[BF_HUMAN]) {
  static const Unit unit[] = {{1e-6, "microseconds", NULL}, {1e-3, "milliseconds", NULL}, {1, "seconds", "second"},
                              {60, "minutes", "minute"},    {3600, "hours", "hour"},      {86400, "days", "day"},
                              {31557600, "years", "year"}};
  const int         units  = (int)(sizeof unit / sizeof *unit);
  const Unit       *u      = choose(unit, units, seconds);
  if (!(seconds < 1e300)) snprintf(text, BF_HUMAN, "no end of time");
  else if (u->size == 60 && seconds < 599.5) /* minutes are told with their seconds while these matter */
    snprintf(text, BF_HUMAN, "%d min %d s", (int)(seconds + 0.5) / 60, (int)(seconds + 0.5) % 60);
  else if (u->size >= 1 && seconds / u->size >= 999.5 && u == &unit[units - 1])
    snprintf(text, BF_HUMAN, "%.2g years", seconds / u->size);
  else snprintf(text, BF_HUMAN, "%.3g %s", seconds / u->size, u->name);
  return text;
}

static const char *scaled(double x, const char *const factor[], char text[BF_HUMAN]) {
  int i = 0;
  for (; x >= 999.5 && factor[i + 1]; i++) x /= 1000;
  snprintf(text, BF_HUMAN, "%.3g%s", x, factor[i]);
  return text;
}

const char *bf_human_bytes(double bytes, char text[BF_HUMAN]) {
  static const char *const factor[] = {" bytes", " kB", " MB", " GB", " TB", " PB", " EB", NULL};
  return scaled(bytes, factor, text);
}

const char *bf_human_count(double count, char text[BF_HUMAN]) {
  static const char *const factor[] = {"", " k", " M", " G", " T", " P", NULL};
  return scaled(count, factor, text);
}
