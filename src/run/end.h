/* The end of a run that cannot end in order, and what it must not leave behind. */
#pragma once
#include "bellformer/run.h"

/* A file that is removed where the run ends at once, by whichever rank ends it. Every rank enlists it: `inode` is the
 * file's (the same on all hosts, which its device is not), 0 while the rank does not know it: then any file of that
 * name is removed. The entry and path are the caller's until it strikes it off. Not collective. */
typedef struct BfTemporary {
  const char         *path;
  uint64_t            inode;
  struct BfTemporary *next;
} BfTemporary;
void bf_temporary_enlist(BfTemporary *temporary);
void bf_temporary_strike(BfTemporary *temporary); /* also of one that was never enlisted */
/* Remove them now; calls nothing that a signal handler may not call. */
void bf_temporaries_remove(void);

/* What goes wrong in a window of memory ends the run, as what goes wrong in a communicator of the program does. */
void bf_window_errors_end_the_run(MPI_Win window);

/* The path of a mark that a rank of this host leaves when it ends the run at once: the launcher then hands TERM to the
 * others, whose handlers must not speak too. In the folder of the launcher's job, which goes with it; false: there is
 * none. */
bool bf_end_mark(size_t size, char path[]);

/* From now on this rank's ends are silent: rank 0 tells the error that all know. */
void bf_end_is_told(void);
/* A collective object stays open that the ranks cannot close together any more (run.h): the program ends by MPI_Abort,
 * after its line, because MPI_Finalize would wait for ever. */
void bf_leave_open(void);
bool bf_left_open(void);
