/*
 * dnn_inside.h: a network's inside, for the files dnn*.c: all that knows oneDNN
 * (2.x, its C interface).
 *
 *     dnn_calls.c      memories and their layouts; calls
 *     dnn_weighted.c   layers with weights: convolutions, fully connected ones
 *     dnn_layers.c     the others
 *     dnn.c            a network: built, filled, run
 *
 * A network is compiled once into three programs, lists of calls with fixed
 * arguments: `lay` brings the weights into the layouts in which the layers want
 * them, `forward` and `backward` are the passes.  Wherever two neighbours
 * prefer different layouts, a reorder stands between them.  Building asks the
 * library for its choice by leaving each layout open (format_tag_any).
 *
 * Errors stick: the first one is noted, and what follows does nothing.
 */
#ifndef DCGAN_DNN_INSIDE_H
#define DCGAN_DNN_INSIDE_H

#include <oneapi/dnnl/dnnl.h>

#include "dnn.h"

#if defined(DNNL_VERSION_MAJOR) && DNNL_VERSION_MAJOR != 2
#error "dnn*.c are written for oneDNN 2.x: version 3 has other descriptors"
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

/* ---- errors ---------------------------------------------------------------- */

bool dnn_failed(const struct dnn *net);

/* Notes a failure, unless there is one; `doing` completes "oneDNN can't". */
void dnn_note(struct dnn *net, dnnl_status_t status, const char *doing);

/* ---- memories and calls ------------------------------------------------------ */

/* `at`: the user's numbers, or DNNL_MEMORY_ALLOCATE.  NULL after a failure. */
dnnl_memory_t dnn_new_memory(struct dnn *net, const dnnl_memory_desc_t *form,
                             void *at);

const dnnl_memory_desc_t *dnn_form_of(struct dnn *net, dnnl_memory_t memory);

dnnl_memory_desc_t dnn_make_form(struct dnn *net, int dimensions,
                                 const dnnl_dim_t *sizes,
                                 dnnl_format_tag_t tag);

/* As `form`, in whatever layout the library likes best. */
dnnl_memory_desc_t dnn_any_layout(struct dnn *net,
                                  const dnnl_memory_desc_t *form);

/* As `form`, in the layout of the users of dnn.h. */
dnnl_memory_desc_t dnn_plain_layout(struct dnn *net,
                                    const dnnl_memory_desc_t *form);

/* The numbers of `from` in layout `form`: there already, or to be reordered. */
dnnl_memory_t dnn_as(struct dnn *net, struct program *program, unsigned when,
                     dnnl_memory_t from, const dnnl_memory_desc_t *form);

void dnn_add_reorder(struct dnn *net, struct program *program, unsigned when,
                     dnnl_memory_t from, dnnl_memory_t to);

/* Compiles an operation; `forward`: that of the pass forward, or NULL. */
dnnl_primitive_desc_t dnn_describe(struct dnn *net,
                                   const_dnnl_op_desc_t operation,
                                   const_dnnl_primitive_desc_t forward);

/* The layout that it has chosen. */
const dnnl_memory_desc_t *dnn_asked(const_dnnl_primitive_desc_t layer,
                                    dnnl_query_t what);

/* Appends a call without arguments; a failure gives one that nobody makes. */
struct call *dnn_add_call(struct dnn *net, struct program *program,
                          const_dnnl_primitive_desc_t what, unsigned when);
void dnn_argue(struct call *call, int name, dnnl_memory_t memory);

/* ---- layers ------------------------------------------------------------------ */

/*
 * What adds a layer to the passes: forward from its `source` to its `output`,
 * backward from net->last, the slope of its output, to that of its source.
 */
struct builder {
    void (*forward)(struct dnn *net, struct layer *layer);
    void (*backward)(struct dnn *net, struct layer *layer);
};

struct builder dnn_builder_of(enum dnn_kind kind);

void dnn_forward_weighted(struct dnn *net, struct layer *layer);
void dnn_backward_weighted(struct dnn *net, struct layer *layer);

/* The side of what comes out of a layer, if its images have that one. */
int dnn_moved(const struct dnn_layer *like, int size);

#endif
