/*
 * api.c: pbt_run() for programs (pbt/pbt.h).
 */
#include <pbt/pbt.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/printable.h"
#include "base/self.h"
#include "run/functions.h"
#include "run/run.h"
#include "worker/worker.h"

#define PROBLEMS_MAX ((size_t)1 << 20)
#define SAID_MAX ((size_t)1 << 20)

/* --- reading the experiment ----------------------------------------------- */

/* "command=[...]" as an override: JSON is YAML in its flow form. */
static int command_override(const struct pbt_experiment *experiment, char **out,
                            struct pbt_error *error)
{
    char self[PBT_RUN_PATH_SIZE];
    const char *alone[2] = {self, NULL};
    const char *const *command = experiment->command;
    if (command == NULL) {
        if (!pbt_self_path(self, sizeof self)) {
            return pbt_error_set(error, PBT_EUNAVAILABLE,
                                 "can't tell which program this is; name it in "
                                 "`command`");
        }
        command = alone;
    }
    json_t *list = json_array();
    for (; *command != NULL; command++) {
        (void)json_array_append_new(list, json_string(*command));
    }
    char *text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    *out = text == NULL ? NULL : malloc(strlen(text) + 16);
    if (*out != NULL) {
        (void)sprintf(*out, "command=%s", text);
    }
    free(text);
    return *out != NULL ? PBT_OK
                        : pbt_error_set(error, PBT_ENOMEM, "out of memory");
}

static int read_once(struct pbt_spec *spec,
                     const struct pbt_experiment *experiment, char *command,
                     struct pbt_buf *problems, struct pbt_error *error)
{
    size_t count = 0;
    while (experiment->overrides != NULL &&
           experiment->overrides[count] != NULL) {
        count++;
    }
    char **all = calloc(count + 1, sizeof *all);
    if (all == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        all[i] = (char *)(uintptr_t)experiment->overrides[i];
    }
    if (command != NULL) {
        all[count] = command;
    }
    int status =
        pbt_spec_read(spec, experiment->file, all,
                      count + (command != NULL ? 1 : 0), problems, error);
    free(all);
    return status;
}

/* A file without `command` gets ours; one that has its own keeps it. */
static int read_experiment(struct pbt_spec *spec,
                           const struct pbt_experiment *experiment,
                           struct pbt_error *error)
{
    struct pbt_buf problems;
    char *command = NULL;
    if (experiment->command == NULL &&
        read_once(spec, experiment, NULL, NULL, error) == PBT_OK) {
        return PBT_OK;
    }
    int status = command_override(experiment, &command, error);
    if (status != PBT_OK) {
        return status;
    }
    pbt_buf_init(&problems, PROBLEMS_MAX);
    status = read_once(spec, experiment, command, &problems, error);
    if (status != PBT_OK && problems.length > 0) {
        (void)pbt_error_set(error, status, "%s", problems.data);
    }
    pbt_buf_done(&problems);
    free(command);
    return status;
}

/* --- running --------------------------------------------------------------- */

static void say_on_stderr(void *user, const char *text)
{
    (void)user;
    struct pbt_buf line;
    pbt_buf_init(&line, SAID_MAX);
    pbt_printable_put(&line, text, strlen(text), true);
    (void)fprintf(stderr, "%s\n",
                  pbt_buf_failed(&line) || line.data == NULL ? "" : line.data);
    pbt_buf_done(&line);
}

/* What reading the experiment warned of. */
static void say_warnings(const struct pbt_experiment *experiment,
                         const struct pbt_buf *warnings)
{
    char *text = warnings->length == 0
                     ? NULL
                     : strndup(warnings->data, warnings->length);
    size_t length = text == NULL ? 0 : strlen(text);
    while (length > 0 && text[length - 1] == '\n') {
        text[--length] = '\0';
    }
    if (length > 0) {
        (experiment->say == NULL ? say_on_stderr
                                 : experiment->say)(experiment->say_user, text);
    }
    free(text);
}

static int check(const struct pbt_experiment *experiment,
                 struct pbt_error *error)
{
    if (experiment->version == 0 || experiment->version > PBT_EXPERIMENT_INIT) {
        return pbt_error_set(error, PBT_EUSAGE,
                             "struct pbt_experiment does not begin with "
                             "PBT_EXPERIMENT_INIT");
    }
    if (experiment->file == NULL) {
        return pbt_error_set(error, PBT_EUSAGE,
                             "struct pbt_experiment names no file");
    }
    if (pbt_is_worker()) {
        return pbt_error_set(error, PBT_EUSAGE,
                             "this process is a worker of a run (PBT_FD is "
                             "set): call pbt_worker_main() here");
    }
    return PBT_OK;
}

int pbt_run(const struct pbt_experiment *experiment,
            struct pbt_outcome *outcome, struct pbt_error *error)
{
    struct pbt_error unwanted = {.status = PBT_OK};
    struct pbt_spec spec;
    struct pbt_run_place place;
    struct pbt_run_outcome out;
    struct pbt_functions functions;
    error = error == NULL ? &unwanted : error;
    *outcome = (struct pbt_outcome){.terminated = 0};
    int status = check(experiment, error);
    if (status == PBT_OK) {
        status = read_experiment(&spec, experiment, error);
    }
    if (status != PBT_OK) {
        return status;
    }
    status = pbt_functions_find(&functions, experiment, &spec, error);
    if (status == PBT_OK) {
        status = pbt_spec_finish(&spec, error);
    }
    if (status == PBT_OK) {
        say_warnings(experiment, &spec.warnings);
        status = pbt_run_create(
            &spec, experiment->dir == NULL ? "runs" : experiment->dir, &place,
            error);
    }
    pbt_spec_done(&spec);
    if (status != PBT_OK) {
        pbt_functions_done(&functions);
        return status;
    }
    struct pbt_run_options options = {
        .stop_fd = experiment->stop_fd > 0 ? experiment->stop_fd : -1,
        .unpause = PBT_RUN_NONE,
        .ask = pbt_functions_any(&functions) ? pbt_functions_ask : NULL,
        .ask_user = &functions,
        .functions = functions.names,
        .explores = experiment->explore != NULL,
        .say = experiment->say == NULL ? say_on_stderr : experiment->say,
        .user = experiment->say_user,
    };
    status = pbt_run_go(place.path, &options, &out, error);
    pbt_functions_done(&functions);
    (void)snprintf(outcome->run_dir, sizeof outcome->run_dir, "%s", place.path);
    outcome->terminated = out.terminated;
    outcome->errors = out.errors;
    outcome->unfinished = out.unfinished;
    outcome->results = out.results;
    outcome->perturbations = out.perturbations;
    return status;
}
