// Secrets as memcheck sees them: a secret is memory marked undefined. Memcheck follows every bit that depends on it
// and reports a branch or an address that does. `reveal` ends that for what an attacker sees anyway.
#ifndef TAINT_H_
#define TAINT_H_

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <valgrind/memcheck.h>

// The bit that the comparison of a tag ends in is public: whoever sent the message sees whether it was accepted.
#define declassify_any_true(v) reveal_value(simde_wasm_v128_any_true(v))

// Memcheck lets a secret be divided, but the time of a division depends on both operands.
#define CHECKED_DIV_U(x, y) DIV_U(require_public(x), require_public(y))
#define CHECKED_REM_U(x, y) REM_U(require_public(x), require_public(y))

// The condition of a branch or a select of the module. gcc makes conditional moves of some, which memcheck accepts; an
// engine may make branches of the same. The check also hinders gcc, so there is a build with it and builds without.
#ifdef CHECK_CONDITIONS
#define CONDITION(x) require_public(x)
#else
#define CONDITION(x) (x)
#endif

static inline uint32_t reveal_value(uint32_t value) {
  VALGRIND_MAKE_MEM_DEFINED(&value, sizeof value);
  return value;
}

static inline uint64_t require_public(uint64_t value) {
  VALGRIND_CHECK_VALUE_IS_DEFINED(value);
  return value;
}

static inline void make_secret(void *bytes, size_t length) { VALGRIND_MAKE_MEM_UNDEFINED(bytes, length); }
static inline void reveal(void *bytes, size_t length) { VALGRIND_MAKE_MEM_DEFINED(bytes, length); }

/** Offset of the first byte with a secret bit, or -1. */
static inline long first_secret(const uint8_t *bytes, size_t length) {
  uint8_t bits[4096];
  for (size_t at = 0; at < length; at += sizeof bits) {
    size_t count = length - at < sizeof bits ? length - at : sizeof bits;
    VALGRIND_GET_VBITS(bytes + at, bits, count);
    for (size_t i = 0; i < count; i++)
      if (bits[i] != 0) return (long)(at + i);
  }
  return -1;
}

/** Whether every byte has a secret bit. */
static inline int is_all_secret(const uint8_t *bytes, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (first_secret(bytes + i, 1) < 0) return 0;
  return 1;
}

typedef struct { const char *name; void (*run)(void); } check_t;

static int problems;

static inline void expect(int holds, const char *what) {
  if (holds) return;
  problems++;
  printf("       expected: %s\n", what);
}

/** Runs one check; prints `ok`, or `leak` with the number of reports, or `wrong` if an expectation failed. */
static inline void run_check(const check_t *check) {
  unsigned before = VALGRIND_COUNT_ERRORS;
  problems = 0;
  VALGRIND_PRINTF("== %s\n", check->name);
  check->run();
  unsigned reports = VALGRIND_COUNT_ERRORS - before;
  if (reports != 0) printf("leak  %s (%u reports)\n", check->name, reports);
  else printf("%s %s\n", problems == 0 ? "ok   " : "wrong", check->name);
  fflush(stdout);
}

#define RUN_CHECKS(checks)                                                  \
  int main(void) {                                                          \
    if (!RUNNING_ON_VALGRIND) return 2;                                     \
    for (size_t i = 0; i < sizeof(checks) / sizeof(check_t); i++) run_check(&checks[i]); \
    return 0;                                                               \
  }

#endif
