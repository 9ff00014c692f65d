/*
 * snapshot.c: the state as bytes, and back; and its digest.  All three walk the one table
 * of fields, state.def.
 *
 * The bytes, little-endian: a hash of the table (8), population (4), parameters (4), last
 * scores that are kept (4), the fields of the core, and for each trial its fields, then a count (4) and the fields of each
 * of its checkpoints, then of its restart points.  A truth value takes 1 byte, a 32-bit
 * number or an enum 4, all else 8; a checkpoint's name is 4 + 4, a value of a configuration
 * type (4), text (4) and bits (8).
 */
#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/draw.h"
#include "core/state.h"

enum kind {
    KIND_BOOL,
    KIND_U32,
    KIND_U64,
    KIND_REAL,
    KIND_ID,
    KIND_CELLS,
    KIND_SCORES,
};

struct field {
    const char *name;
    enum kind kind;
    size_t offset;
};

/* An enum is a uint32_t here: none has a negative member. */
#define KIND_OF(object, name)                                                  \
    _Generic(((object *)0)->name, bool                                         \
             : KIND_BOOL, uint32_t                                             \
             : KIND_U32, uint64_t                                              \
             : KIND_U64, int64_t                                               \
             : KIND_U64, double                                                \
             : KIND_REAL, struct pbt_checkpoint_id                             \
             : KIND_ID)
#define FIELD(object, name)                                                    \
    {#name, KIND_OF(object, name), offsetof(object, name)},
#define CELLS(object, name) {#name, KIND_CELLS, offsetof(object, name)},
#define SCORES(object, name) {#name, KIND_SCORES, offsetof(object, name)},

static const struct field CORE[] = {
#define PBT_CORE_FIELD(type, name) FIELD(struct pbt_core, name)
#include "core/state.def"
};
static const struct field TRIAL[] = {
#define PBT_TRIAL_FIELD(type, name) FIELD(struct pbt_trial, name)
#define PBT_TRIAL_CELLS(name) CELLS(struct pbt_trial, name)
#define PBT_TRIAL_SCORES(name) SCORES(struct pbt_trial, name)
#include "core/state.def"
};
static const struct field SAVED[] = {
#define PBT_SAVED_FIELD(type, name) FIELD(struct pbt_saved, name)
#include "core/state.def"
};
static const struct field RESTART[] = {
#define PBT_RESTART_FIELD(type, name) FIELD(struct pbt_restart, name)
#define PBT_RESTART_CELLS(name) CELLS(struct pbt_restart, name)
#define PBT_RESTART_SCORES(name) SCORES(struct pbt_restart, name)
#include "core/state.def"
};
#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static uint64_t mix_table(uint64_t hash, const struct field *fields,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (const char *c = fields[i].name; *c != '\0'; c++) {
            hash = pbt_mix(hash, (uint64_t)(unsigned char)*c);
        }
        hash = pbt_mix(hash, (uint64_t)fields[i].kind + 256);
    }
    return pbt_mix(hash, count);
}

static uint64_t layout(void)
{
    uint64_t hash = mix_table(1, CORE, COUNT(CORE));
    hash = mix_table(hash, TRIAL, COUNT(TRIAL));
    hash = mix_table(hash, SAVED, COUNT(SAVED));
    return mix_table(hash, RESTART, COUNT(RESTART));
}

/* --- out: into a buffer, or into a digest --------------------------------- */

struct out {
    struct pbt_buf *buf; /* NULL: only the digest */
    uint64_t digest;
};

static void put(struct out *out, uint64_t value, size_t bytes)
{
    unsigned char little[8];
    if (out->buf == NULL) {
        out->digest = pbt_mix(out->digest, value);
        return;
    }
    for (size_t i = 0; i < bytes; i++) {
        little[i] = (unsigned char)(value >> (8 * i));
    }
    pbt_buf_put(out->buf, little, bytes);
}

static uint64_t real_bits(double value)
{
    uint64_t bits = UINT64_C(0x7ff8000000000000); /* all NaNs are one */
    if (!isnan(value)) {
        memcpy(&bits, &value, sizeof bits);
    }
    return bits;
}

static void put_cells(struct out *out, const struct pbt_cell *cells,
                      uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        put(out, cells[i].type, 4);
        put(out, cells[i].text, 4);
        put(out, (uint64_t)cells[i].u.i, 8);
    }
}

static void put_scores(struct out *out, const double *scores, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        put(out, real_bits(scores[i]), 8);
    }
}

static void put_field(struct out *out, const struct field *field,
                      const void *object, const struct pbt_settings *settings)
{
    const void *at = (const char *)object + field->offset;
    switch (field->kind) {
    case KIND_BOOL:
        put(out, *(const bool *)at ? 1 : 0, 1);
        break;
    case KIND_U32: {
        uint32_t value;
        memcpy(&value, at, sizeof value);
        put(out, value, 4);
        break;
    }
    case KIND_U64: {
        uint64_t value;
        memcpy(&value, at, sizeof value);
        put(out, value, 8);
        break;
    }
    case KIND_REAL:
        put(out, real_bits(*(const double *)at), 8);
        break;
    case KIND_ID: {
        const struct pbt_checkpoint_id *id = at;
        put(out, id->trial, 4);
        put(out, id->number, 4);
        break;
    }
    case KIND_CELLS:
        put_cells(out, *(struct pbt_cell *const *)at, settings->space.count);
        break;
    case KIND_SCORES:
        put_scores(out, *(double *const *)at, pbt_core_window(settings));
        break;
    }
}

static void put_fields(struct out *out, const struct field *fields,
                       size_t count, const void *object,
                       const struct pbt_settings *settings)
{
    for (size_t i = 0; i < count; i++) {
        put_field(out, &fields[i], object, settings);
    }
}

static void put_core(struct out *out, const struct pbt_core *core)
{
    const struct pbt_settings *settings = core->settings;
    put_fields(out, CORE, COUNT(CORE), core, settings);
    for (uint32_t i = 0; i < core->settings->population; i++) {
        const struct pbt_trial *trial = &core->trials[i];
        put_fields(out, TRIAL, COUNT(TRIAL), trial, settings);
        put(out, trial->saved_count, 4);
        for (uint32_t s = 0; s < trial->saved_count; s++) {
            put_fields(out, SAVED, COUNT(SAVED), &trial->saved[s], settings);
        }
        put(out, trial->restart_count, 4);
        for (uint32_t r = 0; r < trial->restart_count; r++) {
            put_fields(out, RESTART, COUNT(RESTART), &trial->restarts[r],
                       settings);
        }
    }
}

uint64_t pbt_core_digest(const struct pbt_core *core)
{
    struct out out = {.digest = 0};
    put_core(&out, core);
    return out.digest;
}

void pbt_core_save(const struct pbt_core *core, struct pbt_buf *to)
{
    struct out out = {.buf = to};
    put(&out, layout(), 8);
    put(&out, core->settings->population, 4);
    put(&out, core->settings->space.count, 4);
    put(&out, pbt_core_window(core->settings), 4);
    put_core(&out, core);
}

/* --- in -------------------------------------------------------------------- */

struct in {
    const unsigned char *bytes;
    size_t left;
    bool bad; /* cut off, or a value that no state has */
    const uint32_t *texts;
    uint32_t text_count;
};

static uint64_t take(struct in *in, size_t bytes)
{
    uint64_t value = 0;
    if (in->left < bytes) {
        in->bad = true;
        in->left = 0;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++) {
        value |= (uint64_t)in->bytes[i] << (8 * i);
    }
    in->bytes += bytes;
    in->left -= bytes;
    return value;
}

static void take_cells(struct in *in, struct pbt_cell *cells, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct pbt_cell *cell = &cells[i];
        cell->type = (uint32_t)take(in, 4);
        cell->text = (uint32_t)take(in, 4);
        cell->u.i = (int64_t)take(in, 8);
        in->bad = in->bad || cell->type > PBT_CELL_TEXT;
        if (cell->type == PBT_CELL_TEXT) {
            in->bad = in->bad || cell->text >= in->text_count;
            cell->text = in->bad ? 0 : in->texts[cell->text];
        }
    }
}

static void take_scores(struct in *in, double *scores, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t bits = take(in, 8);
        memcpy(&scores[i], &bits, sizeof bits);
    }
}

static void take_field(struct in *in, const struct field *field, void *object,
                       const struct pbt_settings *settings)
{
    void *at = (char *)object + field->offset;
    switch (field->kind) {
    case KIND_BOOL: {
        uint64_t value = take(in, 1);
        in->bad = in->bad || value > 1;
        *(bool *)at = value == 1;
        break;
    }
    case KIND_U32: {
        uint32_t value = (uint32_t)take(in, 4);
        memcpy(at, &value, sizeof value);
        break;
    }
    case KIND_U64:
    case KIND_REAL: {
        uint64_t value = take(in, 8);
        memcpy(at, &value, sizeof value);
        break;
    }
    case KIND_ID: {
        struct pbt_checkpoint_id *id = at;
        id->trial = (uint32_t)take(in, 4);
        id->number = (uint32_t)take(in, 4);
        break;
    }
    case KIND_CELLS:
        take_cells(in, *(struct pbt_cell **)at, settings->space.count);
        break;
    case KIND_SCORES:
        take_scores(in, *(double **)at, pbt_core_window(settings));
        break;
    }
}

static void take_fields(struct in *in, const struct field *fields, size_t count,
                        void *object, const struct pbt_settings *settings)
{
    for (size_t i = 0; i < count; i++) {
        take_field(in, &fields[i], object, settings);
    }
}

/* False: out of memory. */
static bool take_trial(struct in *in, struct pbt_core *core, uint32_t number)
{
    const struct pbt_settings *settings = core->settings;
    struct pbt_trial *trial = &core->trials[number];
    take_fields(in, TRIAL, COUNT(TRIAL), trial, settings);
    uint32_t window = pbt_core_window(settings);
    in->bad = in->bad || trial->score_count > window;
    uint32_t saved = (uint32_t)take(in, 4);
    for (uint32_t s = 0; s < saved && !in->bad; s++) {
        struct pbt_saved one;
        take_fields(in, SAVED, COUNT(SAVED), &one, settings);
        if (!in->bad && !pbt_core_add_saved(core, number, &one)) {
            return false;
        }
    }
    trial->restart_count = (uint32_t)take(in, 4);
    in->bad = in->bad || trial->restart_count > PBT_RESTARTS_MAX;
    for (uint32_t r = 0; !in->bad && r < trial->restart_count; r++) {
        take_fields(in, RESTART, COUNT(RESTART), &trial->restarts[r], settings);
        in->bad = in->bad || trial->restarts[r].score_count > window;
    }
    return true;
}

const char *pbt_core_load(struct pbt_core *core, const void *bytes,
                          size_t length, const uint32_t *texts,
                          uint32_t text_count)
{
    struct in in = {.bytes = bytes,
                    .left = length,
                    .texts = texts,
                    .text_count = text_count};
    if (take(&in, 8) != layout()) {
        return "it is of another version of pbt";
    }
    uint32_t population = (uint32_t)take(&in, 4);
    uint32_t cells = (uint32_t)take(&in, 4);
    uint32_t window = (uint32_t)take(&in, 4);
    const struct pbt_settings *settings = core->settings;
    if (population > settings->population || cells != settings->space.count ||
        window != pbt_core_window(settings)) {
        return "it is not of this experiment";
    }
    take_fields(&in, CORE, COUNT(CORE), core, settings);
    for (uint32_t i = 0; i < population && !in.bad; i++) {
        if (!take_trial(&in, core, i)) {
            return "out of memory";
        }
    }
    if (in.bad || in.left > 0) {
        return "it is no state";
    }
    for (uint32_t i = 0; i < core->settings->population; i++) {
        pbt_core_rank(core, i);
        pbt_core_set_startable(core, i);
        pbt_core_touch(core, i);
    }
    return NULL;
}
