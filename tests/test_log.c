/*
 * The log files: they are what Python and Ray would have written; and whatever happens to the
 * process that writes them, continuing them gives, byte for byte, what a rebuild from
 * nothing gives.
 *
 * The linker puts the functions below in place of those that change files, so that a
 * process can be made to die at any of them, in the middle of a write.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/names.h"
#include "checkpoint/checkpoint.h"
#include "log/log.h"
#include "recorded.h"

static const char experiment[] =
    "name: logged\n"
    "command: [worker]\n"
    "num_samples: 4\n"
    "metric: score\n"
    "mode: max\n"
    "stop: {training_iteration: 30}\n"
    "config:\n"
    "  zeta: 3\n"
    "  lr: {loguniform: [0.000001, 1]}\n"
    "  opt: {act: {choice: [relu, 'two words']}, decay: 0.1, on: true}\n"
    "  layers: [1, 2, {a: null}]\n"
    "scheduler:\n"
    "  type: pbt\n"
    "  perturbation_interval: 5\n"
    "  hyperparam_mutations:\n"
    "    lr: {loguniform: [0.000001, 1]}\n"
    "    momentum: [0.8, 0.9, 0.99]\n"
    "failure: {max_failures: -1}\n"
    "seed: 7\n";
#define DRAWN "lr,opt/act"
#define MUTATED "lr,momentum"

static struct pbt_buf lines;
static size_t line_ends[20000]; /* where line i + 1 begins */
static uint32_t line_count;
static char base[64];

/* --- death --------------------------------------------------------------- */

static int64_t calls_to_live = -1; /* below 0: for ever */

static bool dies_now(void)
{
    return calls_to_live > 0 && --calls_to_live == 0;
}

ssize_t __real_write(int fd, const void *bytes, size_t length);
ssize_t __wrap_write(int fd, const void *bytes, size_t length);
ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
    if (dies_now()) {
        (void)__real_write(fd, bytes, length / 2);
        _exit(1);
    }
    return __real_write(fd, bytes, length);
}

ssize_t __real_pwrite(int fd, const void *bytes, size_t length, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t length, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t length, off_t at)
{
    if (dies_now()) {
        (void)__real_pwrite(fd, bytes, length / 2, at);
        _exit(1);
    }
    return __real_pwrite(fd, bytes, length, at);
}

int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    if (dies_now()) {
        _exit(1);
    }
    return __real_renameat(from_dir, from, to_dir, to);
}

int __real_ftruncate(int fd, off_t length);
int __wrap_ftruncate(int fd, off_t length);
int __wrap_ftruncate(int fd, off_t length)
{
    if (dies_now()) {
        _exit(1);
    }
    return __real_ftruncate(fd, length);
}

int __real_unlinkat(int dir, const char *path, int flags);
int __wrap_unlinkat(int dir, const char *path, int flags);
int __wrap_unlinkat(int dir, const char *path, int flags)
{
    if (dies_now()) {
        _exit(1);
    }
    return __real_unlinkat(dir, path, flags);
}

/* --- records ------------------------------------------------------------- */

/* Metrics of every kind, some of which begin late. */
static void enrich(json_t *metrics, json_int_t n)
{
    int failed = 0;
    failed |= json_object_set_new(metrics, "loss", json_real(1.0 / (double)n));
    failed |= json_object_set_new(metrics, "tiny", json_real(1e-5));
    failed |= json_object_set_new(metrics, "pid", json_integer(1));
    failed |= json_object_set_new(metrics, "whole", json_real(3));
    failed |= json_object_set_new(metrics, "ok", json_boolean(n % 2 == 0));
    failed |= json_object_set_new(metrics, "none", json_null());
    failed |= json_object_set_new(
        metrics, "note",
        json_string("a, \"b\"\r\nand \xc3\xbc \xf0\x9f\x98\x80"));
    failed |=
        json_object_set_new(metrics, "deep",
                            json_pack("{s:{s:i,s:f},s:[i,f,s,b]}", "a", "b", 1,
                                      "c", 2.5, "list", 1, 2.0, "x", 1));
    if (n > 60) {
        failed |= json_object_set_new(metrics, "late", json_integer(n));
    }
    if (n > 100 && n % 3 == 0) {
        failed |= json_object_set_new(metrics, "later, still",
                                      json_string("Infinity"));
    }
    assert_int_equal(failed, 0);
}

static void add_line(struct pbt_buf *out, const char *line, size_t length)
{
    json_t *root = json_loadb(line, length, 0, NULL);
    assert_non_null(root);
    json_t *data = json_object_get(root, "data");
    json_t *metrics = json_object_get(data, "metrics");
    if (metrics != NULL) {
        enrich(metrics, json_integer_value(json_object_get(root, "n")));
    }
    if (strcmp(json_string_value(json_object_get(root, "k")), "exited") == 0 &&
        line_count % 2 == 0) {
        json_t *text = json_string("Traceback:\n  one\nValueError: \xc3\xa9");
        assert_int_equal(json_object_set_new(data, "text", text), 0);
    }
    if (strcmp(json_string_value(json_object_get(root, "k")), "ready") == 0 &&
        line_count % 3 != 0) {
        data = json_pack("{s:i,s:s}", "pid", 1000 + (int)line_count, "host",
                         line_count % 2 == 0 ? "simulated" : "elsewhere");
        assert_int_equal(json_object_set_new(root, "data", data), 0);
    }
    char *text = json_dumps(root, JSON_COMPACT);
    assert_non_null(text);
    pbt_buf_text(out, text);
    pbt_buf_char(out, '\n');
    line_ends[line_count++] = out->length;
    assert_true(line_count < sizeof line_ends / sizeof line_ends[0]);
    free(text);
    json_decref(root);
}

static int record_run(void **state)
{
    (void)state;
    struct pbt_buf raw;
    pbt_buf_init(&raw, (size_t)1 << 28);
    pbt_buf_init(&lines, (size_t)1 << 28);
    recorded_run(experiment, 3, 4, 40, &raw);
    for (size_t at = 0; at < raw.length;) {
        const char *line = raw.data + at;
        const char *end = memchr(line, '\n', raw.length - at);
        assert_non_null(end);
        add_line(&lines, line, (size_t)(end - line));
        at += (size_t)(end - line) + 1;
    }
    assert_false(pbt_buf_failed(&lines));
    pbt_buf_done(&raw);
    return 0;
}

static int forget_run(void **state)
{
    (void)state;
    pbt_buf_done(&lines);
    return 0;
}

/* --- directories --------------------------------------------------------- */

static int set_up(void **state)
{
    (void)state;
    (void)strcpy(base, "/tmp/test_log.XXXXXX");
    assert_non_null(mkdtemp(base));
    return 0;
}

static int clean(void **state)
{
    (void)state;
    assert_int_equal(pbt_checkpoint_delete(base, NULL), PBT_OK);
    return 0;
}

static void make_run_dir(const char *name, char path[128])
{
    (void)snprintf(path, 128, "%s/%s", base, name);
    assert_int_equal(mkdir(path, 0777), 0);
}

static void read_file(const char *dir, const char *name, struct pbt_buf *out)
{
    char path[512];
    char block[4096];
    size_t n;
    pbt_buf_init(out, (size_t)1 << 28);
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

static void write_file(const char *dir, const char *name, const char *bytes,
                       size_t length)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

/* Every file of `expected` is in `dir`, and the same. */
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
        if (name->d_name[0] == '.') {
            continue;
        }
        (void)snprintf(inside, sizeof inside, "%s%s%s", below,
                       *below == '\0' ? "" : "/", name->d_name);
        count++;
        if (strchr(name->d_name, '.') == NULL) {
            count += compare(expected, dir, inside);
            continue;
        }
        struct pbt_buf a;
        struct pbt_buf b;
        read_file(expected, inside, &a);
        read_file(dir, inside, &b);
        if (a.length != b.length ||
            (a.length > 0 && memcmp(a.data, b.data, a.length) != 0)) {
            fail_msg("%s differs in %s and %s", inside, expected, dir);
        }
        pbt_buf_done(&a);
        pbt_buf_done(&b);
    }
    assert_int_equal(closedir(names), 0);
    return count;
}

static void expect_same(const char *expected, const char *dir)
{
    assert_true(compare(expected, dir, "") > 4 * 3);
    (void)compare(dir, expected, "");
}

/* --- writing ------------------------------------------------------------- */

struct writer {
    struct pbt_spec spec;
    struct pbt_board board;
    struct pbt_log *log;
    uint32_t fed;
};

static void open_writer(struct writer *w, const char *dir, bool rebuild)
{
    struct pbt_error error = {0};
    *w = (struct writer){.log = NULL};
    recorded_spec(&w->spec, experiment);
    assert_int_equal(pbt_board_init(&w->board, &w->spec, &error), PBT_OK);
    if (pbt_log_open(&w->log, dir, &w->spec, &w->board, rebuild, NULL,
                     &error) != PBT_OK) {
        fail_msg("%s", error.text);
    }
}

/* Feeds up to line number `to`, with a flush after each `step` lines. */
static void feed(struct writer *w, uint32_t to, uint32_t step)
{
    struct pbt_error error = {0};
    int status = PBT_OK;
    for (; status == PBT_OK && w->fed < to; w->fed++) {
        struct pbt_entry entry;
        size_t start = w->fed == 0 ? 0 : line_ends[w->fed - 1];
        status = pbt_entry_read(&entry, &w->spec, lines.data + start,
                                line_ends[w->fed] - 1 - start, &error);
        if (status == PBT_OK) {
            status = pbt_log_feed(w->log, &entry, &error);
            pbt_entry_done(&entry);
        }
        if (status == PBT_OK && w->fed % step == step - 1) {
            status = pbt_log_flush(w->log, &error);
        }
    }
    if (status != PBT_OK) {
        fail_msg("line %" PRIu32 ": %s", w->fed, error.text);
    }
}

static void close_writer(struct writer *w)
{
    struct pbt_error error = {0};
    if (pbt_log_close(w->log, &error) != PBT_OK) {
        fail_msg("%s", error.text);
    }
    pbt_board_done(&w->board);
    pbt_spec_done(&w->spec);
}

static void write_all(const char *dir, bool rebuild, uint32_t to, uint32_t step)
{
    struct writer w;
    open_writer(&w, dir, rebuild);
    feed(&w, to, step);
    close_writer(&w);
}

/*
 * The same in a process that dies at its call number `death` that changes a file; false if
 * it came to its end before.
 */
static bool write_and_die(const char *dir, int64_t death, uint32_t to,
                          uint32_t step)
{
    (void)fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        calls_to_live = death;
        write_all(dir, false, to, step);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
    return WEXITSTATUS(status) == 1;
}

/* --- tests --------------------------------------------------------------- */

static void files_are_as_python_writes_them(void **state)
{
    (void)state;
    char dir[128];
    char command[1024];
    struct writer w;
    struct pbt_error error = {0};
    make_run_dir("run", dir);
    open_writer(&w, dir, false);
    feed(&w, line_count, 50);
    assert_int_equal(pbt_log_write_status(w.log, &error), PBT_OK);
    close_writer(&w);
    write_file(base, "records", lines.data, lines.length);
    (void)snprintf(command, sizeof command,
                   "/usr/bin/python3 " PBT_SOURCE_DIR
                   "/tests/ray_files.py %s/records %s '" DRAWN "' '" MUTATED
                   "'",
                   base, dir);
    assert_int_equal(system(command), 0);
}

static void flushes_leave_no_trace(void **state)
{
    (void)state;
    char one[128];
    char often[128];
    make_run_dir("one", one);
    make_run_dir("often", often);
    write_all(one, false, line_count, line_count);
    write_all(often, false, line_count, 1);
    expect_same(one, often);
}

/* A death at each call that changes a file, of a process that flushes now and then. */
static void death_leaves_no_trace(void **state)
{
    (void)state;
    char whole[128];
    char dir[128];
    bool died = true;
    make_run_dir("whole", whole);
    make_run_dir("run", dir);
    write_all(whole, false, line_count, line_count);
    /* The first half is there; the second has every kind of change. */
    int64_t death = 1;
    for (; died; death++) {
        write_all(dir, true, line_count / 2, line_count);
        died = write_and_die(dir, death, line_count, line_count / 4);
        write_all(dir, false, line_count, line_count);
        expect_same(whole, dir);
    }
    assert_true(death > 50);
}

/* Death after death, each a little further on. */
static void many_deaths_leave_no_trace(void **state)
{
    (void)state;
    char whole[128];
    char dir[128];
    unsigned seed = (unsigned)time(NULL);
    unsigned draw = seed;
    make_run_dir("whole", whole);
    make_run_dir("run", dir);
    write_all(whole, false, line_count, line_count);
    print_message("seed %u\n", seed);
    for (uint32_t to = 1; to < line_count;) {
        (void)write_and_die(dir, 1 + rand_r(&draw) % 60, to,
                            1 + (uint32_t)rand_r(&draw) % 20);
        to += (uint32_t)rand_r(&draw) % (line_count / 20);
    }
    write_all(dir, false, line_count, line_count);
    expect_same(whole, dir);
}

/* The files were written up to there; then something happens; then the rest is. */
static void go_on_after(void (*happens)(const char *dir))
{
    char whole[128];
    char dir[128];
    make_run_dir("whole", whole);
    make_run_dir("run", dir);
    write_all(whole, false, line_count, line_count);
    write_all(dir, false, line_count * 2 / 3, 40);
    happens(dir);
    write_all(dir, false, line_count, 40);
    expect_same(whole, dir);
}

static void remove_cursor(const char *dir)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/log_cursor.json", dir);
    assert_int_equal(unlink(path), 0);
}

static void missing_cursor(void **state)
{
    (void)state;
    go_on_after(remove_cursor);
}

static void tear_cursor(const char *dir)
{
    struct pbt_buf cursor;
    read_file(dir, "log_cursor.json", &cursor);
    write_file(dir, "log_cursor.json", cursor.data, cursor.length / 2);
    pbt_buf_done(&cursor);
}

static void torn_cursor(void **state)
{
    (void)state;
    go_on_after(tear_cursor);
}

/* Changes one character behind a text in the cursor. */
static void change_cursor(const char *dir, const char *behind, char to)
{
    struct pbt_buf cursor;
    read_file(dir, "log_cursor.json", &cursor);
    char *at = strstr(cursor.data, behind);
    assert_non_null(at);
    at += strlen(behind);
    *at = *at == to ? '7' : to;
    write_file(dir, "log_cursor.json", cursor.data, cursor.length);
    pbt_buf_done(&cursor);
}

static void change_boot(const char *dir)
{
    change_cursor(dir, "\"boot\":\"", '0');
}

static void change_run(const char *dir)
{
    change_cursor(dir, "\"wall\":", '2');
}

static void change_version(const char *dir)
{
    change_cursor(dir, "\"version\":", '9');
}

static void cursor_that_does_not_count(void **state)
{
    (void)state;
    go_on_after(change_boot);
    assert_int_equal(clean(state), 0);
    (void)set_up(state);
    go_on_after(change_run);
    assert_int_equal(clean(state), 0);
    (void)set_up(state);
    go_on_after(change_version);
}

static void name_trial_file(const char *dir, uint32_t trial, const char *name,
                            char path[256])
{
    char id[PBT_TRIAL_ID_SIZE];
    pbt_trial_id(7, trial, id);
    (void)snprintf(path, 256, "%s/%s/%s", dir, id, name);
}

/* Every other error.txt is gone, every other one is longer. */
static void spoil_errors(const char *dir)
{
    char path[256];
    uint32_t found = 0;
    for (uint32_t i = 0; i < 4; i++) {
        name_trial_file(dir, i, "error.txt", path);
        if (access(path, F_OK) != 0) {
            continue;
        }
        if (found++ % 2 == 0) {
            assert_int_equal(unlink(path), 0);
            continue;
        }
        FILE *file = fopen(path, "a");
        assert_non_null(file);
        assert_true(fprintf(file, "%5000s", "") > 0);
        assert_int_equal(fclose(file), 0);
    }
    assert_true(found >= 2);
}

/* Somebody has tidied up: one file is gone, one is shorter, one longer. */
static void spoil_files(const char *dir)
{
    char path[256];
    struct stat info;
    name_trial_file(dir, 0, "result.json", path);
    assert_int_equal(unlink(path), 0);
    name_trial_file(dir, 1, "progress.csv", path);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(truncate(path, info.st_size - 10), 0);
    name_trial_file(dir, 2, "result.json", path);
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    assert_true(fputs("half a li", file) >= 0);
    assert_int_equal(fclose(file), 0);
    (void)snprintf(path, sizeof path, "%s/pbt_global.txt", dir);
    assert_int_equal(unlink(path), 0);
    name_trial_file(dir, 3, "params.json", path);
    assert_int_equal(unlink(path), 0);
    spoil_errors(dir);
}

static void spoilt_files(void **state)
{
    (void)state;
    go_on_after(spoil_files);
}

/* A power loss takes the records of most of what the files held. */
static void cut_journal(void **state)
{
    (void)state;
    char few[128];
    char dir[128];
    make_run_dir("few", few);
    make_run_dir("run", dir);
    write_all(few, false, line_count / 8, 10);
    write_all(dir, false, line_count, 30);
    remove_cursor(dir);
    write_all(dir, false, line_count / 8, 10);
    assert_true(compare(few, dir, "") > 0);
    (void)compare(dir, few, "");
}

static void rebuild_needs_nothing(void **state)
{
    (void)state;
    char whole[128];
    char dir[128];
    make_run_dir("whole", whole);
    make_run_dir("run", dir);
    write_all(whole, false, line_count, line_count);
    write_all(dir, false, line_count, 30);
    spoil_files(dir);
    write_all(dir, true, line_count, line_count);
    expect_same(whole, dir);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, clean)
    const struct CMUnitTest tests[] = {
        TEST(files_are_as_python_writes_them),
        TEST(flushes_leave_no_trace),
        TEST(death_leaves_no_trace),
        TEST(many_deaths_leave_no_trace),
        TEST(missing_cursor),
        TEST(torn_cursor),
        TEST(cursor_that_does_not_count),
        TEST(spoilt_files),
        TEST(cut_journal),
        TEST(rebuild_needs_nothing),
    };
    return cmocka_run_group_tests(tests, record_run, forget_run);
}
