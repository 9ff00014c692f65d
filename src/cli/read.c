/*
 * A run's journal, read record by record.
 */
#include <limits.h>
#include <stdio.h>

#include "cli/read.h"

struct reading {
    struct pbt_spec *spec;
    pbt_cli_entry_fn fn;
    void *user;
};

static int take_line(void *user, const char *line, size_t length,
                     struct pbt_error *error)
{
    const struct reading *reading = user;
    struct pbt_entry entry;
    int status = pbt_entry_read(&entry, reading->spec, line, length, error);
    if (status == PBT_OK) {
        status = reading->fn(reading->user, &entry, error);
        pbt_entry_done(&entry);
    }
    return status;
}

int pbt_cli_read_journal(const char *run, struct pbt_spec *spec,
                         pbt_cli_entry_fn fn, void *user,
                         struct pbt_journal_info *info, struct pbt_error *error)
{
    struct reading reading = {spec, fn, user};
    char dir[PATH_MAX];
    (void)snprintf(dir, sizeof dir, "%s/journal", run);
    return pbt_journal_read(pbt_files_posix(), dir, take_line, &reading, info,
                            error);
}
