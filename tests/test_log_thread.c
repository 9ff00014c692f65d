/*
 * The log thread: what it writes is what a log that is fed directly writes; a failure is
 * told; lookers see the board.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "checkpoint/checkpoint.h"
#include "log/log.h"
#include "log/thread.h"
#include "recorded.h"

static const char experiment[] = "name: logged\n"
                                 "command: [worker]\n"
                                 "num_samples: 6\n"
                                 "metric: score\n"
                                 "mode: max\n"
                                 "stop: {training_iteration: 60}\n"
                                 "config: {lr: {uniform: [0.001, 1]}, k: 3}\n"
                                 "scheduler:\n"
                                 "  type: pbt\n"
                                 "  perturbation_interval: 5\n"
                                 "  hyperparam_mutations:\n"
                                 "    lr: {uniform: [0.001, 1]}\n"
                                 "    momentum: [0.8, 0.9, 0.99]\n"
                                 "failure: {max_failures: -1}\n"
                                 "seed: 7\n";

static struct pbt_buf lines;
static char base[64];

static int set_up(void **state)
{
    (void)state;
    (void)strcpy(base, "/tmp/test_log_thread.XXXXXX");
    assert_non_null(mkdtemp(base));
    return 0;
}

static int clean(void **state)
{
    (void)state;
    assert_int_equal(pbt_checkpoint_delete(base, NULL), PBT_OK);
    return 0;
}

static int record_run(void **state)
{
    (void)state;
    pbt_buf_init(&lines, (size_t)1 << 28);
    recorded_run(experiment, 3, 3, 100, &lines);
    return 0;
}

static int forget_run(void **state)
{
    (void)state;
    pbt_buf_done(&lines);
    return 0;
}

static void make_run_dir(const char *name, char path[128])
{
    (void)snprintf(path, 128, "%s/%s", base, name);
    assert_int_equal(mkdir(path, 0777), 0);
}

/* The length of the line at `at`, with its newline. */
static size_t line_at(size_t at)
{
    const char *end = memchr(lines.data + at, '\n', lines.length - at);
    assert_non_null(end);
    return (size_t)(end - lines.data) + 1 - at;
}

/* The files as written without a thread. */
static void write_directly(const char *dir)
{
    struct pbt_error error = {0};
    struct pbt_spec spec;
    struct pbt_board board;
    struct pbt_log *log;
    recorded_spec(&spec, experiment);
    assert_int_equal(pbt_board_init(&board, &spec, &error), PBT_OK);
    assert_int_equal(
        pbt_log_open(&log, dir, &spec, &board, false, NULL, &error), PBT_OK);
    for (size_t at = 0; at < lines.length; at += line_at(at)) {
        struct pbt_entry entry;
        assert_int_equal(pbt_entry_read(&entry, &spec, lines.data + at,
                                        line_at(at) - 1, &error),
                         PBT_OK);
        assert_int_equal(pbt_log_feed(log, &entry, &error), PBT_OK);
        pbt_entry_done(&entry);
    }
    assert_int_equal(pbt_log_write_status(log, &error), PBT_OK);
    assert_int_equal(pbt_log_close(log, &error), PBT_OK);
    pbt_board_done(&board);
    pbt_spec_done(&spec);
}

static void read_file(const char *dir, const char *name, struct pbt_buf *out)
{
    char path[512];
    char block[4096];
    size_t n;
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fail_msg("%s: %s", path, strerror(errno));
        return; /* never: for readers that don't know fail_msg() */
    }
    while ((n = fread(block, 1, sizeof block, file)) > 0) {
        pbt_buf_put(out, block, n);
    }
    assert_int_equal(fclose(file), 0);
}

/* Every file of `expected` is in `dir`, and the same.  Returns how many. */
static int compare(const char *expected, const char *dir, const char *below)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", expected, below);
    DIR *names = opendir(path);
    struct dirent *name;
    int count = 0;
    assert_non_null(names);
    while ((name = readdir(names)) != NULL) {
        char inside[300];
        (void)snprintf(inside, sizeof inside, "%s%s%s", below,
                       *below == '\0' ? "" : "/", name->d_name);
        if (name->d_name[0] == '.') {
            continue;
        }
        count++;
        if (strchr(name->d_name, '.') == NULL) {
            count += compare(expected, dir, inside);
            continue;
        }
        struct pbt_buf a;
        struct pbt_buf b;
        pbt_buf_init(&a, (size_t)1 << 28);
        pbt_buf_init(&b, (size_t)1 << 28);
        read_file(expected, inside, &a);
        read_file(dir, inside, &b);
        if (a.length != b.length || memcmp(a.data, b.data, a.length) != 0) {
            fail_msg("%s differs", inside);
        }
        pbt_buf_done(&a);
        pbt_buf_done(&b);
    }
    assert_int_equal(closedir(names), 0);
    return count;
}

struct seen {
    uint64_t records;
    uint64_t looks;
};

static void look(void *user, const struct pbt_board *board)
{
    struct seen *seen = user;
    assert_true(board->records >= seen->records);
    seen->records = board->records;
    seen->looks++;
}

struct looker {
    struct pbt_log_thread *thread;
    pthread_mutex_t lock;
    bool stop;
    struct seen seen;
};

static void *keep_looking(void *user)
{
    struct looker *looker = user;
    bool stop = false;
    while (!stop) {
        pbt_log_thread_look(looker->thread, look, &looker->seen);
        assert_int_equal(pthread_mutex_lock(&looker->lock), 0);
        stop = looker->stop;
        assert_int_equal(pthread_mutex_unlock(&looker->lock), 0);
    }
    return NULL;
}

static void thread_writes_what_a_log_writes(void **state)
{
    (void)state;
    char direct[128];
    char threaded[128];
    struct pbt_error error = {0};
    struct pbt_spec spec;
    struct looker looker = {.stop = false};
    pthread_t looking;
    recorded_spec(&spec, experiment);
    make_run_dir("direct", direct);
    make_run_dir("threaded", threaded);
    write_directly(direct);
    assert_int_equal(pbt_log_thread_start(&looker.thread, threaded, &spec,
                                          false, NULL, &error),
                     PBT_OK);
    assert_int_equal(pthread_mutex_init(&looker.lock, NULL), 0);
    assert_int_equal(pthread_create(&looking, NULL, keep_looking, &looker), 0);
    for (size_t at = 0; at < lines.length; at += line_at(at)) {
        assert_int_equal(pbt_log_thread_feed(looker.thread, lines.data + at,
                                             line_at(at), &error),
                         PBT_OK);
    }
    assert_int_equal(pthread_mutex_lock(&looker.lock), 0);
    looker.stop = true;
    assert_int_equal(pthread_mutex_unlock(&looker.lock), 0);
    assert_int_equal(pthread_join(looking, NULL), 0);
    assert_true(looker.seen.looks > 0);
    assert_int_equal(pbt_log_thread_stop(looker.thread, &error), PBT_OK);
    assert_int_equal(pthread_mutex_destroy(&looker.lock), 0);
    assert_true(compare(direct, threaded, "") > 6 * 3);
    assert_true(compare(threaded, direct, "") > 6 * 3);
    pbt_spec_done(&spec);
}

/* As after a snapshot: the thread finds the first half of the records in the journal. */
static void skipped_records_are_read(void **state)
{
    (void)state;
    char direct[128];
    char behind[128];
    char path[160];
    struct pbt_error error = {0};
    struct pbt_spec spec;
    struct pbt_log_thread *thread;
    struct pbt_journal *journal;
    struct pbt_journal_info info;
    struct pbt_buf half;
    uint64_t incarnation;
    uint64_t records = 0;
    size_t at = 0;
    recorded_spec(&spec, experiment);
    make_run_dir("direct", direct);
    make_run_dir("behind", behind);
    write_directly(direct);
    pbt_buf_init(&half, (size_t)1 << 28);
    for (; at < lines.length / 2; at += line_at(at)) {
        pbt_buf_put(&half, lines.data + at, line_at(at));
        records++;
    }
    (void)snprintf(path, sizeof path, "%s/journal", behind);
    assert_int_equal(pbt_make_dirs(path, &error), PBT_OK);
    assert_int_equal(pbt_journal_open(&journal, pbt_files_posix(), path, NULL,
                                      recorded_line, NULL, &info, &incarnation,
                                      &error),
                     PBT_OK);
    assert_int_equal(pbt_journal_append(journal, &half, records, &error),
                     PBT_OK);
    pbt_buf_done(&half);
    assert_int_equal(
        pbt_log_thread_start(&thread, behind, &spec, false, NULL, &error),
        PBT_OK);
    pbt_log_thread_skipped(thread, records);
    assert_true(pbt_log_thread_is_behind(thread));
    assert_int_equal(
        pbt_log_thread_feed(thread, lines.data + at, lines.length - at, &error),
        PBT_OK);
    pbt_log_thread_drain(thread);
    assert_false(pbt_log_thread_is_behind(thread));
    assert_int_equal(pbt_log_thread_stop(thread, &error), PBT_OK);
    pbt_journal_close(journal);
    assert_int_equal(pbt_checkpoint_delete(path, NULL), PBT_OK);
    assert_true(compare(direct, behind, "") > 6 * 3);
    assert_true(compare(behind, direct, "") > 6 * 3);
    pbt_spec_done(&spec);
}

static void records_show_without_a_stop(void **state)
{
    (void)state;
    char dir[128];
    char cursor[160];
    struct pbt_error error = {0};
    struct pbt_spec spec;
    struct pbt_log_thread *thread;
    struct seen seen = {0};
    recorded_spec(&spec, experiment);
    make_run_dir("run", dir);
    assert_int_equal(
        pbt_log_thread_start(&thread, dir, &spec, false, NULL, &error), PBT_OK);
    assert_int_equal(
        pbt_log_thread_feed(thread, lines.data, line_at(0), &error), PBT_OK);
    (void)snprintf(cursor, sizeof cursor, "%s/log_cursor.json", dir);
    for (int i = 0; access(cursor, F_OK) != 0; i++) {
        assert_true(i < 6000);
        struct timespec pause = {.tv_nsec = 10000000};
        (void)nanosleep(&pause, NULL);
    }
    pbt_log_thread_look(thread, look, &seen);
    assert_int_equal(seen.records, 1);
    assert_int_equal(pbt_log_thread_stop(thread, &error), PBT_OK);
    pbt_spec_done(&spec);
}

static void failure_is_told(void **state)
{
    (void)state;
    char dir[128];
    struct pbt_error error = {0};
    struct pbt_spec spec;
    struct pbt_log_thread *thread;
    recorded_spec(&spec, experiment);
    make_run_dir("run", dir);
    assert_int_equal(
        pbt_log_thread_start(&thread, dir, &spec, false, NULL, &error), PBT_OK);
    assert_int_equal(
        pbt_log_thread_feed(thread, lines.data, line_at(0), &error), PBT_OK);
    static const char bad[] = "{\"n\":2,\"k\":\"novelty\",\"t\":0}\n";
    int status = PBT_OK;
    for (int i = 0; status == PBT_OK; i++) {
        assert_true(i < 6000);
        status = pbt_log_thread_feed(thread, bad, sizeof bad - 1, &error);
        struct timespec pause = {.tv_nsec = 10000000};
        (void)nanosleep(&pause, NULL);
    }
    static const char expected[] =
        "log files: the record after number 1: record kind \"novelty\" is "
        "unknown: written by a newer version of pbt";
    assert_int_equal(status, PBT_EDATA);
    assert_string_equal(error.text, expected);
    error = (struct pbt_error){0};
    assert_int_equal(pbt_log_thread_stop(thread, &error), PBT_EDATA);
    assert_string_equal(error.text, expected);
    pbt_spec_done(&spec);
}

static void no_directory_no_thread(void **state)
{
    (void)state;
    char dir[128];
    struct pbt_error error = {0};
    struct pbt_spec spec;
    struct pbt_log_thread *thread = NULL;
    recorded_spec(&spec, experiment);
    (void)snprintf(dir, sizeof dir, "%s/none", base);
    assert_int_equal(
        pbt_log_thread_start(&thread, dir, &spec, false, NULL, &error),
        PBT_ENOINPUT);
    assert_null(thread);
    assert_int_equal(pbt_log_thread_stop(NULL, &error), PBT_OK);
    pbt_spec_done(&spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(thread_writes_what_a_log_writes, set_up,
                                        clean),
        cmocka_unit_test_setup_teardown(skipped_records_are_read, set_up,
                                        clean),
        cmocka_unit_test_setup_teardown(records_show_without_a_stop, set_up,
                                        clean),
        cmocka_unit_test_setup_teardown(failure_is_told, set_up, clean),
        cmocka_unit_test_setup_teardown(no_directory_no_thread, set_up, clean),
    };
    return cmocka_run_group_tests(tests, record_run, forget_run);
}
