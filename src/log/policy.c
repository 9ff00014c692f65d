#include "log/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"

#define GLOBAL_MAX ((size_t)1 << 30) /* of pbt_global.txt, to be cut */

struct pbt_policy_line {
    struct pbt_policy_line *before;
    uint32_t references;
    uint32_t depth; /* lines up to this one */
    size_t length;
    char text[];
};

int pbt_policy_init(struct pbt_policy *policy, uint32_t population,
                    struct pbt_error *error)
{
    *policy = (struct pbt_policy){.population = population};
    pbt_buf_init(&policy->global.pending, PBT_LOG_PENDING_MAX);
    policy->trials = calloc((size_t)population + 1, sizeof *policy->trials);
    if (policy->trials == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    return PBT_OK;
}

static void release(struct pbt_policy_line *line)
{
    while (line != NULL && --line->references == 0) {
        struct pbt_policy_line *before = line->before;
        free(line);
        line = before;
    }
}

void pbt_policy_done(struct pbt_policy *policy)
{
    uint32_t population = policy->trials == NULL ? 0 : policy->population;
    for (uint32_t i = 0; i < population; i++) {
        release(policy->trials[i].head);
        for (uint32_t k = 0; k < policy->trials[i].kept_count; k++) {
            release(policy->trials[i].kept[k].head);
        }
        free(policy->trials[i].kept);
        for (uint32_t b = 0; b < PBT_POLICY_UNDO_MAX; b++) {
            release(policy->trials[i].before[b]);
        }
    }
    free(policy->trials);
    pbt_buf_done(&policy->global.pending);
    *policy = (struct pbt_policy){0};
}

static struct pbt_policy_line *hold(struct pbt_policy_line *line)
{
    if (line != NULL) {
        line->references++;
    }
    return line;
}

/* --- the schedules behind checkpoints ----------------------------------------- */

int pbt_policy_saved(struct pbt_policy *policy, struct pbt_checkpoint_id id,
                     struct pbt_error *error)
{
    struct pbt_policy_trial *trial = &policy->trials[id.trial];
    struct pbt_policy_kept *kept =
        pbt_list_room(trial->kept, trial->kept_count, sizeof *kept);
    if (kept == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    trial->kept = kept;
    trial->kept[trial->kept_count++] =
        (struct pbt_policy_kept){id.number, hold(trial->head)};
    return PBT_OK;
}

void pbt_policy_gone(struct pbt_policy *policy, struct pbt_checkpoint_id id)
{
    struct pbt_policy_trial *trial = &policy->trials[id.trial];
    for (uint32_t i = 0; i < trial->kept_count; i++) {
        if (trial->kept[i].number == id.number) {
            release(trial->kept[i].head);
            trial->kept[i] = trial->kept[--trial->kept_count];
            return;
        }
    }
}

/* Of what is not kept: its owner has not exploited since. */
static struct pbt_policy_line *head_behind(const struct pbt_policy *policy,
                                           struct pbt_checkpoint_id id)
{
    const struct pbt_policy_trial *trial = &policy->trials[id.trial];
    for (uint32_t i = 0; i < trial->kept_count; i++) {
        if (trial->kept[i].number == id.number) {
            return trial->kept[i].head;
        }
    }
    return trial->head;
}

/* --- lines ---------------------------------------------------------------------- */

static void put_config(struct pbt_buf *out, const struct pbt_board *board,
                       const struct pbt_cell *cells)
{
    struct pbt_python_style style = {.bare_nan = true};
    if (cells == NULL) {
        pbt_buf_text(out, "null");
    } else {
        pbt_shape_json(&board->shape, cells, style, out);
    }
}

static void put_tag(struct pbt_buf *out, const char *tag)
{
    pbt_python_string(out, tag == NULL ? "" : tag,
                      tag == NULL ? 0 : strlen(tag));
}

/* Ray's line, with the iteration of the checkpoint that was copied as its fourth field. */
static void put_line(struct pbt_buf *out, const struct pbt_board *board,
                     const struct pbt_record *record)
{
    pbt_buf_char(out, '[');
    put_tag(out, board->trials[record->trial].tag);
    pbt_buf_text(out, ", ");
    put_tag(out, board->trials[record->donor].tag);
    pbt_buf_text(out, ", ");
    pbt_buf_i64(out, record->iteration);
    pbt_buf_text(out, ", ");
    pbt_buf_i64(out, record->donor_iteration);
    pbt_buf_text(out, ", ");
    put_config(out, board, record->old_cells);
    pbt_buf_text(out, ", ");
    put_config(out, board, record->cells);
    pbt_buf_text(out, "]\n");
}

/* The line of a trial's own file; NULL without memory. */
static struct pbt_policy_line *make_line(const struct pbt_board *board,
                                         const struct pbt_record *record,
                                         const struct pbt_cell *config)
{
    struct pbt_record own = *record;
    struct pbt_policy_line *line = NULL;
    struct pbt_buf text;
    if (record->kind == PBT_RECORD_ADOPT) {
        own.donor = record->trial;
        own.donor_iteration = record->iteration;
        own.old_cells = config;
    }
    pbt_buf_init(&text, PBT_LOG_PENDING_MAX);
    put_line(&text, board, &own);
    if (!pbt_buf_failed(&text)) {
        line = malloc(sizeof *line + text.length);
    }
    if (line != NULL) {
        *line =
            (struct pbt_policy_line){.references = 1, .length = text.length};
        memcpy(line->text, text.data, text.length);
    }
    pbt_buf_done(&text);
    return line;
}

int pbt_policy_feed(struct pbt_policy *policy, const struct pbt_board *board,
                    const struct pbt_record *record,
                    const struct pbt_cell *config, struct pbt_error *error)
{
    struct pbt_buf *global = &policy->global.pending;
    size_t start = global->length;
    put_line(global, board, record);
    struct pbt_policy_line *line =
        pbt_buf_failed(global) ? NULL : make_line(board, record, config);
    if (line == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    struct pbt_policy_trial *trial = &policy->trials[record->trial];
    struct pbt_policy_line *before =
        hold(head_behind(policy, record->checkpoint));
    line->before = before;
    line->depth = before == NULL ? 1 : before->depth + 1;
    struct pbt_policy_line **former =
        &trial->before[trial->exploits % PBT_POLICY_UNDO_MAX];
    release(*former);
    *former = trial->head;
    trial->head = line;
    trial->exploits++;

    if (record->number <= policy->global.record) {
        global->length = start; /* the file has it */
    }
    return PBT_OK;
}

/* --- undone --------------------------------------------------------------- */

/* The trial that a line is about: its tag begins with its number. */
static uint32_t trial_of(const char *line)
{
    return (uint32_t)strtoul(line + 2, NULL, 10); /* behind [" */
}

/* Takes the last lines out of `text`: left[i] of trial i, which counts down. */
static void cut_lines(struct pbt_buf *text, uint32_t *left, uint32_t population)
{
    size_t end = text->length; /* of the line that is looked at */
    while (end > 0) {
        size_t begin = end - 1;
        while (begin > 0 && text->data[begin - 1] != '\n') {
            begin--;
        }
        uint32_t number = trial_of(text->data + begin);
        if (number < population && left[number] > 0) {
            left[number]--;
            /* with the NUL behind it */
            memmove(text->data + begin, text->data + end,
                    text->length - end + 1);
            text->length -= end - begin;
        }
        end = begin;
    }
}

/* The schedule that the trial had before its last exploit. */
static void step_back(struct pbt_policy_trial *trial)
{
    struct pbt_policy_line **former =
        &trial->before[--trial->exploits % PBT_POLICY_UNDO_MAX];
    release(trial->head);
    trial->head = *former;
    *former = NULL;
}

int pbt_policy_undo(struct pbt_policy *policy, const struct pbt_record *record,
                    struct pbt_error *error)
{
    struct pbt_policy_trial *trial = &policy->trials[record->trial];
    uint32_t *left = calloc((size_t)policy->population + 1, sizeof *left);
    if (left == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    while (trial->exploits > record->exploits) {
        step_back(trial);
        left[record->trial]++;
    }
    if (record->number > policy->global.record) { /* else the file is right */
        cut_lines(&policy->global.pending, left, policy->population);
        trial->undone += left[record->trial];
        policy->cuts = policy->cuts || trial->undone > 0;
    }
    free(left);
    return PBT_OK;
}

static int cut_file(struct pbt_policy *policy, const struct pbt_log_dir *dir,
                    uint32_t *left, struct pbt_buf *text,
                    struct pbt_error *error)
{
    static const char path[] = "pbt_global.txt";
    bool found;
    int status = pbt_log_read(dir, path, text, &found, error);
    if (status != PBT_OK || !found || text->length == 0) {
        return status;
    }
    if (text->length > policy->global.bytes) { /* an append that failed */
        text->length = (size_t)policy->global.bytes;
    }
    cut_lines(text, left, policy->population);
    return text->length == 0
               ? pbt_log_remove(dir, path, error)
               : pbt_log_replace(dir, path, text->data, text->length, error);
}

int pbt_policy_cut(struct pbt_policy *policy, const struct pbt_log_dir *dir,
                   struct pbt_error *error)
{
    struct pbt_buf text;
    if (!policy->cuts) {
        return PBT_OK;
    }
    uint32_t *left = calloc((size_t)policy->population + 1, sizeof *left);
    if (left == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    for (uint32_t i = 0; i < policy->population; i++) {
        left[i] = policy->trials[i].undone;
    }
    pbt_buf_init(&text, GLOBAL_MAX);
    int status = cut_file(policy, dir, left, &text, error);
    if (status == PBT_OK) {
        policy->global.bytes = text.length;
        policy->cuts = false;
        for (uint32_t i = 0; i < policy->population; i++) {
            policy->trials[i].undone = 0;
        }
    }
    pbt_buf_done(&text);
    free(left);
    return status;
}

int pbt_policy_write(const struct pbt_policy *policy,
                     const struct pbt_log_dir *dir, const char *trial_id,
                     uint32_t trial, struct pbt_error *error)
{
    char path[PBT_LOG_PATH_SIZE];
    (void)snprintf(path, sizeof path, "pbt_policy_%s.txt", trial_id);
    const struct pbt_policy_line *head = policy->trials[trial].head;
    if (head == NULL) {
        return pbt_log_remove(dir, path, error);
    }
    const struct pbt_policy_line **lines = calloc(head->depth, sizeof *lines);
    struct pbt_buf text;
    pbt_buf_init(&text, PBT_LOG_PENDING_MAX);
    if (lines == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    uint32_t depth = head->depth;
    for (uint32_t i = depth; head != NULL && i > 0; head = head->before) {
        lines[--i] = head;
    }
    for (uint32_t i = 0; i < depth; i++) {
        pbt_buf_put(&text, lines[i]->text, lines[i]->length);
    }
    free(lines);
    int status =
        pbt_buf_failed(&text)
            ? pbt_error_set(error, PBT_ENOMEM, "out of memory")
            : pbt_log_replace(dir, path, text.data, text.length, error);
    pbt_buf_done(&text);
    return status;
}
