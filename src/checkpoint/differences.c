/*
 * differences.c: all that a checkpoint is not as its manifest says.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint/checkpoint.h"
#include "checkpoint/manifest.h"
#include "checkpoint/tree.h"

struct look {
    int fd;
    bool sync;
    uint64_t bytes;
    pbt_difference_fn fn;
    void *user;
};

/* One file that both lists have. */
static void look_at_file(const struct look *look, struct pbt_tree_file *have,
                         const struct pbt_tree_file *want)
{
    char text[96];
    struct pbt_error error;
    if (have->bytes != want->bytes) {
        (void)snprintf(text, sizeof text, "has %llu bytes, not %llu",
                       (unsigned long long)have->bytes,
                       (unsigned long long)want->bytes);
        look->fn(look->user, have->name, text);
    } else if (pbt_tree_sum(look->fd, have, look->sync, &error) != PBT_OK) {
        look->fn(look->user, have->name, error.text);
    } else if (strcmp(have->sum, want->sum) != 0) {
        look->fn(look->user, have->name, "is damaged (its XXH3 differs)");
    }
}

/* Both lists are sorted. */
static void compare(struct look *look, const struct pbt_tree_files *found,
                    const struct pbt_tree_files *listed)
{
    size_t f = 0;
    for (size_t i = 0; i < listed->count; i++) {
        const struct pbt_tree_file *want = &listed->items[i];
        while (f < found->count &&
               strcmp(found->items[f].name, want->name) < 0) {
            look->fn(look->user, found->items[f++].name,
                     "is not in the manifest");
        }
        if (f < found->count && strcmp(found->items[f].name, want->name) == 0) {
            look->bytes += found->items[f].bytes;
            look_at_file(look, &found->items[f++], want);
        } else {
            look->fn(look->user, want->name, "is missing");
        }
    }
    while (f < found->count) {
        look->fn(look->user, found->items[f++].name, "is not in the manifest");
    }
}

static int look_through(struct look *look, struct pbt_error *error)
{
    struct pbt_tree_files found = {0};
    struct pbt_tree_files listed = {0};
    struct pbt_error why;
    int status = pbt_manifest_read(look->fd, &listed, &why);
    if (status == PBT_OK) {
        status = pbt_tree_list(look->fd, look->sync, &found, &why);
    }
    if (status == PBT_OK) {
        compare(look, &found, &listed);
    } else if (status == PBT_ENOMEM) {
        (void)pbt_error_set(error, status, "%s", why.text);
    } else {
        look->fn(look->user, "", why.text);
        status = PBT_OK;
    }
    pbt_tree_files_done(&found);
    pbt_tree_files_done(&listed);
    return status;
}

int pbt_checkpoint_differences(const char *path, bool sync,
                               pbt_difference_fn fn, void *user,
                               uint64_t *bytes, struct pbt_error *error)
{
    struct look look = {.sync = sync, .fn = fn, .user = user};
    struct pbt_error why;
    int status = pbt_tree_open(path, &look.fd, &why);
    *bytes = 0;
    if (status == PBT_ENOMEM) {
        return pbt_error_set(error, status, "%s", why.text);
    }
    if (status != PBT_OK) {
        fn(user, "", status == PBT_ENOINPUT ? "is missing" : why.text);
        return PBT_OK;
    }
    status = look_through(&look, error);
    if (status == PBT_OK && sync && fsync(look.fd) != 0) {
        status = pbt_file_error(error, "sync", path);
    }
    (void)close(look.fd);
    *bytes = look.bytes;
    return status;
}
