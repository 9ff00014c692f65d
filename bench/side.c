/*
 * side: our side of bench/compare, the same trainable as in tune_side.py.
 *
 * BENCH_NOTES names a file, to which each worker appends, at its second step and at its
 * end, when all its results are recorded, a line: "second TIME" or "last TIME"
 * (CLOCK_MONOTONIC, ns).  A checkpoint has `mib` MiB; a step sleeps for `sleep` seconds, if
 * that is given.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <pbt/trainable.h>

#define MIB ((size_t)1 << 20)

struct side {
    int64_t step;
    double x;
    double sleep;
    size_t size;
    char *weights;
};

static void note(const char *word)
{
    const char *path = getenv("BENCH_NOTES");
    struct timespec now = {0, 0};
    char line[64];

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail on Linux */
    int length = snprintf(line, sizeof line, "%s %lld%09ld\n", word,
                          (long long)now.tv_sec, now.tv_nsec);
    int fd = path == NULL
                 ? -1
                 : open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);

    if (fd < 0 || write(fd, line, (size_t)length) != length) {
        perror("BENCH_NOTES");
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

static int side_reset(void *self, const struct pbt_config *config,
                      struct pbt_error *error)
{
    struct side *side = self;
    int status = pbt_config_real(config, "x", &side->x, error);

    return status == PBT_OK && pbt_config_has(config, "sleep")
               ? pbt_config_real(config, "sleep", &side->sleep, error)
               : status;
}

static void side_cleanup(void *self)
{
    struct side *side = self;

    if (side->step > 0) {
        note("last");
    }
    free(side->weights);
    free(side);
}

static int side_setup(const struct pbt_context *context, void **self,
                      struct pbt_error *error)
{
    struct side *side = calloc(1, sizeof *side);
    int64_t mib = 0;

    if (side == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    int status = side_reset(side, context->config, error);

    if (status == PBT_OK) {
        status = pbt_config_int(context->config, "mib", &mib, error);
    }
    if (status == PBT_OK) {
        side->size = (size_t)mib * MIB;
        side->weights = malloc(side->size + 1);
        status = side->weights != NULL
                     ? PBT_OK
                     : pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    if (status != PBT_OK) {
        side_cleanup(side);
        return status;
    }
    /* Ray's side fills its weights at random too: pages that are really there. */
    for (size_t i = 0; i < side->size; i += sizeof(uint32_t)) {
        uint32_t word = (uint32_t)(i * 2654435761u);

        memcpy(side->weights + i, &word, sizeof word);
    }
    *self = side;
    return PBT_OK;
}

static int side_step(void *self, struct pbt_result *result,
                     struct pbt_error *error)
{
    struct side *side = self;

    if (side->sleep > 0) {
        struct timespec rest = {.tv_sec = (time_t)side->sleep};

        rest.tv_nsec = (long)(1e9 * (side->sleep - (double)rest.tv_sec));
        (void)nanosleep(&rest, NULL); /* cut short, a step is shorter */
    }
    side->step++;
    if (side->step == 2) {
        note("second");
    }
    return pbt_result_real(result, "score", side->x, error);
}

/* The file of a checkpoint is written or read, whole. */
static int transfer(struct side *side, const char *dir, int flags,
                    struct pbt_error *error)
{
    char path[PATH_MAX];
    size_t done = 0;

    (void)snprintf(path, sizeof path, "%s/weights", dir);
    int fd = open(path, flags | O_CLOEXEC, 0600);
    int failure = fd < 0 ? errno : 0;

    while (failure == 0 && done < side->size) {
        ssize_t n = flags == O_RDONLY
                        ? read(fd, side->weights + done, side->size - done)
                        : write(fd, side->weights + done, side->size - done);
        done += n > 0 ? (size_t)n : 0;
        failure = n < 0 ? errno : n == 0 ? EIO : 0;
    }
    if (fd >= 0 && close(fd) != 0 && failure == 0) {
        failure = errno;
    }
    return failure == 0 ? PBT_OK
                        : pbt_error_set(error, PBT_EIO, "%s: %s", path,
                                        strerror(failure));
}

static int side_save(void *self, const char *dir, struct pbt_error *error)
{
    return transfer(self, dir, O_WRONLY | O_CREAT | O_TRUNC, error);
}

static int side_load(void *self, const char *dir, struct pbt_error *error)
{
    return transfer(self, dir, O_RDONLY, error);
}

int main(int argc, char **argv)
{
    static const struct pbt_trainable side = {
        PBT_TRAINABLE_INIT, side_setup, side_step,   side_save,
        side_load,          side_reset, side_cleanup};

    return pbt_worker_main(&side, argc, argv);
}
