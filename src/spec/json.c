/*
 * Configurations as JSON, for the journal, the workers and the logs.  Written by
 * hand: this runs with every exploit and start.
 */
#include <string.h>

#include "spec/reader.h"
#include "spec/spec.h"

void pbt_spec_cell_json(const struct pbt_spec *spec, struct pbt_cell cell,
                        struct pbt_buf *out)
{
    switch ((enum pbt_cell_type)cell.type) {
    case PBT_CELL_NONE:
        pbt_buf_text(out, "null");
        break;
    case PBT_CELL_INT:
        pbt_buf_i64(out, cell.u.i);
        break;
    case PBT_CELL_REAL:
        pbt_buf_real(out, cell.u.r);
        break;
    case PBT_CELL_BOOL:
        pbt_buf_text(out, cell.u.i != 0 ? "true" : "false");
        break;
    case PBT_CELL_TEXT:
        pbt_buf_text(out, pbt_texts_get(&spec->texts, cell.text));
        break;
    }
}

static void close_groups(struct pbt_buf *out, const char *name, size_t from,
                         size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (name[i] == '/') {
            pbt_buf_char(out, '}');
        }
    }
}

static void put_values(const struct pbt_spec *spec,
                       const struct pbt_cell *cells, bool part,
                       struct pbt_buf *out)
{
    const struct pbt_space *space = &spec->settings.space;
    const char *last = "";
    size_t open = 0; /* bytes of `last` whose objects are open */
    bool first = true;
    pbt_buf_char(out, '{');
    for (uint32_t i = 0; i < space->count; i++) {
        uint32_t at = spec->order != NULL ? spec->order[i] : i;
        const char *name = space->params[at].name;
        if (part && cells[at].type == PBT_CELL_NONE) {
            continue;
        }
        size_t shared = pbt_shared_group(last, name);
        shared = shared < open ? shared : open;
        close_groups(out, last, shared, open);
        if (!first) {
            pbt_buf_char(out, ',');
        }
        const char *word = name + shared;
        for (const char *slash = strchr(word, '/'); slash != NULL;
             slash = strchr(word, '/')) {
            pbt_buf_json_string(out, word, (size_t)(slash - word));
            pbt_buf_text(out, ":{");
            word = slash + 1;
        }
        pbt_buf_json_string(out, word, strlen(word));
        pbt_buf_char(out, ':');
        pbt_spec_cell_json(spec, cells[at], out);
        last = name;
        open = pbt_group_length(name);
        first = false;
    }
    close_groups(out, last, 0, open);
    pbt_buf_char(out, '}');
}

void pbt_spec_config_json(const struct pbt_spec *spec,
                          const struct pbt_cell *cells, struct pbt_buf *out)
{
    put_values(spec, cells, false, out);
}

void pbt_spec_point_json(const struct pbt_spec *spec,
                         const struct pbt_cell *cells, struct pbt_buf *out)
{
    put_values(spec, cells, true, out);
}
