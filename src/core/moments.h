/*
 * moments.h: the mean and the spread of numbers, and whether two means differ.
 */
#ifndef PBT_CORE_MOMENTS_H
#define PBT_CORE_MOMENTS_H

/* How many, their mean, and the sum of squares around it. */
struct pbt_moments {
    double count;
    double mean;
    double squares;
};

struct pbt_moments pbt_moments_of_one(double value);
/* Of both together. */
struct pbt_moments pbt_moments_join(struct pbt_moments a, struct pbt_moments b);

/*
 * Welch's t-test, two-sided: how likely means at least so far apart are, if both samples were
 * drawn from normal distributions with the same mean, whatever their variances.  1 where it
 * can't be said: with fewer than two values on either side, or where squares overflow.
 * The same bits on every machine.
 */
double pbt_welch_p(struct pbt_moments a, struct pbt_moments b);

#endif
