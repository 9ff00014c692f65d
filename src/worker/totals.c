/*
 * totals.c: what a worker counts over the life of a model, in its checkpoints:
 *     {"version":1,"timesteps_total":1200,"episodes_total":7}
 * A member is absent where nothing was ever counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "wire/message.h"
#include "worker/worker.h"

#define VERSION 1
#define TEXT_MAX ((size_t)4096)

static int file_path(struct pbt_buf *path, const char *dir,
                     struct pbt_error *error)
{
    pbt_buf_init(path, TEXT_MAX);
    pbt_buf_text(path, dir);
    pbt_buf_text(path, "/" PBT_WORKER_FILE);
    if (pbt_buf_failed(path)) {
        pbt_buf_done(path);
        return pbt_error_set(error, PBT_EUSAGE, "a path is too long");
    }
    return PBT_OK;
}

static void put_total(struct pbt_buf *out, const char *name,
                      const struct pbt_total *total)
{
    if (total->known) {
        pbt_buf_printf(out, ",\"%s\":", name);
        pbt_buf_real(out, total->sum);
    }
}

int pbt_totals_save(const struct pbt_totals *totals, const char *dir,
                    struct pbt_error *error)
{
    struct pbt_buf path;
    int status = file_path(&path, dir, error);
    if (status != PBT_OK) {
        return status;
    }
    struct pbt_buf text;
    pbt_buf_init(&text, TEXT_MAX);
    pbt_buf_printf(&text, "{\"version\":%d", VERSION);
    put_total(&text, "timesteps_total", &totals->timesteps);
    put_total(&text, "episodes_total", &totals->episodes);
    pbt_buf_text(&text, "}\n");
    int fd =
        pbt_buf_failed(&text)
            ? -1
            : open(path.data, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    bool good =
        file != NULL && fwrite(text.data, 1, text.length, file) == text.length;
    if (file != NULL ? fclose(file) != 0 : fd >= 0 && close(fd) != 0) {
        good = false;
    }
    if (!good) {
        status = pbt_error_set(error, PBT_EIO, "can't write %s: %s", path.data,
                               strerror(errno));
    }
    pbt_buf_done(&text);
    pbt_buf_done(&path);
    return status;
}

static bool take_total(const json_t *root, const char *name,
                       struct pbt_total *total)
{
    const json_t *value = json_object_get(root, name);
    *total = (struct pbt_total){.known = value != NULL};
    return value == NULL || pbt_json_number(value, &total->sum);
}

int pbt_totals_load(struct pbt_totals *totals, const char *dir,
                    struct pbt_error *error)
{
    struct pbt_buf path;
    struct pbt_totals loaded = {0};
    int status = file_path(&path, dir, error);
    if (status != PBT_OK) {
        return status;
    }
    FILE *file = fopen(path.data, "re");
    if (file == NULL && errno != ENOENT) {
        status = pbt_error_set(error, PBT_EIO, "can't read %s: %s", path.data,
                               strerror(errno));
    } else if (file != NULL) {
        json_t *root = json_loadf(file, JSON_REJECT_DUPLICATES, NULL);
        json_t *version = json_object_get(root, "version");
        if (json_integer_value(version) != VERSION ||
            !take_total(root, "timesteps_total", &loaded.timesteps) ||
            !take_total(root, "episodes_total", &loaded.episodes)) {
            status =
                pbt_error_set(error, PBT_EDATA, "%s is damaged", path.data);
        }
        json_decref(root);
        (void)fclose(file);
    }
    if (status == PBT_OK) {
        *totals = loaded;
    }
    pbt_buf_done(&path);
    return status;
}
