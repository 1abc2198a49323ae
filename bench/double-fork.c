// A double fork in C, with as much memory touched as the argument says in
// bytes; prints how many ms passed until the last process ran.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { kChunk = 1 << 20 };

static long resident(void) {
  long size = 0, pages = 0;
  FILE* statm = fopen("/proc/self/statm", "r");
  if (!statm || fscanf(statm, "%ld %ld", &size, &pages) != 2) exit(1);
  fclose(statm);
  return pages * sysconf(_SC_PAGESIZE);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

int main(int argc, char** argv) {
  const long target = argc > 1 ? atol(argv[1]) : 0;
  while (resident() < target) {
    char* chunk = malloc(kChunk);
    if (!chunk) return 1;
    memset(chunk, 1, kChunk);
  }

  const double begin = now();
  const pid_t child = fork();
  if (child < 0) return 1;
  if (child > 0) {
    waitpid(child, NULL, 0);
    _exit(0);
  }
  setsid();
  const pid_t grandchild = fork();
  if (grandchild != 0) _exit(grandchild < 0);
  printf("%.3f\n", now() - begin);
  return 0;
}
