/*
 * The messages of the protocol: what goes out comes back, and what is no message is
 * refused with a reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "wire/message.h"

#define BIG (UINT64_MAX - 5)
#define TYPES 18

static struct pbt_message sample(enum pbt_message_type type)
{
    static const char config[] = "{\"lr\":0.1,\"deep\":{\"a\":[1,2]}}";
    static const char metrics[] = "{\"acc\":0.5,\"t\":\"x\\\"},{\"}";
    static const char manifest[] = "{\"trial\":\"a_1\"}";
    return (struct pbt_message){
        .type = type,
        .epoch = 1048577,
        .seq = BIG,
        .ack = 3,
        .iteration = INT64_MAX,
        .until = 12,
        .seed = BIG,
        .time_this_iter_s = 0.1,
        .time_total_s = 1e300,
        .halted = true,
        .done = true,
        .trial = "ba982_00003",
        .trial_dir = "/runs/\"quoted\"\n\t\\ \xc3\xa9",
        .checkpoint = "/runs/x/checkpoint_000001",
        .path = "/p",
        .text = "line 1\nline 2",
        .config = config,
        .config_length = sizeof config - 1,
        .metrics = metrics,
        .metrics_length = sizeof metrics - 1,
        .manifest = manifest,
        .manifest_length = sizeof manifest - 1,
        .protocol = 1,
        .client = "test 1.0",
        .capabilities = PBT_CAN_RESET_CONFIG | PBT_CAN_REUSE,
        .pid = 4711,
        .host = "box",
        .exit_code = 7,
        .signal = 9,
        .bytes = BIG,
    };
}

static int decode(struct pbt_message *message, const char *line)
{
    struct pbt_error error = {0};
    int status = pbt_message_decode(message, line, strlen(line), &error);
    assert_int_equal(status == PBT_OK, error.text[0] == '\0');
    return status;
}

/* Encodes, decodes, encodes again: the lines are equal, so nothing was lost. */
static void test_round_trips(void **state)
{
    (void)state;
    for (int type = 0; type < TYPES; type++) {
        struct pbt_buf one;
        struct pbt_buf two;
        struct pbt_error error;
        struct pbt_message back;
        struct pbt_message message = sample((enum pbt_message_type)type);
        pbt_buf_init(&one, 100000);
        pbt_buf_init(&two, 100000);
        for (int bare = 0; bare < 2; bare++) {
            if (bare == 1) { /* what is optional left out */
                message.checkpoint = NULL;
                message.text = type == PBT_MESSAGE_ERROR ? "" : NULL;
                message.done = false;
                message.ack = 0;
                message.capabilities = 0;
            }
            pbt_buf_reset(&one);
            pbt_buf_reset(&two);
            assert_int_equal(pbt_message_encode(&message, &one, &error),
                             PBT_OK);
            assert_int_equal(one.data[one.length - 1], '\n');
            assert_null(memchr(one.data, '\n', one.length - 1));
            assert_int_equal(
                pbt_message_decode(&back, one.data, one.length - 1, &error),
                PBT_OK);
            assert_int_equal(back.type, type);
            assert_int_equal(pbt_message_encode(&back, &two, &error), PBT_OK);
            assert_string_equal(one.data, two.data);
            pbt_message_done(&back);
        }
        pbt_buf_done(&one);
        pbt_buf_done(&two);
    }
}

static void test_values(void **state)
{
    (void)state;
    struct pbt_message m;
    assert_int_equal(
        decode(&m, "{\"type\":\"start\",\"epoch\":5,\"trial\":\"t\","
                   "\"trial_dir\":\"d\",\"config\": {\"lr\" : 0.10 } ,"
                   "\"seed\":\"18446744073709551615\",\"checkpoint\":null,"
                   "\"iteration\":\"9007199254740993\",\"time_total_s\":2,"
                   "\"unknown\":[{}]}"),
        PBT_OK);
    assert_int_equal(m.epoch, 5);
    assert_true(m.seed == UINT64_MAX);
    assert_true(m.iteration == INT64_C(9007199254740993));
    assert_null(m.checkpoint);
    assert_true(m.time_total_s == 2.0);
    assert_int_equal(m.config_length, strlen("{\"lr\" : 0.10 }"));
    assert_memory_equal(m.config, "{\"lr\" : 0.10 }", m.config_length);
    assert_true(json_is_object(m.config_json));
    pbt_message_done(&m);

    /* A "config" further down is none. */
    assert_int_equal(
        decode(&m, "{\"x\":{\"config\":{\"no\":1}},\"y\":[{\"config\":{}}],"
                   "\"type\":\"ready\",\"epoch\":1,\"iteration\":0,"
                   "\"z\":\"config\",\"config\":{\"yes\":1},"
                   "\"checkpoint\":\"\\\\\\\"config\\\":{\"}"),
        PBT_OK);
    assert_int_equal(m.config_length, strlen("{\"yes\":1}"));
    assert_memory_equal(m.config, "{\"yes\":1}", m.config_length);
    assert_string_equal(m.checkpoint, "\\\"config\":{");
    pbt_message_done(&m);
}

#define RESULT(metrics)                                                        \
    "{\"type\":\"result\",\"epoch\":1,\"seq\":1,\"iteration\":1,"              \
    "\"halted\":false,\"time_this_iter_s\":0.5,\"time_total_s\":0.5,"          \
    "\"metrics\":" metrics "}"

static void test_bare_numbers(void **state)
{
    (void)state;
    struct pbt_message m;
    double value;
    assert_int_equal(
        decode(&m, RESULT("{\"a\":NaN,\"b\":{\"c\": Infinity },"
                          "\"d\":[-Infinity,NaN],\"NaN,\":\"x:NaN,\","
                          "\"a/b\":7,\"e\":\"-Infinity\",\"f\":\"no\"}")),
        PBT_OK);
    const json_t *metrics = m.metrics_json;
    assert_true(pbt_metric_number(metrics, "a", &value) && isnan(value));
    assert_true(pbt_metric_number(metrics, "b/c", &value) && value > 1e308);
    assert_true(pbt_metric_number(metrics, "a/b", &value) && value == 7.0);
    assert_true(pbt_metric_number(metrics, "e", &value) && value < -1e308);
    assert_false(pbt_metric_number(metrics, "f", &value));
    assert_false(pbt_metric_number(metrics, "b", &value));
    assert_false(pbt_metric_number(metrics, "b/c/d", &value));
    assert_false(pbt_metric_number(metrics, "absent", &value));
    assert_true(json_object_get(metrics, "NaN,") != NULL);
    assert_non_null(m.copy);
    static const char rewritten[] =
        "{\"a\":\"NaN\",\"b\":{\"c\": \"Infinity\" ";
    assert_memory_equal(m.metrics, rewritten, sizeof rewritten - 1);
    assert_int_equal(m.metrics[m.metrics_length - 1], '}');
    pbt_message_done(&m);
}

/* Hyperparameters without effect; a metric may have that name, too. */
static void test_ignored(void **state)
{
    static const char start[] =
        "{\"type\":\"result\",\"epoch\":1,\"seq\":1,\"iteration\":1,"
        "\"halted\":true,\"time_this_iter_s\":0,\"time_total_s\":0,";
    static const struct {
        const char *rest;
        size_t names;
    } cases[] = {{"\"metrics\":{\"a\":1}}", 0},
                 {"\"metrics\":{\"ignored\":1}}", 0},
                 {"\"metrics\":{\"ignored\":[\"x\"]}}", 0},
                 {"\"metrics\":{\"a\":1},\"ignored\":[\"lr\"]}", 1},
                 {"\"ignored\":[\"lr\",\"x\"],\"metrics\":{\"a\":1}}", 2},
                 {"\"metrics\":{\"a\":1},\"ignored\":7}", 0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[512];
        struct pbt_message m;
        (void)snprintf(line, sizeof line, "%s%s", start, cases[i].rest);
        assert_int_equal(decode(&m, line), PBT_OK);
        assert_int_equal(json_array_size(m.ignored_json), cases[i].names);
        assert_non_null(m.metrics_json);
        pbt_message_done(&m);
    }
}

static void test_malformed(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "{",
        "[]",
        "7",
        "{}",
        "{\"type\":7}",
        "{\"type\":\"walk\"}",
        "{\"type\":\"kill\"} x",
        "{\"type\":\"kill\",\"type\":\"kill\"}",
        "{\"type\":\"halt\"}",
        "{\"type\":\"halt\",\"epoch\":-1}",
        "{\"type\":\"halt\",\"epoch\":1.0}",
        "{\"type\":\"halt\",\"epoch\":null}",
        "{\"type\":\"halt\",\"epoch\":\"\"}",
        "{\"type\":\"halt\",\"epoch\":\"0x1\"}",
        "{\"type\":\"halt\",\"epoch\":\"18446744073709551616\"}",
        "{\"type\":\"halt\",\"epoch\":99999999999999999999}",
        "{\"type\":\"run\",\"epoch\":1,\"until\":\"9223372036854775808\"}",
        "{\"type\":\"halt\",\"epoch\":1,\"ack\":true}",
        "{\"type\":\"halt\",\"epoch\":NaN}",
        "{\"type\":\"halt\",NaN:1,\"epoch\":1}",
        "{\"type\":\"halt\",\"epoch\":1,\"x\":-NaN}",
        "{\"type\":\"halt\",\"epoch\":1,\"x\":Infinityy}",
        "{\"type\":\"halt\",\"epoch\":1,\"x\":1e999}",
        "{\"type\":\"halt\",\"epoch\":1,\"x\":01}",
        "{\"type\":\"halt\",\"epoch\":1,\"x\":\"\xff\"}",
        "{\"type\":\"halt\",\"epoch\":1,\"x\":\"\\u0000\"}",
        "{\"type\":\"halt\",\"epoch\":1,\"x\":'a'}",
        "{\"type\":\"halt\",\"epoch\":1,}",
        "{\"type\":\"exited\",\"exit_code\":3000000000,\"signal\":0}",
        "{\"type\":\"save\",\"epoch\":1,\"iteration\":1,\"path\":null}",
        "{\"type\":\"ready\",\"epoch\":1,\"iteration\":1,\"checkpoint\":7,"
        "\"config\":{}}",
        "{\"type\":\"ready\",\"epoch\":1,\"iteration\":1,\"checkpoint\":null,"
        "\"config\":[]}",
        "{\"type\":\"ready\",\"epoch\":1,\"iteration\":1,\"checkpoint\":null,"
        "\"c\\u006fnfig\":{}}",
        "{\"type\":\"hello\",\"protocol\":1,\"client\":\"\","
        "\"capabilities\":[1],\"pid\":1,\"host\":\"\"}",
        "{\"type\":\"hello\",\"protocol\":1,\"client\":\"\","
        "\"capabilities\":{},\"pid\":1,\"host\":\"\"}",
        RESULT("null"),
        RESULT("{},\"done\":1"),
        "{\"type\":\"result\",\"epoch\":1,\"seq\":1,\"iteration\":1,"
        "\"halted\":0,\"time_this_iter_s\":0,\"time_total_s\":0,"
        "\"metrics\":{}}",
        "{\"type\":\"result\",\"epoch\":1,\"seq\":1,\"iteration\":1,"
        "\"halted\":true,\"time_this_iter_s\":-1,\"time_total_s\":0,"
        "\"metrics\":{}}",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct pbt_message message;
        if (decode(&message, lines[i]) != PBT_EDATA) {
            fail_msg("accepted: %s", lines[i]);
        }
    }
}

/* Every required member of every type is missed, and its type is looked at. */
static void test_missing_members(void **state)
{
    (void)state;
    for (int type = 0; type < TYPES; type++) {
        struct pbt_message message = sample((enum pbt_message_type)type);
        struct pbt_buf line;
        struct pbt_error error;
        pbt_buf_init(&line, 100000);
        assert_int_equal(pbt_message_encode(&message, &line, &error), PBT_OK);
        json_t *whole = json_loads(line.data, 0, NULL);
        const char *key;
        json_t *value;
        void *next;
        json_object_foreach_safe(whole, next, key, value)
        {
            bool optional =
                strcmp(key, "ack") == 0 || strcmp(key, "done") == 0 ||
                (strcmp(key, "text") == 0 && type != PBT_MESSAGE_ERROR);
            for (int wrong = 0; wrong < 2; wrong++) {
                json_t *copy = json_copy(whole);
                if (wrong == 1) {
                    json_object_set_new(copy, key, json_real(-0.5));
                } else {
                    json_object_del(copy, key);
                }
                char *text = json_dumps(copy, JSON_COMPACT);
                int want = wrong == 0 && optional ? PBT_OK : PBT_EDATA;
                if (decode(&message, text) != want) {
                    fail_msg("without or with a wrong %s: %s", key, text);
                }
                if (want == PBT_OK) {
                    pbt_message_done(&message);
                }
                free(text);
                json_decref(copy);
            }
        }
        json_decref(whole);
        pbt_buf_done(&line);
    }
}

static void test_limits(void **state)
{
    (void)state;
    struct pbt_message message;
    struct pbt_error error;
    for (int depth = PBT_MESSAGE_DEPTH_MAX - 1; depth <= 100000;
         depth += depth < PBT_MESSAGE_DEPTH_MAX ? 1 : 50000) {
        struct pbt_buf line;
        pbt_buf_init(&line, 1000000);
        pbt_buf_text(&line, "{\"type\":\"kill\",\"x\":");
        for (int i = 0; i < depth; i++) {
            pbt_buf_char(&line, '[');
        }
        for (int i = 0; i < depth; i++) {
            pbt_buf_char(&line, ']');
        }
        pbt_buf_char(&line, '}');
        int status =
            pbt_message_decode(&message, line.data, line.length, &error);
        assert_int_equal(status,
                         depth < PBT_MESSAGE_DEPTH_MAX ? PBT_OK : PBT_EDATA);
        if (status == PBT_OK) {
            pbt_message_done(&message);
        }
        pbt_buf_done(&line);
    }

    struct pbt_buf out;
    pbt_buf_init(&out, (size_t)2 * PBT_MESSAGE_LINE_MAX);
    char *text = malloc(PBT_MESSAGE_LINE_MAX + 1);
    assert_non_null(text);
    memset(text, 'x', PBT_MESSAGE_LINE_MAX);
    text[PBT_MESSAGE_LINE_MAX] = '\0';
    pbt_buf_text(&out, "before\n");
    message = (struct pbt_message){.type = PBT_MESSAGE_ERROR, .text = text};
    assert_int_equal(pbt_message_encode(&message, &out, &error), PBT_EUSAGE);
    assert_string_equal(out.data, "before\n");
    text[PBT_MESSAGE_LINE_MAX - 37] = '\0';
    assert_int_equal(pbt_message_encode(&message, &out, &error), PBT_OK);
    assert_int_equal(out.length, 7 + PBT_MESSAGE_LINE_MAX - 1 + 1);
    pbt_buf_done(&out);
    pbt_buf_init(&out, 10);
    assert_int_equal(pbt_message_encode(&message, &out, &error), PBT_ENOMEM);
    assert_false(pbt_buf_failed(&out));
    pbt_buf_done(&out);
    free(text);

    /* Text for people is repaired; a path is not. */
    pbt_buf_init(&out, 1000);
    message.text = "a\xc3\xa9\xe2\x82 \xff\xed\xa0\x80z";
    assert_int_equal(pbt_message_encode(&message, &out, &error), PBT_OK);
    assert_non_null(strstr(out.data, "\"a\xc3\xa9?? ????z\""));
    message = sample(PBT_MESSAGE_SAVE);
    message.path = "\xff";
    assert_int_equal(pbt_message_encode(&message, &out, &error), PBT_EUSAGE);
    message = sample(PBT_MESSAGE_READY);
    message.config = "{\n}";
    message.config_length = 3;
    assert_int_equal(pbt_message_encode(&message, &out, &error), PBT_EUSAGE);
    pbt_buf_done(&out);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* What a line is read as: a line again, or NULL. */
static char *read_as(const char *line, size_t length)
{
    struct pbt_message message;
    struct pbt_error error;
    struct pbt_buf out;
    if (pbt_message_decode(&message, line, length, &error) != PBT_OK) {
        return NULL;
    }
    pbt_buf_init(&out, 100000);
    assert_int_equal(pbt_message_encode(&message, &out, &error), PBT_OK);
    pbt_message_done(&message);
    return out.data;
}

/* A space before the brace keeps a line off the fast path; it means the same. */
static void test_the_fast_path_reads_the_same(void **state)
{
    (void)state;
    static const enum pbt_message_type often[] = {
        PBT_MESSAGE_RESULT, PBT_MESSAGE_RUN, PBT_MESSAGE_ACK,
        PBT_MESSAGE_SAVED};
    const char *given = getenv("PBT_TEST_SEED");
    uint64_t seed =
        given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    print_message("seed: PBT_TEST_SEED=%llu\n", (unsigned long long)seed);
    uint64_t random = seed * 2 + 1;
    int good = 0;
    for (int round = 0; round < 40000; round++) {
        struct pbt_message message = sample(often[next_random(&random) % 4]);
        struct pbt_error error;
        struct pbt_buf line;
        message.metrics = "{\"acc\":0.5,\"n\":3}"; /* flat and plain */
        message.metrics_length = strlen(message.metrics);
        message.iteration = (int64_t)(next_random(&random) % 1000);
        message.done = next_random(&random) % 2 == 0;
        pbt_buf_init(&line, 100000);
        pbt_buf_char(&line, ' ');
        assert_int_equal(pbt_message_encode(&message, &line, &error), PBT_OK);
        size_t length = line.length - 1;
        for (uint64_t hits = next_random(&random) % 3; hits > 0; hits--) {
            static const char bytes[] = "{}[]\",:NIe.-+019 u";
            line.data[1 + next_random(&random) % (length - 1)] =
                bytes[next_random(&random) % (sizeof bytes - 1)];
        }
        char *slow = read_as(line.data, length);
        char *fast = read_as(line.data + 1, length - 1);
        assert_int_equal(slow == NULL, fast == NULL);
        if (slow != NULL) {
            assert_string_equal(slow, fast);
            good++;
        }
        free(slow);
        free(fast);
        pbt_buf_done(&line);
    }
    assert_true(good > 10000);
}

/* Random bytes and damaged messages: never a crash, never a message by accident. */
static void test_random(void **state)
{
    (void)state;
    const char *given = getenv("PBT_TEST_SEED");
    uint64_t seed =
        given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    print_message("seed: PBT_TEST_SEED=%llu\n", (unsigned long long)seed);
    uint64_t random = seed * 2 + 1;
    for (int round = 0; round < 20000; round++) {
        struct pbt_message message =
            sample((enum pbt_message_type)(next_random(&random) % TYPES));
        struct pbt_error error;
        struct pbt_buf line;
        pbt_buf_init(&line, 100000);
        assert_int_equal(pbt_message_encode(&message, &line, &error), PBT_OK);
        size_t length = line.length - 1;
        char *copy = malloc(length); /* exact, so that an overread is seen */
        assert_non_null(copy);
        memcpy(copy, line.data, length);
        uint64_t hits = next_random(&random) % 4;
        for (uint64_t i = 0; i < hits; i++) {
            static const char bytes[] = "{}[]\",:\\NI-0 \n\xff";
            copy[next_random(&random) % length] =
                bytes[next_random(&random) % sizeof bytes];
        }
        if (round % 3 == 0) {
            length -= next_random(&random) % length;
        }
        if (round % 7 == 0) {
            for (size_t i = 0; i < length; i++) {
                copy[i] = (char)next_random(&random);
            }
        }
        if (pbt_message_decode(&message, copy, length, &error) == PBT_OK) {
            if (message.config_json != NULL) {
                json_t *slice =
                    json_loadb(message.config, message.config_length, 0, NULL);
                assert_true(json_equal(slice, message.config_json));
                json_decref(slice);
            }
            pbt_message_done(&message);
        }
        free(copy);
        pbt_buf_done(&line);
    }
}

static void test_lines(void **state)
{
    (void)state;
    int fds[2];
    struct pbt_lines lines;
    struct pbt_error error;
    bool ended;
    size_t length;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    pbt_lines_init(&lines);
    assert_null(pbt_lines_next(&lines, &length));
    assert_int_equal(pbt_lines_read(&lines, fds[0], &ended, &error), PBT_OK);
    assert_false(ended);
    assert_int_equal(write(fds[1], "one\n\ntw", 7), 7);
    assert_int_equal(pbt_lines_read(&lines, fds[0], &ended, &error), PBT_OK);
    assert_string_equal(pbt_lines_next(&lines, &length), "one");
    assert_int_equal(length, 3);
    assert_string_equal(pbt_lines_next(&lines, &length), "");
    assert_null(pbt_lines_next(&lines, &length));
    assert_int_equal(write(fds[1], "o\nrest", 6), 6);
    assert_int_equal(pbt_lines_read(&lines, fds[0], &ended, &error), PBT_OK);
    assert_string_equal(pbt_lines_next(&lines, &length), "two");
    assert_int_equal(lines.count, 3);
    assert_int_equal(close(fds[1]), 0);
    assert_int_equal(pbt_lines_read(&lines, fds[0], &ended, &error), PBT_OK);
    assert_true(ended);
    assert_null(pbt_lines_next(&lines, &length));
    assert_int_equal(close(fds[0]), 0);
    pbt_lines_done(&lines);
}

/* A line of exactly 1 MiB passes; one byte more does not, finished or not. */
static void test_long_lines(void **state)
{
    (void)state;
    for (int more = 0; more < 3; more++) {
        FILE *file = tmpfile();
        struct pbt_lines lines;
        struct pbt_error error;
        bool ended = false;
        size_t length = 0;
        int status = PBT_OK;
        assert_non_null(file);
        fputs("short\n", file);
        for (int i = 0; i < PBT_MESSAGE_LINE_MAX + (more > 0); i++) {
            fputc('x', file);
        }
        fputs(more == 2 ? "" : "\nafter\n", file);
        rewind(file);
        pbt_lines_init(&lines);
        size_t longest = 0;
        while (status == PBT_OK && !ended) {
            status = pbt_lines_read(&lines, fileno(file), &ended, &error);
            while (status == PBT_OK &&
                   pbt_lines_next(&lines, &length) != NULL) {
                longest = length > longest ? length : longest;
            }
        }
        assert_int_equal(status, more == 0 ? PBT_OK : PBT_EDATA);
        assert_int_equal(longest, more == 0 ? PBT_MESSAGE_LINE_MAX : 5);
        assert_int_equal(lines.count, more == 0 ? 3 : 1);
        pbt_lines_done(&lines);
        fclose(file);
    }
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(pbt_message_name(PBT_MESSAGE_START), "start");
    assert_string_equal(pbt_message_name(PBT_MESSAGE_EXITED), "exited");
    assert_true(pbt_metric_reserved("pid"));
    assert_true(pbt_metric_reserved("config/lr"));
    assert_false(pbt_metric_reserved("pi"));
    assert_false(pbt_metric_reserved("pids"));
    assert_false(pbt_metric_reserved("timesteps_total"));
    assert_false(
        pbt_metric_reserved("epoch")); /* many programs report theirs */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_bare_numbers),
        cmocka_unit_test(test_ignored),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_missing_members),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_the_fast_path_reads_the_same),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_long_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
