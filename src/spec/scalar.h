/*
 * scalar.h: what a word of YAML 1.2 (core schema) stands for: `1e-4` is a number,
 * `NO` a string.
 */
#ifndef PBT_SPEC_SCALAR_H
#define PBT_SPEC_SCALAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pbt_scalar_type {
    PBT_SCALAR_NULL,
    PBT_SCALAR_BOOL,
    PBT_SCALAR_INT,
    PBT_SCALAR_REAL,
    PBT_SCALAR_STRING,
};

struct pbt_scalar {
    enum pbt_scalar_type type;
    bool truth;  /* BOOL */
    bool whole;  /* INT, or a REAL without a fraction that fits `i` */
    int64_t i;   /* where whole */
    double real; /* INT and REAL */
};

/*
 * `plain`: not quoted.  A whole number beyond 64 bits is a REAL.
 */
struct pbt_scalar pbt_scalar_read(const char *text, size_t length, bool plain);

/* A whole number without a sign, up to 2^64 - 1. */
bool pbt_scalar_u64(const char *text, size_t length, uint64_t *value);

/*
 * What a YAML 1.1 reader (PyYAML, say) would take a plain string for, where that
 * differs: "a truth value", "a number" or NULL.
 */
const char *pbt_scalar_yaml11(const char *text, size_t length);

#endif
