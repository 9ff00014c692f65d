/*
 * scheduler.schedule: what a replay does, and when:
 *
 *     schedule: [{training_iteration: 5, config: {lr: 0.01}}, ...]
 *
 * A change is made after the first result at or past its iteration; what it does not name
 * stays as it is.  scheduler.policy names a policy file that has both this and what the
 * trial starts with.
 */
#include "spec/reader.h"

#include <string.h>

#include "spec/policy_file.h"
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

/* --- scheduler.policy ------------------------------------------------------ */

/* All of a tree is where the key stands that it was read for. */
static void place(struct pbt_node *node, struct pbt_span span)
{
    node->span = span;
    for (struct pbt_node *child = node->first; child != NULL;
         child = child->next) {
        place(child, span);
        if (child->value != NULL) {
            place(child->value, span);
        }
    }
}

static const struct pbt_node *read_json(struct pbt_reader *reader,
                                        struct pbt_arena *arena,
                                        const struct pbt_buf *json,
                                        struct pbt_span span)
{
    struct pbt_source source = {"policy", json->data, json->length};
    struct pbt_problems *problems = reader->problems;
    uint32_t before = problems->count;
    struct pbt_node *root =
        pbt_tree_json(&source, span.source, arena, problems);
    for (uint32_t i = before; i < problems->count && i < PBT_PROBLEMS_MAX;
         i++) {
        problems->items[i].span = span;
    }
    if (root != NULL) {
        place(root, span);
    }
    return root;
}

static bool append_key(struct pbt_arena *arena, struct pbt_node *map,
                       const struct pbt_node *key, struct pbt_node *value)
{
    struct pbt_node *copy = pbt_arena_alloc(arena, sizeof *copy);
    if (copy == NULL) {
        return false;
    }
    *copy = *key;
    copy->next = NULL;
    copy->value = value;
    pbt_node_append(map, copy);
    return true;
}

/* `above` on `below`; what comes from sources behind `source` stays.  NULL without memory. */
static struct pbt_node *lay_on(struct pbt_arena *arena,
                               const struct pbt_node *below,
                               const struct pbt_node *above, uint32_t source)
{
    struct pbt_node *map = pbt_node_new(arena, PBT_NODE_MAP, above->span);
    bool good = map != NULL;
    for (const struct pbt_node *key = below->first; good && key != NULL;
         key = key->next) {
        const struct pbt_node *other =
            pbt_node_find(above, key->text, key->length);
        struct pbt_node *value = key->value;
        if (other != NULL && key->span.source <= source) {
            bool both = value->kind == PBT_NODE_MAP &&
                        other->value->kind == PBT_NODE_MAP &&
                        !pbt_is_distribution(value);
            value = both ? lay_on(arena, value, other->value, source)
                         : other->value;
        }
        good = value != NULL && append_key(arena, map, key, value);
    }
    for (const struct pbt_node *key = above->first; good && key != NULL;
         key = key->next) {
        good = pbt_node_find(below, key->text, key->length) != NULL ||
               append_key(arena, map, key, key->value);
    }
    return good ? map : NULL;
}

/* Each line that was left out is a warning. */
static void warn_skipped(struct pbt_reader *reader, const struct pbt_node *node,
                         const struct pbt_buf *skipped)
{
    const char *line = skipped->data;
    while (line != NULL && *line != '\0') {
        size_t length = strcspn(line, "\n");
        pbt_reader_warn(reader, PBT_W0109, node, "%.*s", (int)length, line);
        line += length + (line[length] == '\n' ? 1 : 0);
    }
}

static void take_policy(struct pbt_reader *reader, struct pbt_arena *arena,
                        const struct pbt_node *node,
                        const struct pbt_policy_schedule *policy)
{
    const struct pbt_node **config = &reader->given[PBT_KEY_CONFIG];
    const struct pbt_node *first =
        read_json(reader, arena, &policy->config, node->span);
    warn_skipped(reader, node, &policy->skipped);
    reader->given[PBT_KEY_SCHEDULE] =
        read_json(reader, arena, &policy->schedule, node->span);
    if (first != NULL && *config != NULL && (*config)->kind == PBT_NODE_MAP) {
        first = lay_on(arena, *config, first, node->span.source);
    }
    *config = first != NULL ? first : *config;
}

static bool is_replay(const struct pbt_reader *reader)
{
    const struct pbt_node *type = reader->given[PBT_KEY_TYPE];
    return type != NULL && type->kind == PBT_NODE_SCALAR &&
           strcmp(type->text, "replay") == 0;
}

void pbt_read_policy(struct pbt_reader *reader, struct pbt_arena *arena)
{
    const struct pbt_node *node = reader->given[PBT_KEY_POLICY];
    struct pbt_policy_schedule policy;
    struct pbt_error error;
    if (!is_replay(reader)) {
        pbt_problem_label(pbt_problem(reader->problems, PBT_E0342, node->span,
                                      "a policy file is for a replay"),
                          "add `type: replay`, or leave it out");
        return;
    }
    if (node->kind != PBT_NODE_SCALAR) {
        pbt_reader_expected(reader, PBT_E0342, node, "policy",
                            "a policy file's path");
        return;
    }
    if (reader->given[PBT_KEY_SCHEDULE] != NULL) {
        pbt_problem_label(pbt_problem(reader->problems, PBT_E0342, node->span,
                                      "a policy file beside a schedule"),
                          "one of the two has to go");
        return;
    }
    const char *path = pbt_read_path(reader, node->text);
    if (path == NULL) {
        return;
    }
    if (pbt_policy_read(path, &policy, &error) != PBT_OK) {
        pbt_problem(reader->problems, pbt_code_find(pbt_error_id(&error)),
                    node->span, "%s", error.text);
        return;
    }
    take_policy(reader, arena, node, &policy);
    pbt_policy_schedule_done(&policy);
}
