// Runs the functions of twin.mjs on secret bytes. run.mjs expects a leak from each whose name says so.

#include "twin.wasm.h"
#include "taint.h"

static w2c_twin twin;
static volatile uint32_t sink;

static void begin(void) {
  wasm2c_twin_instantiate(&twin);
  for (int i = 0; i < 32; i++) twin.w2c_memory.data[1024 + i] = (uint8_t)(i * 7 & 15);
  for (int i = 0; i < 256; i++) twin.w2c_memory.data[2048 + i] = (uint8_t)(i + 1);
  make_secret(twin.w2c_memory.data + 1024, 32);
}

static void end(uint32_t result) {
  sink = result;
  wasm2c_twin_free(&twin);
}

#define CHECK(name) \
  static void check_##name(void) { begin(); end(w2c_twin_##name(&twin)); }

CHECK(leakyLookup)
CHECK(steadyLookup)
CHECK(leakyEqual)
CHECK(steadyEqual)
CHECK(leakyVectorEqual)
CHECK(steadyVectorLookup)
CHECK(leakyDivision)
CHECK(leakyLoop)

static const check_t checks[] = {
  {"leakyLookup", check_leakyLookup},           {"steadyLookup", check_steadyLookup},
  {"leakyEqual", check_leakyEqual},             {"steadyEqual", check_steadyEqual},
  {"leakyVectorEqual", check_leakyVectorEqual}, {"steadyVectorLookup", check_steadyVectorLookup},
  {"leakyDivision", check_leakyDivision},       {"leakyLoop", check_leakyLoop},
};

RUN_CHECKS(checks)
