/*
 * logs.h: the log files of a simulated run, on a real scratch directory.
 *
 * They are written as a driver writes them, live, flushed now and then, left behind at each
 * death, and must in the end equal a rebuild from the journal, byte for byte.
 */
#ifndef PBT_TESTS_SIM_LOGS_H
#define PBT_TESTS_SIM_LOGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/core.h"
#include "journal/entry.h"
#include "spec/spec.h"

struct logs;

/* `scratch`: an existing directory. */
struct logs *logs_create(const char *scratch, struct pbt_spec *spec,
                         uint64_t seed);
void logs_feed(struct logs *logs, const struct pbt_entry *entry);
/* The process has died; `power`: the machine too. */
void logs_die(struct logs *logs, bool power);
/* A driver has come after a death: these are the lines of the journal so far. */
void logs_resume(struct logs *logs, const char *lines, size_t length);
void logs_check(struct logs *logs, const char *lines, size_t length);
/* NULL: all is well. */
/* What the board shows of the trials is what the core has. */
void logs_compare(struct logs *logs, const struct pbt_core *core);
const char *logs_verdict(const struct logs *logs);
/* Removes the files; then the object. */
void logs_clean(struct logs *logs);
void logs_destroy(struct logs *logs);

#endif
