/*
 * memory_journal.c: see memory_journal.h.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "journal/journal.h"

#include "memory_journal.h"

struct disk disk;

static bool fails(struct pbt_error *error)
{
    if (++disk.operations == disk.fail_at) {
        (void)pbt_error_set(error, PBT_EIO, "planted");
        return true;
    }
    return false;
}

static struct pbt_file *find(const char *path)
{
    for (size_t i = 0; i < disk.count; i++) {
        if (strcmp(disk.items[i].path, path) == 0) {
            return &disk.items[i];
        }
    }
    return NULL;
}

static struct pbt_file *make(const char *path)
{
    assert_true(disk.count < FILES_MAX);
    struct pbt_file *file = &disk.items[disk.count++];
    (void)snprintf(file->path, sizeof file->path, "%s", path);
    pbt_buf_init(&file->content, BYTES_MAX);
    pbt_buf_text(&file->content, "");
    return file;
}

static int mem_create(struct pbt_files *files, const char *path,
                      struct pbt_file **file, struct pbt_error *error)
{
    (void)files;
    if (fails(error)) {
        return PBT_EIO;
    }
    if (find(path) != NULL) {
        return pbt_error_set(error, PBT_ECANTCREATE, "%s: exists", path);
    }
    for (size_t i = 0; i < disk.count; i++) {
        assert_false(disk.items[i].unnamed); /* else a gap may come of it */
    }
    *file = make(path);
    (*file)->unnamed = true;
    return PBT_OK;
}

/* A failure leaves half of it. */
static int mem_append(struct pbt_file *file, const void *bytes, size_t length,
                      struct pbt_error *error)
{
    bool bad = fails(error);
    pbt_buf_put(&file->content, bytes, bad ? length / 2 : length);
    assert_false(pbt_buf_failed(&file->content));
    return bad ? PBT_EIO : PBT_OK;
}

static int mem_sync(struct pbt_file *file, struct pbt_error *error)
{
    (void)file;
    return fails(error) ? PBT_EIO : PBT_OK;
}

static void mem_close(struct pbt_file *file)
{
    (void)file;
}

static int mem_sync_path(struct pbt_files *files, const char *path,
                         struct pbt_error *error)
{
    (void)files;
    if (fails(error)) {
        return PBT_EIO;
    }
    for (size_t i = 0; i < disk.count && strcmp(path, DIR) == 0; i++) {
        disk.items[i].unnamed = false;
    }
    return PBT_OK;
}

static int mem_read(struct pbt_files *files, const char *path, uint64_t offset,
                    size_t length, struct pbt_buf *content,
                    struct pbt_error *error)
{
    (void)files;
    const struct pbt_file *file = find(path);
    if (fails(error)) {
        return PBT_EIO;
    }
    if (file == NULL) {
        return pbt_error_set(error, PBT_ENOINPUT, "%s: none", path);
    }
    if (offset < file->content.length) {
        size_t rest = file->content.length - (size_t)offset;
        pbt_buf_put(content, file->content.data + offset,
                    rest < length ? rest : length);
    }
    return PBT_OK;
}

static bool mem_exists(struct pbt_files *files, const char *path)
{
    (void)files;
    return !disk.hide && find(path) != NULL;
}

void clear(void)
{
    static const struct pbt_files_ops OPS = {
        .create = mem_create,
        .append = mem_append,
        .sync = mem_sync,
        .close = mem_close,
        .sync_path = mem_sync_path,
        .read = mem_read,
        .exists = mem_exists,
    };
    for (size_t i = 0; i < disk.count; i++) {
        pbt_buf_done(&disk.items[i].content);
    }
    disk = (struct disk){.files = {.ops = &OPS}};
}

int set_up(void **state)
{
    (void)state;
    clear();
    return 0;
}

int tear_down(void **state)
{
    (void)state;
    clear();
    return 0;
}

struct pbt_file *segment(uint64_t number)
{
    char path[64];
    (void)snprintf(path, sizeof path, DIR "/%06" PRIu64 ".jsonl", number);
    struct pbt_file *file = find(path);
    return file != NULL ? file : make(path);
}

/* Takes the last ones away. */
void drop_segments(size_t count)
{
    for (; count > 0; count--) {
        pbt_buf_done(&disk.items[--disk.count].content);
    }
}

void set_content(uint64_t number, const char *text, size_t length)
{
    struct pbt_buf *content = &segment(number)->content;
    pbt_buf_reset(content);
    pbt_buf_put(content, text, length);
}

int take_line(void *user, const char *line, size_t length,
              struct pbt_error *error)
{
    struct lines *lines = user;
    if (++lines->count == lines->refuse) {
        return pbt_error_set(error, PBT_EDATA, "refused");
    }
    pbt_buf_put(&lines->text, line, length);
    pbt_buf_char(&lines->text, '\n');
    return PBT_OK;
}

void start_lines(struct lines *lines)
{
    *lines = (struct lines){0};
    pbt_buf_init(&lines->text, BYTES_MAX);
    pbt_buf_text(&lines->text, "");
}

int read_journal(struct pbt_files *files, const char *dir, struct lines *lines,
                 struct pbt_journal_info *info, struct pbt_error *error)
{
    start_lines(lines);
    int status = pbt_journal_read(files, dir, take_line, lines, info, error);
    assert_true(status != PBT_OK || info->records == lines->count);
    return status;
}

/* Checks that the journal reads as `text`, and gives how much is torn. */
uint64_t expect(const char *text)
{
    struct lines lines;
    struct pbt_journal_info info;
    struct pbt_error error;
    if (read_journal(&disk.files, DIR, &lines, &info, &error) != PBT_OK) {
        fail_msg("%s", error.text);
    }
    assert_string_equal(lines.text.data, text);
    pbt_buf_done(&lines.text);
    return info.torn;
}

void expect_refusal(const char *start)
{
    struct lines lines;
    struct pbt_journal_info info;
    struct pbt_error error = {0};
    assert_int_equal(read_journal(&disk.files, DIR, &lines, &info, &error),
                     PBT_EDATA);
    if (strncmp(error.text, start, strlen(start)) != 0) {
        fail_msg("\"%s\" does not begin with \"%s\"", error.text, start);
    }
    pbt_buf_done(&lines.text);
}

int try_open(struct pbt_journal **journal, uint64_t *incarnation,
             struct pbt_error *error)
{
    struct lines lines;
    struct pbt_journal_info info;
    start_lines(&lines);
    int status = pbt_journal_open(journal, &disk.files, DIR, NULL, take_line,
                                  &lines, &info, incarnation, error);
    pbt_buf_done(&lines.text);
    return status;
}

struct pbt_journal *open_journal(uint64_t incarnation)
{
    struct pbt_journal *journal = NULL;
    struct pbt_error error;
    uint64_t given = 0;
    if (try_open(&journal, &given, &error) != PBT_OK) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(given, incarnation);
    return journal;
}

int append(struct pbt_journal *journal, const char *text)
{
    struct pbt_buf lines;
    uint64_t count = 0;
    for (const char *c = text; *c != '\0'; c++) {
        count += *c == '\n';
    }
    pbt_buf_init(&lines, BYTES_MAX);
    pbt_buf_text(&lines, text);
    size_t before = lines.length;
    int status = pbt_journal_append(journal, &lines, count, NULL);
    assert_int_equal(lines.length, before);
    assert_string_equal(lines.data, text);
    pbt_buf_done(&lines);
    return status;
}

void append_three(struct pbt_journal *journal)
{
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(append(journal, batches[i]), PBT_OK);
    }
}

/* So many incarnations with three batches each. */
void write_segments(uint64_t count)
{
    for (uint64_t i = 1; i <= count; i++) {
        struct pbt_journal *journal = open_journal(i);
        append_three(journal);
        pbt_journal_close(journal);
    }
}

void repeat_three(char *text, size_t times)
{
    text[0] = '\0';
    for (size_t i = 0; i < times; i++) {
        memcpy(text + i * (sizeof three - 1), three, sizeof three);
    }
}
