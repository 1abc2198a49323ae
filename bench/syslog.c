// Messages by syslog(3), in C: prints when the first was sent (ms of
// CLOCK_MONOTONIC), and the time of all calls and of the processor, in ms.
//
// usage: syslog COUNT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <syslog.h>
#include <time.h>

enum { kLength = 100 };

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static double processor(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

int main(int argc, char** argv) {
  const long count = argc > 1 ? atol(argv[1]) : 0;
  char(*texts)[kLength + 1] = malloc((size_t)count * sizeof *texts);
  if (!texts) return 1;
  for (long i = 0; i < count; i++) {
    const int length = snprintf(texts[i], sizeof *texts, "#%ld ", i);
    memset(texts[i] + length, '-', (size_t)(kLength - length));
    texts[i][kLength] = 0;
  }
  openlog("bench", LOG_PID, LOG_DAEMON);
  const double before = processor();
  const double begin = now();
  for (long i = 0; i < count; i++) syslog(LOG_INFO, "%s", texts[i]);
  const double loop = now() - begin;
  printf("{\"begin\":%.3f,\"loop\":%.3f,\"cpu\":%.3f}\n", begin, loop,
         processor() - before);
  return 0;
}
