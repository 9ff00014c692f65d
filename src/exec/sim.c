#include "exec/sim.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/draw.h"
#include "exec/sim_disk.h"
#include "journal/snapshot.h"

/* Of a result: a name and a number. */
#define TEXT_SIZE 320

enum process_state {
    PROCESS_NONE,
    PROCESS_BUSY, /* setting up, loading, saving */
    PROCESS_RESTING,
    PROCESS_STEPPING,
    PROCESS_HUNG,
};

/* The one process that a trial may have. */
struct process {
    enum process_state state;
    uint64_t spawned; /* its name: the epoch of its start */
    uint64_t epoch;
    uint64_t seq;
    int64_t iteration;
    int64_t until;
    bool halt;
    double theta;
    double lr;
    double score;
    bool no_score; /* the last result says nothing of it */
    double time_total;
    uint64_t seed;
    uint64_t last_news;    /* when its last message arrives: order is kept */
    uint64_t last_command; /* when the last command reached it */
    struct pbt_input old;  /* a result of an earlier epoch, to be told again */
    bool has_old;
    bool waits; /* its save does */
};

enum item_kind {
    ITEM_NEWS,    /* an input reaches the driver */
    ITEM_COMMAND, /* a command reaches a process */
    ITEM_STEP,    /* a step is done */
    ITEM_SETUP,   /* a start or load is done */
    ITEM_SAVE,    /* a save is done */
    ITEM_SYNC,    /* a sync is done */
    ITEM_ANSWER,  /* an ask is answered */
};

struct item {
    uint64_t time;
    uint64_t order;
    enum item_kind kind;
    uint32_t trial;
    uint64_t spawned; /* for which process: others are gone */
    struct pbt_input input;
    struct pbt_command command;
    struct pbt_cell *cells;
    double score;
    bool no_score;
    struct pbt_checkpoint_id *synced;
    size_t synced_count;
    size_t length;
};

/* In the queue: what orders it lies here, so that looking for its place reads no item. */
struct queued {
    uint64_t time;
    uint64_t order;
    struct item *item;
};

struct pbt_sim {
    struct pbt_world world; /* first: a pbt_world is the sim */
    const struct pbt_spec *spec;
    struct pbt_sim_rates rates;
    struct pbt_sim_disk *disk;
    uint64_t seed;
    uint64_t draws;
    uint64_t now;
    uint64_t order;
    struct process *processes;
    uint32_t process_count; /* places for one: the population */
    struct queued *heap;
    size_t count;
    size_t capacity;
    bool stop_asked;
    bool stopping;       /* this driver has heard of that */
    uint64_t requests;   /* so far */
    uint32_t unanswered; /* of those that the driver has */
    uint32_t good_syncs; /* until one fails; 0: none does */

    struct pbt_input *inputs; /* of the present batch */
    struct item **given;      /* what they borrow from */
    json_t **metrics;
    char (*texts)[TEXT_SIZE];
    size_t given_count;
    size_t given_capacity;

    uint64_t *seen; /* epochs started or loaded, over all drivers; ascending */
    size_t seen_count;
    size_t seen_capacity;

    char violation[256];
    const struct pbt_sim_model *model; /* NULL: its own */
    void (*on_life)(void *, const struct pbt_sim_life *);
    void *life_user;
    void (*on_ack)(void *, uint32_t, uint64_t, uint64_t);
    void *ack_user;
};

static struct pbt_sim *of(struct pbt_world *world)
{
    return (struct pbt_sim *)world;
}

double pbt_sim_draw(struct pbt_sim *sim)
{
    return (double)(pbt_mix(sim->seed, ++sim->draws) >> 11) * 0x1p-53;
}

static double draw_any(void *user)
{
    return pbt_sim_draw(user);
}

static uint64_t spread(struct pbt_sim *sim, uint64_t mean)
{
    return 1 + (uint64_t)(2 * pbt_sim_draw(sim) * (double)mean);
}

static void violate(struct pbt_sim *sim, const char *what, uint32_t trial,
                    uint64_t epoch)
{
    if (sim->violation[0] == '\0') {
        (void)snprintf(sim->violation, sizeof sim->violation,
                       "%s (trial %" PRIu32 ", epoch %" PRIu64 ")", what, trial,
                       epoch);
    }
}

/* --- the queue of what will happen ------------------------------------------ */

static bool comes_first(const struct queued *a, const struct queued *b)
{
    return a->time != b->time ? a->time < b->time : a->order < b->order;
}

static void item_free(struct item *item)
{
    if (item != NULL) {
        free(item->cells);
        free(item->synced);
        free(item);
    }
}

static struct item *new_item(struct pbt_sim *sim, uint64_t time,
                             enum item_kind kind, uint32_t trial)
{
    struct item *item = calloc(1, sizeof *item);
    if (item == NULL) {
        abort(); /* a test program */
    }
    item->time = time;
    item->order = sim->order++;
    item->kind = kind;
    item->trial = trial;
    item->spawned = sim->processes[trial].spawned;
    return item;
}

static void push(struct pbt_sim *sim, struct item *item)
{
    if (sim->count == sim->capacity) {
        sim->capacity = sim->capacity == 0 ? 64 : 2 * sim->capacity;
        sim->heap = realloc(sim->heap, sim->capacity * sizeof *sim->heap);
        if (sim->heap == NULL) {
            abort();
        }
    }
    struct queued queued = {item->time, item->order, item};
    size_t at = sim->count++;
    while (at > 0 && comes_first(&queued, &sim->heap[(at - 1) / 2])) {
        sim->heap[at] = sim->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    sim->heap[at] = queued;
}

static struct item *pop(struct pbt_sim *sim)
{
    struct item *top = sim->heap[0].item;
    const struct queued *last = &sim->heap[--sim->count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= sim->count) {
            break;
        }
        if (child + 1 < sim->count &&
            comes_first(&sim->heap[child + 1], &sim->heap[child])) {
            child++;
        }
        if (!comes_first(&sim->heap[child], last)) {
            break;
        }
        sim->heap[at] = sim->heap[child];
        at = child;
    }
    sim->heap[at] = *last;
    /* The analyser doesn't see that heap[0] is another one each time. */
    return top; /* NOLINT(clang-analyzer-unix.Malloc) */
}

static void empty_queue(struct pbt_sim *sim)
{
    while (sim->count > 0) {
        item_free(sim->heap[--sim->count].item);
    }
}

/* --- processes --------------------------------------------------------------- */

static uint64_t latency(struct pbt_sim *sim)
{
    bool late = pbt_sim_draw(sim) < sim->rates.late;
    return spread(sim, late ? sim->rates.late_ns : sim->rates.latency_ns);
}

/* A message to the driver: after all that the process has said before. */
static void tell(struct pbt_sim *sim, uint32_t trial,
                 const struct pbt_input *input)
{
    struct process *process = &sim->processes[trial];
    uint64_t time = sim->now + latency(sim);
    time = time <= process->last_news ? process->last_news + 1 : time;
    process->last_news = time;
    struct item *item = new_item(sim, time, ITEM_NEWS, trial);
    item->input = *input;
    item->input.trial = trial;
    item->score = process->score;
    item->no_score = process->no_score;
    push(sim, item);
}

static void die_of(struct pbt_sim *sim, uint32_t trial, struct pbt_input input)
{
    struct process *process = &sim->processes[trial];
    input.kind = PBT_INPUT_EXITED;
    input.epoch = process->spawned;
    tell(sim, trial, &input);
    process->state = PROCESS_NONE;
}

static void die(struct pbt_sim *sim, uint32_t trial, int exit_code, int signal)
{
    die_of(
        sim, trial,
        (struct pbt_input){.exit_code = exit_code,
                           .signal = signal,
                           .text = exit_code != 0 ? "its last words" : NULL});
}

static void begin(struct pbt_sim *sim, uint32_t trial, enum item_kind kind,
                  uint64_t mean, const struct pbt_command *command)
{
    struct process *process = &sim->processes[trial];
    if (pbt_sim_draw(sim) < sim->rates.hang) {
        process->state = PROCESS_HUNG;
        return;
    }
    process->state = kind == ITEM_STEP ? PROCESS_STEPPING : PROCESS_BUSY;
    struct item *item =
        new_item(sim, sim->now + spread(sim, mean), kind, trial);
    if (command != NULL) {
        item->command = *command;
    }
    push(sim, item);
}

static void begin_step(struct pbt_sim *sim, uint32_t trial)
{
    begin(sim, trial, ITEM_STEP, sim->rates.step_ns, NULL);
}

/* True: the trial is done. */
static bool train(struct pbt_sim *sim, uint32_t trial)
{
    struct process *process = &sim->processes[trial];
    bool done = false;
    if (sim->model != NULL) {
        process->score = sim->model->step(sim->model->user, trial, &done);
        return done;
    }
    double noise =
        (double)(pbt_mix(process->seed, (uint64_t)process->iteration) >> 11) *
        0x1p-53;
    process->theta += process->lr * noise;
    process->score = process->theta;
    return false;
}

static void end_step(struct pbt_sim *sim, uint32_t trial)
{
    struct process *process = &sim->processes[trial];
    if (pbt_sim_draw(sim) < sim->rates.crash_step) {
        die(sim, trial, 0, 11);
        return;
    }
    bool done = train(sim, trial);
    process->iteration++;
    process->seq++;
    process->time_total += (double)sim->rates.step_ns * 1e-9;
    if (pbt_sim_draw(sim) < sim->rates.nan_score) {
        process->score = (double)NAN;
    }
    process->no_score = pbt_sim_draw(sim) < sim->rates.no_score;
    if (process->no_score) {
        process->score = (double)NAN;
    }
    bool halted = done || process->halt || process->iteration >= process->until;
    struct pbt_input input = {.kind = PBT_INPUT_RESULT,
                              .epoch = process->epoch,
                              .seq = process->seq,
                              .iteration = process->iteration,
                              .time_this_iter_s = 0.5,
                              .time_total_s = process->time_total,
                              .halted = halted,
                              .done = done};
    tell(sim, trial, &input);
    if (pbt_sim_draw(sim) < sim->rates.duplicate) {
        tell(sim, trial, &input);
    }
    if (process->has_old && pbt_sim_draw(sim) < sim->rates.stale) {
        tell(sim, trial, &process->old);
    }
    if (halted) {
        process->state = PROCESS_RESTING;
        process->halt = false;
        process->old = input;
    } else {
        begin_step(sim, trial);
    }
}

static void end_setup(struct pbt_sim *sim, uint32_t trial,
                      const struct pbt_command *command)
{
    struct process *process = &sim->processes[trial];
    if (pbt_sim_draw(sim) < sim->rates.crash_setup) {
        die(sim, trial, 1, 0);
        return;
    }
    process->theta = 0;
    if (command->checkpoint.number != 0) {
        struct pbt_sim_checkpoint *from =
            pbt_sim_disk_find(sim->disk, command->checkpoint);
        bool lost = pbt_sim_disk_is_lost(sim->disk, command->checkpoint);
        if (from == NULL && !lost) {
            violate(sim, "the checkpoint to load is gone", trial,
                    command->epoch);
            return;
        }
        if (from == NULL || from->damaged ||
            pbt_sim_draw(sim) < sim->rates.damage) {
            if (from != NULL) {
                from->damaged = true;
            }
            struct pbt_input bad = {.kind = PBT_INPUT_BAD,
                                    .checkpoint = command->checkpoint,
                                    .text = "damaged by the simulator"};
            tell(sim, trial, &bad);
            process->state = PROCESS_HUNG; /* until it is killed */
            return;
        }
        process->theta = from->theta;
    }
    process->state = PROCESS_RESTING;
    struct pbt_input input = {.kind = PBT_INPUT_READY,
                              .epoch = command->epoch,
                              .iteration = command->iteration,
                              .can_reset = sim->rates.can_reset};
    if (command->kind == PBT_COMMAND_START) {
        input.pid = 1000 + (int64_t)trial;
        input.host = "node";
        input.client = "sim 1";
    }
    tell(sim, trial, &input);
}

static void end_save(struct pbt_sim *sim, uint32_t trial,
                     const struct pbt_command *command)
{
    struct process *process = &sim->processes[trial];
    if (pbt_sim_draw(sim) < sim->rates.crash_save) {
        die(sim, trial, 0, 9);
        return;
    }
    if (sim->rates.full > 0 && pbt_sim_draw(sim) < sim->rates.full) {
        die_of(sim, trial, (struct pbt_input){.exit_code = 1, .no_room = true});
        return;
    }
    struct pbt_sim_checkpoint saved = {.id = command->checkpoint,
                                       .iteration = process->iteration,
                                       .theta = process->theta,
                                       .score = process->score,
                                       .bytes = 1 + process->seq % 7 * 100,
                                       .epoch = process->epoch,
                                       .seq = process->seq,
                                       .present = true};
    if (!pbt_sim_disk_put(sim->disk, &saved)) {
        abort();
    }
    process->state = PROCESS_RESTING;
    if (sim->model != NULL) {
        sim->model->save(sim->model->user, command->checkpoint);
    }
    struct pbt_input input = {.kind = PBT_INPUT_SAVED,
                              .epoch = process->epoch,
                              .checkpoint = command->checkpoint,
                              .bytes = saved.bytes};
    tell(sim, trial, &input);
}

static size_t epochs_before(const struct pbt_sim *sim, uint64_t epoch)
{
    size_t begin = 0;
    size_t end = sim->seen_count;
    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;
        if (sim->seen[middle] < epoch) {
            begin = middle + 1;
        } else {
            end = middle;
        }
    }
    return begin;
}

/* Two lives may never have one name, whatever was lost in between. */
static void see_epoch(struct pbt_sim *sim, uint32_t trial, uint64_t epoch)
{
    size_t at = epochs_before(sim, epoch);
    if (at < sim->seen_count && sim->seen[at] == epoch) {
        violate(sim, "an epoch is given out twice", trial, epoch);
        return;
    }
    if (sim->seen_count == sim->seen_capacity) {
        sim->seen_capacity =
            sim->seen_capacity == 0 ? 64 : 2 * sim->seen_capacity;
        sim->seen = realloc(sim->seen, sim->seen_capacity * sizeof *sim->seen);
        if (sim->seen == NULL) {
            abort();
        }
    }
    memmove(&sim->seen[at + 1], &sim->seen[at],
            (sim->seen_count++ - at) * sizeof *sim->seen);
    sim->seen[at] = epoch;
}

/* The driver hears of it at once: not the worker says so. */
static void tell_waiting(struct pbt_sim *sim, uint32_t trial, bool waits,
                         const char *text)
{
    struct process *process = &sim->processes[trial];
    struct item *item = new_item(sim, sim->now, ITEM_NEWS, trial);
    item->input = (struct pbt_input){.kind = PBT_INPUT_WAITING,
                                     .trial = trial,
                                     .epoch = process->epoch,
                                     .waits = waits,
                                     .text = text};
    process->waits = waits;
    push(sim, item);
}

static void reach_process(struct pbt_sim *sim, uint32_t trial,
                          const struct pbt_command *command)
{
    struct process *process = &sim->processes[trial];
    if (process->state == PROCESS_NONE) {
        return; /* it died meanwhile */
    }
    if (command->kind == PBT_COMMAND_KILL) {
        if (process->waits && !sim->stopping) {
            violate(sim, "a worker is killed while its save waits", trial,
                    command->epoch);
        }
        die(sim, trial, 0, 9);
        return;
    }
    if (process->waits && command->kind == PBT_COMMAND_SAVE) {
        tell_waiting(sim, trial, false, NULL);
    }
    if (process->state == PROCESS_HUNG) {
        return;
    }
    bool resting = process->state == PROCESS_RESTING;
    switch (command->kind) {
    case PBT_COMMAND_START:
        begin(sim, trial, ITEM_SETUP, sim->rates.setup_ns, command);
        break;
    case PBT_COMMAND_LOAD:
        process->has_old = process->seq > 0;
        process->epoch = command->epoch;
        process->seq = 0;
        process->iteration = command->iteration;
        process->time_total = command->time_total;
        process->seed = command->seed;
        begin(sim, trial, ITEM_SETUP, sim->rates.setup_ns, command);
        break;
    case PBT_COMMAND_RUN:
        process->until = command->until;
        if (resting && process->iteration < process->until) {
            begin_step(sim, trial);
        }
        break;
    case PBT_COMMAND_SAVE:
        begin(sim, trial, ITEM_SAVE, sim->rates.save_ns, command);
        break;
    case PBT_COMMAND_HALT:
        if (resting) {
            struct pbt_input input = {.kind = PBT_INPUT_HALTED,
                                      .epoch = process->epoch};
            tell(sim, trial, &input);
        } else {
            process->halt = true;
        }
        break;
    case PBT_COMMAND_STOP:
        die(sim, trial, 0, 0);
        break;
    case PBT_COMMAND_NONE:
    case PBT_COMMAND_KILL:
    case PBT_COMMAND_ASK:
        break;
    }
    bool needs_rest = command->kind == PBT_COMMAND_LOAD ||
                      command->kind == PBT_COMMAND_SAVE ||
                      command->kind == PBT_COMMAND_STOP;
    if (needs_rest && !resting) {
        violate(sim,
                "a worker that does not rest is told to load, save or stop",
                trial, command->epoch);
    }
}

static void spawn(struct pbt_sim *sim, const struct pbt_job *job)
{
    struct process *process = &sim->processes[job->trial];
    const struct pbt_command *command = &job->command;
    if (process->state != PROCESS_NONE) {
        violate(sim, "a second process for one trial", job->trial,
                command->epoch);
    }
    *process = (struct process){.state = PROCESS_BUSY,
                                .spawned = command->process_epoch,
                                .epoch = command->epoch,
                                .iteration = command->iteration,
                                .time_total = command->time_total,
                                .seed = command->seed,
                                .last_news = process->last_news,
                                .last_command = sim->now};
}

static void begin_life(struct pbt_sim *sim, const struct pbt_job *job)
{
    const struct pbt_command *command = &job->command;
    see_epoch(sim, job->trial, command->epoch);
    sim->processes[job->trial].lr = sim->spec->settings.space.count > 0
                                        ? pbt_cell_number(command->cells[0])
                                        : 1;
    struct pbt_sim_life life = {.trial = job->trial,
                                .epoch = command->epoch,
                                .seed = command->seed,
                                .start = command->kind == PBT_COMMAND_START,
                                .checkpoint = command->checkpoint,
                                .iteration = command->iteration,
                                .config = job->json};
    const struct pbt_sim_checkpoint *from =
        pbt_sim_disk_find(sim->disk, command->checkpoint);
    if (command->checkpoint.number != 0 && from == NULL) {
        violate(sim, "a life begins from a checkpoint that is gone", job->trial,
                command->epoch);
    } else if (command->iteration != (from == NULL ? 0 : from->iteration)) {
        violate(sim, "a life begins at another iteration than its checkpoint's",
                job->trial, command->epoch);
    }
    if (sim->on_life != NULL) {
        sim->on_life(sim->life_user, &life);
    }
}

/*
 * A worker is kept for another trial: its present one's process has ended at once as far as
 * the driver knows, before it could be told to stop.  What it has said may still be under
 * way.
 */
static bool keep(struct pbt_sim *sim, const struct pbt_job *job)
{
    struct process *process = &sim->processes[job->trial];
    if (sim->rates.keep == 0 || !sim->rates.can_reset || job->waiting == 0 ||
        process->state != PROCESS_RESTING ||
        pbt_sim_draw(sim) >= sim->rates.keep) {
        return false;
    }
    struct item *item = new_item(sim, sim->now, ITEM_NEWS, job->trial);
    item->input = (struct pbt_input){.kind = PBT_INPUT_EXITED,
                                     .trial = job->trial,
                                     .epoch = process->spawned,
                                     .text = "its worker goes on elsewhere"};
    push(sim, item);
    process->state = PROCESS_NONE;
    if (process->seq > 0 && pbt_sim_draw(sim) < sim->rates.stale) {
        tell(sim, job->trial, &process->old);
    }
    return true;
}

/* A save has to wait, for others or for room: by far longer than any time-out. */
static uint64_t wait_for(struct pbt_sim *sim, const struct pbt_job *job)
{
    if (job->command.kind != PBT_COMMAND_SAVE || sim->rates.wait == 0 ||
        sim->processes[job->trial].state == PROCESS_NONE ||
        pbt_sim_draw(sim) >= sim->rates.wait) {
        return 0;
    }
    bool room = pbt_sim_draw(sim) < 0.5;
    tell_waiting(sim, job->trial, true, room ? "simulated" : NULL);
    return 100 * sim->rates.step_ns;
}

/* --- the world's three functions ------------------------------------------------ */

static void submit_command(struct pbt_sim *sim, const struct pbt_job *job)
{
    const struct pbt_command *command = &job->command;
    if (command->kind == PBT_COMMAND_STOP && keep(sim, job)) {
        return;
    }
    if (command->kind == PBT_COMMAND_START) {
        spawn(sim, job);
    }
    if (command->kind == PBT_COMMAND_START ||
        command->kind == PBT_COMMAND_LOAD) {
        begin_life(sim, job);
    }
    struct process *process = &sim->processes[job->trial];
    uint64_t time = sim->now + latency(sim);
    if (time <= process->last_command) {
        time = process->last_command + 1;
    }
    process->last_command = time;
    struct item *item =
        new_item(sim, time + wait_for(sim, job), ITEM_COMMAND, job->trial);
    item->spawned = command->process_epoch;
    item->command = *command;
    push(sim, item);
}

static void submit_ask(struct pbt_sim *sim, const struct pbt_job *job)
{
    struct item *item =
        new_item(sim, sim->now + latency(sim) + spread(sim, sim->rates.ask_ns),
                 ITEM_ANSWER, job->trial);
    uint32_t count = sim->spec->settings.space.count;
    item->command = job->command;
    if (pbt_sim_draw(sim) >= sim->rates.ask_fails) {
        item->cells = calloc(count + 1, sizeof *item->cells);
        if (item->cells == NULL) {
            abort();
        }
        memcpy(item->cells, job->command.cells, count * sizeof *item->cells);
        /* Whoever asks again gets the same. */
        for (uint32_t i = 0; i < count; i++) {
            if (item->cells[i].type == PBT_CELL_NONE) {
                double unit =
                    (double)(pbt_mix(job->command.seed, i) >> 11) * 0x1p-53;
                item->cells[i] =
                    i % 2 == 0 ? pbt_cell_real(unit) : pbt_cell_int(job->trial);
            }
        }
        if (sim->model != NULL) {
            sim->model->explore(sim->model->user, job, item->cells);
        }
    }
    push(sim, item);
}

static void submit_sync(struct pbt_sim *sim, const struct pbt_job *job)
{
    struct item *item =
        new_item(sim, sim->now + spread(sim, sim->rates.sync_ns), ITEM_SYNC, 0);
    item->input = (struct pbt_input){.kind = PBT_INPUT_SYNCED, .seq = job->seq};
    if (sim->good_syncs > 0 && --sim->good_syncs == 0) {
        item->input.text = "the simulated disk fails to sync";
    }
    item->synced_count = job->checkpoint_count;
    item->synced = calloc(job->checkpoint_count + 1, sizeof *item->synced);
    pbt_sim_disk_sync_begin(sim->disk);
    if (item->synced == NULL ||
        pbt_journal_sync(job->journal, NULL) != PBT_OK) {
        abort();
    }
    pbt_sim_disk_sync_mark_end(sim->disk);
    if (job->checkpoint_count > 0) {
        memcpy(item->synced, job->checkpoints,
               job->checkpoint_count * sizeof *item->synced);
    }
    push(sim, item);
}

static void take_reply(struct pbt_sim *sim, const struct pbt_job *job)
{
    if (sim->unanswered == 0 || job->seq == 0 || job->seq > sim->requests ||
        job->answer->ok == (job->answer->error[0] != '\0')) {
        violate(sim, "a reply to what was not asked", 0, job->seq);
        return;
    }
    sim->unanswered--;
}

static int sim_submit(struct pbt_world *world, const struct pbt_job *job,
                      struct pbt_error *error)
{
    struct pbt_sim *sim = of(world);
    (void)error;
    switch (job->kind) {
    case PBT_JOB_COMMAND:
        if (job->command.kind == PBT_COMMAND_ASK) {
            submit_ask(sim, job);
        } else {
            submit_command(sim, job);
        }
        break;
    case PBT_JOB_ACK:
        if (sim->on_ack != NULL) {
            sim->on_ack(sim->ack_user, job->trial, job->epoch, job->seq);
        }
        break;
    case PBT_JOB_SYNC:
        submit_sync(sim, job);
        break;
    case PBT_JOB_SNAPSHOT:
        /* It may fail with the process, and nobody hears of it. */
        (void)pbt_snapshot_store(
            pbt_sim_disk_files(sim->disk), job->snapshot_dir, job->seq,
            job->snapshot->data, job->snapshot->length, NULL);
        break;
    case PBT_JOB_REPLY:
        take_reply(sim, job);
        break;
    case PBT_JOB_UNLINK: {
        struct pbt_sim_checkpoint *checkpoint =
            pbt_sim_disk_find(sim->disk, job->checkpoint);
        if (checkpoint != NULL) {
            checkpoint->present = false;
        } else if (!pbt_sim_disk_is_lost(sim->disk, job->checkpoint)) {
            violate(sim, "an unlink of what is not there", job->trial, 0);
        }
        break;
    }
    }
    return PBT_OK;
}

static uint64_t sim_now(struct pbt_world *world)
{
    return of(world)->now;
}

static void release_given(struct pbt_sim *sim)
{
    for (size_t i = 0; i < sim->given_count; i++) {
        item_free(sim->given[i]);
        json_decref(sim->metrics[i]);
    }
    sim->given_count = 0;
}

static void reserve_given(struct pbt_sim *sim)
{
    if (sim->given_count < sim->given_capacity) {
        return;
    }
    size_t n = sim->given_capacity == 0 ? 64 : 2 * sim->given_capacity;
    sim->given = realloc(sim->given, n * sizeof *sim->given);
    sim->inputs = realloc(sim->inputs, n * sizeof *sim->inputs);
    sim->metrics = realloc(sim->metrics, n * sizeof(json_t *));
    sim->texts = realloc(sim->texts, n * sizeof *sim->texts);
    if (sim->given == NULL || sim->inputs == NULL || sim->metrics == NULL ||
        sim->texts == NULL) {
        abort();
    }
    sim->given_capacity = n;
}

static json_t *score_json(double score)
{
    return isnan(score) ? json_string("NaN") : json_real(score);
}

/* Hands an input to the driver with the next batch. */
static void give(struct pbt_sim *sim, struct item *item)
{
    reserve_given(sim);
    size_t at = sim->given_count++;
    sim->given[at] = item;
    sim->inputs[at] = item->input;
    sim->metrics[at] = NULL;
    if (item->input.kind == PBT_INPUT_RESULT) {
        sim->metrics[at] = json_object();
        (void)json_object_set_new(sim->metrics[at],
                                  item->no_score ? "other" : sim->spec->metric,
                                  score_json(item->score));
    }
}

/* The texts are set last: the arrays may have moved while they grew. */
static void finish_given(struct pbt_sim *sim)
{
    for (size_t i = 0; i < sim->given_count; i++) {
        if (sim->metrics[i] == NULL) {
            continue;
        }
        double score = sim->given[i]->score;
        const char *name =
            sim->given[i]->no_score ? "other" : sim->spec->metric;
        int n = isnan(score) ? snprintf(sim->texts[i], TEXT_SIZE,
                                        "{\"%s\":\"NaN\"}", name)
                             : snprintf(sim->texts[i], TEXT_SIZE,
                                        "{\"%s\":%.17g}", name, score);
        sim->inputs[i].metrics = sim->texts[i];
        sim->inputs[i].metrics_length = (size_t)n;
        sim->inputs[i].metrics_json = sim->metrics[i];
    }
}

static void happen(struct pbt_sim *sim, struct item *item)
{
    struct process *process = &sim->processes[item->trial];
    bool alive =
        process->state != PROCESS_NONE && process->spawned == item->spawned;
    switch (item->kind) {
    case ITEM_NEWS:
        sim->unanswered += item->input.kind == PBT_INPUT_REQUEST ? 1 : 0;
        sim->stopping =
            sim->stopping || (item->input.kind == PBT_INPUT_REQUEST &&
                              item->input.request == PBT_CONTROL_STOP &&
                              item->input.trial == PBT_ALL_TRIALS);
        give(sim, item);
        return;
    case ITEM_SYNC:
        if (item->input.text != NULL) {
            give(sim, item);
            return;
        }
        pbt_sim_disk_sync_done(sim->disk);
        for (size_t i = 0; i < item->synced_count; i++) {
            struct pbt_sim_checkpoint *checkpoint =
                pbt_sim_disk_find(sim->disk, item->synced[i]);
            if (checkpoint != NULL) {
                checkpoint->durable = true;
            }
        }
        give(sim, item);
        return;
    case ITEM_ANSWER:
        item->input = (struct pbt_input){.kind = PBT_INPUT_ANSWERED,
                                         .trial = item->trial,
                                         .epoch = item->command.epoch,
                                         .seq = item->command.ask,
                                         .cells = item->cells,
                                         .text = "the simulator says no"};
        give(sim, item);
        return;
    case ITEM_COMMAND:
        if (alive) {
            reach_process(sim, item->trial, &item->command);
        }
        break;
    case ITEM_STEP:
        if (alive && process->state == PROCESS_STEPPING) {
            end_step(sim, item->trial);
        }
        break;
    case ITEM_SETUP:
        if (alive && process->state == PROCESS_BUSY) {
            end_setup(sim, item->trial, &item->command);
        }
        break;
    case ITEM_SAVE:
        if (alive && process->state == PROCESS_BUSY) {
            end_save(sim, item->trial, &item->command);
        }
        break;
    }
    item_free(item);
}

static int sim_next_batch(struct pbt_world *world, uint64_t deadline,
                          struct pbt_input_batch *batch,
                          struct pbt_error *error)
{
    struct pbt_sim *sim = of(world);
    release_given(sim);
    if (sim->unanswered > 0) {
        violate(sim, "a request was not answered within its turn", 0, 0);
    }
    if (sim->stop_asked) {
        sim->stop_asked = false;
        struct item *item = new_item(sim, sim->now, ITEM_NEWS, 0);
        item->input = (struct pbt_input){.kind = PBT_INPUT_STOP};
        sim->stopping = true;
        give(sim, item);
    }
    while (sim->given_count == 0 && sim->count > 0 &&
           sim->heap[0].time <= deadline) {
        struct item *item = pop(sim);
        sim->now = item->time > sim->now ? item->time : sim->now;
        happen(sim, item);
    }
    uint64_t window = sim->now + sim->rates.window_ns;
    while (sim->given_count > 0 && sim->count > 0 &&
           sim->heap[0].time <= window) {
        struct item *item = pop(sim);
        sim->now = item->time > sim->now ? item->time : sim->now;
        happen(sim, item);
    }
    if (sim->given_count == 0) {
        if (deadline == UINT64_MAX) {
            return pbt_error_set(error, PBT_EINTERNAL,
                                 "stuck: nothing will ever happen again");
        }
        sim->now = deadline > sim->now ? deadline : sim->now;
    }
    finish_given(sim);
    batch->inputs = sim->inputs;
    batch->count = sim->given_count;
    return PBT_OK;
}

/* --- from outside ------------------------------------------------------------------ */

struct pbt_sim *pbt_sim_create(const struct pbt_spec *spec, uint64_t seed,
                               const struct pbt_sim_rates *rates)
{
    static const struct pbt_world_ops OPS = {sim_next_batch, sim_now,
                                             sim_submit};
    struct pbt_sim *sim = calloc(1, sizeof *sim);
    if (sim == NULL) {
        return NULL;
    }
    sim->world.ops = &OPS;
    sim->spec = spec;
    sim->seed = pbt_mix(0x73696d, seed);
    sim->rates = *rates;
    sim->now = 1000000000;
    sim->disk = pbt_sim_disk_create();
    if (sim->disk == NULL || !pbt_sim_grow(sim)) {
        pbt_sim_destroy(sim);
        return NULL;
    }
    return sim;
}

bool pbt_sim_grow(struct pbt_sim *sim)
{
    uint32_t count = sim->spec->settings.population;
    struct process *grown =
        realloc(sim->processes, count * sizeof *sim->processes);
    if (grown == NULL) {
        return false;
    }
    sim->processes = grown;
    for (; sim->process_count < count; sim->process_count++) {
        grown[sim->process_count] = (struct process){.state = PROCESS_NONE};
    }
    return true;
}

void pbt_sim_destroy(struct pbt_sim *sim)
{
    if (sim == NULL) {
        return;
    }
    release_given(sim);
    empty_queue(sim);
    free(sim->heap);
    free(sim->given);
    free(sim->inputs);
    free(sim->metrics);
    free(sim->texts);
    free(sim->seen);
    free(sim->processes);
    pbt_sim_disk_destroy(sim->disk);
    free(sim);
}

struct pbt_world *pbt_sim_world(struct pbt_sim *sim)
{
    return &sim->world;
}

struct pbt_files *pbt_sim_files(struct pbt_sim *sim)
{
    return pbt_sim_disk_files(sim->disk);
}

void pbt_sim_calm(struct pbt_sim *sim)
{
    struct pbt_sim_rates *rates = &sim->rates;
    rates->crash_step = rates->crash_setup = rates->crash_save = 0;
    rates->no_score = rates->hang = rates->nan_score = rates->damage = 0;
    rates->duplicate = rates->stale = rates->ask_fails = rates->late = 0;
    rates->wait = rates->full = 0;
}

/* Somebody tidies up while no driver looks. */
static void lose_one(void *user, struct pbt_sim_checkpoint *checkpoint)
{
    struct pbt_sim *sim = user;
    if (sim->rates.lose > 0 && pbt_sim_draw(sim) < sim->rates.lose) {
        checkpoint->present = false;
        checkpoint->lost = true;
    }
}

void pbt_sim_kill(struct pbt_sim *sim)
{
    release_given(sim);
    empty_queue(sim);
    for (uint32_t i = 0; i < sim->spec->settings.population; i++) {
        sim->processes[i] = (struct process){.state = PROCESS_NONE};
    }
    pbt_sim_disk_sync_forget(sim->disk);
    sim->stop_asked = false;
    sim->stopping = false;
    sim->unanswered = 0;
    sim->good_syncs = 0;
    sim->now += spread(sim, 1000000000);
    pbt_sim_disk_each(sim->disk, lose_one, sim);
}

void pbt_sim_power_loss(struct pbt_sim *sim)
{
    pbt_sim_kill(sim);
    pbt_sim_disk_power_loss(sim->disk, draw_any, sim);
}

void pbt_sim_ask_stop(struct pbt_sim *sim)
{
    sim->stop_asked = true;
}

void pbt_sim_ask_request(struct pbt_sim *sim, uint64_t delay,
                         enum pbt_control_kind kind, uint32_t trial)
{
    struct item *item = new_item(sim, sim->now + delay, ITEM_NEWS, 0);
    item->input = (struct pbt_input){.kind = PBT_INPUT_REQUEST,
                                     .trial = trial,
                                     .request = kind,
                                     .seq = ++sim->requests};
    push(sim, item);
}

void pbt_sim_ask_capacity(struct pbt_sim *sim, uint64_t delay, uint32_t slots)
{
    struct item *item = new_item(sim, sim->now + delay, ITEM_NEWS, 0);
    item->input =
        (struct pbt_input){.kind = PBT_INPUT_CAPACITY, .slots = slots};
    push(sim, item);
}

void pbt_sim_die_at(struct pbt_sim *sim, uint32_t operations)
{
    pbt_sim_disk_die_at(sim->disk, operations, draw_any, sim);
}

void pbt_sim_fail_sync(struct pbt_sim *sim, uint32_t number)
{
    sim->good_syncs = number;
}

bool pbt_sim_died(const struct pbt_sim *sim)
{
    return pbt_sim_disk_died(sim->disk);
}

static void sweep_one(void *user, struct pbt_sim_checkpoint *checkpoint)
{
    struct pbt_core_checkpoint ignored;
    if (!pbt_core_checkpoint(user, checkpoint->id, &ignored)) {
        checkpoint->present = false;
    }
}

int pbt_sim_sweep(void *user, const struct pbt_core *core,
                  struct pbt_error *error)
{
    struct pbt_sim *sim = user;
    (void)error;
    pbt_sim_disk_each(sim->disk, sweep_one, (void *)(uintptr_t)core);
    return PBT_OK;
}

static void count_one(void *user, struct pbt_sim_checkpoint *checkpoint)
{
    (void)checkpoint;
    ++*(size_t *)user;
}

size_t pbt_sim_checkpoint_count(struct pbt_sim *sim)
{
    size_t count = 0;
    pbt_sim_disk_each(sim->disk, count_one, &count);
    return count;
}

uint32_t pbt_sim_processes(const struct pbt_sim *sim)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < sim->spec->settings.population; i++) {
        count += sim->processes[i].state != PROCESS_NONE ? 1 : 0;
    }
    return count;
}

int pbt_sim_checkpoint_check(void *user, struct pbt_checkpoint_id id,
                             bool whole, struct pbt_error *why)
{
    struct pbt_sim *sim = user;
    const struct pbt_sim_checkpoint *found = pbt_sim_disk_find(sim->disk, id);
    if (found == NULL) {
        if (!pbt_sim_disk_is_lost(sim->disk, id)) {
            violate(sim, "a checkpoint with a record is gone", id.trial,
                    id.number);
        }
        return pbt_error_set(why, PBT_EDATA, "gone");
    }
    return whole && found->damaged
               ? pbt_error_set(why, PBT_EDATA, "damaged by a power loss")
               : PBT_OK;
}

const struct pbt_sim_checkpoint *pbt_sim_checkpoint(const struct pbt_sim *sim,
                                                    struct pbt_checkpoint_id id)
{
    return pbt_sim_disk_find(sim->disk, id);
}

bool pbt_sim_is_lost(const struct pbt_sim *sim, struct pbt_checkpoint_id id)
{
    return pbt_sim_disk_is_lost(sim->disk, id);
}

const char *pbt_sim_violation(const struct pbt_sim *sim)
{
    return sim->violation[0] == '\0' ? NULL : sim->violation;
}

void pbt_sim_on_life(struct pbt_sim *sim,
                     void (*fn)(void *user, const struct pbt_sim_life *life),
                     void *user)
{
    sim->on_life = fn;
    sim->life_user = user;
}

void pbt_sim_set_model(struct pbt_sim *sim, const struct pbt_sim_model *model)
{
    sim->model = model;
}

void pbt_sim_on_ack(struct pbt_sim *sim,
                    void (*fn)(void *user, uint32_t trial, uint64_t epoch,
                               uint64_t seq),
                    void *user)
{
    sim->on_ack = fn;
    sim->ack_user = user;
}
