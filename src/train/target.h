/* What a command writes must be none of what it reads, by whatever path, link or case either is named. */
#pragma once
#include "train/result.h"
#include <stdbool.h>

/* Refuse to write `out` where that, or what is written beside it on the way (out.part; with `checkpoints` also the
 * folder out.checkpoint with all in it, and a file STOP, which is removed), is a plug-in, or a file that the command
 * line names: its first one, those of -options_file, and `other`, which may be NULL; and, with `checkpoints`, where
 * `out` is itself named STOP. Collective. */
BfStatus bf_target_check(const BfRun *run, const BfArguments *arguments, const char *out, bool checkpoints,
                         const char *other, BfError *error);
/* The same for all files of a problem that was read from disk; of one that came from a result nothing is. */
BfStatus bf_target_check_files(const BfRun *run, const char *out, bool checkpoints, const BfFiles *files,
                               BfError *error);
/* Whether two names are of one file, which need not be there: the same last part in the same folder. Local. */
bool bf_target_is_one(const char *a, const char *b);
