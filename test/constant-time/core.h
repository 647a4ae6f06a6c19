// The module and its arena for core.c: public and secret inputs, and what is expected of results.
#ifndef CORE_H_
#define CORE_H_

#include "core.wasm.h"
#include "taint.h"

static w2c_core core;
static uint8_t *memory, *io, *out;

static void begin(void) {
  wasm2c_core_instantiate(&core);
  memory = core.w2c_memory.data;
  io = memory + *w2c_core_ioAddress(&core);
  out = memory + *w2c_core_outAddress(&core);
}

static void end(void) {
  w2c_core_wipeArena(&core, 0, *w2c_core_ioBytes(&core));
  long at = first_secret(memory, core.w2c_memory.size);
  if (at >= 0) printf("       secret bits stay at %#lx\n", at);
  expect(at < 0, "no secret bit left in memory");
  wasm2c_core_free(&core);
}

static size_t put(uint8_t *to, const char *hex) {
  size_t length = strlen(hex) / 2;
  for (size_t i = 0; i < length; i++) sscanf(hex + 2 * i, "%2hhx", &to[i]);
  return length;
}

static size_t put_secret(uint8_t *to, const char *hex) {
  size_t length = put(to, hex);
  make_secret(to, length);
  return length;
}

static uint8_t pattern(size_t i) { return (uint8_t)(i * 167 + (i >> 8) + 13); }

static void put_pattern(uint8_t *to, size_t length) {
  for (size_t i = 0; i < length; i++) to[i] = pattern(i);
}

static void put_secret_pattern(uint8_t *to, size_t length) {
  put_pattern(to, length);
  make_secret(to, length);
}

static int is_pattern(const uint8_t *bytes, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (bytes[i] != pattern(i)) return 0;
  return 1;
}

/** Wants the bytes secret, reveals them and compares them. */
static void expect_result(uint8_t *bytes, const char *hex, const char *what) {
  uint8_t expected[256];
  size_t length = put(expected, hex);
  expect(is_all_secret(bytes, length), "a result that depends on the secrets");
  reveal(bytes, length);
  expect(memcmp(bytes, expected, length) == 0, what);
}

static void reveal_secret(uint8_t *bytes, size_t length) {
  expect(is_all_secret(bytes, length), "a result that depends on the secrets");
  reveal(bytes, length);
}

#endif
