#include "journal/entries.h"

#include <stdio.h>

#include "journal/segment.h"

struct reading {
    struct pbt_spec *spec;
    pbt_journal_entry_fn fn;
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

int pbt_journal_entries(const char *run, struct pbt_spec *spec,
                        pbt_journal_entry_fn fn, void *user,
                        struct pbt_journal_info *info, struct pbt_error *error)
{
    return pbt_journal_entries_from(run, spec, NULL, fn, user, info, error);
}

int pbt_journal_entries_from(const char *run, struct pbt_spec *spec,
                             const struct pbt_journal_place *from,
                             pbt_journal_entry_fn fn, void *user,
                             struct pbt_journal_info *info,
                             struct pbt_error *error)
{
    struct reading reading = {spec, fn, user};
    char dir[PBT_SEGMENT_PATH_SIZE];
    int length = snprintf(dir, sizeof dir, "%s/journal", run);
    *info = (struct pbt_journal_info){0};
    if (length < 0 || (size_t)length >= sizeof dir) {
        return pbt_error_set(error, PBT_EUSAGE, "the path %s is too long", run);
    }
    return pbt_journal_read_from(pbt_files_posix(), dir, from, take_line,
                                 &reading, info, error);
}
