/*
 * test_convnet: the fast network of examples/convnet against a slow one.
 *
 * The reference below is written for being obviously right: one image at a
 * time, in double precision, one loop for each index of the formula.  Its own
 * gradient is checked by finite differences.
 *
 * PBT_MNIST_DIR, if set, adds a comparison on real images.  TEST_SEED draws
 * other images than the usual ones; about one seed in seven then misses the
 * tolerance of the 100 batches, where two pixels of a pooling window are so
 * close that a float and a double pick different ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "convnet.h"
#include "convnet_file.h"
#include "common/idx.h"
#include "training.h"

#include "scratch.h"

enum { MAX_BATCH = 130, IMAGES = 1100, TESTS = 330 };

static uint64_t seed = 20240607;

/* ---- the reference ------------------------------------------------------ */

struct reference {
    double filter[3][3][3];
    double filter_bias[3];
    double full[10][3][8][8];
    double full_bias[10];
};

/* The same numbers as a row, for loops that treat all alike. */
union reference_row {
    struct reference by_name;
    double all[CONVNET_PARAMETERS];
};

/* Where the maximum of each window lies, for the way back. */
struct activations {
    double pixels[28][28];
    double convolved[3][26][26];
    double hidden[3][8][8];
    int best_row[3][8][8];
    int best_column[3][8][8];
    double probability[10];
};

static void reference_convolve(const struct reference *w, struct activations *a)
{
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < 26; y++)
            for (int x = 0; x < 26; x++) {
                double sum = w->filter_bias[c];

                for (int i = 0; i < 3; i++)
                    for (int j = 0; j < 3; j++)
                        sum += w->filter[c][i][j] * a->pixels[y + i][x + j];
                a->convolved[c][y][x] = sum;
            }
}

static void reference_pool(struct activations *a)
{
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < 8; y++)
            for (int x = 0; x < 8; x++) {
                double best = -HUGE_VAL;

                for (int i = 3 * y; i < 3 * y + 3; i++)
                    for (int j = 3 * x; j < 3 * x + 3; j++)
                        if (a->convolved[c][i][j] > best) {
                            best = a->convolved[c][i][j];
                            a->best_row[c][y][x] = i;
                            a->best_column[c][y][x] = j;
                        }
                a->hidden[c][y][x] = fmax(best, 0.0);
            }
}

/* Returns the loss of one image. */
static double reference_forward(const struct reference *w, const uint8_t *image,
                                int label, struct activations *a)
{
    double score[10];
    double sum = 0.0;

    for (int y = 0; y < 28; y++)
        for (int x = 0; x < 28; x++)
            a->pixels[y][x] = (image[28 * y + x] / 255.0 - 0.1307) / 0.3081;
    reference_convolve(w, a);
    reference_pool(a);
    for (int k = 0; k < 10; k++) {
        score[k] = w->full_bias[k];
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < 8; y++)
                for (int x = 0; x < 8; x++)
                    score[k] += w->full[k][c][y][x] * a->hidden[c][y][x];
        sum += exp(score[k]);
    }
    for (int k = 0; k < 10; k++)
        a->probability[k] = exp(score[k]) / sum;
    return log(sum) - score[label];
}

/* Adds one image's share to the gradient. */
static void reference_backward(const struct reference *w,
                               const struct activations *a, int label,
                               struct reference *g)
{
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < 8; y++)
            for (int x = 0; x < 8; x++) {
                const int top = a->best_row[c][y][x];
                const int left = a->best_column[c][y][x];
                double slope = 0.0;

                for (int k = 0; k < 10; k++) {
                    double error = a->probability[k] - (k == label);

                    g->full[k][c][y][x] += error * a->hidden[c][y][x];
                    slope += error * w->full[k][c][y][x];
                }
                if (a->hidden[c][y][x] <= 0.0)
                    continue;
                g->filter_bias[c] += slope;
                for (int i = 0; i < 3; i++)
                    for (int j = 0; j < 3; j++)
                        g->filter[c][i][j] +=
                            slope * a->pixels[top + i][left + j];
            }
    for (int k = 0; k < 10; k++)
        g->full_bias[k] += a->probability[k] - (k == label);
}

/* Returns the mean loss; `g` receives its gradient. */
static double reference_gradient(const union reference_row *w,
                                 const struct convnet_batch *batch,
                                 union reference_row *g)
{
    struct activations a;
    double loss = 0.0;

    memset(g, 0, sizeof *g);
    for (size_t i = 0; i < batch->count; i++) {
        loss += reference_forward(&w->by_name, batch->images[i],
                                  batch->labels[i], &a);
        reference_backward(&w->by_name, &a, batch->labels[i], &g->by_name);
    }
    for (int i = 0; i < CONVNET_PARAMETERS; i++)
        g->all[i] /= (double)batch->count;
    return loss / (double)batch->count;
}

static void reference_from(union reference_row *w, const struct convnet *net)
{
    /* Both rows have the same order: filters, biases, full, biases. */
    for (int i = 0; i < CONVNET_PARAMETERS; i++)
        w->all[i] = (double)net->weights.all[i];
}

/* ---- batches ------------------------------------------------------------ */

struct pictures {
    uint8_t pixels[MAX_BATCH][CONVNET_PIXELS];
    const uint8_t *images[MAX_BATCH];
    uint8_t labels[MAX_BATCH];
};

/* A bright bar on noise; where the bar lies tells the label. */
static void make_picture(struct convnet *random, uint8_t *pixels,
                         uint8_t *label)
{
    *label = (uint8_t)convnet_random(random, 10);
    for (int i = 0; i < CONVNET_PIXELS; i++) {
        bool bar = i / CONVNET_SIDE / 2 == *label + 2;

        pixels[i] = (uint8_t)(convnet_random(random, 100) + (bar ? 120u : 0u));
    }
}

static struct convnet_batch make_batch(struct convnet *random,
                                       struct pictures *p, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        make_picture(random, p->pixels[i], &p->labels[i]);
        p->images[i] = p->pixels[i];
    }
    return (struct convnet_batch){count, p->images, p->labels};
}

static struct convnet_batch real_batch(struct convnet *random,
                                       const struct idx_set *set,
                                       struct pictures *p, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t image = (size_t)convnet_random(random, set->count);

        p->images[i] = set->images + image * CONVNET_PIXELS;
        p->labels[i] = set->labels[image];
    }
    return (struct convnet_batch){count, p->images, p->labels};
}

static void assert_near(double a, double b, double relative, double absolute)
{
    if (!(fabs(a - b) <= absolute + relative * fabs(b)))
        fail_msg("%.9g is not near %.9g (seed %llu)", a, b,
                 (unsigned long long)seed);
}

/* ---- the network -------------------------------------------------------- */

static void test_reference_gradient_is_the_slope(void **state)
{
    static union reference_row w;
    static union reference_row g;
    static union reference_row unused;
    static struct pictures p;
    struct convnet net;
    struct convnet random;
    struct convnet_batch batch;
    const double width = 1e-6;

    (void)state;
    convnet_init(&random, seed);
    convnet_init(&net, seed + 1);
    batch = make_batch(&random, &p, 3);
    reference_from(&w, &net);
    (void)reference_gradient(&w, &batch, &g);
    for (int i = 0; i < CONVNET_PARAMETERS; i += i < 30 ? 1 : 17) {
        const double weight = w.all[i];
        double above;
        double below;

        w.all[i] = weight + width;
        above = reference_gradient(&w, &batch, &unused);
        w.all[i] = weight - width;
        below = reference_gradient(&w, &batch, &unused);
        w.all[i] = weight;
        assert_near((above - below) / (2.0 * width), g.all[i], 1e-5, 1e-8);
    }
}

static void test_gradient_is_the_references(void **state)
{
    static const size_t counts[] = {1, 5, 64, 65, 130};
    static union reference_row w;
    static union reference_row g;
    static struct pictures p;
    struct convnet_workspace *workspace = convnet_workspace_new();
    struct convnet random;

    (void)state;
    assert_non_null(workspace);
    convnet_init(&random, seed);
    for (size_t k = 0; k < sizeof counts / sizeof counts[0]; k++) {
        struct convnet net;
        struct convnet_batch batch = make_batch(&random, &p, counts[k]);
        double loss;

        convnet_init(&net, seed + k);
        reference_from(&w, &net);
        loss = reference_gradient(&w, &batch, &g);
        net.momentum = 0.0; /* so that the velocity is the gradient */
        assert_near(convnet_train(&net, workspace, &batch), loss, 1e-5, 0.0);
        for (int i = 0; i < CONVNET_PARAMETERS; i++)
            assert_near((double)net.velocity.all[i], g.all[i], 1e-4, 1e-6);
    }
    convnet_workspace_free(workspace);
}

/* Trains both for 100 batches, on images of `set`, or on made-up ones. */
static void compare_training(const struct idx_set *set, double lr,
                             double momentum)
{
    static union reference_row w;
    static union reference_row v;
    static union reference_row g;
    static struct pictures p;
    struct convnet_workspace *workspace = convnet_workspace_new();
    struct convnet net;
    struct convnet random;

    assert_non_null(workspace);
    convnet_init(&random, seed);
    convnet_init(&net, seed + 1);
    net.lr = lr;
    net.momentum = momentum;
    reference_from(&w, &net);
    memset(&v, 0, sizeof v);
    for (int step = 0; step < 100; step++) {
        struct convnet_batch batch = set != NULL
                                         ? real_batch(&random, set, &p, 64)
                                         : make_batch(&random, &p, 64);
        double loss = reference_gradient(&w, &batch, &g);

        for (int i = 0; i < CONVNET_PARAMETERS; i++) {
            v.all[i] = momentum * v.all[i] + g.all[i];
            w.all[i] -= lr * v.all[i];
        }
        /* A float can't tell 1 + 1e-8 from 1: hence the absolute part. */
        assert_near(convnet_train(&net, workspace, &batch), loss, 1e-5, 2e-7);
    }
    for (int i = 0; i < CONVNET_PARAMETERS; i++)
        assert_near((double)net.weights.all[i], w.all[i], 1e-4, 1e-5);
    convnet_workspace_free(workspace);
}

static void test_training_follows_the_reference(void **state)
{
    (void)state;
    compare_training(NULL, 0.01, 0.9);
    compare_training(NULL, 0.05, 0.5);
}

static void test_training_follows_the_reference_on_real_images(void **state)
{
    const char *directory = getenv("PBT_MNIST_DIR");
    struct idx_set set;
    struct failure failure;

    (void)state;
    if (directory == NULL || *directory == '\0')
        skip();
    if (idx_open(&set, directory, "train", 9, &failure) != 0)
        fail_msg("%s", failure.text);
    compare_training(&set, 0.01, 0.9);
    idx_close(&set);
}

static void test_a_test_counts_the_references_hits(void **state)
{
    static union reference_row w;
    static struct activations a;
    static struct pictures p;
    struct convnet_workspace *workspace = convnet_workspace_new();
    struct convnet net;
    struct convnet before;
    struct convnet random;
    struct convnet_batch batch;
    size_t expected = 0;
    size_t correct;
    double loss = 0.0;

    (void)state;
    assert_non_null(workspace);
    convnet_init(&random, seed);
    convnet_init(&net, seed + 1);
    batch = make_batch(&random, &p, 130);
    for (int i = 0; i < 20; i++)
        (void)convnet_train(&net, workspace, &batch);
    before = net;
    reference_from(&w, &net);
    for (size_t i = 0; i < batch.count; i++) {
        int best = 0;

        loss += reference_forward(&w.by_name, p.images[i], p.labels[i], &a);
        for (int k = 1; k < 10; k++)
            if (a.probability[k] > a.probability[best])
                best = k;
        expected += best == p.labels[i];
    }
    assert_near(convnet_test(&net, workspace, &batch, &correct),
                loss / (double)batch.count, 1e-5, 0.0);
    assert_int_equal(correct, expected);
    assert_true(expected > 13); /* better than chance: it has learnt */
    assert_memory_equal(&net, &before, sizeof net);
    convnet_workspace_free(workspace);
}

/* An absurd learning rate must end in NaN, not in a crash. */
static void test_divergence_is_survived(void **state)
{
    static struct pictures p;
    struct convnet_workspace *workspace = convnet_workspace_new();
    struct convnet net;
    struct convnet random;
    struct convnet_batch batch;
    size_t correct;

    (void)state;
    assert_non_null(workspace);
    convnet_init(&random, seed);
    convnet_init(&net, seed);
    batch = make_batch(&random, &p, 64);
    net.lr = 1e30;
    for (int i = 0; i < 5; i++)
        (void)convnet_train(&net, workspace, &batch);
    (void)convnet_test(&net, workspace, &batch, &correct);
    assert_true(correct <= 64);
    convnet_workspace_free(workspace);
}

static void test_first_weights_are_pytorchs_kind(void **state)
{
    struct convnet net;
    double most[2] = {0.0, 0.0};
    double sum = 0.0;

    (void)state;
    convnet_init(&net, seed);
    for (int i = 0; i < CONVNET_PARAMETERS; i++) {
        double *m = &most[i >= 30];

        *m = fmax(*m, fabs((double)net.weights.all[i]));
        sum += (double)net.weights.all[i];
        assert_true(net.velocity.all[i] == 0.0f);
    }
    assert_true(most[0] > 0.2 && most[0] <= 1.0 / 3.0);
    assert_true(most[1] > 0.07 && most[1] <= 1.0 / sqrt(192.0));
    assert_true(fabs(sum / CONVNET_PARAMETERS) < 0.005);
}

/* ---- checkpoints -------------------------------------------------------- */

static void test_training_goes_on_as_if_never_saved(void **state)
{
    static struct pictures p;
    struct convnet_workspace *workspace = convnet_workspace_new();
    struct convnet net;
    struct convnet loaded;
    struct convnet random;
    struct failure failure;

    (void)state;
    assert_non_null(workspace);
    convnet_init(&random, seed);
    convnet_init(&net, seed + 1);
    net.lr = 0.0123;
    net.momentum = 0.8;
    for (int i = 0; i < 10; i++) {
        struct convnet_batch batch = make_batch(&random, &p, 64);

        (void)convnet_train(&net, workspace, &batch);
    }
    assert_int_equal(convnet_save(&net, in_scratch("model"), &failure), 0);
    convnet_init(&loaded, 99);
    assert_int_equal(convnet_load(&loaded, in_scratch("model"), &failure), 0);
    assert_memory_equal(&loaded, &net, sizeof net);
    for (int i = 0; i < 10; i++) {
        struct convnet_batch batch = make_batch(&random, &p, 64);

        assert_true(convnet_train(&net, workspace, &batch) ==
                    convnet_train(&loaded, workspace, &batch));
        assert_true(convnet_random(&net, 1000) ==
                    convnet_random(&loaded, 1000));
    }
    assert_memory_equal(&loaded, &net, sizeof net);
    convnet_workspace_free(workspace);
}

static void assert_load_fails(int number, const char *words)
{
    struct convnet net;
    struct convnet before;
    struct failure failure;

    convnet_init(&net, 7);
    before = net;
    assert_int_equal(convnet_load(&net, in_scratch("model"), &failure), number);
    assert_non_null(strstr(failure.text, in_scratch("model")));
    if (strstr(failure.text, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", failure.text, words);
    assert_memory_equal(&net, &before, sizeof net);
}

static void test_damaged_checkpoints_are_refused(void **state)
{
    enum { SIZE = 15724 };
    static uint8_t bytes[SIZE + 2];
    struct convnet net;
    struct failure failure;

    (void)state;
    convnet_init(&net, seed);
    assert_int_equal(convnet_save(&net, in_scratch("model"), &failure), 0);
    assert_int_equal(read_file("model", bytes, sizeof bytes), SIZE);

    write_file("model", bytes, SIZE - 1);
    assert_load_fails(EBADMSG, "shorter");
    write_file("model", bytes, SIZE + 1);
    assert_load_fails(EBADMSG, "longer");
    write_file("model", bytes, 0);
    assert_load_fails(EBADMSG, "not a checkpoint");
    write_file("model", "PK\3\4 something else", 20);
    assert_load_fails(EBADMSG, "not a checkpoint");
    for (size_t at = 16; at < SIZE; at += 1111) {
        bytes[at] ^= 0x10;
        write_file("model", bytes, SIZE);
        assert_load_fails(EBADMSG, "checksum");
        bytes[at] ^= 0x10;
    }
    bytes[8] = 2;
    write_file("model", bytes, SIZE);
    assert_load_fails(EBADMSG, "version 2");
    assert_int_equal(unlink(in_scratch("model")), 0);
    assert_load_fails(ENOENT, "can't open");
}

static void test_a_full_disk_is_reported(void **state)
{
    struct convnet net;
    struct failure failure;

    (void)state;
    if (access("/dev/full", W_OK) != 0)
        skip();
    convnet_init(&net, seed);
    assert_int_equal(convnet_save(&net, "/dev/full", &failure), ENOSPC);
    assert_non_null(strstr(failure.text, "can't write /dev/full"));
    assert_int_equal(convnet_save(&net, in_scratch("no/where"), &failure),
                     ENOENT);
}

/* ---- MNIST's files ------------------------------------------------------ */

/* A set as bytes, to be written whole, cut or bent. */
static uint8_t images[16 + IMAGES * CONVNET_PIXELS];
static uint8_t labels[8 + IMAGES];

static void put_word(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static size_t image_bytes(size_t count)
{
    return 16 + count * CONVNET_PIXELS;
}

static void make_set(size_t count)
{
    struct convnet random;

    convnet_init(&random, seed + count);
    put_word(images, 0x803);
    put_word(images + 4, (uint32_t)count);
    put_word(images + 8, 28);
    put_word(images + 12, 28);
    put_word(labels, 0x801);
    put_word(labels + 4, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        make_picture(&random, images + image_bytes(i), labels + 8 + i);
}

static void write_gzip(const char *name, const uint8_t *bytes, size_t size)
{
    gzFile file = gzopen(in_scratch(name), "wb1");

    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)size), size);
    assert_int_equal(gzclose(file), Z_OK);
}

static void remove_set(const char *part)
{
    static const char *const kinds[] = {
        "images-idx3-ubyte", "images-idx3-ubyte.gz", "labels-idx1-ubyte",
        "labels-idx1-ubyte.gz"};

    for (size_t i = 0; i < 4; i++) {
        char name[64];

        (void)snprintf(name, sizeof name, "%s-%s", part, kinds[i]);
        (void)unlink(in_scratch(name)); /* most are not there */
    }
}

static void write_set(const char *part, size_t count)
{
    char name[64];

    remove_set(part);
    make_set(count);
    (void)snprintf(name, sizeof name, "%s-images-idx3-ubyte", part);
    write_file(name, images, image_bytes(count));
    (void)snprintf(name, sizeof name, "%s-labels-idx1-ubyte", part);
    write_file(name, labels, 8 + count);
}

static void assert_open_fails(int number, const char *name, const char *words)
{
    struct idx_set set;
    struct failure failure;

    assert_int_equal(idx_open(&set, scratch, "train", 9, &failure), number);
    if (strstr(failure.text, name) == NULL ||
        strstr(failure.text, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\" and \"%s\"", failure.text, name,
                 words);
    assert_null(set.images);
    idx_close(&set); /* allowed, and changes nothing */
}

static void assert_set_is_as_made(size_t count, bool mapped)
{
    struct idx_set set;
    struct failure failure;

    if (idx_open(&set, scratch, "train", 9, &failure) != 0)
        fail_msg("%s", failure.text);
    assert_int_equal(set.count, count);
    assert_int_equal(set.image_file.mapped, mapped);
    assert_memory_equal(set.images, images + 16, count * CONVNET_PIXELS);
    assert_memory_equal(set.labels, labels + 8, count);
    idx_close(&set);
}

static void test_sets_are_read_raw_and_compressed(void **state)
{
    (void)state;
    write_set("train", 50);
    assert_set_is_as_made(50, true);

    /* Large enough that unpacking takes more than one piece. */
    remove_set("train");
    make_set(IMAGES);
    for (size_t i = 0; i < IMAGES; i++)
        images[16 + i * CONVNET_PIXELS] = (uint8_t)i;
    write_gzip("train-images-idx3-ubyte.gz", images, image_bytes(IMAGES) / 2);
    assert_open_fails(EBADMSG, "train-images-idx3-ubyte.gz", "cut short");
    write_gzip("train-images-idx3-ubyte.gz", images, sizeof images);
    write_gzip("train-labels-idx1-ubyte.gz", labels, sizeof labels);
    assert_set_is_as_made(IMAGES, false);

    /* Compressed under the plain name: the bytes tell. */
    write_gzip("train-images-idx3-ubyte", images, sizeof images);
    assert_set_is_as_made(IMAGES, false);
    remove_set("train");
}

static void test_a_damaged_gzip_file_is_refused(void **state)
{
    static uint8_t packed[sizeof images];
    size_t size;

    (void)state;
    write_set("train", 50);
    assert_int_equal(unlink(in_scratch("train-images-idx3-ubyte")), 0);
    write_gzip("train-images-idx3-ubyte.gz", images, image_bytes(50));
    size = read_file("train-images-idx3-ubyte.gz", packed, sizeof packed);
    assert_set_is_as_made(50, false);

    for (size_t cut = 3; cut < size; cut += size / 7) {
        write_file("train-images-idx3-ubyte.gz", packed, cut);
        assert_open_fails(EBADMSG, "train-images-idx3-ubyte.gz", "cut short");
    }
    packed[size / 2] ^= 0x40;
    write_file("train-images-idx3-ubyte.gz", packed, size);
    assert_open_fails(EBADMSG, "train-images-idx3-ubyte.gz", "damaged");
    remove_set("train");
}

static void test_wrong_images_are_refused(void **state)
{
    const char *name = "train-images-idx3-ubyte";

    (void)state;
    remove_set("train");
    assert_open_fails(ENOENT, name, "scripts/get-mnist");
    write_set("train", 50);
    write_file(name, images, image_bytes(50) - 1);
    assert_open_fails(EBADMSG, name, "cut short");
    write_file(name, images, image_bytes(50) + 1);
    assert_open_fails(EBADMSG, name, "too long");
    write_file(name, images, 15);
    assert_open_fails(EBADMSG, name, "cut short");
    write_file(name, images, 0);
    assert_open_fails(EBADMSG, name, "empty");
    put_word(images, 0x801);
    write_file(name, images, image_bytes(50));
    assert_open_fails(EBADMSG, name, "0x00000801 instead of 0x00000803");
    put_word(images, 0x803);
    put_word(images + 8, 32);
    write_file(name, images, image_bytes(50));
    assert_open_fails(EBADMSG, name, "cut short");
    put_word(images + 8, UINT32_MAX);
    write_file(name, images, image_bytes(50));
    assert_open_fails(EBADMSG, name, "4294967295 x 28");
    put_word(images + 8, 28);
    put_word(images + 4, UINT32_MAX);
    write_file(name, images, image_bytes(50));
    assert_open_fails(EBADMSG, name, "cut short");
    put_word(images + 4, 0);
    write_file(name, images, 16);
    assert_open_fails(EBADMSG, name, "empty");
    remove_set("train");
}

static void test_wrong_labels_are_refused(void **state)
{
    const char *name = "train-labels-idx1-ubyte";

    (void)state;
    write_set("train", 50);
    assert_int_equal(unlink(in_scratch(name)), 0);
    assert_open_fails(ENOENT, name, "scripts/get-mnist");
    labels[8 + 17] = 10;
    write_file(name, labels, 8 + 50);
    assert_open_fails(EBADMSG, name, "label 17 is 10");
    labels[8 + 17] = 9;
    write_file(name, labels, 8 + 49);
    assert_open_fails(EBADMSG, name, "cut short");
    put_word(labels + 4, 49);
    write_file(name, labels, 8 + 49);
    assert_open_fails(EBADMSG, name, "49 labels, but there are 50 images");
    put_word(labels, 0x803);
    write_file(name, labels, 8 + 49);
    assert_open_fails(EBADMSG, name, "not a file of MNIST's labels");
    remove_set("train");
}

/* ---- iterations --------------------------------------------------------- */

static void test_iterations_repeat_and_learn(void **state)
{
    struct training a;
    struct training b;
    struct training_result first;
    struct training_result second;
    struct failure failure;

    (void)state;
    write_set("train", IMAGES);
    write_set("t10k", TESTS);
    if (training_open(&a, scratch, seed, &failure) != 0 ||
        training_open(&b, scratch, seed, &failure) != 0)
        fail_msg("%s", failure.text);
    assert_int_equal(training_batches(&a), 9);
    for (int i = 0; i < 12; i++) {
        training_iteration(&a, &first);
        training_iteration(&b, &second);
        assert_true(first.loss == second.loss);
        assert_true(first.accuracy == second.accuracy);
        /* A multiple of 1/320. */
        assert_true(first.accuracy * 320.0 == floor(first.accuracy * 320.0));
        if (i == 5) { /* as at an exploit: the weights, and all that matters */
            assert_int_equal(
                convnet_save(&a.net, in_scratch("model"), &failure), 0);
            training_close(&b);
            assert_int_equal(training_open(&b, scratch, 1, &failure), 0);
            assert_int_equal(
                convnet_load(&b.net, in_scratch("model"), &failure), 0);
        }
    }
    assert_true(first.accuracy > 0.8);
    assert_memory_equal(&a.net, &b.net, sizeof a.net);
    training_close(&a);
    training_close(&b);
}

static void test_other_batch_sizes_fit(void **state)
{
    static const size_t sizes[] = {1, 100, TRAINING_MAX_BATCH};
    struct training training;
    struct training_result result;
    struct failure failure;

    (void)state;
    write_set("train", IMAGES);
    write_set("t10k", TESTS);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(training_open(&training, scratch, seed, &failure), 0);
        training.batch_size = sizes[i];
        assert_int_equal(training_batches(&training), 512 / sizes[i] + 1);
        training_iteration(&training, &result);
        assert_true(isfinite(result.loss));
        training_close(&training);
    }
}

static void test_too_few_images_are_refused(void **state)
{
    struct training training;
    struct failure failure;

    (void)state;
    write_set("train", IMAGES);
    write_set("t10k", 319);
    assert_int_equal(training_open(&training, scratch, seed, &failure),
                     EBADMSG);
    assert_non_null(strstr(failure.text, "319 to test on"));
    training_close(&training);
}

static void test_images_of_another_size_are_refused(void **state)
{
    struct training training;
    struct failure failure;

    (void)state;
    write_set("train", IMAGES);
    /* As many bytes, in a quarter as many images of four times the size. */
    put_word(images + 4, IMAGES / 4);
    put_word(images + 8, 56);
    put_word(images + 12, 56);
    write_file("train-images-idx3-ubyte", images, image_bytes(IMAGES));
    put_word(labels + 4, IMAGES / 4);
    write_file("train-labels-idx1-ubyte", labels, 8 + IMAGES / 4);
    assert_int_equal(training_open(&training, scratch, seed, &failure),
                     EBADMSG);
    assert_non_null(strstr(failure.text, "56 x 56"));
    training_close(&training);
}

/* ---- all together ------------------------------------------------------- */

static int set_up(void **state)
{
    const char *wanted = getenv("TEST_SEED");

    if (wanted != NULL)
        seed = strtoull(wanted, NULL, 10);
    print_message("seed %llu\n", (unsigned long long)seed);
    return make_scratch(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference_gradient_is_the_slope),
        cmocka_unit_test(test_gradient_is_the_references),
        cmocka_unit_test(test_training_follows_the_reference),
        cmocka_unit_test(test_training_follows_the_reference_on_real_images),
        cmocka_unit_test(test_a_test_counts_the_references_hits),
        cmocka_unit_test(test_divergence_is_survived),
        cmocka_unit_test(test_first_weights_are_pytorchs_kind),
        cmocka_unit_test(test_training_goes_on_as_if_never_saved),
        cmocka_unit_test(test_damaged_checkpoints_are_refused),
        cmocka_unit_test(test_a_full_disk_is_reported),
        cmocka_unit_test(test_sets_are_read_raw_and_compressed),
        cmocka_unit_test(test_a_damaged_gzip_file_is_refused),
        cmocka_unit_test(test_wrong_images_are_refused),
        cmocka_unit_test(test_wrong_labels_are_refused),
        cmocka_unit_test(test_iterations_repeat_and_learn),
        cmocka_unit_test(test_other_batch_sizes_fit),
        cmocka_unit_test(test_too_few_images_are_refused),
        cmocka_unit_test(test_images_of_another_size_are_refused),
    };

    return cmocka_run_group_tests(tests, set_up, remove_scratch);
}
