#include "run/keeper.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define SHOW_NS UINT64_C(500000000)

struct pbt_keeper {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stop_asked;
    bool stopping;
    struct pbt_lock *lease;
    struct pbt_log_thread *log;
    const struct pbt_run_options *options;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* can't fail for this clock */
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void show(void *user, const struct pbt_board *board)
{
    const struct pbt_keeper *keeper = user;
    keeper->options->show(keeper->options->user, board, false);
}

/* True after the time; false if it is to stop. */
static bool wait_for(struct pbt_keeper *keeper, uint64_t until)
{
    struct timespec at = {.tv_sec = (time_t)(until / 1000000000),
                          .tv_nsec = (long)(until % 1000000000)};
    (void)pthread_mutex_lock(&keeper->lock);
    int waited = 0;
    while (!keeper->stopping && waited == 0) {
        waited =
            pthread_cond_timedwait(&keeper->stop_asked, &keeper->lock, &at);
    }
    bool go_on = !keeper->stopping;
    (void)pthread_mutex_unlock(&keeper->lock);
    return go_on;
}

static void *keep(void *user)
{
    struct pbt_keeper *keeper = user;
    uint64_t next = now_ns();
    uint64_t renewal = next + PBT_LOCK_RENEW_NS;
    do {
        uint64_t now = now_ns();
        if (now >= renewal) {
            /* A failure may pass; the loop asks pbt_lock_lost() each second. */
            (void)pbt_lock_renew(keeper->lease, NULL);
            renewal = now + PBT_LOCK_RENEW_NS;
        }
        if (keeper->options->show != NULL &&
            !pbt_log_thread_is_behind(keeper->log)) {
            pbt_log_thread_look(keeper->log, show, keeper);
        }
        next =
            now + (keeper->options->show != NULL ? SHOW_NS : PBT_LOCK_RENEW_NS);
    } while (wait_for(keeper, next));
    return NULL;
}

static int start_thread(struct pbt_keeper *keeper)
{
    /* Signals are the business of the thread that started us. */
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&keeper->thread, NULL, keep, keeper);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

int pbt_keeper_start(struct pbt_keeper **out, struct pbt_lock *lock,
                     struct pbt_log_thread *log,
                     const struct pbt_run_options *options,
                     struct pbt_error *error)
{
    pthread_condattr_t attributes;
    struct pbt_keeper *keeper = calloc(1, sizeof *keeper);
    if (keeper == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    keeper->lease = lock;
    keeper->log = log;
    keeper->options = options;
    (void)pthread_mutex_init(&keeper->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&keeper->stop_asked, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    if (start_thread(keeper) != 0) {
        (void)pthread_cond_destroy(&keeper->stop_asked);
        (void)pthread_mutex_destroy(&keeper->lock);
        free(keeper);
        return pbt_error_set(error, PBT_ENOMEM, "can't start a thread");
    }
    *out = keeper;
    return PBT_OK;
}

struct last_look {
    const struct pbt_run_options *options;
    void (*look)(void *user, const struct pbt_board *board);
    void *user;
};

static void look_last(void *user, const struct pbt_board *board)
{
    const struct last_look *last = user;
    last->look(last->user, board);
    if (last->options->show != NULL) {
        last->options->show(last->options->user, board, true);
    }
}

void pbt_keeper_show_last(struct pbt_keeper *keeper,
                          void (*look)(void *user,
                                       const struct pbt_board *board),
                          void *user)
{
    struct last_look last = {keeper->options, look, user};
    pbt_log_thread_drain(keeper->log);
    pbt_log_thread_look(keeper->log, look_last, &last);
}

void pbt_keeper_stop(struct pbt_keeper *keeper)
{
    if (keeper == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&keeper->lock);
    keeper->stopping = true;
    (void)pthread_cond_signal(&keeper->stop_asked);
    (void)pthread_mutex_unlock(&keeper->lock);
    (void)pthread_join(keeper->thread, NULL);
    (void)pthread_cond_destroy(&keeper->stop_asked);
    (void)pthread_mutex_destroy(&keeper->lock);
    free(keeper);
}
