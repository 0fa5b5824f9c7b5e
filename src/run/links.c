/* Connections to other hosts. Open MPI 4 waits for ever where a link is dead, or tells that a peer is gone and goes on;
 * the kernel knows when it heard from the other end last. */
#include "bellformer/run.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  double seconds;      /* of silence that end the run */
  bool   first, leads; /* rank 0 of the world, of its node */
} Watch;

static void nap(double seconds) {
  struct timespec left = {(time_t)seconds, (long)((seconds - floor(seconds)) * 1e9)};
  while (nanosleep(&left, &left) != 0) continue;
}

/* Ask the other end for a sign of life now and then; never give the connection up, which only we can tell the user of.
 */
static void keep_alive(int file, double seconds) {
  const int yes = 1, pause = seconds < 8 ? 1 : (int)(seconds / 8), many = 127;
  setsockopt(file, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
  setsockopt(file, IPPROTO_TCP, TCP_KEEPIDLE, &pause, sizeof pause);
  setsockopt(file, IPPROTO_TCP, TCP_KEEPINTVL, &pause, sizeof pause);
  setsockopt(file, IPPROTO_TCP, TCP_KEEPCNT, &many, sizeof many);
}

/* Seconds since anything came from the other end of a TCP connection, data or an acknowledgement; 0 for any other file.
 */
static double silence(int file, double seconds) {
  struct tcp_info info;
  socklen_t       length = sizeof info;
  memset(&info, 0, sizeof info);
  if (getsockopt(file, IPPROTO_TCP, TCP_INFO, &info, &length) != 0 || info.tcpi_state != TCP_ESTABLISHED) return 0;
  keep_alive(file, seconds);
  return 1e-3 * fmin(info.tcpi_last_ack_recv, info.tcpi_last_data_recv);
}

static void name_peer(int file, char name[INET6_ADDRSTRLEN]) {
  struct sockaddr_storage peer;
  socklen_t               length = sizeof peer;
  const void             *address;
  strcpy(name, "a host");
  if (getpeername(file, (struct sockaddr *)&peer, &length) != 0) return;
  if (peer.ss_family == AF_INET6) address = &((struct sockaddr_in6 *)&peer)->sin6_addr;
  else address = &((struct sockaddr_in *)&peer)->sin_addr;
  inet_ntop(peer.ss_family, address, name, INET6_ADDRSTRLEN);
}

/* A connection of this process that has been silent for too long, -1 where there is none. */
static int find_silent(double seconds) {
  int  found  = -1;
  DIR *folder = opendir("/proc/self/fd");
  if (!folder) return -1;
  for (struct dirent *entry; found < 0 && (entry = readdir(folder));) {
    const int file = atoi(entry->d_name);
    if (silence(file, seconds) > seconds) found = file;
  }
  closedir(folder);
  return found;
}

static void speak(double seconds, const char *name) {
  fprintf(stderr, "bellformer: no sign of life from %s for %g s: this run ends; its last checkpoint stands\n", name,
          seconds);
  fflush(stderr);
}

/* Rank 0 speaks for all; where it still hears all its own, the first rank of a node that does not.
 *
 * Before it exits it waits: mpirun, where it has lost the same host, ends all in its own time (eight minutes, unless it
 * was told another); a rank that exits earlier has it send an order to that host, and wait for TCP to give up, a
 * quarter of an hour. The others wait longer still: the launcher ends them. */
static void *watch(void *argument) {
  const Watch  w    = *(Watch *)argument;
  const double rest = 1.25 * w.seconds;
  char         name[INET6_ADDRSTRLEN];
  int          file;
  free(argument);
  while ((file = find_silent(w.seconds)) < 0) nap(fmin(5, w.seconds / 8));
  name_peer(file, name);
  if (w.first) {
    speak(w.seconds, name);
    bf_signals_told(); /* the launcher that lost the host too hands TERM to this rank */
  }
  nap(w.first ? rest : rest + 10);
  if (!w.first && w.leads && !bf_signals_asked()) speak(w.seconds, name);
  _exit(BF_FAILURE);
}

BfStatus bf_links_watch(const BfRun *run, double seconds, BfError *error) {
  if (seconds <= 0 || bf_most_node_ranks(run->world) == run->size) return BF_OK;
  Watch *w = malloc(sizeof *w);
  if (w) {
    *w = (Watch){seconds, run->rank == 0, run->node_rank == 0};
    /* Signals stay with the thread that runs the solve. */
    sigset_t  all, before;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    const int failed = pthread_create(&thread, NULL, watch, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
      free(w);
      w = NULL;
    } else {
      pthread_detach(thread);
    }
  }
  if (!w) bf_fail(error, BF_FAILURE, "no thread to watch the links to other hosts");
  return bf_agree(run->world, error);
}
