/*
 * bytes.h: numbers as bytes, little-endian whatever the byte order of the
 * machine.  Each function returns where the next number belongs.
 */
#ifndef COMMON_BYTES_H
#define COMMON_BYTES_H

#include <stddef.h>
#include <stdint.h>

/* A whole number of 1 to 8 bytes. */
uint8_t *bytes_put(uint8_t *to, uint64_t value, int bytes);
const uint8_t *bytes_get(const uint8_t *from, uint64_t *value, int bytes);

uint8_t *bytes_put_double(uint8_t *to, double value);
const uint8_t *bytes_get_double(const uint8_t *from, double *value);

uint8_t *bytes_put_floats(uint8_t *to, const float *values, size_t count);
const uint8_t *bytes_get_floats(const uint8_t *from, float *values,
                                size_t count);

#endif
