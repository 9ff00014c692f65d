/*
 * The table of errors (src/base/codes.def): its form, its examples, and the page that is
 * written from it (PBT_UPDATE_GOLDEN=1).
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/codes.h"
#include "spec/spec.h"

#ifndef PBT_SOURCE_DIR
#define PBT_SOURCE_DIR "."
#endif

#define TEXT_MAX (1u << 20)
#define PAGE PBT_SOURCE_DIR "/docs/errors.md"

static void test_form(void **state)
{
    (void)state;
    for (int i = 0; i < PBT_CODE_COUNT; i++) {
        const struct pbt_code_text *code = &pbt_codes[i];
        assert_int_equal(strlen(code->id), 5);
        assert_true(code->id[0] == (code->status == PBT_OK ? 'W' : 'E'));
        assert_int_equal(strspn(code->id + 1, "0123456789"), 4);
        if (i > 0 && strcmp(pbt_codes[i - 1].id, code->id) >= 0) {
            fail_msg("%s is out of order, or there twice", code->id);
        }
        assert_true(code->title[0] != '\0' && strlen(code->title) < 70);
        assert_true(code->why[0] != '\0' &&
                    code->why[strlen(code->why) - 1] != '\n');
        assert_int_equal(code->wrong[0] == '\0', code->right[0] == '\0');
        bool first = i == 0 || strncmp(pbt_codes[i - 1].id, code->id, 3) != 0;
        assert_int_equal(pbt_code_group((enum pbt_code)i) != NULL, first);
    }
}

static void test_find(void **state)
{
    (void)state;
    assert_int_equal(pbt_code_find("E0104"), PBT_E0104);
    assert_int_equal(pbt_code_find("e0104"), PBT_E0104);
    assert_int_equal(pbt_code_find("0104"), PBT_E0104);
    assert_int_equal(pbt_code_find("w0101"), PBT_W0101);
    assert_int_equal(pbt_code_find("0101"), PBT_E0101);
    assert_int_equal(pbt_code_find(""), PBT_CODE_COUNT);
    assert_int_equal(pbt_code_find("E"), PBT_CODE_COUNT);
    assert_int_equal(pbt_code_find("E01040"), PBT_CODE_COUNT);
}

static void check_status(int status)
{
    struct pbt_error error;
    (void)pbt_error_set(&error, status, "x");
    enum pbt_code code = pbt_code_find(pbt_error_id(&error));
    assert_true(code < PBT_CODE_COUNT);
    assert_int_equal(pbt_codes[code].status, status);
}

/* Every status of an error has an id, whoever set it. */
static void test_statuses(void **state)
{
    (void)state;
    static const int statuses[] = {
#define STATUS(name, value, text) name,
        PBT_STATUS_MAP(STATUS)
#undef STATUS
    };
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        int status = statuses[i];
        if (status != PBT_OK && status != PBT_EINTERRUPTED &&
            status != PBT_ETERMINATED) { /* no errors */
            check_status(status);
        }
    }
    struct pbt_error error;
    assert_int_equal(pbt_fail(&error, PBT_E0702, "no %d", 5), PBT_ENOINPUT);
    assert_string_equal(error.id, "E0702");
    assert_string_equal(error.text, "no 5");
    (void)pbt_error_prefix(&error, PBT_ENOINPUT, "a");
    assert_string_equal(pbt_error_id(&error), "E0702");
}

/* True if reading `text` says `id`. */
static bool says(const char *text, const char *id)
{
    struct pbt_spec spec;
    struct pbt_buf said;
    struct pbt_error error;
    char marked[16];
    pbt_buf_init(&said, TEXT_MAX);
    (void)snprintf(marked, sizeof marked, "[%s]: ", id);
    if (pbt_spec_parse(&spec, text, strlen(text), "exp.yaml", ".", NULL, 0,
                       &said, &error) == PBT_OK) {
        pbt_buf_put(&said, spec.warnings.data, spec.warnings.length);
        pbt_spec_done(&spec);
    }
    bool found = said.data != NULL && strstr(said.data, marked) != NULL;
    if (getenv("PBT_SHOW") != NULL && said.data != NULL) {
        print_message("%s\n%s\n", text, said.data);
    }
    pbt_buf_done(&said);
    return found;
}

static void test_examples(void **state)
{
    (void)state;
    int wrong = 0;
    for (int i = 0; i < PBT_CODE_COUNT; i++) {
        const struct pbt_code_text *code = &pbt_codes[i];
        if (code->wrong[0] == '\0' || code->wrong[0] == '$') {
            continue;
        }
        if (!says(code->wrong, code->id)) {
            print_error("%s: its wrong example is not refused with it\n",
                        code->id);
            wrong++;
        }
        if (says(code->right, code->id)) {
            print_error("%s: its right example is wrong\n", code->id);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void put_example(struct pbt_buf *page, const char *label,
                        const char *text)
{
    if (text[0] != '\0') {
        pbt_buf_printf(page, "\n%s:\n\n```%s\n%s```\n", label,
                       text[0] == '$' ? "" : "yaml", text);
    }
}

static void write_page(struct pbt_buf *page)
{
    pbt_buf_text(page,
                 "# Errors and warnings\n\n"
                 "What `pbt` says about an experiment file, a command line or "
                 "a run has an id, as in `error[E0104]`. `pbt explain E0104` "
                 "prints what\nstands here. An id never changes its meaning; "
                 "messages may get clearer. (This page is written from "
                 "`src/base/codes.def`.)\n");
    for (int i = 0; i < PBT_CODE_COUNT; i++) {
        const struct pbt_code_text *code = &pbt_codes[i];
        const char *group = pbt_code_group((enum pbt_code)i);
        if (group != NULL) {
            pbt_buf_printf(page, "\n## %.3s: %s\n", code->id, group);
        }
        pbt_buf_printf(page, "\n### %s: %s\n\n%s\n", code->id, code->title,
                       code->why);
        put_example(page, "Wrong", code->wrong);
        put_example(page, "Right", code->right);
        if (code->status != PBT_OK) {
            pbt_buf_printf(page, "\nExit code %d.\n", code->status);
        }
    }
}

static void test_page(void **state)
{
    (void)state;
    struct pbt_buf page;
    static char have[TEXT_MAX];
    const char *update = getenv("PBT_UPDATE_GOLDEN");
    pbt_buf_init(&page, TEXT_MAX);
    write_page(&page);
    if (update != NULL && strcmp(update, "1") == 0) {
        FILE *out = fopen(PAGE, "w");
        assert_non_null(out);
        assert_int_equal(fwrite(page.data, 1, page.length, out), page.length);
        assert_int_equal(fclose(out), 0);
    }
    FILE *in = fopen(PAGE, "r");
    assert_non_null(in);
    size_t length = fread(have, 1, sizeof have - 1, in);
    (void)fclose(in);
    have[length] = '\0';
    assert_string_equal(have, page.data);
    pbt_buf_done(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_form),     cmocka_unit_test(test_find),
        cmocka_unit_test(test_statuses), cmocka_unit_test(test_examples),
        cmocka_unit_test(test_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
