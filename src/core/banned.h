/*
 * banned.h: what the core must not call, made into names that don't exist.
 *
 * CMake puts it in front of every file of src/core.  The headers come first:
 * their declarations must not meet the macros.  A call matches, a member of a
 * structure called `time` does not.
 */
#ifndef PBT_CORE_BANNED_H
#define PBT_CORE_BANNED_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The names are those of others. */
/* NOLINTBEGIN(readability-identifier-naming) */

/* Some are macros already, as with _FORTIFY_SOURCE. */
#undef time
#undef clock
#undef clock_gettime
#undef sleep
#undef rand
#undef srand
#undef random
#undef drand48
#undef getenv
#undef fopen
#undef open
#undef read
#undef write
#undef printf
#undef fprintf
#undef abort
#undef exit
#undef exp
#undef log
#undef pow
#undef malloc
#undef calloc
#undef realloc
#undef strdup
#undef strcpy
#undef strcat
#undef sprintf
#undef alloca

/* No clock: time comes with the event. */
#define time(x) core_must_not_call_time(x)
#define clock(x) core_must_not_call_clock(x)
#define clock_gettime(x, y) core_must_not_call_clock_gettime(x, y)
#define sleep(x) core_must_not_call_sleep(x)

/* No randomness but the keyed draws of base/draw.h. */
#define rand(x) core_must_not_call_rand(x)
#define srand(x) core_must_not_call_srand(x)
#define random(x) core_must_not_call_random(x)
#define drand48(x) core_must_not_call_drand48(x)

/* No world. */
#define getenv(x) core_must_not_call_getenv(x)
#define fopen(x, y) core_must_not_call_fopen(x, y)
#define open(...) core_must_not_call_open(__VA_ARGS__)
#define read(x, y, z) core_must_not_call_read(x, y, z)
#define write(x, y, z) core_must_not_call_write(x, y, z)
#define printf(...) core_must_not_call_printf(__VA_ARGS__)
#define fprintf(...) core_must_not_call_fprintf(__VA_ARGS__)
#define abort(x) core_must_not_call_abort(x)
#define exit(x) core_must_not_call_exit(x)

/* Not to the bit the same everywhere: base/draw.h has its own. */
#define exp(x) core_must_not_call_exp(x)
#define log(x) core_must_not_call_log(x)
#define pow(x, y) core_must_not_call_pow(x, y)

/* The state is made whole in core.c; only lists of checkpoints grow later. */
#ifndef PBT_CORE_ALLOCATES
#define malloc(x) core_must_not_call_malloc(x)
#define calloc(x, y) core_must_not_call_calloc(x, y)
#define realloc(x, y) core_must_not_call_realloc(x, y)
#define strdup(x) core_must_not_call_strdup(x)
#endif

/* Nobody's. */
#define strcpy(x, y) core_must_not_call_strcpy(x, y)
#define strcat(x, y) core_must_not_call_strcat(x, y)
#define sprintf(...) core_must_not_call_sprintf(__VA_ARGS__)
#define alloca(x) core_must_not_call_alloca(x)

/* NOLINTEND(readability-identifier-naming) */

#endif
