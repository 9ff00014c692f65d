/*
 * Whole journals: nothing may crash, leak or hang, and a journal that can be read can be
 * gone on with, without losing a line.
 *
 * The input is lines; those that no mutation would get right stand for others:
 *     ---   the next segment begins (at most 4)
 *     @     the right first line of this segment
 *     #     the right closing line for the lines since the last one
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal/journal.h"
#include "journal/segment.h"

#define SEGMENTS_MAX 6
#define BYTES_MAX ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int good)
{
    if (!good) {
        abort();
    }
}

/* --- a disk of segments in memory ---------------------------------------- */

struct pbt_file {
    struct pbt_buf content;
};

static struct pbt_file segments[SEGMENTS_MAX];
static size_t count;

/* NULL: there is none. */
static struct pbt_file *find(const char *path)
{
    unsigned long number = strtoul(path + 2, NULL, 10); /* j/000001.jsonl */
    return number >= 1 && number <= count ? &segments[number - 1] : NULL;
}

static int mem_create(struct pbt_files *files, const char *path,
                      struct pbt_file **file, struct pbt_error *error)
{
    (void)files;
    (void)error;
    check(find(path) == NULL && count < SEGMENTS_MAX);
    pbt_buf_init(&segments[count].content, BYTES_MAX);
    *file = &segments[count++];
    return PBT_OK;
}

static int mem_append(struct pbt_file *file, const void *bytes, size_t length,
                      struct pbt_error *error)
{
    (void)error;
    pbt_buf_put(&file->content, bytes, length);
    return PBT_OK;
}

static int mem_sync(struct pbt_file *file, struct pbt_error *error)
{
    (void)file;
    (void)error;
    return PBT_OK;
}

static void mem_close(struct pbt_file *file)
{
    (void)file;
}

static int mem_sync_path(struct pbt_files *files, const char *path,
                         struct pbt_error *error)
{
    (void)files;
    (void)path;
    (void)error;
    return PBT_OK;
}

static int mem_read(struct pbt_files *files, const char *path, uint64_t offset,
                    size_t length, struct pbt_buf *content,
                    struct pbt_error *error)
{
    (void)files;
    (void)error;
    const struct pbt_buf *all = &find(path)->content;
    if (offset < all->length) {
        size_t rest = all->length - (size_t)offset;
        pbt_buf_put(content, all->data + offset, rest < length ? rest : length);
    }
    return PBT_OK;
}

static bool mem_exists(struct pbt_files *files, const char *path)
{
    (void)files;
    return find(path) != NULL;
}

static const struct pbt_files_ops OPS = {.create = mem_create,
                                         .append = mem_append,
                                         .sync = mem_sync,
                                         .close = mem_close,
                                         .sync_path = mem_sync_path,
                                         .read = mem_read,
                                         .exists = mem_exists};
static struct pbt_files disk = {.ops = &OPS};

/* --- the input as segments ----------------------------------------------- */

static void put_header(struct pbt_buf *out)
{
    size_t before = count > 1 ? segments[count - 2].content.length : 0;
    pbt_buf_printf(out,
                   "{\"journal\":1,\"segment\":%zu,\"previous\":{\"segment\":"
                   "%zu,\"bytes\":%zu}}\n",
                   count, count - 1, before);
}

static void put_closing(struct pbt_buf *out, size_t start)
{
    char closing[PBT_CLOSING_SIZE];
    uint64_t lines = 0;
    for (size_t i = start; i < out->length; i++) {
        lines += out->data[i] == '\n';
    }
    pbt_buf_put(
        out, closing,
        pbt_segment_closing(out->length > start ? out->data + start : "",
                            out->length - start, lines, closing));
}

static void make_segments(const char *text, size_t size)
{
    size_t start = 0; /* of the batch */
    struct pbt_file *file;
    count = 0;
    (void)mem_create(&disk, "j/000001.jsonl", &file, NULL);
    while (size > 0) {
        struct pbt_buf *out = &segments[count - 1].content;
        const char *newline = memchr(text, '\n', size);
        size_t length = newline != NULL ? (size_t)(newline - text) + 1 : size;
        if (length == 4 && memcmp(text, "---\n", 4) == 0 && count < 4) {
            (void)mem_create(&disk, "j/999999.jsonl", &file, NULL);
            start = 0;
        } else if (length == 2 && memcmp(text, "@\n", 2) == 0) {
            put_header(out);
            start = out->length;
        } else if (length == 2 && memcmp(text, "#\n", 2) == 0) {
            put_closing(out, start);
            start = out->length;
        } else {
            pbt_buf_put(out, text, length);
        }
        text += length;
        size -= length;
    }
}

/* --- what must hold ------------------------------------------------------ */

static int take_line(void *user, const char *line, size_t length,
                     struct pbt_error *error)
{
    (void)error;
    struct pbt_buf *lines = user;
    check(memchr(line, '\n', length) == NULL);
    pbt_buf_put(lines, line, length);
    pbt_buf_char(lines, '\n');
    return PBT_OK;
}

static int read_all(struct pbt_buf *lines, struct pbt_journal_info *info)
{
    struct pbt_error error;
    pbt_buf_init(lines, BYTES_MAX);
    error.text[0] = '\0';
    int status = pbt_journal_read(&disk, "j", take_line, lines, info, &error);
    check(status == PBT_OK || status == PBT_EDATA);
    check((status == PBT_OK) == (error.text[0] == '\0'));
    return status;
}

static void go_on(const struct pbt_buf *before,
                  const struct pbt_journal_info *info)
{
    static const char more[] = "{\"more\":1}\n";
    struct pbt_journal *journal;
    struct pbt_journal_info again;
    struct pbt_buf lines;
    uint64_t incarnation;
    pbt_buf_init(&lines, BYTES_MAX);
    check(pbt_journal_open(&journal, &disk, "j", NULL, take_line, &lines,
                           &again, &incarnation, NULL) == PBT_OK);
    check(incarnation == count && again.records == info->records);
    pbt_buf_reset(&lines);
    pbt_buf_text(&lines, more);
    check(pbt_journal_append(journal, &lines, 1, NULL) == PBT_OK);
    pbt_journal_close(journal);
    pbt_buf_done(&lines);

    check(read_all(&lines, &again) == PBT_OK);
    check(again.records == info->records + 1 && again.torn == 0);
    check(lines.length == before->length + sizeof more - 1);
    check(before->length == 0 ||
          memcmp(lines.data, before->data, before->length) == 0);
    check(strcmp(lines.data + before->length, more) == 0);
    pbt_buf_done(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pbt_journal_info info;
    struct pbt_buf lines;
    make_segments((const char *)data, size);
    if (read_all(&lines, &info) == PBT_OK) {
        go_on(&lines, &info);
    }
    pbt_buf_done(&lines);
    while (count > 0) {
        pbt_buf_done(&segments[--count].content);
    }
    return 0;
}
