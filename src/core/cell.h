/*
 * cell.h: one hyperparameter value in 16 bytes.
 */
#ifndef PBT_CORE_CELL_H
#define PBT_CORE_CELL_H

#include <stdbool.h>
#include <stdint.h>

enum pbt_cell_type {
    PBT_CELL_NONE, /* absent: to be filled from the mutations */
    PBT_CELL_INT,
    PBT_CELL_REAL,
    PBT_CELL_BOOL, /* in i: 0 or 1 */
    /*
     * Anything else (a string, null, a list): a handle of base/texts.h.  The core
     * only compares it.
     */
    PBT_CELL_TEXT,
};

struct pbt_cell {
    uint32_t type; /* an enum pbt_cell_type */
    uint32_t text; /* PBT_CELL_TEXT */
    union {
        int64_t i; /* PBT_CELL_INT, PBT_CELL_BOOL */
        double r;  /* PBT_CELL_REAL */
    } u;
};

static inline struct pbt_cell pbt_cell_int(int64_t value)
{
    return (struct pbt_cell){.type = PBT_CELL_INT, .u.i = value};
}

static inline struct pbt_cell pbt_cell_real(double value)
{
    return (struct pbt_cell){.type = PBT_CELL_REAL, .u.r = value};
}

/* Same type and same value; two NaNs are the same, 1 and 1.0 are not. */
bool pbt_cell_same(struct pbt_cell a, struct pbt_cell b);

/* True for the types that are numbers: integers and reals. */
static inline bool pbt_cell_is_number(struct pbt_cell cell)
{
    return cell.type == PBT_CELL_INT || cell.type == PBT_CELL_REAL;
}

/* A number as a double; 0 for other types. */
double pbt_cell_number(struct pbt_cell cell);

#endif
