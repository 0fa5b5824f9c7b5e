/* The parts of a checkpoint. */
#pragma once
#include "bellformer/checkpoint.h"

typedef struct {
  char *name;
  int   generation; /* whose file holds it */
} BfArrayEntry;

/* When to save, and when to stop. */
typedef struct {
  double      interval;
  bool        given;     /* whether the user gave the interval */
  double      deadline;  /* bf_seconds() at which the run must be over; INFINITY */
  double      saved;     /* when the last checkpoint was finished */
  double      piece;     /* when ask was last called, and */
  double      longest;   /* the longest that a piece has taken */
  double      bandwidth; /* bytes a second of the last checkpoint */
  double      overhead;  /* seconds a checkpoint takes beside its bytes */
  char       *stop;      /* path of the STOP file */
  double      looked;    /* when it was looked for */
  int         mine, all; /* of the question under way */
  MPI_Request question;
} BfSchedule;

struct BfCheckpoint {
  BfRun              *run;
  BfCheckpointOptions options;
  char               *result;
  char                claim[128];
  BfSchedule          when;
  bool                listens;    /* to signals */
  bool                has_folder; /* made, and claimed */
  int                 part;       /* of the run's work */
  bool                empty;      /* what is restored is of another part: as if nothing were in it */
  int                 generation; /* of the file that is written, or was read */
  int                 next;       /* number of the next one */
  int                 own;        /* the first that this start of the run writes */
  int                 arrays;
  int64_t             room;
  BfArrayEntry       *array;
  int                 kept; /* arrays of the generation before: */
  BfArrayEntry       *keep;
  BfStore            *store;   /* being written, or the file last read */
  int                 reading; /* its generation */
  double              begun;
};

/* Rank 0 watches clocks and files for all. Local. */
BfStatus bf_schedule_create(BfSchedule *when, const BfRun *run, const BfCheckpointOptions *options, const char *result,
                            BfError *error);
/* Seconds until a run must be over, of `hours`, or, where they are 0, of the SLURM job around it; INFINITY. */
double bf_seconds_left(double hours);
/* Of the STOP file beside a result, to be freed with bf_free. */
BfStatus bf_stop_path(const char *result, char **path, BfError *error);
void     bf_schedule_clear(BfSchedule *when);
/* What a checkpoint took: so the next is planned. Not collective. */
void bf_schedule_learn(BfSchedule *when, double bytes, double seconds);

/* The folder's files. Rank 0 alone. */
int      bf_folder_newest(const char *result, int below); /* the largest generation below `below`, -1 */
void     bf_folder_path(const char *result, const char *file, size_t size, char path[]);
BfStatus bf_folder_make(const char *result, BfError *error);
BfStatus bf_folder_remove(const char *result, BfError *error);
void     bf_folder_forget(const char *result, int newest, const BfCheckpoint *checkpoint);
void     bf_folder_forget_below(const char *result, int generation);
BfStatus bf_claim_take(const char *result, char claim[128], BfError *error);
/* The end of a run by itself, whatever its status: the claim says so, if it still is this run's. A claim that does not
 * is of one that lives, or was killed. */
void     bf_claim_leave(const char *result, const char *claim);
BfStatus bf_claim_check(const char *result, const char *claim, BfError *error);
