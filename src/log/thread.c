/*
 * thread.c: two locks, never held together.  `queue_lock` guards the queue and the thread's
 * failure; `board_lock` guards only who may use the board at the moment, so that a
 * looker comes before the next slice of records, and that disks are written without
 * it: then the thread only reads the board, and so may others.
 */
#include "log/thread.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/files.h"
#include "journal/entry.h"
#include "journal/journal.h"
#include "log/log.h"

#define QUEUED_MAX ((size_t)8 * 1024 * 1024)
/* The same while it reads in the journal what it was not fed: some seconds at most. */
#define BEHIND_QUEUED_MAX ((size_t)64 * 1024 * 1024)
/* A queue that is just full takes one more feed. */
#define QUEUE_LIMIT ((size_t)1024 * 1024 * 1024)
/* A buffer that has grown beyond this in a rush is given back. */
#define KEPT_CAPACITY ((size_t)1024 * 1024)

/*
 * Lines that come singly are gathered for so long, or until there are so many bytes: a
 * driver of short steps would else wake this thread at each of them, which costs the two of
 * them more than all the rest of a step.
 */
#define GATHER_NS UINT64_C(50000000)
#define GATHER_BYTES ((size_t)64 * 1024)

/* Between two flushes: ns, or bytes of lines if those come first. */
#define FLUSH_NS UINT64_C(200000000)
/* Between two writings of status.json. */
#define STATUS_NS UINT64_C(1000000000)
#define FLUSH_BYTES ((size_t)8 * 1024 * 1024)
/*
 * A disk that is full may have room again soon: what a save that found none has left is being
 * removed (exec/local_room.c), or the user makes room.  So long that is waited for.
 */
#define FULL_NS UINT64_C(30000000000)
/* Lines that are taken in before a looker may come: well under a millisecond. */
#define SLICE_LINES 64

struct pbt_log_thread {
    pthread_t thread;
    struct pbt_spec *spec;
    struct pbt_log *log;

    pthread_mutex_t queue_lock;
    pthread_cond_t filled;  /* or it is to stop */
    pthread_cond_t drained; /* or it has failed */
    struct pbt_buf queue;
    size_t queued; /* bytes: the queue, and what is at work */
    bool stopping;
    uint64_t behind;  /* records up to this one are read from the journal */
    unsigned hurried; /* somebody waits until the queue is drained */
    int status;       /* the failure, if any */
    struct pbt_error error;

    pthread_mutex_t board_lock;
    pthread_cond_t board_free;
    struct pbt_board board;
    bool feeding; /* the thread is changing the board */
    uint32_t lookers;

    /* The thread's own. */
    char *run_dir;
    struct pbt_buf work;
    uint64_t flushed; /* when: monotonic ns */
    size_t unflushed; /* bytes of lines since */
    uint64_t status_written;
    bool status_stale;
    uint64_t full_since; /* the disk; 0: it is not */
    struct pbt_hold hold;
};

static uint64_t monotonic(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* can't fail for this clock */
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Locks fail only where they are used wrongly, and then nothing is right. */
static void take(pthread_mutex_t *lock)
{
    if (pthread_mutex_lock(lock) != 0) {
        abort();
    }
}

static void give(pthread_mutex_t *lock)
{
    if (pthread_mutex_unlock(lock) != 0) {
        abort();
    }
}

/* --- the thread ---------------------------------------------------------- */

static void fail(struct pbt_log_thread *t, const struct pbt_error *error)
{
    take(&t->queue_lock);
    if (t->status == PBT_OK) {
        t->status = error->status;
        t->error = *error;
    }
    (void)pthread_cond_broadcast(&t->drained);
    give(&t->queue_lock);
}

static int feed_line(struct pbt_log_thread *t, const char *line, size_t length,
                     struct pbt_error *error)
{
    struct pbt_entry entry;
    int status = pbt_entry_read(&entry, t->spec, line, length, error);
    if (status == PBT_OK) {
        status = pbt_log_feed(t->log, &entry, error);
        pbt_entry_done(&entry);
    }
    if (status != PBT_OK) {
        return pbt_error_prefix(error, status,
                                "log files: the record after number %" PRIu64,
                                t->board.records);
    }
    return PBT_OK;
}

/* Takes in some of the lines with the board to itself; *at moves on. */
static int feed_slice(struct pbt_log_thread *t, const struct pbt_buf *lines,
                      size_t *at, struct pbt_error *error)
{
    take(&t->board_lock);
    while (t->lookers > 0) {
        (void)pthread_cond_wait(&t->board_free, &t->board_lock);
    }
    t->feeding = true;
    give(&t->board_lock);

    int status = PBT_OK;
    for (int i = 0; i < SLICE_LINES && status == PBT_OK; i++) {
        size_t left = lines->length - *at;
        if (left == 0) {
            break;
        }
        const char *line = lines->data + *at;
        const char *end = memchr(line, '\n', left);
        size_t length = end == NULL ? left : (size_t)(end - line);
        status = feed_line(t, line, length, error);
        *at += end == NULL ? length : length + 1;
    }

    take(&t->board_lock);
    t->feeding = false;
    (void)pthread_cond_broadcast(&t->board_free);
    give(&t->board_lock);
    return status;
}

static int write_files(struct pbt_log_thread *t, bool all,
                       struct pbt_error *error)
{
    uint64_t now = monotonic();
    bool flush = t->unflushed > 0 && (all || t->unflushed >= FLUSH_BYTES ||
                                      now >= t->flushed + FLUSH_NS);
    int status = PBT_OK;
    if (flush) {
        status = pbt_log_flush(t->log, error);
        t->flushed = now;
        if (status == PBT_OK) {
            t->unflushed = 0;
            t->status_stale = true;
        }
    }
    if (status == PBT_OK && t->status_stale && t->behind == 0 &&
        (all || now >= t->status_written + STATUS_NS)) {
        status = pbt_log_write_status(t->log, error);
        t->status_written = now;
        t->status_stale = status != PBT_OK;
    }
    return status;
}

/* For room; another driver that has taken over (the same status) is not waited for. */
static bool can_wait(struct pbt_log_thread *t, int status)
{
    struct pbt_error ignored;
    uint64_t now = monotonic();
    if (status != PBT_ETEMP || pbt_hold_ask(&t->hold, &ignored) != PBT_OK) {
        return false;
    }
    t->full_since = t->full_since == 0 ? now : t->full_since;
    return now < t->full_since + FULL_NS;
}

/*
 * Writes what is due, or (`all`) whatever is unwritten.  On a full disk that is what it was
 * afterwards: all of it can be tried again.
 */
static int write_due(struct pbt_log_thread *t, bool all,
                     struct pbt_error *error)
{
    static const struct timespec pause = {.tv_nsec = FLUSH_NS};
    int status = write_files(t, all, error);
    while (all && can_wait(t, status)) {
        (void)nanosleep(&pause, NULL);
        status = write_files(t, all, error);
    }
    if (status == PBT_OK && t->unflushed == 0) {
        t->full_since = 0;
    }
    return status == PBT_OK || can_wait(t, status)
               ? PBT_OK
               : pbt_error_prefix(error, status, "log files");
}

/* When write_due() has something to do, if nothing comes until then. */
static uint64_t next_due(const struct pbt_log_thread *t)
{
    uint64_t due = UINT64_MAX;
    if (t->status_stale) {
        due = t->status_written + STATUS_NS;
    }
    if (t->unflushed > 0 && due > t->flushed + FLUSH_NS) {
        due = t->flushed + FLUSH_NS;
    }
    return due;
}

/* Takes in all the lines. */
static int work_off(struct pbt_log_thread *t, const struct pbt_buf *lines,
                    struct pbt_error *error)
{
    int status = PBT_OK;
    size_t at = 0;
    while (status == PBT_OK && at < lines->length) {
        size_t before = at;
        status = feed_slice(t, lines, &at, error);
        t->unflushed += at - before;
        if (status == PBT_OK) {
            status = write_due(t, false, error);
        }
    }
    return status;
}

/* What was not fed, from the journal. */
struct catching_up {
    struct pbt_log_thread *thread;
    struct pbt_buf lines;
    uint64_t left; /* records */
};

static int catch_line(void *user, const char *line, size_t length,
                      struct pbt_error *error)
{
    struct catching_up *c = user;
    if (c->left == 0) {
        return PBT_EINTERRUPTED; /* what follows is fed */
    }
    c->left--;
    pbt_buf_put(&c->lines, line, length);
    pbt_buf_char(&c->lines, '\n');
    if (pbt_buf_failed(&c->lines)) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    if (c->lines.length < GATHER_BYTES && c->left > 0) {
        return PBT_OK;
    }
    int status = work_off(c->thread, &c->lines, error);
    pbt_buf_reset(&c->lines);
    return status;
}

static int catch_up(struct pbt_log_thread *t, struct pbt_error *error)
{
    char dir[4096];
    struct pbt_journal_info info;
    struct catching_up c = {.thread = t, .left = t->behind};
    int n = snprintf(dir, sizeof dir, "%s/journal", t->run_dir);
    if (n < 0 || (size_t)n >= sizeof dir) {
        return pbt_error_set(error, PBT_EUSAGE, "path too long: %s",
                             t->run_dir);
    }
    pbt_buf_init(&c.lines, QUEUE_LIMIT);
    int status =
        pbt_journal_read(pbt_files_posix(), dir, catch_line, &c, &info, error);
    pbt_buf_done(&c.lines);
    if (c.left == 0 && status == PBT_EINTERRUPTED) {
        status = PBT_OK;
    }
    if (status == PBT_OK) {
        take(&t->queue_lock);
        t->behind = 0;
        (void)pthread_cond_broadcast(&t->drained);
        give(&t->queue_lock);
    }
    return status == PBT_OK ? PBT_OK
                            : pbt_error_prefix(error, status, "log files");
}

static struct timespec at_ns(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000),
                             .tv_nsec = (long)(ns % 1000000000)};
}

/* The first lines are there, more may follow.  With the queue's lock. */
static void gather(struct pbt_log_thread *t)
{
    struct timespec until = at_ns(monotonic() + GATHER_NS);
    int waited = 0;
    while (t->queue.length < GATHER_BYTES && !t->stopping && t->hurried == 0 &&
           waited == 0) {
        waited = pthread_cond_timedwait(&t->filled, &t->queue_lock, &until);
    }
}

/*
 * Waits for lines, or until something is due to be written; *stop: there are none and no
 * more will come.
 */
static void fetch(struct pbt_log_thread *t, bool *stop)
{
    uint64_t due = next_due(t);
    struct timespec until = at_ns(due);
    int waited = 0;
    take(&t->queue_lock);
    while (t->queue.length == 0 && !t->stopping && waited == 0) {
        if (due == UINT64_MAX) {
            (void)pthread_cond_wait(&t->filled, &t->queue_lock);
        } else {
            waited = pthread_cond_timedwait(&t->filled, &t->queue_lock, &until);
        }
    }
    if (t->queue.length > 0) {
        gather(t);
    }
    struct pbt_buf taken = t->queue;
    t->queue = t->work;
    t->work = taken;
    *stop = t->stopping && taken.length == 0;
    give(&t->queue_lock);
}

/* What was fetched is done with; or, after a failure, given up. */
static void drain(struct pbt_log_thread *t)
{
    size_t length = t->work.length;
    if (t->work.capacity > KEPT_CAPACITY) {
        pbt_buf_done(&t->work);
    }
    pbt_buf_reset(&t->work);
    take(&t->queue_lock);
    t->queued -= length;
    (void)pthread_cond_broadcast(&t->drained);
    give(&t->queue_lock);
}

static void *run(void *user)
{
    struct pbt_log_thread *t = user;
    struct pbt_error error;
    bool stop = false;
    while (!stop) {
        fetch(t, &stop);
        int status = t->behind > 0 ? catch_up(t, &error) : PBT_OK;
        if (status == PBT_OK) {
            status = work_off(t, &t->work, &error);
        }
        if (status == PBT_OK) {
            status = write_due(t, stop, &error);
        }
        if (status != PBT_OK) {
            /* Feeds are refused from now on, so nobody waits for this queue. */
            fail(t, &error);
            return NULL;
        }
        drain(t);
    }
    return NULL;
}

/* --- from outside -------------------------------------------------------- */

/* The thread starts with every signal blocked. */
static int start_thread(struct pbt_log_thread *t, struct pbt_error *error)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    int code = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (code == 0) {
        code = pthread_create(&t->thread, NULL, run, t);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    if (code != 0) {
        return pbt_error_set(error, PBT_ENOMEM,
                             "can't start the thread for the log files: %s",
                             strerror(code));
    }
    return PBT_OK;
}

static int make_locks(struct pbt_log_thread *t, struct pbt_error *error)
{
    pthread_condattr_t attributes;
    int code = pthread_condattr_init(&attributes);
    if (code == 0) {
        code = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        if (code == 0) {
            code = pthread_cond_init(&t->filled, &attributes);
        }
        (void)pthread_condattr_destroy(&attributes);
    }
    /* None of these can fail where the first one could be made. */
    if (code == 0 && (pthread_cond_init(&t->drained, NULL) != 0 ||
                      pthread_cond_init(&t->board_free, NULL) != 0 ||
                      pthread_mutex_init(&t->queue_lock, NULL) != 0 ||
                      pthread_mutex_init(&t->board_lock, NULL) != 0)) {
        abort();
    }
    return code == 0 ? PBT_OK
                     : pbt_error_set(error, PBT_ENOMEM, "can't make a lock: %s",
                                     strerror(code));
}

static void destroy_locks(struct pbt_log_thread *t)
{
    (void)pthread_cond_destroy(&t->filled);
    (void)pthread_cond_destroy(&t->drained);
    (void)pthread_cond_destroy(&t->board_free);
    (void)pthread_mutex_destroy(&t->queue_lock);
    (void)pthread_mutex_destroy(&t->board_lock);
}

/* Everything but the thread and the locks. */
static int open_log(struct pbt_log_thread *t, const char *run_dir, bool rebuild,
                    const struct pbt_hold *hold, struct pbt_error *error)
{
    t->run_dir = strdup(run_dir);
    if (t->run_dir == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    pbt_buf_init(&t->queue, QUEUE_LIMIT);
    pbt_buf_init(&t->work, QUEUE_LIMIT);
    t->flushed = monotonic();
    t->status_written = t->flushed;
    int status = pbt_board_init(&t->board, t->spec, error);
    if (status != PBT_OK) {
        free(t->run_dir);
        return status;
    }
    status = pbt_log_open(&t->log, run_dir, t->spec, &t->board, rebuild, hold,
                          error);
    if (status != PBT_OK) {
        pbt_board_done(&t->board);
        free(t->run_dir);
    }
    return status;
}

static int close_log(struct pbt_log_thread *t, struct pbt_error *error)
{
    int status = pbt_log_close(t->log, error);
    pbt_board_done(&t->board);
    pbt_buf_done(&t->queue);
    pbt_buf_done(&t->work);
    free(t->run_dir);
    return status;
}

int pbt_log_thread_start(struct pbt_log_thread **thread, const char *run_dir,
                         struct pbt_spec *spec, bool rebuild,
                         const struct pbt_hold *hold, struct pbt_error *error)
{
    struct pbt_log_thread *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    t->spec = spec;
    if (hold != NULL) {
        t->hold = *hold;
    }
    int status = make_locks(t, error);
    if (status != PBT_OK) {
        free(t);
        return status;
    }
    status = open_log(t, run_dir, rebuild, hold, error);
    if (status == PBT_OK) {
        status = start_thread(t, error);
        if (status != PBT_OK) {
            (void)close_log(t, NULL); /* nothing was fed */
        }
    }
    if (status != PBT_OK) {
        destroy_locks(t);
        free(t);
        return status;
    }
    *thread = t;
    return PBT_OK;
}

int pbt_log_thread_feed(struct pbt_log_thread *thread, const char *lines,
                        size_t length, struct pbt_error *error)
{
    take(&thread->queue_lock);
    while (thread->queued >
               (thread->behind > 0 ? BEHIND_QUEUED_MAX : QUEUED_MAX) &&
           thread->status == PBT_OK) {
        (void)pthread_cond_wait(&thread->drained, &thread->queue_lock);
    }
    int status = thread->status;
    if (status != PBT_OK) {
        if (error != NULL) {
            *error = thread->error; /* with its id */
        }
    } else {
        bool first = thread->queue.length == 0;
        pbt_buf_put(&thread->queue, lines, length);
        if (pbt_buf_failed(&thread->queue)) {
            thread->queue.failed = false;
            status = pbt_error_set(error, PBT_ENOMEM,
                                   "no memory to queue %zu bytes for the log "
                                   "files",
                                   length);
        } else {
            thread->queued += length;
            if (first || thread->queue.length >= GATHER_BYTES) {
                (void)pthread_cond_signal(&thread->filled);
            }
        }
    }
    give(&thread->queue_lock);
    return status;
}

void pbt_log_thread_skipped(struct pbt_log_thread *thread, uint64_t record)
{
    take(&thread->queue_lock);
    thread->behind = record;
    give(&thread->queue_lock);
}

bool pbt_log_thread_is_behind(struct pbt_log_thread *thread)
{
    take(&thread->queue_lock);
    bool behind = thread->behind > 0;
    give(&thread->queue_lock);
    return behind;
}

void pbt_log_thread_look(struct pbt_log_thread *thread,
                         void (*fn)(void *user, const struct pbt_board *board),
                         void *user)
{
    take(&thread->board_lock);
    thread->lookers++;
    while (thread->feeding) {
        (void)pthread_cond_wait(&thread->board_free, &thread->board_lock);
    }
    fn(user, &thread->board);
    thread->lookers--;
    (void)pthread_cond_broadcast(&thread->board_free);
    give(&thread->board_lock);
}

void pbt_log_thread_drain(struct pbt_log_thread *t)
{
    take(&t->queue_lock);
    t->hurried++;
    (void)pthread_cond_signal(&t->filled);
    while (t->queued > 0 && t->status == PBT_OK) {
        (void)pthread_cond_wait(&t->drained, &t->queue_lock);
    }
    t->hurried--;
    give(&t->queue_lock);
}

int pbt_log_thread_stop(struct pbt_log_thread *thread, struct pbt_error *error)
{
    if (thread == NULL) {
        return PBT_OK;
    }
    take(&thread->queue_lock);
    thread->stopping = true;
    (void)pthread_cond_signal(&thread->filled);
    give(&thread->queue_lock);
    if (pthread_join(thread->thread, NULL) != 0) {
        abort();
    }
    /* After a failure what can still be written is. */
    struct pbt_error closing;
    int closed = close_log(thread, &closing);
    int status = thread->status;
    if (status != PBT_OK) {
        if (error != NULL) {
            *error = thread->error; /* with its id */
        }
    } else if (closed != PBT_OK) {
        status = pbt_error_set(error, closed, "log files: %s", closing.text);
    }
    destroy_locks(thread);
    free(thread);
    return status;
}
