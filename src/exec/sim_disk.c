#include "exec/sim_disk.h"

#include <stdlib.h>
#include <string.h>

#define FILES_MAX 4096
#define FILE_BYTES_MAX ((size_t)1 << 30)

struct pbt_file {
    char path[256];
    struct pbt_buf content;
    struct pbt_sim_disk *disk;
    size_t synced;
    size_t marked; /* a sync that is under way covers so much */
    bool name_synced;
    bool present;
};

/* A trial's checkpoints, by number - 1. */
struct shelf {
    struct pbt_sim_checkpoint *items;
    size_t count;
};

struct pbt_sim_disk {
    struct pbt_files files; /* first: a pbt_files is the disk */
    struct pbt_file *items[FILES_MAX];
    size_t count;
    struct shelf *shelves; /* by trial */
    size_t shelf_count;
    bool marking;  /* syncs only mark */
    uint32_t fuse; /* operations until the process dies; 0: never */
    bool died;
    double (*draw)(void *);
    void *draw_user;
};

/* True if the process dies at this operation. */
static bool dies(struct pbt_sim_disk *disk)
{
    if (disk->fuse > 0 && --disk->fuse == 0) {
        disk->died = true;
    }
    return disk->died;
}

static int dead(struct pbt_error *error)
{
    return pbt_error_set(error, PBT_EIO, "the simulated process has died");
}

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
    if (disk->died) {
        return dead(error);
    }
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
    new->disk = disk;
    disk->items[disk->count++] = new;
    *file = new;
    return dies(disk) ? dead(error) : PBT_OK;
}

static int sim_append(struct pbt_file *file, const void *bytes, size_t length,
                      struct pbt_error *error)
{
    struct pbt_sim_disk *disk = file->disk;
    if (disk->died) {
        return dead(error);
    }
    bool last = dies(disk);
    if (last) {
        /* Any part of it is written, not seldom all. */
        size_t part =
            (size_t)(disk->draw(disk->draw_user) * 1.3 * (double)(length + 1));
        length = part < length ? part : length;
    }
    pbt_buf_put(&file->content, bytes, length);
    if (pbt_buf_failed(&file->content)) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    return last ? dead(error) : PBT_OK;
}

static int sim_sync(struct pbt_file *file, struct pbt_error *error)
{
    struct pbt_sim_disk *disk = file->disk;
    if (disk->marking) {
        file->marked = file->content.length;
        return PBT_OK;
    }
    if (disk->died || dies(disk)) {
        return dead(error); /* at its very beginning */
    }
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
    if (disk->died || dies(disk)) {
        return dead(error);
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

static int sim_remove(struct pbt_files *files, const char *path,
                      struct pbt_error *error)
{
    struct pbt_sim_disk *disk = (struct pbt_sim_disk *)files;
    struct pbt_file *file = find(disk, path);
    if (disk->died || dies(disk)) {
        return dead(error);
    }
    if (file != NULL) {
        file->present = false;
    }
    return PBT_OK;
}

/* The name of the meantime is not seen: a replacement is there, or the old one is. */
static int sim_replace(struct pbt_files *files, const char *path,
                       const void *bytes, size_t length,
                       struct pbt_error *error)
{
    struct pbt_sim_disk *disk = (struct pbt_sim_disk *)files;
    struct pbt_file *file = find(disk, path);
    int status = PBT_OK;
    if (disk->died || dies(disk)) {
        return dead(error);
    }
    if (file == NULL) {
        status = sim_create(files, path, &file, error);
    }
    if (status == PBT_OK && file != NULL) {
        pbt_buf_reset(&file->content);
        pbt_buf_put(&file->content, bytes, length);
        file->synced = length;
        file->marked = 0;
    }
    return status;
}

static int sim_list(struct pbt_files *files, const char *dir,
                    void (*fn)(void *user, const char *name), void *user,
                    struct pbt_error *error)
{
    const struct pbt_sim_disk *disk = (struct pbt_sim_disk *)files;
    size_t length = strlen(dir);
    (void)error;
    for (size_t i = 0; i < disk->count; i++) {
        const char *path = disk->items[i]->path;
        if (disk->items[i]->present && strncmp(path, dir, length) == 0 &&
            path[length] == '/') {
            fn(user, path + length + 1);
        }
    }
    return PBT_OK;
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
        .replace = sim_replace,
        .remove = sim_remove,
        .list = sim_list,
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
    for (size_t i = 0; i < disk->shelf_count; i++) {
        free(disk->shelves[i].items);
    }
    free(disk->shelves);
    free(disk);
}

struct pbt_files *pbt_sim_disk_files(struct pbt_sim_disk *disk)
{
    return &disk->files;
}

struct drawer {
    double (*draw)(void *);
    void *user;
};

static void damage_unsynced(void *user, struct pbt_sim_checkpoint *checkpoint)
{
    const struct drawer *drawer = user;
    if (!checkpoint->durable && drawer->draw(drawer->user) < 0.5) {
        checkpoint->damaged = true;
    }
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
    pbt_sim_disk_each(disk, damage_unsynced, &(struct drawer){draw, user});
}

static struct pbt_sim_checkpoint *place(struct pbt_sim_disk *disk,
                                        struct pbt_checkpoint_id id)
{
    if (id.trial >= disk->shelf_count ||
        id.number > disk->shelves[id.trial].count || id.number == 0) {
        return NULL;
    }
    return &disk->shelves[id.trial].items[id.number - 1];
}

/* Makes room for as many items, the new ones zeroed. */
static bool grow(void **items, size_t *count, size_t needed, size_t size)
{
    if (needed <= *count) {
        return true;
    }
    size_t wanted = 2 * needed;
    char *grown = realloc(*items, wanted * size);
    if (grown == NULL) {
        return false;
    }
    memset(grown + *count * size, 0, (wanted - *count) * size);
    *items = grown;
    *count = wanted;
    return true;
}

bool pbt_sim_disk_put(struct pbt_sim_disk *disk,
                      const struct pbt_sim_checkpoint *checkpoint)
{
    struct pbt_checkpoint_id id = checkpoint->id;
    void *shelves = disk->shelves;
    if (!grow(&shelves, &disk->shelf_count, (size_t)id.trial + 1,
              sizeof *disk->shelves)) {
        return false;
    }
    disk->shelves = shelves;
    struct shelf *shelf = &disk->shelves[id.trial];
    void *items = shelf->items;
    if (!grow(&items, &shelf->count, id.number, sizeof *shelf->items)) {
        return false;
    }
    shelf->items = items;
    shelf->items[id.number - 1] = *checkpoint;
    return true;
}

struct pbt_sim_checkpoint *pbt_sim_disk_find(struct pbt_sim_disk *disk,
                                             struct pbt_checkpoint_id id)
{
    struct pbt_sim_checkpoint *found = place(disk, id);
    return found != NULL && found->present ? found : NULL;
}

bool pbt_sim_disk_is_lost(struct pbt_sim_disk *disk,
                          struct pbt_checkpoint_id id)
{
    const struct pbt_sim_checkpoint *found = place(disk, id);
    return found != NULL && !found->present && (found->lost || found->damaged);
}

void pbt_sim_disk_each(struct pbt_sim_disk *disk,
                       void (*fn)(void *user,
                                  struct pbt_sim_checkpoint *checkpoint),
                       void *user)
{
    for (size_t i = 0; i < disk->shelf_count; i++) {
        for (size_t n = 0; n < disk->shelves[i].count; n++) {
            if (disk->shelves[i].items[n].present) {
                fn(user, &disk->shelves[i].items[n]);
            }
        }
    }
}

void pbt_sim_disk_sync_begin(struct pbt_sim_disk *disk)
{
    disk->marking = true;
}

void pbt_sim_disk_sync_mark_end(struct pbt_sim_disk *disk)
{
    disk->marking = false;
}

void pbt_sim_disk_sync_done(struct pbt_sim_disk *disk)
{
    for (size_t i = 0; i < disk->count; i++) {
        struct pbt_file *file = disk->items[i];
        file->synced =
            file->marked > file->synced ? file->marked : file->synced;
    }
}

void pbt_sim_disk_sync_forget(struct pbt_sim_disk *disk)
{
    for (size_t i = 0; i < disk->count; i++) {
        disk->items[i]->marked = 0;
    }
    disk->died = false;
    disk->fuse = 0;
}

void pbt_sim_disk_die_at(struct pbt_sim_disk *disk, uint32_t operations,
                         double (*draw)(void *), void *user)
{
    disk->fuse = operations;
    disk->draw = draw;
    disk->draw_user = user;
}

bool pbt_sim_disk_died(const struct pbt_sim_disk *disk)
{
    return disk->died;
}
