/*
 * failure.c: the end of a process in words: all of it for the journal and error.txt, what a
 * terminal has room for to people.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "driver/state.h"

/* What is said of a long text: its first lines, and more of its last. */
#define HEAD_LINES 3
#define HEAD_BYTES 800
#define TAIL_LINES 12
#define TAIL_BYTES 1500

void pbt_driver_describe_exit(const struct pbt_input *input, const char *why,
                              struct pbt_buf *text)
{
    if (why != NULL) {
        pbt_buf_text(text, why);
    } else if (input->text != NULL) {
        pbt_buf_text(text, input->text);
    } else if (input->signal != 0) {
        pbt_buf_printf(text, "killed by signal %d (%s)", input->signal,
                       strsignal(input->signal));
    } else {
        pbt_buf_printf(text, "exited with status %d", input->exit_code);
    }
    if (input->last_words != NULL) {
        pbt_buf_char(text, '\n');
        pbt_buf_text(text, input->last_words);
    }
}

/* Where so many lines, and at most so many bytes, end. */
static size_t head_of(const char *text, size_t length)
{
    size_t at = 0;
    for (int lines = 0; at < length && at < HEAD_BYTES; at++) {
        if (text[at] == '\n' && ++lines == HEAD_LINES) {
            break;
        }
    }
    return at;
}

/* Where the last ones begin. */
static size_t tail_of(const char *text, size_t length)
{
    size_t least = length > TAIL_BYTES ? length - TAIL_BYTES : 0;
    size_t at = length;
    for (int lines = 0; at > least; at--) {
        if (text[at - 1] == '\n' && ++lines == TAIL_LINES) {
            break;
        }
    }
    return at;
}

void pbt_driver_put_brief(struct pbt_buf *out, const char *text)
{
    size_t length = strlen(text);
    size_t head = head_of(text, length);
    size_t tail = tail_of(text, length);
    if (tail <= head + 1) {
        pbt_buf_text(out, text);
        return;
    }
    pbt_buf_put(out, text, head);
    pbt_buf_text(out, "\n  ... (all of it: error.txt)\n");
    pbt_buf_text(out, text + tail);
}

void pbt_driver_say_failure(const struct pbt_driver *driver, uint32_t number,
                            int64_t iteration, const char *why)
{
    struct pbt_core_trial trial = pbt_core_trial(driver->core, number);
    const struct pbt_settings *settings = &driver->spec->settings;
    bool for_good = trial.state == PBT_CORE_ERROR;
    bool replaced = for_good && trial.replaced < settings->replace;
    uint64_t now = pbt_core_time(driver->core);
    struct pbt_buf brief;
    char id[PBT_TRIAL_ID_SIZE];
    char when[64] = "";
    pbt_buf_init(&brief, PBT_BRIEF_MAX);
    pbt_trial_id(driver->spec->settings.seed, number, id);
    if (trial.not_before > now) {
        (void)snprintf(when, sizeof when, ", in %.3g s",
                       (double)(trial.not_before - now) * 1e-9);
    }
    pbt_driver_put_brief(&brief, why);
    pbt_driver_say(
        driver, "%s: trial %s failed after iteration %" PRId64 ": %s\n  = %s%s",
        for_good && !replaced ? "error[E0815]" : "warning[W0301]", id,
        iteration, pbt_buf_failed(&brief) ? "?" : brief.data,
        replaced   ? "a copy of one of the best takes its place as soon as "
                     "there is one (failure.replace)"
        : for_good ? "it has failed for good (failure.max_failures)"
                   : "it goes back to its newest checkpoint and tries again",
        when);
    pbt_buf_done(&brief);
}

void pbt_driver_say_outlasted(const struct pbt_driver *driver, uint32_t number)
{
    struct pbt_core_trial trial = pbt_core_trial(driver->core, number);
    char id[PBT_TRIAL_ID_SIZE];
    pbt_trial_id(driver->spec->settings.seed, number, id);
    pbt_driver_say(driver,
                   "warning[W0308]: trial %s is stopped in the middle of a "
                   "step, after iteration %" PRId64
                   ": it did not end within %g s (grace)\n"
                   "  = it will go on from iteration %" PRId64,
                   id, trial.iteration, driver->spec->grace,
                   trial.restart_iteration);
}
