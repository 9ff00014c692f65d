/*
 * memory_journal.h: a journal on a disk in memory, whose bytes a test can change and whose k-th
 * operation fails.
 */
#ifndef PBT_TESTS_MEMORY_JOURNAL_H
#define PBT_TESTS_MEMORY_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/files.h"
#include "journal/journal.h"

#define FILES_MAX 16
#define BYTES_MAX ((size_t)64 << 20)
#define DIR "j"

/* --- the disk --------------------------------------------------------------- */

struct pbt_file {
    char path[64];
    struct pbt_buf content;
    bool
        unnamed; /* a power loss may take its name: the directory was not synced since */
};

extern struct disk {
    struct pbt_files files; /* first */
    struct pbt_file items[FILES_MAX];
    size_t count;
    uint64_t operations;
    uint64_t fail_at; /* this one fails; 0: none */
    bool hide;        /* exists() sees nothing, as in a race */
} disk;

/* Empties the disk; the other two do, around a test. */
void clear(void);
int set_up(void **state);
int tear_down(void **state);

/* A segment of the journal, which is made if it is not there. */
struct pbt_file *segment(uint64_t number);
void set_content(uint64_t number, const char *text, size_t length);
/* Takes the last ones away. */
void drop_segments(size_t count);

/* --- reading and writing ------------------------------------------------------ */

/* The lines that were read, each with its newline. */
struct lines {
    struct pbt_buf text;
    uint64_t count;
    uint64_t refuse; /* this one is refused; 0: none */
};

void start_lines(struct lines *lines);
int take_line(void *user, const char *line, size_t length,
              struct pbt_error *error);
int read_journal(struct pbt_files *files, const char *dir, struct lines *lines,
                 struct pbt_journal_info *info, struct pbt_error *error);

/* Checks that the journal reads as `text`, and gives how much is torn. */
uint64_t expect(const char *text);
/* Checks that it is refused with a message that begins so. */
void expect_refusal(const char *start);

int try_open(struct pbt_journal **journal, uint64_t *incarnation,
             struct pbt_error *error);
struct pbt_journal *open_journal(uint64_t incarnation);
/* Appends these lines as one batch. */
int append(struct pbt_journal *journal, const char *text);

static const char *const batches[] = {"{\"a\":1}\n", "{\"b\":2}\n{\"b\":3}\n",
                                      "{\"c\":4}\n{\"c\":5}\n{\"c\":6}\n"};
static const char three[] = "{\"a\":1}\n{\"b\":2}\n{\"b\":3}\n{\"c\":4}\n"
                            "{\"c\":5}\n{\"c\":6}\n";

void append_three(struct pbt_journal *journal);
/* So many incarnations with three batches each. */
void write_segments(uint64_t count);
void repeat_three(char *text, size_t times);

#endif
