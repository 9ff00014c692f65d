#include "run/display.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define SHOW_NS UINT64_C(500000000)

struct pbt_display {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stop_asked;
    bool stopping;
    bool has_thread;
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
    const struct pbt_display *display = user;
    display->options->show(display->options->user, board, false);
}

/* True after the time; false if it is to stop. */
static bool wait_for(struct pbt_display *display, uint64_t until)
{
    struct timespec at = {.tv_sec = (time_t)(until / 1000000000),
                          .tv_nsec = (long)(until % 1000000000)};
    (void)pthread_mutex_lock(&display->lock);
    int waited = 0;
    while (!display->stopping && waited == 0) {
        waited =
            pthread_cond_timedwait(&display->stop_asked, &display->lock, &at);
    }
    bool go_on = !display->stopping;
    (void)pthread_mutex_unlock(&display->lock);
    return go_on;
}

static void *show_often(void *user)
{
    struct pbt_display *display = user;
    uint64_t next;
    do {
        next = now_ns() + SHOW_NS;
        if (!pbt_log_thread_is_behind(display->log)) {
            pbt_log_thread_look(display->log, show, display);
        }
    } while (wait_for(display, next));
    return NULL;
}

static int start_thread(struct pbt_display *display)
{
    /* Signals are the business of the thread that started us. */
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&display->thread, NULL, show_often, display);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

int pbt_display_start(struct pbt_display **out, struct pbt_log_thread *log,
                      const struct pbt_run_options *options,
                      struct pbt_error *error)
{
    pthread_condattr_t attributes;
    struct pbt_display *display = calloc(1, sizeof *display);
    if (display == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    display->log = log;
    display->options = options;
    (void)pthread_mutex_init(&display->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&display->stop_asked, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    display->has_thread = options->show != NULL;
    if (display->has_thread && start_thread(display) != 0) {
        (void)pthread_cond_destroy(&display->stop_asked);
        (void)pthread_mutex_destroy(&display->lock);
        free(display);
        return pbt_error_set(error, PBT_ENOMEM, "can't start a thread");
    }
    *out = display;
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

void pbt_display_show_last(struct pbt_display *display,
                           void (*look)(void *user,
                                        const struct pbt_board *board),
                           void *user)
{
    struct last_look last = {display->options, look, user};
    pbt_log_thread_drain(display->log);
    pbt_log_thread_look(display->log, look_last, &last);
}

void pbt_display_stop(struct pbt_display *display)
{
    if (display == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&display->lock);
    display->stopping = true;
    (void)pthread_cond_signal(&display->stop_asked);
    (void)pthread_mutex_unlock(&display->lock);
    if (display->has_thread) {
        (void)pthread_join(display->thread, NULL);
    }
    (void)pthread_cond_destroy(&display->stop_asked);
    (void)pthread_mutex_destroy(&display->lock);
    free(display);
}
