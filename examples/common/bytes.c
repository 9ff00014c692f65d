/* bytes.c: see bytes.h. */
#include "bytes.h"

#include <string.h>

uint8_t *bytes_put(uint8_t *to, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        *to++ = (uint8_t)(value >> (8 * i));
    return to;
}

const uint8_t *bytes_get(const uint8_t *from, uint64_t *value, int bytes)
{
    *value = 0;
    for (int i = 0; i < bytes; i++)
        *value |= (uint64_t)*from++ << (8 * i);
    return from;
}

uint8_t *bytes_put_double(uint8_t *to, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bytes_put(to, bits, 8);
}

const uint8_t *bytes_get_double(const uint8_t *from, double *value)
{
    uint64_t bits;

    from = bytes_get(from, &bits, 8);
    memcpy(value, &bits, sizeof bits);
    return from;
}

uint8_t *bytes_put_floats(uint8_t *to, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;

        memcpy(&bits, &values[i], sizeof bits);
        to = bytes_put(to, bits, 4);
    }
    return to;
}

const uint8_t *bytes_get_floats(const uint8_t *from, float *values,
                                size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t wide;
        uint32_t bits;

        from = bytes_get(from, &wide, 4);
        bits = (uint32_t)wide;
        memcpy(&values[i], &bits, sizeof bits);
    }
    return from;
}
