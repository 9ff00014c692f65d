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

void pbt_cli_meter_init(struct pbt_cli_meter *meter, const char *doing)
{
    *meter = (struct pbt_cli_meter){.doing = doing};
    pbt_screen_init(&meter->screen, STDERR_FILENO, PBT_COLOR_NEVER);
}

void pbt_cli_meter_show(struct pbt_cli_meter *meter, uint32_t done,
                        uint32_t all, uint64_t bytes)
{
    struct timespec now = {0, 0};
    char line[160];
    char size[PBT_BYTES_TEXT_SIZE];
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    if (!meter->screen.terminal ||
        (meter->shown > 0 && ns - meter->shown < SHOW_NS)) {
        return;
    }
    meter->shown = ns;
    pbt_bytes_text(bytes, size);
    int length = snprintf(line, sizeof line,
                          "%s: %" PRIu32 " of %" PRIu32 " checkpoints, %s\n",
                          meter->doing, done, all, size);
    (void)pbt_screen_draw(&meter->screen, line, (size_t)length);
}

void pbt_cli_meter_done(struct pbt_cli_meter *meter)
{
    if (meter->shown > 0) {
        (void)pbt_screen_erase(&meter->screen);
    }
}
