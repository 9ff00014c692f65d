/*
 * pbt init: an experiment file for a program that is there already.
 *
 * What the user doesn't say is guessed, as flags that he might have given, and marked in the
 * file.  The comments are the schema's own lines.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/placeholder.h"
#include "cli/experiment.h"
#include "cli/results.h"
#include "spec/schema.h"

#define NAMES_MAX 16
#define FLAGS_MAX 64
#define FLAG_SIZE 512
#define FILE_MAX ((size_t)1 << 20)

/* Keys that are shown with their defaults, commented out, if they are not given. */
static const enum pbt_key_id shown[] = {
    PBT_KEY_TRAINABLE,     PBT_KEY_STOP_ALL,      PBT_KEY_TIME_BUDGET,
    PBT_KEY_QUANTILE,      PBT_KEY_RESAMPLE,      PBT_KEY_FACTORS,
    PBT_KEY_RESOURCES_CPU, PBT_KEY_PER_TRIAL_CPU, PBT_KEY_PER_TRIAL_GPU,
    PBT_KEY_FREQUENCY,     PBT_KEY_NUM_TO_KEEP,   PBT_KEY_MAX_FAILURES,
    PBT_KEY_TIMEOUT_STEP,  PBT_KEY_SEED};

/* Of these pbt init makes something up. */
static const struct {
    enum pbt_key_id key;
    const char *flag;
    const char *other; /* a flag that stands for it as well */
    const char *value;
} guesses[] = {
    {PBT_KEY_NUM_SAMPLES, "num-samples", NULL, "8"},
    {PBT_KEY_METRIC, "metric", NULL, "score"},
    {PBT_KEY_MODE, "mode", NULL, "max"},
    {PBT_KEY_STOP, "stop", "stop-all", "training_iteration=100"},
    {PBT_KEY_INTERVAL, "interval", NULL, "5"},
    {PBT_KEY_CONFIG, "param", "mutate", NULL},
    {PBT_KEY_MUTATIONS, "mutate", "param", NULL},
};
#define GUESSES (sizeof guesses / sizeof *guesses)
#define SAMPLE_RANGE "loguniform:0.0001:0.1"

struct draft {
    const struct pbt_cli_call *call; /* as the user typed it */
    struct pbt_cli_call filled;      /* with the guesses before it */
    struct pbt_cli_given flags[FLAGS_MAX];
    char texts[FLAGS_MAX][FLAG_SIZE];
    size_t count;
    bool no_client;
    bool full;
};

/* --- guessing ----------------------------------------------------------------- */

static const struct pbt_cli_option *option_of(const struct draft *draft,
                                              const char *name)
{
    const struct pbt_cli_option *option = draft->call->verb->options;
    while (option->name != NULL && strcmp(option->name, name) != 0) {
        option++;
    }
    return option;
}

static void add_flag(struct draft *draft, const char *flag, const char *name,
                     const char *value)
{
    if (draft->count == FLAGS_MAX) {
        draft->full = true;
        return;
    }
    char *text = draft->texts[draft->count];
    int length = snprintf(text, FLAG_SIZE, "%s%s%s", name,
                          name[0] != '\0' ? "=" : "", value);
    draft->full = draft->full || length < 0 || length >= FLAG_SIZE;
    draft->flags[draft->count++] =
        (struct pbt_cli_given){option_of(draft, flag), text};
}

/* True if --param or --mutate has this name. */
static bool is_named(const struct draft *draft, const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < draft->call->given_count; i++) {
        const struct pbt_cli_given *given = &draft->call->given[i];
        bool names = strcmp(given->option->name, "param") == 0 ||
                     strcmp(given->option->name, "mutate") == 0;
        if (names && strncmp(given->value, name, length) == 0 &&
            given->value[length] == '=') {
            return true;
        }
    }
    return false;
}

static bool any_name(const void *user, const char *name, size_t length)
{
    (void)user;
    (void)name;
    return length > 0;
}

/* Each placeholder that is none of ours is a hyperparameter. */
static void guess_params(struct draft *draft)
{
    const struct pbt_cli_call *call = draft->call;
    for (size_t i = call->dashes; i < call->count; i++) {
        struct pbt_piece piece;
        size_t at = 0;
        size_t length = strlen(call->args[i]);
        while (pbt_next_piece(call->args[i], length, &at, any_name, NULL,
                              &piece)) {
            char name[FLAG_SIZE / 2];
            if (piece.kind != PBT_PIECE_NAME || piece.length >= sizeof name) {
                continue;
            }
            draft->no_client = true;
            memcpy(name, piece.text, piece.length);
            name[piece.length] = '\0';
            if (pbt_placeholder_find(name, piece.length) ==
                    PBT_PLACEHOLDER_COUNT &&
                !is_named(draft, name)) {
                add_flag(draft, "param", name, SAMPLE_RANGE);
                add_flag(draft, "mutate", name, SAMPLE_RANGE);
            }
        }
    }
}

/* Where a value is drawn from is where it may go. */
static void mutate_params(struct draft *draft)
{
    const struct pbt_cli_call *call = draft->call;
    for (size_t i = 0; i < call->given_count; i++) {
        const struct pbt_cli_given *given = &call->given[i];
        const char *equals =
            given->value == NULL ? NULL : strchr(given->value, '=');
        if (strcmp(given->option->name, "param") == 0 && equals != NULL &&
            strpbrk(equals, ":,") != NULL) {
            add_flag(draft, "mutate", "", given->value);
        }
    }
}

/* Shells, their scripts, and make speak no protocol. */
static bool speaks_nothing(const struct pbt_cli_call *call)
{
    const char *word = call->args[call->dashes];
    const char *slash = strrchr(word, '/');
    const char *name = slash != NULL ? slash + 1 : word;
    const char *dot = strrchr(name, '.');
    return pbt_cli_is_shell(dot != NULL ? dot + 1 : name) ||
           strcmp(name, "make") == 0;
}

static void guess(struct draft *draft)
{
    const struct pbt_cli_call *call = draft->call;
    draft->no_client = speaks_nothing(call);
    for (size_t i = 0; i < GUESSES; i++) {
        if (guesses[i].value != NULL && !pbt_cli_given(call, guesses[i].flag) &&
            (guesses[i].other == NULL ||
             !pbt_cli_given(call, guesses[i].other))) {
            add_flag(draft, guesses[i].flag, "", guesses[i].value);
        }
    }
    guess_params(draft);
    if (!pbt_cli_given(call, "mutate")) {
        mutate_params(draft);
    }
    bool named = pbt_cli_given(call, "param") || pbt_cli_given(call, "mutate");
    for (size_t i = 0; i < draft->count; i++) {
        named = named || strcmp(draft->flags[i].option->name, "param") == 0;
    }
    if (!named) {
        add_flag(draft, "param", "lr", SAMPLE_RANGE);
        add_flag(draft, "mutate", "lr", SAMPLE_RANGE);
    }
    for (size_t i = 0; i < call->given_count; i++) {
        if (draft->count < FLAGS_MAX) {
            draft->flags[draft->count++] = call->given[i];
        } else {
            draft->full = true;
        }
    }
    draft->filled = *call;
    draft->filled.given = draft->flags;
    draft->filled.given_count = draft->count;
}

/* --- writing ------------------------------------------------------------------ */

static bool is_guess(const struct draft *draft, int key)
{
    for (size_t i = 0; i < GUESSES; i++) {
        if ((int)guesses[i].key == key) {
            return !pbt_cli_given(draft->call, guesses[i].flag) &&
                   (guesses[i].other == NULL ||
                    !pbt_cli_given(draft->call, guesses[i].other));
        }
    }
    return key == PBT_KEY_TRAINABLE;
}

static bool is_shown(int key)
{
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        if ((int)shown[i] == key) {
            return true;
        }
    }
    return false;
}

static bool is_set(const struct pbt_spec *spec, int key)
{
    return spec->origins[key].line > 0;
}

/* The key that the section of this one ends before. */
static int section_end(int section)
{
    size_t length = strlen(pbt_keys[section].path);
    int key = section + 1;
    while (key < PBT_KEY_COUNT &&
           strncmp(pbt_keys[key].path, pbt_keys[section].path, length) == 0 &&
           pbt_keys[key].path[length] == '.') {
        key++;
    }
    return key;
}

/* Whether a section has something in it that is given. */
static bool is_open(const struct pbt_spec *spec, int section)
{
    bool open = false;
    for (int key = section + 1; key < section_end(section); key++) {
        open = open || is_set(spec, key);
    }
    return open;
}

/* As in a file: what it is if nothing is said. */
static const char *fallback_of(const struct pbt_key *key)
{
    return key->fallback != NULL        ? key->fallback
           : key->type == PBT_TYPE_SEED ? "1"
                                        : "{}";
}

/* A key, with its comment; if it isn't given the key is a comment, too. */
static void put_key(const struct draft *draft, const struct pbt_spec *spec,
                    int id, const char *indent, struct pbt_buf *out)
{
    const struct pbt_key *key = &pbt_keys[id];
    bool set = is_set(spec, id);
    if (!set && !is_shown(id)) {
        return;
    }
    pbt_buf_printf(out, "%s# %s%s\n%s%s%s:", indent, key->doc,
                   set && is_guess(draft, id) ? "  <- a guess: look at it" : "",
                   indent, set ? "" : "# ", pbt_key_name(key));
    if (set) {
        pbt_spec_write_key(spec, id, out);
    } else {
        pbt_buf_printf(out, " %s\n", fallback_of(key));
    }
}

/* A section of which nothing is given: "# failure: {max_failures: 0}" */
static void put_closed(int section, int end, struct pbt_buf *out)
{
    const char *between = "";
    pbt_buf_printf(out, "# %s: {", pbt_keys[section].path);
    for (int key = section + 1; key < end; key++) {
        if (is_shown(key)) {
            pbt_buf_printf(out, "%s%s: %s", between,
                           pbt_key_name(&pbt_keys[key]),
                           fallback_of(&pbt_keys[key]));
            between = ", ";
        }
    }
    pbt_buf_text(out, "}\n");
}

static int put_section(const struct draft *draft, const struct pbt_spec *spec,
                       int section, struct pbt_buf *out)
{
    int end = section_end(section);
    pbt_buf_printf(out, "# %s\n", pbt_keys[section].doc);
    if (!is_open(spec, section)) {
        put_closed(section, end, out);
        return end;
    }
    pbt_buf_printf(out, "%s:\n", pbt_keys[section].path);
    for (int key = section + 1; key < end; key++) {
        put_key(draft, spec, key, "  ", out);
    }
    return end;
}

static bool has_shown(const struct pbt_spec *spec, int section)
{
    bool any = is_open(spec, section);
    for (int key = section + 1; key < section_end(section); key++) {
        any = any || is_shown(key);
    }
    return any;
}

static void put_file(const struct draft *draft, const struct pbt_spec *spec,
                     struct pbt_buf *out)
{
    pbt_buf_text(out, "# An experiment of pbt.  What it would do: pbt check "
                      "FILE; run it: pbt run FILE.\n"
                      "# Every key, also those that are not here: "
                      "pbt check --all FILE, and docs/experiment-file.md.\n");
    for (int key = 0; key < PBT_KEY_COUNT;) {
        bool section = pbt_keys[key].type == PBT_TYPE_SECTION;
        if (section ? has_shown(spec, key)
                    : is_set(spec, key) || is_shown(key)) {
            pbt_buf_char(out, '\n');
        } else {
            key = section ? section_end(key) : key + 1;
            continue;
        }
        if (section) {
            key = put_section(draft, spec, key, out);
        } else {
            put_key(draft, spec, key++, "", out);
        }
    }
}

/* The user's own words, where they mean the same beside the file. */
static int put_draft(struct draft *draft, struct pbt_spec *spec,
                     const char *path, struct pbt_buf *out)
{
    const struct pbt_cli_call *call = draft->call;
    size_t words = call->count - call->dashes;
    char **made = spec->command;
    char **typed = calloc(words + 1, sizeof *typed);
    if (typed == NULL) {
        return pbt_cli_error(PBT_E0971, "out of memory");
    }
    memcpy(typed, call->args + call->dashes, words * sizeof *typed);
    if (strchr(path, '/') == NULL) {
        spec->command = typed;
    }
    put_file(draft, spec, out);
    spec->command = made;
    free(typed);
    return pbt_buf_failed(out) ? pbt_cli_error(PBT_E0971, "out of memory")
                               : PBT_OK;
}

static int write_file(const char *path, const struct pbt_buf *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        int cause = errno;
        return pbt_cli_error(PBT_E0712, "can't make %s: %s", path,
                             cause == EEXIST ? "it is there already"
                                             : strerror(cause));
    }
    size_t done = 0;
    while (done < text->length) {
        ssize_t wrote = write(fd, text->data + done, text->length - done);
        if (wrote < 0 && errno != EINTR) {
            break;
        }
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    int cause = errno;
    if (close(fd) != 0 || done < text->length) {
        (void)unlink(path); /* half a file would be taken for one */
        return pbt_cli_error(PBT_E0974, "can't write %s: %s", path,
                             strerror(cause));
    }
    return PBT_OK;
}

/* --- the verb ------------------------------------------------------------------- */

static void say(const struct draft *draft, const struct pbt_spec *spec,
                const char *path)
{
    (void)fprintf(stderr, "%s written.  The program is taken for %s.\n", path,
                  draft->no_client
                      ? "one that is run anew for each stretch of training "
                        "(trainable: command, see docs/command.md)"
                      : "one that speaks pbt's protocol (if it does not: "
                        "trainable: command, see docs/command.md)");
    int problem = pbt_cli_program_problem(spec, spec->command[0]);
    if (problem != 0) {
        (void)fprintf(stderr, "It can't be run yet: %s.\n", strerror(problem));
    }
    (void)fprintf(stderr,
                  "Look at what is marked as a guess, then: pbt check %s\n",
                  path);
}

static int init(struct draft *draft, const char *file, size_t first)
{
    char path[PATH_MAX];
    char *no_client[] = {"trainable=command", "checkpoint.at_end=true", NULL};
    struct pbt_spec spec;
    struct pbt_buf out;
    guess(draft);
    if (draft->full) {
        return pbt_cli_error(PBT_E0902, "too many or too long flags");
    }
    int status =
        pbt_cli_read_with(&draft->filled, NULL, first,
                          draft->no_client ? no_client : no_client + 1, &spec);
    if (status != PBT_OK) {
        return status;
    }
    (void)snprintf(path, sizeof path, "%s%s", file != NULL ? file : spec.name,
                   file != NULL ? "" : ".yaml");
    draft->no_client = spec.no_client; /* trainable=... may say otherwise */
    pbt_buf_init(&out, FILE_MAX);
    status = put_draft(draft, &spec, path, &out);
    if (status == PBT_OK && strcmp(path, "-") == 0) {
        pbt_cli_put(&out, false);
    } else if (status == PBT_OK) {
        status = write_file(path, &out);
        if (status == PBT_OK) {
            say(draft, &spec, path);
        }
    }
    pbt_buf_done(&out);
    pbt_spec_done(&spec);
    return status;
}

int pbt_cli_init(const struct pbt_cli_call *call)
{
    struct draft *draft = calloc(1, sizeof *draft);
    bool file = call->dashes > 0 && strchr(call->args[0], '=') == NULL;
    if (draft == NULL) {
        return pbt_cli_error(PBT_E0971, "out of memory");
    }
    draft->call = call;
    int status = call->dashes < call->count
                     ? init(draft, file ? call->args[0] : NULL, file ? 1 : 0)
                     : pbt_cli_usage(PBT_E0605, "init", NULL, "-- COMMAND",
                                     "`pbt init` has no command");
    free(draft);
    return status;
}
