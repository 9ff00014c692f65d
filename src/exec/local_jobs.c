/*
 * local_jobs.c: what waits for a disk or for the user's code, in libuv's pool.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/names.h"
#include "checkpoint/checkpoint.h"
#include "exec/local_state.h"
#include "journal/snapshot.h"

static struct pbt_pool_job *new_job(struct pbt_local *local)
{
    struct pbt_pool_job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        pbt_local_fail(local, PBT_ENOMEM, "out of memory");
        return NULL;
    }
    job->local = local;
    job->work.data = job;
    pbt_buf_init(&job->json, PBT_MESSAGE_LINE_MAX);
    return job;
}

static void free_job(struct pbt_pool_job *job)
{
    pbt_buf_done(&job->json);
    free(job->checkpoints);
    free(job->proposed);
    free(job);
}

static void start_job(struct pbt_pool_job *job, uv_work_cb work,
                      uv_after_work_cb after)
{
    struct pbt_local *local = job->local;
    int code = uv_queue_work(&local->loop, &job->work, work, after);
    if (code != 0) {
        pbt_local_fail(local, PBT_ENOMEM, uv_strerror(code));
        free_job(job);
        return;
    }
    local->jobs_in_flight++;
}

/* --- sync ---------------------------------------------------------------- */

/* The directories first: a checkpoint whose record is synced must have its name. */
static void sync_work(uv_work_t *work)
{
    struct pbt_pool_job *job = work->data;
    const struct pbt_local *local = job->local;
    struct pbt_files *files = local->options.files;
    char path[PBT_LOCAL_PATH_SIZE];
    char id[PBT_TRIAL_ID_SIZE];
    for (size_t i = 0; i < job->job.checkpoint_count; i++) {
        uint32_t trial = job->checkpoints[i].trial;
        if (i > 0 && job->checkpoints[i - 1].trial == trial) {
            continue; /* the same directory */
        }
        pbt_trial_id(local->options.spec->settings.seed, trial, id);
        (void)snprintf(path, sizeof path, "%s/%s", local->options.run_dir, id);
        job->status = files->ops->sync_path(files, path, &job->error);
        if (job->status != PBT_OK) {
            return;
        }
    }
    job->status = pbt_journal_sync(job->job.journal, &job->error);
}

static void sync_done(uv_work_t *work, int status)
{
    struct pbt_pool_job *job = work->data;
    struct pbt_local *local = job->local;
    (void)status;
    local->jobs_in_flight--;
    struct pbt_input *input = pbt_local_input(local, PBT_INPUT_SYNCED, 0);
    if (input != NULL) {
        input->seq = job->job.seq;
        if (job->status != PBT_OK) {
            input->text = pbt_local_keep(local, strdup(job->error.text));
        }
    }
    free_job(job);
}

static int by_trial(const void *a, const void *b)
{
    const struct pbt_checkpoint_id *x = a;
    const struct pbt_checkpoint_id *y = b;
    return x->trial < y->trial ? -1 : x->trial > y->trial ? 1 : 0;
}

void pbt_local_sync(struct pbt_local *local, const struct pbt_job *order)
{
    struct pbt_pool_job *job = new_job(local);
    if (job == NULL) {
        return;
    }
    size_t count = order->checkpoint_count;
    job->job = *order;
    job->checkpoints = calloc(count + 1, sizeof *job->checkpoints);
    if (job->checkpoints == NULL) {
        pbt_local_fail(local, PBT_ENOMEM, "out of memory");
        free_job(job);
        return;
    }
    if (count > 0) {
        memcpy(job->checkpoints, order->checkpoints,
               count * sizeof *job->checkpoints);
        qsort(job->checkpoints, count, sizeof *job->checkpoints, by_trial);
    }
    start_job(job, sync_work, sync_done);
}

/* --- unlink -------------------------------------------------------------- */

static void unlink_work(uv_work_t *work)
{
    struct pbt_pool_job *job = work->data;
    job->status = pbt_checkpoint_delete(job->path, &job->error);
}

static void unlink_done(uv_work_t *work, int status)
{
    struct pbt_pool_job *job = work->data;
    (void)status;
    job->local->jobs_in_flight--;
    if (job->status != PBT_OK) {
        /* Only space is lost: the next open removes it again. */
        pbt_local_say(job->local, "warning[W0203]: %s", job->error.text);
    }
    pbt_local_next_saves(job->local);
    free_job(job);
}

void pbt_local_unlink(struct pbt_local *local, const struct pbt_job *order)
{
    struct pbt_pool_job *job = new_job(local);
    if (job == NULL) {
        return;
    }
    int status = pbt_local_checkpoint_path(
        local->options.spec, local->options.run_dir, order->checkpoint,
        job->path, sizeof job->path, &job->error);
    if (status != PBT_OK) {
        pbt_local_fail(local, status, job->error.text);
        free_job(job);
        return;
    }
    pbt_local_forget_whole(local, order->checkpoint);
    start_job(job, unlink_work, unlink_done);
}

void pbt_local_remove(struct pbt_local *local, const char *path)
{
    struct pbt_pool_job *job = new_job(local);
    if (job != NULL) {
        (void)snprintf(job->path, sizeof job->path, "%s", path);
        start_job(job, unlink_work, unlink_done);
    }
}

/* --- snapshots ------------------------------------------------------------ */

static void snapshot_work(uv_work_t *work)
{
    struct pbt_pool_job *job = work->data;
    job->status =
        pbt_snapshot_store(job->local->options.files, job->path, job->job.seq,
                           job->json.data, job->json.length, &job->error);
}

static void snapshot_done(uv_work_t *work, int status)
{
    struct pbt_pool_job *job = work->data;
    (void)status;
    job->local->jobs_in_flight--;
    if (job->status != PBT_OK) {
        pbt_local_say(job->local, "warning[W0206]: no snapshot was written: %s",
                      job->error.text);
    }
    free_job(job);
}

void pbt_local_snapshot(struct pbt_local *local, const struct pbt_job *order)
{
    struct pbt_pool_job *job = new_job(local);
    if (job != NULL) {
        job->job.seq = order->seq;
        (void)snprintf(job->path, sizeof job->path, "%s", order->snapshot_dir);
        job->json = *order->snapshot;
        *order->snapshot = (struct pbt_buf){.limit = job->json.limit};
        start_job(job, snapshot_work, snapshot_done);
    }
}

/* --- verify -------------------------------------------------------------- */

static void verify_work(uv_work_t *work)
{
    struct pbt_pool_job *job = work->data;
    job->status = job->whole ? pbt_checkpoint_look(job->path, &job->error)
                             : pbt_checkpoint_verify(job->path, &job->error);
}

static void verify_done(uv_work_t *work, int status)
{
    struct pbt_pool_job *job = work->data;
    struct pbt_local *local = job->local;
    struct pbt_process *process = local->processes[job->job.trial];
    (void)status;
    local->jobs_in_flight--;
    /* It may have ended meanwhile, or been told something else. */
    if (process != NULL && process->epoch == job->job.epoch &&
        (process->awaited == PBT_AWAITED_VERIFY ||
         process->awaited == PBT_AWAITED_INQUEST)) {
        pbt_process_verified(process, job->status, job->error.text);
    }
    free_job(job);
}

void pbt_local_verify(struct pbt_local *local,
                      const struct pbt_process *process)
{
    struct pbt_pool_job *job = new_job(local);
    if (job != NULL) {
        job->job.trial = process->trial;
        job->job.epoch = process->epoch;
        job->whole = pbt_local_is_whole(local, process->asked.checkpoint);
        memcpy(job->path, process->checkpoint, sizeof job->path);
        start_job(job, verify_work, verify_done);
    }
}

/* --- asks ---------------------------------------------------------------- */

static void start_ask(struct pbt_pool_job *job);

/* The question with what the functions have said of it. */
static int ask_again(struct pbt_pool_job *job, const struct pbt_buf *said)
{
    json_t *question = json_loadb(job->json.data, job->json.length, 0, NULL);
    json_t *config = json_loadb(said->data, said->length, 0, NULL);
    bool set = question != NULL && config != NULL &&
               json_object_set(question, "config", config) == 0;
    char *text = set ? json_dumps(question, JSON_COMPACT) : NULL;
    json_decref(config);
    json_decref(question);
    pbt_buf_reset(&job->json);
    if (text != NULL) {
        pbt_buf_text(&job->json, text);
    }
    free(text);
    return text != NULL && !pbt_buf_failed(&job->json)
               ? PBT_OK
               : pbt_error_set(&job->error, PBT_ENOMEM, "out of memory");
}

static int ask_program(struct pbt_pool_job *job, struct pbt_buf *answer)
{
    pbt_buf_reset(answer);
    int status = pbt_local_explore(job->local, &job->job, job->json.data,
                                   job->json.length, answer, &job->error);
    return status == PBT_OK
               ? PBT_OK
               : pbt_error_prefix(&job->error, status,
                                  "the program of scheduler.custom_explore");
}

/* First the program that runs us, then the one that explores: that is for exploits. */
static void ask_work(uv_work_t *work)
{
    struct pbt_pool_job *job = work->data;
    const struct pbt_local_options *options = &job->local->options;
    bool explores = options->spec->explore_command != NULL &&
                    job->job.command.donor != job->job.trial;
    struct pbt_buf answer;
    pbt_buf_init(&answer, PBT_MESSAGE_LINE_MAX);
    job->status = PBT_OK;
    if (options->ask != NULL) {
        job->status = options->ask(options->ask_user, job->json.data,
                                   job->json.length, &answer, &job->error);
    }
    if (job->status == PBT_OK && explores && options->ask != NULL) {
        job->status = ask_again(job, &answer);
    }
    if (job->status == PBT_OK && explores) {
        job->status = ask_program(job, &answer);
    }
    if (job->status == PBT_OK && pbt_buf_failed(&answer)) {
        job->status = pbt_error_set(&job->error, PBT_EDATA,
                                    "the answer is longer than 1 MiB");
    }
    pbt_buf_done(&job->json);
    job->json = answer;
}

static const char *kind_of(const struct pbt_spec *spec, struct pbt_cell cell)
{
    switch ((enum pbt_cell_type)cell.type) {
    case PBT_CELL_INT:
    case PBT_CELL_REAL:
        return "a number";
    case PBT_CELL_BOOL:
        return "true or false";
    case PBT_CELL_TEXT: /* kept as JSON */
        switch (pbt_texts_get(&spec->texts, cell.text)[0]) {
        case '[':
            return "a list";
        case '{':
            return "a mapping";
        case 'n':
            return "null";
        default:
            return "a text";
        }
    case PBT_CELL_NONE:
        break;
    }
    return "null";
}

static bool is_finite(struct pbt_cell cell)
{
    return cell.type != PBT_CELL_REAL || isfinite(cell.u.r);
}

/*
 * What was a number stays one, and so on: a program would fail on it, or worse, take it.
 * Among the values of a list of different kinds any is as good.
 */
static int check_answer(const struct pbt_spec *spec,
                        const struct pbt_cell *proposed,
                        const struct pbt_cell *cells, struct pbt_error *error)
{
    for (uint32_t i = 0; i < spec->settings.space.count; i++) {
        const struct pbt_param *param = &spec->settings.space.params[i];
        if (cells[i].type == PBT_CELL_NONE) {
            return pbt_error_set(error, PBT_EDATA,
                                 "hyperparameter \"%s\" has no value",
                                 param->name);
        }
        bool same_kind =
            strcmp(kind_of(spec, cells[i]), kind_of(spec, proposed[i])) == 0;
        if ((same_kind && (is_finite(cells[i]) || !is_finite(proposed[i]))) ||
            pbt_domain_contains(&param->mutations, cells[i]) ||
            pbt_domain_contains(&param->initial, cells[i])) {
            continue;
        }
        return pbt_error_set(
            error, PBT_EDATA, "hyperparameter \"%s\" has to be %s, and is %s",
            param->name, kind_of(spec, proposed[i]),
            same_kind ? "not finite" : kind_of(spec, cells[i]));
    }
    return PBT_OK;
}

/* The answer's cells, or NULL with the reason in job->error. */
static struct pbt_cell *take_answer(struct pbt_pool_job *job)
{
    struct pbt_spec *spec = job->local->options.spec;
    if (job->status != PBT_OK) {
        return NULL;
    }
    struct pbt_cell *cells =
        calloc((size_t)spec->settings.space.count + 1, sizeof *cells);
    if (cells == NULL) {
        pbt_local_fail(job->local, PBT_ENOMEM, "out of memory");
        return NULL;
    }
    job->status = pbt_spec_config_read(spec, job->json.data, job->json.length,
                                       cells, &job->error);
    if (job->status == PBT_OK) {
        job->status = check_answer(spec, job->proposed, cells, &job->error);
    }
    if (job->status != PBT_OK) {
        free(cells);
        return NULL;
    }
    return cells;
}

static void ask_done(uv_work_t *work, int status)
{
    struct pbt_pool_job *job = work->data;
    struct pbt_local *local = job->local;
    (void)status;
    local->jobs_in_flight--;
    local->asks = job->next;
    while (local->asks != NULL && local->asks_end[1] < 0) {
        struct pbt_pool_job *next = local->asks->next;
        free_job(local->asks);
        local->asks = next;
    }
    if (local->asks != NULL) {
        start_ask(local->asks);
    }
    struct pbt_cell *cells = take_answer(job);
    struct pbt_input *input =
        pbt_local_input(local, PBT_INPUT_ANSWERED, job->job.trial);
    if (input != NULL) {
        input->epoch = job->job.command.epoch;
        input->seq = job->job.command.ask;
        input->cells = cells;
        if (cells == NULL) {
            input->text = pbt_local_keep(local, strdup(job->error.text));
        } else {
            (void)pbt_local_keep(local, cells);
            cells = NULL;
        }
    }
    free(cells);
    free_job(job);
}

static void start_ask(struct pbt_pool_job *job)
{
    start_job(job, ask_work, ask_done);
}

/* One at a time: user code need not be ready for more. */
void pbt_local_ask(struct pbt_local *local, const struct pbt_job *order)
{
    struct pbt_pool_job *job = new_job(local);
    if (job == NULL) {
        return;
    }
    uint32_t count = local->options.spec->settings.space.count;
    job->job = *order;
    job->job.json = NULL;
    job->job.command.cells = NULL; /* borrowed, like these */
    job->job.command.old_cells = NULL;
    job->proposed = calloc((size_t)count + 1, sizeof *job->proposed);
    if (job->proposed != NULL && count > 0) {
        memcpy(job->proposed, order->command.cells,
               count * sizeof *job->proposed);
    }
    pbt_buf_put(&job->json, order->json, order->json_length);
    if (pbt_buf_failed(&job->json) || job->proposed == NULL) {
        pbt_local_fail(local, PBT_ENOMEM, "out of memory");
        free_job(job);
        return;
    }
    struct pbt_pool_job **last = &local->asks;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = job;
    if (local->asks == job) {
        start_ask(job);
    }
}

void pbt_local_end_asks(struct pbt_local *local)
{
    if (local->asks_end[1] >= 0) {
        (void)close(local->asks_end[1]);
        local->asks_end[1] = -1;
    }
}
