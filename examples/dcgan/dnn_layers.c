/* dnn_layers.c: layers without a matrix of weights: see dnn_inside.h. */
#include "dnn_inside.h"

/* ---- batch normalisation -------------------------------------------------- */

static unsigned norm_flags(const struct layer *layer)
{
    return dnnl_use_scale | dnnl_use_shift |
           (layer->like.relu ? dnnl_fuse_norm_relu : 0u);
}

static const float norm_epsilon = 1e-5f;

static void forward_norm(struct dnn *net, struct layer *layer)
{
    const dnnl_memory_desc_t *form = dnn_form_of(net, layer->source);
    const dnnl_dim_t channels[] = {form->dims[1]};
    const dnnl_memory_desc_t row = dnn_make_form(net, 1, channels, dnnl_a);
    float *weights = net->weights + layer->part.at;
    dnnl_batch_normalization_desc_t operation;
    struct call *call;

    dnn_note(net,
             dnnl_batch_normalization_forward_desc_init(
                 &operation, dnnl_forward_training, form, norm_epsilon,
                 norm_flags(layer)),
             "describe a normalisation");
    layer->forward = dnn_describe(net, &operation, NULL);
    if (dnn_failed(net))
        return;
    layer->input = layer->source;
    layer->output = dnn_new_memory(net, form, DNNL_MEMORY_ALLOCATE);
    layer->weights = dnn_new_memory(net, &row, weights);
    layer->biases = dnn_new_memory(net, &row, weights + layer->part.count);
    layer->mean = dnn_new_memory(net, &row, DNNL_MEMORY_ALLOCATE);
    layer->variance = dnn_new_memory(net, &row, DNNL_MEMORY_ALLOCATE);
    if (layer->like.relu)
        layer->workspace = dnn_new_memory(
            net, dnn_asked(layer->forward, dnnl_query_workspace_md),
            DNNL_MEMORY_ALLOCATE);
    call = dnn_add_call(net, &net->forward, layer->forward, 0);
    dnn_argue(call, DNNL_ARG_SRC, layer->input);
    dnn_argue(call, DNNL_ARG_SCALE, layer->weights);
    dnn_argue(call, DNNL_ARG_SHIFT, layer->biases);
    dnn_argue(call, DNNL_ARG_MEAN, layer->mean);
    dnn_argue(call, DNNL_ARG_VARIANCE, layer->variance);
    dnn_argue(call, DNNL_ARG_WORKSPACE, layer->workspace);
    dnn_argue(call, DNNL_ARG_DST, layer->output);
}

/* Where a slope may be overwritten by the one before it: not where the user's are. */
static dnnl_memory_t in_place(struct dnn *net, dnnl_memory_t slope)
{
    return slope == net->users[OUTPUT_SLOPE]
               ? dnn_new_memory(net, dnn_form_of(net, slope),
                                DNNL_MEMORY_ALLOCATE)
               : slope;
}

static void backward_norm(struct dnn *net, struct layer *layer)
{
    const dnnl_memory_desc_t *form = dnn_form_of(net, layer->source);
    const dnnl_memory_desc_t *row = dnn_form_of(net, layer->weights);
    float *gradient = net->gradient + layer->part.at;
    dnnl_batch_normalization_desc_t operation;
    dnnl_primitive_desc_t what;
    dnnl_memory_t slope;
    struct call *call;

    dnn_note(net,
             dnnl_batch_normalization_backward_desc_init(
                 &operation, dnnl_backward, form, form, norm_epsilon,
                 norm_flags(layer)),
             "describe a normalisation");
    what = dnn_describe(net, &operation, layer->forward);
    if (dnn_failed(net))
        return;
    slope = dnn_as(net, &net->backward, 0, net->last, form);
    net->last = in_place(net, slope);
    call = dnn_add_call(net, &net->backward, what, 0);
    dnn_argue(call, DNNL_ARG_SRC, layer->input);
    dnn_argue(call, DNNL_ARG_MEAN, layer->mean);
    dnn_argue(call, DNNL_ARG_VARIANCE, layer->variance);
    dnn_argue(call, DNNL_ARG_SCALE, layer->weights);
    dnn_argue(call, DNNL_ARG_SHIFT, layer->biases);
    dnn_argue(call, DNNL_ARG_WORKSPACE, layer->workspace);
    dnn_argue(call, DNNL_ARG_DIFF_DST, slope);
    dnn_argue(call, DNNL_ARG_DIFF_SRC, net->last);
    dnn_argue(call, DNNL_ARG_DIFF_SCALE, dnn_new_memory(net, row, gradient));
    dnn_argue(call, DNNL_ARG_DIFF_SHIFT,
              dnn_new_memory(net, row, gradient + layer->part.count));
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
    const dnnl_memory_desc_t *form = dnn_form_of(net, layer->source);
    dnnl_eltwise_desc_t operation;
    bool keep;
    struct call *call;

    dnn_note(net,
             dnnl_eltwise_forward_desc_init(&operation, dnnl_forward_training,
                                            function_of(layer->like.kind), form,
                                            layer->like.slope, 0.0f),
             "describe a function");
    layer->forward = dnn_describe(net, &operation, NULL);
    /* Of all layers only these look at their own output on the way back. */
    keep =
        layer->source == net->users[INPUT] || is_function(layer[-1].like.kind);
    layer->output =
        keep ? dnn_new_memory(net, form, DNNL_MEMORY_ALLOCATE) : layer->source;
    call = dnn_add_call(net, &net->forward, layer->forward, 0);
    dnn_argue(call, DNNL_ARG_SRC, layer->source);
    dnn_argue(call, DNNL_ARG_DST, layer->output);
}

static void backward_function(struct dnn *net, struct layer *layer)
{
    const dnnl_memory_desc_t *form = dnn_form_of(net, layer->source);
    dnnl_eltwise_desc_t operation;
    dnnl_primitive_desc_t what;
    dnnl_memory_t slope;
    struct call *call;

    dnn_note(net,
             dnnl_eltwise_backward_desc_init(
                 &operation, function_of(layer->like.kind), form, form,
                 layer->like.slope, 0.0f),
             "describe a function");
    what = dnn_describe(net, &operation, layer->forward);
    if (dnn_failed(net))
        return;
    slope = dnn_as(net, &net->backward, 0, net->last, form);
    net->last = in_place(net, slope);
    call = dnn_add_call(net, &net->backward, what, 0);
    dnn_argue(call, DNNL_ARG_DST, layer->output);
    dnn_argue(call, DNNL_ARG_DIFF_DST, slope);
    dnn_argue(call, DNNL_ARG_DIFF_SRC, net->last);
    (void)dnnl_primitive_desc_destroy(what);
}

/* ---- max-pooling ---------------------------------------------------------- */

static void forward_pool(struct dnn *net, struct layer *layer)
{
    const struct dnn_layer *like = &layer->like;
    const dnnl_memory_desc_t *form = dnn_form_of(net, layer->source);
    const dnnl_dims_t stride = {like->stride, like->stride};
    const dnnl_dims_t kernel = {like->kernel, like->kernel};
    const dnnl_dims_t padding = {0, 0};
    const dnnl_dim_t out[4] = {form->dims[0], form->dims[1],
                               dnn_moved(like, (int)form->dims[2]),
                               dnn_moved(like, (int)form->dims[3])};
    const dnnl_memory_desc_t any =
        dnn_make_form(net, 4, out, dnnl_format_tag_any);
    dnnl_pooling_desc_t operation;
    struct call *call;

    dnn_note(net,
             dnnl_pooling_forward_desc_init(&operation, dnnl_forward_training,
                                            dnnl_pooling_max, form, &any,
                                            stride, kernel, padding, padding),
             "describe a pooling");
    layer->forward = dnn_describe(net, &operation, NULL);
    if (dnn_failed(net))
        return;
    layer->output =
        dnn_new_memory(net, dnn_asked(layer->forward, dnnl_query_dst_md),
                       DNNL_MEMORY_ALLOCATE);
    layer->workspace =
        dnn_new_memory(net, dnn_asked(layer->forward, dnnl_query_workspace_md),
                       DNNL_MEMORY_ALLOCATE);
    call = dnn_add_call(net, &net->forward, layer->forward, 0);
    dnn_argue(call, DNNL_ARG_SRC, layer->source);
    dnn_argue(call, DNNL_ARG_DST, layer->output);
    dnn_argue(call, DNNL_ARG_WORKSPACE, layer->workspace);
}

static void backward_pool(struct dnn *net, struct layer *layer)
{
    const struct dnn_layer *like = &layer->like;
    const dnnl_memory_desc_t *form = dnn_form_of(net, layer->source);
    const dnnl_memory_desc_t *out = dnn_form_of(net, layer->output);
    const dnnl_dims_t stride = {like->stride, like->stride};
    const dnnl_dims_t kernel = {like->kernel, like->kernel};
    const dnnl_dims_t padding = {0, 0};
    dnnl_pooling_desc_t operation;
    dnnl_primitive_desc_t what;
    dnnl_memory_t slope;
    struct call *call;

    dnn_note(net,
             dnnl_pooling_backward_desc_init(&operation, dnnl_pooling_max, form,
                                             out, stride, kernel, padding,
                                             padding),
             "describe a pooling");
    what = dnn_describe(net, &operation, layer->forward);
    if (dnn_failed(net))
        return;
    slope = dnn_as(net, &net->backward, 0, net->last, out);
    net->last = dnn_new_memory(net, form, DNNL_MEMORY_ALLOCATE);
    call = dnn_add_call(net, &net->backward, what, 0);
    dnn_argue(call, DNNL_ARG_DIFF_DST, slope);
    dnn_argue(call, DNNL_ARG_WORKSPACE, layer->workspace);
    dnn_argue(call, DNNL_ARG_DIFF_SRC, net->last);
    (void)dnnl_primitive_desc_destroy(what);
}

/* ---- all kinds ------------------------------------------------------------- */

int dnn_moved(const struct dnn_layer *like, int size)
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

struct builder dnn_builder_of(enum dnn_kind kind)
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
    return (struct builder){dnn_forward_weighted, dnn_backward_weighted};
}
