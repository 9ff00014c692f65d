/*
 * ignored.c: hyperparameters without effect (effect.h) are said to people, and noted in the
 * journal: with the result that showed it, as its data, which nothing is decided by.
 */
#include <inttypes.h>
#include <string.h>

#include "base/names.h"
#include "driver/effect.h"
#include "driver/state.h"
#include "spec/problems.h"

/* In messages; "...": there are more. */
#define NAMES_MAX 512
#define PROGRAM_MAX 60
#define TEXT_MAX ((size_t)8192)

/* "`lr`, `momentum`" */
static void put_names(const struct pbt_driver *driver,
                      const struct pbt_effect_finding *finding,
                      struct pbt_buf *out)
{
    const struct pbt_space *space = &driver->spec->settings.space;
    const char *between = "";
    for (uint32_t i = 0; i < space->count; i++) {
        if (!finding->ignored[i]) {
            continue;
        }
        if (out->length > NAMES_MAX) {
            pbt_buf_text(out, ", ...");
            return;
        }
        pbt_buf_printf(out, "%s`%s`", between, space->params[i].name);
        between = ", ";
    }
}

/* Its command, cut. */
static void put_program(const struct pbt_driver *driver, struct pbt_buf *out)
{
    char **word = driver->spec->command;
    for (; word != NULL && *word != NULL; word++) {
        if (out->length + strlen(*word) > PROGRAM_MAX && out->length > 0) {
            pbt_buf_text(out, " ...");
            return;
        }
        pbt_line_word(out, *word, NULL);
    }
}

static void say_ignored(const struct pbt_driver *driver,
                        const struct pbt_effect_finding *finding)
{
    uint64_t seed = driver->spec->settings.seed;
    char one[PBT_TRIAL_ID_SIZE];
    char other[PBT_TRIAL_ID_SIZE];
    char from[PBT_TRIAL_ID_SIZE];
    struct pbt_buf names;
    struct pbt_buf program;
    pbt_buf_init(&names, TEXT_MAX);
    pbt_buf_init(&program, TEXT_MAX);
    put_names(driver, finding, &names);
    put_program(driver, &program);
    pbt_trial_id(seed, finding->trials[0], one);
    pbt_trial_id(seed, finding->trials[1], other);
    pbt_trial_id(seed, finding->checkpoint.trial, from);
    pbt_driver_say(
        driver,
        "warning[W0309]: changing %s has no effect on what `%s` trains\n"
        "  = trials %s and %s went on from the same checkpoint (%s/"
        "checkpoint_%06" PRIu32 ") with different values, and reported "
        "the very same metrics for iterations %" PRId64 " to %" PRId64
        "; it was so after each of four checkpoints\n"
        "  = help: does reset_config hand it on, say to the optimiser's "
        "param_groups? Does the loaded optimiser bring its old value back? "
        "(pbt explain W0309)",
        pbt_buf_failed(&names) ? "?" : names.data,
        pbt_buf_failed(&program) ? "?" : program.data, one, other, from,
        finding->checkpoint.number, finding->first, finding->last);
    pbt_buf_done(&program);
    pbt_buf_done(&names);
}

/* Its worker sees it: an optimiser that goes on with another value, say. */
static void say_told(const struct pbt_driver *driver, uint32_t trial,
                     const char *name)
{
    char id[PBT_TRIAL_ID_SIZE];
    struct pbt_buf program;
    pbt_buf_init(&program, TEXT_MAX);
    put_program(driver, &program);
    pbt_trial_id(driver->spec->settings.seed, trial, id);
    pbt_driver_say(driver,
                   "warning[W0309]: changing `%s` has no effect on what `%s` "
                   "trains\n"
                   "  = the worker of trial %s says so: after reset_config and "
                   "a step its optimiser still has the value of before\n"
                   "  = help: reset_config has to hand it on, in PyTorch to "
                   "the optimiser's param_groups (pbt explain W0309)",
                   name, pbt_buf_failed(&program) ? "?" : program.data, id);
    pbt_buf_done(&program);
}

/* Names in the data of a result: an object, which is opened again for the first. */
static void put_name(struct pbt_driver *driver, bool first, const char *name)
{
    if (first) {
        driver->data.length--;
    }
    pbt_buf_text(&driver->data, first ? ",\"ignored\":[" : ",");
    pbt_buf_json_string(&driver->data, name, strlen(name));
}

/* The hyperparameter of that name, or NULL. */
static const struct pbt_param *find(const struct pbt_driver *driver,
                                    const json_t *name)
{
    const struct pbt_space *space = &driver->spec->settings.space;
    const char *text = json_string_value(name);
    for (uint32_t i = 0; text != NULL && i < space->count; i++) {
        if (strcmp(space->params[i].name, text) == 0) {
            return &space->params[i];
        }
    }
    return NULL;
}

void pbt_driver_look_for_ignored(struct pbt_driver *driver,
                                 const struct pbt_record *record)
{
    const struct pbt_param *params = driver->spec->settings.space.params;
    const struct pbt_effect_finding *finding =
        pbt_effect_finding(driver->effect);
    bool first = true;
    if (pbt_effect_feed(driver->effect, record, driver->metrics)) {
        say_ignored(driver, finding);
        for (uint32_t i = 0; i < driver->spec->settings.space.count; i++) {
            if (finding->ignored[i]) {
                put_name(driver, first, params[i].name);
                first = false;
            }
        }
    }
    for (size_t i = 0; i < json_array_size(driver->ignored); i++) {
        const struct pbt_param *told =
            find(driver, json_array_get(driver->ignored, i));
        if (told != NULL &&
            pbt_effect_note(driver->effect, (uint32_t)(told - params))) {
            say_told(driver, record->trial, told->name);
            put_name(driver, first, told->name);
            first = false;
        }
    }
    if (!first) {
        pbt_buf_text(&driver->data, "]}");
    }
}

void pbt_driver_replay_ignored(struct pbt_driver *driver,
                               const struct pbt_entry *entry)
{
    const json_t *found = json_object_get(entry->data_json, "ignored");
    (void)pbt_effect_feed(driver->effect, &entry->record,
                          json_object_get(entry->data_json, "metrics"));
    for (size_t i = 0; i < json_array_size(found); i++) {
        const struct pbt_param *known = find(driver, json_array_get(found, i));
        if (known != NULL) {
            (void)pbt_effect_note(
                driver->effect,
                (uint32_t)(known - driver->spec->settings.space.params));
        }
    }
}
