/*
 * How far a look through a run's files is.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/printable.h"
#include "cli/upkeep.h"

#define SHOW_NS UINT64_C(200000000)
#define BAR_WAIT_NS UINT64_C(400000000)

void pbt_cli_meter_init(struct pbt_cli_meter *meter, const char *doing)
{
    *meter = (struct pbt_cli_meter){.doing = doing};
    pbt_screen_init(&meter->screen, STDERR_FILENO, PBT_COLOR_NEVER);
}

/* True if it is time for a new line; `wait` ns before the first one. */
static bool is_due(struct pbt_cli_meter *meter, uint64_t wait)
{
    struct timespec now = {0, 0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    meter->begun = meter->begun == 0 ? ns : meter->begun;
    if (!meter->screen.terminal || ns - meter->begun < wait ||
        (meter->shown > 0 && ns - meter->shown < SHOW_NS)) {
        return false;
    }
    meter->shown = ns;
    return true;
}

void pbt_cli_meter_show(struct pbt_cli_meter *meter, uint32_t done,
                        uint32_t all, uint64_t bytes)
{
    char line[160];
    char size[PBT_BYTES_TEXT_SIZE];
    if (!is_due(meter, 0)) {
        return;
    }
    pbt_bytes_text(bytes, size);
    int length = snprintf(line, sizeof line,
                          "%s: %" PRIu32 " of %" PRIu32 " checkpoints, %s\n",
                          meter->doing, done, all, size);
    (void)pbt_screen_draw(&meter->screen, line, (size_t)length);
}

void pbt_cli_meter_bar(struct pbt_cli_meter *meter, uint64_t bytes,
                       uint64_t of_bytes)
{
    static const char marks[] = "####################";
    char line[160];
    char size[PBT_BYTES_TEXT_SIZE];
    if (of_bytes == 0 || !is_due(meter, BAR_WAIT_NS)) {
        return;
    }
    double share = (double)bytes / (double)of_bytes;
    share = share > 1 ? 1 : share;
    int width = (int)sizeof marks - 1;
    pbt_bytes_text(of_bytes, size);
    int length =
        snprintf(line, sizeof line, "%s [%-*.*s] %3.0f%% of %s\n", meter->doing,
                 width, (int)(share * width), marks, 100 * share, size);
    (void)pbt_screen_draw(&meter->screen, line, (size_t)length);
}

void pbt_cli_meter_done(struct pbt_cli_meter *meter)
{
    if (meter->shown > 0) {
        (void)pbt_screen_erase(&meter->screen);
    }
}
