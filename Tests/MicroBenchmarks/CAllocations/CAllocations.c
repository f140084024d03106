#include "CAllocations.h"

#include <stdatomic.h>
#include <stddef.h>

// A program's own come before the C library's (glibc manual, "Replacing malloc"). In C, because Swift keeps these names
// to itself.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static atomic_ulong count;

unsigned long allocation_count(void) { return atomic_load_explicit(&count, memory_order_relaxed); }

void *malloc(size_t bytes) {
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    return __libc_malloc(bytes);
}

void *calloc(size_t number, size_t bytes) {
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    return __libc_calloc(number, bytes);
}

void *realloc(void *old, size_t bytes) {
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    return __libc_realloc(old, bytes);
}
