/* dnn_calls.c: memories and calls: see dnn_inside.h. */
#include "dnn_inside.h"

#include <string.h>

/* ---- errors --------------------------------------------------------------- */

bool dnn_failed(const struct dnn *net)
{
    return net->status != dnnl_success;
}

void dnn_note(struct dnn *net, dnnl_status_t status, const char *doing)
{
    if (dnn_failed(net) || status == dnnl_success)
        return;
    net->status = status;
    net->doing = doing;
}

/* ---- memories and calls --------------------------------------------------- */

dnnl_memory_t dnn_new_memory(struct dnn *net, const dnnl_memory_desc_t *form,
                             void *at)
{
    dnnl_memory_t memory = NULL;

    if (dnn_failed(net))
        return NULL;
    if (net->memory_count == MEMORIES) {
        dnn_note(net, dnnl_out_of_memory, "hold so many layers");
        return NULL;
    }
    dnn_note(net, dnnl_memory_create(&memory, form, net->engine, at),
             "allocate memory");
    if (memory != NULL)
        net->memories[net->memory_count++] = memory;
    return memory;
}

const dnnl_memory_desc_t *dnn_form_of(struct dnn *net, dnnl_memory_t memory)
{
    static const dnnl_memory_desc_t none;
    const dnnl_memory_desc_t *form = &none;

    if (!dnn_failed(net))
        dnn_note(net, dnnl_memory_get_memory_desc(memory, &form),
                 "look at memory");
    return form;
}

dnnl_memory_desc_t dnn_make_form(struct dnn *net, int dimensions,
                                 const dnnl_dim_t *sizes, dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t form = {0};
    dnnl_dims_t all = {0};

    memcpy(all, sizes, (size_t)dimensions * sizeof *sizes);
    dnn_note(
        net,
        dnnl_memory_desc_init_by_tag(&form, dimensions, all, dnnl_f32, tag),
        "describe memory");
    return form;
}

dnnl_memory_desc_t dnn_any_layout(struct dnn *net,
                                  const dnnl_memory_desc_t *form)
{
    return dnn_make_form(net, form->ndims, form->dims, dnnl_format_tag_any);
}

dnnl_memory_desc_t dnn_plain_layout(struct dnn *net,
                                    const dnnl_memory_desc_t *form)
{
    return dnn_make_form(net, form->ndims, form->dims,
                         form->ndims == 2 ? dnnl_ab : dnnl_abcd);
}

struct call *dnn_add_call(struct dnn *net, struct program *program,
                          const_dnnl_primitive_desc_t what, unsigned when)
{
    static struct call nobody;
    struct call *call = &program->calls[program->count];

    nobody.count = 0;
    if (dnn_failed(net))
        return &nobody;
    if (program->count == CALLS) {
        dnn_note(net, dnnl_out_of_memory, "hold so many layers");
        return &nobody;
    }
    dnn_note(net, dnnl_primitive_create(&call->primitive, what),
             "compile a layer");
    if (dnn_failed(net))
        return &nobody;
    call->when = when;
    program->count++;
    return call;
}

void dnn_argue(struct call *call, int name, dnnl_memory_t memory)
{
    if (memory == NULL)
        return; /* what this layer does not have, or after a failure */
    call->arguments[call->count].arg = name;
    call->arguments[call->count].memory = memory;
    call->count++;
}

void dnn_add_reorder(struct dnn *net, struct program *program, unsigned when,
                     dnnl_memory_t from, dnnl_memory_t to)
{
    dnnl_primitive_desc_t reorder = NULL;
    struct call *call;

    if (dnn_failed(net))
        return;
    dnn_note(net,
             dnnl_reorder_primitive_desc_create(
                 &reorder, dnn_form_of(net, from), net->engine,
                 dnn_form_of(net, to), net->engine, NULL),
             "reorder memory");
    call = dnn_add_call(net, program, reorder, when);
    dnn_argue(call, DNNL_ARG_FROM, from);
    dnn_argue(call, DNNL_ARG_TO, to);
    (void)dnnl_primitive_desc_destroy(reorder);
}

dnnl_memory_t dnn_as(struct dnn *net, struct program *program, unsigned when,
                     dnnl_memory_t from, const dnnl_memory_desc_t *form)
{
    dnnl_memory_t to;

    if (dnn_failed(net) || dnnl_memory_desc_equal(dnn_form_of(net, from), form))
        return from;
    to = dnn_new_memory(net, form, DNNL_MEMORY_ALLOCATE);
    dnn_add_reorder(net, program, when, from, to);
    return to;
}

const dnnl_memory_desc_t *dnn_asked(const_dnnl_primitive_desc_t layer,
                                    dnnl_query_t what)
{
    return dnnl_primitive_desc_query_md(layer, what, 0);
}

dnnl_primitive_desc_t dnn_describe(struct dnn *net,
                                   const_dnnl_op_desc_t operation,
                                   const_dnnl_primitive_desc_t forward)
{
    dnnl_primitive_desc_t layer = NULL;

    if (!dnn_failed(net))
        dnn_note(net,
                 dnnl_primitive_desc_create(&layer, operation, NULL,
                                            net->engine, forward),
                 "build a layer");
    return layer;
}
