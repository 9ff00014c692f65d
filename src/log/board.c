#include "log/board.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "log/changes.h"
#include "wire/message.h"

bool pbt_board_end_is_final(enum pbt_end end)
{
    return end == PBT_END_STOP_ALL || end == PBT_END_TIME_BUDGET;
}

int64_t pbt_board_wall(const struct pbt_board *board, uint64_t time)
{
    return board->wall_base + (int64_t)time;
}

bool pbt_board_better(const struct pbt_board *board, double a, double b)
{
    return board->spec->minimize ? a < b : a > b;
}

void pbt_board_parent(const struct pbt_board *board,
                      struct pbt_checkpoint_id from,
                      char parent[PBT_BOARD_PARENT_SIZE])
{
    char name[PBT_CHECKPOINT_NAME_SIZE];
    if (from.number > 0) {
        pbt_checkpoint_name(from.number, name);
        (void)snprintf(parent, PBT_BOARD_PARENT_SIZE, "%s/%s",
                       board->trials[from.trial].id, name);
    } else {
        (void)snprintf(
            parent, PBT_BOARD_PARENT_SIZE, "%s",
            board->spec->start_checkpoint == NULL ? "" : PBT_START_CHECKPOINT);
    }
}

void pbt_board_put_ignored(const struct pbt_board *board, struct pbt_buf *out)
{
    size_t index;
    json_t *name;
    pbt_buf_char(out, '[');
    json_array_foreach(board->ignored, index, name)
    {
        const char *text = json_string_value(name);
        pbt_buf_text(out, index > 0 ? "," : "");
        pbt_buf_json_string(out, text, strlen(text));
    }
    pbt_buf_char(out, ']');
}

static int no_memory(struct pbt_error *error)
{
    return pbt_error_set(error, PBT_ENOMEM, "out of memory");
}

int pbt_board_init(struct pbt_board *board, const struct pbt_spec *spec,
                   struct pbt_error *error)
{
    uint32_t population = spec->settings.population;
    size_t cells = spec->settings.space.count;
    *board = (struct pbt_board){
        .spec = spec, .best_score = (double)NAN, .first_score = (double)NAN};
    if (pbt_shape_init(&board->shape, spec, error) != PBT_OK) {
        return PBT_ENOMEM;
    }
    board->trials = calloc(population, sizeof *board->trials);
    /* calloc(0) may be NULL: one more than needed */
    board->best_cells = calloc(cells + 1, sizeof *board->best_cells);
    bool fits = board->trials != NULL && board->best_cells != NULL;
    for (uint32_t i = 0; fits && i < population; i++) {
        struct pbt_board_trial *trial = &board->trials[i];
        trial->status = PBT_TRIAL_PENDING;
        trial->score = (double)NAN;
        pbt_trial_id(spec->settings.seed, i, trial->id);
        trial->cells = calloc(cells + 1, sizeof *trial->cells);
        fits = trial->cells != NULL;
    }
    if (!fits) {
        pbt_board_done(board);
        return no_memory(error);
    }
    return PBT_OK;
}

void pbt_board_done(struct pbt_board *board)
{
    uint32_t population =
        board->trials == NULL ? 0 : board->spec->settings.population;
    for (uint32_t i = 0; i < population; i++) {
        struct pbt_board_trial *trial = &board->trials[i];
        free(trial->tag);
        free(trial->cells);
        free(trial->error);
        json_decref(trial->metrics);
    }
    free(board->trials);
    free(board->best_cells);
    json_decref(board->ignored);
    pbt_shape_done(&board->shape);
    *board = (struct pbt_board){0};
}

static void copy_cells(const struct pbt_board *board, struct pbt_cell *to,
                       const struct pbt_cell *from)
{
    size_t count = board->spec->settings.space.count;
    if (from != NULL && count > 0) {
        memcpy(to, from, count * sizeof *to);
    }
}

/* --- members of an entry's data ------------------------------------------ */

static const char *data_text(const json_t *data, const char *name)
{
    return json_string_value(json_object_get(data, name));
}

static int64_t data_integer(const json_t *data, const char *name)
{
    return json_integer_value(json_object_get(data, name));
}

static void set_metrics(struct pbt_board_trial *trial, json_t *metrics)
{
    json_t *old = trial->metrics;
    trial->metrics = json_incref(metrics);
    json_decref(old);
}

/* --- statuses ------------------------------------------------------------ */

/* The process of a trial is gone. */
static void after_process(struct pbt_board_trial *trial, enum pbt_leave leave)
{
    trial->pid = 0;
    trial->leave = PBT_LEAVE_NOT;
    switch (trial->end_asked ? PBT_LEAVE_TERMINATE : leave) {
    case PBT_LEAVE_PAUSE:
        trial->status = PBT_TRIAL_PAUSED;
        break;
    case PBT_LEAVE_TERMINATE:
        trial->status = PBT_TRIAL_TERMINATED;
        break;
    case PBT_LEAVE_ERROR:
        trial->failures++;
        trial->status = PBT_TRIAL_ERROR;
        break;
    case PBT_LEAVE_RETRY:
        trial->failures++;
        trial->status = PBT_TRIAL_PENDING;
        break;
    case PBT_LEAVE_RESPAWN:
    case PBT_LEAVE_NOT:
        trial->status = PBT_TRIAL_PENDING;
        break;
    }
    if (trial->held && trial->status == PBT_TRIAL_PENDING) {
        trial->status = PBT_TRIAL_PAUSED;
    }
    trial->held = trial->held && trial->status == PBT_TRIAL_PAUSED;
}

/* It had failed for good, and is to go on as a copy. */
static void begin_replacing(struct pbt_board_trial *trial,
                            const struct pbt_record *record)
{
    trial->replaces = record->checkpoint;
    trial->replaced++;
    trial->status = PBT_TRIAL_PENDING;
}

/* There is no copy after all. */
static void stop_replacing(struct pbt_board_trial *trial)
{
    if (trial->replaces.number != 0) {
        trial->replaces.number = 0;
        trial->status = PBT_TRIAL_ERROR;
        trial->held = false;
    }
}

/* The user asks, of one trial. */
static void feed_request(struct pbt_board_trial *trial,
                         enum pbt_request request)
{
    if (request == PBT_REQUEST_STOP) {
        stop_replacing(trial);
    }
    bool waits =
        trial->status == PBT_TRIAL_PENDING || trial->status == PBT_TRIAL_PAUSED;
    switch (request) {
    case PBT_REQUEST_PAUSE:
        trial->held = true;
        if (waits) {
            trial->status = PBT_TRIAL_PAUSED;
        }
        break;
    case PBT_REQUEST_RESUME:
        trial->held = false;
        break;
    case PBT_REQUEST_STOP:
        trial->end_asked = true;
        if (waits && trial->created) {
            trial->status = PBT_TRIAL_TERMINATED;
            trial->held = false;
        }
        break;
    case PBT_REQUEST_NOT:
        break;
    }
}

void pbt_board_driver_gone(struct pbt_board *board)
{
    bool final = pbt_board_end_is_final(board->end);
    for (uint32_t i = 0; i < board->spec->settings.population; i++) {
        struct pbt_board_trial *trial = &board->trials[i];
        if (trial->status == PBT_TRIAL_RUNNING) {
            after_process(trial, final ? PBT_LEAVE_TERMINATE : trial->leave);
        }
    }
}

/* A driver has started: the former one is gone. */
static void feed_opened(struct pbt_board *board,
                        const struct pbt_record *record, const json_t *data)
{
    bool final = pbt_board_end_is_final(board->end);
    bool failed =
        !final && (board->end == PBT_END_FAILED || board->results == 0);
    board->slots = record->slots;
    board->incarnations++;
    if (json_object_get(data, "wall") != NULL) {
        board->wall_base = data_integer(data, "wall") - (int64_t)record->time;
    }
    if (!final) {
        board->end = PBT_END_NOT;
    }
    for (uint32_t i = 0; failed && i < board->spec->settings.population; i++) {
        struct pbt_board_trial *trial = &board->trials[i];
        if (trial->status == PBT_TRIAL_ERROR) {
            /* It failed before any result: the user has mended something. */
            trial->status = PBT_TRIAL_PENDING;
            trial->failures = 0;
        }
    }
    pbt_board_driver_gone(board);
}

static void feed_end(struct pbt_board *board, const struct pbt_record *record)
{
    board->end = record->end;
    if (!pbt_board_end_is_final(record->end)) {
        return;
    }
    for (uint32_t i = 0; i < board->spec->settings.population; i++) {
        struct pbt_board_trial *trial = &board->trials[i];
        stop_replacing(trial);
        if (trial->created && (trial->status == PBT_TRIAL_PENDING ||
                               trial->status == PBT_TRIAL_PAUSED)) {
            trial->status = PBT_TRIAL_TERMINATED;
            trial->held = false;
        }
    }
}

static int feed_exited(struct pbt_board_trial *trial,
                       const struct pbt_record *record, const json_t *data,
                       struct pbt_error *error)
{
    const char *text = data_text(data, "text");
    if (text != NULL && (record->leave == PBT_LEAVE_RETRY ||
                         record->leave == PBT_LEAVE_ERROR)) {
        char *copy = strdup(text);
        if (copy == NULL) {
            return no_memory(error);
        }
        free(trial->error);
        trial->error = copy;
    }
    after_process(trial, record->leave);
    return PBT_OK;
}

/* --- lives --------------------------------------------------------------- */

static int feed_trial(struct pbt_board *board, const struct pbt_record *record,
                      struct pbt_error *error)
{
    struct pbt_board_trial *trial = &board->trials[record->trial];
    trial->created = true;
    trial->status = trial->end_asked ? PBT_TRIAL_TERMINATED
                    : trial->held    ? PBT_TRIAL_PAUSED
                                     : PBT_TRIAL_PENDING;
    trial->held = trial->held && !trial->end_asked;
    copy_cells(board, trial->cells, record->cells);
    trial->lineage = record->lineage;
    struct pbt_buf tag;
    pbt_buf_init(&tag, 65536);
    pbt_buf_u64(&tag, record->trial);
    size_t length = tag.length;
    pbt_buf_char(&tag, '_');
    pbt_shape_tag(&board->shape, trial->cells, true, &tag);
    if (pbt_buf_failed(&tag)) {
        pbt_buf_done(&tag);
        return no_memory(error);
    }
    if (tag.length == length + 1) {
        tag.data[length] = '\0'; /* nothing was drawn */
    }
    free(trial->tag);
    trial->tag = tag.data; /* the buffer's memory is the trial's now */
    return PBT_OK;
}

static void begin_life(struct pbt_board *board, const struct pbt_record *record,
                       int64_t iteration)
{
    struct pbt_board_trial *trial = &board->trials[record->trial];
    copy_cells(board, trial->cells, record->cells);
    trial->epoch = record->epoch;
    trial->parent = record->checkpoint;
    trial->iteration = iteration;
    trial->time_total = record->time_total;
    trial->life_iteration = iteration;
    trial->life_time_total = record->time_total;
    trial->life_seconds = 0;
}

static void feed_exploit(struct pbt_board *board,
                         const struct pbt_record *record)
{
    struct pbt_board_trial *trial = &board->trials[record->trial];
    const struct pbt_board_trial *donor = &board->trials[record->donor];
    bool adopts =
        record->kind == PBT_RECORD_ADOPT; /* the weights are its own */
    bool own = board->spec->settings.copies == PBT_COPIES_WEIGHTS &&
               !record->replacement;
    pbt_changes_text(board->spec, own ? trial->cells : record->old_cells,
                     record->cells, trial->changes, sizeof trial->changes);
    begin_life(board, record,
               adopts ? record->iteration : record->donor_iteration);
    if (record->replacement && trial->replaces.number == 0) {
        begin_replacing(trial, record);
    }
    trial->replaces.number = 0;
    trial->exploits++;
    trial->lineage = record->lineage;
    trial->last_undone = false;
    trial->donor = record->donor;
    trial->donor_iteration = record->donor_iteration;
    board->perturbations++;
    board->last_exploited = record->trial;
    if (record->pause) {
        trial->leave = PBT_LEAVE_PAUSE;
    }
    /* Ray: the loser shows the donor's result, if that is still the donor's last one. */
    double given =
        board->spec->minimize ? -record->donor_score : record->donor_score;
    if (!adopts && donor->iteration == record->donor_iteration &&
        donor->score == given) {
        set_metrics(trial, donor->metrics);
        trial->score = donor->score;
    }
}

/* Replay's next configuration: the weights are the trial's own. */
static void feed_change(struct pbt_board *board,
                        const struct pbt_record *record)
{
    begin_life(board, record, record->iteration);
    board->trials[record->trial].exploits++;
    board->trials[record->trial].lineage = record->lineage;
    board->perturbations++;
}

/* A checkpoint was lost, and the trial is back where it was before its exploits. */
static void feed_undo(struct pbt_board *board, const struct pbt_record *record)
{
    struct pbt_board_trial *trial = &board->trials[record->trial];
    uint32_t undone = trial->exploits > record->exploits
                          ? trial->exploits - record->exploits
                          : 0;
    copy_cells(board, trial->cells, record->cells);
    trial->parent = record->checkpoint;
    trial->lineage = record->lineage;
    trial->iteration = record->iteration;
    trial->time_total = record->time_total;
    trial->score = board->spec->minimize ? -record->score : record->score;
    set_metrics(trial, NULL);
    trial->exploits -= undone;
    trial->undone += undone;
    trial->last_undone = true;
    board->perturbations -= undone;
    board->undone += undone;
}

/* Whoever was to be replaced by it is not. */
static void feed_bad(struct pbt_board *board, struct pbt_checkpoint_id id)
{
    for (uint32_t i = 0; i < board->spec->settings.population; i++) {
        struct pbt_checkpoint_id own = board->trials[i].replaces;
        if (own.number == id.number && own.trial == id.trial) {
            stop_replacing(&board->trials[i]);
        }
    }
}

static void feed_ready(struct pbt_board_trial *trial, const json_t *data)
{
    const char *host = data_text(data, "host");
    if (json_object_get(data, "pid") != NULL) {
        trial->pid = data_integer(data, "pid");
    }
    if (host != NULL) {
        size_t length = strnlen(host, sizeof trial->host - 1);
        memcpy(trial->host, host, length);
        trial->host[length] = '\0';
    }
}

/* Between points a result needn't have one, if the experiment says so (require_attrs: false). */
static bool has_metric(const struct pbt_spec *spec, const json_t *metrics)
{
    double ignored;
    return spec->metric != NULL &&
           pbt_metric_number(metrics, spec->metric, &ignored);
}

static void feed_result(struct pbt_board *board,
                        const struct pbt_record *record, const json_t *data)
{
    struct pbt_board_trial *trial = &board->trials[record->trial];
    double score = board->spec->minimize ? -record->score : record->score;
    board->results++;
    trial->iteration = record->iteration;
    trial->time_total = record->time_total;
    trial->life_seconds +=
        json_number_value(json_object_get(data, "time_this_iter_s"));
    json_t *metrics = json_object_get(data, "metrics");
    if (json_is_object(metrics)) {
        set_metrics(trial, metrics);
    }
    if (isfinite(score) || record->point || has_metric(board->spec, metrics)) {
        trial->score = score;
    }
    if (isfinite(score) && !trial->scored) {
        trial->scored = true;
        if (!isfinite(board->first_score) ||
            pbt_board_better(board, score, board->first_score)) {
            board->first_score = score;
        }
    }
    if (isfinite(score) &&
        (!board->has_best ||
         pbt_board_better(board, score, board->best_score))) {
        board->has_best = true;
        board->best_trial = record->trial;
        board->best_score = score;
        board->best_iteration = record->iteration;
        copy_cells(board, board->best_cells, trial->cells);
    }
}

/* The result has shown that these have no effect. */
static int feed_ignored(struct pbt_board *board, const json_t *names,
                        struct pbt_error *error)
{
    size_t index;
    json_t *name;
    if (!json_is_array(names)) {
        return PBT_OK;
    }
    json_t *known = board->ignored == NULL ? json_array() : board->ignored;
    board->ignored = known;
    bool fits = known != NULL;
    json_array_foreach(names, index, name)
    {
        bool there = false;
        for (size_t i = 0; i < json_array_size(known); i++) {
            there = there || json_equal(json_array_get(known, i), name);
        }
        fits = fits && (there || !json_is_string(name) ||
                        json_array_append(known, name) == 0);
    }
    return fits ? PBT_OK : no_memory(error);
}

static void feed_saved(struct pbt_board *board, const struct pbt_record *record)
{
    struct pbt_board_trial *trial = &board->trials[record->trial];
    trial->checkpoints++;
    board->checkpoints += record->point ? 1 : 0;
    if (record->pause) {
        trial->leave = PBT_LEAVE_PAUSE;
    }
}

static int feed_kind(struct pbt_board *board, const struct pbt_record *record,
                     const json_t *data, struct pbt_error *error)
{
    struct pbt_board_trial *trial = &board->trials[record->trial];
    switch (record->kind) {
    case PBT_RECORD_OPENED:
        feed_opened(board, record, data);
        break;
    case PBT_RECORD_READY:
        feed_ready(trial, data);
        break;
    case PBT_RECORD_RESULT:
        feed_result(board, record, data);
        return feed_ignored(board, json_object_get(data, "ignored"), error);
    case PBT_RECORD_SAVED:
        feed_saved(board, record);
        break;
    case PBT_RECORD_EXITED:
        return feed_exited(trial, record, data, error);
    case PBT_RECORD_REQUEST:
        feed_request(trial, record->request);
        break;
    case PBT_RECORD_ROUND:
        break;
    case PBT_RECORD_CAPACITY:
        board->slots = record->slots;
        break;
    case PBT_RECORD_TRIAL:
        return feed_trial(board, record, error);
    case PBT_RECORD_START:
        begin_life(board, record, record->iteration);
        trial->status = PBT_TRIAL_RUNNING;
        trial->pid = 0;
        break;
    case PBT_RECORD_EXPLOIT:
    case PBT_RECORD_ADOPT:
        feed_exploit(board, record);
        break;
    case PBT_RECORD_CHANGE:
        feed_change(board, record);
        break;
    case PBT_RECORD_UNDO:
        feed_undo(board, record);
        break;
    case PBT_RECORD_LEAVE:
        trial->leave = record->leave;
        break;
    case PBT_RECORD_END:
        feed_end(board, record);
        break;
    case PBT_RECORD_BAD:
        feed_bad(board, record->checkpoint);
        break;
    case PBT_RECORD_PASS:
        stop_replacing(trial);
        break;
    case PBT_RECORD_ASK:
        if (record->replacement) {
            begin_replacing(trial, record);
        }
        break;
    case PBT_RECORD_EXTEND:
        board->end = PBT_END_NOT;
        break;
    case PBT_RECORD_REOPEN:
        trial->status = PBT_TRIAL_PENDING;
        break;
    case PBT_RECORD_HALTED:
    case PBT_RECORD_DURABLE:
    case PBT_RECORD_SAVE:
    case PBT_RECORD_ASK_FIRST:
    case PBT_RECORD_DELETE:
    case PBT_RECORD_KINDS:
        break;
    }
    return PBT_OK;
}

int pbt_board_feed(struct pbt_board *board, const struct pbt_entry *entry,
                   struct pbt_error *error)
{
    const struct pbt_record *record = &entry->record;
    json_t *parsed = NULL;
    const json_t *data = entry->data_json;
    if (data == NULL && entry->data != NULL) {
        json_error_t where;
        parsed = json_loadb(entry->data, entry->data_length, 0, &where);
        if (parsed == NULL) {
            return pbt_error_set(error, PBT_EDATA, "\"data\": %s", where.text);
        }
        data = parsed;
    }
    int status = feed_kind(board, record, data, error);
    json_decref(parsed);
    if (status == PBT_OK) {
        board->records = record->number;
        board->time = record->time;
        board->wall = pbt_board_wall(board, record->time);
    }
    return status;
}
