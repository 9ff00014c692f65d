/*
 * sim.c: the simulated world from outside: made, killed, asked for things, and looked at.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/draw.h"
#include "exec/sim_state.h"

double pbt_sim_draw(struct pbt_sim *sim)
{
    return (double)(pbt_mix(sim->seed, ++sim->draws) >> 11) * 0x1p-53;
}

static double draw_any(void *user)
{
    return pbt_sim_draw(user);
}

uint64_t pbt_sim_spread(struct pbt_sim *sim, uint64_t mean)
{
    return 1 + (uint64_t)(2 * pbt_sim_draw(sim) * (double)mean);
}

void pbt_sim_violate(struct pbt_sim *sim, const char *what, uint32_t trial,
                     uint64_t epoch)
{
    if (sim->violation[0] == '\0') {
        (void)snprintf(sim->violation, sizeof sim->violation,
                       "%s (trial %" PRIu32 ", epoch %" PRIu64 ")", what, trial,
                       epoch);
    }
}

struct pbt_sim *pbt_sim_create(const struct pbt_spec *spec, uint64_t seed,
                               const struct pbt_sim_rates *rates)
{
    struct pbt_sim *sim = calloc(1, sizeof *sim);
    if (sim == NULL) {
        return NULL;
    }
    sim->world.ops = &pbt_sim_ops;
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
    struct pbt_sim_process *grown =
        realloc(sim->processes, count * sizeof *sim->processes);
    if (grown == NULL) {
        return false;
    }
    sim->processes = grown;
    for (; sim->process_count < count; sim->process_count++) {
        grown[sim->process_count] =
            (struct pbt_sim_process){.state = PROCESS_NONE};
    }
    return true;
}

void pbt_sim_destroy(struct pbt_sim *sim)
{
    if (sim == NULL) {
        return;
    }
    pbt_sim_release(sim);
    pbt_sim_empty_queue(sim);
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
    pbt_sim_release(sim);
    pbt_sim_empty_queue(sim);
    for (uint32_t i = 0; i < sim->spec->settings.population; i++) {
        sim->processes[i] = (struct pbt_sim_process){.state = PROCESS_NONE};
    }
    pbt_sim_disk_sync_forget(sim->disk);
    sim->stop_asked = false;
    sim->stopping = false;
    sim->unanswered = 0;
    sim->good_syncs = 0;
    sim->now += pbt_sim_spread(sim, 1000000000);
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
    struct pbt_sim_item *item =
        pbt_sim_new_item(sim, sim->now + delay, ITEM_NEWS, 0);
    item->input = (struct pbt_input){.kind = PBT_INPUT_REQUEST,
                                     .trial = trial,
                                     .request = kind,
                                     .seq = ++sim->requests};
    pbt_sim_push(sim, item);
}

void pbt_sim_ask_capacity(struct pbt_sim *sim, uint64_t delay, uint32_t slots)
{
    struct pbt_sim_item *item =
        pbt_sim_new_item(sim, sim->now + delay, ITEM_NEWS, 0);
    item->input =
        (struct pbt_input){.kind = PBT_INPUT_CAPACITY, .slots = slots};
    pbt_sim_push(sim, item);
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
            pbt_sim_violate(sim, "a checkpoint with a record is gone", id.trial,
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
