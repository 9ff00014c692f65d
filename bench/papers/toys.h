/*
 * toys.h: the programs of examples/papers, to be run in this process.
 */
#ifndef PAPERS_TOYS_H
#define PAPERS_TOYS_H

#include "world.h"

extern const struct toy toy_figure2;
extern const struct toy toy_plain;
extern const struct toy toy_deceptive;
extern const struct toy toy_accuracy;

#endif
