/*
 * room.c: saves that wait, for others or for room on the disk (exec/local_room.c): their time-out
 * does not run, people are told, and whoever waits for the run's end does not wait for room.
 */
#include <inttypes.h>

#include "base/names.h"
#include "driver/state.h"

/* Where each save waits a little, it is not said each time. */
#define SAY_EVERY_NS UINT64_C(60000000000)

/* There is none, and the run is to end: the trial goes back to where it has saved before. */
static int give_up(struct pbt_driver *driver, uint32_t trial,
                   struct pbt_error *error)
{
    char id[PBT_TRIAL_ID_SIZE];
    struct pbt_core_trial about = pbt_core_trial(driver->core, trial);
    pbt_trial_id(driver->spec->settings.seed, trial, id);
    pbt_driver_say(driver,
                   "warning[W0307]: trial %s can't be saved at iteration "
                   "%" PRId64 ": there is no room on the disk\n"
                   "  = it will go on from iteration %" PRId64,
                   id, about.iteration, about.restart_iteration);
    return pbt_driver_kill(driver, trial,
                           "no room on the disk for its checkpoint, and the "
                           "run is to end",
                           error);
}

void pbt_driver_end_waiting(struct pbt_driver *driver, uint32_t trial)
{
    struct pbt_drive *drive = &driver->drives[trial];
    if (!drive->no_room) {
        return;
    }
    drive->no_room = false;
    driver->no_room--;
    if (driver->no_room == 0 && driver->said_room && !driver->stopping) {
        pbt_driver_say(driver, "no save waits for room on the disk any more");
        driver->said_room = false;
    }
}

static void say_no_room(struct pbt_driver *driver, const char *text)
{
    uint64_t now = driver->world->ops->now(driver->world);
    if (driver->said_room || now < driver->say_room_from) {
        return;
    }
    driver->said_room = true;
    driver->say_room_from = now + SAY_EVERY_NS;
    pbt_driver_say(driver,
                   "warning[W0307]: no room for checkpoints: %s\n"
                   "  = trials wait where they would save, and go on when "
                   "there is room",
                   text);
}

static int begin_waiting(struct pbt_driver *driver,
                         const struct pbt_input *input, struct pbt_error *error)
{
    struct pbt_drive *drive = &driver->drives[input->trial];
    drive->deadline = PBT_NEVER;
    if (input->text == NULL || drive->no_room) {
        return PBT_OK;
    }
    drive->no_room = true;
    driver->no_room++;
    if (driver->stopping) {
        return give_up(driver, input->trial, error);
    }
    say_no_room(driver, input->text);
    return PBT_OK;
}

int pbt_driver_waiting(struct pbt_driver *driver, const struct pbt_input *input,
                       struct pbt_error *error)
{
    struct pbt_drive *drive = &driver->drives[input->trial];
    if (drive->why != NULL || drive->sent.kind != PBT_COMMAND_SAVE ||
        drive->sent.epoch != input->epoch) {
        return PBT_OK; /* it is on its way out */
    }
    if (input->waits) {
        return begin_waiting(driver, input, error);
    }
    pbt_driver_end_waiting(driver, input->trial);
    pbt_driver_set_deadline(driver, drive, PBT_COMMAND_SAVE);
    return PBT_OK;
}

int pbt_driver_stop_waiting(struct pbt_driver *driver, struct pbt_error *error)
{
    int status = PBT_OK;
    driver->stopping = true;
    for (uint32_t i = 0;
         i < driver->spec->settings.population && status == PBT_OK; i++) {
        if (driver->drives[i].no_room) {
            status = give_up(driver, i, error);
        }
    }
    return status;
}

void pbt_driver_say_spoilt(struct pbt_driver *driver, uint32_t trial,
                           const char *why)
{
    struct pbt_buf brief;
    char id[PBT_TRIAL_ID_SIZE];
    pbt_buf_init(&brief, PBT_BRIEF_MAX);
    pbt_driver_put_brief(&brief, why);
    pbt_trial_id(driver->spec->settings.seed, trial, id);
    pbt_driver_say(driver,
                   "warning[W0307]: trial %s found no room for its checkpoint: "
                   "%s\n"
                   "  = it goes on from iteration %" PRId64
                   ", and its next save waits for room",
                   id, pbt_buf_failed(&brief) ? "?" : brief.data,
                   pbt_core_trial(driver->core, trial).restart_iteration);
    pbt_buf_done(&brief);
}
