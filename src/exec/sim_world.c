/*
 * sim_world.c: the simulated world's three functions, as driver/world.h wants them.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/draw.h"
#include "exec/sim_state.h"
#include "journal/snapshot.h"

static struct pbt_sim *of(struct pbt_world *world)
{
    return (struct pbt_sim *)world;
}

static void submit_command(struct pbt_sim *sim, const struct pbt_job *job)
{
    const struct pbt_command *command = &job->command;
    if (command->kind == PBT_COMMAND_STOP && pbt_sim_keep(sim, job)) {
        return;
    }
    if (command->kind == PBT_COMMAND_START) {
        pbt_sim_spawn(sim, job);
    }
    if (command->kind == PBT_COMMAND_START ||
        command->kind == PBT_COMMAND_LOAD) {
        pbt_sim_begin_life(sim, job);
    }
    struct pbt_sim_process *process = &sim->processes[job->trial];
    uint64_t time = sim->now + pbt_sim_latency(sim);
    if (time <= process->last_command) {
        time = process->last_command + 1;
    }
    process->last_command = time;
    struct pbt_sim_item *item = pbt_sim_new_item(
        sim, time + pbt_sim_wait_for(sim, job), ITEM_COMMAND, job->trial);
    item->spawned = command->process_epoch;
    item->command = *command;
    pbt_sim_push(sim, item);
}

static void submit_ask(struct pbt_sim *sim, const struct pbt_job *job)
{
    struct pbt_sim_item *item =
        pbt_sim_new_item(sim,
                         sim->now + pbt_sim_latency(sim) +
                             pbt_sim_spread(sim, sim->rates.ask_ns),
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
    pbt_sim_push(sim, item);
}

static void submit_sync(struct pbt_sim *sim, const struct pbt_job *job)
{
    struct pbt_sim_item *item = pbt_sim_new_item(
        sim, sim->now + pbt_sim_spread(sim, sim->rates.sync_ns), ITEM_SYNC, 0);
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
    pbt_sim_push(sim, item);
}

static void take_reply(struct pbt_sim *sim, const struct pbt_job *job)
{
    if (sim->unanswered == 0 || job->seq == 0 || job->seq > sim->requests ||
        job->answer->ok == (job->answer->error[0] != '\0')) {
        pbt_sim_violate(sim, "a reply to what was not asked", 0, job->seq);
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
            pbt_sim_violate(sim, "an unlink of what is not there", job->trial,
                            0);
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

void pbt_sim_release(struct pbt_sim *sim)
{
    for (size_t i = 0; i < sim->given_count; i++) {
        pbt_sim_item_free(sim->given[i]);
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
static void give(struct pbt_sim *sim, struct pbt_sim_item *item)
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
        int n = isnan(score) ? snprintf(sim->texts[i], PBT_SIM_TEXT_SIZE,
                                        "{\"%s\":\"NaN\"}", name)
                             : snprintf(sim->texts[i], PBT_SIM_TEXT_SIZE,
                                        "{\"%s\":%.17g}", name, score);
        sim->inputs[i].metrics = sim->texts[i];
        sim->inputs[i].metrics_length = (size_t)n;
        sim->inputs[i].metrics_json = sim->metrics[i];
    }
}

static void happen(struct pbt_sim *sim, struct pbt_sim_item *item)
{
    struct pbt_sim_process *process = &sim->processes[item->trial];
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
            pbt_sim_reach(sim, item->trial, &item->command);
        }
        break;
    case ITEM_STEP:
        if (alive && process->state == PROCESS_STEPPING) {
            pbt_sim_end_step(sim, item->trial);
        }
        break;
    case ITEM_SETUP:
        if (alive && process->state == PROCESS_BUSY) {
            pbt_sim_end_setup(sim, item->trial, &item->command);
        }
        break;
    case ITEM_SAVE:
        if (alive && process->state == PROCESS_BUSY) {
            pbt_sim_end_save(sim, item->trial, &item->command);
        }
        break;
    }
    pbt_sim_item_free(item);
}

static int sim_next_batch(struct pbt_world *world, uint64_t deadline,
                          struct pbt_input_batch *batch,
                          struct pbt_error *error)
{
    struct pbt_sim *sim = of(world);
    pbt_sim_release(sim);
    if (sim->unanswered > 0) {
        pbt_sim_violate(sim, "a request was not answered within its turn", 0,
                        0);
    }
    if (sim->stop_asked) {
        sim->stop_asked = false;
        struct pbt_sim_item *item =
            pbt_sim_new_item(sim, sim->now, ITEM_NEWS, 0);
        item->input = (struct pbt_input){.kind = PBT_INPUT_STOP};
        sim->stopping = true;
        give(sim, item);
    }
    while (sim->given_count == 0 && sim->count > 0 &&
           sim->heap[0].time <= deadline) {
        struct pbt_sim_item *item = pbt_sim_pop(sim);
        sim->now = item->time > sim->now ? item->time : sim->now;
        happen(sim, item);
    }
    uint64_t window = sim->now + sim->rates.window_ns;
    while (sim->given_count > 0 && sim->count > 0 &&
           sim->heap[0].time <= window) {
        struct pbt_sim_item *item = pbt_sim_pop(sim);
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

const struct pbt_world_ops pbt_sim_ops = {sim_next_batch, sim_now, sim_submit};
