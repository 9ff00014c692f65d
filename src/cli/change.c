/*
 * change.c: pbt resume RUN key=value ...: in what the run would be another experiment, and with
 * --change the change.
 */
#include "cli/change.h"

#include <stdio.h>
#include <string.h>

#include "base/secrets.h"
#include "cli/experiment.h"
#include "run/run.h"
#include "spec/schema.h"
#include "spec/yaml.h"

#define LIST_MAX ((size_t)16 << 20)

struct change {
    const struct pbt_cli_call *call;
    const char *run;
    const char *shown; /* the run as the user calls it */
    struct pbt_spec from;
    struct pbt_spec to;
    struct pbt_buf list; /* what is shown, in lines */
    size_t count;        /* of what stands there */
};

/* --- the list --------------------------------------------------------------- */

/* Lines of `text` that `other` doesn't have. */
static void put_lines(struct pbt_buf *out, const char *text, const char *other,
                      char sign)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        bool common = false;
        for (const char *line = other; *line != '\0' && !common;) {
            size_t there = strcspn(line, "\n");
            common = there == length && memcmp(line, text, length) == 0;
            line += there + (line[there] == '\n');
        }
        if (!common && length > 0) {
            pbt_buf_printf(out, "    %c ", sign);
            pbt_buf_put(out, text, length);
            pbt_buf_char(out, '\n');
        }
        text += length + (text[length] == '\n');
    }
}

/* `env`, without what is secret. */
static void put_env(char *const *env, struct pbt_buf *out)
{
    pbt_buf_char(out, '{');
    for (size_t i = 0; env != NULL && env[i] != NULL; i++) {
        size_t name = strcspn(env[i], "=");
        const char *value = env[i] + name + (env[i][name] == '=');
        pbt_buf_text(out, i > 0 ? ", " : "");
        pbt_buf_put(out, env[i], name);
        pbt_buf_text(out, ": ");
        if (pbt_secret_name(env[i], name)) {
            pbt_buf_text(out, "(not shown)");
        } else {
            pbt_yaml_quoted(out, value, strlen(value));
        }
    }
    pbt_buf_char(out, '}');
}

static void put_value(const struct pbt_spec *spec, int key, struct pbt_buf *out)
{
    pbt_buf_init(out, LIST_MAX);
    if (key == PBT_KEY_ENV) {
        put_env(spec->env, out);
        return;
    }
    pbt_spec_write_key(spec, key, out);
    if (out->length > 0 && out->data[0] == ' ') { /* of one line */
        memmove(out->data, out->data + 1, out->length--);
        out->length -= out->data[out->length - 1] == '\n';
        out->data[out->length] = '\0';
    }
}

/* "  num_samples: 4 -> 8", and why not */
static void put_difference(struct change *change, int key, const char *why)
{
    struct pbt_buf *list = &change->list;
    struct pbt_buf was;
    struct pbt_buf now;
    put_value(&change->from, key, &was);
    put_value(&change->to, key, &now);
    pbt_buf_printf(list, "  %s:", pbt_keys[key].path);
    if (pbt_buf_failed(&was) || pbt_buf_failed(&now)) {
        list->failed = true;
    } else if (strchr(was.data, '\n') == NULL &&
               strchr(now.data, '\n') == NULL) {
        pbt_buf_printf(list, " %s -> %s\n", was.data, now.data);
    } else {
        pbt_buf_char(list, '\n');
        put_lines(list, was.data, now.data, '-');
        put_lines(list, now.data, was.data, '+');
    }
    if (why[0] != '\0') {
        pbt_buf_printf(list, "    %s\n", why);
    }
    change->count++;
    pbt_buf_done(&was);
    pbt_buf_done(&now);
}

static bool differs(const struct change *change, int key)
{
    return pbt_key_is_kept(&pbt_keys[key]) &&
           pbt_keys[key].type != PBT_TYPE_SECTION &&
           !pbt_run_same_key(&change->from, &change->to, key);
}

static void list_all(struct change *change)
{
    for (int key = 0; key < PBT_KEY_COUNT; key++) {
        if (differs(change, key)) {
            put_difference(change, key, "");
        }
    }
}

static void list_refused(struct change *change, const struct pbt_core *core)
{
    char why[PBT_CHANGE_WHY_SIZE];
    for (int key = 0; key < PBT_KEY_COUNT; key++) {
        if (differs(change, key) &&
            !pbt_run_may_change(&change->from, &change->to, core, key, why,
                                sizeof why)) {
            put_difference(change, key, why);
        }
    }
}

/* Returns the status. */
static int show_refused(struct change *change, enum pbt_code code,
                        const char *what, const char *help)
{
    int status = pbt_cli_error(code, "%s: %s", change->shown, what);
    pbt_buf_printf(&change->list, "  = help: %s\n", help);
    pbt_cli_put(&change->list, true);
    return status;
}

/* --- the change --------------------------------------------------------------- */

static void say(void *user, const char *text)
{
    (void)user;
    pbt_cli_say(text);
}

/* Nothing is taken over with which the run could not go on here. */
static int check(struct change *change)
{
    /* The program that has them may be the one to go on; we change its run all the same. */
    change->to.functions_elsewhere = true;
    int status = pbt_cli_finish(&change->to);
    if (status == PBT_OK) {
        status = pbt_cli_check_machine(&change->to);
    }
    return status == PBT_OK ? pbt_cli_check_programs(&change->to) : status;
}

static int refuse(struct change *change)
{
    struct pbt_core *core;
    struct pbt_error error;
    int status = pbt_run_fold(change->run, &change->from, &core, &error);
    if (status != PBT_OK) {
        return pbt_cli_fail(&error);
    }
    list_refused(change, core);
    pbt_core_destroy(core);
    return change->count == 0
               ? PBT_OK
               : show_refused(change, PBT_E0817, "this can't change any more",
                              "pbt run starts another experiment");
}

static int carry_out(struct change *change)
{
    struct pbt_error error;
    int status = refuse(change);
    if (status == PBT_OK) {
        status = check(change);
    }
    if (status != PBT_OK) {
        return status;
    }
    pbt_cli_put(&change->to.warnings, true);
    list_all(change);
    status = pbt_run_change(change->run, &change->from, &change->to, say, NULL,
                            &error);
    if (status != PBT_OK) {
        return pbt_cli_fail(&error);
    }
    (void)fprintf(stderr, "note: %s is changed:\n", change->shown);
    pbt_cli_put(&change->list, true);
    return PBT_OK;
}

static int compare(struct change *change, bool *changed)
{
    for (int key = 0; key < PBT_KEY_COUNT; key++) {
        *changed = *changed || differs(change, key);
    }
    if (!*changed) {
        return PBT_OK;
    }
    if (pbt_cli_given(change->call, "change")) {
        return carry_out(change);
    }
    list_all(change);
    return show_refused(change, PBT_E0816, "this is another experiment",
                        "the same with --change changes the run; pbt run "
                        "starts another one");
}

int pbt_cli_change(const struct pbt_cli_call *call, const char *run,
                   const char *shown, size_t first, bool *changed)
{
    struct pbt_error error;
    struct change change = {.call = call, .run = run, .shown = shown};
    *changed = false;
    int status = pbt_run_read_spec(run, &change.from, &error);
    if (status != PBT_OK) {
        return pbt_cli_fail(&error);
    }
    status = pbt_cli_read_changed(call, run, first, &change.to);
    if (status == PBT_OK) {
        pbt_buf_init(&change.list, LIST_MAX);
        status = compare(&change, changed);
        pbt_buf_done(&change.list);
        pbt_spec_done(&change.to);
    }
    pbt_spec_done(&change.from);
    return status;
}
