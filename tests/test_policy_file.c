/*
 * Policy files: Ray's and ours, whole and damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec/policy_file.h"

/* Lines as Ray 2 writes them. */
#define RAY_1                                                                  \
    "[\"3_lr=0.1602\", \"1_lr=0.0500\", 5, 4, {\"lr\": 0.05, \"b\": true}, "   \
    "{\"lr\": 0.06, \"b\": true}]"
#define RAY_2                                                                  \
    "[\"0_lr=0.2\", \"3_lr=0.1602\", 11, 9, {\"lr\": 0.06, \"b\": true}, "     \
    "{\"lr\": NaN, \"b\": true}]"
#define OTHER                                                                  \
    "[\"7\", \"8\", 2, 2, {\"lr\": 9, \"b\": true}, {\"lr\": 8, \"b\": true}]"

static void check_read(const char *text, const char *config,
                       const char *schedule, const char *skipped)
{
    struct pbt_policy_schedule policy;
    struct pbt_error error;
    assert_int_equal(
        pbt_policy_parse(text, strlen(text), "p.txt", &policy, &error), PBT_OK);
    assert_string_equal(policy.config.data, config);
    assert_string_equal(policy.schedule.data, schedule);
    assert_string_equal(policy.skipped.data != NULL ? policy.skipped.data : "",
                        skipped);
    pbt_policy_schedule_done(&policy);
}

#define CONFIG "{\"lr\":0.050000000000000003,\"b\":true}"
#define FIRST                                                                  \
    "{\"training_iteration\":4,\"config\":{\"lr\":0.059999999999999998,"       \
    "\"b\":true}}"
#define SECOND                                                                 \
    "{\"training_iteration\":9,\"config\":{\"lr\":\"NaN\",\"b\":true}}"

static void a_chain_is_read_from_its_end(void **state)
{
    (void)state;
    check_read(RAY_1 "\n", CONFIG, "[" FIRST "]", "");
    check_read(RAY_1 "\n" RAY_2, CONFIG, "[" FIRST "," SECOND "]", "");
    check_read(OTHER "\n" RAY_1 "\r\n" RAY_2 "\r\n", CONFIG,
               "[" FIRST "," SECOND "]",
               "p.txt:1: skipped: it is about weights that were overwritten "
               "later\n");
}

/* Ray refuses each of these files. */
static void what_is_whole_is_read_and_what_is_not_is_said(void **state)
{
    (void)state;
    check_read(RAY_1 "\n[\"0_lr=0.2\", \"3_l", CONFIG, "[" FIRST "]",
               "p.txt:2: skipped: the last line is torn\n");
    check_read("\xef\xbb\xbf# best trial\n\n" RAY_1 "\n", CONFIG, "[" FIRST "]",
               "p.txt:1: skipped: a byte order mark\n"
               "p.txt:1: skipped: a comment\n"
               "p.txt:2: skipped: a blank line\n");
}

static void check_wrong(const char *text, const char *message)
{
    struct pbt_policy_schedule policy;
    struct pbt_error error;
    assert_int_equal(
        pbt_policy_parse(text, strlen(text), "p.txt", &policy, &error),
        PBT_EDATA);
    assert_string_equal(error.text, message);
}

static void a_bad_line_is_named(void **state)
{
    (void)state;
    check_wrong("", "p.txt has no changes to replay");
    check_wrong("{\n" RAY_1 "\n", "p.txt:1: it is no JSON");
    check_wrong(RAY_1 "\n[1,2,3,4,5]\n" RAY_2,
                "p.txt:2: a line is an array of six");
    check_wrong("[\"a\", \"b\", 1, 2, {}, {}, 7]\n",
                "p.txt:1: a line is an array of six");
    check_wrong("[\"a\", 5, 1, 2, {}, {}]\n",
                "p.txt:1: the first two fields are the tags of trials");
    check_wrong("[\"a\", \"b\", 1, -2, {}, {}]\n",
                "p.txt:1: the third and fourth fields are iterations");
    check_wrong("[\"a\", \"b\", 1, 2, 3, {}]\n",
                "p.txt:1: the last two fields are configurations");
}

/* NaN in a text is a text. */
static void bare_words_of_python_are_numbers_outside_of_texts_only(void **state)
{
    (void)state;
    check_read("[\"NaN\", \"x \\\" NaN\", 1, 2, {\"a\": -Infinity}, {\"a\": "
               "\"Infinity\"}]",
               "{\"a\":\"-Infinity\"}",
               "[{\"training_iteration\":2,\"config\":{\"a\":\"Infinity\"}}]",
               "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_is_read_from_its_end),
        cmocka_unit_test(what_is_whole_is_read_and_what_is_not_is_said),
        cmocka_unit_test(a_bad_line_is_named),
        cmocka_unit_test(
            bare_words_of_python_are_numbers_outside_of_texts_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
