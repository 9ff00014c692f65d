/*
 * lost.c: checkpoints that are lost or damaged: how they are found as a run is opened, and
 * what is said of one.  What follows from it the core decides (src/core/restart.c).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "driver/state.h"

#define AFFECTED_MAX 6 /* trials that a message names */

/* What the loss means for a trial that stood on the checkpoint. */
static void put_affected(struct pbt_driver *driver, uint32_t number,
                         struct pbt_buf *text)
{
    struct pbt_core_trial trial = pbt_core_trial(driver->core, number);
    enum pbt_command_kind owed = pbt_core_owed(driver->core, number).kind;
    char id[PBT_TRIAL_ID_SIZE];
    char where[PBT_TRIAL_ID_SIZE + PBT_CHECKPOINT_NAME_SIZE + 8] = "";
    pbt_trial_id(driver->spec->settings.seed, number, id);
    if (trial.restart.number > 0) {
        char owner[PBT_TRIAL_ID_SIZE];
        char name[PBT_CHECKPOINT_NAME_SIZE];
        pbt_trial_id(driver->spec->settings.seed, trial.restart.trial, owner);
        pbt_checkpoint_name(trial.restart.number, name);
        (void)snprintf(where, sizeof where, " (%s/%s)", owner, name);
    }
    if (trial.state == PBT_CORE_TERMINATED || trial.state == PBT_CORE_ERROR) {
        pbt_buf_printf(text,
                       "\n  = trial %s is finished: its last weights "
                       "were there",
                       id);
        return;
    }
    bool trains = trial.has_process && owed != PBT_COMMAND_START &&
                  owed != PBT_COMMAND_LOAD;
    pbt_buf_printf(text, "\n  = trial %s %s iteration %" PRId64 "%s", id,
                   trains ? "trains on; a failure would take it back to"
                          : "goes back to",
                   trial.restart_iteration, where);
}

/* Said before the record of what follows: the trials that stand on it now. */
static void say_lost(struct pbt_driver *driver, struct pbt_checkpoint_id lost,
                     const char *why, const bool *stands)
{
    struct pbt_buf text;
    char id[PBT_TRIAL_ID_SIZE];
    char name[PBT_CHECKPOINT_NAME_SIZE];
    uint32_t affected = 0;
    pbt_trial_id(driver->spec->settings.seed, lost.trial, id);
    pbt_checkpoint_name(lost.number, name);
    pbt_buf_init(&text, PBT_ERROR_TEXT_MAX);
    for (uint32_t i = 0; i < driver->spec->settings.population; i++) {
        if (stands[i] && affected++ < AFFECTED_MAX) {
            put_affected(driver, i, &text);
        }
    }
    if (affected > AFFECTED_MAX) {
        pbt_buf_printf(&text, "\n  = and %" PRIu32 " more trials",
                       affected - AFFECTED_MAX);
    } else if (affected == 0) {
        pbt_buf_text(&text, "\n  = no trial would have gone back to it");
    }
    pbt_driver_say(driver, "warning[W0303]: checkpoint %s/%s is lost: %s%s", id,
                   name, why, text.length == 0 ? "" : text.data);
    pbt_buf_done(&text);
}

int pbt_driver_lost(struct pbt_driver *driver, const struct pbt_input *input,
                    struct pbt_error *error)
{
    struct pbt_checkpoint_id lost = input->checkpoint;
    struct pbt_event event = {.kind = PBT_EVENT_BAD,
                              .trial = lost.trial,
                              .checkpoint = lost,
                              .time = pbt_driver_clock(driver)};
    struct pbt_core_checkpoint about;
    const char *why = input->text == NULL ? "damaged" : input->text;
    uint32_t population = driver->spec->settings.population;
    if (!pbt_core_checkpoint(driver->core, lost, &about)) {
        return PBT_OK; /* known already, or given up meanwhile */
    }
    bool *stands = calloc(population, sizeof *stands);
    if (stands == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    for (uint32_t i = 0; i < population; i++) {
        struct pbt_checkpoint_id restart =
            pbt_core_trial(driver->core, i).restart;
        stands[i] =
            restart.trial == lost.trial && restart.number == lost.number;
    }
    pbt_buf_reset(&driver->data);
    pbt_buf_text(&driver->data, "{\"text\":");
    pbt_buf_json_string(&driver->data, why, strlen(why));
    pbt_buf_char(&driver->data, '}');
    int status = pbt_driver_event(driver, &event, error);
    if (status == PBT_OK) {
        say_lost(driver, lost, why, stands);
    }
    free(stands);
    return status;
}

/* --- at open ---------------------------------------------------------------- */

/* A checkpoint that is found lost as the run is opened, and how. */
struct lost {
    struct pbt_checkpoint_id checkpoint;
    char *why;
};

struct lost_list {
    struct lost *items;
    size_t count;
    size_t capacity;
};

/* Whether a checkpoint is lost; a failure if that can't be told. */
static int check_checkpoint(struct pbt_driver *driver,
                            const struct pbt_core_checkpoint *checkpoint,
                            struct lost_list *lost, struct pbt_error *error)
{
    struct pbt_error why = {.status = PBT_OK};
    int status = driver->options.checkpoint_check(
        driver->options.checkpoint_user, checkpoint->id, !checkpoint->durable,
        &why);
    if (status == PBT_OK) {
        return checkpoint->durable
                   ? PBT_OK
                   : pbt_driver_add_fresh(driver, checkpoint->id, error);
    }
    if (status != PBT_EDATA && status != PBT_EIO) {
        return pbt_error_set(error, status, "%s", why.text);
    }
    void *items = lost->items;
    if (!pbt_driver_grow(&items, lost->count, &lost->capacity,
                         sizeof *lost->items)) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    lost->items = items;
    lost->items[lost->count++] =
        (struct lost){checkpoint->id, strdup(why.text)};
    return lost->items[lost->count - 1].why == NULL
               ? pbt_error_set(error, PBT_ENOMEM, "out of memory")
               : PBT_OK;
}

/*
 * Before anything is decided: checkpoints that were never made durable are verified (the
 * good ones go with the next sync), the others have to be there (rule 17; what is in them
 * is looked at before a load).
 */
int pbt_driver_verify_checkpoints(struct pbt_driver *driver,
                                  struct pbt_error *error)
{
    struct lost_list lost = {NULL, 0, 0};
    struct pbt_core_checkpoint checkpoint;
    int status = PBT_OK;
    uint32_t population = driver->options.checkpoint_check == NULL
                              ? 0
                              : driver->spec->settings.population;
    for (uint32_t i = 0; i < population; i++) {
        for (uint32_t c = 0;
             status == PBT_OK &&
             pbt_core_checkpoint_at(driver->core, i, c, &checkpoint);
             c++) {
            status = check_checkpoint(driver, &checkpoint, &lost, error);
        }
    }
    for (size_t i = 0; i < lost.count; i++) {
        struct pbt_input input = {.kind = PBT_INPUT_BAD,
                                  .trial = lost.items[i].checkpoint.trial,
                                  .checkpoint = lost.items[i].checkpoint,
                                  .text = lost.items[i].why};
        if (status == PBT_OK) {
            status = pbt_driver_lost(driver, &input, error);
        }
        free(lost.items[i].why);
    }
    free(lost.items);
    return status;
}
