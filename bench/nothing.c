/*
 * nothing: a trainable that does nothing, and looks at what that costs the
 * driver.  Its result is a line of about 120 bytes.
 *
 * bench/run starts `pbt run` with this program as its worker, and
 *
 *     BENCH_DRIVER  the process that is the driver
 *     BENCH_REPORT  a file, to which each worker appends one line at its end
 *     BENCH_CPU     if set, the CPU to run on
 *
 * Two readings are taken of the clock and of the CPU time of the driver's
 * threads: before step `warm`, and at `last`.  The worker holds its own step up
 * while it reads.  With grants of one step that is exact: the driver has
 * recorded all earlier results and waits for this one.  With long grants the
 * second reading is taken in cleanup(): by then all results are recorded.
 */
#define _GNU_SOURCE /* sched_setaffinity() */
#include <sched.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <pbt/trainable.h>

struct reading {
    int64_t step;
    uint64_t clock_ns;
    uint64_t loop_ns; /* CPU time of the driver's first thread */
    uint64_t all_ns;  /* of all its threads */
};

struct nothing {
    int64_t warm;
    int64_t last;    /* 0: at cleanup */
    int64_t metrics; /* of a result, beside the score; mostly 0 */
    int64_t step;
    uint64_t second_ns; /* when the first result had been answered */
    struct reading before;
    struct reading after;
};

static uint64_t now_ns(void)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail on Linux */
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The first number of a file in /proc: of a schedstat, the CPU time in ns. */
static uint64_t first_number(const char *path)
{
    char text[64] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return 0; /* a thread that has just ended */
    }
    if (read(fd, text, sizeof text - 1) < 0) {
        text[0] = '\0';
    }
    (void)close(fd);
    return strtoull(text, NULL, 10);
}

static void look(struct reading *reading, int64_t step)
{
    const char *driver = getenv("BENCH_DRIVER");
    char path[256];
    DIR *tasks;

    *reading = (struct reading){.step = step, .clock_ns = now_ns()};
    if (driver == NULL) {
        return;
    }
    (void)snprintf(path, sizeof path, "/proc/%.16s/task", driver);
    tasks = opendir(path);
    if (tasks == NULL) {
        return;
    }
    for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
        if (task->d_name[0] == '.') {
            continue;
        }
        (void)snprintf(path, sizeof path, "/proc/%.16s/task/%.16s/schedstat",
                       driver, task->d_name);
        uint64_t ns = first_number(path);

        reading->all_ns += ns;
        if (strcmp(task->d_name, driver) == 0) {
            reading->loop_ns = ns;
        }
    }
    (void)closedir(tasks);
}

/* VmHWM of the driver: the most memory that it ever had, in KiB. */
static long driver_memory(void)
{
    const char *driver = getenv("BENCH_DRIVER");
    char text[128];
    long kib = 0;

    (void)snprintf(text, sizeof text, "/proc/%.16s/status",
                   driver == NULL ? "self" : driver);
    FILE *status = fopen(text, "r");

    if (status == NULL) {
        return 0;
    }
    while (fgets(text, sizeof text, status) != NULL) {
        if (strncmp(text, "VmHWM:", 6) == 0) {
            kib = strtol(text + 6, NULL, 10);
        }
    }
    (void)fclose(status);
    return kib;
}

static int nothing_reset(void *self, const struct pbt_config *config,
                         struct pbt_error *error)
{
    struct nothing *nothing = self;
    int status = pbt_config_int(config, "warm", &nothing->warm, error);

    nothing->metrics = 0;
    if (status == PBT_OK && pbt_config_has(config, "metrics")) {
        status = pbt_config_int(config, "metrics", &nothing->metrics, error);
    }
    return status != PBT_OK
               ? status
               : pbt_config_int(config, "last", &nothing->last, error);
}

static int nothing_setup(const struct pbt_context *context, void **self,
                         struct pbt_error *error)
{
    static struct nothing nothing; /* one process, one trainable */
    const char *cpu = getenv("BENCH_CPU");

    if (cpu != NULL) {
        cpu_set_t set;

        CPU_ZERO(&set);
        CPU_SET((size_t)strtoul(cpu, NULL, 10), &set);
        if (sched_setaffinity(0, sizeof set, &set) != 0) {
            return pbt_error_set(error, PBT_ECONFIG, "no CPU %s", cpu);
        }
    }
    nothing = (struct nothing){.step = 0};
    *self = &nothing;
    return nothing_reset(&nothing, context->config, error);
}

static int nothing_step(void *self, struct pbt_result *result,
                        struct pbt_error *error)
{
    struct nothing *nothing = self;

    nothing->step++;
    if (nothing->step == 2) {
        nothing->second_ns = now_ns();
    }
    if (nothing->step == nothing->warm) {
        look(&nothing->before, nothing->step);
    } else if (nothing->step == nothing->last) {
        look(&nothing->after, nothing->step);
    }
    int status =
        pbt_result_real(result, "score", 1e-6 * (double)nothing->step, error);
    for (int64_t i = 0; status == PBT_OK && i < nothing->metrics; i++) {
        char name[40];
        (void)snprintf(name, sizeof name, "layer%d/metric%d", (int)(i / 10),
                       (int)(i % 10));
        status = pbt_result_real(result, name,
                                 1.0 / (double)(nothing->step + i + 1), error);
    }
    return status;
}

static void nothing_cleanup(void *self)
{
    struct nothing *nothing = self;
    const char *path = getenv("BENCH_REPORT");
    char line[512];

    if (path == NULL) {
        return;
    }
    if (nothing->last == 0) {
        look(&nothing->after, nothing->step + 1);
    }
    const struct reading *a = &nothing->before;
    const struct reading *b = &nothing->after;
    int length = snprintf(
        line, sizeof line,
        "{\"second_ns\":%llu,\"steps\":%lld,\"from_ns\":%llu,\"to_ns\":%llu,"
        "\"loop_from_ns\":%llu,\"loop_to_ns\":%llu,"
        "\"all_from_ns\":%llu,\"all_to_ns\":%llu,\"driver_kib\":%ld}\n",
        (unsigned long long)nothing->second_ns, (long long)(b->step - a->step),
        (unsigned long long)a->clock_ns, (unsigned long long)b->clock_ns,
        (unsigned long long)a->loop_ns, (unsigned long long)b->loop_ns,
        (unsigned long long)a->all_ns, (unsigned long long)b->all_ns,
        driver_memory());
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);

    if (fd < 0 || write(fd, line, (size_t)length) != length) {
        perror(path);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

static int nothing_save(void *self, const char *dir, struct pbt_error *error)
{
    (void)self;
    (void)dir;
    (void)error;
    return PBT_OK;
}

int main(int argc, char **argv)
{
    static const struct pbt_trainable nothing = {
        PBT_TRAINABLE_INIT, nothing_setup, nothing_step,   nothing_save,
        nothing_save,       nothing_reset, nothing_cleanup};

    return pbt_worker_main(&nothing, argc, argv);
}
