#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint/checkpoint.h"
#include "checkpoint/tree.h"

#define CHUNK ((size_t)1 << 20)

/* Makes the directories that `name` ("a/b/file") lies in, below `fd`. */
static int make_parents(int fd, const char *name, struct pbt_error *error)
{
    char *path = strdup(name);
    if (path == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    int status = PBT_OK;
    for (char *slash = strchr(path, '/'); slash != NULL && status == PBT_OK;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdirat(fd, path, 0700) != 0 && errno != EEXIST) {
            status = pbt_file_error(error, "make", path);
        }
        *slash = '/';
    }
    free(path);
    return status;
}

static int copy_bytes(int from, int to, const char *name, char *chunk,
                      struct pbt_error *error)
{
    for (;;) {
        ssize_t got = read(from, chunk, CHUNK);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return pbt_file_error(error, "read", name);
        }
        if (got == 0) {
            return PBT_OK;
        }
        for (ssize_t done = 0; done < got;) {
            ssize_t put = write(to, chunk + done, (size_t)(got - done));
            if (put < 0 && errno != EINTR) {
                return pbt_file_error(error, "write", name);
            }
            done += put > 0 ? put : 0;
        }
    }
}

static int copy_file(int from, int to, const char *name, char *chunk,
                     struct pbt_error *error)
{
    int status = make_parents(to, name, error);
    if (status != PBT_OK) {
        return status;
    }
    int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (in < 0) {
        return pbt_file_error(error, "open", name);
    }
    int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    status = out < 0 ? pbt_file_error(error, "make", name)
                     : copy_bytes(in, out, name, chunk, error);
    if (out >= 0 && close(out) != 0 && status == PBT_OK) {
        status = pbt_file_error(error, "write", name);
    }
    (void)close(in); /* it was only read */
    return status;
}

static int copy_all(int from, int to, struct pbt_error *error)
{
    struct pbt_tree_files files = {.items = NULL};
    char *chunk = malloc(CHUNK);
    int status = chunk == NULL
                     ? pbt_error_set(error, PBT_ENOMEM, "out of memory")
                     : pbt_tree_list(from, false, &files, error);
    for (size_t i = 0; i < files.count && status == PBT_OK; i++) {
        status = copy_file(from, to, files.items[i].name, chunk, error);
    }
    pbt_tree_files_done(&files);
    free(chunk);
    return status;
}

int pbt_checkpoint_copy(const char *from, const char *to,
                        struct pbt_error *error)
{
    int in;
    int out;
    int status = pbt_tree_open(from, &in, error);
    if (status != PBT_OK) {
        return status;
    }
    if (mkdir(to, 0700) != 0) {
        status = pbt_file_error(error, "make", to);
    } else {
        status = pbt_tree_open(to, &out, error);
        if (status == PBT_OK) {
            status = copy_all(in, out, error);
            (void)close(out);
        }
    }
    (void)close(in);
    return status;
}
