// What wasm2c's output needs of a runtime, for one module with one memory of fixed size and no tables.
#ifndef WASM_RT_H_
#define WASM_RT_H_

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define WABT_BIG_ENDIAN 0
#define WASM_RT_USE_SEGUE 0
#define WASM_RT_STACK_DEPTH_COUNT 0
#define WASM_RT_MEMCHECK_GUARD_PAGES 0
#define wasm_rt_memcpy memcpy

typedef enum { WASM_RT_TRAP_OOB, WASM_RT_TRAP_UNREACHABLE, WASM_RT_TRAP_DIV_BY_ZERO, WASM_RT_TRAP_INT_OVERFLOW,
               WASM_RT_TRAP_INVALID_CONVERSION, WASM_RT_TRAP_CALL_INDIRECT, WASM_RT_TRAP_EXHAUSTION } wasm_rt_trap_t;
typedef enum { WASM_RT_I32, WASM_RT_I64, WASM_RT_F32, WASM_RT_F64, WASM_RT_V128, WASM_RT_FUNCREF,
               WASM_RT_EXTERNREF } wasm_rt_type_t;

typedef const char *wasm_rt_func_type_t;
typedef void (*wasm_rt_function_ptr_t)(void);
typedef struct { wasm_rt_function_ptr_t fn; } wasm_rt_tailcallee_t;
typedef void *wasm_rt_externref_t;
#define wasm_rt_externref_null_value ((wasm_rt_externref_t)0)
typedef struct {
  wasm_rt_func_type_t func_type;
  wasm_rt_function_ptr_t func;
  wasm_rt_tailcallee_t func_tailcallee;
  void *module_instance;
} wasm_rt_funcref_t;
#define wasm_rt_funcref_null_value ((wasm_rt_funcref_t){0})
typedef struct { wasm_rt_funcref_t *data; uint32_t size; } wasm_rt_funcref_table_t;
typedef struct { wasm_rt_externref_t *data; uint32_t size; } wasm_rt_externref_table_t;

typedef struct { uint8_t *data; uint64_t size; } wasm_rt_memory_t;

static inline void wasm_rt_trap(wasm_rt_trap_t code) {
  fprintf(stderr, "the module trapped: %d\n", (int)code);
  abort();
}

static inline bool wasm_rt_is_initialized(void) { return true; }

static inline void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint64_t pages, uint64_t max_pages, bool is64,
                                           uint32_t page_size) {
  (void)max_pages, (void)is64;
  memory->size = pages * page_size;
  memory->data = calloc(memory->size, 1);
  if (memory->data == NULL) abort();
}

static inline void wasm_rt_free_memory(wasm_rt_memory_t *memory) { free(memory->data); }

#endif
