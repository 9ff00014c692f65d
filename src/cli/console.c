#include "cli/console.h"

#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/printable.h"
#include "base/shown.h"
#include "cli/cli.h"
#include "view/progress.h"

/* On a terminal the time goes on, also without news. */
#define TICK_NS UINT64_C(1000000000)
/* Elsewhere a block at the start and at the end, and a line now and then. */
#define CALM_NS UINT64_C(30000000000)
#define BLOCK_MAX ((size_t)64 << 20)
/* Of what is known of a failure, in one line. */
#define CAUSE_MAX 160

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now); /* can't fail for these clocks */
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static atomic_int continued; /* also written by a signal handler */

/* After Ctrl-Z and fg: the shell has written to the terminal in between. */
static void on_continue(int number)
{
    (void)number;
    atomic_store(&continued, 1);
}

void pbt_console_init(struct pbt_console *console, const char *run_dir,
                      bool quiet, enum pbt_color color)
{
    struct sigaction action = {.sa_handler = on_continue,
                               .sa_flags = SA_RESTART};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGCONT, &action, NULL); /* can't fail for this signal */
    *console = (struct pbt_console){.run_dir = run_dir, .quiet = quiet};
    (void)pthread_mutex_init(&console->lock, NULL);
    pbt_screen_init(&console->screen, STDOUT_FILENO, color);
    pbt_buf_init(&console->block, BLOCK_MAX);
}

void pbt_console_done(struct pbt_console *console)
{
    pbt_buf_done(&console->block);
    (void)pthread_mutex_destroy(&console->lock);
}

static void forget_if_stopped(struct pbt_console *console)
{
    if (atomic_exchange(&continued, 0) != 0) {
        pbt_screen_lost(&console->screen);
        console->changed = 0;
    }
}

void pbt_console_say(void *user, const char *text)
{
    struct pbt_console *console = user;
    (void)pthread_mutex_lock(&console->lock);
    forget_if_stopped(console);
    /* It takes the block's place, and the block comes below it: whatever ends us now, it stays. */
    bool shown = console->screen.lines > 0;
    (void)pbt_screen_erase(&console->screen);
    pbt_cli_say(text);
    if (shown) {
        (void)pbt_screen_draw(&console->screen, console->block.data,
                              console->block.length);
    }
    console->changed = 0;
    (void)pthread_mutex_unlock(&console->lock);
}

/* What is left to be said, when it is over. */
static void print_best(const struct pbt_board *board, struct pbt_buf *out)
{
    if (!board->has_best || board->spec->metric == NULL) {
        return;
    }
    const struct pbt_board_trial *best = &board->trials[board->best_trial];
    struct pbt_buf text;
    struct pbt_buf config;
    pbt_buf_init(&text, BLOCK_MAX);
    pbt_buf_init(&config, BLOCK_MAX);
    pbt_buf_printf(&text, "best result: %s = %g, trial %s at iteration %lld\n",
                   board->spec->metric, board->best_score, best->id,
                   (long long)board->best_iteration);
    pbt_buf_text(&text, "  its configuration then: ");
    pbt_spec_config_json(board->spec, board->best_cells, &config);
    if (!pbt_buf_failed(&config)) {
        pbt_shown_put(&text, config.data, config.length);
    }
    pbt_buf_char(&text, '\n');
    if (!pbt_buf_failed(&text)) {
        pbt_printable_put(out, text.data, text.length, true);
    }
    pbt_buf_done(&config);
    pbt_buf_done(&text);
}

/* The first line of what is known of it. */
static void put_cause(const struct pbt_board_trial *trial, struct pbt_buf *out)
{
    const char *text = trial->error == NULL ? "?" : trial->error;
    size_t length = strcspn(text, "\n");
    bool cut = length > CAUSE_MAX;
    pbt_printable_put(out, text, cut ? CAUSE_MAX : length, true);
    pbt_buf_text(out, cut ? "..." : "");
}

static void put_times(uint32_t count, struct pbt_buf *out)
{
    if (count == 1) {
        pbt_buf_text(out, "once");
    } else {
        pbt_buf_printf(out, "%" PRIu32 " times", count);
    }
}

/* Who has failed, and what became of it: most of the messages are far above by now. */
static void print_failures(const struct pbt_board *board, const char *run_dir,
                           struct pbt_buf *out)
{
    for (uint32_t i = 0; i < board->spec->settings.population; i++) {
        const struct pbt_board_trial *trial = &board->trials[i];
        if (trial->failures == 0) {
            continue;
        }
        pbt_buf_printf(out, "trial %s failed ", trial->id);
        put_times(trial->failures, out);
        if (trial->replaced > 0) {
            pbt_buf_text(out, ", was replaced ");
            put_times(trial->replaced, out);
        }
        pbt_buf_printf(out, "%s; %s",
                       trial->status == PBT_TRIAL_ERROR ? ", for good"
                                                        : " and went on",
                       trial->failures == 1 ? "" : "the last: ");
        put_cause(trial, out);
        pbt_buf_printf(out, " (%s/%s/error.txt)\n", run_dir, trial->id);
    }
}

static uint64_t running_ns(const struct pbt_board *board, int64_t now,
                           bool last)
{
    int64_t since = now - board->wall;
    return board->time + (since > 0 && !last ? (uint64_t)since : 0);
}

static void make_block(struct pbt_console *console,
                       const struct pbt_board *board, bool last)
{
    int64_t now = (int64_t)clock_ns(CLOCK_REALTIME);
    const struct pbt_screen *screen = &console->screen;
    if (pbt_screen_resized(screen)) {
        console->widths.count = 0; /* laid out anew */
    }
    struct pbt_status_options options = {
        .result_dir = console->run_dir,
        .now = now,
        .running_ns = running_ns(board, now, last),
        .columns = pbt_screen_columns(screen),
        .lines = screen->terminal ? pbt_screen_rows(screen) : 0,
        .unlimited = last,
        .color = screen->color,
        .widths = &console->widths,
    };
    pbt_status_print(board, &options, &console->block);
    if (last) {
        print_failures(board, console->run_dir, &console->block);
        print_best(board, &console->block);
    }
}

/* Elsewhere than on a terminal: where it stands, in a line. */
static void make_line(struct pbt_console *console,
                      const struct pbt_board *board)
{
    int64_t now = (int64_t)clock_ns(CLOCK_REALTIME);
    pbt_status_line(board, running_ns(board, now, false), &console->block);
    console->collapsed = pbt_board_collapsed(board);
}

static bool is_due(const struct pbt_console *console,
                   const struct pbt_board *board, uint64_t now)
{
    if (console->quiet || board->records == 0) {
        return false;
    }
    if (console->shown == 0) {
        return console->screen.terminal || board->results > 0;
    }
    if (console->screen.terminal) {
        return board->records != console->changed ||
               now - console->shown >= TICK_NS ||
               pbt_screen_resized(&console->screen);
    }
    return now - console->shown >= CALM_NS ||
           (!console->collapsed && pbt_board_collapsed(board));
}

void pbt_console_show(void *user, const struct pbt_board *board, bool last)
{
    struct pbt_console *console = user;
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    (void)pthread_mutex_lock(&console->lock);
    forget_if_stopped(console);
    if (last || is_due(console, board, now)) {
        pbt_buf_reset(&console->block);
        if (last || console->screen.terminal || console->shown == 0) {
            make_block(console, board, last);
        } else {
            make_line(console, board);
        }
        if (!pbt_buf_failed(&console->block)) {
            /* A closed stdout is told at the end, by main(). */
            (void)(last ? pbt_screen_finish : pbt_screen_draw)(
                &console->screen, console->block.data, console->block.length);
        }
        console->shown = now;
        console->changed = board->records;
    }
    (void)pthread_mutex_unlock(&console->lock);
}
