#define _GNU_SOURCE /* pipe2 */

#include "exec/local.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/names.h"
#include "base/secrets.h"
#include "exec/local_state.h"

#define TICK_MS 1000
#define NO_DEADLINE UINT64_MAX

static struct pbt_local *of(struct pbt_world *world)
{
    return (struct pbt_local *)world;
}

static int out_of_memory(struct pbt_error *error)
{
    return pbt_error_set(error, PBT_ENOMEM, "out of memory");
}

static int check_length(int length, size_t size, const char *run_dir,
                        struct pbt_error *error)
{
    return length > 0 && (size_t)length < size
               ? PBT_OK
               : pbt_error_set(error, PBT_EUSAGE, "path too long: %s", run_dir);
}

int pbt_local_checkpoint_path(const struct pbt_spec *spec, const char *run_dir,
                              struct pbt_checkpoint_id checkpoint, char *path,
                              size_t size, struct pbt_error *error)
{
    char id[PBT_TRIAL_ID_SIZE];
    char name[PBT_CHECKPOINT_NAME_SIZE];
    pbt_trial_id(spec->settings.seed, checkpoint.trial, id);
    pbt_checkpoint_name(checkpoint.number, name);
    int n = snprintf(path, size, "%s/%s/%s", run_dir, id, name);
    return check_length(n, size, run_dir, error);
}

int pbt_local_temporary_path(const struct pbt_local *local,
                             const struct pbt_command *save, const char *what,
                             char *path, size_t size, struct pbt_error *error)
{
    char id[PBT_TRIAL_ID_SIZE];
    char name[PBT_CHECKPOINT_NAME_SIZE];
    const char *run_dir = local->options.run_dir;
    pbt_trial_id(local->options.spec->settings.seed, save->checkpoint.trial,
                 id);
    pbt_checkpoint_name(save->checkpoint.number, name);
    int n = snprintf(path, size, "%s/%s/.%s.%" PRIu64 ".%s", run_dir, id, name,
                     save->epoch >> PBT_EPOCH_SHIFT, what);
    return check_length(n, size, run_dir, error);
}

/* --- the batch ----------------------------------------------------------- */

void pbt_local_say(const struct pbt_local *local, const char *fmt, ...)
{
    char text[PBT_ERROR_TEXT_MAX + 128];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (local->options.say != NULL) {
        local->options.say(local->options.say_user, text);
    }
}

void pbt_local_hide_secrets(const struct pbt_local *local, char *text)
{
    pbt_secrets_hide(local->options.spec->env, text);
    pbt_secrets_hide(environ, text);
}

void pbt_local_fail_with(struct pbt_local *local, const struct pbt_error *error)
{
    if (local->failure.status == PBT_OK) {
        local->failure = *error;
    }
    uv_stop(&local->loop);
}

void pbt_local_fail(struct pbt_local *local, int status, const char *text)
{
    struct pbt_error error;
    (void)pbt_error_set(&error, status, "%s", text);
    pbt_local_fail_with(local, &error);
}

/* Room for one more item; false: out of memory, which ends the loop. */
static bool grow(struct pbt_local *local, void **items, size_t count,
                 size_t *capacity, size_t size)
{
    if (count < *capacity) {
        return true;
    }
    size_t wanted = *capacity == 0 ? 64 : 2 * *capacity;
    void *grown = realloc(*items, wanted * size);
    if (grown == NULL) {
        pbt_local_fail(local, PBT_ENOMEM, "out of memory");
        return false;
    }
    *items = grown;
    *capacity = wanted;
    return true;
}

struct pbt_input *pbt_local_input(struct pbt_local *local,
                                  enum pbt_input_kind kind, uint32_t trial)
{
    void *items = local->inputs;
    if (!grow(local, &items, local->input_count, &local->input_capacity,
              sizeof *local->inputs)) {
        return NULL;
    }
    local->inputs = items;
    struct pbt_input *input = &local->inputs[local->input_count++];
    *input = (struct pbt_input){.kind = kind, .trial = trial};
    return input;
}

void *pbt_local_keep(struct pbt_local *local, void *memory)
{
    void *items = local->garbage;
    if (memory == NULL) {
        pbt_local_fail(local, PBT_ENOMEM, "out of memory");
        return NULL;
    }
    if (!grow(local, &items, local->garbage_count, &local->garbage_capacity,
              sizeof *local->garbage)) {
        free(memory);
        return NULL;
    }
    local->garbage = items;
    local->garbage[local->garbage_count++] = memory;
    return memory;
}

struct pbt_message *pbt_local_new_message(struct pbt_local *local)
{
    void *items = local->messages;
    if (!grow(local, &items, local->message_count, &local->message_capacity,
              sizeof *local->messages)) {
        return NULL;
    }
    local->messages = items;
    return &local->messages[local->message_count];
}

/* What was given out goes; what submits have added since stays. */
static void release_batch(struct pbt_local *local)
{
    for (size_t i = 0; i < local->message_count; i++) {
        pbt_message_done(&local->messages[i]);
    }
    for (size_t i = 0; i < local->given_garbage; i++) {
        free(local->garbage[i]);
    }
    local->message_count = 0;
    local->garbage_count -= local->given_garbage;
    local->input_count -= local->given_inputs;
    if (local->garbage_count > 0) {
        memmove(local->garbage, local->garbage + local->given_garbage,
                local->garbage_count * sizeof *local->garbage);
    }
    if (local->input_count > 0) {
        memmove(local->inputs, local->inputs + local->given_inputs,
                local->input_count * sizeof *local->inputs);
    }
    local->given_garbage = 0;
    local->given_inputs = 0;
}

/* --- checkpoints that were found whole ------------------------------------ */

static size_t find_whole(const struct pbt_local *local,
                         struct pbt_checkpoint_id checkpoint)
{
    size_t i = 0;
    while (i < local->whole_count &&
           (local->whole[i].trial != checkpoint.trial ||
            local->whole[i].number != checkpoint.number)) {
        i++;
    }
    return i;
}

bool pbt_local_is_whole(const struct pbt_local *local,
                        struct pbt_checkpoint_id checkpoint)
{
    return find_whole(local, checkpoint) < local->whole_count;
}

void pbt_local_note_whole(struct pbt_local *local,
                          struct pbt_checkpoint_id checkpoint)
{
    void *items = local->whole;
    if (pbt_local_is_whole(local, checkpoint)) {
        return;
    }
    if (!grow(local, &items, local->whole_count, &local->whole_capacity,
              sizeof *local->whole)) {
        return; /* `grow` has ended the loop */
    }
    local->whole = items;
    local->whole[local->whole_count++] = checkpoint;
}

void pbt_local_forget_whole(struct pbt_local *local,
                            struct pbt_checkpoint_id checkpoint)
{
    size_t at = find_whole(local, checkpoint);
    if (at < local->whole_count) {
        local->whole[at] = local->whole[--local->whole_count];
    }
}

/* --- the world's three functions ----------------------------------------- */

static void on_deadline(uv_timer_t *timer)
{
    struct pbt_local *local = timer->loop->data;
    local->deadline_passed = true;
    local->deadline = NO_DEADLINE;
}

static void on_tick(uv_timer_t *timer)
{
    struct pbt_local *local = timer->loop->data;
    struct pbt_error error = {.status = PBT_OK};
    if (pbt_hold_ask(&local->options.hold, &error) != PBT_OK) {
        pbt_local_fail_with(local, &error);
    }
}

static void on_stop_asked(uv_poll_t *poll, int status, int events)
{
    struct pbt_local *local = poll->loop->data;
    char byte;
    (void)events;
    if (status == 0 && read(local->options.stop_fd, &byte, 1) == 1) {
        (void)pbt_local_input(local, PBT_INPUT_STOP, 0);
    } else if (status != 0 || errno != EAGAIN) {
        (void)uv_poll_stop(poll); /* nobody is left to ask */
    }
}

static uint64_t local_now(struct pbt_world *world)
{
    (void)world;
    return uv_hrtime();
}

/* Sets the timer, unless it is set to that already. */
static void set_deadline(struct pbt_local *local, uint64_t deadline)
{
    local->deadline_passed = false;
    if (deadline == local->deadline) {
        return;
    }
    local->deadline = deadline;
    if (deadline == NO_DEADLINE) {
        (void)uv_timer_stop(&local->deadline_timer);
        return;
    }
    uint64_t now = uv_hrtime();
    uint64_t wait = deadline > now ? (deadline - now + 999999) / 1000000 : 0;
    uv_update_time(&local->loop);
    (void)uv_timer_start(&local->deadline_timer, on_deadline, wait, 0);
}

static int fail_for(const struct pbt_local *local, struct pbt_error *error)
{
    if (error != NULL) {
        *error = local->failure;
    }
    return local->failure.status;
}

static int local_next_batch(struct pbt_world *world, uint64_t deadline,
                            struct pbt_input_batch *batch,
                            struct pbt_error *error)
{
    struct pbt_local *local = of(world);
    release_batch(local);
    local->batch++;
    pbt_local_retire(local, false);
    pbt_local_flush_acks(local);
    set_deadline(local, deadline);
    if (local->input_count > 0) {
        (void)uv_run(&local->loop, UV_RUN_NOWAIT); /* something waits already */
    }
    while (local->input_count == 0 && !local->deadline_passed &&
           local->failure.status == PBT_OK) {
        (void)uv_run(&local->loop, UV_RUN_ONCE);
    }
    if (local->failure.status != PBT_OK) {
        return fail_for(local, error);
    }
    batch->inputs = local->inputs;
    batch->count = local->input_count;
    local->given_inputs = local->input_count;
    local->given_garbage = local->garbage_count;
    return PBT_OK;
}

static int local_submit(struct pbt_world *world, const struct pbt_job *job,
                        struct pbt_error *error)
{
    struct pbt_local *local = of(world);
    switch (job->kind) {
    case PBT_JOB_COMMAND:
        if (job->command.kind == PBT_COMMAND_ASK) {
            pbt_local_ask(local, job);
        } else {
            pbt_local_command(local, job);
        }
        break;
    case PBT_JOB_ACK:
        pbt_local_ack(local, job);
        break;
    case PBT_JOB_SYNC:
        pbt_local_sync(local, job);
        break;
    case PBT_JOB_UNLINK:
        pbt_local_unlink(local, job);
        break;
    case PBT_JOB_SNAPSHOT:
        pbt_local_snapshot(local, job);
        break;
    case PBT_JOB_REPLY:
        pbt_local_reply(local, job);
        break;
    }
    return local->failure.status == PBT_OK ? PBT_OK : fail_for(local, error);
}

/* --- beginning and end --------------------------------------------------- */

static int uv_failed(struct pbt_error *error, const char *what, int code)
{
    return pbt_error_set(error, PBT_ENOMEM, "can't start %s: %s", what,
                         uv_strerror(code));
}

static int start_handles(struct pbt_local *local, struct pbt_error *error)
{
    int code = uv_timer_init(&local->loop, &local->deadline_timer);
    if (code == 0) {
        code = uv_timer_init(&local->loop, &local->tick_timer);
    }
    if (code == 0) {
        code = uv_timer_init(&local->loop, &local->room_timer);
    }
    if (code == 0 && local->options.hold.ask != NULL) {
        code = uv_timer_start(&local->tick_timer, on_tick, TICK_MS, TICK_MS);
    }
    if (code != 0) {
        return uv_failed(error, "a timer", code);
    }
    if (local->options.stop_fd >= 0) {
        code = uv_poll_init(&local->loop, &local->stop_poll,
                            local->options.stop_fd);
        if (code == 0) {
            code = uv_poll_start(&local->stop_poll, UV_READABLE, on_stop_asked);
        }
        if (code != 0) {
            return uv_failed(error, "listening to stop requests", code);
        }
    }
    if (local->options.control_fd >= 0) {
        code = pbt_local_control_start(local);
        if (code != 0) {
            return uv_failed(error, "listening to the control socket", code);
        }
    }
    return PBT_OK;
}

int pbt_local_create(struct pbt_local **made,
                     const struct pbt_local_options *options,
                     struct pbt_error *error)
{
    static const struct pbt_world_ops OPS = {local_next_batch, local_now,
                                             local_submit};
    uint32_t population = options->spec->settings.population;
    struct pbt_local *local = calloc(1, sizeof *local);
    if (local == NULL) {
        return out_of_memory(error);
    }
    int code = uv_loop_init(&local->loop);
    if (code != 0) {
        free(local);
        return uv_failed(error, "a loop", code);
    }
    local->world.ops = &OPS;
    local->options = *options;
    local->loop.data = local;
    local->deadline = NO_DEADLINE;
    local->asks_end[0] = local->asks_end[1] = -1;
    local->oom_kills = pbt_cgroup_oom_kills("");
    local->processes = calloc(population, sizeof(struct pbt_process *));
    local->ack_due = calloc(population, sizeof *local->ack_due);
    local->places = pbt_budget_places(options->spec, options->budget);
    local->slot_taken = calloc(local->places, sizeof *local->slot_taken);
    local->failed_on = malloc(population * sizeof *local->failed_on);
    for (uint32_t i = 0; local->failed_on != NULL && i < population; i++) {
        local->failed_on[i] = PBT_NO_SLOT;
    }
    int status = local->processes == NULL || local->ack_due == NULL ||
                         local->slot_taken == NULL || local->failed_on == NULL
                     ? out_of_memory(error)
                     : start_handles(local, error);
    if (status == PBT_OK && pipe2(local->asks_end, O_CLOEXEC) != 0) {
        status = uv_failed(error, "a pipe", -errno);
    }
    if (status != PBT_OK) {
        pbt_local_destroy(local);
        return status;
    }
    *made = local;
    return PBT_OK;
}

struct pbt_world *pbt_local_world(struct pbt_local *local)
{
    return &local->world;
}

static void close_handle(uv_handle_t *handle, void *user)
{
    (void)user;
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

void pbt_local_destroy(struct pbt_local *local)
{
    if (local == NULL) {
        return;
    }
    uint32_t population = local->options.spec->settings.population;
    local->saves = NULL; /* none begins any more */
    for (uint32_t i = 0; local->processes != NULL && i < population; i++) {
        if (local->processes[i] != NULL) {
            local->processes[i]->unwanted = true;
            pbt_process_kill(local->processes[i]);
        }
    }
    pbt_local_end_asks(local);
    pbt_local_retire(local, true);
    pbt_local_control_stop(local);
    /* Each end is waited for: nothing of ours outlives us. */
    while (local->process_count > 0 || local->jobs_in_flight > 0) {
        local
            ->batch++; /* who was heard in the last one is read to its end too */
        (void)uv_run(&local->loop, UV_RUN_ONCE);
        local->given_inputs = local->input_count;
        local->given_garbage = local->garbage_count;
        release_batch(local);
    }
    uv_walk(&local->loop, close_handle, NULL);
    (void)uv_run(&local->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&local->loop);
    release_batch(local);
    if (local->asks_end[0] >= 0) {
        (void)close(local->asks_end[0]);
    }
    free(local->inputs);
    free(local->messages);
    free(local->garbage);
    free(local->whole);
    free(local->processes);
    free(local->ack_due);
    free(local->slot_taken);
    free(local->failed_on);
    free(local);
}
