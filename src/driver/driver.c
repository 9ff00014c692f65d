#include "driver/driver.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codes.h"
#include "base/names.h"
#include "driver/restore.h"
#include "driver/state.h"
#include "journal/entry.h"
#include "journal/snapshot.h"
#include "spec/schema.h"

#define BATCH_BYTES_MAX ((size_t)256 << 20)
#define DATA_BYTES_MAX ((size_t)8 << 20)
#define SNAPSHOT_BYTES_MAX ((size_t)1 << 31)

static int out_of_memory(struct pbt_error *error)
{
    return pbt_error_set(error, PBT_ENOMEM, "out of memory");
}

void pbt_driver_say(const struct pbt_driver *driver, const char *fmt, ...)
{
    char line[PBT_ERROR_TEXT_MAX + 512];
    if (driver->options.say == NULL) {
        return;
    }
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    driver->options.say(driver->options.say_user, line);
}

uint64_t pbt_driver_clock(const struct pbt_driver *driver)
{
    uint64_t now = driver->world->ops->now(driver->world);
    return driver->clock_base + (now - driver->world_base);
}

/* --- decide, apply, record ------------------------------------------------ */

static int take_record(struct pbt_driver *driver,
                       const struct pbt_record *record, struct pbt_error *error)
{
    struct pbt_entry entry = {.record = *record};
    pbt_driver_look_for_ignored(driver, record);
    if (driver->data.length > 0) {
        entry.data = driver->data.data;
        entry.data_length = driver->data.length;
    }
    /* Written first: the cells in the record may be borrowed from what changes. */
    pbt_entry_write(&entry, driver->spec, &driver->lines);
    driver->line_count++;
    pbt_buf_reset(&driver->data);
    if (pbt_buf_failed(&driver->lines)) {
        return out_of_memory(error);
    }
    if (!pbt_core_apply(driver->core, record)) {
        return pbt_error_set(error, PBT_EINTERNAL,
                             "a decided record (%s) could not be applied",
                             pbt_record_name(record->kind));
    }
    return pbt_driver_note_record(driver, record, error);
}

int pbt_driver_event(struct pbt_driver *driver, const struct pbt_event *event,
                     struct pbt_error *error)
{
    struct pbt_record record;
    if (!pbt_core_decide(driver->core, event, &record)) {
        pbt_buf_reset(&driver->data);
        return PBT_OK;
    }
    return take_record(driver, &record, error);
}

static int settle(struct pbt_driver *driver, struct pbt_error *error)
{
    struct pbt_record record;
    pbt_buf_reset(&driver->data);
    while (pbt_core_decide(driver->core, NULL, &record)) {
        int status = take_record(driver, &record, error);
        if (status != PBT_OK) {
            return status;
        }
    }
    return PBT_OK;
}

static bool dies(const struct pbt_driver *driver, enum pbt_turn_point point,
                 struct pbt_error *error)
{
    if (driver->options.dies_at == NULL ||
        !driver->options.dies_at(driver->options.dies_user, point)) {
        return false;
    }
    (void)pbt_error_set(error, PBT_EINTERNAL, "killed by the test");
    return true;
}

static int append(struct pbt_driver *driver, struct pbt_error *error)
{
    if (driver->line_count == 0) {
        return PBT_OK;
    }
    int status = pbt_journal_append(driver->journal, &driver->lines,
                                    driver->line_count, error);
    if (status == PBT_OK && driver->spec->power_durable) {
        /*
         * Here, not in the pool: nothing may be acknowledged or carried out before it is on
         * the disk, and what comes meanwhile waits in its sockets to be the next batch.
         */
        status = pbt_journal_sync(driver->journal, error);
        driver->synced = pbt_core_records(driver->core);
    }
    if (status == PBT_OK) {
        status = pbt_hold_ask(&driver->options.hold, error);
    }
    struct pbt_sink *sink = driver->options.sink;
    if (status == PBT_OK && sink != NULL) {
        status = sink->records(sink, driver->lines.data, driver->lines.length,
                               error);
    }
    pbt_buf_reset(&driver->lines);
    driver->line_count = 0;
    return status;
}

/* The second half of a turn: what was decided becomes true, then known. */
static int settle_and_carry_out(struct pbt_driver *driver,
                                struct pbt_error *error)
{
    int status = settle(driver, error);
    if (status != PBT_OK) {
        return status;
    }
    if (dies(driver, PBT_TURN_DECIDED, error)) {
        return PBT_EINTERNAL;
    }
    status = append(driver, error);
    if (status != PBT_OK) {
        return status;
    }
    if (dies(driver, PBT_TURN_APPENDED, error)) {
        return PBT_EINTERNAL;
    }
    pbt_driver_note_snapshot(driver);
    status = pbt_driver_carry_out(driver, error);
    pbt_driver_say_idle(driver);
    pbt_driver_say_bytes(driver);
    if (status == PBT_OK && dies(driver, PBT_TURN_CARRIED_OUT, error)) {
        return PBT_EINTERNAL;
    }
    return status;
}

/* The world's time at which the experiment's clock shows `clock`. */
static uint64_t world_time(const struct pbt_driver *driver, uint64_t clock)
{
    return clock > driver->clock_base
               ? driver->world_base + (clock - driver->clock_base)
               : 0;
}

static int gather(struct pbt_driver *driver, struct pbt_input_batch *batch,
                  struct pbt_error *error)
{
    uint64_t deadline = driver->next_deadline;
    uint64_t budget = driver->spec->settings.time_budget_ns;
    if (budget > 0 && !driver->time_up_sent) {
        uint64_t up = world_time(driver, budget);
        deadline = up < deadline ? up : deadline;
    }
    uint64_t wake = pbt_core_wake(driver->core);
    if (wake != PBT_NEVER && world_time(driver, wake) < deadline) {
        deadline = world_time(driver, wake);
    }
    /* While one is in flight its end is news; a deadline in the past would spin. */
    if (!driver->sync_in_flight &&
        pbt_core_records(driver->core) > driver->synced &&
        driver->next_sync < deadline) {
        deadline = driver->next_sync;
    }
    if (driver->phantom_count > 0) {
        deadline = 0;
    }
    return driver->world->ops->next_batch(driver->world, deadline, batch,
                                          error);
}

static int take_inputs(struct pbt_driver *driver,
                       const struct pbt_input_batch *batch,
                       struct pbt_error *error)
{
    int status = PBT_OK;
    for (size_t i = 0; i < driver->phantom_count && status == PBT_OK; i++) {
        status = pbt_driver_input(driver, &driver->phantoms[i], error);
    }
    driver->phantom_count = 0;
    for (size_t i = 0; i < batch->count && status == PBT_OK; i++) {
        status = pbt_driver_input(driver, &batch->inputs[i], error);
    }
    uint64_t budget = driver->spec->settings.time_budget_ns;
    if (status == PBT_OK && budget > 0 && !driver->time_up_sent &&
        pbt_driver_clock(driver) >= budget) {
        driver->time_up_sent = true;
        struct pbt_event event = {.kind = PBT_EVENT_TIME_UP,
                                  .time = pbt_driver_clock(driver)};
        status = pbt_driver_event(driver, &event, error);
    }
    if (status == PBT_OK &&
        pbt_driver_clock(driver) >= pbt_core_wake(driver->core)) {
        struct pbt_event event = {.kind = PBT_EVENT_WAKE,
                                  .time = pbt_driver_clock(driver)};
        status = pbt_driver_event(driver, &event, error);
    }
    return status;
}

int pbt_driver_turn(struct pbt_driver *driver, bool *finished,
                    struct pbt_error *error)
{
    struct pbt_input_batch batch = {NULL, 0};
    int status = gather(driver, &batch, error);
    if (status != PBT_OK) {
        return status;
    }
    if (dies(driver, PBT_TURN_GATHERED, error)) {
        return PBT_EINTERNAL;
    }
    status = take_inputs(driver, &batch, error);
    if (status == PBT_OK) {
        status = settle_and_carry_out(driver, error);
    }
    if (status == PBT_OK) {
        status = pbt_driver_time_outs(driver, error);
    }
    *finished = status == PBT_OK && pbt_driver_finished(driver);
    return status;
}

int pbt_driver_finish(struct pbt_driver *driver, struct pbt_error *error)
{
    int status = pbt_journal_sync(driver->journal, error);
    if (status == PBT_OK) {
        pbt_driver_last_snapshot(driver);
    }
    return status;
}

bool pbt_driver_finished(const struct pbt_driver *driver)
{
    return pbt_core_finished(driver->core) && !driver->sync_in_flight &&
           driver->phantom_count == 0;
}

int pbt_driver_run(struct pbt_driver *driver, struct pbt_error *error)
{
    bool finished = pbt_driver_finished(driver);
    int status = PBT_OK;
    while (status == PBT_OK && !finished) {
        status = pbt_driver_turn(driver, &finished, error);
    }
    return status == PBT_OK ? pbt_driver_finish(driver, error) : status;
}

/* --- opening --------------------------------------------------------------- */

static int replay_line(void *user, const char *line, size_t length,
                       struct pbt_error *error)
{
    struct pbt_driver *driver = user;
    struct pbt_entry entry;
    int status = pbt_entry_read(&entry, driver->spec, line, length, error);
    if (status != PBT_OK) {
        return status;
    }
    bool applied = pbt_core_apply(driver->core, &entry.record);
    if (applied) {
        pbt_driver_replay_ignored(driver, &entry);
    }
    uint64_t number = entry.record.number;
    bool wants_function =
        json_is_true(json_object_get(entry.data_json, "custom_explore"));
    pbt_entry_done(&entry);
    if (wants_function && !driver->spec->settings.custom_explore) {
        return pbt_restore_no_functions(error);
    }
    if (!applied) {
        return pbt_error_set(
            error, PBT_EDATA,
            "record %" PRIu64 " can't follow on those before it", number);
    }
    struct pbt_sink *sink = driver->options.sink;
    if (sink == NULL) {
        return PBT_OK;
    }
    pbt_buf_reset(&driver->json);
    pbt_buf_put(&driver->json, line, length);
    pbt_buf_char(&driver->json, '\n');
    if (pbt_buf_failed(&driver->json)) {
        return out_of_memory(error);
    }
    return sink->records(sink, driver->json.data, driver->json.length, error);
}

/* As it is without being said: a default, or nothing. */
static bool is_usual(const struct pbt_key *key, const char *value)
{
    return strcmp(value, "null") == 0 || strcmp(value, "{}") == 0 ||
           (key->fallback != NULL && strcmp(value, key->fallback) == 0);
}

/* What may have been changed since the last start, but for what may be secret. */
static void put_experiment(struct pbt_driver *driver)
{
    const char *between = "";
    pbt_buf_text(&driver->data, ",\"experiment\":{");
    for (int i = 0; i < PBT_KEY_COUNT; i++) {
        const struct pbt_key *key = &pbt_keys[i];
        struct pbt_buf value;
        if (key->change == PBT_CHANGE_NOT || i == PBT_KEY_ENV) {
            continue;
        }
        pbt_buf_init(&value, DATA_BYTES_MAX);
        pbt_spec_write_key(driver->spec, i, &value);
        if (pbt_buf_failed(&value) || value.length < 2) {
            driver->data.failed = true;
        } else { /* " value\n" */
            value.data[--value.length] = '\0';
            if (!is_usual(key, value.data + 1)) {
                pbt_buf_printf(&driver->data, "%s\"%s\":", between, key->path);
                pbt_buf_json_string(&driver->data, value.data + 1,
                                    value.length - 1);
                between = ",";
            }
        }
        pbt_buf_done(&value);
    }
    pbt_buf_char(&driver->data, '}');
}

static void opened_data(struct pbt_driver *driver)
{
    const struct pbt_driver_options *options = &driver->options;
    const char *host = options->host == NULL ? "" : options->host;
    pbt_buf_text(&driver->data, "{\"wall\":");
    pbt_buf_i64(&driver->data, options->wall_ns);
    pbt_buf_text(&driver->data, ",\"pid\":");
    pbt_buf_i64(&driver->data, options->pid);
    pbt_buf_text(&driver->data, ",\"host\":");
    pbt_buf_json_string(&driver->data, host, strlen(host));
    if (driver->spec->settings.custom_explore) {
        pbt_buf_text(&driver->data, ",\"custom_explore\":true");
    }
    put_experiment(driver);
    pbt_buf_text(&driver->data, ",\"version\":\"" PBT_VERSION "\"}");
}

static int begin(struct pbt_driver *driver, uint64_t incarnation,
                 struct pbt_error *error)
{
    driver->clock_base = pbt_core_time(driver->core);
    driver->world_base = driver->world->ops->now(driver->world);
    driver->next_sync = driver->world_base;
    driver->synced = pbt_core_records(driver->core);
    struct pbt_event opened = {.kind = PBT_EVENT_OPENED,
                               .time = pbt_driver_clock(driver),
                               .incarnation = incarnation,
                               .slots = driver->options.slots};
    opened_data(driver);
    int status = pbt_driver_event(driver, &opened, error);
    if (status == PBT_OK) {
        status = pbt_driver_verify_checkpoints(driver, error);
    }
    if (status == PBT_OK && driver->options.request != NULL) {
        status = pbt_driver_request(driver, driver->options.request, error);
    }
    return status == PBT_OK ? settle_and_carry_out(driver, error) : status;
}

static bool allocate(struct pbt_driver *driver)
{
    uint32_t population = driver->spec->settings.population;
    driver->drives = calloc(population, sizeof *driver->drives);
    driver->acks = calloc(population, sizeof *driver->acks);
    driver->phantoms = calloc(population, sizeof *driver->phantoms);
    driver->effect = pbt_effect_create(&driver->spec->settings);
    if (driver->drives == NULL || driver->acks == NULL ||
        driver->phantoms == NULL || driver->effect == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < population; i++) {
        driver->drives[i].deadline = PBT_NEVER;
    }
    return true;
}

/* To the newest snapshot; the sink learns what it has to find for itself. */
static int restore(struct pbt_driver *driver, struct pbt_journal_place *place,
                   struct pbt_error *error)
{
    const struct pbt_driver_options *options = &driver->options;
    const struct pbt_restore from = {.files = options->files,
                                     .journal_dir = options->journal_dir,
                                     .snapshot_dir = options->snapshot_dir,
                                     .drives = true,
                                     .say = options->say,
                                     .user = options->say_user};
    int status = PBT_OK;
    if (options->snapshot_dir != NULL) {
        status =
            pbt_snapshot_sweep(options->files, options->snapshot_dir, error);
    }
    if (status == PBT_OK) {
        status =
            pbt_restore_core(&from, driver->spec, &driver->core, place, error);
    }
    if (status == PBT_OK && place->record > 0 && options->sink != NULL) {
        status = options->sink->skipped(options->sink, place->record, error);
    }
    if (status == PBT_OK) {
        driver->snapshot_last = place->record;
    }
    return status;
}

int pbt_driver_open(struct pbt_driver **out, struct pbt_spec *spec,
                    struct pbt_world *world,
                    const struct pbt_driver_options *options,
                    struct pbt_error *error)
{
    struct pbt_driver *driver = calloc(1, sizeof *driver);
    if (driver == NULL) {
        return out_of_memory(error);
    }
    driver->spec = spec;
    driver->world = world;
    driver->options = *options;
    driver->next_deadline = PBT_NEVER;
    pbt_buf_init(&driver->lines, BATCH_BYTES_MAX);
    pbt_buf_init(&driver->data, DATA_BYTES_MAX);
    pbt_buf_init(&driver->json, DATA_BYTES_MAX);
    pbt_buf_init(&driver->snapshot, SNAPSHOT_BYTES_MAX);
    if (!allocate(driver)) {
        pbt_driver_close(driver);
        return out_of_memory(error);
    }
    uint64_t incarnation = 0;
    struct pbt_journal_place place;
    int status = restore(driver, &place, error);
    if (status == PBT_OK) {
        status = pbt_journal_open(&driver->journal, options->files,
                                  options->journal_dir,
                                  place.record > 0 ? &place : NULL, replay_line,
                                  driver, &driver->info, &incarnation, error);
    }
    if (status == PBT_OK && options->sweep != NULL) {
        status = options->sweep(options->checkpoint_user, driver->core, error);
    }
    if (status == PBT_OK) {
        status = begin(driver, incarnation, error);
    }
    if (status != PBT_OK) {
        pbt_driver_close(driver);
        return status;
    }
    *out = driver;
    return PBT_OK;
}

const struct pbt_core *pbt_driver_core(const struct pbt_driver *driver)
{
    return driver->core;
}

const struct pbt_journal_info *
pbt_driver_journal_info(const struct pbt_driver *driver)
{
    return &driver->info;
}

void pbt_driver_close(struct pbt_driver *driver)
{
    if (driver == NULL) {
        return;
    }
    for (uint32_t i = 0;
         driver->drives != NULL && i < driver->spec->settings.population; i++) {
        free(driver->drives[i].why);
    }
    pbt_effect_destroy(driver->effect);
    free(driver->drives);
    free(driver->acks);
    free(driver->phantoms);
    free(driver->fresh);
    free(driver->syncing);
    free(driver->unlinks);
    free(driver->replies);
    pbt_buf_done(&driver->lines);
    pbt_buf_done(&driver->data);
    pbt_buf_done(&driver->json);
    pbt_buf_done(&driver->snapshot);
    pbt_journal_close(driver->journal);
    pbt_core_destroy(driver->core);
    free(driver);
}
