/*
 * numbers.h: the checkpoint of a toy: a few numbers in a text file, exact to the bit.
 */
#ifndef PAPERS_NUMBERS_H
#define PAPERS_NUMBERS_H

#include <stddef.h>

#include <pbt/error.h>

/* For save_checkpoint(). */
int numbers_save(const char *dir, const double *numbers, size_t count,
                 struct pbt_error *error);

/* For load_checkpoint(): as many numbers as were saved. */
int numbers_load(const char *dir, double *numbers, size_t count,
                 struct pbt_error *error);

#endif
