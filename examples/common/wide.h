/*
 * wide.h: WIDE compiles a function several times, for AVX-512, AVX2 and the
 * baseline; the dynamic linker picks one for the CPU at hand.  It needs x86-64,
 * glibc and a compiler with target_clones.  Sanitizers are not ready when the
 * linker picks, so they get the baseline.  Other CPUs need none: NEON is part of
 * arm64's baseline.
 */
#ifndef COMMON_WIDE_H
#define COMMON_WIDE_H

#if defined(__has_feature)
#define WIDE_HAS_FEATURE(feature) __has_feature(feature)
#else
#define WIDE_HAS_FEATURE(feature) 0
#endif
#if defined(__has_attribute)
#define WIDE_HAS_ATTRIBUTE(attribute) __has_attribute(attribute)
#else
#define WIDE_HAS_ATTRIBUTE(attribute) 0
#endif

#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__AVX512F__) &&      \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) &&         \
    !WIDE_HAS_FEATURE(address_sanitizer) &&                                    \
    !WIDE_HAS_FEATURE(thread_sanitizer) &&                                     \
    !WIDE_HAS_FEATURE(memory_sanitizer) && WIDE_HAS_ATTRIBUTE(target_clones)
#define WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WIDE
#endif

#endif
