/*
 * models.h: the generators that the user names: a checkpoint's directory, or a
 * run, of which the best trial is meant, or all are.
 */
#ifndef DCGAN_MODELS_H
#define DCGAN_MODELS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/failure.h"

struct model {
    char label[64];       /* "27f13_00005  7.12": its trial and its score */
    char directory[4096]; /* that of its checkpoint */
};

struct models {
    size_t count; /* 1 or more */
    struct model *list;
    char
        *data; /* the images that the run names (`data`); NULL: it names none */
};

/* `name`: a directory, or the name of a run in runs/. */
int models_find(struct models *models, const char *name, bool all,
                struct failure *failure);
void models_close(struct models *models);

#endif
