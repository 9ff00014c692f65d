/*
 * local_reuse.c: a worker that one trial has left serves the next one.
 *
 * The core sees lives, never processes: it is told that the trial's process has ended, which
 * is as true as it needs to be, since nothing of that life goes on.  The worker
 * keeps its slot, rests, and is given the next start, if one comes in the turn that
 * hears of the end.  If none does (the user has paused who was waiting), the worker is told to
 * stop after all; until its end was seen its slot is taken, and a start that comes
 * meanwhile waits for that.
 */
#include <stdio.h>
#include <string.h>

#include "exec/local_state.h"

static bool rests(const struct pbt_process *process)
{
    return process->awaited == PBT_AWAITED_NOTHING && !process->leaving &&
           process->worker.fd >= 0 &&
           process->worker.sent == process->worker.out.length &&
           uv_is_active((const uv_handle_t *)&process->linger) == 0;
}

bool pbt_process_keep(struct pbt_process *process, uint32_t waiting)
{
    struct pbt_local *local = process->local;
    struct pbt_process **last = &local->kept;
    uint32_t count = 0;
    for (; *last != NULL; last = &(*last)->next) {
        count++;
    }
    if (!local->options.spec->reuse_workers || !process->can_reuse ||
        !rests(process) || count >= waiting) {
        return false;
    }
    struct pbt_input *input =
        pbt_local_input(local, PBT_INPUT_EXITED, process->trial);
    if (input == NULL) {
        return false;
    }
    input->epoch = process->spawned;
    input->text = "its worker goes on to another trial";
    local->processes[process->trial] = NULL;
    process->kept = true;
    process->kept_batch = local->batch;
    *last = process;
    return true;
}

void pbt_process_unkeep(struct pbt_process *process)
{
    struct pbt_process **at = &process->local->kept;
    while (*at != process) {
        at = &(*at)->next;
    }
    *at = process->next;
    process->next = NULL;
    process->kept = false;
}

/* Nobody needs it (any more): its end concerns no trial. */
static void retire(struct pbt_process *process)
{
    struct pbt_message stop = {.type = PBT_MESSAGE_STOP,
                               .epoch = process->epoch};
    struct pbt_error error;
    pbt_process_unkeep(process);
    process->retired = true;
    process->leaving = true;
    process->local->retiring++;
    pbt_process_linger(process);
    (void)pbt_stream_send(&process->worker, &stop,
                          &error); /* a gone worker's end is news */
}

bool pbt_local_reuse(struct pbt_local *local, const struct pbt_command *start)
{
    struct pbt_error error;
    while (local->kept != NULL && !rests(local->kept)) {
        retire(local->kept); /* it has failed meanwhile */
    }
    struct pbt_process *process = local->kept;
    if (process == NULL) {
        return false;
    }
    pbt_process_name(process, start);
    if (pbt_make_dirs(process->trial_dir, &error) != PBT_OK) {
        return false; /* neither can a fresh one be started: that says why */
    }
    pbt_process_unkeep(process);
    process->reused = true;
    local->processes[start->trial] = process;
    return true;
}

void pbt_local_retire(struct pbt_local *local, bool all)
{
    struct pbt_process *next;
    for (struct pbt_process *p = local->kept; p != NULL; p = next) {
        next = p->next;
        /* The turn of the batch after `kept_batch` was the one to claim it. */
        if (all || local->batch > p->kept_batch + 1) {
            retire(p);
        }
    }
}

bool pbt_process_can_begin_afresh(const struct pbt_process *process)
{
    return process->reused && !process->unwanted &&
           process->asked.kind == PBT_COMMAND_START &&
           (process->awaited == PBT_AWAITED_READY ||
            process->awaited == PBT_AWAITED_VERIFY);
}

void pbt_process_begin_afresh(struct pbt_process *old, const char *why)
{
    struct pbt_local *local = old->local;
    pbt_local_say(
        local,
        "warning[W0204]: the worker that was to go on to trial %s has ended "
        "first (%s); a fresh one takes its place",
        old->trial_id, why);
    pbt_process_close(old); /* freed later */
    pbt_local_spawn(local, &old->asked);
    struct pbt_process *fresh = local->processes[old->trial];
    if (fresh != NULL) {
        pbt_process_take_life(fresh, old);
    }
}
