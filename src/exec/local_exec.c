/*
 * local_exec.c: starts pbt-shim with a worker's command: arguments, environment,
 * descriptors, log files.
 *
 * posix_spawn, not fork: from a process of 1 GiB a fork costs 41 ms.
 */
#define _GNU_SOURCE /* posix_spawn_file_actions_addchdir_np and its kin */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/names.h"
#include "exec/local_state.h"

/* What the child has them as; above them all is closed. */
#define CHILD_WORKER_FD 3
#define CHILD_CONTROL_FD 4

#define OWN_MAX 13

/* The environment of a worker: ours, what the file adds, what we tell it. */
struct environment {
    char own[OWN_MAX][PBT_LOCAL_PATH_SIZE + 64];
    int own_count;
    char **all;
};

static bool is_set(char *const *environment, const char *name)
{
    size_t length = strlen(name);
    for (; environment != NULL && *environment != NULL; environment++) {
        if (strncmp(*environment, name, length) == 0 &&
            (*environment)[length] == '=') {
            return true;
        }
    }
    return false;
}

/* True if `entry` ("NAME=value") is given anew in `list`. */
static bool is_replaced(const char *entry, char *const *list)
{
    size_t length = strcspn(entry, "=");
    for (; list != NULL && *list != NULL; list++) {
        if (strncmp(*list, entry, length + 1) == 0) {
            return true;
        }
    }
    return false;
}

static void add_own(struct environment *env, const char *name, const char *fmt,
                    ...) PBT_PRINTF(3, 4);
static void add_own(struct environment *env, const char *name, const char *fmt,
                    ...)
{
    char *text = env->own[env->own_count++];
    int length = snprintf(text, sizeof env->own[0], "%s=", name);
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text + length, sizeof env->own[0] - (size_t)length, fmt,
                    args);
    va_end(args);
}

/* The CPUs of each of a trial's tasks; libraries would take the whole machine's. */
static void add_threads(struct environment *env, const struct pbt_spec *spec)
{
    static const char *const NAMES[] = {"OMP_NUM_THREADS", "MKL_NUM_THREADS",
                                        "OPENBLAS_NUM_THREADS"};
    double share = spec->trial_cpu / spec->trial_tasks;
    int threads = share > 1 ? (int)share : 1;
    for (int i = 0; i < 3; i++) {
        if (!is_set(environ, NAMES[i]) && !is_set(spec->env, NAMES[i])) {
            add_own(env, NAMES[i], "%d", threads);
        }
    }
}

static void add_devices(struct environment *env,
                        const struct pbt_process *process)
{
    const struct pbt_budget *budget = process->local->options.budget;
    char devices[PBT_LOCAL_PATH_SIZE];
    if (pbt_budget_devices(process->local->options.spec, budget, process->slot,
                           devices, sizeof devices)) {
        add_own(env, budget->gpus.variable, "%s", devices);
        if (budget->gpus.pci_order) {
            add_own(env, "CUDA_DEVICE_ORDER", "PCI_BUS_ID");
        }
    }
}

/* What says where another program's worker or rank is: we may be started in one. */
static bool is_anothers(const char *variable)
{
    static const char *const NAMES[] = {
        "PBT_SOCKET=", "PBT_TOKEN=",  "RANK=",
        "WORLD_SIZE=", "LOCAL_RANK=", "LOCAL_WORLD_SIZE="};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        if (strncmp(variable, NAMES[i], strlen(NAMES[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* Ours, but for what the file or we give anew. */
static int merge_environment(struct environment *env,
                             const struct pbt_spec *spec,
                             struct pbt_error *error)
{
    char *own[OWN_MAX + 1] = {NULL};
    size_t count = 0;
    for (int i = 0; i < env->own_count; i++) {
        own[i] = env->own[i];
    }
    while (environ != NULL && environ[count] != NULL) {
        count++;
    }
    size_t extra = 0;
    while (spec->env[extra] != NULL) {
        extra++;
    }
    env->all = calloc(count + extra + OWN_MAX + 1, sizeof *env->all);
    if (env->all == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_anothers(environ[i]) && !is_replaced(environ[i], own) &&
            !is_replaced(environ[i], spec->env)) {
            env->all[at++] = environ[i];
        }
    }
    for (size_t i = 0; i < extra; i++) {
        if (!is_replaced(spec->env[i],
                         own)) { /* its GPUs: a slot's are fewer */
            env->all[at++] = spec->env[i];
        }
    }
    memcpy(env->all + at, own, (size_t)env->own_count * sizeof *env->all);
    return PBT_OK;
}

static int make_environment(struct environment *env,
                            const struct pbt_process *process,
                            struct pbt_error *error)
{
    const struct pbt_local *local = process->local;
    const struct pbt_spec *spec = local->options.spec;
    env->own_count = 0;
    add_own(env, "PBT_FD", "%d", CHILD_WORKER_FD);
    if (local->options.control_fd >= 0) {
        add_own(env, "PBT_SOCKET", "%s/" PBT_CONTROL_NAME,
                local->options.run_dir);
        add_own(env, "PBT_TOKEN", "%s", process->token);
    }
    add_own(env, "PBT_TRIAL_ID", "%s", process->trial_id);
    add_own(env, "PBT_TRIAL_DIR", "%s", process->trial_dir);
    add_own(env, "PBT_RUN_ID", "%s#%" PRIu64, local->options.run_dir,
            process->spawned >> PBT_EPOCH_SHIFT);
    add_own(env, "PBT_SEED", "%" PRIu64, process->asked.seed);
    add_own(env, "PBT_TASKS", "%" PRIu32, spec->trial_tasks);
    add_threads(env, spec);
    add_devices(env, process);
    return merge_environment(env, spec, error);
}

/* What ends at once when it is read: /dev/null, or without a /dev an empty pipe. */
static int open_nothing(void)
{
    int ends[2];
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && pipe2(ends, O_CLOEXEC) == 0) {
        (void)close(ends[1]);
        fd = ends[0];
    }
    return fd;
}

static int file_actions(posix_spawn_file_actions_t *actions,
                        const struct pbt_process *process, int input,
                        struct pbt_error *error)
{
    char out[PBT_LOCAL_PATH_SIZE + 8];
    char err[PBT_LOCAL_PATH_SIZE + 8];
    const char *cwd = process->local->options.spec->cwd;
    int flags = O_WRONLY | O_CREAT | O_APPEND;
    (void)snprintf(out, sizeof out, "%s/stdout", process->trial_dir);
    (void)snprintf(err, sizeof err, "%s/stderr", process->trial_dir);
    int code = posix_spawn_file_actions_adddup2(actions, input, 0);
    if (code == 0) {
        code = posix_spawn_file_actions_addopen(actions, 1, out, flags, 0600);
    }
    if (code == 0) {
        code = posix_spawn_file_actions_addopen(actions, 2, err, flags, 0600);
    }
    if (code == 0) {
        code = posix_spawn_file_actions_adddup2(actions, process->theirs[0],
                                                CHILD_WORKER_FD);
    }
    if (code == 0) {
        code = posix_spawn_file_actions_adddup2(actions, process->theirs[1],
                                                CHILD_CONTROL_FD);
    }
    if (code == 0) {
        code = posix_spawn_file_actions_addclosefrom_np(actions,
                                                        CHILD_CONTROL_FD + 1);
    }
    if (code == 0 && cwd != NULL && strcmp(cwd, PBT_CWD_TRIAL) != 0) {
        code = posix_spawn_file_actions_addchdir_np(actions, cwd);
    }
    return code == 0 ? PBT_OK
                     : pbt_error_set(error, PBT_ENOMEM, "can't spawn: %s",
                                     strerror(code));
}

/* Arguments that are borrowed: exec takes them as char *, and changes none. */
struct arguments {
    char **items;
    size_t count;
};

static void add_argument(struct arguments *arguments, const char *text)
{
    arguments->items[arguments->count++] = (char *)(uintptr_t)text;
}

/* pbt-command lies beside the shim, and plays the worker for a program that isn't one. */
static void add_command_worker(struct arguments *arguments,
                               const struct pbt_spec *spec, const char *path)
{
    add_argument(arguments, path);
    if (spec->stateless) {
        add_argument(arguments, "--stateless");
    }
    if (spec->cwd != NULL && strcmp(spec->cwd, PBT_CWD_TRIAL) == 0) {
        add_argument(arguments, "--in-trial-dir");
    }
    for (char **item = spec->templates; *item != NULL; item++) {
        add_argument(arguments, "--template");
        add_argument(arguments, *item);
    }
    add_argument(arguments, "--");
}

static size_t count_strings(char *const *strings)
{
    size_t count = 0;
    while (strings[count] != NULL) {
        count++;
    }
    return count;
}

/* What stands beside the arguments themselves. */
struct argument_texts {
    char parent[24];
    char command[PBT_LOCAL_PATH_SIZE];
};

/*
 * argv of the shim: its own options, then `command`, or what plays the worker for it;
 * NULL: no memory.
 */
static char **shim_arguments(const struct pbt_local *local,
                             char *const *command, bool no_client,
                             struct argument_texts *texts)
{
    const struct pbt_spec *spec = local->options.spec;
    const char *shim = local->options.shim;
    const char *slash = strrchr(shim, '/');
    size_t most =
        count_strings(command) + 2 * count_strings(spec->templates) + 11;
    struct arguments arguments = {.items =
                                      calloc(most, sizeof *arguments.items)};
    if (arguments.items == NULL) {
        return NULL;
    }
    (void)snprintf(texts->parent, sizeof texts->parent, "%ld", (long)getpid());
    (void)snprintf(texts->command, sizeof texts->command, "%.*spbt-command",
                   slash == NULL ? 0 : (int)(slash - shim) + 1, shim);
    add_argument(&arguments, shim);
    add_argument(&arguments, "--control");
    add_argument(&arguments, "4");
    add_argument(&arguments, "--parent");
    add_argument(&arguments, texts->parent);
    add_argument(&arguments, "--");
    if (no_client) {
        add_command_worker(&arguments, spec, texts->command);
    }
    for (char *const *item = command; *item != NULL; item++) {
        add_argument(&arguments, *item);
    }
    return arguments.items;
}

/* What a shim is spawned with. */
struct launch {
    struct environment env;
    struct argument_texts texts;
    char **argv;
    posix_spawn_file_actions_t actions;
};

static struct launch *launch_begin(const struct pbt_local *local,
                                   char *const *command, bool no_client)
{
    struct launch *launch = calloc(1, sizeof *launch);
    if (launch == NULL) {
        return NULL;
    }
    launch->argv = shim_arguments(local, command, no_client, &launch->texts);
    if (launch->argv == NULL ||
        posix_spawn_file_actions_init(&launch->actions) != 0) {
        free(launch->argv);
        free(launch);
        return NULL;
    }
    return launch;
}

/* 0, or an errno. */
static int launch_spawn(struct launch *launch, const struct pbt_local *local,
                        pid_t *shim)
{
    return posix_spawn(shim, local->options.shim, &launch->actions, NULL,
                       launch->argv, launch->env.all);
}

static void launch_end(struct launch *launch)
{
    (void)posix_spawn_file_actions_destroy(&launch->actions);
    free(launch->env.all);
    free(launch->argv);
    free(launch);
}

int pbt_process_exec(struct pbt_process *process, struct pbt_error *error)
{
    struct pbt_local *local = process->local;
    const struct pbt_spec *spec = local->options.spec;
    struct launch *launch = launch_begin(local, spec->command, spec->no_client);
    if (launch == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    int input = open_nothing();
    int status =
        input < 0 ? pbt_error_set(error, PBT_EUNAVAILABLE,
                                  "can't open /dev/null: %s", strerror(errno))
                  : make_environment(&launch->env, process, error);
    if (status == PBT_OK) {
        status = file_actions(&launch->actions, process, input, error);
    }
    if (status == PBT_OK) {
        int code = launch_spawn(launch, local, &process->shim);
        if (code != 0) {
            process->shim = 0;
            status = pbt_error_set(
                error, PBT_EUNAVAILABLE,
                "can't start %s (log files in %s, working directory %s): %s",
                local->options.shim, process->trial_dir,
                local->options.spec->cwd == NULL ? "ours"
                                                 : local->options.spec->cwd,
                strerror(code));
        }
    }
    if (input >= 0) {
        (void)close(input);
    }
    launch_end(launch);
    return status;
}

static int ask_actions(posix_spawn_file_actions_t *actions, const char *cwd,
                       const int fds[4], struct pbt_error *error)
{
    int code = 0;
    for (int i = 0; i < 3 && code == 0; i++) {
        code = posix_spawn_file_actions_adddup2(actions, fds[i], i);
    }
    if (code == 0) {
        code =
            posix_spawn_file_actions_adddup2(actions, fds[3], CHILD_CONTROL_FD);
    }
    if (code == 0) { /* there is none here */
        code = posix_spawn_file_actions_addclose(actions, CHILD_WORKER_FD);
    }
    if (code == 0) {
        code = posix_spawn_file_actions_addclosefrom_np(actions,
                                                        CHILD_CONTROL_FD + 1);
    }
    if (code == 0 && cwd != NULL) {
        code = posix_spawn_file_actions_addchdir_np(actions, cwd);
    }
    return code == 0 ? PBT_OK
                     : pbt_error_set(error, PBT_ENOMEM, "can't spawn: %s",
                                     strerror(code));
}

int pbt_local_exec_ask(const struct pbt_local *local, const struct pbt_job *job,
                       const int fds[4], pid_t *shim, struct pbt_error *error)
{
    const struct pbt_spec *spec = local->options.spec;
    struct launch *launch = launch_begin(local, spec->explore_command, false);
    char id[PBT_TRIAL_ID_SIZE];
    if (launch == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    pbt_trial_id(spec->settings.seed, job->trial, id);
    add_own(&launch->env, "PBT_TRIAL_ID", "%s", id);
    add_own(&launch->env, "PBT_RUN_ID", "%s#%" PRIu64, local->options.run_dir,
            job->command.epoch >> PBT_EPOCH_SHIFT);
    int status = merge_environment(&launch->env, spec, error);
    if (status == PBT_OK) {
        status = ask_actions(&launch->actions, spec->cwd, fds, error);
    }
    if (status == PBT_OK) {
        int code = launch_spawn(launch, local, shim);
        if (code != 0) {
            status =
                pbt_error_set(error, PBT_EUNAVAILABLE, "can't start %s: %s",
                              local->options.shim, strerror(code));
        }
    }
    launch_end(launch);
    return status;
}
