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
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/width.h"
#include "recorded.h"
#include "view/progress.h"
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
    char text[32] = "\"NaN\"";
    if (!isnan(score)) {
        (void)snprintf(text, sizeof text, "%g", score);
    }
    feed("result",
         "\"trial\":%d,\"epoch\":%d,\"seq\":1,\"it\":%d,\"total\":%g,"
         "\"score\":%s,\"halted\":true,\"data\":{\"time_this_iter_s\":0.25,"
         "\"metrics\":%s}",
         trial, 1000 + trial, iteration, seconds, text, metrics);
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
        .disk_free = UINT64_MAX,
    };
}

static void print_block(struct pbt_buf *out,
                        const struct pbt_status_options *options)
{
    pbt_buf_init(out, (size_t)1 << 26);
    pbt_status_print(&board, options, out);
    assert_false(pbt_buf_failed(out));
}

/* The block is what tests/screens/NAME.txt holds; PBT_UPDATE_GOLDEN=1 writes it. */
static void expect_block(const struct pbt_status_options *options,
                         const char *name)
{
    char path[1024];
    struct pbt_buf out;
    print_block(&out, options);
    (void)snprintf(path, sizeof path, PBT_SOURCE_DIR "/tests/screens/%s.txt",
                   name);
    bool update = getenv("PBT_UPDATE_GOLDEN") != NULL;
    FILE *file = fopen(path, update ? "w" : "r");
    assert_non_null(file);
    if (update) {
        assert_int_equal(fwrite(out.data, 1, out.length, file), out.length);
    } else {
        char *expected = calloc(1, out.length + 2);
        assert_non_null(expected);
        (void)!fread(expected, 1, out.length + 1, file);
        assert_string_equal(out.data, expected);
        free(expected);
    }
    assert_int_equal(fclose(file), 0);
    pbt_buf_done(&out);
}

/* --- the block ----------------------------------------------------------- */

static void block_is_rays(void **state)
{
    (void)state;
    struct pbt_status_options options = options_for(0, 0);
    open_board(convnet, 4);
    feed_convnet();
    expect_block(&options, "convnet");
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
    expect_block(&options, "young_run");
    create(0, "{\"momentum\":0.5,\"lr\":1,\"batch_size\":64}");
    expect_block(&options, "young_trial");
    close_board();
}

static void columns_go_before_lines_wrap(void **state)
{
    (void)state;
    struct pbt_status_options options = options_for(80, 0);
    open_board(convnet, 4);
    feed_convnet();
    expect_block(&options, "convnet_80");
    options.columns = 40;
    expect_block(&options, "convnet_40");
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
    expect_block(&options, "many");
    options.lines = 24;
    options.columns = 70;
    expect_block(&options, "many_70x24");
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
    assert_null(strstr(out.data, "more trials"));
    pbt_buf_done(&out);
    close_board();
}

/* --- large and odd ones ---------------------------------------------------- */

static const char large[] = "name: large\n"
                            "command: [worker]\n"
                            "metric: score\n"
                            "mode: max\n"
                            "stop: {training_iteration: 100}\n"
                            "config: {lr: {uniform: [0.001, 1]}}\n"
                            "scheduler:\n"
                            "  perturbation_interval: 5\n"
                            "  hyperparam_mutations:\n"
                            "    lr: {uniform: [0.0001, 1]}\n"
                            "seed: 1\n";

/* 400 trials: 8 run, 2 have failed, one has no score yet, the others wait. */
static void feed_large(void)
{
    char config[64];
    char metrics[64];
    feed("opened", "\"incarnation\":1,\"slots\":9,\"data\":{\"wall\":0}");
    for (int i = 0; i < 400; i++) {
        int place = i * 7 % 400; /* by score, from the worst */
        (void)snprintf(config, sizeof config, "{\"lr\":0.%04d}", 1 + i);
        create(i, config);
        start(i, 1000 + i, config);
        if (i == 399) {
            continue;
        }
        (void)snprintf(metrics, sizeof metrics, "{\"score\":%d}", place);
        report(i, 10 + i % 5, i / 3.0, place, metrics);
        if (i % 50 != 7) {
            leave(i, i % 200 == 9 ? "error" : "pause");
        }
    }
}

static void large_population_shows_its_ends(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {
        {60, 24}, {120, 40}, {250, 60}, {60, 8}};
    open_board(large, 400);
    feed_large();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char name[32];
        struct pbt_status_options options =
            options_for(sizes[i][0], sizes[i][1]);
        (void)snprintf(name, sizeof name, "large_%ux%u", sizes[i][0],
                       sizes[i][1]);
        expect_block(&options, name);
    }
    close_board();
}

/* The last line of a terminal is the cursor's: the best trial stands above it. */
static void a_trial_is_in_view_on_any_terminal(void **state)
{
    (void)state;
    open_board(large, 400);
    feed_large();
    for (uint32_t lines = 7; lines <= 30; lines++) {
        struct pbt_status_options options = options_for(60, lines);
        struct pbt_buf out;
        pbt_buf_init(&out, 1 << 20);
        pbt_status_print(&board, &options, &out);
        assert_false(pbt_buf_failed(&out));
        const char *row = strstr(out.data, "\n| 8b684_00057 ");
        assert_non_null(row);
        uint32_t above = 1;
        for (const char *at = out.data; at < row; at++) {
            above += *at == '\n' ? 1 : 0;
        }
        assert_true(above + 2 <= lines);
        pbt_buf_done(&out);
    }
    close_board();
}

static const char odd[] =
    "name: odd\n"
    "command: [worker]\n"
    "metric: \xe6\xad\xa3\xe7\xa1\xae\xe7\x8e\x87\n" /* CJK */
    "mode: max\n"
    "stop: {training_iteration: 4}\n"
    "config:\n"
    "  e\xcc\x81tat: {choice: [\"\xe4\xb8\xad\xe6\x96\x87\", "
    "\"e\xcc\x81\", \"\xe2\x80\xae\"]}\n"
    "  a_name_of_a_hundred_characters_that_nobody_would_give_to_anything_but_"
    "a_test_of_what_happens_to_its_end: {uniform: [0, 1]}\n"
    "  model: {encoder: {layers: {attention: {dropout: {uniform: [0, 1]}}}}}\n"
    "scheduler:\n"
    "  perturbation_interval: 5\n"
    "  hyperparam_mutations:\n"
    "    model: {encoder: {layers: {attention: {dropout: {uniform: [0, "
    "1]}}}}}\n"
    "seed: 1\n";

static void feed_odd(void)
{
    static const char *const words[] = {"\xe4\xb8\xad\xe6\x96\x87", "e\xcc\x81",
                                        "\xe2\x80\xae"};
    feed("opened", "\"incarnation\":1,\"slots\":4,\"data\":{\"wall\":0}");
    for (int i = 0; i < 3; i++) {
        char config[512];
        (void)snprintf(config, sizeof config,
                       "{\"e\xcc\x81tat\":\"%s\",\"a_name_of_a_hundred_"
                       "characters_that_nobody_would_give_to_anything_but_a_"
                       "test_of_what_happens_to_its_end\":0.25,\"model\":{"
                       "\"encoder\":{\"layers\":{\"attention\":{\"dropout\":"
                       "0.%d}}}}}",
                       words[i], i + 1);
        create(i, config);
        start(i, 100 + i, config);
        report(i, 1, 12345.678, 123456.789 * i,
               i == 0 ? "{\"\xe6\xad\xa3\xe7\xa1\xae\xe7\x8e\x87\":0.5,"
                        "\"m\\u001b[31m\":1}"
                      : "{\"\xe6\xad\xa3\xe7\xa1\xae\xe7\x8e\x87\":"
                        "123456.789,\"m\\u001b[31m\":1.5}");
    }
}

/* Wide and combining characters, long names, and no perturbation ever. */
static void odd_names_keep_their_columns(void **state)
{
    (void)state;
    struct pbt_status_options options = options_for(100, 30);
    open_board(odd, 3);
    feed_odd();
    expect_block(&options, "odd_100x30");
    options = options_for(60, 30);
    expect_block(&options, "odd_60x30");
    options = options_for(0, 0);
    expect_block(&options, "odd");
    close_board();
}

static void open_twenty(void)
{
    char text[2048];
    size_t used = (size_t)snprintf(text, sizeof text, "%s",
                                   "name: twenty\ncommand: [worker]\n"
                                   "metric: score\nmode: max\n"
                                   "config:\n");
    for (int i = 0; i < 20; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "  parameter_%02d: {uniform: [0, 1]}\n", i);
    }
    (void)snprintf(text + used, sizeof text - used, "%s",
                   "scheduler:\n  perturbation_interval: 5\n"
                   "  hyperparam_mutations:\n"
                   "    parameter_00: {uniform: [0, 1]}\nseed: 1\n");
    open_board(text, 2);
    feed("opened", "\"incarnation\":1,\"slots\":4,\"data\":{\"wall\":0}");
    for (int trial = 0; trial < 2; trial++) {
        char config[1024];
        used = 0;
        for (int i = 0; i < 20; i++) {
            used += (size_t)snprintf(
                config + used, sizeof config - used, "%s\"parameter_%02d\":%g",
                i == 0 ? "{" : ",", i, (i + 1) / (trial + 3.0) * 1e-3);
        }
        (void)snprintf(config + used, sizeof config - used, "}");
        create(trial, config);
        start(trial, 100 + trial, config);
        report(trial, 5, 1, trial, "{\"score\":0.5}");
    }
}

static void twenty_hyperparameters(void **state)
{
    (void)state;
    struct pbt_status_options options = options_for(60, 24);
    open_twenty();
    expect_block(&options, "twenty_60x24");
    options = options_for(250, 50);
    expect_block(&options, "twenty_250x50");
    close_board();
}

static void collapse_is_said(void **state)
{
    (void)state;
    struct pbt_status_options options = options_for(70, 40);
    struct pbt_buf out;
    open_board(convnet, 4);
    feed_convnet();
    /* Up to 0.99, from a best of the first ones at 0.97: lost when it is below 0.98. */
    for (int i = 0; i < 20; i++) {
        report(0, 60 + i, 20, 0.99, "{\"mean_accuracy\":0.99}");
    }
    report(0, 90, 20, 0.985, "{\"mean_accuracy\":0.985}");
    print_block(&out, &options);
    assert_null(strstr(out.data, "collapsed"));
    pbt_buf_done(&out);
    report(0, 91, 20, 0.5, "{\"mean_accuracy\":0.5}");
    report(1, 91, 20, 0.6, "{\"mean_accuracy\":0.6}");
    report(3, 91, 20, 0.1, "{\"mean_accuracy\":0.1}");
    expect_block(&options, "collapse_70x40");
    options.color = true;
    expect_block(&options, "collapse_color");
    struct pbt_buf line;
    pbt_buf_init(&line, 65536);
    pbt_status_line(&board, UINT64_C(3725000000000), &line);
    assert_string_equal(
        line.data,
        "[1h02m] 70 %, about 25m58s left; 1 PENDING, 2 RUNNING, 1 TERMINATED; "
        "best mean_accuracy=0.99 (8b684_00000 @ 60); 1 perturbs\n"
        "WARNING: the population has collapsed: its best score is now 0.6, "
        "the best ever was 0.99 (trial 8b684_00000 at iteration 60; the best "
        "checkpoint is kept). Narrow the ranges in "
        "scheduler.hyperparam_mutations, or lengthen perturbation_interval\n");
    pbt_buf_done(&line);
    close_board();
}

/* require_attrs: false: a trial is what its last score was, until it has another. */
static void a_score_that_is_not_in_every_result(void **state)
{
    (void)state;
    struct pbt_status_options options = options_for(130, 40);
    struct pbt_buf out;
    open_board(convnet, 4);
    feed_convnet();
    for (int i = 0; i < 20; i++) {
        report(0, 60 + i, 20, (double)NAN, "{\"mean_loss\":0.0625}");
        report(1, 60 + i, 20, (double)NAN, "{\"mean_loss\":0.125}");
        report(3, 60 + i, 20, (double)NAN, "{\"mean_loss\":0.5}");
    }
    assert_true(board.trials[0].score == 0.95625);
    print_block(&out, &options);
    assert_null(strstr(out.data, "collapsed"));
    assert_non_null(strstr(out.data, " 0.9563 "));
    assert_non_null(strstr(out.data, " 0.0625 "));
    assert_non_null(strstr(out.data, "mean_accuracy=0.971875"));
    pbt_buf_done(&out);
    /* A NaN that was reported is news. */
    report(0, 90, 20, (double)NAN, "{\"mean_accuracy\":\"NaN\"}");
    assert_true(isnan(board.trials[0].score));
    close_board();
}

static void expect_duration(double seconds, const char *expected)
{
    struct pbt_buf out;
    pbt_buf_init(&out, 64);
    pbt_duration_put(&out, seconds);
    assert_string_equal(out.data, expected);
    pbt_buf_done(&out);
}

static void durations_are_for_people(void **state)
{
    (void)state;
    expect_duration(0.9, "0s");
    expect_duration(59.9, "59s");
    expect_duration(60, "1m00s");
    expect_duration(3599, "59m59s");
    expect_duration(3720, "1h02m");
    expect_duration(86399, "23h59m");
    expect_duration(86400, "1d00h");
}

/* The seconds of a trial count, stop_all counts, and the budget of the whole. */
static void progress_is_what_ends_first(void **state)
{
    (void)state;
    static const char text[] = "name: ends\ncommand: [worker]\n"
                               "metric: score\nmode: max\n"
                               "stop: {time_total_s: 100, score: 5}\n"
                               "stop_all: {training_iteration: 40}\n"
                               "time_budget_s: 1000\n"
                               "scheduler: {type: fifo}\nseed: 1\n";
    open_board(text, 2);
    feed("opened", "\"incarnation\":1,\"slots\":4,\"data\":{\"wall\":0}");
    create(0, "{}");
    create(1, "{}");
    start(0, 1, "{}");
    report(0, 1, 50, 1, "{\"score\":1}");
    struct pbt_progress progress = pbt_progress_find(&board, 50000000000);
    assert_true(fabs(progress.fraction - 0.25) < 1e-9);
    assert_true(fabs(progress.seconds_left - 150) < 1e-6);
    report(0, 20, 50, 1, "{\"score\":1}");
    progress = pbt_progress_find(&board, 50000000000);
    assert_true(fabs(progress.fraction - 0.5) < 1e-9);
    progress = pbt_progress_find(&board, 990000000000);
    assert_true(fabs(progress.fraction - 0.99) < 1e-9);
    assert_true(fabs(progress.seconds_left - 10) < 1e-6);
    leave(0, "pause"); /* nobody trains: only the budget tells */
    progress = pbt_progress_find(&board, 100000000000);
    assert_true(fabs(progress.seconds_left - 900) < 1e-6);
    close_board();
}

/* A column that has been wide stays so, and is laid out anew where it is told to. */
static void columns_do_not_jump(void **state)
{
    (void)state;
    struct pbt_widths widths = {0};
    struct pbt_status_options options = options_for(120, 30);
    struct pbt_buf first;
    struct pbt_buf second;
    options.widths = &widths;
    open_board(convnet, 4);
    feed_convnet();
    report(0, 60, 20, 0.12345, "{\"mean_accuracy\":0.00012345}");
    print_block(&first, &options);
    report(0, 61, 20, 0.5, "{\"mean_accuracy\":0.5}");
    print_block(&second, &options);
    assert_int_equal(strcspn(strstr(first.data, "+--"), "\n"),
                     strcspn(strstr(second.data, "+--"), "\n"));
    pbt_buf_done(&second);
    widths.count = 0;
    print_block(&second, &options);
    assert_true(strcspn(strstr(first.data, "+--"), "\n") >
                strcspn(strstr(second.data, "+--"), "\n"));
    pbt_buf_done(&second);
    pbt_buf_done(&first);
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
        if (*line == '|' || *line == '+' || strncmp(line, "WARN", 4) == 0) {
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
    const struct pbt_table_look look = {0};
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
    (void)pbt_table_print(&table, &look, &out);
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
    pbt_screen_init(&screen, slave, PBT_COLOR_AUTO);
    assert_true(screen.terminal);
    assert_int_equal(pbt_screen_columns(&screen), 10);
    assert_int_equal(pbt_screen_rows(&screen), 4);

    assert_int_equal(pbt_screen_draw(&screen, "one\ntwo\n", 8), PBT_OK);
    expect_drawn(master, "\x1b[?7l\x1b[Kone\r\n\x1b[Ktwo\r\n\x1b[J\x1b[?7h");
    /* Too wide, and too many lines. */
    static const char big[] = "0123456789ab\n2\n3\n4\n";
    assert_int_equal(pbt_screen_draw(&screen, big, sizeof big - 1), PBT_OK);
    expect_drawn(master, "\x1b[?7l\r\x1b[2A\x1b[K0123456...\r\n\x1b[K2\r\n"
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
    pbt_screen_init(&screen, slave, PBT_COLOR_AUTO);
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
    pbt_screen_init(&screen, ends[1], PBT_COLOR_AUTO);
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
    pbt_screen_init(&screen, ends[1], PBT_COLOR_AUTO);
    assert_int_equal(pbt_screen_draw(&screen, block, sizeof block), PBT_OK);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
}

/* Its process was leaving to pause when the run's end came, and died with its driver. */
static void the_end_of_the_run_is_the_end_of_who_was_to_pause(void **state)
{
    static const char config[] =
        "{\"lr\":0.5,\"momentum\":0.5,\"batch_size\":64}";
    (void)state;
    open_board(convnet, 2);
    for (int i = 0; i < 2; i++) {
        const char *end = i == 0 ? "interrupted" : "time_budget";
        create(i, config);
        start(i, 100 + i, config);
        report(i, 5, 1, 0.5, "{\"mean_accuracy\":0.5}");
        feed("leave", "\"trial\":%d,\"epoch\":%d,\"leave\":\"pause\"", i,
             1000 + i);
        feed("end", "\"end\":\"%s\"", end);
        feed("opened",
             "\"seed\":\"1\",\"incarnation\":%d,\"slots\":2,"
             "\"data\":{\"wall\":1700000000000000000}",
             2 + i);
        assert_int_equal(board.trials[i].status,
                         i == 0 ? PBT_TRIAL_PAUSED : PBT_TRIAL_TERMINATED);
    }
    close_board();
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
        cmocka_unit_test(large_population_shows_its_ends),
        cmocka_unit_test(a_trial_is_in_view_on_any_terminal),
        cmocka_unit_test(odd_names_keep_their_columns),
        cmocka_unit_test(twenty_hyperparameters),
        cmocka_unit_test(collapse_is_said),
        cmocka_unit_test(a_score_that_is_not_in_every_result),
        cmocka_unit_test(durations_are_for_people),
        cmocka_unit_test(progress_is_what_ends_first),
        cmocka_unit_test(columns_do_not_jump),
        cmocka_unit_test(blocks_fit_at_any_moment),
        cmocka_unit_test(table_is_tabulates),
        cmocka_unit_test(the_end_of_the_run_is_the_end_of_who_was_to_pause),
        cmocka_unit_test(widths_are_those_of_a_terminal),
        cmocka_unit_test(screen_draws_in_place),
        cmocka_unit_test(dumb_terminal_is_none),
        cmocka_unit_test(pipe_gets_plain_blocks),
        cmocka_unit_test(full_pipe_holds_nobody_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
