/*
 * dcgan_steps: times the DCGAN's training steps, on one thread.
 *
 *     dcgan_steps [ROUNDS]
 *
 * Prints the milliseconds of CPU time of a step: 64 real images and 64 fakes for
 * the discriminator, the fakes once more for the generator; the middle one of
 * several rounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/random.h"
#include "gan.h"

enum { MOST_ROUNDS = 99, STEPS = 5 };

static float noise[GAN_BATCH_NOISE];
static float real[GAN_BATCH * GAN_PIXELS];

static double milliseconds(void)
{
    struct timespec now = {0, 0};

    /* cannot fail on Linux */
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return 1e3 * (double)now.tv_sec + 1e-6 * (double)now.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;

    return (*x > *y) - (*x < *y);
}

/* Images that are ready, and noise drawn anew, on both sides of the comparison. */
static void round_of(struct gan *gan, uint64_t *random)
{
    for (int i = 0; i < STEPS; i++) {
        struct gan_losses losses;
        struct failure failure;

        random_normal(random, 1.0, noise, GAN_BATCH_NOISE);
        if (gan_step(gan, real, noise, &losses, &failure) != 0) {
            (void)fprintf(stderr, "%s\n", failure.text);
            exit(1);
        }
    }
}

int main(int argc, char **argv)
{
    const int rounds = argc > 1 ? atoi(argv[1]) : 9;
    double spent[MOST_ROUNDS];
    struct failure failure;
    struct gan gan;
    uint64_t random = 1;

    if (rounds < 1 || rounds > MOST_ROUNDS) {
        (void)fputs("usage: dcgan_steps [ROUNDS]\n", stderr);
        return 2;
    }
    if (gan_open(&gan, 1, &random, &failure) != 0) {
        (void)fprintf(stderr, "%s\n", failure.text);
        return 1;
    }
    random_normal(&random, 0.5, real, sizeof real / sizeof real[0]);
    round_of(&gan, &random); /* warm up */
    for (int i = 0; i < rounds; i++) {
        double start = milliseconds();

        round_of(&gan, &random);
        spent[i] = (milliseconds() - start) / STEPS;
    }
    qsort(spent, (size_t)rounds, sizeof spent[0], by_value);
    (void)printf("%.2f\n", spent[rounds / 2]);
    gan_close(&gan);
    return 0;
}
