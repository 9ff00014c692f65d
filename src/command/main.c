/*
 * pbt-command [--stateless] [--in-trial-dir] [--template NAME=PATH ...] -- command args...
 *
 * The worker for programs without a client (docs/command.md): speaks the worker protocol
 * to the driver, and for each grant runs the program once, from where its last run ended.
 * To the driver it is a worker like any other: the program's exit, its metrics and its
 * state become results, checkpoints and errors here.
 *
 * A program is a grant.  A `halt` in the midst of one is answered at its end, since only
 * then there is a state to go on from.  Its end is the end of everything that it started
 * (children.c).  If we are killed, it dies with us, and the shim, which we run under
 * like any worker, kills whatever it had started.
 */
#define _GNU_SOURCE /* pipe2 and kin in what we include */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/draw.h"
#include "base/files.h"
#include "checkpoint/checkpoint.h"
#include "command/command.h"
#include "command/fill.h"
#include "shim/shim.h"
#include "worker/worker.h"

#define PATH_SIZE PBT_COMMAND_PATH_SIZE
#define WORK "work" /* in the trial's directory: ours */
#define SHOWN_COMMAND 300

struct command {
    char *const *argv; /* with placeholders */
    char **templates;
    size_t template_count;
    bool stateless;
    bool in_trial_dir;

    struct pbt_channel channel;
    struct pbt_config config;
    struct pbt_place place;
    int children; /* readable when one has ended */

    bool started;
    bool stopped;
    bool halt; /* asked for in mid-run */
    uint64_t epoch;
    uint64_t seq;
    uint64_t seed;
    int64_t iteration;
    int64_t until;
    double time_total_s;
    char trial[64];
    char trial_dir[PATH_SIZE];
    uint64_t place_epoch; /* with which it came to serve this trial */

    /* What the next run begins from; "": nothing. */
    char state[PATH_SIZE];
    bool state_is_ours; /* in the work directory, and no checkpoint */
};

/* One run of the program. */
struct run {
    int64_t from;
    int64_t until;
    char out[PATH_SIZE];
    char config[PATH_SIZE];
    char metrics[PATH_SIZE];
    struct pbt_state before; /* of what it begins from */
    off_t stdout_start;
    double seconds;
    int wait_status;
    char shown[SHOWN_COMMAND];
};

static int64_t monotonic_ns(void)
{
    struct timespec now = {0, 0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* All of it, and what is ours of it (or a name there). */
static int path_of_work(const struct command *command, char path[PATH_SIZE],
                        struct pbt_error *error)
{
    int n = snprintf(path, PATH_SIZE, "%s/" WORK, command->trial_dir);
    return n > 0 && (size_t)n < PATH_SIZE
               ? PBT_OK
               : pbt_error_set(error, PBT_EUSAGE, "a path is too long");
}

static int path_in_work(const struct command *command, const char *name,
                        char path[PATH_SIZE], struct pbt_error *error)
{
    int n = snprintf(path, PATH_SIZE, "%s/" WORK "/%" PRIu64 "%s%s",
                     command->trial_dir, command->place_epoch,
                     name[0] == '\0' ? "" : "/", name);
    return n > 0 && (size_t)n < PATH_SIZE
               ? PBT_OK
               : pbt_error_set(error, PBT_EUSAGE, "a path is too long");
}

static int say(struct command *command, enum pbt_message_type type,
               struct pbt_error *error)
{
    struct pbt_message message = {
        .type = type, .epoch = command->epoch, .iteration = command->iteration};
    return pbt_channel_send(&command->channel, &message, error);
}

static int say_hello(struct command *command, struct pbt_error *error)
{
    char host[256] = "unknown";
    (void)gethostname(host, sizeof host - 1);
    struct pbt_message hello = {.type = PBT_MESSAGE_HELLO,
                                .protocol = PBT_PROTOCOL_VERSION,
                                .client = "pbt-command",
                                .capabilities =
                                    PBT_CAN_RESET_CONFIG | PBT_CAN_REUSE,
                                .pid = getpid(),
                                .host = host};
    return pbt_channel_send(&command->channel, &hello, error);
}

/* --- lives ---------------------------------------------------------------- */

/*
 * Only what is ours: the driver may have been taken over, and then a process on another host
 * works beside us.
 */
static int clear_work(const struct command *command, struct pbt_error *error)
{
    char path[PATH_SIZE];
    int status = path_in_work(command, "", path, error);
    if (status == PBT_OK) {
        status = pbt_checkpoint_delete(path, error);
    }
    if (status == PBT_OK) {
        status = path_of_work(command, path, error);
    }
    if (status == PBT_OK && rmdir(path) != 0 && errno != ENOENT &&
        errno != ENOTEMPTY && errno != EEXIST) {
        status = pbt_error_set(error, PBT_EIO, "can't remove %s: %s", path,
                               strerror(errno));
    }
    return status;
}

/* What a killed one has left, too. */
static int clear_all_work(const struct command *command,
                          struct pbt_error *error)
{
    char path[PATH_SIZE];
    int status = path_of_work(command, path, error);
    return status == PBT_OK ? pbt_checkpoint_delete(path, error) : status;
}

static int take_place(struct command *command, const struct pbt_message *start,
                      struct pbt_error *error)
{
    int status = command->started
                     ? clear_work(command, error)
                     : pbt_place_take(&command->place, start->trial_dir, error);
    if (status == PBT_OK && command->started) {
        status = pbt_place_move(&command->place, start, error);
    }
    if (status != PBT_OK) {
        return status;
    }
    int n = snprintf(command->trial, sizeof command->trial, "%s", start->trial);
    int m = snprintf(command->trial_dir, sizeof command->trial_dir, "%s",
                     start->trial_dir);
    if ((size_t)n >= sizeof command->trial ||
        (size_t)m >= sizeof command->trial_dir) {
        return pbt_error_set(error, PBT_EUSAGE, "a path is too long");
    }
    if (command->in_trial_dir && chdir(command->trial_dir) != 0) {
        return pbt_error_set(error, PBT_EIO, "%s: %s", command->trial_dir,
                             strerror(errno));
    }
    command->place_epoch = start->epoch;
    return clear_all_work(command, error);
}

/* A life begins: from a checkpoint, or from nothing. */
static int begin_life(struct command *command, const struct pbt_message *life,
                      struct pbt_error *error)
{
    int status = PBT_OK;
    command->epoch = life->epoch;
    if (life->type == PBT_MESSAGE_START) {
        status = take_place(command, life, error);
    } else if (command->state_is_ours) {
        status = pbt_checkpoint_delete(command->state, error);
    }
    if (status == PBT_OK) {
        status = pbt_config_take(&command->config, life->config_json,
                                 life->config, life->config_length, error);
    }
    if (status != PBT_OK) {
        return status;
    }
    command->started = true;
    command->state[0] = '\0';
    command->state_is_ours = false;
    if (life->checkpoint != NULL && !pbt_state_none(life->checkpoint)) {
        (void)snprintf(command->state, sizeof command->state, "%s",
                       life->checkpoint);
    }
    command->seq = 0;
    command->seed = life->seed;
    command->iteration = life->iteration;
    command->until = life->iteration;
    command->time_total_s = life->time_total_s;
    struct pbt_message ready = {.type = PBT_MESSAGE_READY,
                                .epoch = command->epoch,
                                .iteration = command->iteration,
                                .checkpoint = life->checkpoint,
                                .config = command->config.text,
                                .config_length = strlen(command->config.text)};
    return pbt_channel_send(&command->channel, &ready, error);
}

static int do_save(struct command *command, const struct pbt_message *save,
                   struct pbt_error *error)
{
    if (save->iteration != command->iteration) {
        return pbt_error_set(
            error, PBT_EDATA, "asked to save iteration %lld at iteration %lld",
            (long long)save->iteration, (long long)command->iteration);
    }
    int status = command->state[0] == '\0'
                     ? pbt_state_mark_none(save->path, error)
                     : pbt_state_link(command->state, save->path, error);
    return status == PBT_OK ? say(command, PBT_MESSAGE_SAVED, error) : status;
}

/* --- a run ---------------------------------------------------------------- */

/* The iterations of a run, for messages: what people know it by. */
static int blame(const struct run *run, int status, struct pbt_error *error)
{
    char text[PBT_ERROR_TEXT_MAX];
    (void)snprintf(text, sizeof text, "%.1500s", error->text);
    return pbt_error_set(error, status,
                         "its run from iteration %" PRId64 " to %" PRId64
                         ": %s\n  command line: %s",
                         run->from, run->until, text, run->shown);
}

static int make_directory(const char *path, struct pbt_error *error)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST
               ? PBT_OK
               : pbt_error_set(error,
                               errno == ENOSPC || errno == EDQUOT ? PBT_ETEMP
                                                                  : PBT_EIO,
                               "can't make %s: %s", path, strerror(errno));
}

static int prepare_files(const struct command *command, struct run *run,
                         struct pbt_error *error)
{
    char name[64];
    char all[PATH_SIZE];
    char work[PATH_SIZE];
    (void)snprintf(name, sizeof name, "state_%06" PRId64, run->until);
    int status = path_in_work(command, "", work, error);
    if (status == PBT_OK) {
        status = path_in_work(command, name, run->out, error);
    }
    if (status == PBT_OK) {
        status = path_in_work(command, "config.json", run->config, error);
    }
    if (status == PBT_OK) {
        status = path_in_work(command, "metrics.json", run->metrics, error);
    }
    if (status == PBT_OK) {
        status = path_of_work(command, all, error);
    }
    if (status == PBT_OK) {
        status = make_directory(all, error);
    }
    if (status == PBT_OK) {
        status = make_directory(work, error);
    }
    if (status == PBT_OK) {
        status = make_directory(run->out, error);
    }
    if (status == PBT_OK) {
        status = pbt_file_replace(run->config, command->config.text,
                                  strlen(command->config.text), false, error);
    }
    if (status == PBT_OK && unlink(run->metrics) != 0 && errno != ENOENT) {
        status = pbt_error_set(error, PBT_EIO, "can't remove %s: %s",
                               run->metrics, strerror(errno));
    }
    if (status == PBT_OK && command->state[0] != '\0') {
        status = pbt_state_look(command->state, &run->before, error);
    }
    return status;
}

/* Every run has a seed of its own: else each would draw what the one before it drew. */
static unsigned run_seed(const struct command *command)
{
    return (unsigned)(pbt_mix(command->seed, (uint64_t)command->iteration) &
                      INT32_MAX);
}

static void show_command(struct run *run, char *const *argv)
{
    size_t used = 0;
    for (size_t i = 0; argv[i] != NULL && used < sizeof run->shown; i++) {
        int n = snprintf(run->shown + used, sizeof run->shown - used, "%s%s",
                         i > 0 ? " " : "", argv[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    if (used >= sizeof run->shown) {
        memcpy(run->shown + sizeof run->shown - 4, "...", 4);
    }
}

static int spawn(const struct command *command, struct run *run, pid_t *pid,
                 struct pbt_error *error)
{
    char from[24];
    char until[24];
    char steps[24];
    char seed[24];
    const char *number = strrchr(command->trial, '_');
    (void)snprintf(from, sizeof from, "%" PRId64, run->from);
    (void)snprintf(until, sizeof until, "%" PRId64, run->until);
    (void)snprintf(steps, sizeof steps, "%" PRId64, run->until - run->from);
    (void)snprintf(seed, sizeof seed, "%u", run_seed(command));
    char plain[24];
    (void)snprintf(plain, sizeof plain, "%lu",
                   number == NULL ? 0 : strtoul(number + 1, NULL, 10));
    struct pbt_fill fill = {
        .config = command->config.root,
        .own = {[PBT_PLACEHOLDER_CHECKPOINT_IN] = command->state,
                [PBT_PLACEHOLDER_CHECKPOINT_OUT] = run->out,
                [PBT_PLACEHOLDER_CONFIG] = run->config,
                [PBT_PLACEHOLDER_METRICS] = run->metrics,
                [PBT_PLACEHOLDER_FROM] = from,
                [PBT_PLACEHOLDER_UNTIL] = until,
                [PBT_PLACEHOLDER_STEPS] = steps,
                [PBT_PLACEHOLDER_SEED] = seed,
                [PBT_PLACEHOLDER_TRIAL] = command->trial,
                [PBT_PLACEHOLDER_TRIAL_NUMBER] = plain,
                [PBT_PLACEHOLDER_TRIAL_DIR] = command->trial_dir},
        .templates = command->templates};
    char **argv = NULL;
    int status = pbt_fill_command(&fill, command->argv, &argv, error);
    if (status != PBT_OK) {
        return status;
    }
    show_command(run, argv);
    status = pbt_fill_templates(&fill, error);
    if (status == PBT_OK) {
        status = pbt_fill_environment(&fill, error);
    }
    if (status == PBT_OK) {
        status = pbt_shim_spawn(argv, pid, error);
    }
    pbt_fill_free(argv);
    return status;
}

static int take_command(struct command *command, bool wait, bool running,
                        bool *taken, struct pbt_error *error);

/* Serves until the program has ended, and nothing of it is left. */
static int wait_for(struct command *command, struct run *run, pid_t pid,
                    struct pbt_error *error)
{
    int status = PBT_OK;
    while (status == PBT_OK &&
           !pbt_children_ended(command->children, pid, &run->wait_status)) {
        struct pollfd fds[2] = {
            {.fd = command->children, .events = POLLIN},
            {.fd = command->channel.fd, .events = POLLIN},
        };
        if (poll(fds, 2, -1) <= 0 || fds[1].revents == 0) {
            continue;
        }
        bool taken = true;
        while (status == PBT_OK && taken) {
            status = take_command(command, false, true, &taken, error);
        }
    }
    pbt_children_sweep(command->children);
    return status;
}

static int check_exit(const struct run *run, struct pbt_error *error)
{
    int how = run->wait_status;
    if (WIFSIGNALED(how)) {
        return pbt_error_set(error, PBT_EFAILED, "killed by signal %d (%s)",
                             WTERMSIG(how), strsignal(WTERMSIG(how)));
    }
    if (WEXITSTATUS(how) != 0) {
        return pbt_error_set(error, PBT_EFAILED, "exited with status %d",
                             WEXITSTATUS(how));
    }
    return PBT_OK;
}

/* What it has written becomes what the next run begins from. */
static int take_state(struct command *command, const struct run *run,
                      struct pbt_error *error)
{
    struct pbt_state made;
    struct pbt_state after;
    int status = PBT_OK;
    if (command->state[0] != '\0') {
        status = pbt_state_look(command->state, &after, error);
        if (status == PBT_OK && (after.files != run->before.files ||
                                 after.print != run->before.print)) {
            status = pbt_error_set(
                error, PBT_EDATA,
                "it changed the checkpoint that it began from, %s: it has to "
                "leave that as it is, others may need it, and write to "
                "PBT_CHECKPOINT_OUT ({checkpoint_out})",
                command->state);
        }
    }
    if (status == PBT_OK) {
        status = pbt_state_look(run->out, &made, error);
    }
    if (status == PBT_OK && (made.files == 0) != command->stateless) {
        status = pbt_error_set(
            error, PBT_EDATA,
            command->stateless
                ? "it wrote a checkpoint, although the experiment file says "
                  "`stateless: true`"
                : "it wrote no checkpoint: it has to leave its state in the "
                  "directory PBT_CHECKPOINT_OUT ({checkpoint_out}); a program "
                  "that has none needs `stateless: true` in the experiment "
                  "file");
    }
    if (status == PBT_OK && command->state_is_ours) {
        status = pbt_checkpoint_delete(command->state, error);
    }
    if (status == PBT_OK && !command->stateless) {
        memcpy(command->state, run->out, sizeof command->state);
        command->state_is_ours = true;
    }
    return status;
}

static int send_results(struct command *command, const struct run *run,
                        const struct pbt_reports *reports,
                        struct pbt_error *error)
{
    int status = PBT_OK;
    double seconds = run->seconds / (double)reports->count;
    for (size_t i = 0; status == PBT_OK && i < reports->count; i++) {
        bool last = i + 1 == reports->count;
        command->seq++;
        command->iteration = last ? run->until : run->from + (int64_t)i + 1;
        command->time_total_s += seconds;
        if (last && reports->done) {
            /* It may have ended before its time: so many iterations were made. */
            command->iteration =
                reports->count > 1 ? run->from + (int64_t)i + 1 : run->until;
        }
        struct pbt_message result = {
            .type = PBT_MESSAGE_RESULT,
            .epoch = command->epoch,
            .seq = command->seq,
            .iteration = command->iteration,
            .halted = last && (command->halt || reports->done ||
                               command->until <= command->iteration),
            .done = last && reports->done,
            .time_this_iter_s = seconds,
            .time_total_s = command->time_total_s,
            .metrics = reports->items[i].data,
            .metrics_length = reports->items[i].length};
        status = pbt_channel_send(&command->channel, &result, error);
        if (last && result.halted) {
            command->until = command->iteration;
        }
    }
    command->halt = false;
    return status;
}

static off_t stdout_size(void)
{
    struct stat about;
    return fstat(STDOUT_FILENO, &about) == 0 && S_ISREG(about.st_mode)
               ? about.st_size
               : 0;
}

static int run_program(struct command *command, struct pbt_error *error)
{
    struct run *run = calloc(1, sizeof *run);
    struct pbt_reports reports = {0};
    pid_t pid = 0;
    if (run == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    run->from = command->iteration;
    run->until = command->until;
    run->stdout_start = stdout_size();
    show_command(run, command->argv);
    int status = prepare_files(command, run, error);
    int64_t begin = monotonic_ns();
    if (status == PBT_OK) {
        status = spawn(command, run, &pid, error);
    }
    if (status == PBT_OK) {
        status = wait_for(command, run, pid, error);
    }
    run->seconds = (double)(monotonic_ns() - begin) / 1e9;
    if (status == PBT_OK) {
        status = check_exit(run, error);
    }
    if (status == PBT_OK) {
        status = pbt_reports_read(&reports, run->metrics, run->stdout_start,
                                  run->until - run->from, error);
    }
    if (status == PBT_OK) {
        status = take_state(command, run, error);
    }
    if (status != PBT_OK) {
        status = blame(run, status, error);
    } else {
        status = send_results(command, run, &reports, error);
    }
    pbt_reports_done(&reports);
    free(run);
    return status;
}

/* --- commands ------------------------------------------------------------- */

static int unexpected(const struct pbt_message *message, const char *why,
                      struct pbt_error *error)
{
    return pbt_error_set(error, PBT_EDATA,
                         "unexpected \"%s\" of epoch %" PRIu64 ": %s",
                         pbt_message_name(message->type), message->epoch, why);
}

static int obey(struct command *command, const struct pbt_message *message,
                bool running, struct pbt_error *error)
{
    bool opens =
        message->type == PBT_MESSAGE_START || message->type == PBT_MESSAGE_LOAD;
    if (!command->started && message->type != PBT_MESSAGE_START) {
        return unexpected(message, "not started yet", error);
    }
    if (message->epoch < command->epoch) {
        return PBT_OK; /* it was under way when the life ended */
    }
    if (opens == (message->epoch == command->epoch)) {
        return unexpected(message, "an epoch begins with start or load", error);
    }
    if (running && (opens || message->type == PBT_MESSAGE_SAVE ||
                    message->type == PBT_MESSAGE_STOP)) {
        return unexpected(message, "in mid-run", error);
    }
    if (opens) {
        return begin_life(command, message, error);
    }
    if (message->type == PBT_MESSAGE_RUN) {
        command->until = message->until > command->iteration ? message->until
                                                             : command->until;
    } else if (message->type == PBT_MESSAGE_SAVE) {
        return do_save(command, message, error);
    } else if (message->type == PBT_MESSAGE_HALT) {
        if (!running) {
            return say(command, PBT_MESSAGE_HALTED, error);
        }
        command->halt = true;
    } else if (message->type == PBT_MESSAGE_STOP) {
        command->stopped = true;
    } else if (message->type != PBT_MESSAGE_ACK) {
        return unexpected(message, "not for a worker", error);
    }
    return PBT_OK;
}

/* *taken is false if none has come and `wait` is false. */
static int take_command(struct command *command, bool wait, bool running,
                        bool *taken, struct pbt_error *error)
{
    char *line;
    size_t length;
    struct pbt_message message;
    int status =
        pbt_channel_receive(&command->channel, wait, &line, &length, error);
    *taken = status == PBT_OK && line != NULL;
    if (!*taken) {
        return status;
    }
    status = pbt_message_decode(&message, line, length, error);
    if (status == PBT_OK) {
        status = obey(command, &message, running, error);
        pbt_message_done(&message);
    }
    return status;
}

static int serve(struct command *command, struct pbt_error *error)
{
    int status = say_hello(command, error);
    while (status == PBT_OK && !command->stopped) {
        bool taken;
        status = command->until > command->iteration
                     ? run_program(command, error)
                     : take_command(command, true, false, &taken, error);
    }
    return status;
}

/* --- beginning and end ---------------------------------------------------- */

/* False if the usage is wrong. */
static bool parse(struct command *command, int argc, char **argv)
{
    command->templates = calloc((size_t)argc + 1, sizeof *command->templates);
    if (command->templates == NULL) {
        return false;
    }
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--stateless") == 0) {
            command->stateless = true;
        } else if (strcmp(argv[i], "--in-trial-dir") == 0) {
            command->in_trial_dir = true;
        } else if (strcmp(argv[i], "--template") == 0 && i + 1 < argc &&
                   strchr(argv[i + 1], '=') != NULL) {
            command->templates[command->template_count++] = argv[++i];
        } else if (strcmp(argv[i], "--") == 0) {
            command->argv = argv + i + 1;
            return command->argv[0] != NULL;
        } else {
            return false;
        }
    }
    return false;
}

/* Another run's hyperparameters, if we were started below one. */
static void forget_foreign_variables(void)
{
    for (size_t i = 0; environ != NULL && environ[i] != NULL;) {
        char name[512];
        size_t length = strcspn(environ[i], "=");
        if (strncmp(environ[i], "PBT_PARAM_", 10) == 0 &&
            length < sizeof name) {
            memcpy(name, environ[i], length);
            name[length] = '\0';
            if (unsetenv(name) == 0) {
                continue; /* the next one stands here now */
            }
        }
        i++;
    }
}

static void say_error(struct command *command, const struct pbt_error *error)
{
    struct pbt_message message = {.type = PBT_MESSAGE_ERROR,
                                  .epoch = command->epoch,
                                  .text = error->text};
    (void)pbt_channel_send(&command->channel, &message, NULL);
}

static void release(struct command *command)
{
    pbt_channel_close(&command->channel);
    pbt_config_done(&command->config);
    pbt_place_done(&command->place);
    free(command->templates);
    free(command);
}

int main(int argc, char **argv)
{
    struct pbt_error error;
    struct command *command = calloc(1, sizeof *command);
    if (command == NULL || !parse(command, argc, argv)) {
        (void)fputs("usage: pbt-command [--stateless] [--in-trial-dir] "
                    "[--template NAME=PATH ...] -- command [argument ...]\n",
                    stderr);
        free(command == NULL ? NULL : command->templates);
        free(command);
        return PBT_EUSAGE;
    }
    command->place.cwd = -1;
    int status = pbt_channel_open(&command->channel, &error);
    if (status == PBT_OK) {
        status = pbt_children_watch(&command->children, &error);
    }
    if (status != PBT_OK) {
        (void)fprintf(stderr, "pbt-command: %s\n", error.text);
        return PBT_EUSAGE;
    }
    (void)unsetenv("PBT_FD"); /* the socket is ours alone */
    (void)unsetenv("PBT_SOCKET");
    (void)unsetenv("PBT_TOKEN");
    forget_foreign_variables();
    status = serve(command, &error);
    if (status != PBT_OK) {
        say_error(command, &error);
    } else if (command->started) {
        (void)clear_work(command, NULL);
    }
    release(command);
    return status == PBT_OK ? PBT_OK : PBT_EFAILED;
}
