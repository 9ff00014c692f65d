/*
 * A hyperparameter schedule as source code: C and Python.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/results.h"
#include "cli/schedule.h"
#include "log/python.h"

/* The longest string literal that C99 promises to take, with its NUL. */
#define LITERAL_MAX 4095
#define IDENTIFIER_MAX 128

/* What a hyperparameter is in C, so that all its values fit. */
enum c_type {
    C_INT,  /* long long */
    C_REAL, /* double */
    C_BOOL, /* int */
    C_TEXT, /* const char *: the text */
    C_JSON, /* const char *: any value, as JSON */
};

struct c_member {
    enum c_type type;
    char name[IDENTIFIER_MAX];
};

struct c_file {
    const struct pbt_results *results;
    const struct pbt_schedule *schedule;
    const struct pbt_space *space;
    struct c_member *members; /* of each parameter */
    struct pbt_buf *out;
    bool math; /* there are numbers that are not finite */
};

/* --- names ---------------------------------------------------------------------- */

/* Words that C or C++ keep for themselves, the header's macros, and our own members. */
static const char *const taken[] = {"alignas",       "alignof",
                                    "and",           "and_eq",
                                    "asm",           "auto",
                                    "bitand",        "bitor",
                                    "bool",          "break",
                                    "case",          "catch",
                                    "char",          "char16_t",
                                    "char32_t",      "char8_t",
                                    "class",         "co_await",
                                    "co_return",     "co_yield",
                                    "compl",         "concept",
                                    "const",         "consteval",
                                    "constexpr",     "constinit",
                                    "const_cast",    "continue",
                                    "decltype",      "default",
                                    "delete",        "do",
                                    "double",        "dynamic_cast",
                                    "else",          "enum",
                                    "explicit",      "export",
                                    "extern",        "false",
                                    "first",         "float",
                                    "for",           "friend",
                                    "goto",          "if",
                                    "inline",        "int",
                                    "last",          "linux",
                                    "long",          "mutable",
                                    "namespace",     "new",
                                    "noexcept",      "not",
                                    "not_eq",        "nullptr",
                                    "operator",      "or",
                                    "or_eq",         "private",
                                    "protected",     "public",
                                    "register",      "reinterpret_cast",
                                    "requires",      "restrict",
                                    "return",        "short",
                                    "signed",        "sizeof",
                                    "static",        "static_assert",
                                    "static_cast",   "struct",
                                    "switch",        "template",
                                    "this",          "thread_local",
                                    "throw",         "trial",
                                    "true",          "try",
                                    "typedef",       "typeid",
                                    "typename",      "typeof",
                                    "typeof_unqual", "union",
                                    "unix",          "unsigned",
                                    "using",         "virtual",
                                    "void",          "volatile",
                                    "wchar_t",       "while",
                                    "xor",           "xor_eq",
                                    "NULL",          "NAN",
                                    "INFINITY",      "offsetof",
                                    "i386",          "isnan",
                                    "isinf",         "isfinite",
                                    "signbit",       "isnormal",
                                    "fpclassify"};

static bool is_taken(const struct c_file *file, uint32_t before,
                     const char *name)
{
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        if (strcmp(name, taken[i]) == 0) {
            return true;
        }
    }
    for (uint32_t i = 0; i < before; i++) {
        if (strcmp(name, file->members[i].name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9');
}

/* "net/depth" is net_depth; no name begins with `_` or has two of them in a row. */
static void name_member(struct c_file *file, uint32_t param)
{
    char *name = file->members[param].name;
    const char *from = file->space->params[param].name;
    size_t length = 0;
    if (!is_word(from[0]) || (from[0] >= '0' && from[0] <= '9')) {
        name[length++] = 'p';
        if (is_word(from[0])) {
            name[length++] = '_';
        }
    }
    for (; *from != '\0' && length < IDENTIFIER_MAX - 16; from++) {
        if (is_word(*from)) {
            name[length++] = *from;
        } else if (length > 0 && name[length - 1] != '_') {
            name[length++] = '_';
        }
    }
    name[length] = '\0';
    size_t whole = length > 0 && name[length - 1] == '_' ? length - 1 : length;
    for (unsigned n = 2; is_taken(file, param, name); n++) {
        (void)snprintf(name + whole, IDENTIFIER_MAX - whole, "_%u", n);
    }
}

/* --- types ---------------------------------------------------------------------- */

/* The text that a cell is, to be freed; NULL: it is something else. */
static char *text_of(const struct pbt_spec *spec, struct pbt_cell cell)
{
    if (cell.type != PBT_CELL_TEXT) {
        return NULL;
    }
    json_t *value = json_loads(pbt_texts_get(&spec->texts, cell.text),
                               JSON_DECODE_ANY, NULL);
    char *text =
        json_is_string(value) ? strdup(json_string_value(value)) : NULL;
    json_decref(value);
    return text;
}

static enum c_type type_of(const struct c_file *file, struct pbt_cell cell)
{
    switch ((enum pbt_cell_type)cell.type) {
    case PBT_CELL_INT:
        return C_INT;
    case PBT_CELL_REAL:
        return C_REAL;
    case PBT_CELL_BOOL:
        return C_BOOL;
    case PBT_CELL_TEXT: {
        char *text = text_of(file->schedule->spec, cell);
        enum c_type type = text != NULL ? C_TEXT : C_JSON;
        free(text);
        return type;
    }
    case PBT_CELL_NONE:
        break;
    }
    return C_JSON;
}

/* Whole numbers among real ones become real; else what differs is JSON. */
static void find_type(struct c_file *file, uint32_t param)
{
    const struct pbt_schedule *schedule = file->schedule;
    enum c_type type = type_of(file, schedule->ranges[0].cells[param]);
    for (size_t i = 0; i < schedule->count; i++) {
        struct pbt_cell cell = schedule->ranges[i].cells[param];
        enum c_type other = type_of(file, cell);
        bool numbers = (type == C_INT || type == C_REAL) &&
                       (other == C_INT || other == C_REAL);
        if (other != type) {
            type = numbers ? C_REAL : C_JSON;
        }
        file->math =
            file->math || (cell.type == PBT_CELL_REAL && !isfinite(cell.u.r));
    }
    file->members[param].type = type;
}

/* --- values --------------------------------------------------------------------- */

/* Whole numbers are within 2^53. */
static void put_integer(struct pbt_buf *out, int64_t value)
{
    pbt_buf_printf(out, "%" PRId64 "LL", value);
}

static void put_real(struct pbt_buf *out, double value)
{
    if (isfinite(value)) {
        pbt_buf_real(out, value);
    } else {
        pbt_buf_text(out, isnan(value) ? "NAN"
                          : value > 0  ? "INFINITY"
                                       : "-INFINITY");
    }
}

/* A byte between quotes: what is not plain ASCII as an octal number; no trigraphs. */
static void put_byte(struct pbt_buf *out, char c)
{
    if (c == '"' || c == '\\' || c == '?' || c == '\'') {
        pbt_buf_char(out, '\\');
        pbt_buf_char(out, c);
    } else if (c >= 0x20 && c < 0x7f) {
        pbt_buf_char(out, c);
    } else {
        pbt_buf_printf(out, "\\%03o", (unsigned)(unsigned char)c);
    }
}

static void put_literal(struct pbt_buf *out, const char *text)
{
    pbt_buf_char(out, '"');
    for (; *text != '\0'; text++) {
        put_byte(out, *text);
    }
    pbt_buf_char(out, '"');
}

/* What stands in a string: the text itself or, `json`, any value; NULL without memory. */
static char *string_of(const struct c_file *file, struct pbt_cell cell,
                       bool json)
{
    struct pbt_buf text;
    if (!json) {
        return text_of(file->schedule->spec, cell);
    }
    pbt_buf_init(&text, PBT_CLI_OUTPUT_MAX);
    pbt_spec_cell_json(file->schedule->spec, cell, &text);
    if (pbt_buf_failed(&text)) {
        pbt_buf_done(&text);
        return NULL;
    }
    return text.data; /* the buffer's memory is the caller's now */
}

static void put_string(struct c_file *file, size_t row, uint32_t param)
{
    bool json = file->members[param].type == C_JSON;
    char *text =
        string_of(file, file->schedule->ranges[row].cells[param], json);
    if (text == NULL) {
        file->out->failed = true;
    } else if (strlen(text) < LITERAL_MAX) {
        put_literal(file->out, text);
    } else {
        pbt_buf_printf(file->out, "pbt_schedule_text_%zu_%" PRIu32, row, param);
    }
    free(text);
}

/* Texts that are longer than a literal may be, as arrays in front of the table. */
static void put_long_text(struct c_file *file, size_t row, uint32_t param)
{
    bool json = file->members[param].type == C_JSON;
    char *text =
        string_of(file, file->schedule->ranges[row].cells[param], json);
    if (text == NULL) {
        file->out->failed = true;
    } else if (strlen(text) >= LITERAL_MAX) {
        pbt_buf_printf(file->out,
                       "static const char pbt_schedule_text_%zu_%" PRIu32
                       "[] = {",
                       row, param);
        for (size_t i = 0; text[i] != '\0'; i++) {
            pbt_buf_text(file->out, i % 12 == 0 ? "\n    '" : " '");
            put_byte(file->out, text[i]);
            pbt_buf_text(file->out, "',");
        }
        pbt_buf_text(file->out, " '\\0'};\n\n");
    }
    free(text);
}

static void put_value(struct c_file *file, size_t row, uint32_t param)
{
    struct pbt_cell cell = file->schedule->ranges[row].cells[param];
    switch (file->members[param].type) {
    case C_INT:
        put_integer(file->out, cell.u.i);
        break;
    case C_REAL:
        put_real(file->out, pbt_cell_number(cell));
        break;
    case C_BOOL:
        pbt_buf_i64(file->out, cell.u.i != 0);
        break;
    case C_TEXT:
    case C_JSON:
        put_string(file, row, param);
        break;
    }
}

/* --- C -------------------------------------------------------------------------- */

/* Text in a comment, which it can't end; nor is a line ever continued by it. */
static void put_comment(struct pbt_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        bool ends = *text == '*' || *text == '/' || *text == '\\';
        bool plain = *text >= 0x20 && *text < 0x7f;
        if (ends || !plain) {
            pbt_buf_char(out, ends ? '.' : '?');
        } else {
            pbt_buf_char(out, *text);
        }
    }
}

static void put_head(struct c_file *file)
{
    struct pbt_buf *out = file->out;
    struct pbt_buf title;
    pbt_buf_init(&title, PBT_CLI_OUTPUT_MAX);
    pbt_cli_schedule_title(&title, file->results, file->schedule);
    pbt_buf_text(out, "/*\n * By `pbt schedule`: ");
    put_comment(out, title.data != NULL ? title.data : "");
    pbt_buf_text(out, ".\n *\n"
                      " *     const struct pbt_schedule_range *now = "
                      "pbt_schedule_at(iteration);\n"
                      " *\n"
                      " * C99, C++11 and later.\n"
                      " */\n"
                      "#ifndef PBT_SCHEDULE_H\n#define PBT_SCHEDULE_H\n\n");
    pbt_buf_text(out, file->math ? "#include <math.h>\n#include <stddef.h>\n\n"
                                 : "#include <stddef.h>\n\n");
    out->failed = out->failed || pbt_buf_failed(&title);
    pbt_buf_done(&title);
}

static void put_struct(const struct c_file *file)
{
    static const char *const types[] = {[C_INT] = "long long ",
                                        [C_REAL] = "double ",
                                        [C_BOOL] = "int ",
                                        [C_TEXT] = "const char *",
                                        [C_JSON] = "const char *"};
    struct pbt_buf *out = file->out;
    pbt_buf_text(out, "struct pbt_schedule_range {\n"
                      "    long long first; /* from this training iteration, "
                      "counted from 1, */\n"
                      "    long long last;  /* to this one */\n"
                      "    const char *trial; /* that trained them */\n");
    for (uint32_t i = 0; i < file->space->count; i++) {
        const struct c_member *member = &file->members[i];
        const char *name = file->space->params[i].name;
        pbt_buf_printf(out, "    %s%s;", types[member->type], member->name);
        if (member->type == C_JSON || strcmp(member->name, name) != 0) {
            pbt_buf_text(out, " /* ");
            put_comment(out, name);
            pbt_buf_text(out, member->type == C_JSON ? ", as JSON */" : " */");
        }
        pbt_buf_char(out, '\n');
    }
    pbt_buf_text(out, "};\n\n");
}

static void put_rows(struct c_file *file)
{
    struct pbt_buf *out = file->out;
    pbt_buf_text(out,
                 "static const struct pbt_schedule_range pbt_schedule[] = {\n");
    for (size_t i = 0; i < file->schedule->count; i++) {
        const struct pbt_schedule_range *range = &file->schedule->ranges[i];
        pbt_buf_text(out, "    {");
        put_integer(out, range->first);
        pbt_buf_text(out, ", ");
        put_integer(out, range->last);
        pbt_buf_text(out, ", ");
        put_literal(out, pbt_results_trial(file->results, range->trial)->id);
        for (uint32_t k = 0; k < file->space->count; k++) {
            pbt_buf_text(out, ", ");
            put_value(file, i, k);
        }
        pbt_buf_text(out, "},\n");
    }
    pbt_buf_text(out, "};\n\n");
}

void pbt_cli_schedule_c(struct pbt_buf *out, const struct pbt_results *results,
                        const struct pbt_schedule *schedule)
{
    struct c_file file = {.results = results,
                          .schedule = schedule,
                          .space = &schedule->spec->settings.space,
                          .out = out};
    uint32_t count = file.space->count;
    file.members = calloc((size_t)count + 1, sizeof *file.members);
    if (file.members == NULL) {
        out->failed = true;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        name_member(&file, i);
        find_type(&file, i);
    }
    put_head(&file);
    put_struct(&file);
    for (size_t row = 0; row < schedule->count; row++) {
        for (uint32_t i = 0; i < count; i++) {
            if (file.members[i].type == C_TEXT ||
                file.members[i].type == C_JSON) {
                put_long_text(&file, row, i);
            }
        }
    }
    put_rows(&file);
    pbt_buf_text(out,
                 "/* What was in force in an iteration; beyond the last one, "
                 "what was then. */\n"
                 "static inline const struct pbt_schedule_range *\n"
                 "pbt_schedule_at(long long iteration)\n"
                 "{\n"
                 "    size_t count = sizeof pbt_schedule / sizeof "
                 "pbt_schedule[0];\n"
                 "    size_t i = 0;\n"
                 "    while (i + 1 < count && iteration > "
                 "pbt_schedule[i].last) {\n"
                 "        i++;\n"
                 "    }\n"
                 "    return &pbt_schedule[i];\n"
                 "}\n\n"
                 "#endif\n");
    free(file.members);
}

/* --- Python --------------------------------------------------------------------- */

static bool has_odd_numbers(const struct pbt_schedule *schedule)
{
    for (size_t i = 0; i < schedule->count; i++) {
        for (uint32_t k = 0; k < schedule->spec->settings.space.count; k++) {
            struct pbt_cell cell = schedule->ranges[i].cells[k];
            if (cell.type == PBT_CELL_REAL && !isfinite(cell.u.r)) {
                return true;
            }
        }
    }
    return false;
}

void pbt_cli_schedule_python(struct pbt_buf *out,
                             const struct pbt_results *results,
                             const struct pbt_schedule *schedule)
{
    const struct pbt_shape *shape = &pbt_results_board(results)->shape;
    struct pbt_buf title;
    pbt_buf_init(&title, PBT_CLI_OUTPUT_MAX);
    pbt_cli_schedule_title(&title, results, schedule);
    pbt_buf_text(out, "\"\"\"By `pbt schedule`: ");
    put_comment(out, title.data != NULL ? title.data : "");
    pbt_buf_text(out, ".\"\"\"\n\nimport copy\n");
    pbt_buf_text(out, has_odd_numbers(schedule) ? "from math import inf, nan\n"
                                                : "");
    pbt_buf_text(out, "\n# From this training iteration, counted from 1, to "
                      "this one, trained by, with.\nRANGES = [\n");
    for (size_t i = 0; i < schedule->count; i++) {
        const struct pbt_schedule_range *range = &schedule->ranges[i];
        pbt_buf_printf(out, "    (%" PRId64 ", %" PRId64 ", '%s', ",
                       range->first, range->last,
                       pbt_results_trial(results, range->trial)->id);
        pbt_shape_repr(shape, range->cells, out);
        pbt_buf_text(out, "),\n");
    }
    pbt_buf_text(out,
                 "]\n\n\n"
                 "def schedule(iteration):\n"
                 "    \"\"\"What was in force in an iteration; beyond the last "
                 "one, what was then.\"\"\"\n"
                 "    config = RANGES[-1][3]\n"
                 "    for _, last, _, then in RANGES[:-1]:\n"
                 "        if iteration <= last:\n"
                 "            config = then\n"
                 "            break\n"
                 "    return copy.deepcopy(config)\n");
    out->failed = out->failed || pbt_buf_failed(&title);
    pbt_buf_done(&title);
}
