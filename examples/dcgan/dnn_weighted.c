/* dnn_weighted.c: layers with weights: see dnn_inside.h. */
#include "dnn_inside.h"

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

static struct weighted weigh(struct dnn *net, const struct layer *layer)
{
    const struct dnn_layer *like = &layer->like;
    const dnnl_memory_desc_t *in = dnn_form_of(net, layer->source);
    const bool full = like->kind == DNN_FULL;
    const dnnl_dim_t biases[] = {like->channels};
    dnnl_dim_t kernel[4] = {like->channels, in->dims[1], like->kernel,
                            like->kernel};
    dnnl_dim_t out[4] = {in->dims[0], like->channels, 0, 0};
    dnnl_format_tag_t order = dnnl_abcd;
    struct weighted w = {.source = dnn_any_layout(net, in)};

    for (int i = 0; i < 2; i++) {
        w.stride[i] = like->stride;
        w.padding[i] = like->padding;
        if (full)
            kernel[2 + i] = in->dims[2 + i]; /* if there are any */
        else
            out[2 + i] = dnn_moved(like, (int)in->dims[2 + i]);
    }
    if (like->kind == DNN_TRANSPOSED)
        order = dnnl_bacd; /* PyTorch: from channel, to channel */
    else if (in->ndims == 2)
        order = dnnl_ab;
    w.user_weights = dnn_make_form(net, in->ndims, kernel, order);
    w.weights = dnn_any_layout(net, &w.user_weights);
    w.output = dnn_make_form(net, full ? 2 : 4, out, dnnl_format_tag_any);
    if (like->bias)
        w.biases = dnn_make_form(net, 1, biases, dnnl_a);
    return w;
}

/*
 * A convolution and a transposed one are described by the same arguments, in the
 * same descriptor.
 */
struct convolution {
    dnnl_alg_kind_t how;
    dnnl_status_t (*forward)(dnnl_convolution_desc_t *, dnnl_prop_kind_t,
                             dnnl_alg_kind_t, const dnnl_memory_desc_t *source,
                             const dnnl_memory_desc_t *weights,
                             const dnnl_memory_desc_t *biases,
                             const dnnl_memory_desc_t *output,
                             const dnnl_dims_t stride,
                             const dnnl_dims_t padding,
                             const dnnl_dims_t right_padding);
    dnnl_status_t (*back_data)(dnnl_convolution_desc_t *, dnnl_alg_kind_t,
                               const dnnl_memory_desc_t *source,
                               const dnnl_memory_desc_t *weights,
                               const dnnl_memory_desc_t *output,
                               const dnnl_dims_t stride,
                               const dnnl_dims_t padding,
                               const dnnl_dims_t right_padding);
    dnnl_status_t (*back_weights)(dnnl_convolution_desc_t *, dnnl_alg_kind_t,
                                  const dnnl_memory_desc_t *source,
                                  const dnnl_memory_desc_t *weights,
                                  const dnnl_memory_desc_t *biases,
                                  const dnnl_memory_desc_t *output,
                                  const dnnl_dims_t stride,
                                  const dnnl_dims_t padding,
                                  const dnnl_dims_t right_padding);
};

static const struct convolution *convolution_of(enum dnn_kind kind)
{
    static const struct convolution straight = {
        dnnl_convolution_direct, dnnl_convolution_forward_desc_init,
        dnnl_convolution_backward_data_desc_init,
        dnnl_convolution_backward_weights_desc_init};
    static const struct convolution transposed = {
        dnnl_deconvolution_direct, dnnl_deconvolution_forward_desc_init,
        dnnl_deconvolution_backward_data_desc_init,
        dnnl_deconvolution_backward_weights_desc_init};

    return kind == DNN_TRANSPOSED ? &transposed : &straight;
}

union operation {
    dnnl_convolution_desc_t convolution;
    dnnl_inner_product_desc_t full;
};

static dnnl_primitive_desc_t
weighted_forward(struct dnn *net, enum dnn_kind kind, const struct weighted *w)
{
    const struct convolution *like = convolution_of(kind);
    union operation o;
    dnnl_status_t status;

    if (kind == DNN_FULL)
        status = dnnl_inner_product_forward_desc_init(
            &o.full, dnnl_forward_training, &w->source, &w->weights, &w->biases,
            &w->output);
    else
        status = like->forward(&o.convolution, dnnl_forward_training, like->how,
                               &w->source, &w->weights, &w->biases, &w->output,
                               w->stride, w->padding, w->padding);
    dnn_note(net, status, "describe a layer");
    return dnn_describe(net, &o, NULL);
}

static dnnl_primitive_desc_t weighted_back_data(struct dnn *net,
                                                const struct layer *layer,
                                                const struct weighted *w)
{
    const struct convolution *like = convolution_of(layer->like.kind);
    union operation o;
    dnnl_status_t status;

    if (layer->like.kind == DNN_FULL)
        status = dnnl_inner_product_backward_data_desc_init(
            &o.full, &w->source, &w->weights, &w->output);
    else
        status =
            like->back_data(&o.convolution, like->how, &w->source, &w->weights,
                            &w->output, w->stride, w->padding, w->padding);
    dnn_note(net, status, "describe a layer");
    return dnn_describe(net, &o, layer->forward);
}

static dnnl_primitive_desc_t weighted_back_weights(struct dnn *net,
                                                   const struct layer *layer,
                                                   const struct weighted *w)
{
    const struct convolution *like = convolution_of(layer->like.kind);
    union operation o;
    dnnl_status_t status;

    if (layer->like.kind == DNN_FULL)
        status = dnnl_inner_product_backward_weights_desc_init(
            &o.full, &w->source, &w->weights, &w->biases, &w->output);
    else
        status = like->back_weights(&o.convolution, like->how, &w->source,
                                    &w->weights, &w->biases, &w->output,
                                    w->stride, w->padding, w->padding);
    dnn_note(net, status, "describe a layer");
    return dnn_describe(net, &o, layer->forward);
}

void dnn_forward_weighted(struct dnn *net, struct layer *layer)
{
    const struct weighted w = weigh(net, layer);
    float *weights = net->weights + layer->part.at;
    dnnl_primitive_desc_t what = weighted_forward(net, layer->like.kind, &w);
    dnnl_memory_t laid;
    struct call *call;

    layer->forward = what;
    if (dnn_failed(net))
        return;
    layer->weights = dnn_new_memory(net, &w.user_weights, weights);
    if (layer->like.bias)
        layer->biases =
            dnn_new_memory(net, &w.biases, weights + layer->part.count);
    laid = dnn_as(net, &net->lay, 0, layer->weights,
                  dnn_asked(what, dnnl_query_weights_md));
    layer->input = dnn_as(net, &net->forward, 0, layer->source,
                          dnn_asked(what, dnnl_query_src_md));
    layer->output = dnn_new_memory(net, dnn_asked(what, dnnl_query_dst_md),
                                   DNNL_MEMORY_ALLOCATE);
    call = dnn_add_call(net, &net->forward, what, 0);
    dnn_argue(call, DNNL_ARG_SRC, layer->input);
    dnn_argue(call, DNNL_ARG_WEIGHTS, laid);
    dnn_argue(call, DNNL_ARG_BIAS, layer->biases);
    dnn_argue(call, DNNL_ARG_DST, layer->output);
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

    if (dnn_failed(net))
        return;
    form = dnn_asked(what, dnnl_query_src_md);
    if (!dnnl_memory_desc_equal(dnn_form_of(net, source), form))
        source = dnn_as(net, &net->backward, DNN_WEIGHTS, layer->source, form);
    slope = dnn_as(net, &net->backward, DNN_WEIGHTS, net->last,
                   dnn_asked(what, dnnl_query_diff_dst_md));
    gradient = dnn_new_memory(net, &w->user_weights, at);
    form = dnn_asked(what, dnnl_query_diff_weights_md);
    mine = dnnl_memory_desc_equal(&w->user_weights, form)
               ? gradient
               : dnn_new_memory(net, form, DNNL_MEMORY_ALLOCATE);
    call = dnn_add_call(net, &net->backward, what, DNN_WEIGHTS);
    dnn_argue(call, DNNL_ARG_SRC, source);
    dnn_argue(call, DNNL_ARG_DIFF_DST, slope);
    dnn_argue(call, DNNL_ARG_DIFF_WEIGHTS, mine);
    if (layer->like.bias)
        dnn_argue(call, DNNL_ARG_DIFF_BIAS,
                  dnn_new_memory(net, &w->biases, at + layer->part.count));
    if (mine != gradient)
        dnn_add_reorder(net, &net->backward, DNN_WEIGHTS, mine, gradient);
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

    if (dnn_failed(net))
        return;
    laid = dnn_as(net, &net->lay, 0, layer->weights,
                  dnn_asked(what, dnnl_query_weights_md));
    slope = dnn_as(net, &net->backward, when, net->last,
                   dnn_asked(what, dnnl_query_diff_dst_md));
    net->last = dnn_new_memory(net, dnn_asked(what, dnnl_query_diff_src_md),
                               DNNL_MEMORY_ALLOCATE);
    call = dnn_add_call(net, &net->backward, what, when);
    dnn_argue(call, DNNL_ARG_DIFF_DST, slope);
    dnn_argue(call, DNNL_ARG_WEIGHTS, laid);
    dnn_argue(call, DNNL_ARG_DIFF_SRC, net->last);
    (void)dnnl_primitive_desc_destroy(what);
}

void dnn_backward_weighted(struct dnn *net, struct layer *layer)
{
    const struct weighted w = weigh(net, layer);

    gradient_of_weights(net, layer, &w);
    slope_of_source(net, layer, &w);
}
