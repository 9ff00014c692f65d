/*
 * experiment.c: from a call's words to a specification.
 *
 *     pbt run FILE [key=value ...] [flags]
 *     pbt run -n 4 --metric accuracy --mode max --param lr=uniform:0.001:1 -- ./train
 *
 * A flag is an override in other words: `--interval 5` is
 * scheduler.perturbation_interval=5, and what is wrong with it is said of that.
 */
#include "cli/experiment.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/typed.h"
#include "run/run.h"
#include "spec/reader.h"

#define TEXT_MAX ((size_t)1 << 20)

/* Flags that are one key. */
static const struct {
    const char *flag;
    const char *key;
} plain[] = {
    {"num-samples", "num_samples"},
    {"metric", "metric"},
    {"mode", "mode"},
    {"interval", "scheduler.perturbation_interval"},
    {"name", "name"},
    {"seed", "seed"},
};

struct overrides {
    const struct pbt_cli_call *call;
    const char *file; /* NULL: none */
    bool here;    /* names are relative to where the user stands, not to it */
    size_t first; /* operands from here on are overrides */
    char **items; /* owned */
    const char ***places; /* owned: of each of them; NULL: it was not typed */
    size_t count;
    int status;
};

/* Takes over what is in `text`. */
static void add(struct overrides *overrides, struct pbt_cli_text *text)
{
    char *copy = pbt_cli_text_failed(text) ? NULL : strdup(text->text.data);
    if (copy == NULL) {
        overrides->status = pbt_cli_error(PBT_E0971, "out of memory");
    } else {
        overrides->items[overrides->count] = copy;
        overrides->places[overrides->count++] = text->places;
        text->places = NULL;
    }
    pbt_cli_text_done(text);
}

/* --- distributions: "uniform:0.001:1" ----------------------------------------- */

/* Takes "a:b:c", or "a,b,c", into "[a, b, c]". */
static void put_list(struct pbt_cli_text *out, const char *text, char between)
{
    pbt_cli_text_made(out, "[", text);
    const char *at = text;
    for (; *at != '\0'; at++) {
        if (*at == between) {
            pbt_cli_text_made(out, ", ", at);
        } else {
            pbt_cli_text_typed(out, at, 1);
        }
    }
    pbt_cli_text_made(out, "]", at > text ? at - 1 : at);
}

static bool wrong_distribution(struct overrides *overrides, const char *at,
                               const char *word, size_t length)
{
    char label[96] = "";
    const char *like = pbt_distribution_like(word, length);
    if (like == NULL) {
        return false; /* "http://..." is a text like any other */
    }
    (void)snprintf(label, sizeof label, "did you mean `%s`?", like);
    overrides->status = pbt_cli_usage(PBT_E0611, overrides->call->verb->name,
                                      at, label, "unknown distribution `%s`",
                                      pbt_quote(word, length).text);
    return true;
}

/* The value of --param or --mutate, in YAML's flow form. */
static void put_value(struct overrides *overrides, struct pbt_cli_text *out,
                      const char *value, bool mutation)
{
    size_t length = strlen(value);
    const char *last = length > 0 ? value + length - 1 : value;
    size_t word = strspn(value, "abcdefghijklmnopqrstuvwxyz_");
    bool flow = strchr("[{\"'", value[0]) != NULL && value[0] != '\0';
    if (word > 0 && value[word] == ':') {
        if (pbt_is_distribution_name(value, word)) {
            pbt_cli_text_made(out, "{", value);
            pbt_cli_text_typed(out, value, word);
            pbt_cli_text_made(out, ": ", value + word);
            put_list(out, value + word + 1, ':');
            pbt_cli_text_made(out, "}", last);
            return;
        }
        if (wrong_distribution(overrides, value, value, word)) {
            return;
        }
    }
    if (strchr(value, ',') != NULL && !flow) {
        pbt_cli_text_made(out, mutation ? "" : "{choice: ", value);
        put_list(out, value, ',');
        pbt_cli_text_made(out, mutation ? "" : "}", last);
        return;
    }
    pbt_cli_text_typed(out, value, length);
}

/* "--param net/depth=3" is config.net.depth=3. */
static void add_named(struct overrides *overrides, const char *prefix,
                      const struct pbt_cli_given *given)
{
    const char *equals = strchr(given->value, '=');
    bool stop = strncmp(prefix, "stop", 4) == 0;
    struct pbt_cli_text text;
    if (equals == NULL || equals == given->value) {
        overrides->status =
            pbt_cli_usage(PBT_E0612, overrides->call->verb->name, given->value,
                          "NAME=VALUE is needed", "`--%s` has no %s",
                          given->option->name, equals == NULL ? "`=`" : "name");
        return;
    }
    pbt_cli_text_init(&text);
    pbt_cli_text_made(&text, prefix, given->value);
    pbt_cli_text_made(&text, ".", given->value);
    for (const char *c = given->value; c < equals; c++) {
        if (*c == '/' && !stop) {
            pbt_cli_text_made(&text, ".", c);
        } else {
            pbt_cli_text_typed(&text, c, 1);
        }
    }
    pbt_cli_text_typed(&text, equals, 1);
    if (stop) {
        pbt_cli_text_typed(&text, equals + 1, strlen(equals + 1));
    } else {
        put_value(overrides, &text, equals + 1, strcmp(prefix, "config") != 0);
    }
    if (overrides->status == PBT_OK) {
        add(overrides, &text);
    } else {
        pbt_cli_text_done(&text);
    }
}

/* --- flags, in the order in which they were given ------------------------------ */

static void add_flag(struct overrides *overrides,
                     const struct pbt_cli_given *given)
{
    static const struct {
        const char *flag;
        const char *prefix;
    } named[] = {
        {"param", "config"},
        {"mutate", "scheduler.hyperparam_mutations"},
        {"stop", "stop"},
        {"stop-all", "stop_all"},
    };
    const char *name = given->option->name;
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        if (strcmp(name, named[i].flag) == 0) {
            add_named(overrides, named[i].prefix, given);
            return;
        }
    }
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (strcmp(name, plain[i].flag) == 0) {
            struct pbt_cli_text text;
            pbt_cli_text_init(&text);
            pbt_cli_text_made(&text, plain[i].key, given->value);
            pbt_cli_text_made(&text, "=", given->value);
            pbt_cli_text_typed(&text, given->value, strlen(given->value));
            add(overrides, &text);
            return;
        }
    }
}

/* What stands behind "--" is the command, word by word. */
static void add_command(struct overrides *overrides)
{
    const struct pbt_cli_call *call = overrides->call;
    struct pbt_cli_text text;
    const char *last = call->args[call->count - 1];
    pbt_cli_text_init(&text);
    pbt_cli_text_made(&text, "command=[", call->args[call->dashes]);
    for (size_t i = call->dashes; i < call->count; i++) {
        pbt_cli_text_made(&text, i > call->dashes ? ", " : "", call->args[i]);
        pbt_cli_text_json(&text, call->args[i]);
    }
    pbt_cli_text_made(&text, "]", last + strlen(last));
    add(overrides, &text);
}

bool pbt_cli_is_shell(const char *name)
{
    size_t length = strlen(name);
    return length >= 2 && length <= 5 && name[length - 2] == 's' &&
           name[length - 1] == 'h' && strchr(name, '.') == NULL;
}

/* python3.11, perl, any shell, ... */
static bool is_interpreter(const char *name)
{
    static const char *const known[] = {"python", "perl",  "ruby",
                                        "node",   "julia", "Rscript"};
    size_t length = strlen(name);
    if (pbt_cli_is_shell(name)) {
        return true;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t stem = strlen(known[i]);
        if (strncmp(name, known[i], stem) == 0 &&
            strspn(name + stem, "0123456789.") == length - stem) {
            return true;
        }
    }
    return false;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* Without a file the experiment is called after the program: "train" of train.py. */
static void add_name(struct overrides *overrides)
{
    const struct pbt_cli_call *call = overrides->call;
    const char *word = base_name(call->args[call->dashes]);
    struct pbt_cli_text text;
    if (is_interpreter(word)) {
        for (size_t i = call->dashes + 1; i < call->count; i++) {
            if (strchr("-{", call->args[i][0]) == NULL) {
                word = base_name(call->args[i]);
                break;
            }
        }
    }
    size_t length = strcspn(word, ".");
    pbt_cli_text_init(&text);
    pbt_cli_text_made(&text, "name=", word);
    for (size_t i = 0; i < length; i++) {
        bool good =
            isalnum((unsigned char)word[i]) || strchr("._-", word[i]) != NULL;
        if (good) {
            pbt_cli_text_typed(&text, word + i, 1);
        } else {
            pbt_cli_text_made(&text, "-", word + i);
        }
    }
    pbt_cli_text_made(&text, length == 0 ? "experiment" : "", word);
    add(overrides, &text);
}

/* --- all together --------------------------------------------------------------- */

static bool has_file(const struct pbt_cli_call *call)
{
    return call->dashes > 0 && (strchr(call->args[0], '=') == NULL ||
                                access(call->args[0], F_OK) == 0);
}

static void add_text(struct overrides *overrides, const char *word, bool typed)
{
    struct pbt_cli_text text;
    pbt_cli_text_init(&text);
    pbt_cli_text_typed(&text, word, strlen(word));
    if (!typed) {
        free(text.places);
        text.places = NULL;
    }
    add(overrides, &text);
}

static void collect(struct overrides *overrides, char *const *base)
{
    const struct pbt_cli_call *call = overrides->call;
    for (; *base != NULL && overrides->status == PBT_OK; base++) {
        add_text(overrides, *base, false);
    }
    for (size_t i = 0; i < call->given_count; i++) {
        if (overrides->status == PBT_OK && call->given[i].value != NULL) {
            add_flag(overrides, &call->given[i]);
        }
    }
    for (size_t i = overrides->first; i < call->dashes; i++) {
        if (overrides->status == PBT_OK) {
            add_text(overrides, call->args[i], true);
        }
    }
    if (overrides->status == PBT_OK && call->dashes < call->count) {
        add_command(overrides);
    }
}

static int read_spec(const struct overrides *overrides, struct pbt_spec *spec)
{
    const char *file = overrides->file;
    struct pbt_buf problems;
    struct pbt_error error;
    pbt_buf_init(&problems, TEXT_MAX);
    struct pbt_typed typed = pbt_cli_typed();
    typed.places = (const char *const *const *)overrides->places;
    typed.here = overrides->here;
    int status =
        pbt_spec_read_typed(spec, file, overrides->items, overrides->count,
                            &typed, &problems, &error);
    if (status != PBT_OK) {
        (void)pbt_cli_fail_file(&error, &problems, file);
    }
    pbt_buf_done(&problems);
    return status;
}

static int read_all(struct overrides overrides, char *const *base,
                    struct pbt_spec *spec)
{
    const struct pbt_cli_call *call = overrides.call;
    size_t count = call->count + call->given_count + 3;
    for (size_t i = 0; base[i] != NULL; i++) {
        count++;
    }
    overrides.items = calloc(count, sizeof *overrides.items);
    overrides.places = calloc(count, sizeof *overrides.places);
    if (overrides.items == NULL || overrides.places == NULL) {
        free(overrides.items);
        free(overrides.places);
        return pbt_cli_error(PBT_E0971, "out of memory");
    }
    if (overrides.file == NULL) {
        add_name(&overrides);
    }
    collect(&overrides, base);
    int status = overrides.status == PBT_OK ? read_spec(&overrides, spec)
                                            : overrides.status;
    for (size_t i = 0; i < overrides.count; i++) {
        free(overrides.items[i]);
        free(overrides.places[i]);
    }
    free(overrides.items);
    free(overrides.places);
    return status;
}

int pbt_cli_read_with(const struct pbt_cli_call *call, const char *file,
                      size_t first, char *const *base, struct pbt_spec *spec)
{
    return read_all(
        (struct overrides){.call = call, .file = file, .first = first}, base,
        spec);
}

int pbt_cli_read_changed(const struct pbt_cli_call *call, const char *run,
                         size_t first, struct pbt_spec *spec)
{
    char file[PBT_RUN_PATH_SIZE + 32];
    char *none[] = {NULL};
    (void)snprintf(file, sizeof file, "%s/experiment.yaml", run);
    return read_all(
        (struct overrides){
            .call = call, .file = file, .here = true, .first = first},
        none, spec);
}

int pbt_cli_read_experiment(const struct pbt_cli_call *call,
                            struct pbt_spec *spec)
{
    char *none[] = {NULL};
    bool file = has_file(call);
    if (!file && call->dashes == call->count) {
        return pbt_cli_usage(PBT_E0605, call->verb->name, NULL,
                             "a FILE, or flags and -- COMMAND",
                             "`pbt %s` has no experiment", call->verb->name);
    }
    return pbt_cli_read_with(call, file ? call->args[0] : NULL, file ? 1 : 0,
                             none, spec);
}
