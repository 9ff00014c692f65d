/*
 * The status block, its table, and the screen that it is drawn on.  Golden texts: the table
 * is what tabulate prints, the words and their order are Ray's.
 */
#define _XOPEN_SOURCE 700 /* pseudo-terminals */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/width.h"
#include "recorded.h"
#include "view/screen.h"
#include "view/status.h"
#include "view/table.h"

/* --- a board from records ------------------------------------------------ */

static struct pbt_spec spec;
static struct pbt_board board;
static uint64_t record;

static const char convnet[] = "name: mnist\n"
                              "command: [convnet]\n"
                              "metric: mean_accuracy\n"
                              "mode: max\n"
                              "stop: {training_iteration: 100}\n"
                              "config:\n"
                              "  momentum: {uniform: [0.001, 1]}\n"
                              "  lr: {uniform: [0.001, 1]}\n"
                              "  batch_size: 64\n"
                              "scheduler:\n"
                              "  type: pbt\n"
                              "  perturbation_interval: 5\n"
                              "  hyperparam_mutations:\n"
                              "    lr: {uniform: [0.0001, 1]}\n"
                              "resources: {cpu: 8}\n"
                              "resources_per_trial: {cpu: 2}\n"
                              "seed: 1\n";

static void open_board(const char *text, int population)
{
    char full[2048];
    struct pbt_error error = {0};
    (void)snprintf(full, sizeof full, "num_samples: %d\n%s", population, text);
    recorded_spec(&spec, full);
    assert_int_equal(pbt_board_init(&board, &spec, &error), PBT_OK);
    record = 0;
}

static void close_board(void)
{
    pbt_board_done(&board);
    pbt_spec_done(&spec);
}

PBT_PRINTF(2, 3)
static void feed(const char *kind, const char *fmt, ...)
{
    char members[1024];
    char line[1200];
    struct pbt_entry entry;
    struct pbt_error error = {0};
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(members, sizeof members, fmt, args);
    va_end(args);
    record++;
    int n = snprintf(line, sizeof line,
                     "{\"n\":%" PRIu64 ",\"k\":\"%s\",\"t\":%" PRIu64 ",%s}",
                     record, kind, record * 1000000, members);
    int status = pbt_entry_read(&entry, &spec, line, (size_t)n, &error);
    if (status == PBT_OK) {
        status = pbt_board_feed(&board, &entry, &error);
        pbt_entry_done(&entry);
    }
    if (status != PBT_OK) {
        fail_msg("%s: %s", line, error.text);
    }
}

static void create(int trial, const char *config)
{
    feed("trial", "\"trial\":%d,\"config\":%s", trial, config);
}

static void start(int trial, int pid, const char *config)
{
    feed("start",
         "\"trial\":%d,\"epoch\":%d,\"it\":0,\"total\":0.0,\"seed\":\"1\","
         "\"config\":%s",
         trial, 1000 + trial, config);
    feed("ready",
         "\"trial\":%d,\"epoch\":%d,\"can_reset\":true,\"data\":{\"pid\":%d,"
         "\"host\":\"node-a\"}",
         trial, 1000 + trial, pid);
}

static void report(int trial, int iteration, double seconds, double score,
                   const char *metrics)
{
    feed("result",
         "\"trial\":%d,\"epoch\":%d,\"seq\":1,\"it\":%d,\"total\":%g,"
         "\"score\":%g,\"halted\":true,\"data\":{\"time_this_iter_s\":0.25,"
         "\"metrics\":%s}",
         trial, 1000 + trial, iteration, seconds, score, metrics);
}

static void leave(int trial, const char *how)
{
    feed("exited", "\"trial\":%d,\"epoch\":%d,\"leave\":\"%s\"", trial,
         1000 + trial, how);
}

/* Four trials, as in Ray's guide; the third waits, the fourth has copied the first. */
static void feed_convnet(void)
{
    static const char first[] =
        "{\"momentum\":0.608416,\"lr\":0.221776,\"batch_size\":64}";
    static const char second[] =
        "{\"momentum\":0.8,\"lr\":0.0376862,\"batch_size\":64}";
    feed("opened", "\"incarnation\":1,\"slots\":4,\"data\":{\"wall\":0}");
    create(0, first);
    create(1, second);
    create(2, "{\"momentum\":1.5e-05,\"lr\":0.5,\"batch_size\":64}");
    create(3, second);
    start(0, 4711, first);
    start(1, 4712, second);
    start(3, 99999, second);
    report(0, 59, 13.0865, 0.95625,
           "{\"mean_accuracy\":0.95625,\"mean_loss\":0.25}");
    report(1, 46, 10.2901, 0.971875,
           "{\"mean_accuracy\":0.971875,\"mean_loss\":2}");
    report(3, 50, 1000, 0.9, "{\"mean_accuracy\":\"NaN\",\"mean_loss\":1.5}");
    feed("saved", "\"trial\":0,\"epoch\":1000,\"point\":true,"
                  "\"checkpoint\":{\"trial\":0,\"number\":1}");
    feed("exploit",
         "\"trial\":3,\"epoch\":1003,\"it\":50,\"total\":13.0865,\"score\":0.9,"
         "\"seed\":\"1\",\"checkpoint\":{\"trial\":0,\"number\":1},\"donor\":0,"
         "\"donor_score\":0.95625,\"donor_it\":59,\"old_config\":%s,"
         "\"config\":{\"momentum\":0.608416,\"lr\":1,\"batch_size\":64}",
         first);
    leave(1, "terminate");
}

static struct pbt_status_options options_for(uint32_t columns, uint32_t lines)
{
    return (struct pbt_status_options){
        .result_dir = "runs/mnist",
        .now = INT64_C(1700000000000000000),
        .running_ns = UINT64_C(93784567000000),
        .columns = columns,
        .lines = lines,
        .memory_used = UINT64_C(10) << 30,
        .memory_total = UINT64_C(47) << 29,
    };
}

static void print_block(struct pbt_buf *out,
                        const struct pbt_status_options *options)
{
    pbt_buf_init(out, (size_t)1 << 26);
    pbt_status_print(&board, options, out);
    assert_false(pbt_buf_failed(out));
}

static void expect_block(const struct pbt_status_options *options,
                         const char *expected)
{
    struct pbt_buf out;
    print_block(&out, options);
    assert_string_equal(out.data, expected);
    pbt_buf_done(&out);
}

#define HEAD                                                                   \
    "== Status ==\n"                                                           \
    "Current time: 2023-11-14 22:13:20 (running for 1 days, 02:03:04.56)\n"    \
    "Memory usage on this node: 10.0/23.5 GiB\n"                               \
    "PopulationBasedTraining: 1 checkpoints, 1 perturbs\n"                     \
    "Resources requested: 4/8 CPUs\n"                                          \
    "Current best trial: 8b684_00001 with mean_accuracy=0.971875 and "         \
    "parameters={'momentum': 0.8, 'lr': 0.0376862, 'batch_size': 64}\n"        \
    "Result logdir: runs/mnist\n"                                              \
    "Number of trials: 4/4 (1 PENDING, 2 RUNNING, 1 TERMINATED)\n"

/* --- the block ----------------------------------------------------------- */

static void block_is_rays(void **state)
{
    (void)state;
    struct pbt_status_options options = options_for(0, 0);
    open_board(convnet, 4);
    feed_convnet();
    expect_block(&options, HEAD
                 "+--------------+------------+--------------+-----------+-----"
                 "-------+----------+--------+--------+------------------+\n"
                 "| Trial name   | status     | loc          |        lr |   "
                 "momentum |      acc |   loss |   iter |   total time (s) |\n"
                 "|--------------+------------+--------------+-----------+-----"
                 "-------+----------+--------+--------+------------------|\n"
                 "| 8b684_00000  | RUNNING    | node-a:4711  | 0.221776  |   "
                 "0.608416 | 0.95625  |   0.25 |     59 |          13.0865 |\n"
                 "| 8b684_00003  | RUNNING    | node-a:99999 | 1         |   "
                 "0.608416 | 0.95625  |   0.25 |     59 |          13.0865 |\n"
                 "| 8b684_00002  | PENDING    |              | 0.5       |   "
                 "1.5e-05  |          |        |        |                  |\n"
                 "| 8b684_00001  | TERMINATED |              | 0.0376862 |   "
                 "0.8      | 0.971875 |   2    |     46 |          10.2901 |\n"
                 "+--------------+------------+--------------+-----------+-----"
                 "-------+----------+--------+--------+------------------+\n");
    close_board();
}

/* What has changed after a row is not there: no state, no metric, no time. */
static void block_of_a_young_run(void **state)
{
    (void)state;
    struct pbt_status_options options = options_for(0, 0);
    options.running_ns = 0;
    options.result_dir = NULL;
    open_board(convnet, 2);
    feed("opened", "\"incarnation\":1,\"slots\":4,\"data\":{\"wall\":0}");
    expect_block(&options,
                 "== Status ==\n"
                 "Current time: 2023-11-14 22:13:20 (running for 00:00:00.00)\n"
                 "Memory usage on this node: 10.0/23.5 GiB\n"
                 "PopulationBasedTraining: 0 checkpoints, 0 perturbs\n"
                 "Resources requested: 0/8 CPUs\n"
                 "Number of trials: 0/2\n");
    create(0, "{\"momentum\":0.5,\"lr\":1,\"batch_size\":64}");
    expect_block(&options,
                 "== Status ==\n"
                 "Current time: 2023-11-14 22:13:20 (running for 00:00:00.00)\n"
                 "Memory usage on this node: 10.0/23.5 GiB\n"
                 "PopulationBasedTraining: 0 checkpoints, 0 perturbs\n"
                 "Resources requested: 0/8 CPUs\n"
                 "Number of trials: 1/2 (1 PENDING)\n"
                 "+--------------+----------+-------+------+------------+\n"
                 "| Trial name   | status   | loc   |   lr |   momentum |\n"
                 "|--------------+----------+-------+------+------------|\n"
                 "| 8b684_00000  | PENDING  |       |    1 |        0.5 |\n"
                 "+--------------+----------+-------+------+------------+\n");
    close_board();
}

static void columns_go_before_lines_wrap(void **state)
{
    (void)state;
    struct pbt_status_options options = options_for(80, 0);
    open_board(convnet, 4);
    feed_convnet();
    expect_block(&options, HEAD "+--------------+------------+-----------+-----"
                                "-------+----------+--------+\n"
                                "| Trial name   | status     |        lr |   "
                                "momentum |      acc |   iter |\n"
                                "|--------------+------------+-----------+-----"
                                "-------+----------+--------|\n"
                                "| 8b684_00000  | RUNNING    | 0.221776  |   "
                                "0.608416 | 0.95625  |     59 |\n"
                                "| 8b684_00003  | RUNNING    | 1         |   "
                                "0.608416 | 0.95625  |     59 |\n"
                                "| 8b684_00002  | PENDING    | 0.5       |   "
                                "1.5e-05  |          |        |\n"
                                "| 8b684_00001  | TERMINATED | 0.0376862 |   "
                                "0.8      | 0.971875 |     46 |\n"
                                "+--------------+------------+-----------+-----"
                                "-------+----------+--------+\n");
    options.columns = 40;
    expect_block(&options,
                 HEAD "+--------------+------------+----------+--------+\n"
                      "| Trial name   | status     |      acc |   iter |\n"
                      "|--------------+------------+----------+--------|\n"
                      "| 8b684_00000  | RUNNING    | 0.95625  |     59 |\n"
                      "| 8b684_00003  | RUNNING    | 0.95625  |     59 |\n"
                      "| 8b684_00002  | PENDING    |          |        |\n"
                      "| 8b684_00001  | TERMINATED | 0.971875 |     46 |\n"
                      "+--------------+------------+----------+--------+\n");
    close_board();
}

static const char many[] = "name: many\n"
                           "command: [worker]\n"
                           "metric: loss\n"
                           "mode: min\n"
                           "stop: {training_iteration: 100}\n"
                           "config: {act: {choice: [relu, \"a\\nb\", 'a name "
                           "too long for a column']}}\n"
                           "scheduler: {type: fifo}\n"
                           "resources_per_trial: {cpu: 0.5}\n"
                           "seed: 1\n";

/* 5 of each state but 10 that run, and one that is not there yet. */
static void feed_many(void)
{
    static const char *const ends[] = {"pause", "respawn", "terminate",
                                       "error"};
    static const char *const acts[] = {"relu", "a\\nb",
                                       "a name too long for a column"};
    char config[64];
    char metrics[256];
    feed("opened", "\"incarnation\":1,\"slots\":12,\"data\":{\"wall\":0}");
    for (int i = 0; i < 30; i++) {
        (void)snprintf(config, sizeof config, "{\"act\":\"%s\"}", acts[i % 3]);
        create(i, config);
        start(i, 100 + i, config);
        (void)snprintf(
            metrics, sizeof metrics,
            "{\"epoch\":1,\"loss\":%d.5,\"a\":1,\"b\":%d,\"c\":\"x\","
            "\"d\":1e-07,\"e\":true,\"f\":1,\"timestamp\":5}",
            i, i * 1000);
        report(i, i, i, -i - 0.5, metrics);
        if (i < 20) {
            leave(i, ends[i % 4]);
        }
    }
}

static void rows_are_shared(void **state)
{
    (void)state;
    struct pbt_status_options options = options_for(0, 0);
    open_board(many, 31);
    feed_many();
    expect_block(
        &options,
        "== Status ==\n"
        "Current time: 2023-11-14 22:13:20 (running for 1 days, 02:03:04.56)\n"
        "Memory usage on this node: 10.0/23.5 GiB\n"
        "Using FIFO scheduling algorithm.\n"
        "Resources requested: 5/6 CPUs\n"
        "Current best trial: 8b684_00000 with loss=0.5 and parameters={'act': "
        "'relu'}\n"
        "Result logdir: runs/mnist\n"
        "Number of trials: 30/31 (5 ERROR, 5 PAUSED, 5 PENDING, 10 RUNNING, 5 "
        "TERMINATED)\n"
        "+--------------+------------+------------+----------------------+-----"
        "---+------------------+--------+-----+-------+-------+\n"
        "| Trial name   | status     | loc        | act                  |   "
        "iter |   total time (s) |   loss |   a |     b |     d |\n"
        "|--------------+------------+------------+----------------------+-----"
        "---+------------------+--------+-----+-------+-------|\n"
        "| 8b684_00020  | RUNNING    | node-a:120 | a name too long f... |     "
        "20 |               20 |   20.5 |   1 | 20000 | 1e-07 |\n"
        "| 8b684_00021  | RUNNING    | node-a:121 | relu                 |     "
        "21 |               21 |   21.5 |   1 | 21000 | 1e-07 |\n"
        "| 8b684_00022  | RUNNING    | node-a:122 | a?b                  |     "
        "22 |               22 |   22.5 |   1 | 22000 | 1e-07 |\n"
        "| 8b684_00023  | RUNNING    | node-a:123 | a name too long f... |     "
        "23 |               23 |   23.5 |   1 | 23000 | 1e-07 |\n"
        "| 8b684_00000  | PAUSED     |            | relu                 |     "
        " 0 |                0 |    0.5 |   1 |     0 | 1e-07 |\n"
        "| 8b684_00004  | PAUSED     |            | a?b                  |     "
        " 4 |                4 |    4.5 |   1 |  4000 | 1e-07 |\n"
        "| 8b684_00008  | PAUSED     |            | a name too long f... |     "
        " 8 |                8 |    8.5 |   1 |  8000 | 1e-07 |\n"
        "| 8b684_00012  | PAUSED     |            | relu                 |     "
        "12 |               12 |   12.5 |   1 | 12000 | 1e-07 |\n"
        "| 8b684_00001  | PENDING    |            | a?b                  |     "
        " 1 |                1 |    1.5 |   1 |  1000 | 1e-07 |\n"
        "| 8b684_00005  | PENDING    |            | a name too long f... |     "
        " 5 |                5 |    5.5 |   1 |  5000 | 1e-07 |\n"
        "| 8b684_00009  | PENDING    |            | relu                 |     "
        " 9 |                9 |    9.5 |   1 |  9000 | 1e-07 |\n"
        "| 8b684_00013  | PENDING    |            | a?b                  |     "
        "13 |               13 |   13.5 |   1 | 13000 | 1e-07 |\n"
        "| 8b684_00002  | TERMINATED |            | a name too long f... |     "
        " 2 |                2 |    2.5 |   1 |  2000 | 1e-07 |\n"
        "| 8b684_00006  | TERMINATED |            | relu                 |     "
        " 6 |                6 |    6.5 |   1 |  6000 | 1e-07 |\n"
        "| 8b684_00010  | TERMINATED |            | a?b                  |     "
        "10 |               10 |   10.5 |   1 | 10000 | 1e-07 |\n"
        "| 8b684_00014  | TERMINATED |            | a name too long f... |     "
        "14 |               14 |   14.5 |   1 | 14000 | 1e-07 |\n"
        "| 8b684_00003  | ERROR      |            | relu                 |     "
        " 3 |                3 |    3.5 |   1 |  3000 | 1e-07 |\n"
        "| 8b684_00007  | ERROR      |            | a?b                  |     "
        " 7 |                7 |    7.5 |   1 |  7000 | 1e-07 |\n"
        "| 8b684_00011  | ERROR      |            | a name too long f... |     "
        "11 |               11 |   11.5 |   1 | 11000 | 1e-07 |\n"
        "| 8b684_00015  | ERROR      |            | relu                 |     "
        "15 |               15 |   15.5 |   1 | 15000 | 1e-07 |\n"
        "+--------------+------------+------------+----------------------+-----"
        "---+------------------+--------+-----+-------+-------+\n"
        "... 10 more trials not shown (6 RUNNING, 1 PAUSED, 1 PENDING, 1 "
        "TERMINATED, 1 ERROR)\n"
        "Number of errored trials: 5\n"
        "+--------------+--------------+----------------------------------+\n"
        "| Trial name   |   # failures | error file                       |\n"
        "|--------------+--------------+----------------------------------|\n"
        "| 8b684_00003  |            1 | runs/mnist/8b684_00003/error.txt |\n"
        "| 8b684_00007  |            1 | runs/mnist/8b684_00007/error.txt |\n"
        "| 8b684_00011  |            1 | runs/mnist/8b684_00011/error.txt |\n"
        "| 8b684_00015  |            1 | runs/mnist/8b684_00015/error.txt |\n"
        "| 8b684_00019  |            1 | runs/mnist/8b684_00019/error.txt |\n"
        "+--------------+--------------+----------------------------------+\n");
    options.lines = 24;
    options.columns = 70;
    expect_block(
        &options,
        "== Status ==\n"
        "Current time: 2023-11-14 22:13:20 (running for 1 days, 02:03:04.56)\n"
        "Memory usage on this node: 10.0/23.5 GiB\n"
        "Using FIFO scheduling algorithm.\n"
        "Resources requested: 5/6 CPUs\n"
        "Current best trial: 8b684_00000 with loss=0.5 and parameters={'act': "
        "'relu'}\n"
        "Result logdir: runs/mnist\n"
        "Number of trials: 30/31 (5 ERROR, 5 PAUSED, 5 PENDING, 10 RUNNING, 5 "
        "TERMINATED)\n"
        "+--------------+------------+----------------------+--------+--------+"
        "\n"
        "| Trial name   | status     | act                  |   iter |   loss "
        "|\n"
        "|--------------+------------+----------------------+--------+--------|"
        "\n"
        "| 8b684_00020  | RUNNING    | a name too long f... |     20 |   20.5 "
        "|\n"
        "| 8b684_00021  | RUNNING    | relu                 |     21 |   21.5 "
        "|\n"
        "| 8b684_00000  | PAUSED     | relu                 |      0 |    0.5 "
        "|\n"
        "| 8b684_00004  | PAUSED     | a?b                  |      4 |    4.5 "
        "|\n"
        "| 8b684_00001  | PENDING    | a?b                  |      1 |    1.5 "
        "|\n"
        "| 8b684_00005  | PENDING    | a name too long f... |      5 |    5.5 "
        "|\n"
        "| 8b684_00002  | TERMINATED | a name too long f... |      2 |    2.5 "
        "|\n"
        "| 8b684_00003  | ERROR      | relu                 |      3 |    3.5 "
        "|\n"
        "| 8b684_00007  | ERROR      | a?b                  |      7 |    7.5 "
        "|\n"
        "+--------------+------------+----------------------+--------+--------+"
        "\n"
        "... 21 more trials not shown (8 RUNNING, 3 PAUSED, 3 PENDING, 4 "
        "TERMINATED, 3 ERROR)\n"
        "Number of errored trials: 5\n");
    close_board();
}

static size_t count_text(const char *text, const char *what)
{
    size_t count = 0;
    while ((text = strstr(text, what)) != NULL) {
        count++;
        text++;
    }
    return count;
}

static void unlimited_shows_every_trial(void **state)
{
    (void)state;
    struct pbt_buf out;
    struct pbt_status_options options = options_for(80, 24);
    options.unlimited = true;
    open_board(many, 31);
    feed_many();
    print_block(&out, &options);
    /* Five of them also in the table of errors, twice each. */
    assert_int_equal(count_text(out.data, "8b684_0"), 1 + 30 + 2 * 5);
    assert_null(strstr(out.data, "not shown"));
    pbt_buf_done(&out);
    close_board();
}

/* --- any moment of any run ----------------------------------------------- */

static void expect_fit(uint32_t columns, uint32_t lines)
{
    struct pbt_buf out;
    struct pbt_status_options options = options_for(columns, lines);
    print_block(&out, &options);
    assert_true(count_text(out.data, "\n") < lines);
    for (const char *line = out.data; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        if (*line == '|' || *line == '+') {
            assert_true(pbt_text_width(line, length) <= columns);
        }
        line += length + 1;
    }
    pbt_buf_done(&out);
}

static const char crowd[] = "name: crowd\n"
                            "command: [worker]\n"
                            "num_samples: 60\n"
                            "metric: score\n"
                            "mode: max\n"
                            "stop: {training_iteration: 20}\n"
                            "config: {lr: {uniform: [0.001, 1]}}\n"
                            "scheduler:\n"
                            "  type: pbt\n"
                            "  perturbation_interval: 5\n"
                            "  hyperparam_mutations:\n"
                            "    lr: {uniform: [0.0001, 1]}\n"
                            "failure: {max_failures: 1}\n"
                            "seed: 1\n";

static void blocks_fit_at_any_moment(void **state)
{
    (void)state;
    struct pbt_buf lines;
    struct pbt_error error = {0};
    pbt_buf_init(&lines, (size_t)1 << 28);
    recorded_run(crowd, 1, 5, 1000, &lines);
    recorded_spec(&spec, crowd);
    assert_int_equal(pbt_board_init(&board, &spec, &error), PBT_OK);
    int i = 0;
    for (const char *line = lines.data; *line != '\0'; i++) {
        size_t length = strcspn(line, "\n");
        struct pbt_entry entry;
        assert_int_equal(pbt_entry_read(&entry, &spec, line, length, &error),
                         PBT_OK);
        assert_int_equal(pbt_board_feed(&board, &entry, &error), PBT_OK);
        pbt_entry_done(&entry);
        line += length + 1;
        if (i % 97 == 0) {
            expect_fit(80, 24);
            expect_fit(60, 16);
            expect_fit(200, 60);
        }
    }
    assert_true(i > 1000);
    close_board();
    pbt_buf_done(&lines);
}

/* --- the table ----------------------------------------------------------- */

static void table_is_tabulates(void **state)
{
    (void)state;
    struct pbt_table table;
    struct pbt_buf out;
    pbt_buf_init(&out, 65536);
    pbt_table_init(&table);
    for (int i = 0; i < 5; i++) {
        static const char *const titles[] = {"text", "whole", "mixed", "real",
                                             "none"};
        assert_int_equal(pbt_table_column(&table, titles[i], PBT_TABLE_KEEP),
                         i);
    }
    pbt_table_row(&table);
    pbt_table_text(&table, 0, "spam\t", 5);
    pbt_table_integer(&table, 1, 41);
    pbt_table_integer(&table, 2, 1);
    pbt_table_real(&table, 3, 1e-05);
    pbt_table_row(&table);
    pbt_table_text(&table, 0, "\xc3\xbc\xe4\xb8\xad", 5);
    pbt_table_integer(&table, 1, -1000000);
    pbt_table_real(&table, 2, 0.25);
    pbt_table_real(&table, 3, 451);
    pbt_table_row(&table);
    pbt_table_real(&table, 3, 1.0 / 3);
    pbt_table_print(&table, 0, &out);
    assert_string_equal(
        out.data, "+--------+----------+---------+------------+--------+\n"
                  "| text   |    whole |   mixed |       real | none   |\n"
                  "|--------+----------+---------+------------+--------|\n"
                  "| spam?  |       41 |    1    |   1e-05    |        |\n"
                  "| \xc3\xbc\xe4\xb8\xad    | -1000000 |    0.25 | 451        "
                  "|        |\n"
                  "|        |          |         |   0.333333 |        |\n"
                  "+--------+----------+---------+------------+--------+\n");
    pbt_table_done(&table);
    pbt_buf_done(&out);
}

static void widths_are_those_of_a_terminal(void **state)
{
    (void)state;
    assert_int_equal(pbt_text_width("abc", 3), 3);
    assert_int_equal(pbt_text_width("\xc3\xbc", 2), 1);
    assert_int_equal(pbt_text_width("u\xcc\x88", 3), 1);
    assert_int_equal(pbt_text_width("\xe4\xb8\xad\xe6\x96\x87", 6), 4);
    assert_int_equal(pbt_text_width("\xf0\x9f\x98\x80", 4), 2);
    assert_int_equal(pbt_text_width("\xff\xfe\xc3", 3), 3);
    assert_int_equal(pbt_text_fit("a\xe4\xb8\xad"
                                  "b",
                                  5, 2),
                     1);
    assert_int_equal(pbt_text_fit("a\xe4\xb8\xad"
                                  "b",
                                  5, 3),
                     4);
    assert_int_equal(pbt_text_fit("ab", 2, 5), 2);
    assert_int_equal(pbt_text_fit("ab", 2, 0), 0);
}

/* --- the screen ---------------------------------------------------------- */

/* A terminal of that size; what is drawn on `slave` can be read from the result. */
static int open_terminal(unsigned short columns, unsigned short rows,
                         int *slave)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0);
    assert_int_equal(grantpt(master), 0);
    assert_int_equal(unlockpt(master), 0);
    *slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(*slave >= 0);
    struct winsize size = {.ws_col = columns, .ws_row = rows};
    assert_int_equal(ioctl(*slave, TIOCSWINSZ, &size), 0);
    return master;
}

/* Reads what was drawn; the terminal makes \r\n of \n. */
static void expect_drawn(int master, const char *expected)
{
    char text[4096];
    size_t length = 0;
    while (length < strlen(expected)) {
        ssize_t n = read(master, text + length, sizeof text - 1 - length);
        assert_true(n > 0);
        length += (size_t)n;
    }
    text[length] = '\0';
    assert_string_equal(text, expected);
}

static void screen_draws_in_place(void **state)
{
    (void)state;
    int slave;
    int master = open_terminal(10, 4, &slave);
    struct pbt_screen screen;
    (void)setenv("TERM", "xterm", 1);
    pbt_screen_init(&screen, slave);
    assert_true(screen.terminal);
    assert_int_equal(pbt_screen_columns(&screen), 10);
    assert_int_equal(pbt_screen_rows(&screen), 4);

    assert_int_equal(pbt_screen_draw(&screen, "one\ntwo\n", 8), PBT_OK);
    expect_drawn(master, "\x1b[?7l\x1b[Kone\r\n\x1b[Ktwo\r\n\x1b[J\x1b[?7h");
    /* Too wide, and too many lines. */
    static const char big[] = "0123456789ab\n2\n3\n4\n";
    assert_int_equal(pbt_screen_draw(&screen, big, sizeof big - 1), PBT_OK);
    expect_drawn(master, "\x1b[?7l\r\x1b[2A\x1b[K0123456789\r\n\x1b[K2\r\n"
                         "\x1b[K3\r\n\x1b[J\x1b[?7h");
    /* Another size: nobody knows where the lines are. */
    struct winsize size = {.ws_col = 20, .ws_row = 4};
    assert_int_equal(ioctl(slave, TIOCSWINSZ, &size), 0);
    assert_int_equal(pbt_screen_draw(&screen, "a\n", 2), PBT_OK);
    expect_drawn(master, "\x1b[?7l\x1b[H\x1b[2J\x1b[Ka\r\n\x1b[J\x1b[?7h");
    assert_int_equal(pbt_screen_erase(&screen), PBT_OK);
    expect_drawn(master, "\r\x1b[1A\x1b[J");
    assert_int_equal(pbt_screen_erase(&screen), PBT_OK); /* there is none */
    assert_int_equal(pbt_screen_draw(&screen, "a\n", 2), PBT_OK);
    expect_drawn(master, "\x1b[?7l\x1b[Ka\r\n\x1b[J\x1b[?7h");
    assert_int_equal(pbt_screen_finish(&screen, big, sizeof big - 1), PBT_OK);
    expect_drawn(master, "\r\x1b[1A\x1b[J0123456789ab\r\n2\r\n3\r\n4\r\n");
    assert_int_equal(close(slave), 0);
    assert_int_equal(close(master), 0);
}

static void dumb_terminal_is_none(void **state)
{
    (void)state;
    int slave;
    int master = open_terminal(10, 4, &slave);
    struct pbt_screen screen;
    (void)setenv("TERM", "dumb", 1);
    pbt_screen_init(&screen, slave);
    assert_false(screen.terminal);
    assert_int_equal(close(slave), 0);
    assert_int_equal(close(master), 0);
}

static void pipe_gets_plain_blocks(void **state)
{
    (void)state;
    int ends[2];
    char text[64];
    struct pbt_screen screen;
    assert_int_equal(pipe(ends), 0);
    (void)setenv("TERM", "xterm", 1);
    (void)setenv("COLUMNS", "90", 1);
    (void)unsetenv("LINES");
    pbt_screen_init(&screen, ends[1]);
    assert_false(screen.terminal);
    assert_int_equal(pbt_screen_columns(&screen), 90);
    assert_int_equal(pbt_screen_rows(&screen), 0);
    assert_int_equal(pbt_screen_draw(&screen, "one\n", 4), PBT_OK);
    assert_int_equal(pbt_screen_erase(&screen), PBT_OK);
    assert_int_equal(pbt_screen_draw(&screen, "two\n", 4), PBT_OK);
    ssize_t n = read(ends[0], text, sizeof text - 1);
    assert_int_equal(n, 10);
    text[n] = '\0';
    assert_string_equal(text, "one\n\ntwo\n\n");
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
}

/* Nobody reads: the block is left out, and nobody waits. */
static void full_pipe_holds_nobody_up(void **state)
{
    (void)state;
    int ends[2];
    struct pbt_screen screen;
    static char block[65536];
    memset(block, 'x', sizeof block);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    while (write(ends[1], block, sizeof block) > 0) {
    }
    assert_int_equal(fcntl(ends[1], F_SETFL, 0), 0);
    pbt_screen_init(&screen, ends[1]);
    assert_int_equal(pbt_screen_draw(&screen, block, sizeof block), PBT_OK);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
}

int main(void)
{
    (void)setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_is_rays),
        cmocka_unit_test(block_of_a_young_run),
        cmocka_unit_test(columns_go_before_lines_wrap),
        cmocka_unit_test(rows_are_shared),
        cmocka_unit_test(unlimited_shows_every_trial),
        cmocka_unit_test(blocks_fit_at_any_moment),
        cmocka_unit_test(table_is_tabulates),
        cmocka_unit_test(widths_are_those_of_a_terminal),
        cmocka_unit_test(screen_draws_in_place),
        cmocka_unit_test(dumb_terminal_is_none),
        cmocka_unit_test(pipe_gets_plain_blocks),
        cmocka_unit_test(full_pipe_holds_nobody_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
