/*
 * python.h: values as Python prints them, since Ray's files and table are what its
 * json.dumps(), str() and repr() give.
 */
#ifndef PBT_LOG_PYTHON_H
#define PBT_LOG_PYTHON_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/buf.h"
#include "core/cell.h"
#include "spec/spec.h"

struct pbt_python_style {
    /* json.dumps(..., indent=2); else in one line, ", " and ": " */
    bool indent;
    bool sort; /* sort_keys=True */
    /* NaN, Infinity as Python writes them; else strings: strict JSON */
    bool bare_nan;
};

/* A string as json.dumps() writes it: in ASCII, with its quotes. */
void pbt_python_string(struct pbt_buf *out, const char *text, size_t length);

/* A real as json.dumps() writes it: repr(), "0.1", "1e-05", "1.0". */
void pbt_python_real(struct pbt_buf *out, double value, bool bare_nan);

/* json.dumps(value) */
void pbt_python_json(struct pbt_buf *out, const json_t *value,
                     struct pbt_python_style style);

/* repr(value): {'lr': 0.1, 'layers': [1, 2], 'act': 'relu', 'x': None} */
void pbt_python_repr(struct pbt_buf *out, const json_t *value);

/*
 * Configurations.  The shape of one (names like "outer/inner" as nested objects) is
 * the same through a run, and computed once: a tree whose leaves are numbers of parameters.
 */
struct pbt_shape {
    const struct pbt_spec *spec;
    json_t *tree;
};

/* `spec` is borrowed.  PBT_ENOMEM. */
int pbt_shape_init(struct pbt_shape *shape, const struct pbt_spec *spec,
                   struct pbt_error *error);
void pbt_shape_done(struct pbt_shape *shape);

/* json.dumps(config), in the table's order (unless sorted). */
void pbt_shape_json(const struct pbt_shape *shape, const struct pbt_cell *cells,
                    struct pbt_python_style style, struct pbt_buf *out);

/* repr(config), in the table's order. */
void pbt_shape_repr(const struct pbt_shape *shape, const struct pbt_cell *cells,
                    struct pbt_buf *out);

/* One value as repr() or, without quotes for a string, str(). */
void pbt_shape_cell_repr(const struct pbt_spec *spec, struct pbt_cell cell,
                         bool quotes, struct pbt_buf *out);

/*
 * Ray's experiment tags: "lr=0.1602,momentum=0.0277", sorted by name; nothing if there are
 * none.  `drawn`: of what was drawn at first (by the last part of the name); else of what is
 * mutated (by top-level names, nested objects as a whole).
 */
void pbt_shape_tag(const struct pbt_shape *shape, const struct pbt_cell *cells,
                   bool drawn, struct pbt_buf *out);

#endif
