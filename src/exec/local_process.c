/*
 * local_process.c: the life of a worker and its shim: begun, watched, ended.
 *
 * The shim's pidfd is polled (where there are none: its socket), so its end can't be missed or
 * confused with that of another process of the library's user; no signal handler is needed.
 */
#define _GNU_SOURCE /* F_DUPFD_CLOEXEC, SOCK_CLOEXEC, pidfd_open */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/names.h"
#include "exec/local_state.h"

/* Ours are moved above the child's (local_exec.c), so that no dup2 there hits one. */
#define OUR_FDS 16

/* A traceback of some depth: what error.txt is for. */
#define STDERR_TAIL_BYTES 8192
#define STDERR_TAIL_LINES 60

static void leave_queue(struct pbt_process *process);
static void start_queued(struct pbt_local *local);

void pbt_process_break(struct pbt_process *process, const char *fmt, ...)
{
    if (process->why == NULL && !process->leaving) {
        char text[PBT_ERROR_TEXT_MAX];
        va_list args;
        va_start(args, fmt);
        (void)vsnprintf(text, sizeof text, fmt, args);
        va_end(args);
        process->why = strdup(text);
        if (process->why == NULL) {
            pbt_local_fail(process->local, PBT_ENOMEM, "out of memory");
        }
    }
    pbt_process_kill(process);
}

void pbt_process_kill(struct pbt_process *process)
{
    struct pbt_message kill_order = {.type = PBT_MESSAGE_KILL};
    struct pbt_error error;
    process->leaving = true;
    if (process->awaited == PBT_AWAITED_ROOM) {
        pbt_process_end_save(process);
    }
    if (process->slot == PBT_NO_SLOT) {
        leave_queue(process);
        return;
    }
    if (pbt_stream_send(&process->control, &kill_order, &error) != PBT_OK &&
        process->shim > 0) {
        (void)kill(process->shim, SIGKILL); /* its worker dies with it */
    }
}

/* --- the end ------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct pbt_process *process = handle->data;
    if (--process->open_handles > 0) {
        return;
    }
    pbt_lines_done(&process->worker.lines);
    pbt_lines_done(&process->control.lines);
    pbt_buf_done(&process->worker.out);
    pbt_buf_done(&process->control.out);
    pbt_buf_done(&process->held);
    pbt_buf_done(&process->manifest);
    json_decref(process->config);
    free(process->why);
    free(process);
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

static void close_stream(struct pbt_stream *stream)
{
    if (stream->fd >= 0) {
        uv_close((uv_handle_t *)&stream->poll, on_closed);
        (void)close(stream->fd);
        stream->fd = -1;
    }
}

void pbt_process_close(struct pbt_process *process)
{
    struct pbt_local *local = process->local;
    close_stream(&process->worker);
    close_stream(&process->control);
    uv_close((uv_handle_t *)&process->linger, on_closed);
    if (process->ended_fd >= 0) {
        uv_close((uv_handle_t *)&process->ended_poll, on_closed);
        (void)close(process->ended_fd);
    }
    close_fd(&process->theirs[0]);
    close_fd(&process->theirs[1]);
    if (local->processes[process->trial] == process) {
        local->processes[process->trial] = NULL;
    }
    if (process->slot != PBT_NO_SLOT) {
        local->slot_taken[process->slot] = false;
    }
    local->retiring -= process->retired ? 1 : 0;
    local->process_count--;
    pbt_process_end_save(process);
    start_queued(local);
}

/* The last lines that this process wrote to its stderr; NULL: none, or memory is out. */
static char *stderr_tail(const struct pbt_process *process)
{
    char path[PBT_LOCAL_PATH_SIZE + 8];
    char bytes[STDERR_TAIL_BYTES + 1];
    char text[STDERR_TAIL_BYTES + PBT_LOCAL_PATH_SIZE + 64];
    struct stat about;
    (void)snprintf(path, sizeof path, "%s/stderr", process->trial_dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }
    ssize_t got = 0;
    off_t start = 0;
    if (fstat(fd, &about) == 0 && about.st_size > process->stderr_start) {
        start = about.st_size - STDERR_TAIL_BYTES;
        start = start > process->stderr_start ? start : process->stderr_start;
        got = pread(fd, bytes, STDERR_TAIL_BYTES, start);
    }
    (void)close(fd);
    if (got <= 0) {
        return NULL;
    }
    size_t length = (size_t)got;
    while (length > 0 && bytes[length - 1] == '\n') {
        length--;
    }
    bytes[length] = '\0';
    /* Half a line at the start is left out. */
    const char *first =
        start > process->stderr_start ? strchr(bytes, '\n') : NULL;
    size_t least = first == NULL ? 0 : (size_t)(first - bytes) + 1;
    size_t at = length;
    for (int lines = 0; at > least; at--) {
        if (bytes[at - 1] == '\n' && ++lines == STDERR_TAIL_LINES) {
            break;
        }
    }
    (void)snprintf(text, sizeof text, "  its last words on stderr (%s):\n%s",
                   path, bytes + at);
    /* It goes into the journal and to people: a program may have said too much. */
    pbt_local_hide_secrets(process->local, text);
    return strdup(text);
}

/* An end before its first word: at status 0 it is most likely no worker at all. */
static const char *before_hello(const struct pbt_process *process)
{
    if (process->greeted) {
        return "";
    }
    return process->exit_code != 0
               ? " before it said hello (docs/protocol.md)"
               : " before it said hello: a program that doesn't speak the "
                 "protocol of docs/protocol.md needs `trainable: command` "
                 "(docs/command.md)";
}

/*
 * What the kernel may have to do with a failure: "", or that it has killed somebody.  A process
 * that it killed ends by SIGKILL; one that has only lost a child may end in any way.
 */
static const char *out_of_memory(struct pbt_process *process)
{
    struct pbt_local *local = process->local;
    uint64_t kills = pbt_cgroup_oom_kills("");
    if (kills <= local->oom_kills) {
        return "";
    }
    bool itself = process->why == NULL && process->signal == SIGKILL;
    local->oom_kills = itself ? local->oom_kills + 1 : kills;
    return "; out of memory: the kernel has killed a process for lack of it "
           "(resources_per_trial.memory lets fewer trials run at once)";
}

/* What an end is known to come from, in a line of its own; "" if nobody can say. */
static void help_with(const char *end, const char *tail, char *help,
                      size_t size)
{
    static const char loader[] = "error while loading shared libraries: ";
    const char *library = strstr(tail, loader);
    help[0] = '\0';
    if (library != NULL) {
        library += sizeof loader - 1;
        (void)snprintf(help, size,
                       "\n  = help: %.*s is not found: run ldconfig once it is "
                       "installed, or set LD_LIBRARY_PATH (in `env:`), or link "
                       "with -Wl,-rpath",
                       (int)strcspn(library, ":\n"), library);
    } else if (strstr(end, "exited with status 127") != NULL) {
        (void)snprintf(help, size,
                       "\n  = help: 127 is a shell's word for a program that "
                       "is not found");
    } else if (strstr(end, "exited with status 126") != NULL) {
        (void)snprintf(help, size,
                       "\n  = help: 126 is a shell's word for a file that "
                       "can't be executed");
    }
}

/* How it came to its end, for people; NULL: as it should.  `tail`: its last words, or NULL. */
static char *describe_end(struct pbt_process *process, const char *tail)
{
    char text[PBT_ERROR_TEXT_MAX];
    char help[256];
    if (process->why != NULL) {
        (void)snprintf(text, sizeof text, "%s", process->why);
    } else if (process->leaving) {
        return NULL;
    } else if (!process->has_status) {
        (void)snprintf(text, sizeof text, "its pbt-shim was killed");
    } else if (process->signal == SIGKILL && process->lingered) {
        (void)snprintf(text, sizeof text,
                       "closed its socket (PBT_FD) and went on");
    } else if (process->signal != 0) {
        (void)snprintf(text, sizeof text, "killed by signal %d (%s)",
                       process->signal, strsignal(process->signal));
    } else {
        (void)snprintf(text, sizeof text, "exited with status %d%s",
                       process->exit_code, before_hello(process));
    }
    pbt_local_hide_secrets(process->local, text);
    help_with(text, tail == NULL ? "" : tail, help, sizeof help);
    size_t length = strlen(text);
    (void)snprintf(text + length, sizeof text - length, "%s%s",
                   out_of_memory(process), help);
    return strdup(text);
}

static void tell_end(struct pbt_process *process)
{
    struct pbt_local *local = process->local;
    struct pbt_input *input =
        pbt_local_input(local, PBT_INPUT_EXITED, process->trial);
    if (input == NULL) {
        return;
    }
    input->epoch = process->spawned;
    input->exit_code = process->exit_code;
    input->signal = process->signal;
    bool by_itself = process->why != NULL || !process->leaving;
    /* One that was killed may have been at work for too long: the driver knows. */
    if (by_itself || process->signal != 0) {
        char *tail = stderr_tail(process);
        input->last_words = tail == NULL ? NULL : pbt_local_keep(local, tail);
        local->failed_on[process->trial] = process->slot;
    }
    if (by_itself) {
        char *text = describe_end(process, input->last_words);
        input->text = pbt_local_keep(local, text);
    }
    input->no_room =
        pbt_process_spoil_save(process, input->text) || process->no_room;
}

/*
 * It ended by itself while it loaded a checkpoint: if that was lost meanwhile, it is no
 * failure of the trial's, and the core has to hear of the loss first.
 */
static bool may_be_of_checkpoint(const struct pbt_process *process)
{
    return process->awaited == PBT_AWAITED_READY && !process->retired &&
           !process->unwanted && process->asked.checkpoint.number != 0;
}

void pbt_process_finish(struct pbt_process *process)
{
    tell_end(process);
    pbt_process_close(process);
}

/*
 * The shim has ended, and all below it.  What the worker said before is read to the end
 * first, one piece a batch.
 */
static void on_ended(uv_poll_t *poll, int status, int events)
{
    struct pbt_process *process = poll->data;
    (void)events;
    process->shim_ended = true;
    while (pbt_process_read_control(process)) {
    }
    if (!process->has_status) {
        /* Killed itself, the shim has swept nothing: its group, whose number is not
         * free before the wait below, may hold the worker's children. */
        (void)kill(-process->shim, SIGKILL);
    }
    if (pbt_process_read_worker(process)) {
        /* Polled again: what has ended stays so.  Without a pidfd, what the shim left
         * unread is an error, at which libuv stops, and which reading has cleared. */
        if (status != 0) {
            (void)uv_poll_start(poll, UV_DISCONNECT, on_ended);
        }
        return;
    }
    siginfo_t about;
    (void)waitid(P_PID, (id_t)process->shim, &about, WEXITED);
    if (process->kept) {
        pbt_process_unkeep(process);
    } else if (pbt_process_can_begin_afresh(process)) {
        char *why = pbt_local_keep(process->local, describe_end(process, NULL));
        pbt_process_begin_afresh(process, why == NULL ? "" : why);
        return;
    } else if (may_be_of_checkpoint(process)) {
        (void)uv_poll_stop(poll); /* it would be told again and again */
        (void)uv_timer_stop(&process->linger);
        close_stream(&process->worker);
        close_stream(&process->control);
        process->shim = 0; /* its number may be another's from now on */
        process->awaited = PBT_AWAITED_INQUEST;
        pbt_local_forget_whole(process->local, process->asked.checkpoint);
        pbt_local_verify(process->local, process);
        return;
    } else if (!process->retired) {
        tell_end(process);
    }
    pbt_process_close(process);
}

/* --- spawning ------------------------------------------------------------ */

static int system_error(struct pbt_error *error, const char *what)
{
    return pbt_error_set(error, PBT_ENOMEM, "can't %s: %s", what,
                         strerror(errno));
}

/* A descriptor above the child's, closed on exec. */
int pbt_local_moved(int fd)
{
    if (fd < 0 || fd >= OUR_FDS) {
        return fd;
    }
    int high = fcntl(fd, F_DUPFD_CLOEXEC, OUR_FDS);
    (void)close(fd);
    return high;
}

int pbt_local_make_pair(int pair[2], struct pbt_error *error)
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return system_error(error, "make a socket pair");
    }
    pair[0] = pbt_local_moved(pair[0]);
    pair[1] = pbt_local_moved(pair[1]);
    if (pair[0] < 0 || pair[1] < 0 ||
        fcntl(pair[0], F_SETFL, O_NONBLOCK) != 0) {
        return system_error(error, "set up a socket");
    }
    return PBT_OK;
}

static int watch(struct pbt_process *process, struct pbt_stream *stream, int fd,
                 uv_poll_cb callback, struct pbt_error *error)
{
    int code = uv_poll_init(&process->local->loop, &stream->poll, fd);
    if (code == 0) {
        stream->fd = fd;
        stream->poll.data = process;
        process->open_handles++;
        code = uv_poll_start(&stream->poll, UV_READABLE, callback);
    }
    return code == 0 ? PBT_OK
                     : pbt_error_set(error, PBT_ENOMEM, "can't poll: %s",
                                     uv_strerror(code));
}

/*
 * What ends with the shim: its pidfd; before Linux 5.3, and where a container forbids those,
 * the socket that the shim alone has the other end of.
 */
static int open_end(const struct pbt_process *process, int *events)
{
    int fd = (int)syscall(SYS_pidfd_open, process->shim, 0);
    *events = UV_READABLE;
    if (fd < 0 && (errno == ENOSYS || errno == EPERM)) {
        fd = fcntl(process->control.fd, F_DUPFD_CLOEXEC, OUR_FDS);
        *events = UV_DISCONNECT;
    }
    return fd;
}

/* The shim runs: from here on its end is news like any other. */
static int watch_end(struct pbt_process *process, struct pbt_error *error)
{
    struct pbt_local *local = process->local;
    int events;
    process->ended_fd = open_end(process, &events);
    if (process->ended_fd < 0) {
        return system_error(error, "watch a process");
    }
    int code =
        uv_poll_init(&local->loop, &process->ended_poll, process->ended_fd);
    if (code == 0) {
        process->ended_poll.data = process;
        process->open_handles++;
        code = uv_poll_start(&process->ended_poll, events, on_ended);
    }
    if (code != 0) {
        return pbt_error_set(error, PBT_ENOMEM, "can't poll a process: %s",
                             uv_strerror(code));
    }
    return PBT_OK;
}

/* Its sockets: they take what it is told also while it waits for a slot. */
static int connect_to(struct pbt_process *process, struct pbt_error *error)
{
    int worker[2] = {-1, -1};
    int control[2] = {-1, -1};
    int status = pbt_local_make_pair(worker, error);
    if (status == PBT_OK) {
        status = pbt_local_make_pair(control, error);
    }
    process->theirs[0] = worker[1];
    process->theirs[1] = control[1];
    if (status == PBT_OK) {
        status = watch(process, &process->worker, worker[0],
                       pbt_process_on_worker, error);
    }
    if (status == PBT_OK) {
        status = watch(process, &process->control, control[0],
                       pbt_process_on_control, error);
    }
    if (process->worker.fd < 0) {
        close_fd(&worker[0]);
    }
    if (process->control.fd < 0) {
        close_fd(&control[0]);
    }
    return status;
}

void pbt_process_name(struct pbt_process *process,
                      const struct pbt_command *start)
{
    const struct pbt_local *local = process->local;
    char path[PBT_LOCAL_PATH_SIZE + 8];
    struct stat about;
    process->trial = start->trial;
    process->spawned = start->process_epoch;
    pbt_trial_id(local->options.spec->settings.seed, start->trial,
                 process->trial_id);
    (void)snprintf(process->trial_dir, sizeof process->trial_dir, "%s/%s",
                   local->options.run_dir, process->trial_id);
    (void)snprintf(path, sizeof path, "%s/stderr", process->trial_dir);
    process->stderr_start = stat(path, &about) == 0 ? about.st_size : 0;
}

static struct pbt_process *new_process(struct pbt_local *local,
                                       const struct pbt_command *start)
{
    struct pbt_process *process = calloc(1, sizeof *process);
    if (process == NULL) {
        return NULL;
    }
    process->local = local;
    process->worker.fd = -1;
    process->control.fd = -1;
    process->ended_fd = -1;
    pbt_lines_init(&process->worker.lines);
    pbt_lines_init(&process->control.lines);
    pbt_buf_init(&process->worker.out, (size_t)4 * PBT_MESSAGE_LINE_MAX);
    pbt_buf_init(&process->control.out, (size_t)4 * PBT_MESSAGE_LINE_MAX);
    pbt_buf_init(&process->held, PBT_MESSAGE_LINE_MAX + 1);
    pbt_buf_init(&process->manifest, PBT_MESSAGE_LINE_MAX);
    process->theirs[0] = -1;
    process->theirs[1] = -1;
    process->slot = PBT_NO_SLOT;
    process->asked = *start;
    process->worker.keeps = true;
    process->linger.data = process;
    process->open_handles = 1;
    (void)uv_timer_init(&local->loop, &process->linger); /* never fails */
    pbt_process_name(process, start);
    local->processes[start->trial] = process;
    local->process_count++;
    return process;
}

/* It could not be started: the core hears of that as of any other end. */
static void tell_no_start(struct pbt_process *process, const char *text)
{
    struct pbt_local *local = process->local;
    struct pbt_input *input =
        pbt_local_input(local, PBT_INPUT_EXITED, process->trial);
    if (input != NULL) {
        input->epoch = process->spawned;
        input->exit_code = 127;
        input->text = pbt_local_keep(local, strdup(text));
    }
    pbt_process_close(process);
}

/* Its trial has last failed on another GPU: 0; on a neighbour there: 1; on this very slot: 2. */
static int reluctance(const struct pbt_process *process, uint32_t slot)
{
    const struct pbt_local *local = process->local;
    uint32_t failed = local->failed_on[process->trial];
    if (slot == failed) {
        return 2;
    }
    return failed != PBT_NO_SLOT &&
                   pbt_budget_share_device(local->options.spec, slot, failed)
               ? 1
               : 0;
}

/* The lowest free slot; but what broke the trial may be its slot's GPU: rather another. */
static bool take_slot(struct pbt_process *process)
{
    struct pbt_local *local = process->local;
    uint32_t best = PBT_NO_SLOT;
    uint32_t taken = 0;
    for (uint32_t slot = 0; slot < local->places; slot++) {
        if (local->slot_taken[slot]) {
            taken++;
        } else if (best == PBT_NO_SLOT ||
                   reluctance(process, slot) < reluctance(process, best)) {
            best = slot;
        }
    }
    if (taken >= local->options.budget->slots) {
        return false;
    }
    local->slot_taken[best] = true;
    process->slot = best;
    return true;
}

/* It has a slot. */
static void launch(struct pbt_process *process)
{
    struct pbt_local *local = process->local;
    struct pbt_error error = {.status = PBT_OK};
    int status = pbt_process_exec(process, &error);
    close_fd(&process->theirs[0]);
    close_fd(&process->theirs[1]);
    if (status != PBT_OK) {
        tell_no_start(process, error.text);
    } else if (watch_end(process, &error) != PBT_OK) {
        /* It can't be watched: nothing that we promise about it would hold. */
        pbt_local_fail(local, PBT_ENOMEM, error.text);
        (void)kill(process->shim, SIGKILL);
        (void)waitpid(process->shim, NULL, 0);
        pbt_process_close(process);
    }
}

static void leave_queue(struct pbt_process *process)
{
    struct pbt_process **at = &process->local->queue;
    while (*at != NULL && *at != process) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = process->next;
    }
    tell_end(process);
    pbt_process_close(process);
}

/* A slot may be free now. */
static void start_queued(struct pbt_local *local)
{
    struct pbt_process *process = local->queue;
    if (process != NULL && take_slot(process)) {
        local->queue = process->next;
        process->next = NULL;
        launch(process);
    }
}

void pbt_local_spawn(struct pbt_local *local, const struct pbt_command *start)
{
    struct pbt_error error = {.status = PBT_OK};
    struct pbt_process *process = new_process(local, start);
    if (process == NULL) {
        pbt_local_fail(local, PBT_ENOMEM, "out of memory");
        return;
    }
    int status = pbt_make_dirs(process->trial_dir, &error);
    if (status == PBT_OK && !pbt_process_make_token(process)) {
        status = system_error(&error, "draw a token");
    }
    if (status == PBT_OK) {
        status = connect_to(process, &error);
    }
    if (status == PBT_OK && take_slot(process)) {
        launch(process);
        return;
    }
    if (status == PBT_OK && local->retiring == 0) {
        status =
            pbt_error_set(&error, PBT_EINTERNAL,
                          "internal error: all %" PRIu32 " slots are taken",
                          local->options.budget->slots);
    }
    if (status != PBT_OK) {
        tell_no_start(process, error.text);
        return;
    }
    struct pbt_process **last = &local->queue;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = process;
}
