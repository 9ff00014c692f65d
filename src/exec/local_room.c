/*
 * local_room.c: saves that wait (architecture.md, rule 18): for others, so that not all write
 * at once, and for room on the disk.  They go on in the order in which they came; while one
 * waits its trial rests, and nothing is lost.
 *
 * There has to be room for 1.2 times the trial's last checkpoint (before the first one: the
 * largest that any trial has made), for the saves under way, and a reserve for the
 * journal and the logs.  A save that finds no room all the same is no failure of its trial's.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/printable.h"
#include "checkpoint/checkpoint.h"
#include "exec/local_state.h"

#define SAVES_MAX 16 /* under way at a time */
#define RESERVE_MAX (UINT64_C(64) << 20)
#define RESERVE_PART 100 /* of the disk, if that is less */
#define LOOK_AGAIN_MS 1000

/* What a save needs, by what is known of its size. */
static uint64_t need_of(const struct pbt_local *local,
                        const struct pbt_process *process)
{
    uint64_t bytes = process->asked.bytes;
    bytes = bytes == 0 ? local->largest : bytes;
    return bytes + bytes / 5;
}

/* The room on the run's disk, and what of it is to stay; false: that can't be told. */
static bool look(const struct pbt_local *local, uint64_t *free,
                 uint64_t *reserve)
{
    struct statvfs about;
    if (statvfs(local->options.run_dir, &about) != 0) {
        return false;
    }
    *free = about.f_bavail * about.f_frsize;
    *reserve = about.f_blocks * about.f_frsize / RESERVE_PART;
    *reserve = *reserve > RESERVE_MAX ? RESERVE_MAX : *reserve;
    return true;
}

/* False, and a text that says so, if the next one has to wait for room. */
static bool has_room(const struct pbt_local *local,
                     const struct pbt_process *process, char *text, size_t size)
{
    char have[PBT_BYTES_TEXT_SIZE];
    char want[PBT_BYTES_TEXT_SIZE];
    uint64_t free;
    uint64_t reserve;
    if (!look(local, &free, &reserve)) {
        return true; /* saving will tell */
    }
    uint64_t need = need_of(local, process) + local->saving_bytes + reserve;
    if (free >= need) {
        return true;
    }
    pbt_bytes_text(free, have);
    pbt_bytes_text(need, want);
    (void)snprintf(text, size, "%s of the disk of %s are free, and %s needed",
                   have, local->options.run_dir, want);
    return false;
}

/* By what the program or the system has said. */
static bool says_full(const char *text)
{
    return strstr(text, strerror(ENOSPC)) != NULL ||
           strstr(text, strerror(EDQUOT)) != NULL;
}

bool pbt_process_spoil_save(struct pbt_process *process, const char *why)
{
    struct pbt_local *local = process->local;
    uint64_t bytes = 0;
    uint64_t free;
    uint64_t reserve;
    if (process->saving == 0) {
        return false;
    }
    bool full = (look(local, &free, &reserve) && free < reserve) ||
                (why != NULL && says_full(why));
    /* So much there was room for: the next one waits for more. */
    if (full &&
        pbt_checkpoint_bytes(process->checkpoint, &bytes, NULL) == PBT_OK &&
        bytes > local->largest) {
        local->largest = bytes;
    }
    pbt_local_remove(local, process->checkpoint);
    return full;
}

/* `text`: why, if it is for room. */
static void tell_waiting(struct pbt_process *process, bool waits,
                         const char *text)
{
    struct pbt_local *local = process->local;
    struct pbt_input *input =
        pbt_local_input(local, PBT_INPUT_WAITING, process->trial);
    process->told_waiting = waits;
    process->told_room = waits && text != NULL;
    if (input != NULL) {
        input->epoch = process->epoch;
        input->waits = waits;
        input->text =
            process->told_room ? pbt_local_keep(local, strdup(text)) : NULL;
    }
}

static void on_look_again(uv_timer_t *timer)
{
    pbt_local_next_saves(timer->loop->data);
}

static void begin_save(struct pbt_process *process)
{
    struct pbt_local *local = process->local;
    local->saves = process->next_save;
    process->next_save = NULL;
    process->saving = need_of(local, process) + 1;
    local->saving++;
    local->saving_bytes += process->saving;
    if (process->told_waiting) {
        tell_waiting(process, false, NULL);
    }
    pbt_process_save(process);
}

void pbt_local_next_saves(struct pbt_local *local)
{
    char text[PBT_LOCAL_PATH_SIZE + 128];
    bool room = true;
    while (local->saves != NULL && local->saving < SAVES_MAX &&
           (room = has_room(local, local->saves, text, sizeof text))) {
        begin_save(local->saves);
    }
    for (struct pbt_process *p = local->saves; p != NULL; p = p->next_save) {
        if (!p->told_waiting || (!room && !p->told_room)) {
            tell_waiting(p, true, room ? NULL : text);
        }
    }
    if (local->saves == NULL || room) {
        (void)uv_timer_stop(&local->room_timer); /* the next to end goes on */
    } else if (!uv_is_active((uv_handle_t *)&local->room_timer)) {
        (void)uv_timer_start(&local->room_timer, on_look_again, LOOK_AGAIN_MS,
                             LOOK_AGAIN_MS);
    }
}

void pbt_process_queue_save(struct pbt_process *process)
{
    struct pbt_process **last = &process->local->saves;
    while (*last != NULL) {
        last = &(*last)->next_save;
    }
    *last = process;
    process->awaited = PBT_AWAITED_ROOM;
    process->told_waiting = false;
    process->told_room = false;
    pbt_local_next_saves(process->local);
}

void pbt_process_end_save(struct pbt_process *process)
{
    struct pbt_local *local = process->local;
    struct pbt_process **at = &local->saves;
    while (*at != NULL && *at != process) {
        at = &(*at)->next_save;
    }
    if (*at != NULL) {
        *at = process->next_save;
        process->next_save = NULL;
    }
    if (process->saving > 0) {
        local->saving--;
        local->saving_bytes -= process->saving;
        process->saving = 0;
    }
    pbt_local_next_saves(local);
}
