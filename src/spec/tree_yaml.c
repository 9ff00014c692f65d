/*
 * YAML to a tree: libfyaml's events.  Its positions are byte offsets; lines and
 * columns are counted by source.c, the same way for every message.
 */
#include "spec/tree.h"

#include <string.h>

#include <libfyaml.h>

#include "spec/quoted.h"
#include "spec/yaml_hint.h"

struct reader {
    const struct pbt_source *source;
    uint32_t index;
    struct pbt_builder builder;
    uint32_t documents;
    struct fy_diag *diag;
    struct fy_parser *parser;
};

/* Diagnostics are collected: nothing is to be printed by a library. */
static void swallow(struct fy_diag *diag, void *user, const char *text,
                    size_t length)
{
    (void)diag;
    (void)user;
    (void)text;
    (void)length;
}

static struct pbt_span event_span(const struct reader *reader,
                                  struct fy_event *event)
{
    struct pbt_span span = {reader->index, reader->source->length, 1};
    const struct fy_mark *start = fy_event_start_mark(event);
    const struct fy_mark *end = fy_event_end_mark(event);
    if (start != NULL && start->input_pos <= reader->source->length) {
        span.offset = start->input_pos;
    } else {
        /* An empty value has no place: its key's will do. */
        (void)pbt_builder_key_span(&reader->builder, &span);
        return span;
    }
    if (end != NULL && end->input_pos > start->input_pos) {
        span.length = end->input_pos - start->input_pos;
    }
    return span;
}

static bool refuse(struct reader *reader, enum pbt_code code,
                   struct pbt_span span, const char *message, const char *label)
{
    pbt_problem_label(
        pbt_problem(reader->builder.problems, code, span, "%s", message), "%s",
        label);
    return false;
}

/* The text between quotes on one line; NULL without memory. */
static const char *unquote(struct reader *reader, struct pbt_span span,
                           bool single, size_t *length)
{
    char *text = pbt_arena_array(reader->builder.arena, span.length + 1, 2);
    const char *raw = reader->source->text + span.offset;
    if (text != NULL) {
        *length = single ? pbt_unquote_single(raw, span.length, text)
                         : pbt_unquote_double(raw, span.length, text);
    }
    return text;
}

static bool take_scalar(struct reader *reader, struct fy_event *event)
{
    struct fy_token *token = event->scalar.value;
    struct pbt_span span = event_span(reader, event);
    size_t length = 0;
    if (token == NULL) {
        return pbt_builder_scalar(&reader->builder, span, "", 0, true);
    }
    enum fy_scalar_style style = fy_token_scalar_style(token);
    bool plain = style == FYSS_ANY || style == FYSS_PLAIN;
    bool single = style == FYSS_SINGLE_QUOTED;
    bool quoted = single || style == FYSS_DOUBLE_QUOTED;
    const char *raw = reader->source->text + span.offset;
    /* libfyaml's token is what lies between the quotes. */
    const struct fy_mark *start = fy_event_start_mark(event);
    const struct fy_mark *end = fy_event_end_mark(event);
    if (quoted && start != NULL && end != NULL) {
        span.length = end->input_pos - start->input_pos; /* it may be empty */
    }
    const char *text = quoted && memchr(raw, '\n', span.length) == NULL &&
                               memchr(raw, '\r', span.length) == NULL
                           ? unquote(reader, span, single, &length)
                           : fy_token_get_text(token, &length);
    if (text == NULL) {
        reader->builder.arena->failed = true;
        return false;
    }
    if (quoted && span.offset > 0) {
        span.offset--;
        span.length += 2;
    }
    return pbt_builder_scalar(&reader->builder, span, text, length, plain);
}

static bool take_document(struct reader *reader, struct fy_event *event)
{
    reader->documents++;
    if (reader->documents > 1) {
        return refuse(reader, PBT_E0009, event_span(reader, event),
                      "more than one document in the file",
                      "an experiment file is one");
    }
    return true;
}

/* The anchor or tag of this event's node, or NULL. */
static struct fy_token *decoration(const struct fy_event *event)
{
    struct fy_token *anchor = NULL;
    struct fy_token *tag = NULL;
    switch (event->type) {
    case FYET_SCALAR:
        anchor = event->scalar.anchor;
        tag = event->scalar.tag;
        break;
    case FYET_SEQUENCE_START:
        anchor = event->sequence_start.anchor;
        tag = event->sequence_start.tag;
        break;
    case FYET_MAPPING_START:
        anchor = event->mapping_start.anchor;
        tag = event->mapping_start.tag;
        break;
    case FYET_NONE:
    case FYET_STREAM_START:
    case FYET_STREAM_END:
    case FYET_DOCUMENT_START:
    case FYET_DOCUMENT_END:
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
    case FYET_ALIAS:
        break;
    }
    return anchor != NULL ? anchor : tag;
}

static bool refuse_decoration(struct reader *reader, struct fy_event *event,
                              struct fy_token *token)
{
    struct pbt_span span = event_span(reader, event);
    const struct fy_mark *mark = fy_token_start_mark(token);
    if (mark != NULL && mark->input_pos <= reader->source->length) {
        span.offset = mark->input_pos;
        span.length = 1;
    }
    return refuse(reader, PBT_E0008, span,
                  "anchors (`&name`) and tags (`!name`) are not taken",
                  "write the value itself");
}

static bool take_event(struct reader *reader, struct fy_event *event)
{
    struct fy_token *token = decoration(event);
    if (token != NULL) {
        return refuse_decoration(reader, event, token);
    }
    switch (event->type) {
    case FYET_DOCUMENT_START:
        return take_document(reader, event);
    case FYET_MAPPING_START:
        return pbt_builder_open(&reader->builder, PBT_NODE_MAP,
                                event_span(reader, event));
    case FYET_SEQUENCE_START:
        return pbt_builder_open(&reader->builder, PBT_NODE_LIST,
                                event_span(reader, event));
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        pbt_builder_close(&reader->builder);
        return true;
    case FYET_SCALAR:
        return take_scalar(reader, event);
    case FYET_ALIAS:
        return refuse(reader, PBT_E0007, event_span(reader, event),
                      "aliases (`*name`) are not taken",
                      "write the value itself");
    case FYET_NONE:
    case FYET_STREAM_START:
    case FYET_STREAM_END:
    case FYET_DOCUMENT_END:
        break;
    }
    return true;
}

/* The offset of a line and column as libfyaml counts them. */
static size_t find_place(const struct pbt_source *source, int line, int column)
{
    size_t at = 0;
    for (int i = 1; i < line && at < source->length; i++) {
        const char *end = memchr(source->text + at, '\n', source->length - at);
        at = end == NULL ? source->length : (size_t)(end - source->text) + 1;
    }
    for (int i = 1;
         i < column && at < source->length && source->text[at] != '\n'; i++) {
        do {
            at++;
        } while (at < source->length &&
                 ((unsigned char)source->text[at] & 0xc0) == 0x80);
    }
    return at;
}

static void take_diagnostics(struct reader *reader)
{
    void *iterator = NULL;
    const struct fy_diag_error *found =
        fy_diag_errors_iterate(reader->diag, &iterator);
    struct pbt_span span = {reader->index, reader->source->length, 1};
    if (found == NULL || found->msg == NULL) {
        pbt_problem(reader->builder.problems, PBT_E0005, span,
                    "this is no YAML");
        return;
    }
    /* Only the first: what follows a break in the form is noise. */
    span.offset = find_place(reader->source, found->line, found->column);
    struct pbt_problem *problem =
        pbt_problem(reader->builder.problems, PBT_E0005, span, "wrong YAML: %s",
                    pbt_quote(found->msg, strlen(found->msg)).text);
    pbt_yaml_hint(reader->source, found->msg, problem);
}

static bool read_events(struct reader *reader)
{
    if (fy_parser_set_string(reader->parser, reader->source->text,
                             reader->source->length) != 0) {
        reader->builder.arena->failed = true;
        return false;
    }
    bool good = true;
    while (good) {
        struct fy_event *event = fy_parser_parse(reader->parser);
        if (event == NULL) {
            break;
        }
        good = take_event(reader, event);
        fy_parser_event_free(reader->parser, event);
    }
    if (good && fy_parser_get_stream_error(reader->parser)) {
        take_diagnostics(reader);
        good = false;
    }
    return good;
}

static bool open_parser(struct reader *reader)
{
    struct fy_diag_cfg diag_cfg;
    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = NULL;
    diag_cfg.output_fn = swallow;
    diag_cfg.colorize = false;
    reader->diag = fy_diag_create(&diag_cfg);
    if (reader->diag == NULL) {
        return false;
    }
    fy_diag_set_collect_errors(reader->diag, true);
    struct fy_parse_cfg cfg = {
        .search_path = "",
        .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_JSON_NONE |
                 FYPCF_DEFAULT_VERSION_1_2 | FYPCF_DISABLE_MMAP_OPT,
        .diag = reader->diag,
    };
    reader->parser = fy_parser_create(&cfg);
    return reader->parser != NULL;
}

struct pbt_node *pbt_tree_yaml(const struct pbt_source *source, uint32_t index,
                               struct pbt_arena *arena,
                               struct pbt_problems *problems)
{
    struct reader reader = {
        .source = source,
        .index = index,
        .builder = {.arena = arena, .problems = problems},
    };
    struct pbt_node *root = NULL;
    if (!open_parser(&reader)) {
        arena->failed = true;
    } else if (source->length == 0 || read_events(&reader)) {
        root = reader.builder.root;
        if (root == NULL) {
            struct pbt_span span = {index, 0, 1};
            root = pbt_node_scalar(arena, span, "", 0, true);
        }
    }
    if (reader.parser != NULL) {
        fy_parser_destroy(reader.parser);
    }
    if (reader.diag != NULL) {
        fy_diag_destroy(reader.diag);
    }
    return root;
}
