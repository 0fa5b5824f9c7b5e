/* The end of a run that cannot end in order, and what it must not leave behind. */
#pragma once
#include "bellformer/run.h"

/* A file under its temporary name. Every rank enlists it; all remove it where one ends the run at once, and who made it
 * where its process is interrupted. Where `inode` is not 0, only if it is still that file: another run may have put its
 * own in the same place (the inode is the same on all hosts; the device, 0 elsewhere, is of the host that made it). The
 * entry and path are the caller's until it strikes it off. Not collective. */
typedef struct BfTemporary {
  const char         *path;
  bool                made; /* by this rank, or about to be */
  uint64_t            device, inode;
  volatile bool       moving; /* about to get its own name */
  struct BfTemporary *next;
} BfTemporary;
void bf_temporary_enlist(BfTemporary *temporary);
void bf_temporary_strike(BfTemporary *temporary); /* also of one that was never enlisted */
/* Whether its name still is this file. */
bool bf_temporary_is_there(const BfTemporary *temporary);
/* Remove them now, with what Open MPI puts beside them; whether one that this rank made, and does not just give its own
 * name, is gone: a rank that ended the run removed it. Both call nothing that a signal handler may not call. */
void bf_temporaries_remove(bool all);
bool bf_temporaries_were_removed(void);

/* What goes wrong in a window of memory ends the run, as what goes wrong in a communicator of the program does. */
void bf_window_errors_end_the_run(MPI_Win window);

/* The path of a mark that a rank of this host leaves when it ends the run at once: the launcher then hands TERM to the
 * others, whose handlers must not speak too. In the folder of the launcher's job, which goes with it; false: there is
 * none. */
bool bf_end_mark(size_t size, char path[]);

/* From now on this rank's ends are silent: rank 0 tells the error that all know. */
void bf_end_is_told(void);
/* Whether this rank is ending the run at once: what the launcher sends it then is no interruption. */
bool bf_is_ending(void);
/* A collective object stays open that the ranks cannot close together any more (run.h): the program ends by MPI_Abort,
 * after its line, because MPI_Finalize would wait for ever. */
void bf_leave_open(void);
bool bf_left_open(void);
