/*
 * pbt check: an experiment file's errors, or what it would do.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec/budget.h"
#include "cli/cli.h"

#define OUTPUT_MAX (4u << 20)
#define CHOICES_SHOWN 10

static void put_program(const struct pbt_spec *spec, struct pbt_buf *out)
{
    pbt_buf_printf(out, "program      %s", spec->command[0]);
    for (char **word = spec->command + 1; *word != NULL; word++) {
        pbt_buf_char(out, ' ');
        pbt_buf_text(out, *word);
    }
    pbt_buf_char(out, '\n');
}

/* " (2 CPUs are here, 1 a trial; 4 GPUs are here, 0.5 a trial)" */
static void put_budget(const struct pbt_spec *spec,
                       const struct pbt_budget *budget, struct pbt_buf *out)
{
    const double gib = 0x1p30;
    bool given = spec->resources_cpu > 0;
    pbt_buf_printf(out, " (%.15g CPUs %s, %.15g a trial",
                   given ? spec->resources_cpu : budget->machine.cpus,
                   given ? "are given" : "are here", spec->trial_cpu);
    if (spec->trial_gpu > 0) {
        given = spec->resources_gpu > 0;
        pbt_buf_printf(out, "; %u GPUs %s, %.15g a trial",
                       given ? spec->resources_gpu : budget->machine.gpus,
                       given ? "are given" : "are here", spec->trial_gpu);
    }
    if (spec->trial_memory > 0) {
        given = spec->resources_memory > 0;
        pbt_buf_printf(
            out, "; %.3g GiB %s, %.3g a trial",
            (double)(given ? spec->resources_memory : budget->machine.memory) /
                gib,
            given ? "are given" : "are here", (double)spec->trial_memory / gib);
    }
    pbt_buf_text(out, ")\n");
}

static void put_trials(const struct pbt_spec *spec,
                       const struct pbt_budget *budget, struct pbt_buf *out)
{
    uint32_t population = spec->settings.population;
    pbt_buf_printf(out, "trials       %" PRIu32, population);
    if (budget->slots < population) {
        pbt_buf_printf(out, ", %" PRIu32 " at a time", budget->slots);
    } else if (population > 1) {
        pbt_buf_text(out, ", all at the same time");
    }
    put_budget(spec, budget, out);
}

static void put_metric(const struct pbt_spec *spec, struct pbt_buf *out)
{
    if (spec->metric != NULL) {
        pbt_buf_printf(out, "metric       %s, the %s the better\n",
                       spec->metric, spec->minimize ? "smaller" : "larger");
    }
}

static void put_stop(const struct pbt_spec *spec, const struct pbt_stop *stop,
                     struct pbt_buf *out)
{
    const char *name = "training_iteration";
    if (stop->source == PBT_STOP_SECONDS) {
        name = "time_total_s";
    } else if (stop->source == PBT_STOP_VALUE) {
        name = spec->value_names[stop->index];
    }
    pbt_buf_printf(out, "%s %s %.15g", name,
                   stop->at_most ? "<=" : ">=", stop->bound);
}

/* The criteria of `stop`, or those of `stop_all` and the time budget. */
static void put_ends(const struct pbt_spec *spec, bool all, const char *label,
                     struct pbt_buf *out)
{
    const struct pbt_settings *settings = &spec->settings;
    const char *between = label;
    for (uint32_t i = 0; i < settings->stop_count; i++) {
        if (settings->stops[i].all == all) {
            pbt_buf_text(out, between);
            put_stop(spec, &settings->stops[i], out);
            between = ", or ";
        }
    }
    if (all && settings->time_budget_ns > 0) {
        pbt_buf_text(out, between);
        pbt_buf_printf(out, "%.15g s of the run",
                       (double)settings->time_budget_ns / 1e9);
        between = ", or ";
    }
    if (between != label) {
        pbt_buf_char(out, '\n');
    }
}

static void put_schedule(const struct pbt_spec *spec, struct pbt_buf *out)
{
    const struct pbt_settings *settings = &spec->settings;
    if (settings->scheduler == PBT_SCHEDULER_FIFO) {
        pbt_buf_text(out, "scheduler    fifo: each trial by itself\n");
        return;
    }
    const char *unit =
        settings->time_attr == PBT_TIME_SECONDS ? "s" : "iterations";
    double quantile = ceil(settings->population * settings->quantile_fraction);
    double half = floor(settings->population / 2.0);
    pbt_buf_printf(
        out,
        "scheduler    pbt: every %.15g %s%s the worst %.15g may take "
        "over from the best %.15g\n",
        settings->perturbation_interval, unit,
        settings->synch ? ", all together," : "", fmin(quantile, half),
        fmin(quantile, half));
    if (settings->burn_in_period > 0) {
        pbt_buf_printf(out, "             but not before %.15g %s\n",
                       settings->burn_in_period, unit);
    }
}

static void put_choices(const struct pbt_spec *spec,
                        const struct pbt_domain *domain, struct pbt_buf *out)
{
    pbt_buf_char(out, '[');
    for (uint32_t i = 0; i < domain->choice_count; i++) {
        pbt_buf_text(out, i > 0 ? ", " : "");
        if (i == CHOICES_SHOWN) {
            pbt_buf_text(out, "...");
            break;
        }
        pbt_spec_cell_json(spec, domain->choices[i], out);
    }
    pbt_buf_char(out, ']');
}

static void put_domain(const struct pbt_spec *spec,
                       const struct pbt_domain *domain, struct pbt_buf *out)
{
    const char *name = "";
    switch (domain->kind) {
    case PBT_DOMAIN_NONE:
        return;
    case PBT_DOMAIN_CONSTANT:
        pbt_spec_cell_json(spec, domain->choices[0], out);
        return;
    case PBT_DOMAIN_FUNCTION:
        pbt_buf_printf(out, "the function %s", domain->function);
        return;
    case PBT_DOMAIN_CHOICE:
        pbt_buf_text(out, "one of ");
        put_choices(spec, domain, out);
        return;
#define DOMAIN_NAME(kind, text, arguments)                                     \
    case kind:                                                                 \
        name = text;                                                           \
        break;
        PBT_DOMAIN_MAP(DOMAIN_NAME)
#undef DOMAIN_NAME
    }
    pbt_buf_printf(out, "%s [%.15g, %.15g", name, domain->lower, domain->upper);
    if (domain->quantum > 0) {
        pbt_buf_printf(out, ", %.15g", domain->quantum);
    }
    pbt_buf_char(out, ']');
}

static void put_factors(const struct pbt_explore *explore, struct pbt_buf *out)
{
    for (uint32_t i = 0; i < explore->factor_count; i++) {
        if (i == CHOICES_SHOWN) {
            pbt_buf_text(out, ", ...");
            break;
        }
        pbt_buf_printf(out, "%s%.15g", i == 0 ? ", or times " : " or ",
                       explore->factors[i]);
    }
}

static void put_param(const struct pbt_spec *spec,
                      const struct pbt_param *param, struct pbt_buf *out)
{
    bool list = param->mutation == PBT_MUTATION_LIST;
    pbt_buf_printf(out, "  %-10s ", param->name);
    put_domain(spec,
               param->initial.kind == PBT_DOMAIN_NONE ? &param->mutations
                                                      : &param->initial,
               out);
    if (param->mutation != PBT_MUTATION_NONE) {
        pbt_buf_text(out, "; explored: ");
        put_domain(spec, &param->mutations, out);
        if (list) {
            pbt_buf_text(out, " or a neighbour");
        } else {
            put_factors(&spec->settings.explore, out);
        }
    }
    pbt_buf_char(out, '\n');
}

static void put_params(const struct pbt_spec *spec, struct pbt_buf *out)
{
    const struct pbt_space *space = &spec->settings.space;
    pbt_buf_text(out, space->count > 0 ? "hyperparameters\n" : "");
    for (uint32_t i = 0; i < space->count; i++) {
        put_param(spec, &space->params[spec->order[i]], out);
    }
}

static void put_checkpoints(const struct pbt_spec *spec, struct pbt_buf *out)
{
    const struct pbt_settings *settings = &spec->settings;
    const char *between = "";
    pbt_buf_text(out, "checkpoints  ");
    if (settings->scheduler == PBT_SCHEDULER_PBT) {
        pbt_buf_text(out, "at each comparison");
        between = ", ";
    }
    if (settings->checkpoint_frequency > 0) {
        pbt_buf_printf(out, "%severy %" PRIu32 " iterations", between,
                       settings->checkpoint_frequency);
        between = ", ";
    }
    if (settings->checkpoint_at_end) {
        pbt_buf_printf(out, "%sat a trial's end", between);
        between = ", ";
    }
    if (between[0] == '\0') {
        pbt_buf_text(out, "none\n");
        return;
    }
    pbt_buf_printf(out, "; the newest %" PRIu32 " of a trial are kept\n",
                   settings->num_to_keep);
}

static void put_failures(const struct pbt_spec *spec, struct pbt_buf *out)
{
    int32_t failures = spec->settings.max_failures;
    if (failures < 0) {
        pbt_buf_text(out, "failures     a trial is tried again for ever\n");
    } else if (failures == 0) {
        pbt_buf_text(out,
                     "failures     a trial that fails is not tried again\n");
    } else {
        pbt_buf_printf(out,
                       "failures     a trial is tried again %" PRId32
                       " times, from its newest checkpoint\n",
                       failures);
    }
}

static void put_summary(const struct pbt_spec *spec,
                        const struct pbt_budget *budget, struct pbt_buf *out)
{
    pbt_buf_printf(out, "experiment   %s, seed %" PRIu64 "\n", spec->name,
                   spec->settings.seed);
    put_program(spec, out);
    put_trials(spec, budget, out);
    put_metric(spec, out);
    put_ends(spec, false, "trial ends   at ", out);
    put_ends(spec, true, "run ends     at ", out);
    if (spec->settings.stop_count == 0 && spec->settings.time_budget_ns == 0) {
        pbt_buf_text(out, "run ends     when the program says so or you "
                          "press Ctrl-C: there is no stop criterion\n");
    }
    put_schedule(spec, out);
    put_params(spec, out);
    put_checkpoints(spec, out);
    put_failures(spec, out);
}

static int can_execute(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        return errno;
    }
    if (!S_ISREG(status.st_mode)) {
        return EACCES;
    }
    return access(path, X_OK) == 0 ? 0 : errno;
}

/* 0, or the errno with which the program can't be started. */
static int program_problem(const char *program)
{
    if (strchr(program, '/') != NULL) {
        return can_execute(program);
    }
    const char *dirs = getenv("PATH");
    int problem = ENOENT;
    while (dirs != NULL && dirs[0] != '\0') {
        size_t length = strcspn(dirs, ":");
        char path[PATH_MAX];
        (void)snprintf(path, sizeof path, "%.*s/%s",
                       length > 0 ? (int)length : 1, length > 0 ? dirs : ".",
                       program);
        int found = can_execute(path);
        if (found == 0) {
            return 0;
        }
        problem = found == EACCES ? EACCES : problem;
        dirs += length + (dirs[length] == ':' ? 1 : 0);
    }
    return problem;
}

static int check_program(const char *key, char *const *command)
{
    int problem = program_problem(command[0]);
    return problem == 0 ? PBT_OK
                        : pbt_cli_error(PBT_E0705, "%s: can't run %s: %s", key,
                                        command[0], strerror(problem));
}

/* What is wrong beside the file's own errors. */
static int check_world(const struct pbt_spec *spec)
{
    struct pbt_error error;
    int status = pbt_spec_finish(spec, &error);
    if (status != PBT_OK) {
        (void)pbt_cli_fail(&error);
    }
    int found = check_program("command", spec->command);
    status = status == PBT_OK ? found : status;
    if (spec->explore_command != NULL) {
        found =
            check_program("scheduler.custom_explore", spec->explore_command);
        status = status == PBT_OK ? found : status;
    }
    return status;
}

static int show(const struct pbt_spec *spec)
{
    struct pbt_budget budget;
    struct pbt_error lacks;
    char warning[256];
    int fits = pbt_budget_find(spec, &budget, &lacks);
    struct pbt_buf out;
    pbt_buf_init(&out, OUTPUT_MAX);
    put_summary(spec, &budget, &out);
    if (pbt_buf_failed(&out)) {
        pbt_buf_done(&out);
        return pbt_cli_error(PBT_E0971, "out of memory");
    }
    pbt_cli_put(&out, false);
    pbt_buf_done(&out);
    pbt_cli_put(&spec->warnings, true);
    if (pbt_budget_warning(spec, &budget, warning, sizeof warning)) {
        pbt_cli_warn(PBT_W0201, "%s", warning);
    }
    int status = check_world(spec);
    return fits == PBT_OK ? status : pbt_cli_fail(&lacks);
}

int pbt_cli_check(const struct pbt_cli_call *call)
{
    int status;
    struct pbt_spec spec;
    struct pbt_buf problems;
    struct pbt_error error;
    pbt_buf_init(&problems, OUTPUT_MAX);
    status = pbt_spec_read(&spec, call->args[0], call->args + 1,
                           call->count - 1, &problems, &error);
    if (status == PBT_OK) {
        status = show(&spec);
        pbt_spec_done(&spec);
    } else {
        (void)pbt_cli_fail_file(&error, &problems, call->args[0]);
    }
    pbt_buf_done(&problems);
    return status;
}
