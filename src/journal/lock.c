#define _GNU_SOURCE /* F_OFD_SETLK, getrandom */
#include "journal/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/codes.h"

#define PATH_SIZE 4096
#define NONCE_SIZE 33
#define NAME_SIZE 256
#define CONTENT_MAX 2048
#define LEASE_START "{\"lease\":"
#define LEASE_AT ((off_t)(sizeof LEASE_START - 1))
#define LEASE_COLUMNS 20

#define STALE_S 60

struct pbt_lock {
    int fd; /* holds the system's lock; -1 before it is open */
    char path[PATH_SIZE];
    struct pbt_lock_settings settings;
    char nonce[NONCE_SIZE];
    char host[NAME_SIZE];
    char boot[NAME_SIZE];
    pthread_mutex_t renewing; /* guards the lease, and `releasing` */
    pthread_cond_t released;
    uint64_t lease;
    bool releasing;
    bool has_thread;
    pthread_t thread; /* renews */
    bool effective;   /* the file system has locks */
    /* Written by whoever renews, read by the loop. */
    _Atomic uint64_t renewed_ns;
    atomic_bool taken; /* by another */
};

/* What a lock file says. */
struct holder {
    bool known; /* the line could be read */
    uint64_t lease;
    int64_t pid;
    char nonce[NONCE_SIZE];
    char host[NAME_SIZE];
    char boot[NAME_SIZE];
};

struct content {
    char text[CONTENT_MAX];
    size_t length;
};

struct pbt_lock_settings pbt_lock_settings(void)
{
    const char *text = getenv("PBT_TEST_LEASE_S");
    double seconds = text == NULL ? STALE_S : strtod(text, NULL);
    uint64_t stale = (uint64_t)((seconds > 0 ? seconds : STALE_S) * 1e9);
    return (struct pbt_lock_settings){.poll_ns = stale / 60,
                                      .stale_ns = stale,
                                      .lost_ns = stale / 2,
                                      .renew_ns = stale / 6};
}

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void sleep_ns(uint64_t ns)
{
    struct timespec rest = {.tv_sec = (time_t)(ns / UINT64_C(1000000000)),
                            .tv_nsec = (long)(ns % UINT64_C(1000000000))};
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR) {
    }
}

static int fail(struct pbt_error *error, const char *what, const char *path)
{
    int number = errno;
    int status = PBT_EIO;
    if (number == EACCES || number == EPERM || number == EROFS) {
        status = PBT_EPERM;
    } else if (number == ENOENT || number == ENOTDIR) {
        status = PBT_ENOINPUT;
    } else if (number == ENOSPC || number == EDQUOT) {
        status = PBT_ETEMP;
    }
    return pbt_error_set(error, status, "can't %s %s: %s", what, path,
                         strerror(number));
}

/* --- the line ------------------------------------------------------------ */

/*
 * Opens the file anew each time: on NFS only that shows what other hosts wrote,
 * and only it sees a file that was replaced.
 */
static int read_content(const char *path, struct content *content,
                        struct pbt_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return fail(error, "read", path);
    }
    ssize_t got;
    do {
        got = pread(fd, content->text, sizeof content->text - 1, 0);
    } while (got < 0 && errno == EINTR);
    int status = got < 0 ? fail(error, "read", path) : PBT_OK;
    content->length = got < 0 ? 0 : (size_t)got;
    content->text[content->length] = '\0';
    (void)close(fd);
    return status;
}

static bool same_content(const struct content *a, const struct content *b)
{
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

static bool copy_text(const json_t *json, char *to, size_t size)
{
    const char *text = json_string_value(json);
    size_t length = text == NULL ? size : strlen(text);
    if (length >= size) {
        return false;
    }
    memcpy(to, text, length + 1);
    return true;
}

static struct holder read_holder(const struct content *content)
{
    struct holder holder = {0};
    const char *end = memchr(content->text, '\n', content->length);
    if (end == NULL) {
        return holder;
    }
    json_t *root =
        json_loadb(content->text, (size_t)(end - content->text), 0, NULL);
    const json_t *lease = json_object_get(root, "lease");
    holder.known = json_is_integer(lease) && json_integer_value(lease) >= 0 &&
                   copy_text(json_object_get(root, "nonce"), holder.nonce,
                             sizeof holder.nonce) &&
                   copy_text(json_object_get(root, "host"), holder.host,
                             sizeof holder.host) &&
                   copy_text(json_object_get(root, "boot"), holder.boot,
                             sizeof holder.boot);
    holder.lease = (uint64_t)json_integer_value(lease);
    holder.pid = json_integer_value(json_object_get(root, "pid"));
    json_decref(root);
    return holder;
}

static int write_at(int fd, const char *path, const char *bytes, size_t length,
                    off_t at, struct pbt_error *error)
{
    while (length > 0) {
        ssize_t written = pwrite(fd, bytes, length, at);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return fail(error, "write", path);
        }
        bytes += written;
        length -= (size_t)written;
        at += written;
    }
    return PBT_OK;
}

/*
 * Writes through a descriptor of its own: its close() is what brings the bytes to
 * the server on NFS.
 */
static int write_bytes(const char *path, const char *bytes, size_t length,
                       off_t at, bool cut, struct pbt_error *error)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return fail(error, "write", path);
    }
    int status = write_at(fd, path, bytes, length, at, error);
    if (status == PBT_OK && cut && ftruncate(fd, at + (off_t)length) != 0) {
        status = fail(error, "write", path);
    }
    if (close(fd) != 0 && status == PBT_OK) {
        status = fail(error, "write", path);
    }
    return status;
}

static int write_line(struct pbt_lock *lock, struct pbt_error *error)
{
    struct pbt_buf line;
    pbt_buf_init(&line, CONTENT_MAX - 1);
    pbt_buf_printf(&line, "%s%*" PRIu64 ",\"nonce\":\"%s\",\"pid\":%ld,",
                   LEASE_START, LEASE_COLUMNS, lock->lease, lock->nonce,
                   (long)getpid());
    pbt_buf_text(&line, "\"host\":");
    pbt_buf_json_string(&line, lock->host, strlen(lock->host));
    pbt_buf_text(&line, ",\"boot\":");
    pbt_buf_json_string(&line, lock->boot, strlen(lock->boot));
    pbt_buf_text(&line, "}\n");
    int status;
    if (pbt_buf_failed(&line)) {
        status = pbt_error_set(error, PBT_ENOMEM, "out of memory");
    } else {
        status =
            write_bytes(lock->path, line.data, line.length, 0, true, error);
    }
    pbt_buf_done(&line);
    return status;
}

static int write_lease(const struct pbt_lock *lock, uint64_t lease,
                       struct pbt_error *error)
{
    char digits[LEASE_COLUMNS + 1];
    (void)snprintf(digits, sizeof digits, "%*" PRIu64, LEASE_COLUMNS, lease);
    return write_bytes(lock->path, digits, LEASE_COLUMNS, LEASE_AT, false,
                       error);
}

/* --- taking -------------------------------------------------------------- */

static void read_boot_id(char boot[NAME_SIZE])
{
    boot[0] = '\0';
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file != NULL) {
        if (fgets(boot, NAME_SIZE, file) == NULL) {
            boot[0] = '\0';
        }
        boot[strcspn(boot, "\n")] = '\0';
        (void)fclose(file); /* read only */
    }
}

/* Who we are; the name may be no UTF-8 in theory, so that other bytes become '?'. */
static int name_ourselves(struct pbt_lock *lock, struct pbt_error *error)
{
    struct utsname system;
    unsigned char random[(NONCE_SIZE - 1) / 2];
    if (uname(&system) != 0 ||
        getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        return pbt_error_set(error, PBT_EIO,
                             "can't ask the system for its name and a random "
                             "number: %s",
                             strerror(errno));
    }
    (void)snprintf(lock->host, sizeof lock->host, "%s", system.nodename);
    for (char *c = lock->host; *c != '\0'; c++) {
        if (*c <= 0x20 || *c >= 0x7f) {
            *c = '?';
        }
    }
    read_boot_id(lock->boot);
    for (size_t i = 0; i < sizeof random; i++) {
        (void)snprintf(lock->nonce + 2 * i, 3, "%02x", random[i]);
    }
    return PBT_OK;
}

static int held(const struct pbt_lock *lock, const struct holder *holder,
                struct pbt_error *error)
{
    if (!holder->known) {
        return pbt_fail(error, PBT_E0801,
                        "%s: another pbt is driving this run; wait for it "
                        "or stop it, then try again",
                        lock->path);
    }
    return pbt_fail(error, PBT_E0801,
                    "%s: another pbt is driving this run: pid %" PRId64
                    " on %s; wait for it, or stop it there (kill %" PRId64
                    "), then try again",
                    lock->path, holder->pid, holder->host, holder->pid);
}

/*
 * The system's lock.  *busy: a living process of this host has it, or one of another
 * host for which locks work.
 */
static int lock_file(struct pbt_lock *lock, bool *busy, struct pbt_error *error)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    *busy = false;
    lock->effective = true;
    int status;
    do {
        status = fcntl(lock->fd, F_OFD_SETLK, &all);
    } while (status != 0 && errno == EINTR);
    if (status == 0) {
        return PBT_OK;
    }
    switch (errno) {
    case EAGAIN:
    case EACCES:
        *busy = true;
        return PBT_OK;
    case ENOLCK:
    case ENOSYS:
    case EOPNOTSUPP:
    case EINVAL:
        lock->effective = false; /* the lease alone has to do */
        return PBT_OK;
    default:
        return fail(error, "lock", lock->path);
    }
}

/*
 * Waits until what we hold open is what the name stands for: a lock file that somebody
 * removed in between locks nothing.
 */
static int open_and_lock(struct pbt_lock *lock, bool *busy,
                         struct pbt_error *error)
{
    for (int attempt = 0; attempt < 10; attempt++) {
        struct stat open_one;
        struct stat named;
        lock->fd = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (lock->fd < 0) {
            return fail(error, "open", lock->path);
        }
        int status = lock_file(lock, busy, error);
        if (status != PBT_OK || *busy) {
            return status;
        }
        if (fstat(lock->fd, &open_one) == 0 && stat(lock->path, &named) == 0 &&
            open_one.st_ino == named.st_ino &&
            open_one.st_dev == named.st_dev) {
            return PBT_OK;
        }
        (void)close(lock->fd);
        lock->fd = -1;
    }
    return pbt_error_set(error, PBT_ETEMP,
                         "%s is being replaced over and over; try again",
                         lock->path);
}

static bool process_lives(int64_t pid)
{
    return pid > 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

/*
 * Whether nobody can be behind this line: it was given back, or its process was of this
 * host, where the system's lock would still be held.
 */
static bool is_free(const struct pbt_lock *lock, const struct content *content,
                    const struct holder *holder)
{
    if (content->length == 0) {
        return true;
    }
    if (!holder->known) {
        return false;
    }
    if (holder->lease == 0) {
        return true;
    }
    if (strcmp(holder->host, lock->host) != 0) {
        return false;
    }
    return lock->effective || strcmp(holder->boot, lock->boot) != 0 ||
           !process_lives(holder->pid);
}

static void say_wait(const struct pbt_lock *lock, const struct holder *holder)
{
    char text[PATH_SIZE + 512];
    if (lock->settings.say == NULL) {
        return;
    }
    (void)snprintf(text, sizeof text,
                   "%s: last driven by pid %" PRId64
                   " on %s; waiting %.0f s to see whether it still lives",
                   lock->path, holder->pid,
                   holder->known ? holder->host : "an unknown host",
                   (double)lock->settings.stale_ns / 1e9);
    lock->settings.say(lock->settings.user, text);
}

/* Watches the line of another host until it counts as dead. */
static int watch(struct pbt_lock *lock, struct content *before,
                 struct pbt_error *error)
{
    struct holder holder = read_holder(before);
    struct content now = {.length = 0};
    uint64_t start = now_ns();
    say_wait(lock, &holder);
    while (now_ns() - start < lock->settings.stale_ns) {
        sleep_ns(lock->settings.poll_ns);
        int status = read_content(lock->path, &now, error);
        if (status != PBT_OK) {
            return status;
        }
        if (!same_content(before, &now)) {
            holder = read_holder(&now);
            return is_free(lock, &now, &holder) ? PBT_OK
                                                : held(lock, &holder, error);
        }
    }
    return PBT_OK;
}

/* Where locks are without effect two watchers may write: the last one has it. */
static int confirm(struct pbt_lock *lock, struct pbt_error *error)
{
    struct content content = {.length = 0};
    sleep_ns(lock->settings.poll_ns);
    int status = read_content(lock->path, &content, error);
    if (status == PBT_OK) {
        struct holder holder = read_holder(&content);
        if (!holder.known || strcmp(holder.nonce, lock->nonce) != 0) {
            status = held(lock, &holder, error);
        }
    }
    return status;
}

static int take(struct pbt_lock *lock, struct pbt_error *error)
{
    bool busy = false;
    struct content content = {.length = 0};
    int status = open_and_lock(lock, &busy, error);
    if (status == PBT_OK) {
        status = read_content(lock->path, &content, error);
    }
    if (status != PBT_OK) {
        return status;
    }
    struct holder holder = read_holder(&content);
    if (busy) {
        return held(lock, &holder, error);
    }
    bool watched = !is_free(lock, &content, &holder);
    if (watched) {
        status = watch(lock, &content, error);
    }
    lock->lease = 1;
    atomic_store(&lock->renewed_ns, now_ns());
    if (status == PBT_OK) {
        status = write_line(lock, error);
    }
    if (status == PBT_OK && (watched || !lock->effective)) {
        status = confirm(lock, error);
    }
    return status;
}

static void discard(struct pbt_lock *lock)
{
    if (lock->fd >= 0) {
        (void)close(lock->fd); /* lets go of the system's lock */
    }
    (void)pthread_cond_destroy(&lock->released);
    (void)pthread_mutex_destroy(&lock->renewing);
    free(lock);
}

/* None of this can fail on Linux. */
static void init_threading(struct pbt_lock *lock)
{
    pthread_condattr_t attributes;
    (void)pthread_mutex_init(&lock->renewing, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&lock->released, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    atomic_init(&lock->renewed_ns, 0);
    atomic_init(&lock->taken, false);
}

/* --- holding ------------------------------------------------------------- */

/* PBT_OK: the line is ours.  PBT_ETEMP: it is another's, or gone, for good. */
static int check_ours(struct pbt_lock *lock, struct pbt_error *error)
{
    struct content content = {.length = 0};
    int status = read_content(lock->path, &content, error);
    if (status == PBT_ENOINPUT) {
        atomic_store(&lock->taken, true);
        return pbt_fail(error, PBT_E0802,
                        "%s is gone: this run may have got another "
                        "driver, so this one stops",
                        lock->path);
    }
    if (status != PBT_OK) {
        return status;
    }
    struct holder holder = read_holder(&content);
    if (holder.known && strcmp(holder.nonce, lock->nonce) == 0) {
        return PBT_OK;
    }
    atomic_store(&lock->taken, true);
    return pbt_fail(error, PBT_E0802,
                    "%s: this run was taken over by pid %" PRId64
                    " on %s while this driver stood still, so this one "
                    "stops; what it did meanwhile doesn't count",
                    lock->path, holder.pid,
                    holder.known ? holder.host : "an unknown host");
}

static int renew(struct pbt_lock *lock, struct pbt_error *error)
{
    /* The time before the writing counts: a watcher may have seen it then. */
    uint64_t start = now_ns();
    int status = check_ours(lock, error);
    if (status == PBT_OK) {
        lock->lease++;
        status = write_lease(lock, lock->lease, error);
    }
    /* Somebody may have taken it between the first look and the writing. */
    if (status == PBT_OK) {
        status = check_ours(lock, error);
    }
    if (status == PBT_OK) {
        atomic_store(&lock->renewed_ns, start);
    }
    return status;
}

int pbt_lock_renew(struct pbt_lock *lock, struct pbt_error *error)
{
    (void)pthread_mutex_lock(&lock->renewing);
    int status = renew(lock, error);
    (void)pthread_mutex_unlock(&lock->renewing);
    return status;
}

int pbt_lock_hold(struct pbt_lock *lock, struct pbt_error *error)
{
    if (!pbt_lock_lost(lock, now_ns())) {
        return PBT_OK;
    }
    int status = pbt_lock_renew(lock, error);
    if (status == PBT_OK || atomic_load(&lock->taken)) {
        return status;
    }
    return pbt_error_prefix(error, status,
                            "the lock could not be renewed for %.0f s, so "
                            "nothing more is written (pbt resume goes on)",
                            (double)lock->settings.lost_ns / 1e9);
}

static int ask(void *user, struct pbt_error *error)
{
    return pbt_lock_hold(user, error);
}

struct pbt_hold pbt_lock_as_hold(struct pbt_lock *lock)
{
    return (struct pbt_hold){ask, lock};
}

bool pbt_lock_lost(const struct pbt_lock *lock, uint64_t now)
{
    uint64_t renewed = atomic_load(&lock->renewed_ns);
    return atomic_load(&lock->taken) ||
           (now > renewed && now - renewed >= lock->settings.lost_ns);
}

/* --- renewing ------------------------------------------------------------ */

static void *keep_renewing(void *user)
{
    struct pbt_lock *lock = user;
    (void)pthread_mutex_lock(&lock->renewing);
    while (!lock->releasing) {
        uint64_t next = now_ns() + lock->settings.renew_ns;
        struct timespec at = {.tv_sec = (time_t)(next / UINT64_C(1000000000)),
                              .tv_nsec = (long)(next % UINT64_C(1000000000))};
        int waited = 0;
        while (!lock->releasing && waited == 0) {
            waited =
                pthread_cond_timedwait(&lock->released, &lock->renewing, &at);
        }
        if (!lock->releasing) {
            /* A failure may pass; whoever writes asks pbt_lock_hold(). */
            (void)renew(lock, NULL);
        }
    }
    (void)pthread_mutex_unlock(&lock->renewing);
    return NULL;
}

static int start_renewing(struct pbt_lock *lock, struct pbt_error *error)
{
    /* Signals are the business of the thread that started us. */
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&lock->thread, NULL, keep_renewing, lock);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    lock->has_thread = code == 0;
    return code == 0
               ? PBT_OK
               : pbt_error_set(error, PBT_ENOMEM, "can't start a thread: %s",
                               strerror(code));
}

static void stop_renewing(struct pbt_lock *lock)
{
    if (!lock->has_thread) {
        return;
    }
    (void)pthread_mutex_lock(&lock->renewing);
    lock->releasing = true;
    (void)pthread_cond_signal(&lock->released);
    (void)pthread_mutex_unlock(&lock->renewing);
    (void)pthread_join(lock->thread, NULL);
}

void pbt_lock_release(struct pbt_lock *lock)
{
    if (lock == NULL) {
        return;
    }
    stop_renewing(lock);
    /* If this fails the next driver of another host waits, and that is all. */
    if (check_ours(lock, NULL) == PBT_OK) {
        (void)write_lease(lock, 0, NULL);
    }
    discard(lock);
}

int pbt_lock_take(struct pbt_lock **out, const char *run_dir,
                  const struct pbt_lock_settings *settings,
                  struct pbt_error *error)
{
    struct pbt_lock *lock = calloc(1, sizeof *lock);
    if (lock == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    lock->fd = -1;
    lock->settings = settings != NULL ? *settings : pbt_lock_settings();
    init_threading(lock);
    int n = snprintf(lock->path, sizeof lock->path, "%s/lock", run_dir);
    int status = PBT_OK;
    if (n < 0 || (size_t)n >= sizeof lock->path) {
        status = pbt_error_set(error, PBT_EUSAGE, "path too long: %s", run_dir);
    }
    if (status == PBT_OK) {
        status = name_ourselves(lock, error);
    }
    if (status == PBT_OK) {
        status = take(lock, error);
    }
    if (status != PBT_OK) {
        discard(lock);
        return status;
    }
    if (lock->settings.renew_ns > 0) {
        status = start_renewing(lock, error);
    }
    if (status != PBT_OK) {
        pbt_lock_release(lock);
        return status;
    }
    *out = lock;
    return PBT_OK;
}

/* --- looking ------------------------------------------------------------- */

/* True if a living process of this host has the system's lock. */
static bool is_locked(const char *path)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool locked = fcntl(fd, F_OFD_GETLK, &all) == 0 && all.l_type != F_UNLCK;
    (void)close(fd);
    return locked;
}

struct pbt_lock_look pbt_lock_look(const char *run_dir)
{
    struct pbt_lock_look look = {.state = PBT_LOCK_UNKNOWN};
    struct content content = {.length = 0};
    struct utsname system;
    char path[PATH_SIZE];
    int n = snprintf(path, sizeof path, "%s/lock", run_dir);
    if (n < 0 || (size_t)n >= sizeof path || uname(&system) != 0) {
        return look;
    }
    int status = read_content(path, &content, NULL);
    if (status != PBT_OK) {
        look.state = status == PBT_ENOINPUT ? PBT_LOCK_FREE : PBT_LOCK_UNKNOWN;
        return look;
    }
    struct holder holder = read_holder(&content);
    look.pid = holder.pid;
    look.lease = holder.lease;
    memcpy(look.host, holder.host, sizeof look.host);
    if (is_locked(path)) {
        look.state = PBT_LOCK_HELD;
    } else if (content.length == 0 || (holder.known && holder.lease == 0) ||
               strcmp(holder.host, system.nodename) == 0) {
        look.state = PBT_LOCK_FREE;
    } else {
        look.state = PBT_LOCK_ELSEWHERE;
    }
    return look;
}

bool pbt_lock_lives(struct pbt_lock_watch *watch,
                    const struct pbt_lock_look *look, uint64_t now_ns)
{
    if (!watch->begun || look->lease != watch->lease) {
        *watch = (struct pbt_lock_watch){true, look->lease, now_ns};
    }
    switch (look->state) {
    case PBT_LOCK_HELD:
        return true;
    case PBT_LOCK_ELSEWHERE:
        return now_ns - watch->since_ns < pbt_lock_settings().stale_ns;
    case PBT_LOCK_FREE:
    case PBT_LOCK_UNKNOWN:
        break;
    }
    return false;
}
