#include "log/cursor.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "log/file.h"

#define CURSOR_NAME "log_cursor.json"
#define CURSOR_VERSION 2
#define CURSOR_MAX ((size_t)64 * 1024 * 1024)

int pbt_log_cursor_init(struct pbt_log_cursor *cursor, uint32_t population,
                        struct pbt_error *error)
{
    *cursor = (struct pbt_log_cursor){.population = population};
    cursor->trials = calloc((size_t)population + 1, sizeof *cursor->trials);
    if (cursor->trials == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    return PBT_OK;
}

void pbt_log_cursor_done(struct pbt_log_cursor *cursor)
{
    free(cursor->trials);
    *cursor = (struct pbt_log_cursor){0};
}

/* This boot of this machine: "" if the kernel does not say, and then nothing counts. */
static void read_boot(char boot[64])
{
    boot[0] = '\0';
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    ssize_t n = read(fd, boot, 63);
    (void)close(fd); /* it was only read */
    boot[n > 0 ? n : 0] = '\0';
    boot[strspn(boot, "0123456789abcdef-")] = '\0';
}

static bool take_u64(const json_t *json, uint64_t *value)
{
    if (!json_is_integer(json) || json_integer_value(json) < 0) {
        return false;
    }
    *value = (uint64_t)json_integer_value(json);
    return true;
}

static bool take_trial(const json_t *json, struct pbt_log_cursor_trial *trial)
{
    return json_is_array(json) &&
           take_u64(json_array_get(json, 0), &trial->result) &&
           take_u64(json_array_get(json, 1), &trial->csv) &&
           take_u64(json_array_get(json, 2), &trial->header) &&
           take_u64(json_array_get(json, 3), &trial->errors);
}

static bool take(const json_t *root, struct pbt_log_cursor *cursor)
{
    char boot[64];
    read_boot(boot);
    const char *written = json_string_value(json_object_get(root, "boot"));
    const char *seed = json_string_value(json_object_get(root, "seed"));
    const json_t *trials = json_object_get(root, "trials");
    if (json_integer_value(json_object_get(root, "version")) !=
            CURSOR_VERSION ||
        boot[0] == '\0' || written == NULL || strcmp(boot, written) != 0 ||
        seed == NULL || json_array_size(trials) != cursor->population ||
        !take_u64(json_object_get(root, "record"), &cursor->record) ||
        !take_u64(json_object_get(root, "global"), &cursor->global)) {
        return false;
    }
    cursor->seed = strtoull(seed, NULL, 10);
    cursor->wall = json_integer_value(json_object_get(root, "wall"));
    for (uint32_t i = 0; i < cursor->population; i++) {
        if (!take_trial(json_array_get(trials, i), &cursor->trials[i])) {
            return false;
        }
    }
    return true;
}

static void forget(struct pbt_log_cursor *cursor)
{
    struct pbt_log_cursor_trial *trials = cursor->trials;
    uint32_t population = cursor->population;
    memset(trials, 0, population * sizeof *trials);
    *cursor =
        (struct pbt_log_cursor){.trials = trials, .population = population};
}

int pbt_log_cursor_read(struct pbt_log_cursor *cursor,
                        const struct pbt_log_dir *dir, struct pbt_error *error)
{
    struct pbt_buf text;
    bool found;
    pbt_buf_init(&text, CURSOR_MAX);
    int status = pbt_log_remove_temporary(dir, CURSOR_NAME, error);
    if (status == PBT_OK) {
        status = pbt_log_read(dir, CURSOR_NAME, &text, &found, error);
    }
    if (status == PBT_OK && text.length > 0) {
        json_t *root = json_loadb(text.data, text.length, 0, NULL);
        if (!take(root, cursor)) {
            forget(cursor);
        }
        json_decref(root);
    }
    pbt_buf_done(&text);
    return status;
}

int pbt_log_cursor_remove(const struct pbt_log_dir *dir,
                          struct pbt_error *error)
{
    return pbt_log_remove(dir, CURSOR_NAME, error);
}

int pbt_log_cursor_write(const struct pbt_log_cursor *cursor,
                         const struct pbt_log_dir *dir, struct pbt_error *error)
{
    char boot[64];
    struct pbt_buf out;
    read_boot(boot);
    pbt_buf_init(&out, CURSOR_MAX);
    pbt_buf_printf(&out,
                   "{\"version\":%d,\"boot\":\"%s\",\"seed\":\"%" PRIu64
                   "\",\"wall\":%" PRId64 ",\"record\":%" PRIu64
                   ",\"global\":%" PRIu64 ",\"trials\":[",
                   CURSOR_VERSION, boot, cursor->seed, cursor->wall,
                   cursor->record, cursor->global);
    for (uint32_t i = 0; i < cursor->population; i++) {
        const struct pbt_log_cursor_trial *trial = &cursor->trials[i];
        pbt_buf_text(&out, i == 0 ? "[" : ",[");
        pbt_buf_u64(&out, trial->result);
        pbt_buf_char(&out, ',');
        pbt_buf_u64(&out, trial->csv);
        pbt_buf_char(&out, ',');
        pbt_buf_u64(&out, trial->header);
        pbt_buf_char(&out, ',');
        pbt_buf_u64(&out, trial->errors);
        pbt_buf_char(&out, ']');
    }
    pbt_buf_text(&out, "]}\n");
    int status =
        pbt_buf_failed(&out)
            ? pbt_error_set(error, PBT_ENOMEM, "out of memory")
            : pbt_log_replace(dir, CURSOR_NAME, out.data, out.length, error);
    pbt_buf_done(&out);
    return status;
}
