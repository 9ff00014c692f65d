/*
 * dcgan_steps: times the DCGAN's training and its scoring, on one thread.
 *
 *     dcgan_steps [ROUNDS]
 *
 * Prints two figures in milliseconds of CPU time, each the middle one of several
 * rounds: a step, which is 64 real images and 64 fakes for the discriminator, and
 * the fakes once more for the generator; and 64 fakes made and judged.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/random.h"
#include "gan.h"
#include "lenet.h"
#include "score.h"

enum { MOST_ROUNDS = 99, STEPS = 5, SCORED = 4 * GAN_BATCH };

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

static void check(int number, const struct failure *failure)
{
    if (number == 0)
        return;
    (void)fprintf(stderr, "%s\n", failure->text);
    exit(1);
}

/* Images that are ready, and noise drawn anew, on both sides of the comparison. */
static double train(struct gan *gan, uint64_t *random)
{
    const double start = milliseconds();

    for (int i = 0; i < STEPS; i++) {
        struct gan_losses losses;
        struct failure failure;

        random_normal(random, 1.0, noise, GAN_BATCH_NOISE);
        check(gan_step(gan, real, noise, &losses, &failure), &failure);
    }
    return (milliseconds() - start) / STEPS;
}

static double judge(struct gan *gan, struct lenet *lenet)
{
    const double start = milliseconds();
    struct score_fakes fakes = {gan, 1};
    struct score score = {.images = SCORED};
    struct failure failure;

    check(score_source_of(lenet, score_fakes, &fakes, &score, 1, &failure),
          &failure);
    return (milliseconds() - start) / ((double)SCORED / GAN_BATCH);
}

static double middle(double *spent, long count)
{
    qsort(spent, (size_t)count, sizeof *spent, by_value);
    return spent[count / 2];
}

int main(int argc, char **argv)
{
    const long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 9;
    double steps[MOST_ROUNDS];
    double scores[MOST_ROUNDS];
    struct failure failure;
    struct gan gan;
    struct lenet lenet;
    uint64_t random = 1;

    if (rounds < 1 || rounds > MOST_ROUNDS) {
        (void)fputs("usage: dcgan_steps [ROUNDS]\n", stderr);
        return 2;
    }
    check(gan_open(&gan, 1, &random, &failure), &failure);
    check(lenet_open(&lenet, 1, 10, &failure), &failure);
    random_normal(&random, 0.5, real, sizeof real / sizeof real[0]);
    (void)train(&gan, &random); /* warm up */
    (void)judge(&gan, &lenet);
    for (long i = 0; i < rounds; i++) {
        steps[i] = train(&gan, &random);
        scores[i] = judge(&gan, &lenet);
    }
    (void)printf("%.2f %.2f\n", middle(steps, rounds), middle(scores, rounds));
    lenet_close(&lenet);
    gan_close(&gan);
    return 0;
}
