#include "bellformer/run.h"
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

/* A line "Name:   123 kB" of a file in /proc, in bytes; a very large number where it cannot be read. */
static int64_t meminfo(const char *path, const char *name) {
  char  line[128];
  FILE *file = fopen(path, "r");
  if (!file) return INT64_MAX;
  int64_t kilobytes = INT64_MAX >> 10;
  while (fgets(line, sizeof line, file)) {
    long long value;
    if (!strncmp(line, name, strlen(name)) && sscanf(line + strlen(name), ": %lld kB", &value) == 1) kilobytes = value;
  }
  fclose(file);
  return kilobytes << 10;
}

/* A file that holds one number; -1: it does not ("max"), or is not there. */
static int64_t number_in(const char *path) {
  long long value = -1;
  FILE     *file  = fopen(path, "r");
  if (!file) return -1;
  if (fscanf(file, "%lld", &value) != 1) value = -1;
  fclose(file);
  return value;
}

/* What this process's control group (version 2) and those above it leave. Version 1 puts its limit where only the
 * group's own root is seen. */
static int64_t group_memory(void) {
  char    line[2048], path[4096];
  int64_t least = INT64_MAX;
  FILE   *file  = fopen("/proc/self/cgroup", "r");
  if (!file) return least;
  while (fgets(line, sizeof line, file)) {
    if (strncmp(line, "0::", 3)) continue;
    line[strcspn(line, "\n")] = '\0';
    for (char *end = line + strlen(line); end > line + 3; end = strrchr(line + 3, '/')) {
      if (!end) break;
      *end = '\0';
      snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.max", line + 3);
      const int64_t limit = number_in(path);
      snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.current", line + 3);
      const int64_t used = number_in(path);
      if (limit >= 0 && used >= 0 && limit - used < least) least = limit > used ? limit - used : 0;
    }
  }
  fclose(file);
  return least;
}

int64_t bf_node_memory_free(void) {
  const int64_t machine = meminfo("/proc/meminfo", "MemAvailable"), group = group_memory();
  return machine < group ? machine : group;
}

int64_t bf_memory_left(const BfRun *run) {
  const char   *self = "/proc/self/status";
  int64_t       left = bf_node_memory_free();
  struct rlimit limit;
  if (run->memory > 0) {
    const int64_t own = meminfo(self, "RssAnon"), shared = meminfo(self, "RssShmem");
    const int64_t here =
        run->memory - (own < INT64_MAX / 65536 ? own * run->node_size : 0) - (shared < INT64_MAX / 2 ? shared : 0);
    if (here < left) left = here > 0 ? here : 0;
  }
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    const double here = ((double)limit.rlim_cur - (double)meminfo(self, "VmSize")) * run->node_size;
    if (here < (double)left) left = here > 0 ? (int64_t)here : 0;
  }
  return left;
}

double bf_memory_least(const BfRun *run) {
  double left = (double)bf_memory_left(run);
  MPI_Allreduce(MPI_IN_PLACE, &left, 1, MPI_DOUBLE, MPI_MIN, run->world);
  return left;
}

int64_t bf_shared_left(const BfRun *run) {
  int64_t        left = bf_memory_left(run);
  struct statvfs shm;
  if (statvfs("/dev/shm", &shm) == 0) {
    const int64_t room = (int64_t)shm.f_bavail * (int64_t)shm.f_frsize;
    if (room < left) left = room;
  }
  return left;
}

bool bf_memory_fits(const BfRun *run, double bytes, double *want, double *left) {
  double       node = 0;
  const double here = (double)bf_memory_left(run);
  MPI_Allreduce(&bytes, &node, 1, MPI_DOUBLE, MPI_SUM, run->node);
  struct {
    double lack;
    int    rank;
  } mine         = {node - here, run->rank}, most;
  double both[2] = {node, here};
  MPI_Allreduce(&mine, &most, 1, MPI_DOUBLE_INT, MPI_MAXLOC, run->world);
  MPI_Bcast(both, 2, MPI_DOUBLE, most.rank, run->world);
  *want = both[0];
  *left = both[1];
  return most.lack <= 0;
}

int64_t bf_least_memory_free(MPI_Comm comm) {
  int64_t mine = bf_node_memory_free(), least;
  MPI_Allreduce(&mine, &least, 1, MPI_INT64_T, MPI_MIN, comm);
  return least;
}

int bf_most_node_ranks(MPI_Comm comm) {
  MPI_Comm node;
  int      mine, most;
  MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  MPI_Comm_size(node, &mine);
  MPI_Comm_free(&node);
  MPI_Allreduce(&mine, &most, 1, MPI_INT, MPI_MAX, comm);
  return most;
}

int64_t bf_disk_free(const char *path) {
  char           folder[4096];
  struct statvfs disk;
  snprintf(folder, sizeof folder, "%s", path);
  if (statvfs(dirname(folder), &disk) != 0) return INT64_MAX;
  return (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
}

int64_t bf_peak_memory(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (int64_t)usage.ru_maxrss << 10;
}
