/*
 * Segments and batches: what was appended is read again, what was cut off is cut, what was
 * damaged is refused, and what can be saved of it is saved.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "journal/journal.h"

#include "memory_journal.h"

/* --- writing and reading ------------------------------------------------- */

static void test_the_file(void **state)
{
    (void)state;
    write_segments(2);
    assert_string_equal(
        segment(1)->content.data,
        "{\"journal\":1,\"segment\":1,\"previous\":{\"segment\":0,\"bytes\":0}}"
        "\n"
        "{\"a\":1}\n"
        "{\"batch\":1,\"bytes\":8,\"xxh3\":\"7475001dd058088b\"}\n"
        "{\"b\":2}\n{\"b\":3}\n"
        "{\"batch\":2,\"bytes\":16,\"xxh3\":\"b63c97a3a6b8c504\"}\n"
        "{\"c\":4}\n{\"c\":5}\n{\"c\":6}\n"
        "{\"batch\":3,\"bytes\":24,\"xxh3\":\"9ea0782136c354b6\"}\n");
    char header[128];
    (void)snprintf(header, sizeof header,
                   "{\"journal\":1,\"segment\":2,\"previous\":{\"segment\":1,"
                   "\"bytes\":%zu}}\n",
                   segment(1)->content.length);
    assert_int_equal(strncmp(segment(2)->content.data, header, strlen(header)),
                     0);
}

static void test_incarnations(void **state)
{
    (void)state;
    static char text[4 * sizeof three];
    struct lines lines;
    struct pbt_journal_info info;
    struct pbt_error error;
    write_segments(3);
    pbt_journal_close(open_journal(4)); /* one that wrote nothing */
    struct pbt_journal *journal = open_journal(5);
    append_three(journal);
    pbt_journal_close(journal);
    pbt_journal_close(NULL);
    repeat_three(text, 4);
    assert_int_equal(expect(text), 0);

    assert_int_equal(read_journal(&disk.files, DIR, &lines, &info, &error),
                     PBT_OK);
    pbt_buf_done(&lines.text);
    assert_int_equal(info.segments, 5);
    assert_int_equal(info.records, 24);
    assert_int_equal(info.last_segment, 5);
    assert_int_equal(info.last_bytes, segment(5)->content.length);
}

static void test_none(void **state)
{
    (void)state;
    struct lines lines;
    struct pbt_journal_info info;
    struct pbt_error error;
    assert_int_equal(read_journal(&disk.files, DIR, &lines, &info, &error),
                     PBT_ENOINPUT);
    assert_int_equal(info.segments, 0);
    pbt_buf_done(&lines.text);
}

/* The lines of a batch may be more than the reader reads at once. */
static void test_large(void **state)
{
    (void)state;
    static char text[7u << 20];
    size_t at = 0;
    struct pbt_journal *journal = open_journal(1);
    for (size_t size = 10; at + size + 2 < sizeof text; size = size * 3 / 2) {
        char *line = text + at;
        memset(line, 'x', size);
        line[size] = '\n';
        line[size + 1] = '\0';
        assert_int_equal(append(journal, line), PBT_OK);
        at += size + 1;
    }
    /* Many small ones across the same borders. */
    for (size_t i = 0; at + 100 < sizeof text && i < 40000; i++) {
        int n = snprintf(text + at, 100, "{\"small\":%zu}\n", i);
        assert_int_equal(append(journal, text + at), PBT_OK);
        at += (size_t)n;
    }
    pbt_journal_close(journal);
    assert_int_equal(expect(text), 0);
    pbt_journal_close(open_journal(2));
    assert_int_equal(expect(text), 0);
    /* Also as the end of the journal, cut within a line, and damaged far in front. */
    drop_segments(1);
    segment(1)->content.length -= 3;
    text[at - strlen("{\"small\":39999}\n")] = '\0';
    assert_true(expect(text) > 0);
    segment(1)->content.data[2000000] ^= 1;
    expect_refusal(DIR "/000001.jsonl:");
}

static void test_refused_by_the_caller(void **state)
{
    (void)state;
    struct lines lines;
    struct pbt_journal_info info;
    struct pbt_error error;
    write_segments(2);
    start_lines(&lines);
    lines.refuse = 6 + 3; /* second segment, second batch, second line */
    assert_int_equal(
        pbt_journal_read(&disk.files, DIR, take_line, &lines, &info, &error),
        PBT_EDATA);
    assert_string_equal(error.text, DIR "/000002.jsonl:5: refused");
    pbt_buf_done(&lines.text);
}

/* --- torn tails ---------------------------------------------------------- */

/* Of three batches, those that end at or before `length`; their end. */
static size_t whole_batches(const struct pbt_buf *content, size_t length,
                            size_t *text_length)
{
    size_t end = 0;
    size_t text = 0;
    *text_length = 0;
    for (size_t at = 0; at < length;) {
        const char *line = content->data + at;
        const char *newline = memchr(line, '\n', length - at);
        if (newline == NULL) {
            break;
        }
        size_t next = (size_t)(newline - content->data) + 1;
        if (strncmp(line, "{\"batch\"", 8) == 0) {
            end = next;
            *text_length = text;
        } else if (at == 0) {
            end = next; /* the header */
        } else {
            text += next - at;
        }
        at = next;
    }
    return end;
}

static void test_torn_anywhere(void **state)
{
    (void)state;
    static char text[4 * sizeof three];
    struct pbt_buf whole;
    write_segments(2);
    pbt_buf_init(&whole, BYTES_MAX);
    pbt_buf_put(&whole, segment(2)->content.data, segment(2)->content.length);
    for (size_t cut = 0; cut <= whole.length; cut++) {
        size_t more;
        size_t good = whole_batches(&whole, cut, &more);
        set_content(2, whole.data, cut);
        repeat_three(text, 2);
        text[sizeof three - 1 + more] = '\0';
        assert_int_equal(expect(text), cut - good);

        /* A new incarnation goes on from there; the torn tail stays where it is. */
        struct pbt_journal *journal = open_journal(3);
        assert_int_equal(append(journal, "{\"z\":0}\n"), PBT_OK);
        pbt_journal_close(journal);
        (void)strcat(text, "{\"z\":0}\n");
        assert_int_equal(expect(text), 0);
        struct pbt_journal *last = open_journal(4);
        append_three(last);
        pbt_journal_close(last);
        (void)strcat(text, three);
        assert_int_equal(expect(text), 0);
        drop_segments(2);
    }
    pbt_buf_done(&whole);
}

/* The first incarnation may die before its first line is there. */
static void test_torn_first_header(void **state)
{
    (void)state;
    set_content(1, "{\"journ", 7);
    assert_int_equal(expect(""), 7);
    set_content(2, "", 0);
    assert_int_equal(expect(""), 7);
    struct pbt_journal *journal = open_journal(3);
    append_three(journal);
    pbt_journal_close(journal);
    assert_int_equal(expect(three), 0);
}

static void test_torn_with_rubbish(void **state)
{
    (void)state;
    static const char zeros[3000];
    static const char *const tails[] = {
        "\n", "{\"n\":1}\n", "{\"batch\":1,\"bytes\":8,\"xxh3\":\"0\"}\n",
        "{\"batch\":\n\n\n{\"batch\":99999999999999999999,\"bytes\":1}\n",
        "{\"n\":1}\n{\"batch\":1,\"bytes\":4000000000,\"xxh3\":\"0\"}\n{"};
    write_segments(1);
    size_t length = segment(1)->content.length;
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        pbt_buf_text(&segment(1)->content, tails[i]);
        assert_int_equal(expect(three), strlen(tails[i]));
        segment(1)->content.length = length;
    }
    pbt_buf_put(&segment(1)->content, zeros, sizeof zeros);
    assert_int_equal(expect(three), sizeof zeros);
}

/* --- damage -------------------------------------------------------------- */

/* The number of the line that holds `offset`, or of the batch's first line. */
static uint64_t batch_line(const struct pbt_buf *content, size_t offset)
{
    uint64_t line = 1;
    uint64_t batch = 1;
    for (size_t at = 0; at <= offset;) {
        const char *start = content->data + at;
        const char *newline = memchr(start, '\n', content->length - at);
        assert_non_null(newline);
        at = (size_t)(newline - content->data) + 1;
        if (at > offset) {
            break;
        }
        line++;
        if (line == 2 || strncmp(start, "{\"batch\"", 8) == 0) {
            batch = line;
        }
    }
    return batch;
}

static void expect_damage(uint64_t number, size_t at, const char *text)
{
    struct lines lines;
    struct pbt_journal_info info;
    struct pbt_error error = {0};
    char line[64];
    int status = read_journal(&disk.files, DIR, &lines, &info, &error);
    if (status != PBT_EDATA) {
        fail_msg("segment %" PRIu64 ", byte %zu: status %d", number, at,
                 status);
    }
    /* All that was given out before is right. */
    assert_int_equal(strncmp(lines.text.data, text, lines.text.length), 0);
    struct pbt_buf *content = &segment(number)->content;
    char changed = content->data[at];
    content->data[at] = changed == '\n' + 1 ? '\n' : changed;
    uint64_t found = batch_line(content, at);
    content->data[at] = changed;
    if (found > 1) {
        (void)snprintf(line, sizeof line,
                       DIR "/%06" PRIu64 ".jsonl:%" PRIu64 ":", number, found);
        assert_int_equal(strncmp(error.text, line, strlen(line)), 0);
    }
    /* A header may be right for itself and not fit the segment before it. */
    assert_non_null(strstr(error.text, ".jsonl:"));
    pbt_buf_done(&lines.text);
}

static void test_damage_anywhere(void **state)
{
    (void)state;
    static char text[4 * sizeof three];
    write_segments(3);
    repeat_three(text, 3);
    for (uint64_t number = 1; number <= 3; number++) {
        struct pbt_buf *content = &segment(number)->content;
        /* The last batch of all looks as if it had been torn. */
        size_t end = content->length;
        size_t more = 0;
        if (number == 3) {
            end = whole_batches(content, end - 1, &more);
        }
        for (size_t at = 0; at < end; at++) {
            content->data[at] ^= 1;
            expect_damage(number, at, text);
            content->data[at] ^= 1;
        }
        for (size_t at = end; at < content->length; at++) {
            char kept[sizeof text];
            content->data[at] ^= 1;
            memcpy(kept, text, sizeof kept);
            kept[2 * (sizeof three - 1) + more] = '\0';
            assert_int_equal(expect(kept), content->length - end);
            content->data[at] ^= 1;
        }
    }
    assert_int_equal(expect(text), 0);
}

/* --- salvage -------------------------------------------------------------- */

/* The records of the batches that end at or before byte `at`. */
static uint64_t records_before(const struct pbt_buf *content, size_t at)
{
    uint64_t records = 0;
    for (const char *line = content->data;
         (line = strstr(line, "{\"batch\":")) != NULL; line++) {
        const char *end = strchr(line, '\n');
        if (end != NULL && (size_t)(end + 1 - content->data) <= at) {
            records += strtoull(line + 9, NULL, 10);
        }
    }
    return records;
}

/* What is said to be whole, cut out, is a journal of the first so many records. */
static void expect_whole(const struct pbt_journal_info *info, const char *text)
{
    char wanted[4 * sizeof three];
    size_t count = disk.count;
    struct pbt_buf *last = &segment(info->last_segment)->content;
    size_t length = last->length;
    const char *end = text;
    for (uint64_t i = 0; i < info->records; i++) {
        end = strchr(end, '\n') + 1;
    }
    memcpy(wanted, text, (size_t)(end - text));
    wanted[end - text] = '\0';
    disk.count = (size_t)info->last_segment; /* they are there in order */
    last->length = (size_t)info->last_bytes;
    assert_int_equal(expect(wanted), 0);
    last->length = length;
    disk.count = count;
}

static void test_salvage(void **state)
{
    (void)state;
    static char text[4 * sizeof three];
    struct pbt_journal_info info;
    struct pbt_error damage;
    struct pbt_error error;
    write_segments(3);
    repeat_three(text, 3);
    assert_int_equal(
        pbt_journal_salvage(&disk.files, DIR, &info, &damage, &error), PBT_OK);
    assert_int_equal(damage.status, PBT_OK);
    assert_int_equal(info.records, 18);
    for (uint64_t number = 1; number <= 3; number++) {
        struct pbt_buf *content = &segment(number)->content;
        size_t header = strcspn(content->data, "\n") + 1;
        for (size_t at = 0; at < content->length; at++) {
            uint64_t whole = 6 * (number - 1) +
                             (at < header ? 0 : records_before(content, at));
            content->data[at] ^= 1;
            int status =
                pbt_journal_salvage(&disk.files, DIR, &info, &damage, &error);
            assert_int_equal(status, whole > 0 ? PBT_OK : PBT_EDATA);
            if (status == PBT_OK) {
                /* A header says how much of the segment before it counts. */
                assert_true(info.records == whole ||
                            (at < header && info.records < whole));
                expect_whole(&info, text);
            }
            content->data[at] ^= 1;
        }
    }
}

static void test_salvage_nothing(void **state)
{
    (void)state;
    struct pbt_journal_info info;
    struct pbt_error damage;
    struct pbt_error error;
    write_segments(3);
    /* A gap ends it. */
    (void)snprintf(disk.items[1].path, sizeof disk.items[1].path, "elsewhere");
    assert_int_equal(
        pbt_journal_salvage(&disk.files, DIR, &info, &damage, &error), PBT_OK);
    assert_int_equal(info.records, 6);
    assert_int_equal(info.last_segment, 1);
    assert_non_null(strstr(damage.text, "000002.jsonl is missing"));
    (void)snprintf(disk.items[0].path, sizeof disk.items[0].path, "elsewhere");
    assert_int_equal(
        pbt_journal_salvage(&disk.files, DIR, &info, &damage, &error),
        PBT_EDATA);
    /* What a newer version wrote is not damaged. */
    static const char newer[] = "{\"journal\":2,\"later\":true}\n";
    set_content(1, newer, sizeof newer - 1);
    assert_int_equal(
        pbt_journal_salvage(&disk.files, DIR, &info, &damage, &error),
        PBT_EDATA);
    assert_non_null(strstr(error.text, "newer version"));
}

/* A segment in front of another must be as long as that says. */
static void test_cut_in_the_middle(void **state)
{
    (void)state;
    write_segments(2);
    struct pbt_buf *content = &segment(1)->content;
    for (size_t cut = 0; cut < content->length; cut++) {
        size_t length = content->length;
        content->length = cut;
        expect_refusal(DIR "/00000");
        content->length = length;
    }
    char text[2 * sizeof three];
    repeat_three(text, 2);
    assert_int_equal(expect(text), 0);
}

static void test_missing_segment(void **state)
{
    (void)state;
    write_segments(3);
    (void)snprintf(disk.items[1].path, sizeof disk.items[1].path, "elsewhere");
    expect_refusal(DIR "/000002.jsonl is missing");
    struct pbt_journal *journal;
    uint64_t incarnation;
    struct pbt_error error;
    assert_int_equal(try_open(&journal, &incarnation, &error), PBT_EDATA);
    (void)snprintf(disk.items[0].path, sizeof disk.items[1].path, "elsewhere");
    expect_refusal(DIR "/000001.jsonl is missing");
}

static void test_headers(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        const char *says;
    } rows[] = {
        {"{\"journal\":2,\"later\":true}\n",
         DIR "/000001.jsonl:1: written by a newer version of pbt (journal "
             "version 2; this one knows 1)"},
        {"{\"journal\":1,\"segment\":2,\"previous\":{\"segment\":1,\"bytes\":"
         "0}}\n",
         DIR "/000001.jsonl:1: not the first line of journal segment 1"},
        {"{\"journal\":1,\"segment\":1,\"previous\":{\"segment\":1,\"bytes\":"
         "0}}\n",
         DIR "/000001.jsonl:1: not the first line"},
        {"\n", DIR "/000001.jsonl:1: not the first line"},
        {"null\n", DIR "/000001.jsonl:1: not the first line"},
        {"{\"journal\":1,\"segment\":1,\"previous\":{\"segment\":0,\"bytes\":"
         "-1}}\n",
         DIR "/000001.jsonl:1: not the first line"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set_content(1, rows[i].header, strlen(rows[i].header));
        expect_refusal(rows[i].says);
    }
    /* Members of a later version that changes nothing. */
    static const char later[] =
        "{\"journal\":1,\"later\":[],\"segment\":1,"
        "\"previous\":{\"x\":1,\"segment\":0,\"bytes\":0}}\n";
    set_content(1, later, sizeof later - 1);
    assert_int_equal(expect(""), 0);
    /* Endless first line. */
    static char endless[5000];
    memset(endless, ' ', sizeof endless);
    set_content(1, endless, sizeof endless);
    expect_refusal(DIR "/000001.jsonl:1: not the first line");
}

static void test_batch_too_big(void **state)
{
    (void)state;
    struct pbt_journal *journal = open_journal(1);
    struct pbt_buf lines;
    struct pbt_error error = {0};
    pbt_buf_init(&lines, 20);
    pbt_buf_text(&lines, "{\"n\":1}\n");
    assert_int_equal(pbt_journal_append(journal, &lines, 1, &error),
                     PBT_ENOMEM);
    pbt_buf_done(&lines);
    pbt_journal_close(journal);
    assert_int_equal(expect(""), 0);
}

int main(void)
{
#define MEMORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define REAL(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        MEMORY(test_the_file),
        MEMORY(test_incarnations),
        MEMORY(test_none),
        MEMORY(test_large),
        MEMORY(test_refused_by_the_caller),
        MEMORY(test_torn_anywhere),
        MEMORY(test_torn_first_header),
        MEMORY(test_torn_with_rubbish),
        MEMORY(test_damage_anywhere),
        MEMORY(test_salvage),
        MEMORY(test_salvage_nothing),
        MEMORY(test_cut_in_the_middle),
        MEMORY(test_missing_segment),
        MEMORY(test_headers),
        MEMORY(test_batch_too_big),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
