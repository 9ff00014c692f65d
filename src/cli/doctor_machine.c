/*
 * doctor_machine.c: the machine, and what of it we are given.
 */
#define _GNU_SOURCE /* environ, syscall() */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cpus.h"
#include "cli/doctor.h"
#include "exec/budget.h"
#include "run/run.h"

#define GIB 0x1p30
#define SHIM_MS 5000
/* What a run has open beside its workers, and for each of these. */
#define FILES_ALONE 64
#define FILES_A_TRIAL 4
#define LITTLE_MEMORY ((uint64_t)256 << 20)

/* --- pbt-shim --------------------------------------------------------------- */

/* What it prints before it ends or the time is up. */
static void read_answer(int fd, char *text, size_t size)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    size_t length = 0;
    while (length + 1 < size && poll(&ready, 1, SHIM_MS) > 0) {
        ssize_t got = read(fd, text + length, size - 1 - length);
        if (got <= 0) {
            break;
        }
        length += (size_t)got;
    }
    text[length] = '\0';
}

static int spawn_version(const char *shim, int out, pid_t *pid)
{
    char *const argv[] = {(char *)(uintptr_t)shim, "--version", NULL};
    posix_spawn_file_actions_t actions;
    int code = posix_spawn_file_actions_init(&actions);
    if (code != 0) {
        return code;
    }
    code = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    if (code == 0) {
        code = posix_spawn_file_actions_addclose(&actions, STDERR_FILENO);
    }
    if (code == 0) {
        code = posix_spawn(pid, shim, &actions, NULL, argv, environ);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return code;
}

/* The answer to --version, or why there is none; false in that case. */
static bool ask_version(const char *shim, char *text, size_t size)
{
    int ends[2];
    pid_t pid;
    int code = pipe(ends) != 0 ? errno : 0;
    if (code == 0) {
        (void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
        (void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
        code = spawn_version(shim, ends[1], &pid);
        (void)close(ends[1]);
        if (code == 0) {
            read_answer(ends[0], text, size);
            (void)kill(pid, SIGKILL); /* it has ended, or hangs */
            (void)waitpid(pid, NULL, 0);
        }
        (void)close(ends[0]);
    }
    if (code != 0) {
        (void)snprintf(text, size, "%s", strerror(code));
    }
    return code == 0;
}

void pbt_doctor_shim(struct pbt_doctor *doctor)
{
    char path[PBT_RUN_PATH_SIZE];
    char answer[64];
    struct pbt_error error;
    if (pbt_run_find_shim(path, sizeof path, &error) != PBT_OK) {
        pbt_doctor_add(doctor, PBT_DOCTOR_ERROR, "pbt-shim",
                       "install pbt again, or name pbt-shim in PBT_SHIM", "%s",
                       error.text);
    } else if (!ask_version(path, answer, sizeof answer)) {
        pbt_doctor_add(doctor, PBT_DOCTOR_ERROR, "pbt-shim",
                       "install pbt again, or name pbt-shim in PBT_SHIM",
                       "%s can't be run: %s", path, answer);
    } else if (strcmp(answer, "pbt-shim " PBT_VERSION "\n") != 0) {
        pbt_doctor_add(doctor, PBT_DOCTOR_ERROR, "pbt-shim",
                       "install both from the same source",
                       "%s is not of this version of pbt, " PBT_VERSION, path);
    } else {
        pbt_doctor_add(doctor, PBT_DOCTOR_OK, "pbt-shim", "",
                       "%s, version " PBT_VERSION, path);
    }
}

/* --- the system ------------------------------------------------------------- */

void pbt_doctor_kernel(struct pbt_doctor *doctor)
{
    struct utsname name;
    int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (fd >= 0) {
        (void)close(fd);
    }
    pbt_doctor_add(doctor, PBT_DOCTOR_OK, "kernel", "", "Linux %s, %s",
                   uname(&name) == 0 ? name.release : "?",
                   fd >= 0 ? "has pidfd_open"
                           : "without pidfd_open, which is older or not "
                             "allowed: sockets tell of a worker's end");
}

/* Nobody expects it to be missing, so it is only said if it is. */
void pbt_doctor_proc(struct pbt_doctor *doctor)
{
    if (access("/proc/self/stat", R_OK) != 0) {
        pbt_doctor_add(doctor, PBT_DOCTOR_WARNING, "/proc",
                       "mount it: mount -t proc proc /proc",
                       "is not mounted: what a worker has started may outlive "
                       "it, limits of the control group are not seen, and a "
                       "program without a client has to report through the "
                       "file PBT_METRICS");
    }
}

void pbt_doctor_cpus(struct pbt_doctor *doctor)
{
    double cpus = pbt_cpus();
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    if (cpus < 1) {
        pbt_doctor_add(doctor, PBT_DOCTOR_WARNING, "CPUs",
                       "a trial takes one unless the file says "
                       "`resources_per_trial: {cpu: ...}`",
                       "%.3g of %ld, by the control group", cpus, online);
    } else {
        pbt_doctor_add(doctor, PBT_DOCTOR_OK, "CPUs", "",
                       "%.15g of %ld that this machine has", cpus, online);
    }
}

/* MemAvailable of /proc/meminfo, in bytes; 0: it can't be told. */
static uint64_t available_memory(void)
{
    char line[256];
    uint64_t kib = 0;
    FILE *file = fopen("/proc/meminfo", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "MemAvailable:", 13) == 0) {
            kib = strtoull(line + 13, NULL, 10);
            break;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return kib * 1024;
}

void pbt_doctor_memory(struct pbt_doctor *doctor)
{
    uint64_t all = pbt_machine_memory();
    uint64_t left = available_memory();
    left = left == 0 || left > all ? all : left;
    bool little = left < LITTLE_MEMORY;
    pbt_doctor_add(doctor, little ? PBT_DOCTOR_WARNING : PBT_DOCTOR_OK,
                   "memory",
                   little ? "end what you don't need, or let fewer trials run "
                            "at once (`resources:`)"
                          : "",
                   "%.3g GiB, of which %.3g are free", (double)all / GIB,
                   (double)left / GIB);
}

void pbt_doctor_open_files(struct pbt_doctor *doctor)
{
    struct rlimit limit = {0, 0};
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur == RLIM_INFINITY) {
        pbt_doctor_add(doctor, PBT_DOCTOR_OK, "open files", "", "no limit");
        return;
    }
    uint64_t most = limit.rlim_cur;
    uint64_t trials =
        most > FILES_ALONE ? (most - FILES_ALONE) / FILES_A_TRIAL : 0;
    enum pbt_doctor_level level = trials == 0 ? PBT_DOCTOR_ERROR
                                  : (double)trials < pbt_cpus()
                                      ? PBT_DOCTOR_WARNING
                                      : PBT_DOCTOR_OK;
    pbt_doctor_add(doctor, level, "open files",
                   level != PBT_DOCTOR_OK ? "raise it: ulimit -n 4096" : "",
                   "at most %" PRIu64 " at once, enough for %" PRIu64
                   " running trials",
                   most, trials);
}

void pbt_doctor_gpus(struct pbt_doctor *doctor)
{
    struct pbt_gpu_places places = pbt_gpu_places(NULL);
    struct pbt_gpus *gpus = calloc(1, sizeof *gpus);
    struct pbt_error error;
    if (gpus == NULL) {
        pbt_doctor_add(doctor, PBT_DOCTOR_ERROR, "GPUs", "", "out of memory");
    } else if (pbt_gpus_find(&places, gpus, &error) != PBT_OK) {
        pbt_doctor_add(doctor, PBT_DOCTOR_ERROR, "GPUs",
                       "correct or unset that variable", "%s", error.text);
    } else if (gpus->count == 0) {
        pbt_doctor_add(doctor, PBT_DOCTOR_OK, "GPUs", "", "none%s%s",
                       gpus->found_in != NULL ? ", says " : " found",
                       gpus->found_in != NULL ? gpus->found_in : "");
    } else {
        pbt_doctor_add(doctor, PBT_DOCTOR_OK, "GPUs",
                       "a trial is given its own only with "
                       "`resources_per_trial: {gpu: 1}` in the file",
                       "%" PRIu32 " (%s)", gpus->count, gpus->found_in);
    }
    free(gpus);
}

/* --- the terminal ----------------------------------------------------------- */

static void check_locale(struct pbt_doctor *doctor)
{
    /* One of our own: the process's stays "C". */
    locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    if (locale == (locale_t)0) {
        pbt_doctor_add(doctor, PBT_DOCTOR_WARNING, "locale",
                       "name one that `locale -a` lists, such as C.UTF-8",
                       "the one that LC_ALL, LC_CTYPE or LANG names is not "
                       "installed");
        return;
    }
    const char *set = nl_langinfo_l(CODESET, locale);
    bool utf8 = strcmp(set, "UTF-8") == 0;
    pbt_doctor_add(doctor, utf8 ? PBT_DOCTOR_OK : PBT_DOCTOR_WARNING, "locale",
                   utf8 ? ""
                        : "export LC_CTYPE=C.UTF-8, if the terminal shows "
                          "UTF-8",
                   "characters are %s", set);
    freelocale(locale);
}

void pbt_doctor_terminal(struct pbt_doctor *doctor)
{
    const char *term = getenv("TERM");
    bool terminal = isatty(STDOUT_FILENO) == 1;
    bool dumb = term == NULL || term[0] == '\0' || strcmp(term, "dumb") == 0;
    check_locale(doctor);
    if (!terminal) {
        pbt_doctor_add(doctor, PBT_DOCTOR_OK, "terminal", "",
                       "none on stdout: the status table is printed now and "
                       "then");
    } else if (dumb) {
        pbt_doctor_add(doctor, PBT_DOCTOR_WARNING, "terminal",
                       "set TERM to what your terminal is, such as xterm",
                       "TERM is %s: the status table can't be shown in place",
                       term == NULL ? "not set" : term);
    } else {
        pbt_doctor_add(doctor, PBT_DOCTOR_OK, "terminal", "", "%s", term);
    }
}
