/*
 * test_dcgan: the networks of examples/dcgan against finite differences.
 *
 * A layer's loss is the sum of its results, each times a number drawn for it.
 * Along any direction the loss must change as the gradient says.  Layers that
 * are linear in what is changed allow steps so large that rounding hardly
 * matters.  TEST_SEED draws other numbers than the usual ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adam.h"
#include "common/random.h"
#include "gan.h"

enum { BATCH = 4, DIRECTIONS = 12, SINGLES = 40 };

static uint64_t seed = 20261126;

static struct dnn *make(const struct dnn_layer *layers, size_t count,
                        struct dnn_shape input, int batch)
{
    struct failure failure;
    struct dnn *net = dnn_new(layers, count, input, batch, &failure);

    if (net == NULL)
        fail_msg("%s", failure.text);
    return net;
}

static void forward(struct dnn *net)
{
    struct failure failure;

    if (dnn_forward(net, &failure) != 0)
        fail_msg("%s", failure.text);
}

static void backward(struct dnn *net)
{
    struct failure failure;

    if (dnn_backward(net, DNN_WEIGHTS | DNN_INPUT, &failure) != 0)
        fail_msg("%s", failure.text);
}

static double dot(const float *a, const float *b, size_t count)
{
    double sum = 0.0;

    for (size_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static float *copy(const float *from, size_t count)
{
    float *to = calloc(count + 1, sizeof *to);

    assert_non_null(to);
    memcpy(to, from, count * sizeof *to);
    return to;
}

/* Distinct numbers, none of them near 0, in any order. */
static void draw_apart(uint64_t *random, float *to, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] = 0.1f * ((float)i + 0.5f - (float)(count / 2));
    for (size_t i = count; i > 1; i--) {
        size_t other = (size_t)random_below(random, i);
        float number = to[i - 1];

        to[i - 1] = to[other];
        to[other] = number;
    }
}

/* One set of numbers, the weights or the input, that a loss depends on. */
struct probe {
    struct dnn *net;
    const float *scales; /* of the results in the loss */
    size_t results;
    float *numbers;
    const float *slope; /* of the loss against them */
    size_t count;
    float width; /* of a step */
    double tolerance;
    const char *what;
};

static double loss(const struct probe *p)
{
    dnn_weights_changed(p->net);
    forward(p->net);
    return dot(dnn_output(p->net), p->scales, p->results);
}

static void compare(const struct probe *p, const float *direction)
{
    const double size =
        sqrt(dot(p->slope, p->slope, p->count) *
             dot(direction, direction, p->count) / (double)p->count);
    const double wanted = dot(p->slope, direction, p->count);
    float *before = copy(p->numbers, p->count);
    double above;
    double found;

    for (size_t i = 0; i < p->count; i++)
        p->numbers[i] = before[i] + p->width * direction[i];
    above = loss(p);
    for (size_t i = 0; i < p->count; i++)
        p->numbers[i] = before[i] - p->width * direction[i];
    found = (above - loss(p)) / (2.0 * (double)p->width);
    memcpy(p->numbers, before, p->count * sizeof *before);
    free(before);
    if (!(fabs(found - wanted) <= p->tolerance * (fabs(wanted) + size)))
        fail_msg("%s: the loss changes by %.9g, the gradient says %.9g "
                 "(usually %.3g; seed %llu)",
                 p->what, found, wanted, size, (unsigned long long)seed);
}

static void compare_all(const struct probe *p, uint64_t *random)
{
    float *direction = calloc(p->count, sizeof *direction);

    assert_non_null(direction);
    for (int i = 0; i < DIRECTIONS; i++) {
        for (size_t j = 0; j < p->count; j++)
            direction[j] = (float)(2.0 * random_unit(random) - 1.0);
        compare(p, direction);
    }
    memset(direction, 0, p->count * sizeof *direction);
    for (int i = 0; i < SINGLES; i++) {
        size_t at = (size_t)random_below(random, p->count);

        direction[at] = 1.0f;
        compare(p, direction);
        direction[at] = 0.0f;
    }
    free(direction);
}

struct subject {
    const char *name;
    struct dnn_layer layer;
    struct dnn_shape input;
    float width;
    double tolerance;
};

/* Where a small step may lead to another slope. */
static bool has_kinks(enum dnn_kind kind)
{
    return kind == DNN_RELU || kind == DNN_LEAKY_RELU || kind == DNN_MAX_POOL;
}

static void check_layer(const struct subject *s)
{
    uint64_t random = seed;
    struct dnn *net = make(&s->layer, 1, s->input, BATCH);
    const size_t inputs = BATCH * dnn_input_size(net);
    const size_t results = BATCH * dnn_output_size(net);
    const size_t weights = dnn_weight_count(net);
    float *scales = calloc(results, sizeof *scales);
    float *gradient;
    float *slope;
    struct probe probe = {.net = net,
                          .scales = scales,
                          .results = results,
                          .width = s->width,
                          .tolerance = s->tolerance,
                          .what = s->name};

    assert_non_null(scales);
    random_normal(&random, 1.0, scales, results);
    random_normal(&random, 1.0, dnn_weights(net), weights);
    if (has_kinks(s->layer.kind))
        draw_apart(&random, dnn_input(net), inputs);
    else
        random_normal(&random, 1.0, dnn_input(net), inputs);
    (void)loss(&probe);
    memcpy(dnn_output_slope(net), scales, results * sizeof *scales);
    backward(net);
    gradient = copy(dnn_gradient(net), weights);
    slope = copy(dnn_input_slope(net), inputs);

    probe.numbers = dnn_input(net);
    probe.slope = slope;
    probe.count = inputs;
    compare_all(&probe, &random);
    probe.numbers = dnn_weights(net);
    probe.slope = gradient;
    probe.count = weights;
    if (weights > 0)
        compare_all(&probe, &random);
    free(scales);
    free(gradient);
    free(slope);
    dnn_free(net);
}

static void test_gradients_are_slopes(void **state)
{
    static const struct subject subjects[] = {
        {"first convolution",
         {DNN_CONVOLUTION, 32, 4, 2, 1, false, false, 0},
         {1, 32, 32},
         1.0f,
         1e-4},
        {"convolution of few channels",
         {DNN_CONVOLUTION, 5, 4, 2, 1, true, false, 0},
         {3, 8, 8},
         1.0f,
         1e-4},
        {"convolution",
         {DNN_CONVOLUTION, 64, 4, 2, 1, false, false, 0},
         {32, 16, 16},
         1.0f,
         1e-4},
        {"last convolution",
         {DNN_CONVOLUTION, 1, 4, 1, 0, false, false, 0},
         {128, 4, 4},
         1.0f,
         1e-4},
        {"convolution 5 x 5 with biases",
         {DNN_CONVOLUTION, 20, 5, 1, 0, true, false, 0},
         {10, 12, 12},
         1.0f,
         1e-4},
        {"first transposed",
         {DNN_TRANSPOSED, 128, 4, 1, 0, false, false, 0},
         {100, 1, 1},
         1.0f,
         1e-4},
        {"transposed",
         {DNN_TRANSPOSED, 64, 4, 2, 1, false, false, 0},
         {128, 4, 4},
         1.0f,
         1e-4},
        {"transposed to few channels",
         {DNN_TRANSPOSED, 3, 4, 2, 1, true, false, 0},
         {5, 6, 6},
         1.0f,
         1e-4},
        {"last transposed",
         {DNN_TRANSPOSED, 1, 4, 2, 1, false, false, 0},
         {32, 16, 16},
         1.0f,
         1e-4},
        {"full",
         {DNN_FULL, 50, 0, 0, 0, true, false, 0},
         {20, 4, 4},
         1.0f,
         1e-4},
        {"norm",
         {DNN_NORM, 0, 0, 0, 0, false, false, 0},
         {7, 5, 5},
         0.03f,
         2e-3},
        {"ReLU",
         {DNN_RELU, 0, 0, 0, 0, false, false, 0},
         {7, 5, 5},
         0.03f,
         1e-3},
        {"leaky ReLU",
         {DNN_LEAKY_RELU, 0, 0, 0, 0, false, false, 0.2f},
         {32, 4, 4},
         0.03f,
         1e-3},
        {"tanh",
         {DNN_TANH, 0, 0, 0, 0, false, false, 0},
         {1, 3, 3},
         0.01f,
         1e-3},
        {"max-pool",
         {DNN_MAX_POOL, 0, 2, 2, 0, false, false, 0},
         {10, 8, 8},
         0.03f,
         1e-3}};

    (void)state;
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++)
        check_layer(&subjects[i]);
}

/* 0 and -0 are the same. */
static void assert_same(const float *a, const float *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(a[i] - b[i]) <= 0.0f))
            fail_msg("number %zu: %.9g and %.9g", i, (double)a[i],
                     (double)b[i]);
}

/* Norm with its ReLU is norm, then ReLU. */
static void test_norm_and_relu_are_both(void **state)
{
    const struct dnn_shape shape = {64, 8, 8};
    const struct dnn_layer one[] = {{.kind = DNN_NORM, .relu = true}};
    const struct dnn_layer two[] = {{.kind = DNN_NORM}, {.kind = DNN_RELU}};
    struct dnn *a = make(one, 1, shape, BATCH);
    struct dnn *b = make(two, 2, shape, BATCH);
    const size_t count = BATCH * dnn_input_size(a);
    uint64_t random = seed;

    (void)state;
    random_normal(&random, 1.0, dnn_weights(a), dnn_weight_count(a));
    memcpy(dnn_weights(b), dnn_weights(a), dnn_weight_count(a) * sizeof(float));
    random_normal(&random, 3.0, dnn_input(a), count);
    memcpy(dnn_input(b), dnn_input(a), count * sizeof(float));
    forward(a);
    forward(b);
    assert_same(dnn_output(a), dnn_output(b), count);
    random_normal(&random, 1.0, dnn_output_slope(a), count);
    memcpy(dnn_output_slope(b), dnn_output_slope(a), count * sizeof(float));
    backward(a);
    backward(b);
    assert_same(dnn_gradient(a), dnn_gradient(b), dnn_weight_count(a));
    assert_same(dnn_input_slope(a), dnn_input_slope(b), count);
    dnn_free(a);
    dnn_free(b);
}

/* Its gradient along itself, where the loss changes fastest. */
static void check_network(struct dnn *net, int batch, float width,
                          double tolerance, const char *what)
{
    const size_t results = (size_t)batch * dnn_output_size(net);
    const size_t count = dnn_weight_count(net);
    uint64_t random = seed;
    float *scales = calloc(results, sizeof *scales);
    float *gradient;
    float *direction;
    struct probe probe = {.net = net,
                          .scales = scales,
                          .results = results,
                          .numbers = dnn_weights(net),
                          .count = count,
                          .width = width,
                          .tolerance = tolerance,
                          .what = what};
    double length;

    assert_non_null(scales);
    random_normal(&random, 1.0, scales, results);
    random_normal(&random, 1.0, dnn_input(net),
                  (size_t)batch * dnn_input_size(net));
    (void)loss(&probe);
    memcpy(dnn_output_slope(net), scales, results * sizeof *scales);
    backward(net);
    gradient = copy(dnn_gradient(net), count);
    direction = copy(gradient, count);
    length = sqrt(dot(gradient, gradient, count));
    for (size_t i = 0; i < count; i++)
        direction[i] = (float)((double)direction[i] / length);
    probe.slope = gradient;
    compare(&probe, direction);
    free(scales);
    free(gradient);
    free(direction);
}

static void test_gradients_of_whole_networks(void **state)
{
    (void)state;
    for (int channels = 1; channels <= 3; channels += 2) {
        uint64_t random = seed;
        struct gan gan;
        struct failure failure;

        if (gan_open(&gan, channels, &random, &failure) != 0)
            fail_msg("%s", failure.text);
        check_network(gan.generator.net, GAN_BATCH, 3e-3f, 2e-2, "generator");
        check_network(gan.discriminator.net, GAN_BATCH, 3e-3f, 2e-2,
                      "discriminator");
        gan_close(&gan);
    }
}

static void test_networks_have_the_guides_sizes(void **state)
{
    uint64_t random = seed;
    struct gan gan;
    struct failure failure;

    (void)state;
    if (gan_open(&gan, 1, &random, &failure) != 0)
        fail_msg("%s", failure.text);
    assert_int_equal(dnn_weight_count(gan.generator.net), 369600);
    assert_int_equal(dnn_weight_count(gan.discriminator.net), 166784);
    assert_int_equal(gan_image_size(&gan), 1024);
    gan_close(&gan);
}

static void test_adam_follows_its_formulas(void **state)
{
    enum { COUNT = 37, STEPS = 5 };
    struct adam adam;
    float weights[COUNT];
    float gradient[COUNT];
    float more[COUNT];
    double w[COUNT];
    double m[COUNT] = {0};
    double v[COUNT] = {0};
    uint64_t random = seed;

    (void)state;
    assert_int_equal(adam_open(&adam, COUNT, 0.01, 0.5), 0);
    random_normal(&random, 1.0, weights, COUNT);
    for (int i = 0; i < COUNT; i++)
        w[i] = (double)weights[i];
    for (int step = 1; step <= STEPS; step++) {
        random_normal(&random, 1.0, gradient, COUNT);
        random_normal(&random, 1.0, more, COUNT);
        adam_step(&adam, weights, gradient, step == 2 ? NULL : more, COUNT);
        for (int i = 0; i < COUNT; i++) {
            double g = (double)gradient[i];

            g += step == 2 ? 0.0 : (double)more[i];
            m[i] = 0.5 * m[i] + 0.5 * g;
            v[i] = 0.999 * v[i] + 0.001 * g * g;
            w[i] -= 0.01 * (m[i] / (1.0 - pow(0.5, step))) /
                    (sqrt(v[i] / (1.0 - pow(0.999, step))) + 1e-8);
            assert_true(fabs((double)weights[i] - w[i]) < 1e-6);
        }
    }
    adam_close(&adam);
}

/* A wrong size is an error, and no crash. */
static void test_a_network_that_cannot_be_is_refused(void **state)
{
    const struct dnn_layer layer = {
        .kind = DNN_CONVOLUTION, .channels = 8, .kernel = 9, .stride = 1};
    const struct dnn_shape small = {1, 4, 4};
    struct failure failure = {""};

    (void)state;
    assert_null(dnn_new(&layer, 1, small, BATCH, &failure));
    assert_non_null(strstr(failure.text, "oneDNN can't"));
    assert_null(dnn_new(&layer, 0, small, BATCH, &failure));
}

static int read_seed(void **state)
{
    const char *wanted = getenv("TEST_SEED");

    (void)state;
    if (wanted != NULL)
        seed = strtoull(wanted, NULL, 10);
    print_message("seed %llu\n", (unsigned long long)seed);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients_are_slopes),
        cmocka_unit_test(test_norm_and_relu_are_both),
        cmocka_unit_test(test_gradients_of_whole_networks),
        cmocka_unit_test(test_networks_have_the_guides_sizes),
        cmocka_unit_test(test_adam_follows_its_formulas),
        cmocka_unit_test(test_a_network_that_cannot_be_is_refused)};

    return cmocka_run_group_tests(tests, read_seed, NULL);
}
