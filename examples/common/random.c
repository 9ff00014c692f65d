/* random.c: see random.h. */
#include "random.h"

#include <math.h>

uint64_t random_draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t random_below(uint64_t *state, uint64_t below)
{
    /* The lowest numbers are left out, so that the rest divides evenly. */
    const uint64_t left_out = (UINT64_MAX - below + 1) % below;
    uint64_t z;

    do
        z = random_draw(state);
    while (z < left_out);
    return z % below;
}

double random_unit(uint64_t *state)
{
    return (double)(random_draw(state) >> 11) * 0x1p-53;
}

void random_order(uint32_t *order, size_t count)
{
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
}

uint32_t random_next(uint64_t *state, uint32_t *order, size_t count, size_t at)
{
    const size_t other = at + (size_t)random_below(state, count - at);
    const uint32_t drawn = order[other];

    order[other] = order[at];
    order[at] = drawn;
    return drawn;
}

/* By Box and Muller, two at a time. */
void random_normal(uint64_t *state, double deviation, float *to, size_t count)
{
    const double turn = 6.283185307179586;

    for (size_t i = 0; i < count; i += 2) {
        double radius = deviation * sqrt(-2.0 * log1p(-random_unit(state)));
        double angle = turn * random_unit(state);

        to[i] = (float)(radius * cos(angle));
        if (i + 1 < count)
            to[i + 1] = (float)(radius * sin(angle));
    }
}
