/*
 * pbt lineage: who descends from whom.
 *
 * A line that goes on without branching stays at its depth: only where several take over from the
 * same node are they set off.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/results.h"
#include "log/python.h"
#include "results/tree.h"

struct tree {
    const struct pbt_results *results;
    const struct pbt_fold *fold;
    struct pbt_tree of;
    struct pbt_buf *out;
    struct pbt_buf prefix;
    bool unicode;
    uint32_t best; /* trial, or PBT_NONE */
};

/* --- for people ----------------------------------------------------------------- */

static const struct pbt_cell *cells_of(const struct tree *tree,
                                       const struct pbt_tree_node *node)
{
    size_t count = tree->fold->spec->settings.space.count;
    return node->exploit == PBT_NONE
               ? tree->fold->trials[node->trial].first
               : tree->fold->exploit_cells + node->exploit * count;
}

/* "  lr=0.02, momentum=0.9": all that is mutated, or of an exploit what it changed. */
static void put_values(struct tree *tree, const struct pbt_tree_node *node)
{
    const struct pbt_spec *spec = tree->fold->spec;
    const struct pbt_space *space = &spec->settings.space;
    const struct pbt_cell *cells = cells_of(tree, node);
    const struct pbt_cell *before =
        node->parent == PBT_NONE
            ? NULL
            : cells_of(tree, &tree->of.nodes[node->parent]);
    const char *between = "  ";
    for (uint32_t i = 0; i < space->count; i++) {
        bool same = before != NULL && pbt_cell_same(before[i], cells[i]);
        if (same || (before == NULL && !pbt_space_is_explored(space, i))) {
            continue;
        }
        pbt_buf_printf(tree->out, "%s%s=", between, space->params[i].name);
        if (cells[i].type == PBT_CELL_REAL) {
            pbt_buf_printf(tree->out, "%.4g", cells[i].u.r);
        } else {
            pbt_shape_cell_repr(spec, cells[i], false, tree->out);
        }
        between = ", ";
    }
}

static void put_present(struct tree *tree, const struct pbt_tree_node *node)
{
    const struct pbt_trial_info *trial =
        pbt_results_trial(tree->results, node->trial);
    const char *metric = pbt_results_run(tree->results)->metric;
    pbt_buf_printf(tree->out, "  %s now at %" PRId64,
                   tree->unicode ? "\xe2\x97\x8f" : "*", trial->iteration);
    if (!isnan(trial->score)) {
        pbt_buf_printf(tree->out, ", %s %.4g",
                       metric != NULL ? metric : "score", trial->score);
    }
    if (trial->number == tree->best) {
        pbt_buf_text(tree->out, ", the best");
    }
}

static void put_node(struct tree *tree, const struct pbt_tree_node *node,
                     const char *mark)
{
    size_t count;
    const struct pbt_exploit_info *exploits =
        pbt_results_exploits(tree->results, &count);
    pbt_buf_put(tree->out, tree->prefix.data, tree->prefix.length);
    pbt_buf_printf(tree->out, "%s%s", mark,
                   pbt_results_trial(tree->results, node->trial)->id);
    if (node->exploit != PBT_NONE) {
        const struct pbt_exploit_info *exploit = &exploits[node->exploit];
        pbt_buf_printf(tree->out, "  from %" PRId64, exploit->donor_iteration);
        pbt_buf_text(tree->out, exploit->undone ? " (undone)" : "");
    }
    put_values(tree, node);
    if (node->present) {
        put_present(tree, node);
    }
    pbt_buf_char(tree->out, '\n');
}

/*
 * Deep trees are walked without recursion: at each node the way back is its parent.  `prefix` has
 * three columns for each branch on the way.
 */
static size_t bar_bytes(const struct tree *tree, bool more)
{
    return tree->unicode && more ? 5 : 3;
}

static bool is_branch(const struct tree *tree, uint32_t root, uint32_t at)
{
    return at != root && tree->of.nodes[tree->of.nodes[at].parent].children > 1;
}

/* From a node without children to where another branch begins; PBT_NONE: nowhere. */
static uint32_t go_back(struct tree *tree, uint32_t root, uint32_t at)
{
    for (;;) {
        const struct pbt_tree_node *node = &tree->of.nodes[at];
        bool more = node->next != PBT_NONE;
        if (is_branch(tree, root, at) && tree->prefix.length > 0) {
            tree->prefix.length -= bar_bytes(tree, more);
        }
        if (at == root || more) {
            return at == root ? PBT_NONE : node->next;
        }
        at = node->parent;
    }
}

static void put_subtree(struct tree *tree, uint32_t root)
{
    const char *tee = tree->unicode ? "\xe2\x94\x9c\xe2\x94\x80 " : "+- ";
    const char *end = tree->unicode ? "\xe2\x94\x94\xe2\x94\x80 " : "`- ";
    const char *bar = tree->unicode ? "\xe2\x94\x82  " : "|  ";
    uint32_t at = root;
    pbt_buf_reset(&tree->prefix);
    while (at != PBT_NONE) {
        const struct pbt_tree_node *node = &tree->of.nodes[at];
        bool branch = is_branch(tree, root, at);
        bool more = node->next != PBT_NONE;
        put_node(tree, node, branch ? (more ? tee : end) : "");
        if (branch) {
            pbt_buf_text(&tree->prefix, more ? bar : "   ");
        }
        at = node->first_child != PBT_NONE ? node->first_child
                                           : go_back(tree, root, at);
    }
}

static void put_tree(struct tree *tree)
{
    uint32_t trials = pbt_results_run(tree->results)->trials;
    const struct pbt_board *board = pbt_results_board(tree->results);
    pbt_buf_init(&tree->prefix, PBT_CLI_OUTPUT_MAX);
    tree->best = PBT_NONE;
    double score = (double)NAN;
    for (uint32_t i = 0; i < trials; i++) {
        double own = pbt_results_trial(tree->results, i)->score;
        if (isfinite(own) &&
            (tree->best == PBT_NONE || pbt_board_better(board, own, score))) {
            tree->best = i;
            score = own;
        }
    }
    for (uint32_t i = 0; i < trials; i++) {
        if (tree->of.nodes[i].shown) {
            put_subtree(tree, i);
        }
    }
    tree->out->failed = tree->out->failed || pbt_buf_failed(&tree->prefix);
    pbt_buf_done(&tree->prefix);
}

/* --- one line ------------------------------------------------------------------- */

/* From the beginning to what trial `number` has now: nodes; NULL without memory. */
static uint32_t *line_of(const struct tree *tree, uint32_t number,
                         size_t *count)
{
    uint32_t node = pbt_tree_node(
        &tree->of, number, pbt_results_trial(tree->results, number)->exploit);
    *count = 0;
    for (uint32_t i = node; i != PBT_NONE; i = tree->of.nodes[i].parent) {
        (*count)++;
    }
    uint32_t *line = malloc((*count + 1) * sizeof *line);
    size_t at = *count;
    for (; line != NULL && node != PBT_NONE;
         node = tree->of.nodes[node].parent) {
        line[--at] = node;
    }
    return line;
}

static void put_line(struct tree *tree, uint32_t number)
{
    size_t count;
    uint32_t *line = line_of(tree, number, &count);
    tree->out->failed = tree->out->failed || line == NULL;
    pbt_buf_init(&tree->prefix, PBT_CLI_OUTPUT_MAX);
    tree->best = PBT_NONE;
    for (size_t i = 0; line != NULL && i < count; i++) {
        struct pbt_tree_node node = tree->of.nodes[line[i]];
        node.present = i + 1 == count;
        put_node(tree, &node, "");
    }
    free(line);
}

/* --- as JSON -------------------------------------------------------------------- */

/* Steps as in the view `lineage` of experiment.db. */
static void put_step(struct tree *tree, const struct pbt_tree_node *node,
                     const struct pbt_tree_node *next, uint32_t generation,
                     int64_t last)
{
    size_t count;
    const struct pbt_exploit_info *exploits =
        pbt_results_exploits(tree->results, &count);
    struct pbt_buf *out = tree->out;
    int64_t first =
        node->exploit == PBT_NONE ? 0 : exploits[node->exploit].donor_iteration;
    last = next == NULL ? last : exploits[next->exploit].donor_iteration;
    pbt_buf_printf(out,
                   "{\"generation\":%" PRIu32 ",\"trained_by\":\"%s\","
                   "\"first\":%" PRId64 ",\"last\":%" PRId64 ",\"exploit\":",
                   generation,
                   pbt_results_trial(tree->results, node->trial)->id, first + 1,
                   last);
    if (node->exploit == PBT_NONE) {
        pbt_buf_text(out, "null");
    } else {
        pbt_buf_u64(out, node->exploit);
    }
    pbt_buf_text(out, ",\"config\":");
    pbt_spec_config_json(tree->fold->spec, cells_of(tree, node), out);
    pbt_buf_char(out, '}');
}

static void put_json_line(struct tree *tree, uint32_t number)
{
    size_t count;
    uint32_t *line = line_of(tree, number, &count);
    const struct pbt_trial_info *trial =
        pbt_results_trial(tree->results, number);
    tree->out->failed = tree->out->failed || line == NULL;
    pbt_buf_printf(tree->out,
                   "{\"trial\":\"%s\",\"generation\":%" PRIu32 ",\"lineage\":[",
                   trial->id, trial->generation);
    for (size_t i = 0; line != NULL && i < count; i++) {
        pbt_buf_text(tree->out, i > 0 ? "," : "");
        put_step(tree, &tree->of.nodes[line[i]],
                 i + 1 < count ? &tree->of.nodes[line[i + 1]] : NULL,
                 (uint32_t)i, tree->fold->trials[number].iteration);
    }
    pbt_buf_text(tree->out, "]}");
    free(line);
}

static void put_json(struct tree *tree, const struct pbt_trial_info *trial)
{
    const struct pbt_run_info *run = pbt_results_run(tree->results);
    pbt_buf_text(tree->out, "{\"version\":1");
    pbt_cli_json_text(tree->out, "name", run->name);
    pbt_buf_text(tree->out, ",\"trials\":[");
    for (uint32_t i = 0; trial == NULL && i < run->trials; i++) {
        pbt_buf_text(tree->out, i > 0 ? "," : "");
        put_json_line(tree, i);
    }
    if (trial != NULL) {
        put_json_line(tree, trial->number);
    }
    pbt_buf_text(tree->out, "]}\n");
}

/* --- the verb ------------------------------------------------------------------- */

static int print(const struct pbt_cli_call *call,
                 const struct pbt_results *results,
                 const struct pbt_trial_info *trial)
{
    struct pbt_buf out;
    struct pbt_screen screen;
    pbt_buf_init(&out, PBT_CLI_OUTPUT_MAX);
    pbt_screen_init(&screen, STDOUT_FILENO, PBT_COLOR_NEVER);
    struct tree tree = {.results = results,
                        .fold = &results->fold,
                        .out = &out,
                        .unicode = screen.unicode};
    bool made = pbt_tree_make(&tree.of, results, pbt_cli_given(call, "all"),
                              NULL) == PBT_OK;
    out.failed = !made;
    if (made && pbt_cli_given(call, "json")) {
        put_json(&tree, trial);
    } else if (made && trial != NULL) {
        put_line(&tree, trial->number);
    } else if (made) {
        put_tree(&tree);
    }
    pbt_tree_done(&tree.of);
    return pbt_cli_print(&out);
}

int pbt_cli_lineage(const struct pbt_cli_call *call)
{
    char dir[PATH_MAX];
    struct pbt_results *results;
    const struct pbt_trial_info *trial = NULL;
    int status = pbt_cli_open_results(call, dir, &results);
    if (status != PBT_OK) {
        return status;
    }
    if (call->count > 1) {
        status = pbt_cli_pick_trial(call, results, &trial);
    }
    if (status == PBT_OK) {
        status = print(call, results, trial);
    }
    pbt_results_close(results);
    return status;
}
