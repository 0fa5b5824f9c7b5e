#include "run/end.h"
#include "run/limits.h"
#include <stdlib.h>
#include <unistd.h>

/* Agreements have a communicator of their own, shared by all that were duplicated from one: wherever a rank fails, the
 * next agreement of the others is the one that it waits in, and no message of theirs is taken for its. */
typedef struct {
  MPI_Comm comm;
  int      references;
  bool     failed; /* ranks have agreed on a failure */
} Channel;

static int key = MPI_KEYVAL_INVALID;

static int copy_channel(MPI_Comm from, int which, void *extra, void *value, void *copy, int *flag) {
  Channel *channel = value;
  (void)from, (void)which, (void)extra;
  channel->references++;
  *(void **)copy = channel;
  *flag          = 1;
  return MPI_SUCCESS;
}

static int delete_channel(MPI_Comm from, int which, void *value, void *extra) {
  Channel *channel = value;
  (void)from, (void)which, (void)extra;
  if (--channel->references) return MPI_SUCCESS;
  MPI_Comm_free(&channel->comm);
  free(channel);
  return MPI_SUCCESS;
}

static Channel *channel_of(MPI_Comm comm) {
  Channel *channel;
  int      there = 0;
  if (key == MPI_KEYVAL_INVALID) MPI_Comm_create_keyval(copy_channel, delete_channel, &key, NULL);
  MPI_Comm_get_attr(comm, key, &channel, &there);
  if (there) return channel;
  channel = malloc(sizeof *channel);
  if (!channel) {
    BfError error = {0};
    bf_fail(&error, BF_FAILURE, "out of memory: %zu bytes wanted", sizeof *channel);
    bf_end_run_at_once(&error);
  }
  *channel = (Channel){.references = 1};
  MPI_Comm_dup(comm, &channel->comm);
  MPI_Comm_set_attr(comm, key, channel);
  return channel;
}

/* Who failed waits no longer than its patience. */
static void wait_for_others(MPI_Request *request, const BfError *error) {
  const double deadline = bf_seconds() + bf_limits()->patience;
  int          done     = 0;
  for (;;) {
    MPI_Test(request, &done, MPI_STATUS_IGNORE);
    if (done) return;
    if (bf_seconds() > deadline) bf_end_run_at_once(error);
    usleep(500);
  }
}

BfStatus bf_agree(MPI_Comm comm, BfError *error) {
  int         rank, size, first;
  MPI_Request request;
  MPI_Comm_size(comm, &size);
  if (error->known || size == 1) return error->status; /* one rank alone has told nobody */
  Channel *channel = channel_of(comm);
  MPI_Comm_rank(channel->comm, &rank);
  int failed = error->status != BF_OK ? rank : size;
  MPI_Iallreduce(&failed, &first, 1, MPI_INT, MPI_MIN, channel->comm, &request);
  if (error->status != BF_OK) wait_for_others(&request, error);
  else MPI_Wait(&request, MPI_STATUS_IGNORE);
  if (first == size) return BF_OK;
  MPI_Bcast(error, sizeof *error, MPI_BYTE, first, channel->comm);
  error->known = true;
  channel->failed |= error->status != BF_STOPPED;
  return error->status;
}

bool bf_has_failed(MPI_Comm comm) { return channel_of(comm)->failed; }
