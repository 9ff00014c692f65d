/* resize.h: brings a square image to another size, bilinearly, as PyTorch does. */
#ifndef DCGAN_RESIZE_H
#define DCGAN_RESIZE_H

enum { RESIZE_MAX = 64 };

struct resize {
    int from; /* pixels a side, 2 to RESIZE_MAX */
    int to;
    int left[RESIZE_MAX];    /* of a new pixel: the old one to its left, */
    float right[RESIZE_MAX]; /* and the share of the one to the right of that */
};

struct resize resize_plan(int from, int to);

/* One channel. */
void resize_apply(const struct resize *plan, const float *from, float *to);

#endif
