#pragma once
#include <stdint.h>

/// How many blocks of memory this thread has allocated since it began: malloc, calloc, realloc, reallocarray,
/// posix_memalign, aligned_alloc and memalign, whoever in the process called them. glibc only.
///
/// Of this thread alone, because the benchmark's own threads allocate when they like.
uint64_t allocation_count(void);
