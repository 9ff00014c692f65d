/*
 * pbt check --json: what an experiment would do, for programs.  The form is documented in
 * docs/cli.md and may get more members.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/results.h"
#include "cli/summary.h"
#include "spec/schema.h"

static void put_strings(struct pbt_buf *out, const char *name,
                        char *const *words)
{
    pbt_buf_printf(out, ",\"%s\":[", name);
    for (size_t i = 0; words[i] != NULL; i++) {
        pbt_buf_text(out, i > 0 ? "," : "");
        pbt_buf_json_string(out, words[i], strlen(words[i]));
    }
    pbt_buf_char(out, ']');
}

static void put_points(struct pbt_buf *out, const struct pbt_spec *spec)
{
    const struct pbt_settings *settings = &spec->settings;
    struct pbt_cli_points points = pbt_cli_points(spec);
    if (settings->scheduler != PBT_SCHEDULER_PBT) {
        pbt_buf_text(out, ",\"perturbations\":null");
        return;
    }
    pbt_buf_text(out, ",\"perturbations\":{\"unit\":");
    pbt_buf_text(out, settings->time_attr == PBT_TIME_SECONDS
                          ? "\"time_total_s\""
                          : "\"training_iteration\"");
    pbt_cli_json_real(out, "interval", settings->perturbation_interval);
    pbt_cli_json_real(out, "first", points.first);
    if (points.known && points.count > 0) {
        pbt_cli_json_real(out, "last", points.last);
    } else {
        pbt_buf_text(out, ",\"last\":null");
    }
    if (points.known) {
        pbt_cli_json_real(out, "of_each_trial", points.count);
    } else {
        pbt_buf_text(out, ",\"of_each_trial\":null");
    }
    pbt_buf_char(out, '}');
}

static void put_disk(struct pbt_buf *out,
                     const struct pbt_cli_forecast *forecast)
{
    pbt_buf_printf(out, ",\"disk\":{\"checkpoints\":%" PRIu64, forecast->count);
    if (forecast->each > 0) {
        pbt_buf_printf(out, ",\"bytes_each\":%" PRIu64, forecast->each);
        pbt_cli_json_text(out, "seen_in", forecast->from);
    } else {
        pbt_buf_text(out, ",\"bytes_each\":null,\"seen_in\":null");
    }
    if (forecast->free != UINT64_MAX) {
        pbt_buf_printf(out, ",\"bytes_free\":%" PRIu64 "}", forecast->free);
    } else {
        pbt_buf_text(out, ",\"bytes_free\":null}");
    }
}

static void put_settings(struct pbt_buf *out, const struct pbt_spec *spec)
{
    const char *between = "";
    pbt_buf_text(out, ",\"settings\":[");
    for (int i = 0; i < PBT_KEY_COUNT; i++) {
        enum pbt_key_type type = pbt_keys[i].type;
        struct pbt_origin origin = spec->origins[i];
        struct pbt_buf value;
        if (type == PBT_TYPE_SECTION) {
            continue;
        }
        pbt_buf_init(&value, PBT_CLI_OUTPUT_MAX);
        pbt_cli_put_setting(spec, i, &value);
        pbt_buf_printf(out, "%s{\"key\":\"%s\",\"value\":", between,
                       pbt_keys[i].path);
        pbt_buf_json_string(out, value.data, value.length);
        pbt_cli_json_text(out, "from",
                          origin.line == 0     ? "default"
                          : origin.source == 0 ? "file"
                                               : "command line");
        if (origin.line > 0 && origin.source == 0) {
            pbt_buf_printf(out, ",\"line\":%zu", origin.line);
        }
        pbt_buf_char(out, '}');
        out->failed = out->failed || pbt_buf_failed(&value);
        pbt_buf_done(&value);
        between = ",";
    }
    pbt_buf_char(out, ']');
}

void pbt_cli_put_check_json(const struct pbt_spec *spec,
                            const struct pbt_budget *budget,
                            const struct pbt_cli_forecast *forecast,
                            struct pbt_buf *out)
{
    const struct pbt_settings *settings = &spec->settings;
    pbt_buf_text(out, "{\"version\":1");
    pbt_cli_json_text(out, "name", spec->name);
    pbt_buf_printf(out, ",\"seed\":\"%" PRIu64 "\"", settings->seed);
    put_strings(out, "command", spec->command);
    pbt_cli_json_text(out, "trainable", spec->no_client ? "command" : "worker");
    pbt_buf_printf(out, ",\"trials\":%" PRIu32 ",\"at_a_time\":%" PRIu32,
                   settings->population,
                   budget->slots < settings->population ? budget->slots
                                                        : settings->population);
    if (spec->metric != NULL) {
        pbt_cli_json_text(out, "metric", spec->metric);
        pbt_cli_json_text(out, "mode", spec->minimize ? "min" : "max");
    } else {
        pbt_buf_text(out, ",\"metric\":null,\"mode\":null");
    }
    put_points(out, spec);
    put_disk(out, forecast);
    put_settings(out, spec);
    pbt_buf_text(out, "}\n");
}
