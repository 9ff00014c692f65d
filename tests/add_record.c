/*
 * add_record RUN LINE: appends a line to the journal of a run, as a driver would: a
 * segment of its own, and a batch that is good.
 */
#include <stdio.h>
#include <string.h>

#include "journal/journal.h"
#include "run/run.h"

static int ignore(void *user, const char *line, size_t length,
                  struct pbt_error *error)
{
    (void)user;
    (void)line;
    (void)length;
    (void)error;
    return PBT_OK;
}

int main(int argc, char **argv)
{
    char dir[PBT_RUN_PATH_SIZE];
    struct pbt_journal *journal;
    struct pbt_journal_info info;
    struct pbt_error error;
    struct pbt_buf line;
    uint64_t incarnation;
    if (argc != 3) {
        (void)fprintf(stderr, "usage: add_record RUN LINE\n");
        return PBT_EUSAGE;
    }
    (void)snprintf(dir, sizeof dir, "%s/journal", argv[1]);
    pbt_buf_init(&line, 65536);
    pbt_buf_text(&line, argv[2]);
    pbt_buf_char(&line, '\n');
    int status = pbt_journal_open(&journal, pbt_files_posix(), dir, NULL,
                                  ignore, NULL, &info, &incarnation, &error);
    if (status == PBT_OK) {
        status = pbt_journal_append(journal, &line, 1, &error);
        pbt_journal_close(journal);
    }
    pbt_buf_done(&line);
    if (status != PBT_OK) {
        (void)fprintf(stderr, "add_record: %s\n", error.text);
    }
    return status;
}
