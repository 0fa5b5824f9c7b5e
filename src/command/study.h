/* What a study can run, as a table that study/ goes by. */
#pragma once
#include "command/command.h"
#include "study/study.h"

typedef struct BfStudyCommands BfStudyCommands;

BfStatus              bf_study_commands_create(BfStudyCommands **out, BfError *error);
void                  bf_study_commands_destroy(BfStudyCommands **commands);
const BfStudyCommand *bf_study_commands(const BfStudyCommands *commands); /* a row without a name ends it */
