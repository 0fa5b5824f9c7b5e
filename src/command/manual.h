/* What a command tells of itself: help and manual page, from its table of options. */
#pragma once
#include "train/options.h"

enum { BF_TABLES = 16 };

typedef struct {
  const char     *usage;              /* behind "bellformer NAME " */
  const char     *about;              /* prose: paragraphs, each ends with \n */
  const BfOption *options[BF_TABLES]; /* tables, in the order in which they are listed; NULL behind the last */
  const char     *notes;              /* prose; NULL: none */
  bool            stops;              /* can be stopped with a checkpoint: signals, exit code 75 */
} BfManual;

void bf_manual_help(const char *command, const BfManual *manual, FILE *out);
/* The same as a page for man(1). */
void bf_manual_page(const char *command, const char *summary, const BfManual *manual, FILE *out);
