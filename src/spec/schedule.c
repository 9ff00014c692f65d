/*
 * scheduler.schedule: what a replay does, and when:
 *
 *     schedule: [{training_iteration: 5, config: {lr: 0.01}}, ...]
 *
 * A change is made after the first result at or past its iteration; what it does not name
 * stays as it is.
 */
#include "spec/reader.h"

#include "spec/scalar.h"

static bool read_iteration(struct pbt_reader *reader,
                           const struct pbt_node *node, int64_t *iteration)
{
    struct pbt_scalar scalar = {.type = PBT_SCALAR_NULL};
    if (node->kind == PBT_NODE_SCALAR) {
        scalar = pbt_scalar_read(node->text, node->length, node->plain);
    }
    if (scalar.type != PBT_SCALAR_INT || scalar.i < 0) {
        pbt_reader_expected(reader, PBT_E0340, node, "training_iteration",
                            "a whole number of at least 0");
        return false;
    }
    *iteration = scalar.i;
    return true;
}

static bool read_change(struct pbt_reader *reader, const struct pbt_node *item,
                        struct pbt_change *change, struct pbt_cell *cells)
{
    const struct pbt_node *at =
        item->kind == PBT_NODE_MAP
            ? pbt_node_find(item, "training_iteration", 18)
            : NULL;
    const struct pbt_node *config =
        item->kind == PBT_NODE_MAP ? pbt_node_find(item, "config", 6) : NULL;
    if (at == NULL || config == NULL || item->count != 2 ||
        config->value->kind != PBT_NODE_MAP) {
        pbt_reader_expected(reader, PBT_E0340, item, "schedule",
                            "changes: {training_iteration: N, config: {...}}");
        return false;
    }
    change->cells = cells;
    pbt_read_point(reader, config->value, cells);
    return read_iteration(reader, at->value, &change->iteration);
}

void pbt_read_schedule(struct pbt_reader *reader, const struct pbt_node *list)
{
    struct pbt_settings *settings = &reader->spec->settings;
    size_t each = settings->space.count;
    if (list->kind != PBT_NODE_LIST) {
        pbt_reader_expected(reader, PBT_E0340, list, "schedule",
                            "a list of changes");
        return;
    }
    struct pbt_change *changes = pbt_arena_array(
        &reader->spec->memory, list->count + 1, sizeof *changes);
    struct pbt_cell *cells = pbt_arena_array(
        &reader->spec->memory, list->count * each + 1, sizeof *cells);
    if (changes == NULL || cells == NULL) {
        return;
    }
    uint32_t count = 0;
    for (const struct pbt_node *item = list->first; item != NULL;
         item = item->next) {
        struct pbt_change *change = &changes[count];
        if (!read_change(reader, item, change, cells + count * each)) {
            return;
        }
        if (count > 0 && change->iteration < changes[count - 1].iteration) {
            pbt_problem(reader->problems, PBT_E0340, item->span,
                        "a change comes before the one in front of it");
            return;
        }
        count++;
    }
    settings->schedule = changes;
    settings->schedule_count = count;
}
