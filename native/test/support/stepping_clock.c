/*
 * A library to be loaded in front of the others: the wall clock of the process jumps by two hours,
 * forth and back, several times a second, as it does when somebody sets it. The steady clock goes
 * on.
 *
 * What waits for a point of the wall clock in the system (abseil's condition variables do) gets the
 * point that the system's own clock has for it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { kStepSeconds = 7200, kPeriodMs = 150 };

typedef int (*clock_gettime_function)(clockid_t, struct timespec*);
typedef long (*syscall_function)(long, ...);

static int SystemTime(clockid_t clock, struct timespec* time) {
  static clock_gettime_function next;
  if (next == NULL) next = (clock_gettime_function)dlsym(RTLD_NEXT, "clock_gettime");
  return next(clock, time);
}

/* -1, 0 or 1. */
static long Step(void) {
  struct timespec steady;
  SystemTime(CLOCK_MONOTONIC, &steady);
  const long periods = (steady.tv_sec * 1000 + steady.tv_nsec / 1000000) / kPeriodMs;
  return periods % 3 - 1;
}

int clock_gettime(clockid_t clock, struct timespec* time) {
  const int result = SystemTime(clock, time);
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) {
    time->tv_sec += Step() * kStepSeconds;
  }
  return result;
}

int gettimeofday(struct timeval* restrict time, void* restrict zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* result) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (result != NULL) *result = now.tv_sec;
  return now.tv_sec;
}

/* The point that was meant: whichever step the clock stood at when it was computed. */
static struct timespec Meant(const struct timespec* until) {
  struct timespec now;
  struct timespec meant = *until;
  SystemTime(CLOCK_REALTIME, &now);
  while (meant.tv_sec - now.tv_sec > kStepSeconds / 2) meant.tv_sec -= kStepSeconds;
  while (now.tv_sec - meant.tv_sec > kStepSeconds / 2) meant.tv_sec += kStepSeconds;
  return meant;
}

long syscall(long number, ...) {
  static syscall_function next;
  long arguments[6];
  va_list list;
  if (next == NULL) next = (syscall_function)dlsym(RTLD_NEXT, "syscall");
  va_start(list, number);
  for (int i = 0; i < 6; ++i) arguments[i] = va_arg(list, long);
  va_end(list);
  struct timespec meant;
  if (number == SYS_futex && (arguments[1] & FUTEX_CLOCK_REALTIME) != 0 && arguments[3] != 0) {
    meant = Meant((const struct timespec*)arguments[3]);
    arguments[3] = (long)&meant;
  }
  return next(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
              arguments[5]);
}
