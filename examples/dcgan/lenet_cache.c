/* lenet_cache.c: nets that score, kept from one run to the next. */
#include "lenet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, SEED = 20170514 };

/* <cache>/pbt/dcgan, made if it is not there; empty: there is no cache. */
static void find_cache(char path[PATH_SIZE])
{
    static const char *const steps[] = {"", "/pbt", "/pbt/dcgan"};
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    char base[PATH_SIZE - 64];
    int length = -1;

    path[0] = '\0';
    if (cache != NULL && *cache != '\0')
        length = snprintf(base, sizeof base, "%s", cache);
    else if (home != NULL && *home != '\0')
        length = snprintf(base, sizeof base, "%s/.cache", home);
    if (length < 0 || (size_t)length >= sizeof base)
        return;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        (void)snprintf(path, PATH_SIZE, "%s%s", base, steps[i]);
        if (mkdir(path, 0777) != 0 && errno != EEXIST) {
            path[0] = '\0';
            return;
        }
    }
}

/* Waits until no other process trains that net; the descriptor, or -1. */
static int take_lock(const char *path)
{
    char lock[PATH_SIZE + 128];
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd;
    int taken;

    (void)snprintf(lock, sizeof lock, "%s.lock", path);
    fd = open(lock, O_CREAT | O_RDWR | O_CLOEXEC, 0666);
    if (fd < 0)
        return -1;
    do
        taken = fcntl(fd, F_SETLKW, &whole);
    while (taken != 0 && errno == EINTR);
    return fd; /* without a lock, at worst two of them train the same */
}

static int train(struct lenet *lenet, const struct pictures *train_on,
                 const char *directory, uint64_t which, struct failure *failure)
{
    struct pictures test;
    int number = pictures_open(&test, directory, PICTURES_TEST, true, failure);

    if (number != 0)
        return number;
    (void)fprintf(stderr, "dcgan: training the score net on %zu images\n",
                  train_on->count);
    number = lenet_train(lenet, train_on, &test, SEED + which, failure);
    pictures_close(&test);
    return number;
}

/* Appears in the cache whole, or not at all; without it, it is trained again. */
static void keep(const struct lenet *lenet, const char *path)
{
    struct failure failure;
    char temporary[PATH_SIZE + 128];

    (void)snprintf(temporary, sizeof temporary, "%s.%ld", path, (long)getpid());
    if (lenet_save(lenet, temporary, &failure) != 0)
        (void)fprintf(stderr, "dcgan: the score net is not kept: %s\n",
                      failure.text);
    else if (rename(temporary, path) != 0)
        (void)fprintf(stderr, "dcgan: the score net is not kept: %s: %s\n",
                      path, strerror(errno));
}

static int load_or_train(struct lenet *lenet, const struct pictures *pictures,
                         const char *directory, uint64_t which,
                         const char *path, struct failure *failure)
{
    int number = ENOENT;

    if (access(path, F_OK) == 0) {
        number = lenet_load(lenet, path, failure);
        if (number != 0)
            (void)fprintf(stderr, "dcgan: %s\n", failure->text);
    }
    if (number == 0)
        return 0;
    number = train(lenet, pictures, directory, which, failure);
    if (number != 0)
        return number;
    if (*path != '\0')
        keep(lenet, path);
    return 0;
}

static int locked(struct lenet *lenet, const struct pictures *pictures,
                  const char *directory, uint64_t which, const char *path,
                  struct failure *failure)
{
    int fd = *path == '\0' ? -1 : take_lock(path);
    int number =
        load_or_train(lenet, pictures, directory, which, path, failure);

    if (fd >= 0)
        (void)close(fd); /* and the lock is gone */
    if (number == 0)
        (void)fprintf(stderr,
                      "dcgan: score net%s%s: accuracy %.4f on %llu images that "
                      "it was not trained on\n",
                      *path == '\0' ? "" : " ", path, lenet->accuracy,
                      (unsigned long long)lenet->tested);
    return number;
}

int lenet_for(struct lenet *lenet, const char *directory, uint64_t which,
              struct failure *failure)
{
    struct pictures pictures;
    char cache[PATH_SIZE];
    char path[PATH_SIZE + 64] = "";
    int number;

    memset(lenet, 0, sizeof *lenet);
    number = pictures_open(&pictures, directory, PICTURES_TRAIN, true, failure);
    if (number != 0)
        return number;
    find_cache(cache);
    if (cache[0] != '\0')
        (void)snprintf(path, sizeof path, "%s/score-net-%08x-%llu.bin", cache,
                       (unsigned)pictures_mark(&pictures),
                       (unsigned long long)which);
    number = locked(lenet, &pictures, directory, which, path, failure);
    pictures_close(&pictures);
    return number;
}
