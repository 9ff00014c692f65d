/*
 * Values of simple types: one function a type, each driven by its key's line in the
 * schema.
 */
#include "spec/reader.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/scalar.h"

#define NS_PER_S 1e9
/* Beyond this, times are kept in whole seconds: a double no longer holds the ns. */
#define FINE_SECONDS_MAX 1e6

bool pbt_name_is_clean(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        bool c1 =
            c == 0xc2 && i + 1 < length && (unsigned char)text[i + 1] < 0xa0;
        if (c < 0x20 || c == 0x7f || c1) {
            return false;
        }
    }
    return length > 0;
}

struct pbt_quoted pbt_node_describe(const struct pbt_node *node)
{
    struct pbt_quoted out = {.text = ""};
    if (node->kind != PBT_NODE_SCALAR) {
        (void)snprintf(out.text, sizeof out.text, "%s",
                       node->kind == PBT_NODE_LIST ? "a list" : "a mapping");
        return out;
    }
    struct pbt_scalar scalar =
        pbt_scalar_read(node->text, node->length, node->plain);
    const char *kind = "";
    switch (scalar.type) {
    case PBT_SCALAR_NULL:
        (void)snprintf(out.text, sizeof out.text, "nothing (null)");
        return out;
    case PBT_SCALAR_BOOL:
        kind = "the truth value";
        break;
    case PBT_SCALAR_INT:
    case PBT_SCALAR_REAL:
        kind = "the number";
        break;
    case PBT_SCALAR_STRING:
        kind = "the string";
        break;
    }
    size_t shown = node->length > 40 ? 40 : node->length;
    while (shown < node->length && shown > 0 &&
           ((unsigned char)node->text[shown] & 0xc0) == 0x80) {
        shown--;
    }
    (void)snprintf(out.text, sizeof out.text, "%s `%.55s%s`", kind,
                   pbt_quote(node->text, shown).text,
                   shown < node->length ? "..." : "");
    return out;
}

struct pbt_problem *pbt_reader_expected(struct pbt_reader *reader,
                                        enum pbt_code code,
                                        const struct pbt_node *node,
                                        const char *what, const char *expected)
{
    struct pbt_problem *problem =
        pbt_problem(reader->problems, code, node->span, "`%s` has to be %s",
                    what, expected);
    pbt_problem_label(problem, "this is %s", pbt_node_describe(node).text);
    return problem;
}

/* Where the key's value goes. */
static void store(struct pbt_reader *reader, const struct pbt_key *key,
                  const void *value, size_t size)
{
    if (size == key->size) {
        memcpy((char *)reader->spec + key->field, value, size);
    }
}

static void store_text(struct pbt_reader *reader, const struct pbt_key *key,
                       const char *text, size_t length)
{
    char *copy = pbt_arena_copy(&reader->spec->memory, text, length);
    store(reader, key, &copy, sizeof copy);
}

static struct pbt_scalar read_scalar(const struct pbt_node *node)
{
    if (node->kind != PBT_NODE_SCALAR) {
        return (struct pbt_scalar){.type = PBT_SCALAR_NULL};
    }
    return pbt_scalar_read(node->text, node->length, node->plain);
}

/* "a number from 0 to 0.5", "a whole number of at least 1" */
static struct pbt_quoted range_text(const struct pbt_key *key, const char *kind)
{
    struct pbt_quoted out;
    bool open_end = key->max >= 1e9;
    if (key->above_min) {
        (void)snprintf(out.text, sizeof out.text, "%s above %.15g", kind,
                       key->min);
    } else if (open_end) {
        (void)snprintf(out.text, sizeof out.text, "%s of at least %.15g", kind,
                       key->min);
    } else {
        (void)snprintf(out.text, sizeof out.text, "%s from %.15g to %.15g",
                       kind, key->min, key->max);
    }
    return out;
}

static bool is_quoted_number(const struct pbt_node *node)
{
    if (node->kind != PBT_NODE_SCALAR || node->plain) {
        return false;
    }
    struct pbt_scalar bare = pbt_scalar_read(node->text, node->length, true);
    return bare.type == PBT_SCALAR_INT || bare.type == PBT_SCALAR_REAL;
}

/* The number of a node in the key's range; false with a problem added. */
static bool read_number(struct pbt_reader *reader, const struct pbt_key *key,
                        const struct pbt_node *node, const char *kind,
                        struct pbt_scalar *scalar)
{
    *scalar = read_scalar(node);
    bool number =
        scalar->type == PBT_SCALAR_INT || scalar->type == PBT_SCALAR_REAL;
    bool in_range = number && isfinite(scalar->real) &&
                    scalar->real >= key->min && scalar->real <= key->max &&
                    !(key->above_min && scalar->real <= key->min);
    bool real = strcmp(kind, "a number") == 0;
    if (in_range && (real || scalar->whole)) {
        return true;
    }
    bool quoted = is_quoted_number(node);
    enum pbt_code code = quoted                              ? PBT_E0204
                         : number && (real || scalar->whole) ? PBT_E0203
                         : real                              ? PBT_E0201
                                                             : PBT_E0202;
    struct pbt_problem *problem = pbt_reader_expected(
        reader, code, node, key->path, range_text(key, kind).text);
    if (quoted) {
        pbt_problem_label(problem, "leave out the quotes");
    } else if (number && !isfinite(scalar->real)) {
        pbt_problem_label(problem, "it has to be finite");
    } else if (scalar->type == PBT_SCALAR_STRING && node->plain &&
               node->text[0] >= '0' && node->text[0] <= '9') {
        pbt_problem_label(problem, "write a number alone, without a unit");
    }
    return false;
}

static void read_real(struct pbt_reader *reader, const struct pbt_key *key,
                      const struct pbt_node *node)
{
    struct pbt_scalar scalar;
    if (read_number(reader, key, node, "a number", &scalar)) {
        store(reader, key, &scalar.real, sizeof scalar.real);
    }
}

static void read_whole(struct pbt_reader *reader, const struct pbt_key *key,
                       const struct pbt_node *node)
{
    struct pbt_scalar scalar;
    if (read_number(reader, key, node, "a whole number", &scalar)) {
        /* An int32_t has the same bits where the range allows negative ones. */
        uint32_t value = (uint32_t)scalar.i;
        store(reader, key, &value, sizeof value);
    }
}

/* "4 GiB", "512MB", "1.5 TiB"; false: it is none of these. */
static bool parse_bytes(const char *text, double *bytes)
{
    static const struct {
        const char *name;
        double bytes;
    } units[] = {{"B", 1},        {"kB", 1e3},     {"MB", 1e6},
                 {"GB", 1e9},     {"TB", 1e12},    {"KiB", 0x1p10},
                 {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"TiB", 0x1p40}};
    char *unit;
    if (*text < '0' || *text > '9') {
        return false;
    }
    double number = strtod(text, &unit);
    unit += *unit == ' ' ? 1 : 0;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(unit, units[i].name) == 0) {
            *bytes = number * units[i].bytes;
            return *bytes < 0x1p53;
        }
    }
    return false;
}

static void read_bytes(struct pbt_reader *reader, const struct pbt_key *key,
                       const struct pbt_node *node)
{
    struct pbt_scalar scalar = read_scalar(node);
    double bytes = scalar.real;
    bool good =
        scalar.type == PBT_SCALAR_STRING
            ? parse_bytes(node->text, &bytes)
            : scalar.type == PBT_SCALAR_INT && bytes >= 0 && bytes < 0x1p53;
    if (!good) {
        pbt_reader_expected(reader, PBT_E0212, node, key->path,
                            "bytes, or a number and its unit: `512 MiB`, "
                            "`4 GiB`, `4 GB`");
        return;
    }
    uint64_t whole = (uint64_t)bytes;
    store(reader, key, &whole, sizeof whole);
}

static void read_seconds(struct pbt_reader *reader, const struct pbt_key *key,
                         const struct pbt_node *node)
{
    struct pbt_scalar scalar;
    if (read_number(reader, key, node, "a number", &scalar)) {
        double seconds = scalar.real;
        uint64_t ns = seconds < FINE_SECONDS_MAX
                          ? (uint64_t)(seconds * NS_PER_S + 0.5)
                          : (uint64_t)(seconds + 0.5) * (uint64_t)NS_PER_S;
        if (seconds > 0 && ns == 0) {
            ns = 1; /* 0 is "no limit" */
        }
        store(reader, key, &ns, sizeof ns);
    }
}

static void read_bool(struct pbt_reader *reader, const struct pbt_key *key,
                      const struct pbt_node *node)
{
    struct pbt_scalar scalar = read_scalar(node);
    if (scalar.type == PBT_SCALAR_BOOL) {
        store(reader, key, &scalar.truth, sizeof scalar.truth);
        return;
    }
    struct pbt_problem *problem = pbt_reader_expected(
        reader, PBT_E0205, node, key->path, "true or false");
    if (scalar.type == PBT_SCALAR_STRING &&
        pbt_scalar_yaml11(node->text, node->length) != NULL) {
        pbt_problem_label(problem, "yes, no, on and off are strings in YAML "
                                   "1.2: write true or false");
    }
}

static void list_words(const char *const *words, char *out, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; words[i] != NULL && used < size; i++) {
        const char *join = i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ";
        int n = snprintf(out + used, size - used, "%s`%s`", join, words[i]);
        used += n > 0 ? (size_t)n : 0;
    }
}

static void read_word(struct pbt_reader *reader, const struct pbt_key *key,
                      const struct pbt_node *node)
{
    const char *close = NULL;
    if (node->kind == PBT_NODE_SCALAR) {
        for (unsigned i = 0; key->words[i] != NULL; i++) {
            if (strcmp(node->text, key->words[i]) == 0) {
                bool truth = i != 0;
                store(reader, key, &i, sizeof i);
                store(reader, key, &truth, sizeof truth);
                return;
            }
            size_t length = strlen(key->words[i]); /* "minimize" for min */
            if (pbt_word_close(node->text, node->length, key->words[i]) ||
                strncmp(node->text, key->words[i], length) == 0) {
                close = key->words[i];
            }
        }
    }
    if (close == NULL && node->kind == PBT_NODE_SCALAR) {
        close = pbt_foreign_word(node->text, node->length, key->words);
    }
    char words[160];
    list_words(key->words, words, sizeof words);
    struct pbt_problem *problem =
        pbt_reader_expected(reader, PBT_E0206, node, key->path, words);
    if (close != NULL) {
        pbt_problem_label(problem, "did you mean `%s`?", close);
    }
}

static void read_text(struct pbt_reader *reader, const struct pbt_key *key,
                      const struct pbt_node *node)
{
    struct pbt_scalar scalar = read_scalar(node);
    if (scalar.type != PBT_SCALAR_STRING) {
        struct pbt_problem *problem =
            pbt_reader_expected(reader, PBT_E0207, node, key->path, "a string");
        if (key == &pbt_keys[PBT_KEY_METRIC] && node->kind == PBT_NODE_MAP) {
            pbt_problem_label(problem, "write metric: NAME and mode: min or "
                                       "max");
            reader->meant[PBT_KEY_MODE] = true;
        }
    } else if (node->length > PBT_METRIC_NAME_MAX ||
               !pbt_name_is_clean(node->text, node->length)) {
        pbt_problem(reader->problems, PBT_E0208, node->span,
                    "`%s` is empty, has control characters, or is longer "
                    "than %d bytes",
                    key->path, PBT_METRIC_NAME_MAX);
    } else {
        store_text(reader, key, node->text, node->length);
    }
}

static bool is_name_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c >= '0' && c <= '9');
}

static void read_name(struct pbt_reader *reader, const struct pbt_key *key,
                      const struct pbt_node *node)
{
    if (node->kind != PBT_NODE_SCALAR) {
        pbt_reader_expected(reader, PBT_E0207, node, key->path, "a string");
        return;
    }
    /* It names a directory, and stands in command lines. */
    bool good =
        node->length >= 1 && node->length <= 128 && is_name_char(node->text[0]);
    for (size_t i = 0; good && i < node->length; i++) {
        good = is_name_char(node->text[i]) || strchr("._-", node->text[i]);
    }
    if (!good) {
        struct pbt_problem *problem =
            pbt_problem(reader->problems, PBT_E0209, node->span,
                        "`%s` can't be the name of an experiment",
                        pbt_quote(node->text, node->length).text);
        pbt_problem_help(problem, "1 to 128 letters, digits, `.`, `_` and "
                                  "`-`, beginning with a letter or digit");
        return;
    }
    store_text(reader, key, node->text, node->length);
}

char *pbt_read_path(struct pbt_reader *reader, const char *path)
{
    struct pbt_spec *spec = reader->spec;
    if (path[0] == '/') {
        return pbt_arena_copy(&spec->memory, path, strlen(path));
    }
    while (strncmp(path, "./", 2) == 0) {
        path += 2;
    }
    const char *dir = spec->command_dir;
    size_t size = strlen(dir) + strlen(path) + 2;
    char *joined = pbt_arena_alloc(&spec->memory, size);
    if (joined != NULL) {
        (void)snprintf(joined, size, "%s%s%s", dir,
                       dir[strlen(dir) - 1] == '/' ? "" : "/", path);
    }
    return joined;
}

static void read_dir(struct pbt_reader *reader, const struct pbt_key *key,
                     const struct pbt_node *node)
{
    struct pbt_scalar scalar = read_scalar(node);
    if (scalar.type == PBT_SCALAR_NULL || scalar.type == PBT_SCALAR_BOOL ||
        node->length == 0) {
        pbt_reader_expected(reader, PBT_E0210, node, key->path, "a directory");
        return;
    }
    char *path =
        strcmp(node->text, PBT_CWD_TRIAL) == 0
            ? pbt_arena_copy(&reader->spec->memory, node->text, node->length)
            : pbt_read_path(reader, node->text);
    store(reader, key, &path, sizeof path);
}

static void read_seed(struct pbt_reader *reader, const struct pbt_key *key,
                      const struct pbt_node *node)
{
    uint64_t seed;
    if (node->kind == PBT_NODE_SCALAR && node->plain &&
        pbt_scalar_u64(node->text, node->length, &seed)) {
        store(reader, key, &seed, sizeof seed);
        return;
    }
    pbt_reader_expected(reader, PBT_E0211, node, key->path,
                        "a whole number from 0 to 18446744073709551615");
}

void pbt_read_value(struct pbt_reader *reader, const struct pbt_key *key,
                    const struct pbt_node *node)
{
    static void (*const readers[])(struct pbt_reader *, const struct pbt_key *,
                                   const struct pbt_node *) = {
        [PBT_TYPE_NAME] = read_name,       [PBT_TYPE_TEXT] = read_text,
        [PBT_TYPE_DIR] = read_dir,         [PBT_TYPE_BOOL] = read_bool,
        [PBT_TYPE_REAL] = read_real,       [PBT_TYPE_WHOLE] = read_whole,
        [PBT_TYPE_WORD] = read_word,       [PBT_TYPE_SEED] = read_seed,
        [PBT_TYPE_SECONDS] = read_seconds, [PBT_TYPE_BYTES] = read_bytes,
    };
    if (readers[key->type] != NULL) {
        readers[key->type](reader, key, node);
    }
}
