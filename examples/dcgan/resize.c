/* resize.c: see resize.h. */
#include "resize.h"

#include <math.h>
#include <string.h>

struct resize resize_plan(int from, int to)
{
    struct resize plan = {.from = from, .to = to};

    for (int i = 0; i < to; i++) {
        /* The middles of pixels, of which both sizes cover the same square. */
        double middle = (i + 0.5) * from / to - 0.5;
        double left;

        middle = fmin(fmax(middle, 0.0), from - 1.0);
        left = fmin(floor(middle), from - 2.0);
        plan.left[i] = (int)left;
        plan.right[i] = (float)(middle - left);
    }
    return plan;
}

void resize_apply(const struct resize *plan, const float *from, float *to)
{
    const size_t before = (size_t)plan->from;
    const size_t after = (size_t)plan->to;
    float wide[RESIZE_MAX * RESIZE_MAX]; /* old rows of new pixels */

    if (before == after) {
        memcpy(to, from, after * after * sizeof *to);
        return;
    }
    for (size_t y = 0; y < before; y++)
        for (size_t x = 0; x < after; x++) {
            const float *left = from + y * before + plan->left[x];

            wide[y * after + x] =
                left[0] + plan->right[x] * (left[1] - left[0]);
        }
    for (size_t y = 0; y < after; y++) {
        const float *upper = wide + (size_t)plan->left[y] * after;
        const float *lower = upper + after;

        for (size_t x = 0; x < after; x++)
            to[y * after + x] =
                upper[x] + plan->right[y] * (lower[x] - upper[x]);
    }
}
