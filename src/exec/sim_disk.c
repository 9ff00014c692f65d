#include "exec/sim_disk.h"

#include <stdlib.h>
#include <string.h>

#define FILES_MAX 4096
#define FILE_BYTES_MAX ((size_t)1 << 30)

struct pbt_file {
    char path[256];
    struct pbt_buf content;
    size_t synced;
    bool name_synced;
    bool present;
};

struct pbt_sim_disk {
    struct pbt_files files; /* first: a pbt_files is the disk */
    struct pbt_file *items[FILES_MAX];
    size_t count;
    struct pbt_sim_checkpoint *checkpoints;
    size_t checkpoint_count;
    size_t checkpoint_capacity;
};

static struct pbt_file *find(struct pbt_sim_disk *disk, const char *path)
{
    for (size_t i = 0; i < disk->count; i++) {
        if (disk->items[i]->present &&
            strcmp(disk->items[i]->path, path) == 0) {
            return disk->items[i];
        }
    }
    return NULL;
}

static int sim_create(struct pbt_files *files, const char *path,
                      struct pbt_file **file, struct pbt_error *error)
{
    struct pbt_sim_disk *disk = (struct pbt_sim_disk *)files;
    if (find(disk, path) != NULL) {
        return pbt_error_set(error, PBT_ECANTCREATE, "%s: exists", path);
    }
    struct pbt_file *new = calloc(1, sizeof *new);
    size_t length = strlen(path);
    if (new == NULL || disk->count == FILES_MAX || length >= sizeof new->path) {
        free(new);
        return pbt_error_set(error, PBT_ENOMEM, "the simulated disk is full");
    }
    memcpy(new->path, path, length + 1);
    pbt_buf_init(&new->content, FILE_BYTES_MAX);
    new->present = true;
    disk->items[disk->count++] = new;
    *file = new;
    return PBT_OK;
}

static int sim_append(struct pbt_file *file, const void *bytes, size_t length,
                      struct pbt_error *error)
{
    pbt_buf_put(&file->content, bytes, length);
    return pbt_buf_failed(&file->content)
               ? pbt_error_set(error, PBT_ENOMEM, "out of memory")
               : PBT_OK;
}

static int sim_sync(struct pbt_file *file, struct pbt_error *error)
{
    (void)error;
    file->synced = file->content.length;
    return PBT_OK;
}

static void sim_close(struct pbt_file *file)
{
    (void)file; /* the disk owns it */
}

static int sim_sync_path(struct pbt_files *files, const char *path,
                         struct pbt_error *error)
{
    struct pbt_sim_disk *disk = (struct pbt_sim_disk *)files;
    struct pbt_file *file = find(disk, path);
    if (file != NULL) {
        return sim_sync(file, error);
    }
    for (size_t i = 0; i < disk->count; i++) {
        disk->items[i]->name_synced = true; /* there is one directory */
    }
    return PBT_OK;
}

static int sim_read(struct pbt_files *files, const char *path, uint64_t offset,
                    size_t length, struct pbt_buf *content,
                    struct pbt_error *error)
{
    struct pbt_file *file = find((struct pbt_sim_disk *)files, path);
    if (file == NULL) {
        return pbt_error_set(error, PBT_ENOINPUT, "%s: no such file", path);
    }
    if (offset < file->content.length) {
        size_t rest = file->content.length - (size_t)offset;
        pbt_buf_put(content, file->content.data + offset,
                    rest < length ? rest : length);
    }
    return pbt_buf_failed(content)
               ? pbt_error_set(error, PBT_ENOMEM, "out of memory")
               : PBT_OK;
}

static bool sim_exists(struct pbt_files *files, const char *path)
{
    return find((struct pbt_sim_disk *)files, path) != NULL;
}

struct pbt_sim_disk *pbt_sim_disk_create(void)
{
    static const struct pbt_files_ops OPS = {
        .create = sim_create,
        .append = sim_append,
        .sync = sim_sync,
        .close = sim_close,
        .sync_path = sim_sync_path,
        .read = sim_read,
        .exists = sim_exists,
    };
    struct pbt_sim_disk *disk = calloc(1, sizeof *disk);
    if (disk != NULL) {
        disk->files.ops = &OPS;
    }
    return disk;
}

void pbt_sim_disk_destroy(struct pbt_sim_disk *disk)
{
    if (disk == NULL) {
        return;
    }
    for (size_t i = 0; i < disk->count; i++) {
        pbt_buf_done(&disk->items[i]->content);
        free(disk->items[i]);
    }
    free(disk->checkpoints);
    free(disk);
}

struct pbt_files *pbt_sim_disk_files(struct pbt_sim_disk *disk)
{
    return &disk->files;
}

void pbt_sim_disk_power_loss(struct pbt_sim_disk *disk, double (*draw)(void *),
                             void *user)
{
    for (size_t i = 0; i < disk->count; i++) {
        struct pbt_file *file = disk->items[i];
        if (!file->name_synced && draw(user) < 0.5) {
            file->present = false;
            continue;
        }
        file->name_synced = true;
        /* Any length from what was synced to all of it; sometimes just these. */
        size_t unsynced = file->content.length - file->synced;
        size_t kept = (size_t)(draw(user) * 1.2 * (double)(unsynced + 1));
        kept = kept > unsynced ? unsynced : kept;
        if (file->content.data != NULL) {
            file->content.length = file->synced + kept;
            file->content.data[file->content.length] = '\0';
        }
        file->synced = file->content.length;
    }
    for (size_t i = 0; i < disk->checkpoint_count; i++) {
        struct pbt_sim_checkpoint *checkpoint = &disk->checkpoints[i];
        if (checkpoint->present && !checkpoint->durable && draw(user) < 0.5) {
            checkpoint->damaged = true;
        }
    }
}

bool pbt_sim_disk_put(struct pbt_sim_disk *disk,
                      const struct pbt_sim_checkpoint *checkpoint)
{
    struct pbt_sim_checkpoint *old = pbt_sim_disk_find(disk, checkpoint->id);
    if (old != NULL) {
        *old = *checkpoint;
        return true;
    }
    if (disk->checkpoint_count == disk->checkpoint_capacity) {
        size_t capacity =
            disk->checkpoint_capacity == 0 ? 64 : 2 * disk->checkpoint_capacity;
        struct pbt_sim_checkpoint *grown =
            realloc(disk->checkpoints, capacity * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        disk->checkpoints = grown;
        disk->checkpoint_capacity = capacity;
    }
    disk->checkpoints[disk->checkpoint_count++] = *checkpoint;
    return true;
}

struct pbt_sim_checkpoint *pbt_sim_disk_find(struct pbt_sim_disk *disk,
                                             struct pbt_checkpoint_id id)
{
    for (size_t i = disk->checkpoint_count; i > 0; i--) {
        struct pbt_sim_checkpoint *checkpoint = &disk->checkpoints[i - 1];
        if (checkpoint->present && checkpoint->id.trial == id.trial &&
            checkpoint->id.number == id.number) {
            return checkpoint;
        }
    }
    return NULL;
}
