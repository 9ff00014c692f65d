/* lenet.c: see lenet.h. */
#include "lenet.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "adam.h"
#include "common/random.h"
#include "gan.h"
#include "state.h"

enum {
    SIDE = 28,
    EPOCHS = 15,         /* so often each image is seen, */
    MOST_BATCHES = 2000, /* but no more than that: about five seconds */
    CLASSES_MAX = 256
};

static const double first_lr = 2e-3; /* falls to 0 along a line */

static const struct dnn_layer lenet_layers[] = {
    {.kind = DNN_CONVOLUTION,
     .channels = 10,
     .kernel = 5,
     .stride = 1,
     .bias = true},
    {.kind = DNN_MAX_POOL, .kernel = 2, .stride = 2},
    {.kind = DNN_RELU},
    {.kind = DNN_CONVOLUTION,
     .channels = 20,
     .kernel = 5,
     .stride = 1,
     .bias = true},
    {.kind = DNN_MAX_POOL, .kernel = 2, .stride = 2},
    {.kind = DNN_RELU},
    {.kind = DNN_FULL, .channels = 50, .bias = true},
    {.kind = DNN_RELU},
    {.kind = DNN_FULL, .bias = true}};

enum { LAYERS = sizeof lenet_layers / sizeof lenet_layers[0] };

int lenet_open(struct lenet *lenet, int channels, int classes,
               struct failure *failure)
{
    const struct dnn_shape shape = {channels, SIDE, SIDE};
    struct dnn_layer layers[LAYERS];

    memset(lenet, 0, sizeof *lenet);
    lenet->channels = channels;
    lenet->classes = classes;
    lenet->resize = resize_plan(GAN_SIDE, SIDE);
    memcpy(layers, lenet_layers, sizeof layers);
    layers[LAYERS - 1].channels = classes;
    lenet->net = dnn_new(layers, LAYERS, shape, GAN_BATCH, failure);
    return lenet->net == NULL ? EINVAL : 0;
}

void lenet_close(struct lenet *lenet)
{
    dnn_free(lenet->net);
    memset(lenet, 0, sizeof *lenet);
}

/* As PyTorch does by default. */
static void draw_weights(struct lenet *lenet, uint64_t *random)
{
    for (size_t i = 0; i < LAYERS; i++) {
        const struct dnn_part part = dnn_part(lenet->net, i);
        const double bound = 1.0 / sqrt((double)part.inputs);
        float *weights = dnn_weights(lenet->net) + part.at;

        for (size_t j = 0; j < part.count + part.biases; j++)
            weights[j] = (float)((2.0 * random_unit(random) - 1.0) * bound);
    }
    dnn_weights_changed(lenet->net);
}

/* ---- forward -------------------------------------------------------------- */

static int forward(struct lenet *lenet, const float *images,
                   struct failure *failure)
{
    const size_t planes = GAN_BATCH * (size_t)lenet->channels;
    float *to = dnn_input(lenet->net);

    for (size_t i = 0; i < planes; i++)
        resize_apply(&lenet->resize, images + i * GAN_PIXELS,
                     to + i * SIDE * SIDE);
    return dnn_forward(lenet->net, failure);
}

static void softmax(const float *from, size_t classes, float *to)
{
    float most = from[0];
    float sum = 0.0f;

    for (size_t i = 1; i < classes; i++)
        most = fmaxf(most, from[i]);
    for (size_t i = 0; i < classes; i++)
        sum += to[i] = expf(from[i] - most);
    for (size_t i = 0; i < classes; i++)
        to[i] /= sum;
}

int lenet_classify(struct lenet *lenet, const float *images,
                   float *probabilities, struct failure *failure)
{
    const size_t classes = (size_t)lenet->classes;
    int number = forward(lenet, images, failure);

    for (size_t i = 0; number == 0 && i < GAN_BATCH; i++)
        softmax(dnn_output(lenet->net) + i * classes, classes,
                probabilities + i * classes);
    return number;
}

/* ---- training ------------------------------------------------------------- */

/* What a training needs, and its room. */
struct lesson {
    struct lenet *lenet;
    const struct pictures *train;
    struct adam adam;
    uint64_t random;
    uint32_t *order; /* in which images are drawn: a shuffle, gone along */
    size_t at;
    float *images;
    int labels[GAN_BATCH];
};

static void draw_batch(struct lesson *lesson)
{
    const struct pictures *train = lesson->train;
    const size_t size = (size_t)train->channels * GAN_PIXELS;

    if (lesson->at + GAN_BATCH > train->count)
        lesson->at = 0; /* the next shuffle begins with what this one left */
    for (size_t i = 0; i < GAN_BATCH; i++) {
        size_t image = random_next(&lesson->random, lesson->order, train->count,
                                   lesson->at++);

        pictures_get(train, image, lesson->images + i * size);
        lesson->labels[i] = pictures_label(train, image);
    }
}

/* The slope of the negative log likelihood's mean. */
static void slope_of_loss(struct lesson *lesson)
{
    const size_t classes = (size_t)lesson->lenet->classes;
    const float *output = dnn_output(lesson->lenet->net);
    float *slope = dnn_output_slope(lesson->lenet->net);

    for (size_t i = 0; i < GAN_BATCH; i++) {
        softmax(output + i * classes, classes, slope + i * classes);
        slope[i * classes + (size_t)lesson->labels[i]] -= 1.0f;
    }
    for (size_t i = 0; i < GAN_BATCH * classes; i++)
        slope[i] /= (float)GAN_BATCH;
}

static int train_batch(struct lesson *lesson, struct failure *failure)
{
    struct dnn *net = lesson->lenet->net;
    int number;

    draw_batch(lesson);
    number = forward(lesson->lenet, lesson->images, failure);
    if (number != 0)
        return number;
    slope_of_loss(lesson);
    number = dnn_backward(net, DNN_WEIGHTS, failure);
    if (number != 0)
        return number;
    adam_step(&lesson->adam, dnn_weights(net), dnn_gradient(net), NULL,
              dnn_weight_count(net));
    dnn_weights_changed(net);
    return 0;
}

static int best_class(const float *probabilities, int classes)
{
    int best = 0;

    for (int i = 1; i < classes; i++)
        if (probabilities[i] > probabilities[best])
            best = i;
    return best;
}

/* The last batch is filled up with images from the beginning. */
static int test(struct lenet *lenet, const struct pictures *pictures,
                float *images, struct failure *failure)
{
    const size_t size = (size_t)pictures->channels * GAN_PIXELS;
    float probabilities[GAN_BATCH * CLASSES_MAX];
    size_t right = 0;

    for (size_t first = 0; first < pictures->count; first += GAN_BATCH) {
        int number;

        for (size_t i = 0; i < GAN_BATCH; i++)
            pictures_get(pictures, (first + i) % pictures->count,
                         images + i * size);
        number = lenet_classify(lenet, images, probabilities, failure);
        if (number != 0)
            return number;
        for (size_t i = 0; i < GAN_BATCH && first + i < pictures->count; i++)
            if (best_class(probabilities + i * (size_t)lenet->classes,
                           lenet->classes) ==
                pictures_label(pictures, first + i))
                right++;
    }
    lenet->accuracy = (double)right / (double)pictures->count;
    lenet->tested = pictures->count;
    return 0;
}

static int open_lesson(struct lesson *lesson, struct lenet *lenet,
                       const struct pictures *train, uint64_t seed,
                       struct failure *failure)
{
    const size_t size = (size_t)train->channels * GAN_PIXELS;
    const double keep_mean = 0.9;

    *lesson = (struct lesson){
        .lenet = lenet,
        .train = train,
        .random = seed,
        .order = malloc(train->count * sizeof *lesson->order),
        .images = malloc(GAN_BATCH * size * sizeof *lesson->images)};
    if (lesson->order == NULL || lesson->images == NULL ||
        adam_open(&lesson->adam, dnn_weight_count(lenet->net), first_lr,
                  keep_mean) != 0)
        return failure_set(failure, ENOMEM, "no memory to train a score net");
    random_order(lesson->order, train->count);
    return 0;
}

static void close_lesson(struct lesson *lesson)
{
    adam_close(&lesson->adam);
    free(lesson->order);
    free(lesson->images);
}

int lenet_train(struct lenet *lenet, const struct pictures *train,
                const struct pictures *test_on, uint64_t seed,
                struct failure *failure)
{
    const size_t whole = train->count / GAN_BATCH; /* batches an epoch */
    const double batches = fmin(MOST_BATCHES, (double)(EPOCHS * whole));
    struct lesson lesson = {0};
    int number;

    if (train->count < GAN_BATCH || train->classes < 2)
        return failure_set(failure, EBADMSG,
                           "%zu images of %d kinds are too few to train the "
                           "score net on",
                           train->count, train->classes);
    number = lenet_open(lenet, train->channels, train->classes, failure);
    if (number == 0)
        number = open_lesson(&lesson, lenet, train, seed, failure);
    if (number == 0)
        draw_weights(lenet, &lesson.random);
    for (int i = 0; number == 0 && i < batches; i++) {
        lesson.adam.lr = first_lr * (batches - i) / batches;
        number = train_batch(&lesson, failure);
    }
    if (number == 0)
        number = test(lenet, test_on, lesson.images, failure);
    close_lesson(&lesson);
    if (number != 0)
        lenet_close(lenet);
    return number;
}

/* ---- files ---------------------------------------------------------------- */

/* Numbers in the head of the file. */
enum { RIGHT, TESTED };

int lenet_save(const struct lenet *lenet, const char *path,
               struct failure *failure)
{
    const struct state_head head = {
        .kind = STATE_SCORE_NET,
        .channels = lenet->channels,
        .classes = lenet->classes,
        .numbers[RIGHT] =
            (uint64_t)llround(lenet->accuracy * (double)lenet->tested),
        .numbers[TESTED] = lenet->tested};
    const struct state_part part = {dnn_weights(lenet->net),
                                    dnn_weight_count(lenet->net)};

    return state_save(path, &head, &part, 1, failure);
}

int lenet_load(struct lenet *lenet, const char *path, struct failure *failure)
{
    struct state_file file;
    struct state_part part;
    int number;

    memset(lenet, 0, sizeof *lenet);
    number = state_open(&file, path, STATE_SCORE_NET, failure);
    if (number != 0)
        return number;
    if (file.head.channels < 1 || file.head.classes < 2 ||
        file.head.classes > CLASSES_MAX)
        number =
            failure_set(failure, EBADMSG, "%s holds another network", path);
    if (number == 0)
        number =
            lenet_open(lenet, file.head.channels, file.head.classes, failure);
    if (number == 0) {
        part = (struct state_part){dnn_weights(lenet->net),
                                   dnn_weight_count(lenet->net)};
        number = state_take(&file, path, &part, 1, failure);
    }
    if (number == 0) {
        lenet->tested = file.head.numbers[TESTED];
        lenet->accuracy =
            (double)file.head.numbers[RIGHT] / fmax((double)lenet->tested, 1.0);
        dnn_weights_changed(lenet->net);
    } else {
        lenet_close(lenet);
    }
    state_close(&file);
    return number;
}
