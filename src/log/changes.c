#include "log/changes.h"

#include <stdio.h>
#include <string.h>

#include "log/python.h"

#define NAME_MAX_SHOWN 20
#define VALUE_MAX ((size_t)1 << 20)
/* Beyond it a value was drawn anew, and a factor says nothing. */
#define FACTOR_MAX 2.0

static double number_of(struct pbt_cell cell)
{
    return cell.type == PBT_CELL_INT ? (double)cell.u.i : cell.u.r;
}

static bool same_cell(struct pbt_cell a, struct pbt_cell b)
{
    if (pbt_cell_is_number(a) && pbt_cell_is_number(b)) {
        double x = number_of(a);
        double y = number_of(b);
        return !(x < y) && !(x > y);
    }
    return a.type == b.type && a.text == b.text &&
           (a.type != PBT_CELL_BOOL || a.u.i == b.u.i);
}

/* The end of a long name says more than its start: model/encoder/lr. */
static const char *short_name(const char *name, const char **dots)
{
    size_t length = strlen(name);
    *dots = length > NAME_MAX_SHOWN ? "..." : "";
    if (length <= NAME_MAX_SHOWN) {
        return name;
    }
    const char *tail = name + length - (NAME_MAX_SHOWN - 3);
    while (((unsigned char)*tail & 0xc0) == 0x80) {
        tail++; /* not into a character */
    }
    return tail;
}

static int put_change(const struct pbt_spec *spec, uint32_t param,
                      struct pbt_cell from, struct pbt_cell to, char *text,
                      size_t size)
{
    const char *dots;
    const char *name =
        short_name(spec->settings.space.params[param].name, &dots);
    if (pbt_cell_is_number(from) && pbt_cell_is_number(to)) {
        double new = number_of(to);
        double factor = new / number_of(from);
        if (factor >= 1 / FACTOR_MAX && factor <= FACTOR_MAX) {
            return snprintf(text, size, "%s%s x%.3g", dots, name, factor);
        }
        return snprintf(text, size, "%s%s=%.4g", dots, name, new);
    }
    struct pbt_buf value;
    pbt_buf_init(&value, VALUE_MAX);
    pbt_shape_cell_repr(spec, to, false, &value);
    int n = snprintf(text, size, "%s%s=%s", dots, name,
                     value.data == NULL ? "" : value.data);
    pbt_buf_done(&value);
    return n;
}

void pbt_changes_text(const struct pbt_spec *spec, const struct pbt_cell *from,
                      const struct pbt_cell *to, char *text, size_t size)
{
    char change[128];
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; from != NULL && i < spec->settings.space.count; i++) {
        if (same_cell(from[i], to[i])) {
            continue;
        }
        int n = put_change(spec, i, from[i], to[i], change, sizeof change);
        size_t length = n < 0 ? 0 : (size_t)n;
        const char *between = used > 0 ? ", " : "";
        if (length >= sizeof change ||
            used + strlen(between) + length + sizeof ", ..." > size) {
            (void)snprintf(text + used, size - used, "%s...", between);
            return;
        }
        used +=
            (size_t)snprintf(text + used, size - used, "%s%s", between, change);
    }
}
