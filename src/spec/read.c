/*
 * From a file to a specification: sources, tree, keys, checks.
 */
#define _XOPEN_SOURCE 700 /* realpath() */

#include "spec/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define WARNINGS_MAX 65536

void pbt_reader_warn(struct pbt_reader *reader, enum pbt_code code,
                     const struct pbt_node *node, const char *fmt, ...)
{
    struct pbt_buf *out = &reader->spec->warnings;
    struct pbt_problem warning = {.code = code};
    if (pbt_buf_failed(out)) {
        return; /* full: warnings are a courtesy */
    }
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(warning.message, sizeof warning.message, fmt, args);
    va_end(args);
    if (node != NULL) {
        warning.span = node->span;
    }
    if (out->length > 0) {
        pbt_buf_char(out, '\n');
    }
    pbt_problem_write(&reader->problems->sources, &warning, out);
}

static void take_factors(struct pbt_reader *reader, const struct pbt_key *key,
                         const struct pbt_node *list)
{
    struct pbt_explore *explore = &reader->spec->settings.explore;
    pbt_read_factors(reader, list, key->path, &explore->factors,
                     &explore->factor_count);
}

/* The default of a key, as if it stood in the file. */
static void take_fallback(struct pbt_reader *reader, const struct pbt_key *key,
                          struct pbt_arena *arena)
{
    struct pbt_source source = {"default", key->fallback,
                                strlen(key->fallback)};
    if (key->type == PBT_TYPE_FACTORS) {
        const struct pbt_node *list =
            pbt_tree_yaml(&source, 0, arena, reader->problems);
        if (list != NULL) {
            take_factors(reader, key, list);
        }
        return;
    }
    struct pbt_node node = {.kind = PBT_NODE_SCALAR,
                            .plain = true,
                            .text = source.text,
                            .length = source.length};
    pbt_read_value(reader, key, &node);
}

static void take_values(struct pbt_reader *reader, struct pbt_arena *arena)
{
    for (size_t i = 0; i < PBT_KEY_COUNT; i++) {
        const struct pbt_key *key = &pbt_keys[i];
        const struct pbt_node *node = reader->given[i];
        if (key->fallback != NULL) {
            take_fallback(reader, key, arena);
        }
        if (node == NULL) {
            continue;
        }
        switch (key->type) {
        case PBT_TYPE_COMMAND:
            pbt_read_command(reader, key, node);
            break;
        case PBT_TYPE_ENV:
            pbt_read_env(reader, node);
            break;
        case PBT_TYPE_TEMPLATES:
            pbt_read_templates(reader, node);
            break;
        case PBT_TYPE_FACTORS:
            take_factors(reader, key, node);
            break;
        case PBT_TYPE_STOPS:
            pbt_read_stops(reader, node, i == PBT_KEY_STOP_ALL);
            break;
        case PBT_TYPE_SECTION:
        case PBT_TYPE_CONFIG:
        case PBT_TYPE_MUTATIONS:
        case PBT_TYPE_POINTS:
        case PBT_TYPE_SCHEDULE:
        case PBT_TYPE_POLICY:
        case PBT_TYPE_COLUMNS:
            break;
        case PBT_TYPE_NAME:
        case PBT_TYPE_TEXT:
        case PBT_TYPE_DIR:
        case PBT_TYPE_BOOL:
        case PBT_TYPE_REAL:
        case PBT_TYPE_WHOLE:
        case PBT_TYPE_WORD:
        case PBT_TYPE_SEED:
        case PBT_TYPE_SECONDS:
        case PBT_TYPE_BYTES:
            pbt_read_value(reader, key, node);
            break;
        }
    }
    pbt_read_keep(reader);
    reader->spec->settings.custom_explore =
        reader->spec->explore_command != NULL;
    pbt_read_params(reader, reader->given[PBT_KEY_CONFIG],
                    reader->given[PBT_KEY_MUTATIONS]);
    pbt_read_grids(reader);
    if (reader->given[PBT_KEY_POINTS] != NULL) {
        pbt_read_points(reader, reader->given[PBT_KEY_POINTS]);
    }
    const struct pbt_node *columns = reader->given[PBT_KEY_METRIC_COLUMNS];
    if (columns != NULL) {
        pbt_read_columns(reader, &pbt_keys[PBT_KEY_METRIC_COLUMNS], columns,
                         false);
    }
    columns = reader->given[PBT_KEY_PARAMETER_COLUMNS];
    if (columns != NULL) {
        pbt_read_columns(reader, &pbt_keys[PBT_KEY_PARAMETER_COLUMNS], columns,
                         true);
    }
    if (reader->given[PBT_KEY_SCHEDULE] != NULL) {
        pbt_read_schedule(reader, reader->given[PBT_KEY_SCHEDULE]);
    }
}

/* The file's name without directory and ending. */
static void default_name(struct pbt_reader *reader)
{
    const char *label = reader->sources[0].label;
    const char *slash = strrchr(label, '/');
    const char *stem = slash == NULL ? label : slash + 1;
    const char *dot = strrchr(stem, '.');
    size_t length =
        dot == NULL || dot == stem ? strlen(stem) : (size_t)(dot - stem);
    char *text = pbt_arena_copy(&reader->spec->memory, stem, length);
    if (text == NULL) {
        return;
    }
    struct pbt_node node = {
        .kind = PBT_NODE_SCALAR, .text = text, .length = length};
    uint32_t before = reader->problems->count;
    pbt_read_value(reader, &pbt_keys[PBT_KEY_NAME], &node);
    if (reader->problems->count > before && before < PBT_PROBLEMS_MAX) {
        pbt_problem_label(&reader->problems->items[before],
                          "give a `name`: the file's can't be one");
    }
}

/* 53 bits: exact in every program that reads numbers as doubles. */
static bool draw_seed(struct pbt_reader *reader)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed) {
        return false;
    }
    reader->spec->settings.seed = seed >> 11;
    reader->spec->seed_drawn = true;
    return true;
}

static void note_origins(struct pbt_reader *reader)
{
    struct pbt_spec *spec = reader->spec;
    spec->origins =
        pbt_arena_array(&spec->memory, PBT_KEY_COUNT, sizeof *spec->origins);
    for (int i = 0; i < PBT_KEY_COUNT && spec->origins != NULL; i++) {
        const struct pbt_node *node = reader->given[i];
        spec->origins[i] = (struct pbt_origin){.line = 0};
        if (node != NULL) {
            const struct pbt_source *source =
                &reader->sources[node->span.source];
            spec->origins[i] = (struct pbt_origin){
                node->span.source,
                pbt_source_place(source, node->span.offset).line};
        }
    }
}

static void take_root(struct pbt_reader *reader, struct pbt_arena *arena)
{
    const struct pbt_node *root = reader->root;
    if (root->kind == PBT_NODE_MAP) {
        pbt_read_keys(reader, root, "");
    } else if (!pbt_node_is_null(root)) {
        struct pbt_problem *problem =
            pbt_problem(reader->problems, PBT_E0013, root->span,
                        "an experiment file is a mapping of keys to values");
        pbt_problem_label(problem, "this is %s", pbt_node_describe(root).text);
        pbt_problem_help(problem, "begin with `command: [PROGRAM, ARGUMENT, "
                                  "...]`; pbt run --help shows more");
        return;
    }
    if (reader->given[PBT_KEY_POLICY] != NULL) {
        pbt_read_policy(reader, arena);
    }
    take_values(reader, arena);
    if (reader->given[PBT_KEY_NAME] == NULL) {
        default_name(reader);
    }
    pbt_read_check(reader);
    note_origins(reader);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static struct pbt_node *read_tree(struct pbt_reader *reader,
                                  size_t override_count,
                                  struct pbt_arena *arena)
{
    const struct pbt_source *file = &reader->sources[0];
    bool json = ends_with(file->label, ".json");
    if (!pbt_source_guard(file, 0, !json, reader->problems)) {
        return NULL;
    }
    struct pbt_node *root =
        json ? pbt_tree_json(file, 0, arena, reader->problems)
             : pbt_tree_yaml(file, 0, arena, reader->problems);
    if (root != NULL && override_count > 0 && pbt_node_is_null(root)) {
        root = pbt_node_new(arena, PBT_NODE_MAP, root->span);
    }
    if (root == NULL || root->kind != PBT_NODE_MAP) {
        return root;
    }
    for (size_t i = 1; i <= override_count; i++) {
        pbt_tree_override(&reader->sources[i], (uint32_t)i, root, arena,
                          reader->problems);
    }
    return root;
}

static const struct pbt_source *make_sources(struct pbt_arena *arena,
                                             struct pbt_source file,
                                             char *const *overrides,
                                             size_t count)
{
    struct pbt_source *sources =
        pbt_arena_array(arena, count + 1, sizeof *sources);
    if (sources == NULL) {
        return NULL;
    }
    /* A byte order mark is no part of the text. */
    if (file.length >= 3 && memcmp(file.text, "\xef\xbb\xbf", 3) == 0) {
        file.text += 3;
        file.length -= 3;
    }
    sources[0] = file;
    for (size_t i = 0; i < count; i++) {
        sources[i + 1] =
            (struct pbt_source){"override", overrides[i], strlen(overrides[i])};
    }
    return sources;
}

static int wrong(struct pbt_problems *problems, struct pbt_buf *out,
                 struct pbt_error *error)
{
    struct pbt_buf text;
    pbt_buf_init(&text, PBT_SOURCE_MAX);
    pbt_problems_write(problems, out != NULL ? out : &text);
    pbt_buf_done(&text);
    /* Sorted by now. */
    return pbt_fail(error, problems->items[0].code, "%s",
                    problems->items[0].message);
}

static char *absolute_dir(struct pbt_arena *arena, const char *dir)
{
    char *real = realpath(dir == NULL || dir[0] == '\0' ? "." : dir, NULL);
    const char *path = real != NULL ? real : dir;
    char *copy =
        path == NULL ? NULL : pbt_arena_copy(arena, path, strlen(path));
    free(real);
    return copy;
}

struct input {
    struct pbt_source file;
    const char *dir; /* NULL: the working directory */
    char *const *overrides;
    size_t override_count;
    const struct pbt_typed *typed;
};

static int parse(struct pbt_spec *spec, const struct input *input,
                 struct pbt_buf *problems_out, struct pbt_error *error)
{
    struct pbt_arena arena = {.blocks = NULL};
    int status = PBT_OK;
    *spec = (struct pbt_spec){.settings.seed = 0};
    pbt_buf_init(&spec->warnings, WARNINGS_MAX);
    struct pbt_problems *problems = calloc(1, sizeof *problems);
    struct pbt_reader reader = {.spec = spec, .problems = problems};
    reader.sources = make_sources(&arena, input->file, input->overrides,
                                  input->override_count);
    spec->command_dir = absolute_dir(&spec->memory, input->dir);
    if (problems != NULL && !arena.failed && spec->command_dir != NULL) {
        problems->sources = (struct pbt_sources){
            reader.sources, input->override_count + 1, input->typed};
        reader.root = read_tree(&reader, input->override_count, &arena);
    }
    if (reader.root != NULL) {
        take_root(&reader, &arena);
        pbt_keep_places(&reader);
    }
    if (problems == NULL || arena.failed || spec->memory.failed ||
        spec->command_dir == NULL) {
        status = pbt_error_set(error, PBT_ENOMEM, "out of memory");
    } else if (problems->count > 0) {
        status = wrong(problems, problems_out, error);
    } else if (reader.given[PBT_KEY_SEED] == NULL && !draw_seed(&reader)) {
        status = pbt_error_set(error, PBT_ENOMEM, "can't draw a seed: %s",
                               strerror(errno));
    } else {
        status = pbt_spec_complete(spec, error);
    }
    free(problems);
    pbt_arena_done(&arena);
    if (status != PBT_OK) {
        pbt_spec_done(spec);
    }
    return status;
}

int pbt_spec_parse(struct pbt_spec *spec, const char *text, size_t length,
                   const char *label, const char *dir, char *const *overrides,
                   size_t override_count, struct pbt_buf *problems,
                   struct pbt_error *error)
{
    const struct input input = {.file = {label, text, length},
                                .dir = dir,
                                .overrides = overrides,
                                .override_count = override_count};
    return parse(spec, &input, problems, error);
}

/* Up to one byte more than an experiment file may have, for the guard to see. */
static int read_file(const char *path, struct pbt_buf *out,
                     struct pbt_error *error)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd =
        is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return pbt_fail(error, PBT_E0701, "can't open `%s`: %s", path,
                        strerror(errno));
    }
    int status = PBT_OK;
    while (status == PBT_OK && out->length <= PBT_SOURCE_MAX) {
        char chunk[16384];
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            status = pbt_fail(error, PBT_E0701, "can't read `%s`: %s", path,
                              strerror(errno));
        } else if (got == 0) {
            break;
        } else {
            pbt_buf_put(out, chunk, (size_t)got);
        }
        if (pbt_buf_failed(out)) {
            status = pbt_error_set(error, PBT_ENOMEM, "out of memory");
        }
    }
    if (!is_stdin) {
        (void)close(fd);
    }
    return status;
}

int pbt_spec_read_typed(struct pbt_spec *spec, const char *path,
                        char *const *overrides, size_t override_count,
                        const struct pbt_typed *typed, struct pbt_buf *problems,
                        struct pbt_error *error)
{
    struct pbt_buf text;
    struct input input = {.overrides = overrides,
                          .override_count = override_count,
                          .typed = typed};
    pbt_buf_init(&text, 2 * PBT_SOURCE_MAX);
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    size_t length = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    bool here = slash == NULL || (typed != NULL && typed->here);
    char *dir = here ? strdup(".") : strndup(path, length);
    *spec = (struct pbt_spec){.settings.seed = 0};
    int status = dir == NULL ? pbt_error_set(error, PBT_ENOMEM, "out of memory")
                             : PBT_OK;
    if (status == PBT_OK && path != NULL) {
        status = read_file(path, &text, error);
    }
    if (status == PBT_OK) {
        const char *label = path == NULL             ? PBT_NO_FILE
                            : strcmp(path, "-") == 0 ? "stdin"
                                                     : path;
        input.dir = dir;
        input.file = (struct pbt_source){
            label, text.data != NULL ? text.data : "", text.length};
        status = parse(spec, &input, problems, error);
    }
    free(dir);
    pbt_buf_done(&text);
    return status;
}

int pbt_spec_read(struct pbt_spec *spec, const char *path,
                  char *const *overrides, size_t override_count,
                  struct pbt_buf *problems, struct pbt_error *error)
{
    return pbt_spec_read_typed(spec, path, overrides, override_count, NULL,
                               problems, error);
}
