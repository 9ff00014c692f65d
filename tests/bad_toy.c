/*
 * bad_toy: the toy example with bad behaviour, asked for by environment.
 *
 * WHERE is "trial:iteration"; the trial is its id, its number (the part behind the
 * underscore) or "*", the iteration one or "*" (setup, load and TOY_FAIL_SAVE only look
 * at the trial).  The iteration is counted by the model, so it goes back with a
 * checkpoint.
 *
 *   TOY_CRASH=WHERE       kills itself with SIGKILL in step()
 *   TOY_EXIT=WHERE        exits with status 3 in step()
 *   TOY_FAIL=WHERE        step() fails with a message
 *   TOY_HANG=WHERE        step() never returns
 *   TOY_HANG_SETUP, TOY_HANG_SAVE=WHERE    that function never returns
 *   TOY_HANG_HOW=pause|stop|spin|deaf    it waits for a signal (as without this), is
 *                         stopped (SIGSTOP), is busy, or doesn't hear SIGTERM
 *   TOY_EAT=WHERE         takes all memory that it is given, up to 2 GiB, in step()
 *   TOY_GARBAGE=WHERE     writes a line to the socket that is no JSON
 *   TOY_NAN=WHERE         reports NaN as score
 *   TOY_DONE=WHERE        says that the trial is done
 *   TOY_FIELDS=1          reports the metrics from which others are derived
 *   TOY_FAIL_SETUP, TOY_FAIL_SAVE, TOY_FAIL_LOAD=WHERE    that function fails
 *   TOY_CRASH_SAVE=WHERE  kills itself with SIGKILL in the middle of a save
 *   TOY_LINK=WHERE        puts a symbolic link into a checkpoint
 *   TOY_BALLAST_KIB=N     so much more is in each checkpoint
 *   TOY_SLEEP_MS, TOY_SLOW_SAVE_MS, TOY_SLOW_LOAD_MS=N    time for each such call
 *   TOY_SAVE_UNTIL=PATH   a save waits until there is such a file
 *   TOY_SETSID_CHILD=1    setup() starts a daemon (setsid, forked twice) that keeps
 *                         everything open; its pid is in <trial_dir>/daemon.pid
 *   TOY_WHO=1             setup() says where it stands and goes to its trial's directory;
 *                         step() says on stdout and stderr whom it believes to serve,
 *                         and reports `model_steps`, which no checkpoint holds
 *   TOY_WORN=fail|kill    the process can be set up once only
 *   TOY_FORGETS=1         the learning rate comes back with a checkpoint, and reset_config()
 *                         leaves it alone
 *   TOY_ONCE=1            each kind of misbehaviour once per trial, remembered by a
 *                         file <trial_dir>/<name>.done
 *
 * Its checkpoints hold origin.txt: the learning rate in force, and the contents of the
 * toy.txt that was loaded last ("none": none was).
 */
int toy_main(int argc, char **argv);
#define main toy_main
#include "../examples/toy/toy.c"
#undef main

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct bad_toy {
    struct toy *toy;
    int64_t iteration;
    int64_t model_steps;
    char trial[128];
    char dir[2048];
    char parent[128]; /* what toy_load() read, as toy_save() writes it */
};

static void sleep_ms(const char *name)
{
    const char *text = getenv(name);
    long ms = text != NULL ? strtol(text, NULL, 10) : 0;
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
    while (ms > 0 && nanosleep(&pause, &pause) != 0 && errno == EINTR) {
    }
}

static void wait_for_file(const char *name)
{
    const char *path = getenv(name);
    struct timespec pause = {.tv_nsec = 5000000};
    while (path != NULL && access(path, F_OK) != 0) {
        (void)nanosleep(&pause, NULL);
    }
}

/* With TOY_ONCE: true for the first who asks. */
static bool first_time(const struct bad_toy *bad, const char *name)
{
    char path[4096];
    if (getenv("TOY_ONCE") == NULL) {
        return true;
    }
    (void)snprintf(path, sizeof path, "%s/%s.done", bad->dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
    if (fd >= 0) {
        (void)close(fd);
    }
    return fd >= 0;
}

/* True if the variable `name` means this trial, and the iteration (0: any). */
static bool asked(const struct bad_toy *bad, const char *name,
                  int64_t iteration)
{
    const char *where = getenv(name);
    if (where == NULL) {
        return false;
    }
    size_t length = strcspn(where, ":");
    const char *number = strrchr(bad->trial, '_');
    bool trial = strncmp(where, "*", length) == 0 ||
                 (strncmp(where, bad->trial, length) == 0 &&
                  bad->trial[length] == '\0') ||
                 (number != NULL &&
                  strtol(number + 1, NULL, 10) == strtol(where, NULL, 10) &&
                  strspn(where, "0123456789") == length);
    const char *when = where[length] == ':' ? where + length + 1 : "*";
    bool now =
        iteration == 0 || *when == '*' || strtoll(when, NULL, 10) == iteration;
    return trial && now && first_time(bad, name);
}

static void hang(const char *how)
{
    volatile bool busy = strcmp(how, "spin") == 0;
    if (strcmp(how, "deaf") == 0) {
        (void)signal(SIGTERM, SIG_IGN);
    } else if (strcmp(how, "stop") == 0) {
        (void)raise(SIGSTOP);
    }
    for (;;) {
        while (busy) {
        }
        (void)pause();
    }
}

static void hang_if_asked(const struct bad_toy *bad, const char *name,
                          int64_t iteration)
{
    const char *how = getenv("TOY_HANG_HOW");
    if (asked(bad, name, iteration)) {
        hang(how == NULL ? "pause" : how);
    }
}

static void start_daemon(const struct bad_toy *bad)
{
    pid_t pid = fork();
    if (pid == 0) {
        (void)setsid();
        pid_t inner = fork();
        if (inner == 0) {
            char path[4096];
            (void)snprintf(path, sizeof path, "%s/daemon.pid", bad->dir);
            FILE *file = fopen(path, "w");
            if (file != NULL) {
                (void)fprintf(file, "%ld\n", (long)getpid());
                (void)fclose(file);
            }
            for (;;) {
                (void)pause();
            }
        }
        _exit(0);
    }
    (void)waitpid(pid, NULL, 0);
}

/* A process that is not fit to be set up again. */
static bool is_worn(void)
{
    static int setups;
    const char *worn = getenv("TOY_WORN");
    if (setups++ == 0 || worn == NULL) {
        return false;
    }
    if (strcmp(worn, "kill") == 0) {
        (void)kill(getpid(), SIGKILL);
    }
    return true;
}

static void go_to_trial(const struct bad_toy *bad)
{
    char cwd[4096];
    if (getenv("TOY_WHO") != NULL && getcwd(cwd, sizeof cwd) != NULL) {
        (void)printf("stands in %s\n", cwd);
        (void)!chdir(bad->dir);
    }
}

static int bad_setup(const struct pbt_context *context, void **self,
                     struct pbt_error *error)
{
    struct bad_toy *bad = calloc(1, sizeof *bad);
    void *toy = NULL;
    if (bad == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    (void)snprintf(bad->trial, sizeof bad->trial, "%s", context->trial_id);
    (void)snprintf(bad->dir, sizeof bad->dir, "%s", context->trial_dir);
    int status = PBT_EFAILED;
    hang_if_asked(bad, "TOY_HANG_SETUP", 0);
    if (asked(bad, "TOY_FAIL_SETUP", 0)) {
        pbt_error_set(error, status, "setup fails on purpose");
    } else if (is_worn()) {
        pbt_error_set(error, status, "this process is worn out");
    } else {
        status = toy_setup(context, &toy, error);
    }
    if (status != PBT_OK) {
        free(bad);
        return status;
    }
    if (getenv("TOY_SETSID_CHILD") != NULL) {
        start_daemon(bad);
    }
    go_to_trial(bad);
    bad->toy = toy;
    *self = bad;
    return PBT_OK;
}

static int say_who(struct bad_toy *bad, struct pbt_result *result,
                   struct pbt_error *error)
{
    const char *id = getenv("PBT_TRIAL_ID");
    const char *dir = getenv("PBT_TRIAL_DIR");
    const char *seed = getenv("PBT_SEED");
    if (getenv("TOY_WHO") == NULL || id == NULL || dir == NULL ||
        seed == NULL) {
        return PBT_OK;
    }
    (void)printf("%s %s %s %s\n", bad->trial, bad->dir, id, dir);
    (void)fprintf(stderr, "%s\n", bad->trial);
    return pbt_result_int(result, "model_steps", ++bad->model_steps, error);
}

/* A failure once there is no more; the kernel may be quicker.  At most 2 GiB. */
static int eat(struct pbt_error *error)
{
    size_t block = (size_t)8 << 20;
    for (int i = 0; i < 256; i++) {
        char *bytes = malloc(block);
        if (bytes == NULL) {
            return pbt_error_set(error, PBT_ENOMEM, "out of memory");
        }
        memset(bytes, 1, block);
    }
    return pbt_error_set(error, PBT_EFAILED, "there is no end of memory");
}

static void write_garbage(void)
{
    static const char garbage[] = "this is {not JSON\n";
    const char *fd = getenv("PBT_FD");
    if (fd != NULL) {
        (void)!write((int)strtol(fd, NULL, 10), garbage, sizeof garbage - 1);
    }
}

static int report_fields(struct pbt_result *result, struct pbt_error *error)
{
    int status = pbt_result_int(result, "timesteps_this_iter", 10, error);
    if (status == PBT_OK) {
        status = pbt_result_int(result, "episodes_this_iter", 2, error);
    }
    return status == PBT_OK ? pbt_result_real(result, "mean_loss", 0.5, error)
                            : status;
}

static int bad_step(void *self, struct pbt_result *result,
                    struct pbt_error *error)
{
    struct bad_toy *bad = self;
    int64_t iteration = ++bad->iteration;
    sleep_ms("TOY_SLEEP_MS");
    if (asked(bad, "TOY_CRASH", iteration)) {
        (void)kill(getpid(), SIGKILL);
    }
    if (asked(bad, "TOY_EXIT", iteration)) {
        exit(3);
    }
    if (asked(bad, "TOY_EAT", iteration)) {
        return eat(error);
    }
    if (asked(bad, "TOY_FAIL", iteration)) {
        return pbt_error_set(error, PBT_EFAILED, "step %lld fails on purpose",
                             (long long)iteration);
    }
    hang_if_asked(bad, "TOY_HANG", iteration);
    if (asked(bad, "TOY_GARBAGE", iteration)) {
        write_garbage();
    }
    int status = toy_step(bad->toy, result, error);
    if (status == PBT_OK && asked(bad, "TOY_NAN", iteration)) {
        status = pbt_result_real(result, "score", (double)NAN, error);
    }
    if (status == PBT_OK && asked(bad, "TOY_DONE", iteration)) {
        pbt_result_done(result);
    }
    if (status == PBT_OK) {
        status = say_who(bad, result, error);
    }
    if (status == PBT_OK && getenv("TOY_FIELDS") != NULL) {
        status = report_fields(result, error);
    }
    return status;
}

PBT_PRINTF(4, 5)
static int save_text(const char *dir, const char *name, struct pbt_error *error,
                     const char *format, ...)
{
    char path[4096];
    va_list arguments;
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    bool good = file != NULL;
    if (good) {
        va_start(arguments, format);
        good = vfprintf(file, format, arguments) >= 0;
        va_end(arguments);
        good = fclose(file) == 0 && good;
    }
    return good ? PBT_OK
                : pbt_error_set(error, PBT_EIO, "can't write %s", path);
}

static int save_ballast(const char *dir, struct pbt_error *error)
{
    static const char block[1024];
    const char *text = getenv("TOY_BALLAST_KIB");
    char path[4096];
    if (text == NULL) {
        return PBT_OK;
    }
    (void)snprintf(path, sizeof path, "%s/ballast", dir);
    FILE *file = fopen(path, "w");
    bool good = file != NULL;
    for (long left = strtol(text, NULL, 10); good && left > 0; left--) {
        good = fwrite(block, 1, sizeof block, file) == sizeof block;
    }
    good = file != NULL && fclose(file) == 0 && good;
    return good ? PBT_OK
                : pbt_error_set(error, PBT_EIO, "can't write %s: %s", path,
                                strerror(errno));
}

static int bad_save(void *self, const char *dir, struct pbt_error *error)
{
    struct bad_toy *bad = self;
    char path[4096];
    sleep_ms("TOY_SLOW_SAVE_MS");
    wait_for_file("TOY_SAVE_UNTIL");
    hang_if_asked(bad, "TOY_HANG_SAVE", bad->iteration);
    if (asked(bad, "TOY_FAIL_SAVE", 0)) {
        return pbt_error_set(error, PBT_EFAILED, "save fails on purpose");
    }
    int status = save_text(dir, "iteration.txt", error, "%lld\n",
                           (long long)bad->iteration);
    if (status == PBT_OK) {
        status = save_text(dir, "origin.txt", error, "%a\n%s\n", bad->toy->lr,
                           bad->parent[0] != '\0' ? bad->parent : "none");
    }
    if (status != PBT_OK) {
        return status;
    }
    if (asked(bad, "TOY_CRASH_SAVE", bad->iteration)) {
        (void)kill(getpid(), SIGKILL);
    }
    status = save_ballast(dir, error);
    if (status != PBT_OK) {
        return status;
    }
    (void)snprintf(path, sizeof path, "%s/link", dir);
    if (asked(bad, "TOY_LINK", bad->iteration) &&
        symlink("/etc/hostname", path) != 0) {
        return pbt_error_set(error, PBT_EIO, "can't make a link");
    }
    return toy_save(bad->toy, dir, error);
}

/* The learning rate is a part of what is trained. */
static bool load_rate(struct bad_toy *bad, const char *dir)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/origin.txt", dir);
    FILE *file = fopen(path, "r");
    /* What bad_save() wrote.  NOLINTNEXTLINE(cert-err34-c) */
    bool good = file != NULL && fscanf(file, "%la", &bad->toy->lr) == 1;
    return file != NULL && fclose(file) == 0 && good;
}

static int bad_load(void *self, const char *dir, struct pbt_error *error)
{
    struct bad_toy *bad = self;
    char path[4096];
    long long iteration = 0;
    sleep_ms("TOY_SLOW_LOAD_MS");
    if (asked(bad, "TOY_FAIL_LOAD", 0)) {
        return pbt_error_set(error, PBT_EFAILED, "load fails on purpose");
    }
    (void)snprintf(path, sizeof path, "%s/iteration.txt", dir);
    FILE *file = fopen(path, "r");
    if (file == NULL || fscanf(file, "%lld", &iteration) != 1 ||
        fclose(file) != 0) {
        return pbt_error_set(error, PBT_EDATA, "can't read %s", path);
    }
    bad->iteration = iteration;
    if (getenv("TOY_FORGETS") != NULL && !load_rate(bad, dir)) {
        return pbt_error_set(error, PBT_EDATA, "can't read %s/origin.txt", dir);
    }
    int status = toy_load(bad->toy, dir, error);
    if (status == PBT_OK) {
        (void)snprintf(bad->parent, sizeof bad->parent, "%a %llu",
                       bad->toy->theta, (unsigned long long)bad->toy->random);
    }
    return status;
}

static int bad_reset(void *self, const struct pbt_config *config,
                     struct pbt_error *error)
{
    struct bad_toy *bad = self;
    if (getenv("TOY_FORGETS") != NULL) {
        return PBT_OK;
    }
    return toy_reset(bad->toy, config, error);
}

static void bad_cleanup(void *self)
{
    struct bad_toy *bad = self;
    free(bad->toy);
    free(bad);
}

int main(int argc, char **argv)
{
    static const struct pbt_trainable bad = {
        PBT_TRAINABLE_INIT, bad_setup, bad_step,   bad_save,
        bad_load,           bad_reset, bad_cleanup};
    if (getenv("TOY_IS_GOOD") != NULL) {
        return toy_main(argc, argv);
    }
    return pbt_worker_main(&bad, argc, argv);
}
