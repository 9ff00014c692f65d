/*
 * sim_process.c: the simulated processes: what a command leads to, when it is done, and what may
 * go wrong with it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/draw.h"
#include "exec/sim_state.h"

uint64_t pbt_sim_latency(struct pbt_sim *sim)
{
    bool late = pbt_sim_draw(sim) < sim->rates.late;
    return pbt_sim_spread(sim,
                          late ? sim->rates.late_ns : sim->rates.latency_ns);
}

/* A message to the driver: after all that the process has said before. */
static void tell(struct pbt_sim *sim, uint32_t trial,
                 const struct pbt_input *input)
{
    struct pbt_sim_process *process = &sim->processes[trial];
    uint64_t time = sim->now + pbt_sim_latency(sim);
    time = time <= process->last_news ? process->last_news + 1 : time;
    process->last_news = time;
    struct pbt_sim_item *item = pbt_sim_new_item(sim, time, ITEM_NEWS, trial);
    item->input = *input;
    item->input.trial = trial;
    item->score = process->score;
    item->no_score = process->no_score;
    pbt_sim_push(sim, item);
}

static void die_of(struct pbt_sim *sim, uint32_t trial, struct pbt_input input)
{
    struct pbt_sim_process *process = &sim->processes[trial];
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
    struct pbt_sim_process *process = &sim->processes[trial];
    if (pbt_sim_draw(sim) < sim->rates.hang) {
        process->state = PROCESS_HUNG;
        return;
    }
    process->state = kind == ITEM_STEP ? PROCESS_STEPPING : PROCESS_BUSY;
    struct pbt_sim_item *item = pbt_sim_new_item(
        sim, sim->now + pbt_sim_spread(sim, mean), kind, trial);
    if (command != NULL) {
        item->command = *command;
    }
    pbt_sim_push(sim, item);
}

static void begin_step(struct pbt_sim *sim, uint32_t trial)
{
    begin(sim, trial, ITEM_STEP, sim->rates.step_ns, NULL);
}

/* True: the trial is done. */
static bool train(struct pbt_sim *sim, uint32_t trial)
{
    struct pbt_sim_process *process = &sim->processes[trial];
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

void pbt_sim_end_step(struct pbt_sim *sim, uint32_t trial)
{
    struct pbt_sim_process *process = &sim->processes[trial];
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

void pbt_sim_end_setup(struct pbt_sim *sim, uint32_t trial,
                       const struct pbt_command *command)
{
    struct pbt_sim_process *process = &sim->processes[trial];
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
            pbt_sim_violate(sim, "the checkpoint to load is gone", trial,
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

void pbt_sim_end_save(struct pbt_sim *sim, uint32_t trial,
                      const struct pbt_command *command)
{
    struct pbt_sim_process *process = &sim->processes[trial];
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
        pbt_sim_violate(sim, "an epoch is given out twice", trial, epoch);
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
    struct pbt_sim_process *process = &sim->processes[trial];
    struct pbt_sim_item *item =
        pbt_sim_new_item(sim, sim->now, ITEM_NEWS, trial);
    item->input = (struct pbt_input){.kind = PBT_INPUT_WAITING,
                                     .trial = trial,
                                     .epoch = process->epoch,
                                     .waits = waits,
                                     .text = text};
    process->waits = waits;
    pbt_sim_push(sim, item);
}

void pbt_sim_reach(struct pbt_sim *sim, uint32_t trial,
                   const struct pbt_command *command)
{
    struct pbt_sim_process *process = &sim->processes[trial];
    if (process->state == PROCESS_NONE) {
        return; /* it died meanwhile */
    }
    if (command->kind == PBT_COMMAND_KILL) {
        if (process->waits && !sim->stopping) {
            pbt_sim_violate(sim, "a worker is killed while its save waits",
                            trial, command->epoch);
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
        pbt_sim_violate(
            sim, "a worker that does not rest is told to load, save or stop",
            trial, command->epoch);
    }
}

void pbt_sim_spawn(struct pbt_sim *sim, const struct pbt_job *job)
{
    struct pbt_sim_process *process = &sim->processes[job->trial];
    const struct pbt_command *command = &job->command;
    if (process->state != PROCESS_NONE) {
        pbt_sim_violate(sim, "a second process for one trial", job->trial,
                        command->epoch);
    }
    *process = (struct pbt_sim_process){.state = PROCESS_BUSY,
                                        .spawned = command->process_epoch,
                                        .epoch = command->epoch,
                                        .iteration = command->iteration,
                                        .time_total = command->time_total,
                                        .seed = command->seed,
                                        .last_news = process->last_news,
                                        .last_command = sim->now};
}

void pbt_sim_begin_life(struct pbt_sim *sim, const struct pbt_job *job)
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
        pbt_sim_violate(sim, "a life begins from a checkpoint that is gone",
                        job->trial, command->epoch);
    } else if (command->iteration != (from == NULL ? 0 : from->iteration)) {
        pbt_sim_violate(
            sim, "a life begins at another iteration than its checkpoint's",
            job->trial, command->epoch);
    }
    if (sim->on_life != NULL) {
        sim->on_life(sim->life_user, &life);
    }
}

bool pbt_sim_keep(struct pbt_sim *sim, const struct pbt_job *job)
{
    struct pbt_sim_process *process = &sim->processes[job->trial];
    if (sim->rates.keep == 0 || !sim->rates.can_reset || job->waiting == 0 ||
        process->state != PROCESS_RESTING ||
        pbt_sim_draw(sim) >= sim->rates.keep) {
        return false;
    }
    struct pbt_sim_item *item =
        pbt_sim_new_item(sim, sim->now, ITEM_NEWS, job->trial);
    item->input = (struct pbt_input){.kind = PBT_INPUT_EXITED,
                                     .trial = job->trial,
                                     .epoch = process->spawned,
                                     .text = "its worker goes on elsewhere"};
    pbt_sim_push(sim, item);
    process->state = PROCESS_NONE;
    if (process->seq > 0 && pbt_sim_draw(sim) < sim->rates.stale) {
        tell(sim, job->trial, &process->old);
    }
    return true;
}

uint64_t pbt_sim_wait_for(struct pbt_sim *sim, const struct pbt_job *job)
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
