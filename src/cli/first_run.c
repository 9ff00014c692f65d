/*
 * first_run.c: the command line of a program without a client as it will be run first.
 * What only the run can tell (paths, iterations) stays a placeholder.
 */
#include <stdlib.h>
#include <string.h>

#include "base/draw.h"
#include "base/names.h"
#include "cli/summary.h"
#include "command/fill.h"
#include "spec/problems.h"

#define JSON_MAX (4u << 20)

/* As the core creates a trial: drawn, unless the file gives a first value. */
static void first_values(const struct pbt_settings *settings,
                         struct pbt_cell *cells)
{
    struct pbt_draw_key key = {.seed = settings->seed,
                               .purpose = PBT_DRAW_INITIAL};
    pbt_space_initial(&settings->space, &key, cells);
    for (uint32_t i = 0; settings->point_count > 0 && i < settings->space.count;
         i++) {
        if (settings->points[i].type != PBT_CELL_NONE) {
            cells[i] = settings->points[i];
        }
    }
}

static json_t *first_config(const struct pbt_spec *spec)
{
    struct pbt_buf json;
    struct pbt_cell *cells =
        calloc((size_t)spec->settings.space.count + 1, sizeof *cells);
    if (cells == NULL) {
        return NULL;
    }
    first_values(&spec->settings, cells);
    pbt_buf_init(&json, JSON_MAX);
    pbt_spec_config_json(spec, cells, &json);
    json_t *config = pbt_buf_failed(&json)
                         ? NULL
                         : json_loadb(json.data, json.length, 0, NULL);
    pbt_buf_done(&json);
    free(cells);
    return config;
}

void pbt_cli_put_first_run(const struct pbt_spec *spec, struct pbt_buf *out)
{
    struct pbt_error error;
    char id[PBT_TRIAL_ID_SIZE];
    char **argv = NULL;
    struct pbt_fill fill = {
        .own = {[PBT_PLACEHOLDER_CHECKPOINT_IN] = "",
                [PBT_PLACEHOLDER_CHECKPOINT_OUT] = "{checkpoint_out}",
                [PBT_PLACEHOLDER_CONFIG] = "{config}",
                [PBT_PLACEHOLDER_METRICS] = "{metrics}",
                [PBT_PLACEHOLDER_FROM] = "0",
                [PBT_PLACEHOLDER_UNTIL] = "{until}",
                [PBT_PLACEHOLDER_STEPS] = "{steps}",
                [PBT_PLACEHOLDER_SEED] = "{seed}",
                [PBT_PLACEHOLDER_TRIAL] = id,
                [PBT_PLACEHOLDER_TRIAL_NUMBER] = "0",
                [PBT_PLACEHOLDER_TRIAL_DIR] = "{trial_dir}"},
        .templates = spec->templates};
    json_t *config = first_config(spec);
    fill.config = config;
    pbt_trial_id(spec->settings.seed, 0, id);
    if (config == NULL) {
        pbt_buf_text(out, "first run    out of memory\n");
    } else if (pbt_fill_command(&fill, spec->command, &argv, &error) !=
               PBT_OK) {
        pbt_buf_printf(out, "first run    %s\n", error.text);
    } else {
        pbt_buf_text(out, "first run   ");
        for (char **word = argv; *word != NULL; word++) {
            pbt_line_word(out, *word, NULL);
        }
        pbt_buf_char(out, '\n');
    }
    pbt_fill_free(argv);
    json_decref(config);
}
