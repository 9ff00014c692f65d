#include "log/status_json.h"

#include <inttypes.h>
#include <string.h>

#include "base/names.h"

static void put_string(struct pbt_buf *out, const char *text)
{
    pbt_buf_json_string(out, text, strlen(text));
}

static void put_best(struct pbt_buf *out, const struct pbt_board *board)
{
    pbt_buf_text(out, ",\"best\":");
    if (!board->has_best) {
        pbt_buf_text(out, "null");
        return;
    }
    pbt_buf_text(out, "{\"trial\":");
    put_string(out, board->trials[board->best_trial].id);
    pbt_buf_text(out, ",\"score\":");
    pbt_buf_real(out, board->best_score);
    pbt_buf_printf(
        out, ",\"iteration\":%" PRId64 ",\"config\":", board->best_iteration);
    pbt_spec_config_json(board->spec, board->best_cells, out);
    pbt_buf_char(out, '}');
}

static void put_parent(struct pbt_buf *out, const struct pbt_board *board,
                       const struct pbt_board_trial *trial)
{
    char parent[PBT_BOARD_PARENT_SIZE];
    pbt_board_parent(board, trial->parent, parent);
    if (parent[0] == '\0') {
        pbt_buf_text(out, "null");
    } else {
        put_string(out, parent);
    }
}

static void put_trial(struct pbt_buf *out, const struct pbt_board *board,
                      const struct pbt_board_trial *trial)
{
    pbt_buf_text(out, "{\"id\":");
    put_string(out, trial->id);
    pbt_buf_text(out, ",\"status\":");
    put_string(out, pbt_trial_status_name(trial->status));
    if (trial->pid == 0) {
        pbt_buf_text(out, ",\"pid\":null");
    } else {
        pbt_buf_printf(out, ",\"pid\":%" PRId64, trial->pid);
    }
    pbt_buf_text(out, ",\"host\":");
    put_string(out, trial->host);
    pbt_buf_printf(
        out, ",\"iteration\":%" PRId64 ",\"time_total_s\":", trial->iteration);
    pbt_buf_real(out, trial->time_total);
    pbt_buf_text(out, ",\"score\":");
    pbt_buf_real(out, trial->score);
    pbt_buf_printf(out,
                   ",\"failures\":%" PRIu32 ",\"exploits\":%" PRIu32
                   ",\"undone\":%" PRIu32 ",\"epoch\":%" PRIu64
                   ",\"lineage\":\"%" PRIu64 "\",\"parent\":",
                   trial->failures, trial->exploits, trial->undone,
                   trial->epoch, trial->lineage);
    put_parent(out, board, trial);
    pbt_buf_text(out, ",\"config\":");
    pbt_spec_config_json(board->spec, trial->cells, out);
    pbt_buf_char(out, '}');
}

void pbt_status_json(const struct pbt_board *board, struct pbt_buf *out)
{
    const struct pbt_spec *spec = board->spec;
    pbt_buf_text(out, "{\"version\":1,\"name\":");
    put_string(out, spec->name);
    pbt_buf_printf(out,
                   ",\"record\":%" PRIu64 ",\"clock\":%" PRIu64
                   ",\"wall\":%" PRId64
                   ",\"end\":\"%s\",\"incarnation\":%" PRIu64
                   ",\"slots\":%" PRIu32 ",\"metric\":",
                   board->records, board->time, board->wall,
                   pbt_end_name(board->end), board->incarnations, board->slots);
    put_string(out, spec->metric == NULL ? "" : spec->metric);
    pbt_buf_printf(out,
                   ",\"mode\":\"%s\",\"results\":%" PRIu64
                   ",\"checkpoints\":%" PRIu64 ",\"perturbations\":%" PRIu64
                   ",\"undone\":%" PRIu64,
                   spec->minimize ? "min" : "max", board->results,
                   board->checkpoints, board->perturbations, board->undone);
    pbt_buf_text(out, ",\"ignored\":");
    pbt_board_put_ignored(board, out);
    put_best(out, board);
    pbt_buf_text(out, ",\"trials\":[");
    const char *comma = "";
    for (uint32_t i = 0; i < spec->settings.population; i++) {
        if (board->trials[i].created) {
            pbt_buf_text(out, comma);
            put_trial(out, board, &board->trials[i]);
            comma = ",";
        }
    }
    pbt_buf_text(out, "]}\n");
}
