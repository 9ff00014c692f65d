/* dnn.c: a network: see dnn.h, and dnn_inside.h for how it is made. */
#include "dnn.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

#include "dnn_inside.h"

static int tell(const struct dnn *net, struct failure *failure)
{
    static const struct {
        dnnl_status_t status;
        const char *text;
    } texts[] = {{dnnl_out_of_memory, "out of memory"},
                 {dnnl_invalid_arguments, "invalid arguments"},
                 {dnnl_unimplemented, "not implemented for this CPU"}};
    const char *text = "it gives no reason";

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].status == net->status)
            text = texts[i].text;
    return failure_set(failure,
                       net->status == dnnl_out_of_memory ? ENOMEM : EINVAL,
                       "oneDNN can't %s: %s", net->doing, text);
}

/* ---- a network ------------------------------------------------------------ */

static struct dnn_part count_part(const struct dnn_layer *like,
                                  struct dnn_shape in)
{
    struct dnn_part part = {.kind = like->kind};
    size_t pixels = (size_t)like->kernel * (size_t)like->kernel;

    switch (like->kind) {
    case DNN_CONVOLUTION:
    case DNN_TRANSPOSED:
    case DNN_FULL:
        if (like->kind == DNN_FULL)
            pixels = (size_t)in.height * (size_t)in.width;
        part.inputs = (size_t)in.channels * pixels;
        part.count = part.inputs * (size_t)like->channels;
        part.biases = like->bias ? (size_t)like->channels : 0;
        break;
    case DNN_NORM:
        part.count = (size_t)in.channels;
        part.biases = (size_t)in.channels;
        break;
    case DNN_RELU:
    case DNN_LEAKY_RELU:
    case DNN_TANH:
    case DNN_MAX_POOL:
        break;
    }
    return part;
}

/* Sizes only: where each layer's weights lie. */
static void lay_out(struct dnn *net, const struct dnn_layer *layers,
                    struct dnn_shape shape)
{
    for (size_t i = 0; i < net->count; i++) {
        const struct dnn_layer *like = &layers[i];
        struct dnn_part *part = &net->layers[i].part;

        net->layers[i].like = *like;
        *part = count_part(like, shape);
        part->at = net->weight_count;
        net->weight_count += part->count + part->biases;
        shape.height = dnn_moved(like, shape.height);
        shape.width = dnn_moved(like, shape.width);
        if (like->channels != 0)
            shape.channels = like->channels;
        if (like->kind == DNN_FULL)
            shape.height = shape.width = 1;
    }
    net->weights = calloc(net->weight_count + 1, sizeof *net->weights);
    net->gradient = calloc(net->weight_count + 1, sizeof *net->gradient);
    if (net->weights == NULL || net->gradient == NULL)
        dnn_note(net, dnnl_out_of_memory, "hold the weights");
}

static void build_forward(struct dnn *net, struct dnn_shape input)
{
    const dnnl_dim_t sizes[4] = {net->batch, input.channels, input.height,
                                 input.width};
    const dnnl_memory_desc_t form = dnn_make_form(net, 4, sizes, dnnl_abcd);
    dnnl_memory_desc_t plain;

    net->last = dnn_new_memory(net, &form, DNNL_MEMORY_ALLOCATE);
    net->users[INPUT] = net->last;
    for (size_t i = 0; i < net->count && !dnn_failed(net); i++) {
        struct layer *layer = &net->layers[i];

        layer->source = net->last;
        dnn_builder_of(layer->like.kind).forward(net, layer);
        net->last = layer->output;
    }
    plain = dnn_plain_layout(net, dnn_form_of(net, net->last));
    net->users[OUTPUT] = dnn_as(net, &net->forward, 0, net->last, &plain);
}

static void build_backward(struct dnn *net)
{
    dnnl_memory_desc_t plain;

    net->last = dnn_new_memory(net, dnn_form_of(net, net->users[OUTPUT]),
                               DNNL_MEMORY_ALLOCATE);
    net->users[OUTPUT_SLOPE] = net->last;
    for (size_t i = net->count; i-- > 0 && !dnn_failed(net);)
        dnn_builder_of(net->layers[i].like.kind).backward(net, &net->layers[i]);
    plain = dnn_plain_layout(net, dnn_form_of(net, net->last));
    net->users[INPUT_SLOPE] =
        dnn_as(net, &net->backward, DNN_INPUT, net->last, &plain);
}

/*
 * Debian's oneDNN divides its work among OpenMP's threads: one for each CPU
 * unless told otherwise.  A trial has one CPU.  Builds of oneDNN without OpenMP
 * have no such function.
 */
static void take_one_thread(void)
{
    void (*set_threads)(int count) = NULL;

    *(void **)&set_threads = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    if (set_threads != NULL)
        set_threads(1);
}

struct dnn *dnn_new(const struct dnn_layer *layers, size_t count,
                    struct dnn_shape input, int batch, struct failure *failure)
{
    struct dnn *net = calloc(1, sizeof *net);

    if (net == NULL) {
        (void)failure_set(failure, ENOMEM, "no memory for a network");
        return NULL;
    }
    take_one_thread();
    net->batch = batch;
    net->count = count;
    if (count == 0 || count > LAYERS)
        dnn_note(net, dnnl_invalid_arguments, "hold so many layers");
    else
        lay_out(net, layers, input);
    if (!dnn_failed(net))
        dnn_note(net, dnnl_engine_create(&net->engine, dnnl_cpu, 0), "begin");
    if (!dnn_failed(net))
        dnn_note(net,
                 dnnl_stream_create(&net->stream, net->engine,
                                    dnnl_stream_default_flags),
                 "begin");
    if (!dnn_failed(net))
        build_forward(net, input);
    if (!dnn_failed(net))
        build_backward(net);
    if (dnn_failed(net)) {
        (void)tell(net, failure);
        dnn_free(net);
        return NULL;
    }
    return net;
}

/* These fail on wrong use only. */
static void free_program(struct program *program)
{
    for (int i = 0; i < program->count; i++)
        (void)dnnl_primitive_destroy(program->calls[i].primitive);
}

void dnn_free(struct dnn *net)
{
    if (net == NULL)
        return;
    free_program(&net->lay);
    free_program(&net->forward);
    free_program(&net->backward);
    for (size_t i = 0; i < LAYERS; i++)
        (void)dnnl_primitive_desc_destroy(net->layers[i].forward);
    for (int i = 0; i < net->memory_count; i++)
        (void)dnnl_memory_destroy(net->memories[i]);
    (void)dnnl_stream_destroy(net->stream);
    (void)dnnl_engine_destroy(net->engine);
    free(net->weights);
    free(net->gradient);
    free(net);
}

/* ---- its numbers ---------------------------------------------------------- */

static float *numbers(const struct dnn *net, int which)
{
    void *at = NULL;

    /* Fails on wrong use only. */
    (void)dnnl_memory_get_data_handle(net->users[which], &at);
    return at;
}

static size_t size_of(const struct dnn *net, int which)
{
    const dnnl_memory_desc_t *form = NULL;
    size_t size = 1;

    (void)dnnl_memory_get_memory_desc(net->users[which], &form);
    for (int i = 1; form != NULL && i < form->ndims; i++)
        size *= (size_t)form->dims[i];
    return size;
}

size_t dnn_input_size(const struct dnn *net)
{
    return size_of(net, INPUT);
}

size_t dnn_output_size(const struct dnn *net)
{
    return size_of(net, OUTPUT);
}

float *dnn_input(struct dnn *net)
{
    return numbers(net, INPUT);
}

const float *dnn_output(const struct dnn *net)
{
    return numbers(net, OUTPUT);
}

float *dnn_output_slope(struct dnn *net)
{
    return numbers(net, OUTPUT_SLOPE);
}

const float *dnn_input_slope(const struct dnn *net)
{
    return numbers(net, INPUT_SLOPE);
}

size_t dnn_weight_count(const struct dnn *net)
{
    return net->weight_count;
}

float *dnn_weights(struct dnn *net)
{
    return net->weights;
}

const float *dnn_gradient(const struct dnn *net)
{
    return net->gradient;
}

struct dnn_part dnn_part(const struct dnn *net, size_t layer)
{
    return net->layers[layer].part;
}

void dnn_weights_changed(struct dnn *net)
{
    net->laid = false;
}

/* ---- passes --------------------------------------------------------------- */

static void run(struct dnn *net, const struct program *program, unsigned wanted)
{
    for (int i = 0; i < program->count && !dnn_failed(net); i++) {
        const struct call *call = &program->calls[i];

        if (call->when == 0 || (call->when & wanted) != 0)
            dnn_note(net,
                     dnnl_primitive_execute(call->primitive, net->stream,
                                            call->count, call->arguments),
                     "compute a layer");
    }
    if (!dnn_failed(net))
        dnn_note(net, dnnl_stream_wait(net->stream), "compute a layer");
}

int dnn_forward(struct dnn *net, struct failure *failure)
{
    if (!net->laid) {
        run(net, &net->lay, 0);
        net->laid = true;
    }
    run(net, &net->forward, 0);
    return dnn_failed(net) ? tell(net, failure) : 0;
}

int dnn_backward(struct dnn *net, unsigned wanted, struct failure *failure)
{
    run(net, &net->backward, wanted);
    return dnn_failed(net) ? tell(net, failure) : 0;
}
