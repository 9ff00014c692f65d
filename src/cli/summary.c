/*
 * summary.c: what an experiment would do, in a few lines, and all of its settings.
 */
#include "cli/summary.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/printable.h"
#include "spec/schema.h"

#define OUTPUT_MAX (4u << 20)
#define CHOICES_SHOWN 10
#define NAME_SHOWN 32 /* longer names leave their column */

static void put_program(const struct pbt_spec *spec, struct pbt_buf *out)
{
    pbt_buf_printf(out, "program      %s", spec->command[0]);
    for (char **word = spec->command + 1; *word != NULL; word++) {
        pbt_buf_char(out, ' ');
        pbt_buf_text(out, *word);
    }
    pbt_buf_char(out, '\n');
    if (spec->no_client) {
        pbt_cli_put_first_run(spec, out);
    }
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
    if (population != spec->num_samples) {
        pbt_buf_printf(out,
                       ": num_samples %" PRIu32 " times a grid of %" PRIu32,
                       spec->num_samples, population / spec->num_samples);
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

/* The last iteration that `stop` allows; 0: it isn't known beforehand. */
static double last_iteration(const struct pbt_settings *settings)
{
    double last = 0;
    for (uint32_t i = 0; i < settings->stop_count; i++) {
        const struct pbt_stop *stop = &settings->stops[i];
        if (stop->source == PBT_STOP_ITERATION) {
            last = last == 0 ? stop->bound : fmin(last, stop->bound);
        }
    }
    return last;
}

struct pbt_cli_points pbt_cli_points(const struct pbt_spec *spec)
{
    const struct pbt_settings *settings = &spec->settings;
    char why[PBT_NEVER_SIZE];
    double interval = settings->perturbation_interval;
    double last = last_iteration(settings);
    struct pbt_cli_points points = {
        .first = fmax(interval, settings->burn_in_period),
        .known = settings->time_attr == PBT_TIME_ITERATION && last > 0};
    if (pbt_spec_never_perturbs(spec, why, sizeof why)) {
        points.known = true;
        return points;
    }
    /* The result that reaches the bound ends the trial: it is no point. */
    if (points.known && points.first < last) {
        points.count = ceil((last - points.first) / interval);
        points.last = points.first + (points.count - 1) * interval;
    }
    return points;
}

/* When perturbations fall: at 5, 10, ... 95, 19 of each trial. */
static void put_points(const struct pbt_spec *spec, struct pbt_buf *out)
{
    const struct pbt_settings *settings = &spec->settings;
    struct pbt_cli_points points = pbt_cli_points(spec);
    if (!points.known) {
        pbt_buf_printf(out, "             first at %s %.15g\n",
                       settings->time_attr == PBT_TIME_SECONDS ? "second"
                                                               : "iteration",
                       points.first);
    } else if (points.count > 1) {
        pbt_buf_printf(out,
                       "             at iteration %.15g%s%.0f: %.0f of each "
                       "trial\n",
                       points.first, points.count > 2 ? ", ... " : ", ",
                       points.last, points.count);
    } else if (points.count > 0) {
        pbt_buf_printf(out,
                       "             at iteration %.15g, once for each trial\n",
                       points.first);
    }
}

static void put_exploit(const struct pbt_settings *settings,
                        struct pbt_buf *out)
{
    double quantile = ceil(settings->population * settings->quantile_fraction);
    double half = floor(settings->population / 2.0);
    switch (settings->exploit) {
    case PBT_EXPLOIT_TRUNCATION:
        pbt_buf_printf(out,
                       "the worst %.15g may take over from the best %.15g\n",
                       fmin(quantile, half), fmin(quantile, half));
        break;
    case PBT_EXPLOIT_TOURNAMENT:
        pbt_buf_text(out, "each may take over from another that is better\n");
        break;
    case PBT_EXPLOIT_T_TEST:
        pbt_buf_printf(out,
                       "each may take over from another that is better\n"
                       "             by a t-test on the last %" PRIu32
                       " scores, p < %.15g\n",
                       settings->t_test_scores, settings->t_test_level);
        break;
    }
    if (settings->gap > 0) {
        pbt_buf_printf(out, "             if better by more than %.15g\n",
                       settings->gap);
    }
    if (settings->gap_relative > 0) {
        pbt_buf_printf(out,
                       "             if better by more than %.15g times the "
                       "better score\n",
                       settings->gap_relative);
    }
    if (settings->gap_sd > 0) {
        pbt_buf_printf(out,
                       "             if better by more than %.15g standard "
                       "deviations of all scores\n",
                       settings->gap_sd);
    }
}

/* What differs between trials and is never explored, joined; false: there is none. */
static bool put_unexplored(const struct pbt_space *space, const char *before,
                           struct pbt_buf *out)
{
    bool any = false;
    for (uint32_t i = 0; i < space->count; i++) {
        if (!pbt_space_is_explored(space, i) &&
            space->params[i].initial.kind != PBT_DOMAIN_CONSTANT) {
            const char *name = space->params[i].name;
            pbt_buf_text(out, any ? ", " : before);
            pbt_printable_put(out, name, strlen(name), false);
            any = true;
        }
    }
    return any;
}

static void put_copies(const struct pbt_settings *settings, struct pbt_buf *out)
{
    const struct pbt_space *space = &settings->space;
    if (settings->donors == PBT_DONORS_BEST_EVER) {
        pbt_buf_text(out, "             from its best checkpoint so far\n");
    }
    switch (settings->copies) {
    case PBT_COPIES_BOTH:
        break;
    case PBT_COPIES_WEIGHTS:
        pbt_buf_text(out, "             its weights alone");
        if (put_unexplored(space, ", and with them ", out)) {
            pbt_buf_text(out, " (in config only)");
        }
        pbt_buf_char(out, '\n');
        break;
    case PBT_COPIES_HYPERPARAMETERS:
        pbt_buf_text(out, "             its hyperparameters alone");
        if (put_unexplored(space, ", but not ", out)) {
            pbt_buf_text(out, " (in config only)");
        }
        pbt_buf_char(out, '\n');
        break;
    }
}

static void put_schedule(const struct pbt_spec *spec, struct pbt_buf *out)
{
    const struct pbt_settings *settings = &spec->settings;
    if (settings->scheduler == PBT_SCHEDULER_FIFO) {
        pbt_buf_text(out, "scheduler    fifo: each trial by itself\n");
        return;
    }
    char why[PBT_NEVER_SIZE];
    if (pbt_spec_never_perturbs(spec, why, sizeof why)) {
        pbt_buf_printf(
            out, "scheduler    pbt, but no perturbation can happen: %s\n", why);
        return;
    }
    const char *unit =
        settings->time_attr == PBT_TIME_SECONDS ? "s" : "iterations";
    pbt_buf_printf(out, "scheduler    pbt: every %.15g %s%s ",
                   settings->perturbation_interval, unit,
                   settings->synch ? ", all together," : "");
    put_exploit(settings, out);
    put_copies(settings, out);
    if (settings->burn_in_period > 0) {
        pbt_buf_printf(out, "             but not before %.15g %s\n",
                       settings->burn_in_period, unit);
    }
    put_points(spec, out);
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
    const struct pbt_domain_form *form = pbt_domain_form(domain->kind);
    if (domain->kind == PBT_DOMAIN_CONSTANT) {
        pbt_spec_cell_json(spec, domain->choices[0], out);
    } else if (form->listed) {
        pbt_buf_text(out,
                     domain->kind == PBT_DOMAIN_GRID ? "each of " : "one of ");
        put_choices(spec, domain, out);
    } else if (form->number) {
        pbt_buf_printf(out, "%s [%.15g, %.15g", form->name, domain->lower,
                       domain->upper);
        if (form->quantised) {
            pbt_buf_printf(out, ", %.15g", domain->quantum);
        }
        pbt_buf_char(out, ']');
    } else if (domain->kind == PBT_DOMAIN_FUNCTION) {
        pbt_buf_printf(out, "the function %s", domain->function);
    }
}

/* ", or times 1.2 or 0.8", ", or moved by 0.2 or -0.2 of its range on a log scale" */
static void put_factors(const struct pbt_explore *explore,
                        const struct pbt_param *param, struct pbt_buf *out)
{
    bool own = param->factor_count > 0;
    const double *factors = own ? param->factors : explore->factors;
    uint32_t count = own ? param->factor_count : explore->factor_count;
    pbt_buf_text(out, param->log_scale ? ", or moved by " : ", or times ");
    for (uint32_t i = 0; i < count; i++) {
        if (i == CHOICES_SHOWN) {
            pbt_buf_text(out, ", ...");
            break;
        }
        pbt_buf_printf(out, "%s%.12g", i == 0 ? "" : " or ",
                       param->log_scale ? factors[i] - 1 : factors[i]);
    }
    pbt_buf_text(out, param->log_scale ? " of its range on a log scale" : "");
}

static void put_param(const struct pbt_spec *spec,
                      const struct pbt_param *param, int width,
                      struct pbt_buf *out)
{
    bool list = param->mutation == PBT_MUTATION_LIST;
    pbt_buf_printf(out, "  %-*s ", width, param->name);
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
            put_factors(&spec->settings.explore, param, out);
        }
    }
    pbt_buf_char(out, '\n');
}

static void put_params(const struct pbt_spec *spec, struct pbt_buf *out)
{
    const struct pbt_space *space = &spec->settings.space;
    int width = 10;
    pbt_buf_text(out, space->count > 0 ? "hyperparameters\n" : "");
    for (uint32_t i = 0; i < space->count; i++) {
        int length = (int)strlen(space->params[i].name);
        width = length > width && length <= NAME_SHOWN ? length : width;
    }
    for (uint32_t i = 0; i < space->count; i++) {
        put_param(spec, &space->params[spec->order[i]], width, out);
    }
}

static void put_disk(const struct pbt_cli_forecast *forecast,
                     struct pbt_buf *out)
{
    char text[PBT_BYTES_TEXT_SIZE];
    pbt_buf_printf(out,
                   "disk         at most %" PRIu64 " checkpoints at a time",
                   forecast->count);
    if (forecast->each == 0) {
        pbt_buf_text(out, ", of a size that nobody has seen yet");
        if (forecast->most != UINT64_MAX) {
            pbt_bytes_text(forecast->most, text);
            pbt_buf_printf(out, "; %s in all", text);
        }
    } else {
        pbt_bytes_text(forecast->each, text);
        pbt_buf_printf(out, " of %s (as in %s)", text, forecast->from);
        pbt_bytes_text(pbt_cli_forecast_bytes(forecast), text);
        pbt_buf_printf(out, ": %s", text);
    }
    if (forecast->free != UINT64_MAX) {
        pbt_bytes_text(forecast->free, text);
        pbt_buf_printf(out, "; %s are free", text);
    }
    pbt_buf_char(out, '\n');
}

static void put_checkpoints(const struct pbt_spec *spec,
                            const struct pbt_cli_forecast *forecast,
                            struct pbt_buf *out)
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
    if (settings->keep == PBT_KEEP_NEWEST) {
        pbt_buf_printf(out, "; the newest %" PRIu32 " of a trial are kept\n",
                       settings->num_to_keep);
    } else {
        pbt_buf_printf(out,
                       "; of a trial the newest and the %" PRIu32
                       " with the %s %s are kept\n",
                       settings->num_to_keep,
                       settings->keep_low ? "smallest" : "largest",
                       spec->keep_by);
    }
    put_disk(forecast, out);
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
    if (spec->settings.replace > 0) {
        pbt_buf_printf(out,
                       "             then up to %" PRIu32
                       " times a copy of one of the best takes its place\n",
                       spec->settings.replace);
    }
}

void pbt_cli_put_summary(const struct pbt_spec *spec,
                         const struct pbt_budget *budget,
                         const struct pbt_cli_forecast *forecast,
                         struct pbt_buf *out)
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
    put_checkpoints(spec, forecast, out);
    put_failures(spec, out);
}

static void put_origin(const struct pbt_spec *spec, const char *file, int key,
                       struct pbt_buf *out)
{
    struct pbt_origin origin = spec->origins[key];
    if (origin.line == 0) {
        pbt_buf_text(out, "default");
    } else if (origin.source > 0) {
        pbt_buf_text(out, "command line");
    } else {
        pbt_buf_printf(out, "%s:%zu", file, origin.line);
    }
}

void pbt_cli_put_setting(const struct pbt_spec *spec, int key,
                         struct pbt_buf *out)
{
    struct pbt_buf value;
    pbt_buf_init(&value, OUTPUT_MAX);
    pbt_spec_write_key(spec, key, &value);
    out->failed = out->failed || pbt_buf_failed(&value);
    /* A mapping in lines is in the summary; `env` may hold secrets. */
    if (value.length > 0 && (value.data[0] == '\n' ||
                             (key == PBT_KEY_ENV && spec->env[0] != NULL))) {
        pbt_buf_text(out, "...");
    } else if (value.length > 0) {
        pbt_buf_put(out, value.data + 1, strcspn(value.data + 1, "\n"));
    } else {
        pbt_buf_text(out, "null");
    }
    pbt_buf_done(&value);
}

void pbt_cli_put_settings(const struct pbt_spec *spec, const char *file,
                          struct pbt_buf *out)
{
    pbt_buf_text(out, "\nsettings\n");
    for (int i = 0; i < PBT_KEY_COUNT; i++) {
        const struct pbt_key *key = &pbt_keys[i];
        struct pbt_buf value;
        if (key->type == PBT_TYPE_SECTION) {
            continue;
        }
        pbt_buf_init(&value, OUTPUT_MAX);
        pbt_cli_put_setting(spec, i, &value);
        pbt_buf_printf(out, "  %-33s %-24s  ", key->path,
                       pbt_buf_failed(&value) ? "?" : value.data);
        put_origin(spec, file, i, out);
        pbt_buf_char(out, '\n');
        pbt_buf_done(&value);
    }
}
