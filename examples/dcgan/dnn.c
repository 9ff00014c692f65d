/*
 * dnn.c: dnn.h over oneDNN 2.x, its C interface.
 *
 * A network is compiled once into three programs, lists of calls with fixed
 * arguments: `lay` brings the weights into the layouts in which the layers want
 * them, `forward` and `backward` are the passes.  Wherever two neighbours
 * prefer different layouts, a reorder stands between them.  Building asks the
 * library for its choice by leaving each layout open (format_tag_any).
 *
 * Errors stick: the first one is noted, and what follows does nothing.
 */
#include "dnn.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <oneapi/dnnl/dnnl.h>

#if defined(DNNL_VERSION_MAJOR) && DNNL_VERSION_MAJOR != 2
#error "dnn.c is written for oneDNN 2.x: version 3 has other descriptors"
#endif

enum { LAYERS = 16, MEMORIES = 256, CALLS = 96, ARGUMENTS = 10 };

struct call {
    dnnl_primitive_t primitive;
    unsigned when; /* 0: always; else for which of `wanted` */
    int count;
    dnnl_exec_arg_t arguments[ARGUMENTS];
};

struct program {
    int count;
    struct call calls[CALLS];
};

struct layer {
    struct dnn_layer like;
    struct dnn_part part;
    dnnl_primitive_desc_t forward;
    dnnl_memory_t source; /* what comes in, as its neighbour left it */
    dnnl_memory_t input;  /* the same in the layout that it wants */
    dnnl_memory_t output;
    dnnl_memory_t weights; /* as the user sees them */
    dnnl_memory_t biases;
    dnnl_memory_t mean;
    dnnl_memory_t variance;
    dnnl_memory_t workspace;
};

struct dnn {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    struct program lay;
    struct program forward;
    struct program backward;
    struct layer layers[LAYERS];
    size_t count;
    int batch;
    dnnl_memory_t memories[MEMORIES]; /* all, to be freed */
    int memory_count;
    dnnl_memory_t last;     /* while building: where the numbers are now */
    dnnl_memory_t users[4]; /* input, output, and their slopes */
    float *weights;
    float *gradient;
    size_t weight_count;
    bool laid; /* the weights are where the passes look */
    dnnl_status_t status;
    const char *doing;
};

enum { INPUT, OUTPUT, OUTPUT_SLOPE, INPUT_SLOPE };

/* ---- errors --------------------------------------------------------------- */

static bool failed(const struct dnn *net)
{
    return net->status != dnnl_success;
}

static void note(struct dnn *net, dnnl_status_t status, const char *doing)
{
    if (failed(net) || status == dnnl_success)
        return;
    net->status = status;
    net->doing = doing;
}

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

/* ---- memories and calls --------------------------------------------------- */

/* `at`: the user's numbers, or DNNL_MEMORY_ALLOCATE.  NULL after a failure. */
static dnnl_memory_t new_memory(struct dnn *net, const dnnl_memory_desc_t *form,
                                void *at)
{
    dnnl_memory_t memory = NULL;

    if (failed(net))
        return NULL;
    if (net->memory_count == MEMORIES) {
        note(net, dnnl_out_of_memory, "hold so many layers");
        return NULL;
    }
    note(net, dnnl_memory_create(&memory, form, net->engine, at),
         "allocate memory");
    if (memory != NULL)
        net->memories[net->memory_count++] = memory;
    return memory;
}

static const dnnl_memory_desc_t *form_of(struct dnn *net, dnnl_memory_t memory)
{
    static const dnnl_memory_desc_t none;
    const dnnl_memory_desc_t *form = &none;

    if (!failed(net))
        note(net, dnnl_memory_get_memory_desc(memory, &form), "look at memory");
    return form;
}

static dnnl_memory_desc_t make_form(struct dnn *net, int dimensions,
                                    const dnnl_dim_t *sizes,
                                    dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t form = {0};
    dnnl_dims_t all = {0};

    memcpy(all, sizes, (size_t)dimensions * sizeof *sizes);
    note(net,
         dnnl_memory_desc_init_by_tag(&form, dimensions, all, dnnl_f32, tag),
         "describe memory");
    return form;
}

/* As `form`, in whatever layout the library likes best. */
static dnnl_memory_desc_t any_layout(struct dnn *net,
                                     const dnnl_memory_desc_t *form)
{
    return make_form(net, form->ndims, form->dims, dnnl_format_tag_any);
}

/* As `form`, in the layout of the users of this file. */
static dnnl_memory_desc_t plain_layout(struct dnn *net,
                                       const dnnl_memory_desc_t *form)
{
    return make_form(net, form->ndims, form->dims,
                     form->ndims == 2 ? dnnl_ab : dnnl_abcd);
}

/* Appends a call without arguments; a failure gives one that nobody makes. */
static struct call *add_call(struct dnn *net, struct program *program,
                             const_dnnl_primitive_desc_t what, unsigned when)
{
    static struct call nobody;
    struct call *call = &program->calls[program->count];

    nobody.count = 0;
    if (failed(net))
        return &nobody;
    if (program->count == CALLS) {
        note(net, dnnl_out_of_memory, "hold so many layers");
        return &nobody;
    }
    note(net, dnnl_primitive_create(&call->primitive, what), "compile a layer");
    if (failed(net))
        return &nobody;
    call->when = when;
    program->count++;
    return call;
}

static void argue(struct call *call, int name, dnnl_memory_t memory)
{
    if (memory == NULL)
        return; /* what this layer does not have, or after a failure */
    call->arguments[call->count].arg = name;
    call->arguments[call->count].memory = memory;
    call->count++;
}

static void add_reorder(struct dnn *net, struct program *program, unsigned when,
                        dnnl_memory_t from, dnnl_memory_t to)
{
    dnnl_primitive_desc_t reorder = NULL;
    struct call *call;

    if (failed(net))
        return;
    note(net,
         dnnl_reorder_primitive_desc_create(&reorder, form_of(net, from),
                                            net->engine, form_of(net, to),
                                            net->engine, NULL),
         "reorder memory");
    call = add_call(net, program, reorder, when);
    argue(call, DNNL_ARG_FROM, from);
    argue(call, DNNL_ARG_TO, to);
    (void)dnnl_primitive_desc_destroy(reorder);
}

/* The numbers of `from` in layout `form`: there already, or to be reordered. */
static dnnl_memory_t as(struct dnn *net, struct program *program, unsigned when,
                        dnnl_memory_t from, const dnnl_memory_desc_t *form)
{
    dnnl_memory_t to;

    if (failed(net) || dnnl_memory_desc_equal(form_of(net, from), form))
        return from;
    to = new_memory(net, form, DNNL_MEMORY_ALLOCATE);
    add_reorder(net, program, when, from, to);
    return to;
}

static const dnnl_memory_desc_t *asked(const_dnnl_primitive_desc_t layer,
                                       dnnl_query_t what)
{
    return dnnl_primitive_desc_query_md(layer, what, 0);
}

static dnnl_primitive_desc_t describe(struct dnn *net,
                                      const_dnnl_op_desc_t operation,
                                      const_dnnl_primitive_desc_t forward)
{
    dnnl_primitive_desc_t layer = NULL;

    if (!failed(net))
        note(net,
             dnnl_primitive_desc_create(&layer, operation, NULL, net->engine,
                                        forward),
             "build a layer");
    return layer;
}

/* ---- layers with weights -------------------------------------------------- */

/* What describes such a layer to the library, all layouts left open. */
struct weighted {
    dnnl_memory_desc_t source;
    dnnl_memory_desc_t weights;
    dnnl_memory_desc_t biases; /* zeros: none */
    dnnl_memory_desc_t output;
    dnnl_dims_t stride;
    dnnl_dims_t padding;
    dnnl_memory_desc_t user_weights; /* in PyTorch's layout */
};

static int moved(const struct dnn_layer *like, int size)
{
    switch (like->kind) {
    case DNN_CONVOLUTION:
        return (size + 2 * like->padding - like->kernel) / like->stride + 1;
    case DNN_TRANSPOSED:
        return (size - 1) * like->stride - 2 * like->padding + like->kernel;
    case DNN_MAX_POOL:
        return (size - like->kernel) / like->stride + 1;
    case DNN_FULL:
    case DNN_NORM:
    case DNN_RELU:
    case DNN_LEAKY_RELU:
    case DNN_TANH:
        break;
    }
    return size;
}

static struct weighted weigh(struct dnn *net, const struct layer *layer)
{
    const struct dnn_layer *like = &layer->like;
    const dnnl_memory_desc_t *in = form_of(net, layer->source);
    const bool full = like->kind == DNN_FULL;
    const dnnl_dim_t biases[] = {like->channels};
    dnnl_dim_t kernel[4] = {like->channels, in->dims[1], like->kernel,
                            like->kernel};
    dnnl_dim_t out[4] = {in->dims[0], like->channels, 0, 0};
    dnnl_format_tag_t order = dnnl_abcd;
    struct weighted w = {.source = any_layout(net, in)};

    for (int i = 0; i < 2; i++) {
        w.stride[i] = like->stride;
        w.padding[i] = like->padding;
        if (full)
            kernel[2 + i] = in->dims[2 + i]; /* if there are any */
        else
            out[2 + i] = moved(like, (int)in->dims[2 + i]);
    }
    if (like->kind == DNN_TRANSPOSED)
        order = dnnl_bacd; /* PyTorch: from channel, to channel */
    else if (in->ndims == 2)
        order = dnnl_ab;
    w.user_weights = make_form(net, in->ndims, kernel, order);
    w.weights = any_layout(net, &w.user_weights);
    w.output = make_form(net, full ? 2 : 4, out, dnnl_format_tag_any);
    if (like->bias)
        w.biases = make_form(net, 1, biases, dnnl_a);
    return w;
}

union operation {
    dnnl_convolution_desc_t convolution; /* also of a transposed one */
    dnnl_inner_product_desc_t full;
};

static dnnl_primitive_desc_t
weighted_forward(struct dnn *net, enum dnn_kind kind, const struct weighted *w)
{
    union operation o;
    dnnl_status_t status;

    if (kind == DNN_FULL)
        status = dnnl_inner_product_forward_desc_init(
            &o.full, dnnl_forward_training, &w->source, &w->weights, &w->biases,
            &w->output);
    else if (kind == DNN_CONVOLUTION)
        status = dnnl_convolution_forward_desc_init(
            &o.convolution, dnnl_forward_training, dnnl_convolution_direct,
            &w->source, &w->weights, &w->biases, &w->output, w->stride,
            w->padding, w->padding);
    else
        status = dnnl_deconvolution_forward_desc_init(
            &o.convolution, dnnl_forward_training, dnnl_deconvolution_direct,
            &w->source, &w->weights, &w->biases, &w->output, w->stride,
            w->padding, w->padding);
    note(net, status, "describe a layer");
    return describe(net, &o, NULL);
}

static dnnl_primitive_desc_t weighted_back_data(struct dnn *net,
                                                const struct layer *layer,
                                                const struct weighted *w)
{
    union operation o;
    dnnl_status_t status;

    if (layer->like.kind == DNN_FULL)
        status = dnnl_inner_product_backward_data_desc_init(
            &o.full, &w->source, &w->weights, &w->output);
    else if (layer->like.kind == DNN_CONVOLUTION)
        status = dnnl_convolution_backward_data_desc_init(
            &o.convolution, dnnl_convolution_direct, &w->source, &w->weights,
            &w->output, w->stride, w->padding, w->padding);
    else
        status = dnnl_deconvolution_backward_data_desc_init(
            &o.convolution, dnnl_deconvolution_direct, &w->source, &w->weights,
            &w->output, w->stride, w->padding, w->padding);
    note(net, status, "describe a layer");
    return describe(net, &o, layer->forward);
}

static dnnl_primitive_desc_t weighted_back_weights(struct dnn *net,
                                                   const struct layer *layer,
                                                   const struct weighted *w)
{
    union operation o;
    dnnl_status_t status;

    if (layer->like.kind == DNN_FULL)
        status = dnnl_inner_product_backward_weights_desc_init(
            &o.full, &w->source, &w->weights, &w->biases, &w->output);
    else if (layer->like.kind == DNN_CONVOLUTION)
        status = dnnl_convolution_backward_weights_desc_init(
            &o.convolution, dnnl_convolution_direct, &w->source, &w->weights,
            &w->biases, &w->output, w->stride, w->padding, w->padding);
    else
        status = dnnl_deconvolution_backward_weights_desc_init(
            &o.convolution, dnnl_deconvolution_direct, &w->source, &w->weights,
            &w->biases, &w->output, w->stride, w->padding, w->padding);
    note(net, status, "describe a layer");
    return describe(net, &o, layer->forward);
}

static void forward_weighted(struct dnn *net, struct layer *layer)
{
    const struct weighted w = weigh(net, layer);
    float *weights = net->weights + layer->part.at;
    dnnl_primitive_desc_t what = weighted_forward(net, layer->like.kind, &w);
    dnnl_memory_t laid;
    struct call *call;

    layer->forward = what;
    if (failed(net))
        return;
    layer->weights = new_memory(net, &w.user_weights, weights);
    if (layer->like.bias)
        layer->biases = new_memory(net, &w.biases, weights + layer->part.count);
    laid = as(net, &net->lay, 0, layer->weights,
              asked(what, dnnl_query_weights_md));
    layer->input = as(net, &net->forward, 0, layer->source,
                      asked(what, dnnl_query_src_md));
    layer->output =
        new_memory(net, asked(what, dnnl_query_dst_md), DNNL_MEMORY_ALLOCATE);
    call = add_call(net, &net->forward, what, 0);
    argue(call, DNNL_ARG_SRC, layer->input);
    argue(call, DNNL_ARG_WEIGHTS, laid);
    argue(call, DNNL_ARG_BIAS, layer->biases);
    argue(call, DNNL_ARG_DST, layer->output);
}

static void gradient_of_weights(struct dnn *net, const struct layer *layer,
                                const struct weighted *w)
{
    dnnl_primitive_desc_t what = weighted_back_weights(net, layer, w);
    float *at = net->gradient + layer->part.at;
    const dnnl_memory_desc_t *form;
    dnnl_memory_t source = layer->input;
    dnnl_memory_t slope;
    dnnl_memory_t gradient;
    dnnl_memory_t mine;
    struct call *call;

    if (failed(net))
        return;
    form = asked(what, dnnl_query_src_md);
    if (!dnnl_memory_desc_equal(form_of(net, source), form))
        source = as(net, &net->backward, DNN_WEIGHTS, layer->source, form);
    slope = as(net, &net->backward, DNN_WEIGHTS, net->last,
               asked(what, dnnl_query_diff_dst_md));
    gradient = new_memory(net, &w->user_weights, at);
    form = asked(what, dnnl_query_diff_weights_md);
    mine = dnnl_memory_desc_equal(&w->user_weights, form)
               ? gradient
               : new_memory(net, form, DNNL_MEMORY_ALLOCATE);
    call = add_call(net, &net->backward, what, DNN_WEIGHTS);
    argue(call, DNNL_ARG_SRC, source);
    argue(call, DNNL_ARG_DIFF_DST, slope);
    argue(call, DNNL_ARG_DIFF_WEIGHTS, mine);
    if (layer->like.bias)
        argue(call, DNNL_ARG_DIFF_BIAS,
              new_memory(net, &w->biases, at + layer->part.count));
    if (mine != gradient)
        add_reorder(net, &net->backward, DNN_WEIGHTS, mine, gradient);
    (void)dnnl_primitive_desc_destroy(what);
}

static void slope_of_source(struct dnn *net, const struct layer *layer,
                            const struct weighted *w)
{
    /* Behind the first layer only the user may want to go. */
    const unsigned when = layer == net->layers ? DNN_INPUT : 0;
    dnnl_primitive_desc_t what = weighted_back_data(net, layer, w);
    dnnl_memory_t laid;
    dnnl_memory_t slope;
    struct call *call;

    if (failed(net))
        return;
    laid = as(net, &net->lay, 0, layer->weights,
              asked(what, dnnl_query_weights_md));
    slope = as(net, &net->backward, when, net->last,
               asked(what, dnnl_query_diff_dst_md));
    net->last = new_memory(net, asked(what, dnnl_query_diff_src_md),
                           DNNL_MEMORY_ALLOCATE);
    call = add_call(net, &net->backward, what, when);
    argue(call, DNNL_ARG_DIFF_DST, slope);
    argue(call, DNNL_ARG_WEIGHTS, laid);
    argue(call, DNNL_ARG_DIFF_SRC, net->last);
    (void)dnnl_primitive_desc_destroy(what);
}

static void backward_weighted(struct dnn *net, struct layer *layer)
{
    const struct weighted w = weigh(net, layer);

    gradient_of_weights(net, layer, &w);
    slope_of_source(net, layer, &w);
}

/* ---- batch normalisation -------------------------------------------------- */

static unsigned norm_flags(const struct layer *layer)
{
    return dnnl_use_scale | dnnl_use_shift |
           (layer->like.relu ? dnnl_fuse_norm_relu : 0u);
}

static const float norm_epsilon = 1e-5f;

static void forward_norm(struct dnn *net, struct layer *layer)
{
    const dnnl_memory_desc_t *form = form_of(net, layer->source);
    const dnnl_dim_t channels[] = {form->dims[1]};
    const dnnl_memory_desc_t row = make_form(net, 1, channels, dnnl_a);
    float *weights = net->weights + layer->part.at;
    dnnl_batch_normalization_desc_t operation;
    struct call *call;

    note(net,
         dnnl_batch_normalization_forward_desc_init(
             &operation, dnnl_forward_training, form, norm_epsilon,
             norm_flags(layer)),
         "describe a normalisation");
    layer->forward = describe(net, &operation, NULL);
    if (failed(net))
        return;
    layer->input = layer->source;
    layer->output = new_memory(net, form, DNNL_MEMORY_ALLOCATE);
    layer->weights = new_memory(net, &row, weights);
    layer->biases = new_memory(net, &row, weights + layer->part.count);
    layer->mean = new_memory(net, &row, DNNL_MEMORY_ALLOCATE);
    layer->variance = new_memory(net, &row, DNNL_MEMORY_ALLOCATE);
    if (layer->like.relu)
        layer->workspace =
            new_memory(net, asked(layer->forward, dnnl_query_workspace_md),
                       DNNL_MEMORY_ALLOCATE);
    call = add_call(net, &net->forward, layer->forward, 0);
    argue(call, DNNL_ARG_SRC, layer->input);
    argue(call, DNNL_ARG_SCALE, layer->weights);
    argue(call, DNNL_ARG_SHIFT, layer->biases);
    argue(call, DNNL_ARG_MEAN, layer->mean);
    argue(call, DNNL_ARG_VARIANCE, layer->variance);
    argue(call, DNNL_ARG_WORKSPACE, layer->workspace);
    argue(call, DNNL_ARG_DST, layer->output);
}

/* Where a slope may be overwritten by the one before it: not where the user's are. */
static dnnl_memory_t in_place(struct dnn *net, dnnl_memory_t slope)
{
    return slope == net->users[OUTPUT_SLOPE]
               ? new_memory(net, form_of(net, slope), DNNL_MEMORY_ALLOCATE)
               : slope;
}

static void backward_norm(struct dnn *net, struct layer *layer)
{
    const dnnl_memory_desc_t *form = form_of(net, layer->source);
    const dnnl_memory_desc_t *row = form_of(net, layer->weights);
    float *gradient = net->gradient + layer->part.at;
    dnnl_batch_normalization_desc_t operation;
    dnnl_primitive_desc_t what;
    dnnl_memory_t slope;
    struct call *call;

    note(net,
         dnnl_batch_normalization_backward_desc_init(&operation, dnnl_backward,
                                                     form, form, norm_epsilon,
                                                     norm_flags(layer)),
         "describe a normalisation");
    what = describe(net, &operation, layer->forward);
    if (failed(net))
        return;
    slope = as(net, &net->backward, 0, net->last, form);
    net->last = in_place(net, slope);
    call = add_call(net, &net->backward, what, 0);
    argue(call, DNNL_ARG_SRC, layer->input);
    argue(call, DNNL_ARG_MEAN, layer->mean);
    argue(call, DNNL_ARG_VARIANCE, layer->variance);
    argue(call, DNNL_ARG_SCALE, layer->weights);
    argue(call, DNNL_ARG_SHIFT, layer->biases);
    argue(call, DNNL_ARG_WORKSPACE, layer->workspace);
    argue(call, DNNL_ARG_DIFF_DST, slope);
    argue(call, DNNL_ARG_DIFF_SRC, net->last);
    argue(call, DNNL_ARG_DIFF_SCALE, new_memory(net, row, gradient));
    argue(call, DNNL_ARG_DIFF_SHIFT,
          new_memory(net, row, gradient + layer->part.count));
    (void)dnnl_primitive_desc_destroy(what);
}

/* ---- functions of single numbers, computed in place ------------------------ */

static dnnl_alg_kind_t function_of(enum dnn_kind kind)
{
    return kind == DNN_TANH ? dnnl_eltwise_tanh_use_dst_for_bwd
                            : dnnl_eltwise_relu_use_dst_for_bwd;
}

static bool is_function(enum dnn_kind kind)
{
    return kind == DNN_RELU || kind == DNN_LEAKY_RELU || kind == DNN_TANH;
}

static void forward_function(struct dnn *net, struct layer *layer)
{
    const dnnl_memory_desc_t *form = form_of(net, layer->source);
    dnnl_eltwise_desc_t operation;
    bool keep;
    struct call *call;

    note(net,
         dnnl_eltwise_forward_desc_init(&operation, dnnl_forward_training,
                                        function_of(layer->like.kind), form,
                                        layer->like.slope, 0.0f),
         "describe a function");
    layer->forward = describe(net, &operation, NULL);
    /* Of all layers only these look at their own output on the way back. */
    keep =
        layer->source == net->users[INPUT] || is_function(layer[-1].like.kind);
    layer->output =
        keep ? new_memory(net, form, DNNL_MEMORY_ALLOCATE) : layer->source;
    call = add_call(net, &net->forward, layer->forward, 0);
    argue(call, DNNL_ARG_SRC, layer->source);
    argue(call, DNNL_ARG_DST, layer->output);
}

static void backward_function(struct dnn *net, struct layer *layer)
{
    const dnnl_memory_desc_t *form = form_of(net, layer->source);
    dnnl_eltwise_desc_t operation;
    dnnl_primitive_desc_t what;
    dnnl_memory_t slope;
    struct call *call;

    note(net,
         dnnl_eltwise_backward_desc_init(&operation,
                                         function_of(layer->like.kind), form,
                                         form, layer->like.slope, 0.0f),
         "describe a function");
    what = describe(net, &operation, layer->forward);
    if (failed(net))
        return;
    slope = as(net, &net->backward, 0, net->last, form);
    net->last = in_place(net, slope);
    call = add_call(net, &net->backward, what, 0);
    argue(call, DNNL_ARG_DST, layer->output);
    argue(call, DNNL_ARG_DIFF_DST, slope);
    argue(call, DNNL_ARG_DIFF_SRC, net->last);
    (void)dnnl_primitive_desc_destroy(what);
}

/* ---- max-pooling ---------------------------------------------------------- */

static void forward_pool(struct dnn *net, struct layer *layer)
{
    const struct dnn_layer *like = &layer->like;
    const dnnl_memory_desc_t *form = form_of(net, layer->source);
    const dnnl_dims_t stride = {like->stride, like->stride};
    const dnnl_dims_t kernel = {like->kernel, like->kernel};
    const dnnl_dims_t padding = {0, 0};
    const dnnl_dim_t out[4] = {form->dims[0], form->dims[1],
                               moved(like, (int)form->dims[2]),
                               moved(like, (int)form->dims[3])};
    const dnnl_memory_desc_t any = make_form(net, 4, out, dnnl_format_tag_any);
    dnnl_pooling_desc_t operation;
    struct call *call;

    note(net,
         dnnl_pooling_forward_desc_init(&operation, dnnl_forward_training,
                                        dnnl_pooling_max, form, &any, stride,
                                        kernel, padding, padding),
         "describe a pooling");
    layer->forward = describe(net, &operation, NULL);
    if (failed(net))
        return;
    layer->output = new_memory(net, asked(layer->forward, dnnl_query_dst_md),
                               DNNL_MEMORY_ALLOCATE);
    layer->workspace =
        new_memory(net, asked(layer->forward, dnnl_query_workspace_md),
                   DNNL_MEMORY_ALLOCATE);
    call = add_call(net, &net->forward, layer->forward, 0);
    argue(call, DNNL_ARG_SRC, layer->source);
    argue(call, DNNL_ARG_DST, layer->output);
    argue(call, DNNL_ARG_WORKSPACE, layer->workspace);
}

static void backward_pool(struct dnn *net, struct layer *layer)
{
    const struct dnn_layer *like = &layer->like;
    const dnnl_memory_desc_t *form = form_of(net, layer->source);
    const dnnl_memory_desc_t *out = form_of(net, layer->output);
    const dnnl_dims_t stride = {like->stride, like->stride};
    const dnnl_dims_t kernel = {like->kernel, like->kernel};
    const dnnl_dims_t padding = {0, 0};
    dnnl_pooling_desc_t operation;
    dnnl_primitive_desc_t what;
    dnnl_memory_t slope;
    struct call *call;

    note(net,
         dnnl_pooling_backward_desc_init(&operation, dnnl_pooling_max, form,
                                         out, stride, kernel, padding, padding),
         "describe a pooling");
    what = describe(net, &operation, layer->forward);
    if (failed(net))
        return;
    slope = as(net, &net->backward, 0, net->last, out);
    net->last = new_memory(net, form, DNNL_MEMORY_ALLOCATE);
    call = add_call(net, &net->backward, what, 0);
    argue(call, DNNL_ARG_DIFF_DST, slope);
    argue(call, DNNL_ARG_WORKSPACE, layer->workspace);
    argue(call, DNNL_ARG_DIFF_SRC, net->last);
    (void)dnnl_primitive_desc_destroy(what);
}

/* ---- a network ------------------------------------------------------------ */

struct builder {
    void (*forward)(struct dnn *net, struct layer *layer);
    void (*backward)(struct dnn *net, struct layer *layer);
};

static struct builder builder_of(enum dnn_kind kind)
{
    switch (kind) {
    case DNN_CONVOLUTION:
    case DNN_TRANSPOSED:
    case DNN_FULL:
        break;
    case DNN_NORM:
        return (struct builder){forward_norm, backward_norm};
    case DNN_RELU:
    case DNN_LEAKY_RELU:
    case DNN_TANH:
        return (struct builder){forward_function, backward_function};
    case DNN_MAX_POOL:
        return (struct builder){forward_pool, backward_pool};
    }
    return (struct builder){forward_weighted, backward_weighted};
}

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
        shape.height = moved(like, shape.height);
        shape.width = moved(like, shape.width);
        if (like->channels != 0)
            shape.channels = like->channels;
        if (like->kind == DNN_FULL)
            shape.height = shape.width = 1;
    }
    net->weights = calloc(net->weight_count + 1, sizeof *net->weights);
    net->gradient = calloc(net->weight_count + 1, sizeof *net->gradient);
    if (net->weights == NULL || net->gradient == NULL)
        note(net, dnnl_out_of_memory, "hold the weights");
}

static void build_forward(struct dnn *net, struct dnn_shape input)
{
    const dnnl_dim_t sizes[4] = {net->batch, input.channels, input.height,
                                 input.width};
    const dnnl_memory_desc_t form = make_form(net, 4, sizes, dnnl_abcd);
    dnnl_memory_desc_t plain;

    net->last = new_memory(net, &form, DNNL_MEMORY_ALLOCATE);
    net->users[INPUT] = net->last;
    for (size_t i = 0; i < net->count && !failed(net); i++) {
        struct layer *layer = &net->layers[i];

        layer->source = net->last;
        builder_of(layer->like.kind).forward(net, layer);
        net->last = layer->output;
    }
    plain = plain_layout(net, form_of(net, net->last));
    net->users[OUTPUT] = as(net, &net->forward, 0, net->last, &plain);
}

static void build_backward(struct dnn *net)
{
    dnnl_memory_desc_t plain;

    net->last =
        new_memory(net, form_of(net, net->users[OUTPUT]), DNNL_MEMORY_ALLOCATE);
    net->users[OUTPUT_SLOPE] = net->last;
    for (size_t i = net->count; i-- > 0 && !failed(net);)
        builder_of(net->layers[i].like.kind).backward(net, &net->layers[i]);
    plain = plain_layout(net, form_of(net, net->last));
    net->users[INPUT_SLOPE] =
        as(net, &net->backward, DNN_INPUT, net->last, &plain);
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
        note(net, dnnl_invalid_arguments, "hold so many layers");
    else
        lay_out(net, layers, input);
    if (!failed(net))
        note(net, dnnl_engine_create(&net->engine, dnnl_cpu, 0), "begin");
    if (!failed(net))
        note(net,
             dnnl_stream_create(&net->stream, net->engine,
                                dnnl_stream_default_flags),
             "begin");
    if (!failed(net))
        build_forward(net, input);
    if (!failed(net))
        build_backward(net);
    if (failed(net)) {
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
    for (int i = 0; i < program->count && !failed(net); i++) {
        const struct call *call = &program->calls[i];

        if (call->when == 0 || (call->when & wanted) != 0)
            note(net,
                 dnnl_primitive_execute(call->primitive, net->stream,
                                        call->count, call->arguments),
                 "compute a layer");
    }
    if (!failed(net))
        note(net, dnnl_stream_wait(net->stream), "compute a layer");
}

int dnn_forward(struct dnn *net, struct failure *failure)
{
    if (!net->laid) {
        run(net, &net->lay, 0);
        net->laid = true;
    }
    run(net, &net->forward, 0);
    return failed(net) ? tell(net, failure) : 0;
}

int dnn_backward(struct dnn *net, unsigned wanted, struct failure *failure)
{
    run(net, &net->backward, wanted);
    return failed(net) ? tell(net, failure) : 0;
}
