/*
 * local_command.c: what workers are told: commands, acknowledgements.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "exec/local_state.h"

/* To the worker; a command carries the ack that is due. */
static void tell_worker(struct pbt_process *process,
                        struct pbt_message *message)
{
    struct pbt_error error;
    if (process->ack_due && message->epoch == process->epoch &&
        message->type != PBT_MESSAGE_ACK) {
        message->ack = process->ack;
        process->ack_due = false;
    }
    int status = pbt_stream_send(&process->worker, message, &error);
    if (status != PBT_OK && status != PBT_EIO) {
        pbt_process_break(process, "can't send it a command: %s", error.text);
    }
}

/* --- lives and saves ------------------------------------------------------ */

/* Remembers what was asked, since the answer has to say the same. */
static bool note_life(struct pbt_process *process, const struct pbt_job *job)
{
    struct pbt_local *local = process->local;
    struct pbt_error error;
    process->asked = job->command;
    process->checkpoint[0] = '\0';
    json_decref(process->config);
    process->config = json_loadb(job->json, job->json_length, 0, NULL);
    if (process->config == NULL) {
        pbt_local_fail(local, PBT_ENOMEM, "out of memory");
        return false;
    }
    if (job->command.checkpoint.number == 0 &&
        local->options.spec->start_checkpoint != NULL) {
        (void)snprintf(process->checkpoint, sizeof process->checkpoint, "%s/%s",
                       local->options.run_dir, PBT_START_CHECKPOINT);
    } else if (job->command.checkpoint.number != 0 &&
               pbt_local_checkpoint_path(
                   local->options.spec, local->options.run_dir,
                   job->command.checkpoint, process->checkpoint,
                   sizeof process->checkpoint, &error) != PBT_OK) {
        pbt_local_fail(local, error.status, error.text);
        return false;
    }
    return true;
}

static void send_held(struct pbt_process *process)
{
    struct pbt_error error;
    process->awaited = PBT_AWAITED_READY;
    pbt_buf_put(&process->worker.out, process->held.data, process->held.length);
    if (pbt_buf_failed(&process->worker.out)) {
        pbt_local_fail(process->local, PBT_ENOMEM, "out of memory");
        return;
    }
    (void)pbt_stream_flush(&process->worker,
                           &error); /* a gone worker's end is news */
}

/* True: the checkpoint is lost, and that is news. */
static bool tell_lost(struct pbt_process *process, int status, const char *text)
{
    struct pbt_local *local = process->local;
    if (status != PBT_EDATA && status != PBT_EIO) {
        return false; /* it is whole, or that can't be told */
    }
    pbt_local_forget_whole(local, process->asked.checkpoint);
    struct pbt_input *input =
        pbt_local_input(local, PBT_INPUT_BAD, process->trial);
    if (input != NULL) {
        input->checkpoint = process->asked.checkpoint;
        input->text = pbt_local_keep(local, strdup(text));
    }
    return true;
}

void pbt_process_verified(struct pbt_process *process, int status,
                          const char *text)
{
    bool lost = tell_lost(process, status, text);
    if (process->awaited == PBT_AWAITED_INQUEST) {
        pbt_process_finish(process); /* behind the news of the loss */
    } else if (status == PBT_OK) {
        pbt_local_note_whole(process->local, process->asked.checkpoint);
        send_held(process);
    } else if (!lost) {
        pbt_process_break(process, "its checkpoint can't be looked at: %s",
                          text);
    }
}

/* A life begins: in a new process, or in this one. */
static void tell_life(struct pbt_process *process, const struct pbt_job *job)
{
    const struct pbt_command *command = &job->command;
    struct pbt_error error;
    if (!note_life(process, job)) {
        return;
    }
    process->epoch = command->epoch;
    process->seq = 0;
    process->ack_due = false;
    process->iteration = command->iteration;
    process->time_total_s = command->time_total;
    struct pbt_message message = {
        .type = command->kind == PBT_COMMAND_START ? PBT_MESSAGE_START
                                                   : PBT_MESSAGE_LOAD,
        .epoch = command->epoch,
        .trial = process->trial_id,
        .trial_dir = process->trial_dir,
        .config = job->json,
        .config_length = job->json_length,
        .seed = command->seed,
        .checkpoint =
            process->checkpoint[0] == '\0' ? NULL : process->checkpoint,
        .iteration = command->iteration,
        .time_total_s = command->time_total,
    };
    pbt_buf_reset(&process->held);
    int status = pbt_message_encode(&message, &process->held, &error);
    if (status != PBT_OK) {
        pbt_process_break(process, "its configuration can't be sent: %s",
                          error.text);
    } else if (command->checkpoint.number != 0) {
        process->awaited = PBT_AWAITED_VERIFY;
        pbt_local_verify(process->local, process);
    } else {
        send_held(process);
    }
}

void pbt_process_take_life(struct pbt_process *fresh, struct pbt_process *old)
{
    struct pbt_local *local = fresh->local;
    fresh->asked = old->asked;
    fresh->config = json_incref(old->config);
    fresh->epoch = old->epoch;
    fresh->iteration = old->iteration;
    fresh->time_total_s = old->time_total_s;
    memcpy(fresh->checkpoint, old->checkpoint, sizeof fresh->checkpoint);
    pbt_buf_put(&fresh->held, old->held.data, old->held.length);
    if (pbt_buf_failed(&fresh->held)) {
        pbt_local_fail(local, PBT_ENOMEM, "out of memory");
    } else if (old->awaited == PBT_AWAITED_VERIFY) {
        fresh->awaited = PBT_AWAITED_VERIFY; /* the look is under way */
    } else {
        send_held(fresh);
    }
}

static void tell_save(struct pbt_process *process, const struct pbt_job *job)
{
    const struct pbt_local *local = process->local;
    struct pbt_error error;
    process->asked = job->command;
    pbt_buf_reset(&process->manifest);
    pbt_buf_put(&process->manifest, job->json, job->json_length);
    int status = pbt_local_temporary_path(local, &job->command, "tmp",
                                          process->checkpoint,
                                          sizeof process->checkpoint, &error);
    if (status == PBT_OK && pbt_buf_failed(&process->manifest)) {
        status = pbt_error_set(&error, PBT_ENOMEM, "out of memory");
    }
    if (status == PBT_OK) {
        pbt_process_queue_save(process);
    } else {
        pbt_process_break(process, "it can't be told to save: %s", error.text);
    }
}

void pbt_process_save(struct pbt_process *process)
{
    process->awaited = PBT_AWAITED_SAVED;
    if (mkdir(process->checkpoint, 0700) != 0) {
        pbt_process_break(process,
                          "can't make a checkpoint's directory: %s: %s",
                          process->checkpoint, strerror(errno));
        return;
    }
    struct pbt_message message = {.type = PBT_MESSAGE_SAVE,
                                  .epoch = process->epoch,
                                  .iteration = process->asked.iteration,
                                  .path = process->checkpoint};
    tell_worker(process, &message);
}

void pbt_local_command(struct pbt_local *local, const struct pbt_job *job)
{
    const struct pbt_command *command = &job->command;
    if (command->kind == PBT_COMMAND_START &&
        !pbt_local_reuse(local, command)) {
        pbt_local_spawn(local, command);
    }
    struct pbt_process *process = local->processes[job->trial];
    if (process == NULL || process->spawned != command->process_epoch ||
        local->failure.status != PBT_OK) {
        return; /* its end is on its way to the driver */
    }
    struct pbt_message message = {.epoch = command->epoch};
    switch (command->kind) {
    case PBT_COMMAND_START:
    case PBT_COMMAND_LOAD:
        tell_life(process, job);
        return;
    case PBT_COMMAND_RUN:
        process->asked = *command;
        message.type = PBT_MESSAGE_RUN;
        message.until = command->until;
        break;
    case PBT_COMMAND_SAVE:
        tell_save(process, job);
        return;
    case PBT_COMMAND_HALT:
        message.type = PBT_MESSAGE_HALT;
        break;
    case PBT_COMMAND_STOP:
        if (pbt_process_keep(process, job->waiting)) {
            return;
        }
        message.type = PBT_MESSAGE_STOP;
        /* An exploit may have opened an epoch that this process never enters. */
        message.epoch = process->epoch;
        process->leaving = true;
        break;
    case PBT_COMMAND_KILL:
        process->unwanted = true;
        pbt_process_kill(process);
        return;
    case PBT_COMMAND_NONE:
    case PBT_COMMAND_ASK:
        return;
    }
    tell_worker(process, &message);
}

void pbt_local_ack(struct pbt_local *local, const struct pbt_job *job)
{
    struct pbt_process *process = local->processes[job->trial];
    if (process == NULL || process->epoch != job->epoch) {
        return; /* whoever waits for it is gone, or lives another life */
    }
    process->ack = job->seq;
    if (!process->ack_due) {
        process->ack_due = true;
        local->ack_due[local->ack_due_count++] = job->trial;
    }
}

void pbt_local_flush_acks(struct pbt_local *local)
{
    for (size_t i = 0; i < local->ack_due_count; i++) {
        struct pbt_process *process = local->processes[local->ack_due[i]];
        if (process != NULL && process->ack_due && process->worker.fd >= 0) {
            struct pbt_message message = {.type = PBT_MESSAGE_ACK,
                                          .epoch = process->epoch,
                                          .seq = process->ack};
            process->ack_due = false;
            tell_worker(process, &message);
        }
    }
    local->ack_due_count = 0;
}
