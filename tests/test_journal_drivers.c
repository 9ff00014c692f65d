/*
 * Journals that more than one writes or whose operations fail: drivers that were thought dead,
 * each operation in turn, and real files.
 */
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "journal/journal.h"

#include "memory_journal.h"

/* --- drivers that were thought dead -------------------------------------- */

static void test_successor_decides(void **state)
{
    (void)state;
    static char text[4 * sizeof three];
    struct pbt_journal *first = open_journal(1);
    append_three(first);
    struct pbt_journal *second = open_journal(2);
    assert_int_equal(append(first, "{\"late\":1}\n"), PBT_OK);
    repeat_three(text, 1);
    assert_int_equal(expect(text), 0);
    append_three(second);
    assert_int_equal(append(first, "{\"late\":2}\n"), PBT_OK);
    repeat_three(text, 2);
    assert_int_equal(expect(text), 0);
    pbt_buf_text(&segment(1)->content, "{\"late\":3}\n{\"half");
    assert_int_equal(expect(text), 0);
    pbt_journal_close(first);
    pbt_journal_close(second);
    struct pbt_journal *third = open_journal(3);
    append_three(third);
    pbt_journal_close(third);
    repeat_three(text, 3);
    assert_int_equal(expect(text), 0);
}

/* One that slept between making its segment and writing its first line. */
static void test_passed_over(void **state)
{
    (void)state;
    static char text[4 * sizeof three];
    struct pbt_journal *first = open_journal(1);
    append_three(first);
    size_t bytes = segment(1)->content.length;
    set_content(2, "", 0);
    assert_int_equal(append(first, "{\"late\":1}\n"), PBT_OK);
    (void)snprintf(text, sizeof text, "%s{\"late\":1}\n", three);
    assert_int_equal(expect(text), 0); /* the second has not decided anything */
    struct pbt_journal *third = open_journal(3);
    append_three(third);
    (void)strcat(text, three);
    assert_int_equal(expect(text), 0);

    /* Now it wakes, with less in its mind than the third has read. */
    char header[128];
    (void)snprintf(header, sizeof header,
                   "{\"journal\":1,\"segment\":2,\"previous\":{\"segment\":1,"
                   "\"bytes\":%zu}}\n",
                   bytes);
    set_content(2, header, strlen(header));
    const char *batch = strchr(segment(1)->content.data, '\n') + 1;
    pbt_buf_put(&segment(2)->content, batch, bytes - strlen(header));
    assert_int_equal(append(first, "{\"late\":2}\n"), PBT_OK);
    assert_int_equal(expect(text), 0);
    pbt_journal_close(first);
    pbt_journal_close(third);
    pbt_journal_close(open_journal(4));
    assert_int_equal(expect(text), 0);
}

/* Two drivers at once: the name decides. */
static void test_one_creates(void **state)
{
    (void)state;
    struct pbt_journal *first = open_journal(1);
    struct pbt_journal *second = NULL;
    struct pbt_error error = {0};
    uint64_t incarnation;
    append_three(first);
    disk.hide = true;
    assert_int_equal(try_open(&second, &incarnation, &error), PBT_ECANTCREATE);
    disk.hide = false;
    assert_int_equal(expect(three), 0);
    pbt_journal_close(first);
}

/* --- failing operations -------------------------------------------------- */

/*
 * Two incarnations; every batch that was acknowledged is noted in `text`, the one
 * that failed in `doubtful`.
 */
static int work(char *text, char *doubtful)
{
    for (int life = 0; life < 2; life++) {
        struct pbt_journal *journal = NULL;
        struct pbt_error error = {0};
        uint64_t incarnation;
        int status = try_open(&journal, &incarnation, &error);
        for (size_t i = 0; status == PBT_OK && i < 3; i++) {
            status = append(journal, batches[i]);
            (void)strcat(status == PBT_OK ? text : doubtful, batches[i]);
            if (status == PBT_OK) {
                status = pbt_journal_sync(journal, &error);
            }
        }
        if (status != PBT_OK && journal != NULL) {
            /*
             * A broken journal takes nothing more: it could be lost behind the break.  Why it
             * broke is what is said of all that follows.
             */
            assert_int_equal(append(journal, batches[0]), PBT_EIO);
            assert_int_equal(pbt_journal_sync(journal, &error), PBT_EIO);
            assert_string_equal(error.text, "planted");
        }
        pbt_journal_close(journal);
        if (status != PBT_OK) {
            assert_int_equal(status, PBT_EIO);
            return status;
        }
    }
    return PBT_OK;
}

static void test_failing_operations(void **state)
{
    (void)state;
    int status = PBT_EIO;
    uint64_t k;
    for (k = 1; status != PBT_OK; k++) {
        char text[4 * sizeof three] = "";
        char doubtful[sizeof three] = "";
        clear();
        disk.fail_at = k;
        status = work(text, doubtful);
        uint64_t incarnations = disk.count;
        disk.fail_at = 0;
        struct pbt_journal *journal = open_journal(incarnations + 1);
        assert_int_equal(append(journal, "{\"z\":0}\n"), PBT_OK);
        pbt_journal_close(journal);
        (void)strcat(text, "{\"z\":0}\n");
        assert_int_equal(expect(text), 0);
        assert_true(k < 1000);
    }
    print_message("%" PRIu64 " operations\n", k - 2);
    assert_int_equal(k - 2, 25);
}

static void test_failing_reads(void **state)
{
    (void)state;
    int status = PBT_EIO;
    write_segments(2);
    for (uint64_t k = 1; status != PBT_OK; k++) {
        struct lines lines;
        struct pbt_journal_info info;
        struct pbt_error error = {0};
        disk.operations = 0;
        disk.fail_at = k;
        status = read_journal(&disk.files, DIR, &lines, &info, &error);
        assert_true(status == PBT_OK || status == PBT_EIO);
        assert_true(status == PBT_OK || strcmp(error.text, "planted") == 0);
        pbt_buf_done(&lines.text);
        assert_true(k < 100);
    }
}

/* --- real files ---------------------------------------------------------- */

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "/tmp/pbt-test-journal-XXXXXX");
    assert_non_null(mkdtemp(dir));
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    for (int i = 1; i <= 4; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/%06d.jsonl", dir, i);
        (void)unlink(path);
    }
    return rmdir(dir);
}

static struct pbt_journal *open_real(void)
{
    struct pbt_journal *journal = NULL;
    struct pbt_journal_info info;
    struct pbt_error error;
    struct lines lines;
    uint64_t incarnation;
    start_lines(&lines);
    if (pbt_journal_open(&journal, pbt_files_posix(), dir, NULL, take_line,
                         &lines, &info, &incarnation, &error) != PBT_OK) {
        fail_msg("%s", error.text);
    }
    pbt_buf_done(&lines.text);
    return journal;
}

static void test_real_files(void **state)
{
    (void)state;
    struct pbt_error error;
    struct lines lines;
    struct pbt_journal_info info;
    struct pbt_file *file;
    char path[128];
    for (int i = 0; i < 3; i++) {
        struct pbt_journal *journal = open_real();
        append_three(journal);
        assert_int_equal(pbt_journal_sync(journal, &error), PBT_OK);
        pbt_journal_close(journal);
    }
    assert_int_equal(
        read_journal(pbt_files_posix(), dir, &lines, &info, &error), PBT_OK);
    assert_int_equal(info.records, 18);
    assert_int_equal(info.torn, 0);
    pbt_buf_done(&lines.text);

    struct pbt_files *files = pbt_files_posix();
    (void)snprintf(path, sizeof path, "%s/000002.jsonl", dir);
    assert_int_equal(files->ops->create(files, path, &file, &error),
                     PBT_ECANTCREATE);
    assert_int_equal(read_journal(files, "/nonexistent", &lines, &info, &error),
                     PBT_ENOINPUT);
    pbt_buf_done(&lines.text);
}

#define BESIDE 400

static void *write_beside(void *user)
{
    struct pbt_journal *journal = user;
    for (int i = 0; i < BESIDE; i++) {
        struct pbt_buf lines;
        pbt_buf_init(&lines, BYTES_MAX);
        pbt_buf_printf(&lines, "{\"n\":%d}\n", i);
        int status = pbt_journal_append(journal, &lines, 1, NULL);
        pbt_buf_done(&lines);
        if (status != PBT_OK) {
            return user;
        }
    }
    return NULL;
}

static void test_reading_beside_a_writer(void **state)
{
    (void)state;
    struct pbt_journal *journal = open_real();
    struct pbt_buf all;
    pthread_t thread;
    uint64_t before = 0;
    void *failed = NULL;
    pbt_buf_init(&all, BYTES_MAX);
    for (int i = 0; i < BESIDE; i++) {
        pbt_buf_printf(&all, "{\"n\":%d}\n", i);
    }
    assert_int_equal(pthread_create(&thread, NULL, write_beside, journal), 0);
    while (before < BESIDE) {
        struct lines lines;
        struct pbt_journal_info info;
        struct pbt_error error;
        if (read_journal(pbt_files_posix(), dir, &lines, &info, &error) !=
            PBT_OK) {
            fail_msg("%s", error.text);
        }
        assert_true(info.records >= before);
        assert_int_equal(strncmp(all.data, lines.text.data, lines.text.length),
                         0);
        before = info.records;
        pbt_buf_done(&lines.text);
    }
    assert_int_equal(pthread_join(thread, &failed), 0);
    assert_null(failed);
    pbt_buf_done(&all);
    pbt_journal_close(journal);
}

int main(void)
{
#define MEMORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define REAL(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        MEMORY(test_successor_decides),     MEMORY(test_passed_over),
        MEMORY(test_one_creates),           MEMORY(test_failing_operations),
        MEMORY(test_failing_reads),         REAL(test_real_files),
        REAL(test_reading_beside_a_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
