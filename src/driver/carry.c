/*
 * carry.c: carrying out: commands on difference, acknowledgements, syncs, unlinks,
 * time-outs.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "driver/state.h"

/* What a worker has for its cleanup before it is killed. */
#define STOP_GRACE_S 10.0
/* How long records may be unsynced if nothing else asks for a sync. */
#define SYNC_EVERY_NS UINT64_C(3000000000)

bool pbt_driver_grow(void **items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity) {
        return true;
    }
    size_t wanted = *capacity == 0 ? 16 : 2 * *capacity;
    void *grown = realloc(*items, wanted * size);
    if (grown == NULL) {
        return false;
    }
    *items = grown;
    *capacity = wanted;
    return true;
}

static int out_of_memory(struct pbt_error *error)
{
    return pbt_error_set(error, PBT_ENOMEM, "out of memory");
}

int pbt_driver_add_fresh(struct pbt_driver *driver,
                         struct pbt_checkpoint_id checkpoint,
                         struct pbt_error *error)
{
    void *items = driver->fresh;
    if (!pbt_driver_grow(&items, driver->fresh_count, &driver->fresh_capacity,
                         sizeof *driver->fresh)) {
        return out_of_memory(error);
    }
    driver->fresh = items;
    driver->fresh[driver->fresh_count++] = checkpoint;
    return PBT_OK;
}

static int add_unlink(struct pbt_driver *driver,
                      const struct pbt_record *record, struct pbt_error *error)
{
    void *items = driver->unlinks;
    if (!pbt_driver_grow(&items, driver->unlink_count, &driver->unlink_capacity,
                         sizeof *driver->unlinks)) {
        return out_of_memory(error);
    }
    driver->unlinks = items;
    driver->unlinks[driver->unlink_count++] =
        (struct pbt_unlink){record->checkpoint, record->number};
    return PBT_OK;
}

static void say_pass(const struct pbt_driver *driver,
                     const struct pbt_record *record)
{
    if (record->pass == PBT_PASS_EXPLORE_FAILED ||
        record->pass == PBT_PASS_GAP) {
        return; /* said with its cause when the answer came; or as wanted */
    }
    char id[PBT_TRIAL_ID_SIZE];
    pbt_trial_id(driver->spec->settings.seed, record->trial, id);
    pbt_driver_say(driver,
                   "no exploit for trial %s at iteration %" PRId64 ": %s", id,
                   record->iteration, pbt_pass_name(record->pass));
}

static void say_undo(const struct pbt_driver *driver,
                     const struct pbt_record *record)
{
    char id[PBT_TRIAL_ID_SIZE];
    pbt_trial_id(driver->spec->settings.seed, record->trial, id);
    pbt_driver_say(driver,
                   "warning[W0305]: trial %s is back at iteration %" PRId64
                   ", before what it had taken over\n"
                   "  = the checkpoints that it stood on are lost, so its last "
                   "exploit is undone, and its configuration is the former one",
                   id, record->iteration);
}

static void say_replacement(const struct pbt_driver *driver,
                            const struct pbt_record *record)
{
    uint64_t seed = driver->spec->settings.seed;
    char id[PBT_TRIAL_ID_SIZE];
    char donor[PBT_TRIAL_ID_SIZE];
    pbt_trial_id(seed, record->trial, id);
    pbt_trial_id(seed, record->donor, donor);
    pbt_driver_say(driver,
                   "trial %s, which had failed, goes on as a copy of %s at "
                   "iteration %" PRId64,
                   id, donor, record->donor_iteration);
}

int pbt_driver_note_record(struct pbt_driver *driver,
                           const struct pbt_record *record,
                           struct pbt_error *error)
{
    if (record->kind == PBT_RECORD_SAVED) {
        return pbt_driver_add_fresh(driver, record->checkpoint, error);
    }
    if (record->kind == PBT_RECORD_DELETE || record->kind == PBT_RECORD_BAD) {
        return add_unlink(driver, record, error);
    }
    if (record->kind == PBT_RECORD_UNDO) {
        say_undo(driver, record);
    }
    if (record->kind == PBT_RECORD_PASS) {
        say_pass(driver, record);
    }
    if (record->kind == PBT_RECORD_EXPLOIT && record->replacement) {
        say_replacement(driver, record);
    }
    return PBT_OK;
}

/* --- commands ---------------------------------------------------------------- */

/* A time-out of the file: 0 is none. */
static double limit_of(double seconds)
{
    return seconds > 0 ? seconds : (double)INFINITY;
}

/* Seconds; infinite: as long as it takes. */
static double time_out_of(const struct pbt_driver *driver,
                          enum pbt_command_kind kind)
{
    const struct pbt_spec *spec = driver->spec;
    switch (kind) {
    case PBT_COMMAND_START:
    case PBT_COMMAND_LOAD:
        return limit_of(spec->timeout_setup);
    case PBT_COMMAND_RUN:
        return limit_of(spec->timeout_step);
    case PBT_COMMAND_SAVE:
        return limit_of(spec->timeout_save);
    case PBT_COMMAND_HALT:
        /* Somebody waits at the keyboard (0: not at all); else a step has its usual
         * time. */
        return pbt_core_end(driver->core) == PBT_END_INTERRUPTED
                   ? spec->grace
                   : limit_of(spec->timeout_step);
    case PBT_COMMAND_STOP:
        return STOP_GRACE_S;
    case PBT_COMMAND_NONE:
    case PBT_COMMAND_KILL:
    case PBT_COMMAND_ASK:
        break;
    }
    return (double)INFINITY;
}

/* Not later than it is already. */
static void shorten_deadline(struct pbt_driver *driver, struct pbt_drive *drive,
                             enum pbt_command_kind kind)
{
    double seconds = time_out_of(driver, kind);
    uint64_t now = driver->world->ops->now(driver->world);
    uint64_t deadline =
        isfinite(seconds) ? now + (uint64_t)(seconds * 1e9) : PBT_NEVER;
    if (deadline < drive->deadline) {
        drive->deadline = deadline;
    }
    if (drive->deadline < driver->next_deadline) {
        driver->next_deadline = drive->deadline;
    }
}

void pbt_driver_set_deadline(struct pbt_driver *driver, struct pbt_drive *drive,
                             enum pbt_command_kind kind)
{
    drive->deadline = PBT_NEVER;
    shorten_deadline(driver, drive, kind);
}

/* What made a checkpoint, for its manifest. */
static void put_made_by(struct pbt_driver *driver,
                        const struct pbt_command *command)
{
    struct pbt_buf *json = &driver->json;
    struct pbt_core_trial trial = pbt_core_trial(driver->core, command->trial);
    char id[PBT_TRIAL_ID_SIZE];
    pbt_trial_id(driver->spec->settings.seed, command->trial, id);
    pbt_buf_printf(json,
                   "{\"experiment\":\"%s\",\"trial_id\":\"%s\",\"trial\":"
                   "%" PRIu32 ",\"checkpoint\":%" PRIu32 ",\"epoch\":%" PRIu64
                   ",\"seq\":%" PRIu64 ",\"iteration\":%" PRId64,
                   driver->spec->name, id, command->trial,
                   command->checkpoint.number, command->epoch, trial.seq,
                   command->iteration);
    if (!isnan(trial.result_score)) {
        double score = trial.result_score;
        score = driver->spec->minimize ? -score : score;
        pbt_buf_text(json, ",\"score\":");
        pbt_buf_real(json, score);
    }
    pbt_buf_printf(json,
                   ",\"exploits\":%" PRIu32 ",\"lineage\":\"%" PRIu64
                   "\",\"experiment_seed\":\"%" PRIu64 "\",\"config\":",
                   trial.exploits, trial.lineage, driver->spec->settings.seed);
    pbt_spec_config_json(driver->spec, command->cells, json);
    pbt_buf_char(json, '}');
}

static void put_trial_id(struct pbt_driver *driver, const char *name,
                         uint32_t trial)
{
    char id[PBT_TRIAL_ID_SIZE];
    pbt_trial_id(driver->spec->settings.seed, trial, id);
    pbt_buf_printf(&driver->json, "\"%s\":\"%s\"", name, id);
}

/* What is asked (docs/experiment-file.md). */
static void put_question(struct pbt_driver *driver,
                         const struct pbt_command *command)
{
    struct pbt_buf *json = &driver->json;
    pbt_buf_char(json, '{');
    put_trial_id(driver, "trial", command->trial);
    pbt_buf_printf(json, ",\"iteration\":%" PRId64 ",", command->iteration);
    bool first = command->donor == command->trial; /* nobody is copied */
    if (first) {
        pbt_buf_text(json, "\"donor\":null");
    } else {
        put_trial_id(driver, "donor", command->donor);
    }
    pbt_buf_printf(json,
                   ",\"donor_iteration\":%" PRId64 ",\"seed\":\"%" PRIu64
                   "\",\"old_config\":",
                   command->donor_iteration, command->seed);
    if (first) {
        pbt_buf_text(json, "null");
    } else {
        pbt_spec_config_json(driver->spec, command->old_cells, json);
    }
    pbt_buf_text(json, ",\"config\":");
    pbt_spec_config_json(driver->spec, command->cells, json);
    pbt_buf_char(json, '}');
}

static int submit_command(struct pbt_driver *driver,
                          const struct pbt_command *command,
                          struct pbt_error *error)
{
    struct pbt_job job = {
        .kind = PBT_JOB_COMMAND, .trial = command->trial, .command = *command};
    if (command->kind == PBT_COMMAND_STOP) {
        job.waiting = pbt_core_waiting(driver->core);
    }
    pbt_buf_reset(&driver->json);
    if (command->kind == PBT_COMMAND_START ||
        command->kind == PBT_COMMAND_LOAD) {
        pbt_spec_config_json(driver->spec, command->cells, &driver->json);
    } else if (command->kind == PBT_COMMAND_ASK) {
        put_question(driver, command);
    } else if (command->kind == PBT_COMMAND_SAVE) {
        put_made_by(driver, command);
    }
    if (pbt_buf_failed(&driver->json)) {
        return out_of_memory(error);
    }
    job.json = driver->json.data;
    job.json_length = driver->json.length;
    return driver->world->ops->submit(driver->world, &job, error);
}

/* A process that is to end before it was spawned has ended: nobody else will say so. */
static void add_phantom(struct pbt_driver *driver,
                        const struct pbt_command *command)
{
    driver->phantoms[driver->phantom_count++] = (struct pbt_input){
        .kind = PBT_INPUT_EXITED,
        .trial = command->trial,
        .epoch = command->process_epoch,
        .text = "it was never started",
    };
}

static int carry_out_for(struct pbt_driver *driver, uint32_t trial,
                         struct pbt_error *error)
{
    struct pbt_drive *drive = &driver->drives[trial];
    struct pbt_command owed = pbt_core_owed(driver->core, trial);
    if (owed.kind == PBT_COMMAND_NONE) {
        drive->deadline = PBT_NEVER;
        return PBT_OK;
    }
    if (pbt_command_same(&owed, &drive->sent)) {
        if (owed.kind == PBT_COMMAND_HALT && drive->why == NULL) {
            /* Halted for a pause before, and now somebody waits at the keyboard. */
            shorten_deadline(driver, drive, owed.kind);
        }
        return PBT_OK;
    }
    bool ends = owed.kind == PBT_COMMAND_STOP || owed.kind == PBT_COMMAND_KILL;
    if (owed.kind == PBT_COMMAND_START) {
        drive->spawned = owed.process_epoch;
        free(drive->why);
        drive->why = NULL;
    } else if (ends && drive->spawned != owed.process_epoch) {
        add_phantom(driver, &owed);
        drive->sent = owed;
        return PBT_OK;
    }
    drive->sent = owed;
    if (drive->why != NULL) {
        return PBT_OK; /* it is being killed already: its exit will come */
    }
    pbt_driver_set_deadline(driver, drive, owed.kind);
    return submit_command(driver, &owed, error);
}

static int send_acks(struct pbt_driver *driver, struct pbt_error *error)
{
    int status = PBT_OK;
    for (size_t i = 0; i < driver->ack_count && status == PBT_OK; i++) {
        uint32_t trial = driver->acks[i];
        struct pbt_drive *drive = &driver->drives[trial];
        struct pbt_job job = {.kind = PBT_JOB_ACK,
                              .trial = trial,
                              .epoch = drive->ack_epoch,
                              .seq = drive->acked};
        drive->ack_due = false;
        status = driver->world->ops->submit(driver->world, &job, error);
    }
    driver->ack_count = 0;
    return status;
}

/* --- syncs ---------------------------------------------------------------------- */

static int begin_sync(struct pbt_driver *driver, struct pbt_error *error)
{
    uint64_t records = pbt_core_records(driver->core);
    uint64_t now = driver->world->ops->now(driver->world);
    bool wanted = driver->fresh_count > 0 || driver->unlink_count > 0 ||
                  driver->snapshot_waits > 0;
    bool overdue = records > driver->synced && now >= driver->next_sync;
    if (driver->sync_in_flight || !(wanted || overdue)) {
        return PBT_OK;
    }
    /* What is fresh now is covered by this sync; what comes later by the next. */
    struct pbt_checkpoint_id *items = driver->syncing;
    size_t capacity = driver->syncing_capacity;
    driver->syncing = driver->fresh;
    driver->syncing_count = driver->fresh_count;
    driver->syncing_capacity = driver->fresh_capacity;
    driver->fresh = items;
    driver->fresh_capacity = capacity;
    driver->fresh_count = 0;
    driver->sync_in_flight = true;
    driver->next_sync = now + SYNC_EVERY_NS;
    struct pbt_job job = {.kind = PBT_JOB_SYNC,
                          .seq = records,
                          .journal = driver->journal,
                          .checkpoints = driver->syncing,
                          .checkpoint_count = driver->syncing_count};
    return driver->world->ops->submit(driver->world, &job, error);
}

static int submit_unlinks(struct pbt_driver *driver, struct pbt_error *error)
{
    size_t kept = 0;
    int status = PBT_OK;
    for (size_t i = 0; i < driver->unlink_count; i++) {
        if (driver->unlinks[i].record > driver->synced) {
            driver->unlinks[kept++] = driver->unlinks[i];
        } else if (status == PBT_OK) {
            struct pbt_job job = {.kind = PBT_JOB_UNLINK,
                                  .trial = driver->unlinks[i].checkpoint.trial,
                                  .checkpoint = driver->unlinks[i].checkpoint};
            status = driver->world->ops->submit(driver->world, &job, error);
        }
    }
    driver->unlink_count = kept;
    return status;
}

int pbt_driver_synced(struct pbt_driver *driver, uint64_t records,
                      struct pbt_error *error)
{
    int status = PBT_OK;
    driver->sync_in_flight = false;
    driver->synced = records;
    for (size_t i = 0; i < driver->syncing_count && status == PBT_OK; i++) {
        struct pbt_event event = {.kind = PBT_EVENT_DURABLE,
                                  .trial = driver->syncing[i].trial,
                                  .checkpoint = driver->syncing[i],
                                  .time = pbt_driver_clock(driver)};
        status = pbt_driver_event(driver, &event, error);
    }
    driver->syncing_count = 0;
    if (status == PBT_OK) {
        status = submit_unlinks(driver, error);
    }
    return status == PBT_OK ? pbt_driver_send_snapshot(driver, error) : status;
}

int pbt_driver_carry_out(struct pbt_driver *driver, struct pbt_error *error)
{
    int status = send_acks(driver, error);
    if (status == PBT_OK) {
        status = pbt_driver_send_replies(driver, error);
    }
    const uint32_t *touched;
    size_t count = pbt_core_touched(driver->core, &touched);
    for (size_t i = 0; i < count && status == PBT_OK; i++) {
        status = carry_out_for(driver, touched[i], error);
    }
    pbt_core_touched_clear(driver->core);
    return status == PBT_OK ? begin_sync(driver, error) : status;
}

/* --- time-outs ------------------------------------------------------------------ */

int pbt_driver_kill(struct pbt_driver *driver, uint32_t trial, const char *why,
                    struct pbt_error *error)
{
    struct pbt_drive *drive = &driver->drives[trial];
    struct pbt_core_trial now = pbt_core_trial(driver->core, trial);
    if (drive->why != NULL || !now.has_process) {
        return PBT_OK;
    }
    drive->why = strdup(why);
    if (drive->why == NULL) {
        return out_of_memory(error);
    }
    drive->deadline = PBT_NEVER;
    struct pbt_command kill = {.kind = PBT_COMMAND_KILL,
                               .trial = trial,
                               .epoch = now.epoch,
                               .process_epoch = now.process_epoch};
    return submit_command(driver, &kill, error);
}

static const char *setting_of(enum pbt_command_kind kind)
{
    switch (kind) {
    case PBT_COMMAND_START:
    case PBT_COMMAND_LOAD:
        return "timeouts.setup";
    case PBT_COMMAND_SAVE:
        return "timeouts.save";
    case PBT_COMMAND_HALT:
    case PBT_COMMAND_STOP:
        return "the grace time";
    case PBT_COMMAND_NONE:
    case PBT_COMMAND_RUN:
    case PBT_COMMAND_KILL:
    case PBT_COMMAND_ASK:
        break;
    }
    return "timeouts.step";
}

int pbt_driver_time_outs(struct pbt_driver *driver, struct pbt_error *error)
{
    uint64_t now = driver->world->ops->now(driver->world);
    if (now < driver->next_deadline) {
        return PBT_OK;
    }
    int status = PBT_OK;
    driver->next_deadline = PBT_NEVER;
    for (uint32_t i = 0; i < driver->spec->settings.population; i++) {
        struct pbt_drive *drive = &driver->drives[i];
        if (drive->deadline <= now && status == PBT_OK) {
            char why[256];
            enum pbt_command_kind kind = drive->sent.kind;
            (void)snprintf(why, sizeof why,
                           "no answer to `%s` within %g s (%s)",
                           pbt_command_name(kind), time_out_of(driver, kind),
                           setting_of(kind));
            if (kind == PBT_COMMAND_HALT &&
                pbt_core_end(driver->core) == PBT_END_INTERRUPTED) {
                pbt_driver_say_outlasted(driver, i);
            }
            status = pbt_driver_kill(driver, i, why, error);
        } else if (drive->deadline < driver->next_deadline) {
            driver->next_deadline = drive->deadline;
        }
    }
    return status;
}
