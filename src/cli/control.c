/*
 * pbt stop, pbt pause: asking the driver that is at work on a run (pbt resume asks it too).
 */
#include "cli/control.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/names.h"
#include "cli/cli.h"
#include "run/run.h"

/* A driver that begins has its lock before its socket. */
#define BEGIN_S 5
/* It may be reading a long journal, or be stopped by Ctrl-Z. */
#define ANSWER_S 60
/* From the end of the connection to that of the driver. */
#define END_S 60
#define POLL_NS 20000000L
#define COMMAND_MAX ((size_t)1 << 20)

static void nap(void)
{
    const struct timespec time = {0, POLL_NS};
    (void)nanosleep(&time, NULL);
}

/* --- reaching the driver ----------------------------------------------------- */

static bool is_elsewhere(const struct pbt_lock_look *look)
{
    char host[sizeof look->host] = "";
    if (look->state == PBT_LOCK_ELSEWHERE) {
        return true;
    }
    (void)gethostname(host, sizeof host - 1);
    return look->state == PBT_LOCK_HELD && look->host[0] != '\0' &&
           strcmp(look->host, host) != 0;
}

bool pbt_cli_reach(const char *run, struct pbt_cli_driver *driver)
{
    time_t until = time(NULL) + BEGIN_S;
    for (;;) {
        int status = pbt_control_connect(run, &driver->fd, &driver->error);
        if (status == PBT_OK) {
            return true;
        }
        driver->fd = -1;
        driver->look = pbt_lock_look(run);
        bool may_come =
            driver->look.state == PBT_LOCK_HELD && status != PBT_EPERM;
        if (!may_come || is_elsewhere(&driver->look) || time(NULL) >= until) {
            return false;
        }
        nap();
    }
}

/* Nobody can be asked: why, and what to do. */
static int unreachable(const struct pbt_cli_driver *driver, const char *run,
                       const char *verb)
{
    const struct pbt_lock_look *look = &driver->look;
    struct pbt_buf command;
    int status = PBT_OK;
    pbt_buf_init(&command, COMMAND_MAX);
    if (is_elsewhere(look)) {
        pbt_cli_put_command(&command, verb, run, NULL);
        status = pbt_cli_error(
            PBT_E0811,
            "%s is driven by pid %" PRId64
            " on %s, if that still lives: it can only be asked there (on %s: "
            "%s)",
            run, look->pid, look->host, look->host, command.data);
    } else if (look->state == PBT_LOCK_FREE) {
        pbt_cli_put_command(&command, "resume", run, NULL);
        status = pbt_cli_error(PBT_E0812,
                               "no driver is at work on %s, so nothing of it "
                               "trains (%s starts one)",
                               run, command.data);
    }
    pbt_buf_done(&command);
    if (status != PBT_OK) {
        return status;
    }
    struct pbt_error error = driver->error;
    (void)pbt_error_prefix(&error, error.status,
                           "the driver of %s can't be asked", run);
    return pbt_cli_fail(&error);
}

/* --- trials -------------------------------------------------------------------- */

static bool is_trial(const struct pbt_spec *spec, const char *text,
                     int64_t *number)
{
    char id[PBT_TRIAL_ID_SIZE];
    char *end;
    const char *last = strrchr(text, '_');
    const char *digits = last != NULL ? last + 1 : text;
    errno = 0;
    unsigned long value = strtoul(digits, &end, 10);
    if (*digits < '0' || *digits > '9' || *end != '\0' || errno != 0 ||
        value >= spec->settings.population) {
        return false;
    }
    *number = (int64_t)value;
    pbt_trial_id(spec->settings.seed, (uint32_t)value, id);
    return last == NULL || strcmp(id, text) == 0;
}

static int find_trial(const char *run, const char *text, int64_t *number,
                      char id[PBT_TRIAL_ID_SIZE], struct pbt_error *error)
{
    struct pbt_spec spec;
    int status = pbt_run_read_spec(run, &spec, error);
    if (status != PBT_OK) {
        return status;
    }
    uint32_t last = spec.settings.population - 1;
    if (is_trial(&spec, text, number)) {
        pbt_trial_id(spec.settings.seed, (uint32_t)*number, id);
    } else {
        pbt_trial_id(spec.settings.seed, last, id);
        status = pbt_fail(error, PBT_E0813,
                          "%s has no trial `%s`: the last one is %s, or "
                          "%" PRIu32,
                          run, text, id, last);
    }
    pbt_spec_done(&spec);
    return status;
}

int pbt_cli_find_trial(const char *run, const char *text, int64_t *number,
                       struct pbt_error *error)
{
    char id[PBT_TRIAL_ID_SIZE];
    return text == NULL ? PBT_OK : find_trial(run, text, number, id, error);
}

/* --- what came of it ------------------------------------------------------------- */

/* About one trial, and about several. */
static const struct {
    const char *one;
    const char *more;
} MEANINGS[PBT_OUTCOMES] = {
    [PBT_OUTCOME_PAUSING] =
        {"pauses as soon as it has ended its step and saved",
         "pause as soon as they have ended their step and "
         "saved"},
    [PBT_OUTCOME_PAUSED] = {"is paused", "are paused"},
    [PBT_OUTCOME_ALREADY] = {"was paused before", "were paused before"},
    [PBT_OUTCOME_RESUMED] = {"goes on when it has a slot",
                             "go on when they have a slot"},
    [PBT_OUTCOME_RUNNING] = {"was not paused", "were not paused"},
    [PBT_OUTCOME_STOPPING] = {"ends for good after the step under way",
                              "end for good after the step under way"},
    [PBT_OUTCOME_STOPPED] = {"has ended for good", "have ended for good"},
    [PBT_OUTCOME_ENDING] = {"is ending", "are ending"},
    [PBT_OUTCOME_FINISHED] = {"is finished", "are finished"},
};

static void print_outcomes(const struct pbt_control_answer *answer,
                           const char *trial, enum pbt_control_kind kind)
{
    if (kind == PBT_CONTROL_RESUME && trial == NULL &&
        answer->trials[PBT_OUTCOME_RESUMED] == 0) {
        (void)printf("nothing was paused: the driver goes on\n");
        return;
    }
    for (int i = 0; i < PBT_OUTCOMES; i++) {
        uint32_t count = answer->trials[i];
        if (count == 0) {
            continue;
        }
        if (trial != NULL) {
            (void)printf("trial %s %s\n", trial, MEANINGS[i].one);
        } else {
            (void)printf("%" PRIu32 " trial%s %s\n", count,
                         count == 1 ? "" : "s",
                         count == 1 ? MEANINGS[i].one : MEANINGS[i].more);
        }
    }
}

static void print_next(const struct pbt_control_answer *answer, const char *run,
                       const char *trial, enum pbt_control_kind kind)
{
    bool paused = answer->trials[PBT_OUTCOME_PAUSING] > 0 ||
                  answer->trials[PBT_OUTCOME_PAUSED] > 0 ||
                  answer->trials[PBT_OUTCOME_ALREADY] > 0;
    if (kind == PBT_CONTROL_PAUSE && paused) {
        pbt_cli_say_command("next: ", "resume", run, trial);
    } else {
        pbt_cli_say_command("next: ", "status", run, NULL);
    }
}

/* The connection ends with the driver, and its lock a moment later. */
static void wait_for_end(const struct pbt_cli_driver *driver, const char *run)
{
    char byte;
    ssize_t got;
    do {
        got = recv(driver->fd, &byte, 1, 0);
    } while (got > 0 || (got < 0 && errno == EINTR));
    time_t until = time(NULL) + END_S;
    while (pbt_lock_look(run).state == PBT_LOCK_HELD && time(NULL) < until) {
        nap();
    }
}

static int stop_run(const struct pbt_cli_driver *driver, const char *run,
                    const struct pbt_control_answer *answer)
{
    uint32_t saving = answer->trials[PBT_OUTCOME_STOPPING];
    if (saving > 0) {
        (void)printf("stopping, saving %" PRIu32 " trial%s\n", saving,
                     saving == 1 ? "" : "s");
    } else {
        (void)printf("stopping\n");
    }
    (void)fflush(stdout);
    struct pbt_error error;
    bool over = false;
    wait_for_end(driver, run);
    int status = pbt_run_is_over(run, &over, &error);
    if (status != PBT_OK) {
        return pbt_cli_fail(&error);
    }
    pbt_cli_say_command(over ? "finished before it was stopped\nnext: "
                             : "stopped\nnext: ",
                        over ? "status" : "resume", run, NULL);
    return PBT_OK;
}

int pbt_cli_request(struct pbt_cli_driver *driver, const char *run,
                    const char *trial, enum pbt_control_kind kind)
{
    struct pbt_control_request request = {.kind = kind};
    struct pbt_control_answer answer;
    struct pbt_error error;
    int64_t number;
    int status = trial == NULL
                     ? PBT_OK
                     : find_trial(run, trial, &number, request.trial, &error);
    if (status == PBT_OK) {
        status =
            pbt_control_ask(driver->fd, &request, ANSWER_S, &answer, &error);
    }
    if (status == PBT_OK && !answer.ok) {
        status = pbt_fail(&error, PBT_E0814, "%s", answer.error);
    }
    if (status != PBT_OK) {
        status = pbt_cli_fail(&error);
    } else if (kind == PBT_CONTROL_STOP && trial == NULL) {
        status = stop_run(driver, run, &answer);
    } else {
        print_outcomes(&answer, trial == NULL ? NULL : request.trial, kind);
        print_next(&answer, run, trial == NULL ? NULL : request.trial, kind);
    }
    (void)close(driver->fd);
    return status;
}

/* --- the verbs --------------------------------------------------------------------- */

static int ask(const char *run, const char *trial, enum pbt_control_kind kind)
{
    struct pbt_error error;
    struct pbt_cli_driver driver;
    bool over = false;
    int64_t number = 0;
    int status = pbt_cli_find_trial(run, trial, &number, &error);
    if (status != PBT_OK) {
        return pbt_cli_fail(&error);
    }
    if (pbt_cli_reach(run, &driver)) {
        return pbt_cli_request(&driver, run, trial, kind);
    }
    if (driver.look.state != PBT_LOCK_FREE) {
        return unreachable(&driver, run, pbt_control_name(kind));
    }
    status = pbt_run_is_over(run, &over, &error);
    if (status != PBT_OK) {
        return pbt_cli_fail(&error);
    }
    if (over) {
        (void)printf("%s is finished: there is nothing to %s\n", run,
                     pbt_control_name(kind));
        return PBT_OK;
    }
    if (kind == PBT_CONTROL_STOP && trial == NULL) {
        (void)printf("no driver is at work on %s: there is nothing to stop\n",
                     run);
        pbt_cli_say_command("next: ", "resume", run, NULL);
        return PBT_OK;
    }
    return unreachable(&driver, run, pbt_control_name(kind));
}

static int request(const struct pbt_cli_call *call, enum pbt_control_kind kind)
{
    char run[PATH_MAX];
    struct pbt_error error;
    int status = pbt_cli_find_run(call->args[0], pbt_cli_value(call, "dir"),
                                  run, sizeof run, &error);
    return status == PBT_OK ? ask(run, pbt_cli_operand(call, 1), kind)
                            : pbt_cli_fail_at(&error, call->args[0], NULL);
}

int pbt_cli_stop(const struct pbt_cli_call *call)
{
    return request(call, PBT_CONTROL_STOP);
}

int pbt_cli_pause(const struct pbt_cli_call *call)
{
    return request(call, PBT_CONTROL_PAUSE);
}
