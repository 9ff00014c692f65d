#include "log/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    policy->heads = calloc((size_t)population + 1, sizeof *policy->heads);
    if (policy->heads == NULL) {
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
    for (uint32_t i = 0; policy->heads != NULL && i < policy->population; i++) {
        release(policy->heads[i]);
    }
    free(policy->heads);
    pbt_buf_done(&policy->global.pending);
    *policy = (struct pbt_policy){0};
}

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

int pbt_policy_feed(struct pbt_policy *policy, const struct pbt_board *board,
                    const struct pbt_record *record, struct pbt_error *error)
{
    struct pbt_buf *global = &policy->global.pending;
    size_t start = global->length;
    put_line(global, board, record);
    struct pbt_policy_line *line = NULL;
    if (!pbt_buf_failed(global)) {
        line = malloc(sizeof *line + global->length - start);
    }
    if (line == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    struct pbt_policy_line *before = policy->heads[record->donor];
    if (before != NULL) {
        before->references++;
    }
    line->before = before;
    line->references = 1;
    line->depth = before == NULL ? 1 : before->depth + 1;
    line->length = global->length - start;
    memcpy(line->text, global->data + start, line->length);
    release(policy->heads[record->trial]);
    policy->heads[record->trial] = line;

    if (record->number <= policy->global.record) {
        global->length = start; /* the file has it */
    }
    return PBT_OK;
}

int pbt_policy_write(const struct pbt_policy *policy, int dir,
                     const char *trial_id, uint32_t trial,
                     struct pbt_error *error)
{
    char path[PBT_LOG_PATH_SIZE];
    (void)snprintf(path, sizeof path, "pbt_policy_%s.txt", trial_id);
    const struct pbt_policy_line *head = policy->heads[trial];
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
