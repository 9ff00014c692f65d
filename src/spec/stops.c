/*
 * Stop criteria: {training_iteration: 100, mean_accuracy: 0.96, loss: {min: 0.1}}; and by what
 * checkpoints are kept, since that looks at metrics as they do.
 */
#include "spec/reader.h"

#include <math.h>
#include <string.h>

#include "spec/scalar.h"

/* The index of a metric among those that are looked at; false if there are too many. */
static bool reach_value(struct pbt_reader *reader, const struct pbt_node *key,
                        uint32_t *index)
{
    struct pbt_spec *spec = reader->spec;
    for (uint32_t i = 0; i < spec->value_count; i++) {
        if (strcmp(spec->value_names[i], key->text) == 0) {
            *index = i;
            return true;
        }
    }
    if (spec->value_count == PBT_VALUES_MAX) {
        pbt_problem(reader->problems, PBT_E0404, key->span,
                    "stop criteria and checkpoint.score_attribute on more than "
                    "%d metrics",
                    PBT_VALUES_MAX);
        return false;
    }
    char *name = pbt_arena_copy(&spec->memory, key->text, key->length);
    if (name == NULL) {
        return false;
    }
    *index = spec->value_count;
    spec->value_names[spec->value_count++] = name;
    return true;
}

static bool read_bound(struct pbt_reader *reader, const struct pbt_node *key,
                       const struct pbt_node *node, double *bound)
{
    struct pbt_scalar scalar = {.type = PBT_SCALAR_NULL};
    if (node->kind == PBT_NODE_SCALAR) {
        scalar = pbt_scalar_read(node->text, node->length, node->plain);
    }
    bool number =
        scalar.type == PBT_SCALAR_INT || scalar.type == PBT_SCALAR_REAL;
    if (!number || !isfinite(scalar.real)) {
        struct pbt_problem *problem = pbt_reader_expected(
            reader, PBT_E0401, node, pbt_quote(key->text, key->length).text,
            "a number, {max: number} or {min: number}");
        pbt_problem_help(problem, "a bound is reached at or above {max: x}, "
                                  "at or below {min: x}");
        return false;
    }
    *bound = scalar.real;
    return true;
}

/* {min: x} or {max: x}: `at_most` is set; a plain number leaves it. */
static bool read_criterion(struct pbt_reader *reader,
                           const struct pbt_node *key, struct pbt_stop *stop)
{
    const struct pbt_node *value = key->value;
    if (value->kind == PBT_NODE_MAP && value->count == 1) {
        bool min = strcmp(value->first->text, "min") == 0;
        if (min || strcmp(value->first->text, "max") == 0) {
            stop->at_most = min;
            return read_bound(reader, key, value->first->value, &stop->bound);
        }
    }
    return read_bound(reader, key, value, &stop->bound);
}

/* The name of ours that a criterion may mean; NULL: it is the program's own. */
static const char *meant_by(const struct pbt_spec *spec,
                            const struct pbt_node *key)
{
    static const char *const iterations[] = {"iteration", "iterations",
                                             "max_iterations", "num_iterations",
                                             "n_iterations"};
    const char *known[] = {"training_iteration", "time_total_s", spec->metric};
    for (size_t i = 0; i < sizeof iterations / sizeof *iterations; i++) {
        if (strcmp(key->text, iterations[i]) == 0) {
            return known[0];
        }
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i] != NULL &&
            pbt_word_close(key->text, key->length, known[i])) {
            return known[i];
        }
    }
    return NULL;
}

/* A misspelt name would be a metric that never comes, and an experiment without an end. */
static void warn_misspelt(struct pbt_reader *reader, const struct pbt_node *key)
{
    const char *meant = meant_by(reader->spec, key);
    if (meant != NULL) {
        pbt_reader_warn(reader, PBT_W0110, key,
                        "`%s` is taken for a metric that the program reports; "
                        "did you mean `%s`?",
                        pbt_quote(key->text, key->length).text, meant);
    }
}

static void read_stop(struct pbt_reader *reader, const struct pbt_node *key,
                      bool all)
{
    struct pbt_spec *spec = reader->spec;
    struct pbt_stop stop = {.source = PBT_STOP_VALUE, .all = all};
    if (!pbt_name_is_clean(key->text, key->length) ||
        key->length > PBT_METRIC_NAME_MAX) {
        pbt_problem_label(pbt_problem(reader->problems, PBT_E0402, key->span,
                                      "`%s` can't name a metric",
                                      pbt_quote(key->text, key->length).text),
                          "empty, too long, or with a control character");
        return;
    }
    if (strcmp(key->text, "training_iteration") == 0) {
        stop.source = PBT_STOP_ITERATION;
    } else if (strcmp(key->text, "time_total_s") == 0) {
        stop.source = PBT_STOP_SECONDS;
    } else if (spec->metric != NULL && strcmp(key->text, spec->metric) == 0) {
        stop.at_most = spec->minimize;
    } else {
        warn_misspelt(reader, key);
    }
    if (!read_criterion(reader, key, &stop)) {
        return;
    }
    bool clock = stop.source != PBT_STOP_VALUE;
    if (clock && (stop.at_most || stop.bound <= 0)) {
        pbt_problem_label(pbt_problem(reader->problems, PBT_E0403,
                                      key->value->span,
                                      "`%s` only grows, from 0",
                                      pbt_quote(key->text, key->length).text),
                          "give a number above 0");
        return;
    }
    if (spec->settings.stop_count == PBT_STOPS_MAX) {
        pbt_problem(reader->problems, PBT_E0404, key->span,
                    "more than %d stop criteria", PBT_STOPS_MAX);
        return;
    }
    if (clock || reach_value(reader, key, &stop.index)) {
        spec->settings.stops[spec->settings.stop_count++] = stop;
    }
}

void pbt_read_stops(struct pbt_reader *reader, const struct pbt_node *stops,
                    bool all)
{
    if (stops->kind != PBT_NODE_MAP) {
        pbt_reader_expected(reader, PBT_E0405, stops, all ? "stop_all" : "stop",
                            "a mapping of metrics to bounds");
        return;
    }
    for (const struct pbt_node *key = stops->first; key != NULL;
         key = key->next) {
        read_stop(reader, key, all);
    }
}

void pbt_read_keep(struct pbt_reader *reader)
{
    struct pbt_spec *spec = reader->spec;
    struct pbt_settings *settings = &spec->settings;
    if (spec->keep_by == NULL) {
        return;
    }
    if (strcmp(spec->keep_by, "training_iteration") == 0) {
        settings->keep = PBT_KEEP_ITERATION;
    } else if (strcmp(spec->keep_by, "time_total_s") == 0) {
        settings->keep = PBT_KEEP_SECONDS;
    } else if (spec->metric != NULL &&
               strcmp(spec->keep_by, spec->metric) == 0) {
        if (reader->given[PBT_KEY_SCORE_ORDER] == NULL) {
            settings->keep_low = spec->minimize;
        }
        settings->keep = settings->keep_low == spec->minimize ? PBT_KEEP_BEST
                                                              : PBT_KEEP_WORST;
    } else if (reach_value(reader, reader->given[PBT_KEY_SCORE_ATTRIBUTE],
                           &settings->keep_value)) {
        settings->keep = PBT_KEEP_VALUE;
    }
}
