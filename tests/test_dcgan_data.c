/*
 * test_dcgan_data: what examples/dcgan reads, scores and writes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/random.h"
#include "dcgan.h"
#include "pictures.h"
#include "resize.h"
#include "score.h"
#include "state.h"

#include "scratch.h"

static void assert_says(const struct failure *failure, const char *words)
{
    if (strstr(failure->text, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", failure->text, words);
}

/* ---- resizing ------------------------------------------------------------- */

/* PyTorch's interpolate(mode='bilinear', align_corners=False), pixel by pixel. */
static double slow_pixel(const float *from, int side, double y, double x)
{
    const int last = side - 1;
    double sum = 0.0;

    y = fmin(fmax(y, 0.0), last);
    x = fmin(fmax(x, 0.0), last);
    for (int i = 0; i < side; i++)
        for (int j = 0; j < side; j++)
            sum += fmax(0.0, 1.0 - fabs(y - i)) * fmax(0.0, 1.0 - fabs(x - j)) *
                   (double)from[i * side + j];
    return sum;
}

static void test_resizing_is_bilinear(void **state)
{
    static const int sizes[][2] = {
        {28, 32}, {32, 28}, {16, 32}, {64, 32}, {32, 32}};
    uint64_t random = 1;

    (void)state;
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        const int from = sizes[k][0];
        const int to = sizes[k][1];
        const struct resize plan = resize_plan(from, to);
        float before[RESIZE_MAX * RESIZE_MAX];
        float after[RESIZE_MAX * RESIZE_MAX];

        random_normal(&random, 1.0, before, (size_t)(from * from));
        resize_apply(&plan, before, after);
        for (int y = 0; y < to; y++)
            for (int x = 0; x < to; x++) {
                double wanted =
                    slow_pixel(before, from, (y + 0.5) * from / to - 0.5,
                               (x + 0.5) * from / to - 0.5);

                assert_true(fabs((double)after[y * to + x] - wanted) < 1e-5);
            }
    }
}

/* ---- scores --------------------------------------------------------------- */

static void test_scores_that_are_known(void **state)
{
    enum { COUNT = 40, CLASSES = 4 };
    float rows[COUNT * CLASSES] = {0.0f};
    struct score score;

    (void)state;
    /* Sure of each, and each class as often: as many as there are classes. */
    for (int i = 0; i < COUNT; i++)
        rows[i * CLASSES + i % CLASSES] = 1.0f;
    score = score_of(rows, COUNT, CLASSES);
    assert_true(fabs(score.value - CLASSES) < 1e-6);
    assert_true(score.error < 1e-6);
    assert_int_equal(score.images, COUNT);
    /* Sure, but always of the same; and never sure. */
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < CLASSES; j++)
            rows[i * CLASSES + j] = j == 2 ? 1.0f : 0.0f;
    assert_true(fabs(score_of(rows, COUNT, CLASSES).value - 1.0) < 1e-6);
    for (int i = 0; i < COUNT * CLASSES; i++)
        rows[i] = 1.0f / CLASSES;
    assert_true(fabs(score_of(rows, COUNT, CLASSES).value - 1.0) < 1e-6);
    /* A generator that has diverged. */
    rows[7] = NAN;
    assert_true(isnan(score_of(rows, COUNT, CLASSES).value));
}

/* Each row is one of a few, drawn anew: the error is that of many repetitions. */
static void test_the_standard_error_is_one(void **state)
{
    enum { COUNT = 400, CLASSES = 3, REPEATS = 400 };
    static const float kinds[][CLASSES] = {
        {0.9f, 0.05f, 0.05f}, {0.2f, 0.5f, 0.3f}, {0.0f, 0.1f, 0.9f}};
    static float rows[COUNT * CLASSES];
    uint64_t random = 3;
    double sum = 0.0;
    double squares = 0.0;
    double errors = 0.0;
    double spread;

    (void)state;
    for (int k = 0; k < REPEATS; k++) {
        struct score score;

        for (int i = 0; i < COUNT; i++)
            memcpy(rows + i * CLASSES, kinds[random_below(&random, 3)],
                   sizeof kinds[0]);
        score = score_of(rows, COUNT, CLASSES);
        sum += score.value / REPEATS;
        squares += score.value * score.value / REPEATS;
        errors += score.error / REPEATS;
    }
    spread = sqrt(squares - sum * sum);
    /* Of 400 repetitions the spread is known to 4 percent or so. */
    assert_true(fabs(errors / spread - 1.0) < 0.15);
}

/* ---- sets ----------------------------------------------------------------- */

enum { IMAGES = 330, SIDE_MAX = 70 };

static uint8_t bytes[16 + IMAGES * SIDE_MAX * SIDE_MAX];

static void put_word(uint8_t *to, uint32_t word)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(word >> (24 - 8 * i));
}

static void write_images(const char *part, uint32_t height, uint32_t width)
{
    char name[64];

    put_word(bytes, 0x803);
    put_word(bytes + 4, IMAGES);
    put_word(bytes + 8, height);
    put_word(bytes + 12, width);
    for (size_t i = 16; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * i / 7);
    (void)snprintf(name, sizeof name, "%s-images-idx3-ubyte", part);
    write_file(name, bytes, 16 + (size_t)IMAGES * height * width);
}

static void write_labels(const char *part, int classes)
{
    char name[64];

    put_word(bytes, 0x801);
    put_word(bytes + 4, IMAGES);
    for (int i = 0; i < IMAGES; i++)
        bytes[8 + i] = (uint8_t)(i % classes);
    (void)snprintf(name, sizeof name, "%s-labels-idx1-ubyte", part);
    write_file(name, bytes, 8 + IMAGES);
}

static void remove_sets(void)
{
    static const char *const names[] = {
        "train-images-idx3-ubyte", "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",  "t10k-labels-idx1-ubyte",
        "data_batch_1.bin",        "data_batch_2.bin",
        "data_batch_3.bin",        "data_batch_4.bin",
        "data_batch_5.bin",        "test_batch.bin"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)unlink(in_scratch(names[i])); /* most are not there */
}

static void assert_refused(int number, bool labels, const char *words)
{
    struct pictures pictures;
    struct failure failure;

    assert_int_equal(
        pictures_open(&pictures, scratch, PICTURES_TRAIN, labels, &failure),
        number);
    assert_says(&failure, words);
    pictures_close(&pictures); /* allowed, and changes nothing */
}

static void test_grey_sets(void **state)
{
    struct pictures pictures;
    struct failure failure;
    float image[GAN_PIXELS];

    (void)state;
    remove_sets();
    assert_refused(ENOENT, true, "train-images");
    write_images("train", 32, 32);
    assert_refused(ENOENT, true, "no train-labels");
    /* To train on, it needs none. */
    assert_int_equal(
        pictures_open(&pictures, scratch, PICTURES_TRAIN, false, &failure), 0);
    assert_int_equal(pictures.classes, 0);
    pictures_close(&pictures);

    write_labels("train", 26);
    assert_int_equal(
        pictures_open(&pictures, scratch, PICTURES_TRAIN, true, &failure), 0);
    assert_int_equal(pictures.count, IMAGES);
    assert_int_equal(pictures.channels, 1);
    assert_int_equal(pictures.classes, 26);
    assert_int_equal(pictures_label(&pictures, 27), 1);
    pictures_get(&pictures, 0, image);
    assert_true(fabsf(image[3] - ((float)(19 * 19 / 7) / 127.5f - 1.0f)) <
                1e-6f);
    pictures_close(&pictures);
}

static void test_images_of_other_sizes_are_refused(void **state)
{
    (void)state;
    remove_sets();
    write_labels("train", 10);
    write_images("train", 28, 32);
    assert_refused(EBADMSG, false, "28 x 32 pixels");
    write_images("train", 12, 12);
    assert_refused(EBADMSG, false, "12 x 12 pixels");
    write_images("train", 65, 65);
    assert_refused(EBADMSG, false, "65 x 65 pixels");
}

static void write_cifar(const char *name, size_t records, int first)
{
    enum { RECORD = 3073 };

    for (size_t i = 0; i < records; i++) {
        bytes[i * RECORD] = (uint8_t)(((int)i + first) % 10);
        memset(bytes + i * RECORD + 1, first + (int)i, 1024);
        memset(bytes + i * RECORD + 1025, 2 * first, 1024);
        memset(bytes + i * RECORD + 2049, 255, 1024);
    }
    write_file(name, bytes, records * RECORD);
}

static void test_sets_in_colour(void **state)
{
    struct pictures pictures;
    struct failure failure;
    float image[3 * GAN_PIXELS];

    (void)state;
    remove_sets();
    for (int i = 1; i <= 5; i++) {
        char name[32];

        (void)snprintf(name, sizeof name, "data_batch_%d.bin", i);
        write_cifar(name, 10 + (size_t)i, i);
    }
    write_cifar("test_batch.bin", 7, 6);
    assert_int_equal(
        pictures_open(&pictures, scratch, PICTURES_TRAIN, true, &failure), 0);
    assert_int_equal(pictures.count, 11 + 12 + 13 + 14 + 15);
    assert_int_equal(pictures.channels, 3);
    assert_int_equal(pictures.classes, 10);
    /* The second of the second file. */
    assert_int_equal(pictures_label(&pictures, 12), 3);
    pictures_get(&pictures, 12, image);
    assert_true(fabsf(image[17] - (3.0f / 127.5f - 1.0f)) < 1e-6f);
    assert_true(fabsf(image[1024 + 17] - (4.0f / 127.5f - 1.0f)) < 1e-6f);
    assert_true(fabsf(image[2048 + 17] - 1.0f) < 1e-6f);
    pictures_close(&pictures);
    assert_int_equal(
        pictures_open(&pictures, scratch, PICTURES_TEST, true, &failure), 0);
    assert_int_equal(pictures.count, 7);
    pictures_close(&pictures);

    write_file("data_batch_4.bin", bytes, 3072);
    assert_refused(EBADMSG, true, "data_batch_4.bin is damaged");
    bytes[3073] = 10;
    write_file("data_batch_4.bin", bytes, 2 * 3073);
    assert_refused(EBADMSG, true, "label 1 is 10");
    assert_int_equal(unlink(in_scratch("data_batch_3.bin")), 0);
    assert_refused(ENOENT, true, "data_batch_3.bin");
    remove_sets();
}

/* ---- files ---------------------------------------------------------------- */

static void assert_load_fails(const char *words)
{
    struct gan gan;
    struct failure failure = {""};

    assert_int_not_equal(dcgan_load_networks(&gan, scratch, &failure), 0);
    assert_says(&failure, words);
}

static void test_networks_come_back_from_files(void **state)
{
    static uint8_t file[8 << 20];
    struct dcgan dcgan = {.random = 77, .iterations = 12};
    struct gan gan;
    struct failure failure;
    size_t count;
    size_t size;

    (void)state;
    assert_int_equal(gan_open(&dcgan.gan, 1, &dcgan.random, &failure), 0);
    count = dnn_weight_count(dcgan.gan.generator.net);
    assert_int_equal(dcgan_save(&dcgan, scratch, &failure), 0);
    assert_int_equal(dcgan_load_networks(&gan, scratch, &failure), 0);
    assert_memory_equal(dnn_weights(gan.generator.net),
                        dnn_weights(dcgan.gan.generator.net),
                        count * sizeof(float));
    gan_close(&gan);

    size = read_file("gan.bin", file, sizeof file);
    assert_int_equal(size, 96 + 4 * 3 * (369600 + 166784) + 4);
    write_file("gan.bin", file, size - 1);
    assert_load_fails("damaged");
    file[5000] ^= 1;
    write_file("gan.bin", file, size);
    assert_load_fails("checksum");
    file[5000] ^= 1;
    file[12] = STATE_SCORE_NET;
    write_file("gan.bin", file, size);
    assert_load_fails("holds a net that scores, wanted is a GAN");
    file[12] = STATE_GAN;
    file[8] = 2;
    write_file("gan.bin", file, size);
    assert_load_fails("version 2");
    write_file("gan.bin", (const uint8_t *)"CONVNET\n", 8);
    assert_load_fails("holds no network of this program");
    gan_close(&dcgan.gan);
}

/* A checkpoint in colour does not go into grey networks, nor changes them. */
static void test_networks_of_another_kind_are_refused(void **state)
{
    struct dcgan grey = {.random = 1};
    struct dcgan colour = {.random = 2};
    struct failure failure;
    float before;

    (void)state;
    assert_int_equal(gan_open(&grey.gan, 1, &grey.random, &failure), 0);
    assert_int_equal(gan_open(&colour.gan, 3, &colour.random, &failure), 0);
    assert_int_equal(dcgan_save(&colour, scratch, &failure), 0);
    before = dnn_weights(grey.gan.generator.net)[100];
    assert_int_equal(dcgan_load(&grey, scratch, &failure), EBADMSG);
    assert_says(&failure, "images of 3 channels");
    assert_memory_equal(&before, &dnn_weights(grey.gan.generator.net)[100],
                        sizeof before);
    gan_close(&grey.gan);
    gan_close(&colour.gan);
}

/* ---- all together --------------------------------------------------------- */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resizing_is_bilinear),
        cmocka_unit_test(test_scores_that_are_known),
        cmocka_unit_test(test_the_standard_error_is_one),
        cmocka_unit_test(test_grey_sets),
        cmocka_unit_test(test_images_of_other_sizes_are_refused),
        cmocka_unit_test(test_sets_in_colour),
        cmocka_unit_test(test_networks_come_back_from_files),
        cmocka_unit_test(test_networks_of_another_kind_are_refused)};

    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
