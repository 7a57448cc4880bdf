/* The clock of a process that jumps ahead and back by hours, four times a second.

   cc -shared -fPIC jumping_clock.c -o jumping_clock.so; LD_PRELOAD=./jumping_clock.so COMMAND

   Only the time of day jumps. The steady clock stays as it is, as on a machine whose
   administrator sets the time. */

#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const long HOURS[] = {0, 7, -7, 30, -1000};

static time_t jump(void) {
  struct timespec steady;
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &steady);
  return 3600 * HOURS[(steady.tv_sec * 4 + steady.tv_nsec / 250000000) % 5];
}

int clock_gettime(clockid_t which, struct timespec *now) {
  int result = syscall(SYS_clock_gettime, which, now);
  if (result == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE))
    now->tv_sec += jump();
  return result;
}

int gettimeofday(struct timeval *now, void *zone) {
  struct timespec precise;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &precise);
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *now) {
  struct timespec precise;
  clock_gettime(CLOCK_REALTIME, &precise);
  if (now) *now = precise.tv_sec;
  return precise.tv_sec;
}
