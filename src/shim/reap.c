/*
 * reap.c: finds and kills what lives below the shim.
 *
 * The shim is a subreaper, so an orphan below it becomes its child, also one that
 * called setsid() or forked twice.  Whoever is below is found by the parent numbers
 * in /proc/<pid>/stat: /proc/<pid>/task/<tid>/children would be less work, but not
 * every kernel has it (CONFIG_PROC_CHILDREN), and it may leave out children while
 * others exit.  A pass is made only when something is left after the worker's end.
 */
#define _GNU_SOURCE /* syscall */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/shim.h"

struct process {
    pid_t pid;
    pid_t parent;
    bool below;
};

struct processes {
    struct process *items;
    size_t count;
    size_t capacity;
};

/* The parent of a process, or -1 if it is gone. */
static pid_t parent_of(const char *pid)
{
    char path[64];
    char text[512];
    (void)snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    ssize_t got = read(fd, text, sizeof text - 1);
    (void)close(fd);
    if (got <= 0) {
        return -1;
    }
    text[got] = '\0';
    /* "pid (name) state parent ...": the name may hold anything, also ")". */
    const char *end = strrchr(text, ')');
    if (end == NULL || strlen(end) < 5) {
        return -1;
    }
    return (pid_t)strtol(end + 4, NULL, 10);
}

static bool add_process(struct processes *all, const char *name)
{
    if (all->count == all->capacity) {
        size_t capacity = all->capacity == 0 ? 256 : 2 * all->capacity;
        struct process *items = realloc(all->items, capacity * sizeof *items);
        if (items == NULL) {
            return false;
        }
        all->items = items;
        all->capacity = capacity;
    }
    pid_t parent = parent_of(name);
    if (parent > 0) {
        all->items[all->count++] = (struct process){
            .pid = (pid_t)strtol(name, NULL, 10), .parent = parent};
    }
    return true;
}

static bool list_processes(struct processes *all)
{
    DIR *proc = opendir("/proc");
    if (proc == NULL) {
        return false;
    }
    bool whole = true;
    const struct dirent *entry;
    while (whole && (entry = readdir(proc)) != NULL) {
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') {
            whole = add_process(all, entry->d_name);
        }
    }
    (void)closedir(proc);
    return whole && all->count > 0;
}

static int compare_processes(const void *left, const void *right)
{
    const struct process *a = left;
    const struct process *b = right;
    return (a->pid > b->pid) - (a->pid < b->pid);
}

static bool is_below(const struct processes *all, pid_t pid)
{
    struct process key = {.pid = pid};
    const struct process *found =
        bsearch(&key, all->items, all->count, sizeof key, compare_processes);
    return found != NULL && found->below;
}

/* Marks until nothing is added: a child may stand before its parent. */
static void mark_below(struct processes *all, pid_t top, pid_t spare)
{
    bool added = true;
    while (added) {
        added = false;
        for (size_t i = 0; i < all->count; i++) {
            struct process *process = &all->items[i];
            if (!process->below && process->pid != spare &&
                (process->parent == top || is_below(all, process->parent))) {
                process->below = true;
                added = true;
            }
        }
    }
}

/*
 * Kills `process` unless its number has been given to a stranger meanwhile: a pidfd
 * holds on to whoever has the number now, and the same parent as before proves that
 * it lives below us.
 */
static void kill_process(const struct process *process)
{
    char name[24];
    (void)snprintf(name, sizeof name, "%ld", (long)process->pid);
    int fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    if (fd >= 0) {
        if (parent_of(name) == process->parent) {
            (void)syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
        }
        (void)close(fd);
    } else if (errno != ESRCH && parent_of(name) == process->parent) {
        (void)kill(process->pid, SIGKILL); /* before Linux 5.3, or forbidden */
    }
}

bool pbt_shim_kill_below(pid_t spare)
{
    struct processes all = {0};
    bool listed = list_processes(&all);
    if (listed) {
        qsort(all.items, all.count, sizeof *all.items, compare_processes);
        mark_below(&all, getpid(), spare);
        for (size_t i = 0; i < all.count; i++) {
            if (all.items[i].below) {
                kill_process(&all.items[i]);
            }
        }
    }
    free(all.items);
    return listed;
}
