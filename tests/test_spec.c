/*
 * The experiment file when it is wrong, and the page that documents it.
 *
 * tests/spec/broken/ holds wrong files; beside each lies the exact message (.expected).
 * PBT_UPDATE_GOLDEN=1 rewrites those: read the difference before it is committed.
 * Lines "#! key=value" at the start of a file are given as overrides, too.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "spec/schema.h"
#include "spec/spec.h"

#include "spec_text.h"

#define OVERRIDES_MAX 8

#ifndef PBT_SOURCE_DIR
#define PBT_SOURCE_DIR "."
#endif

/* --- wrong files ------------------------------------------------------- */

/* The overrides that a file's first lines give. */
static size_t find_overrides(const char *text, char **overrides)
{
    size_t count = 0;
    while (strncmp(text, "#! ", 3) == 0 && count < OVERRIDES_MAX) {
        size_t length = strcspn(text, "\n");
        overrides[count] = calloc(1, length);
        assert_non_null(overrides[count]);
        memcpy(overrides[count++], text + 3, length - 3);
        text += length + 1;
    }
    return count;
}

static void check_golden(const char *path, const struct pbt_buf *problems)
{
    size_t length;
    if (getenv("PBT_UPDATE_GOLDEN") != NULL) {
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        (void)fwrite(problems->data, 1, problems->length, file);
        (void)fclose(file);
        return;
    }
    char *expected = read_all(path, &length);
    if (expected == NULL) {
        fail_msg("there is no %s: run with PBT_UPDATE_GOLDEN=1", path);
    }
    if (strcmp(expected, problems->data) != 0) {
        print_error("%s:\n--- expected\n%s--- found\n%s", path, expected,
                    problems->data);
    }
    assert_string_equal(expected, problems->data);
    free(expected);
}

static void check_broken(const char *dir, const char *name)
{
    char path[4096];
    char *overrides[OVERRIDES_MAX];
    struct pbt_spec spec;
    struct pbt_buf problems;
    size_t length;
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    char *text = read_all(path, &length);
    assert_non_null(text);
    size_t count = find_overrides(text, overrides);
    pbt_buf_init(&problems, TEXT_MAX);
    int status =
        parse_full(&spec, text, length, name, overrides, count, &problems);
    if (status != PBT_ECONFIG) {
        fail_msg("%s is not refused", name);
    }
    (void)snprintf(path, sizeof path, "%s/%s.expected", dir, name);
    check_golden(path, &problems);
    for (size_t i = 0; i < count; i++) {
        free(overrides[i]);
    }
    free(text);
    pbt_buf_done(&problems);
}

static void test_broken(void **state)
{
    (void)state;
    static const char dir_name[] = PBT_SOURCE_DIR "/tests/spec/broken";
    DIR *dir = opendir(dir_name);
    assert_non_null(dir);
    size_t count = 0;
    for (struct dirent *entry = readdir(dir); entry != NULL;
         entry = readdir(dir)) {
        const char *dot = strrchr(entry->d_name, '.');
        if (dot != NULL &&
            (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".json") == 0)) {
            check_broken(dir_name, entry->d_name);
            count++;
        }
    }
    (void)closedir(dir);
    assert_true(count >= 100);
}

/* --- scheduler.policy -------------------------------------------------- */

/* The policy file of a replay lies on the file's `config`, and later overrides on it. */
static void test_policy(void **state)
{
    static const char text[] =
        "command: [train]\n"
        "config: {lr: {uniform: [0, 1]}, net: {act: relu, depth: 2}, more: 3,\n"
        "         batch: 16}\n"
        "scheduler: {type: replay}\n";
    char path[] = "/tmp/pbt-policy-XXXXXX";
    char policy[64];
    char lr[] = "config.lr=0.75";
    char deep[] = "config.net.depth=5";
    char *overrides[] = {deep, policy, lr};
    struct pbt_spec spec;
    struct pbt_buf problems;
    struct pbt_buf config;
    (void)state;
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    (void)fputs("\n[\"0\", \"1\", 5, 4, {\"lr\": 0.5, \"net\": {\"depth\": 3}, "
                "\"batch\": 32}, {\"lr\": 0.25, \"net\": {\"depth\": 4}, "
                "\"batch\": 64}]\n",
                file);
    assert_int_equal(fclose(file), 0);
    (void)snprintf(policy, sizeof policy, "scheduler.policy=%s", path);
    pbt_buf_init(&problems, TEXT_MAX);
    pbt_buf_init(&config, TEXT_MAX);
    assert_int_equal(parse_full(&spec, text, strlen(text), "r.yaml", overrides,
                                3, &problems),
                     PBT_OK);
    struct pbt_cell cells[8];
    assert_int_equal(spec.settings.space.count, 5);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(spec.settings.space.params[i].initial.kind,
                         PBT_DOMAIN_CONSTANT);
        cells[i] = spec.settings.space.params[i].initial.choices[0];
    }
    pbt_spec_config_json(&spec, cells, &config);
    assert_string_equal(config.data, "{\"lr\":0.75,\"net\":{\"act\":\"relu\","
                                     "\"depth\":3},\"more\":3,\"batch\":32}");
    assert_int_equal(spec.settings.schedule_count, 1);
    assert_int_equal(spec.settings.schedule[0].iteration, 4);
    pbt_buf_reset(&config);
    pbt_spec_point_json(&spec, spec.settings.schedule[0].cells, &config);
    assert_string_equal(config.data,
                        "{\"lr\":0.25,\"net\":{\"depth\":4},\"batch\":64}");
    assert_non_null(strstr(spec.warnings.data, "W0109"));
    assert_non_null(strstr(spec.warnings.data, ":1: skipped: a blank line"));
    /* What is written holds the schedule itself. */
    struct pbt_buf written;
    struct pbt_error error;
    pbt_buf_init(&written, TEXT_MAX);
    assert_int_equal(pbt_spec_write(&spec, &written, &error), PBT_OK);
    assert_null(strstr(written.data, path));
    assert_int_equal(unlink(path), 0);
    pbt_spec_done(&spec);
    parse(&spec, written.data);
    assert_int_equal(spec.settings.schedule_count, 1);
    pbt_spec_done(&spec);
    pbt_buf_done(&written);
    pbt_buf_done(&config);
    pbt_buf_done(&problems);
}

/* --- the documentation ------------------------------------------------ */

static void test_documented(void **state)
{
    (void)state;
    size_t length;
    char *text = read_all(PBT_SOURCE_DIR "/docs/experiment-file.md", &length);
    assert_non_null(text);
    for (size_t i = 0; i < PBT_KEY_COUNT; i++) {
        char part[160];
        const struct pbt_key *key = &pbt_keys[i];
        assert_non_null(key->path);
        assert_non_null(key->doc);
        (void)snprintf(part, sizeof part, "| `%s` |", key->path);
        if (key->type == PBT_TYPE_SECTION && strstr(text, part) == NULL) {
            (void)snprintf(part, sizeof part, "## `%s`", key->path);
        }
        const char *row = strstr(text, part);
        if (row == NULL) {
            fail_msg("docs/experiment-file.md does not have %s", part);
        }
        (void)snprintf(part, sizeof part, "| `%s` |",
                       key->fallback != NULL ? key->fallback : "");
        const char *found = strstr(row, part);
        if (key->fallback != NULL &&
            (found == NULL || found > strchr(row, '\n'))) {
            fail_msg("docs/experiment-file.md: `%s` without its default %s",
                     key->path, part);
        }
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
