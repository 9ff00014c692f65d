#include "upkeep/copy.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/codes.h"
#include "run/run.h"

#define CHUNK ((size_t)1 << 20)

static int copy_bytes(const char *from, struct pbt_file *to, uint64_t limit,
                      struct pbt_error *error)
{
    struct pbt_files *files = pbt_files_posix();
    struct pbt_buf chunk;
    uint64_t done = 0;
    int status = PBT_OK;
    pbt_buf_init(&chunk, CHUNK);
    while (status == PBT_OK && done < limit) {
        size_t want = limit - done < CHUNK ? (size_t)(limit - done) : CHUNK;
        pbt_buf_reset(&chunk);
        status = files->ops->read(files, from, done, want, &chunk, error);
        if (status == PBT_OK && chunk.length > 0) {
            status = files->ops->append(to, chunk.data, chunk.length, error);
        }
        done += chunk.length;
        if (chunk.length < want) {
            break;
        }
    }
    pbt_buf_done(&chunk);
    return status;
}

int pbt_copy_file(const char *run, const char *to, const char *name,
                  uint64_t limit, bool optional, struct pbt_error *error)
{
    struct pbt_files *files = pbt_files_posix();
    struct pbt_file *copy;
    char from[PBT_RUN_PATH_SIZE + 64];
    char path[PBT_RUN_PATH_SIZE + 64];
    (void)snprintf(from, sizeof from, "%s/%s", run, name);
    (void)snprintf(path, sizeof path, "%s/%s", to, name);
    if (optional && !files->ops->exists(files, from)) {
        return PBT_OK;
    }
    int status = files->ops->create(files, path, &copy, error);
    if (status == PBT_OK) {
        status = copy_bytes(from, copy, limit, error);
        if (status == PBT_OK) {
            status = files->ops->sync(copy, error);
        }
        files->ops->close(copy);
    }
    return status;
}

/* --- the journal ---------------------------------------------------------- */

static int copy_segment(const char *run, const char *to, uint64_t number,
                        uint64_t limit, struct pbt_error *error)
{
    char name[64];
    (void)snprintf(name, sizeof name, "journal/%06" PRIu64 ".jsonl", number);
    return pbt_copy_file(run, to, name, limit, false, error);
}

int pbt_copy_journal(const char *run, const char *to,
                     const struct pbt_journal_info *read,
                     struct pbt_error *error)
{
    struct pbt_files *files = pbt_files_posix();
    struct pbt_journal_info copied;
    char dir[PBT_RUN_PATH_SIZE + 16];
    int status = PBT_OK;
    (void)snprintf(dir, sizeof dir, "%s/journal", to);
    for (uint64_t i = 1; status == PBT_OK && i <= read->last_segment; i++) {
        bool last = i == read->last_segment;
        status = copy_segment(run, to, i, last ? read->last_bytes : UINT64_MAX,
                              error);
    }
    if (status == PBT_OK) {
        status = files->ops->sync_path(files, dir, error);
    }
    if (status == PBT_OK) {
        status = pbt_journal_read(files, dir, NULL, NULL, &copied, error);
    }
    if (status == PBT_OK && copied.records != read->records) {
        return pbt_fail(error, PBT_E0804,
                        "%s/journal has changed while it was copied", run);
    }
    return status;
}

uint64_t pbt_journal_rest(const char *run, const struct pbt_journal_info *read)
{
    uint64_t rest = 0;
    char dir[PBT_RUN_PATH_SIZE + 16];
    (void)snprintf(dir, sizeof dir, "%s/journal", run);
    DIR *stream = opendir(dir);
    const struct dirent *item;
    while (stream != NULL && (item = readdir(stream)) != NULL) {
        struct stat about;
        char path[PBT_RUN_PATH_SIZE + 320];
        uint64_t number = strtoull(item->d_name, NULL, 10);
        (void)snprintf(path, sizeof path, "%s/%s", dir, item->d_name);
        if (number >= read->last_segment && number > 0 &&
            stat(path, &about) == 0) {
            uint64_t known =
                number == read->last_segment ? read->last_bytes : 0;
            rest += (uint64_t)about.st_size - known;
        }
    }
    if (stream != NULL) {
        (void)closedir(stream);
    }
    return rest;
}
