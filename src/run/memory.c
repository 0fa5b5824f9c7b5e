#include "bellformer/run.h"
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

/* A line "Name:   123 kB" of /proc/meminfo, in bytes; a very large number where it cannot be read. */
static int64_t meminfo(const char *name) {
  char  line[128];
  FILE *file = fopen("/proc/meminfo", "r");
  if (!file) return INT64_MAX;
  int64_t kilobytes = INT64_MAX >> 10;
  while (fgets(line, sizeof line, file)) {
    long long value;
    if (!strncmp(line, name, strlen(name)) && sscanf(line + strlen(name), ": %lld kB", &value) == 1) kilobytes = value;
  }
  fclose(file);
  return kilobytes << 10;
}

int64_t bf_node_memory_free(void) { return meminfo("MemAvailable"); }

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
