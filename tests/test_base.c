/*
 * The ground that everything stands on: buffers, texts of numbers, tables of texts, errors.
 */
#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/digits.h"
#include "base/draw.h"
#include "base/names.h"
#include "base/placeholder.h"
#include "base/shown.h"
#include "base/texts.h"

/* --- buf ------------------------------------------------------------------ */

static void a_buffer_grows_to_its_limit_and_no_further(void **state)
{
    (void)state;
    struct pbt_buf buf;
    pbt_buf_init(&buf, 1000);
    for (int i = 0; i < 100; i++) {
        pbt_buf_text(&buf, "0123456789");
        assert_false(pbt_buf_failed(&buf));
    }
    assert_int_equal(buf.length, 1000);
    assert_int_equal(strlen(buf.data), 1000);
    pbt_buf_char(&buf, 'x');
    assert_true(pbt_buf_failed(&buf));
    assert_int_equal(buf.length, 1000);
    pbt_buf_printf(&buf, "%s", "x");
    pbt_buf_put(&buf, "", SIZE_MAX);
    assert_int_equal(buf.length, 1000);
    pbt_buf_put(&buf, NULL, 0);
    assert_true(pbt_buf_failed(&buf)); /* it isn't forgotten */
    pbt_buf_reset(&buf);
    assert_false(pbt_buf_failed(&buf));
    assert_string_equal(buf.data, "");
    pbt_buf_done(&buf);
    assert_null(buf.data);
    pbt_buf_text(&buf, "again");
    assert_string_equal(buf.data, "again");
    pbt_buf_done(&buf);
}

static void check_buf(struct pbt_buf *buf, const char *expected)
{
    assert_false(pbt_buf_failed(buf));
    assert_string_equal(buf->data, expected);
    pbt_buf_reset(buf);
}

static void whole_numbers(void **state)
{
    (void)state;
    struct pbt_buf buf;
    pbt_buf_init(&buf, 1000);
    pbt_buf_u64(&buf, 0);
    check_buf(&buf, "0");
    pbt_buf_u64(&buf, UINT64_MAX);
    check_buf(&buf, "18446744073709551615");
    pbt_buf_i64(&buf, INT64_MIN);
    check_buf(&buf, "-9223372036854775808");
    pbt_buf_i64(&buf, INT64_MAX);
    check_buf(&buf, "9223372036854775807");
    pbt_buf_i64(&buf, -1);
    check_buf(&buf, "-1");
    pbt_buf_done(&buf);
}

static void reals_are_json(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0.0"},
        {-0.0, "-0.0"},
        {1, "1.0"},
        {-3, "-3.0"},
        {1e15, "1000000000000000.0"},
        {1e16, "1e+16"},
        {0.1, "0.1"},
        {1e-5, "1e-05"},
        {(double)NAN, "\"NaN\""},
        {(double)INFINITY, "\"Infinity\""},
        {(double)-INFINITY, "\"-Infinity\""},
    };
    struct pbt_buf buf;
    pbt_buf_init(&buf, 1000);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pbt_buf_real(&buf, cases[i].value);
        check_buf(&buf, cases[i].text);
    }
    pbt_buf_done(&buf);
}

static void json_strings(void **state)
{
    (void)state;
    struct pbt_buf buf;
    pbt_buf_init(&buf, 1000);
    pbt_buf_json_string(&buf, "", 0);
    check_buf(&buf, "\"\"");
    pbt_buf_json_string(&buf, "a\"b\\c\n\t\x01\x7f", 9);
    check_buf(&buf, "\"a\\\"b\\\\c\\n\\t\\u0001\x7f\"");
    pbt_buf_json_string(&buf, "\xc3\xa4\0z", 4);
    check_buf(&buf, "\"\xc3\xa4\\u0000z\"");
    pbt_buf_done(&buf);
}

/* --- digits ------------------------------------------------------------------ */

static int count_digits(const char *text)
{
    int count = 0;
    int zeros = 0;
    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text == '0' && count > 0) {
            zeros++;
        } else if (*text >= '1' && *text <= '9') {
            count += zeros + 1;
            zeros = 0;
        }
    }
    return count;
}

/* The least precision of %.*e that reads back, the slow way. */
static int least_digits(double value)
{
    char text[64];
    for (int precision = 1; precision < 17; precision++) {
        (void)snprintf(text, sizeof text, "%.*e", precision - 1, value);
        if (strtod(text, NULL) == value) {
            return count_digits(text);
        }
    }
    return 17;
}

static void check_repr(double value)
{
    char text[PBT_REPR_SIZE];
    char full[64];
    size_t length = pbt_real_repr(value, text);
    assert_int_equal(strlen(text), length);
    double back = strtod(text, NULL);
    if (memcmp(&back, &value, sizeof value) != 0) {
        fail_msg("%.17g was written as %s", value, text);
    }
    /* As short as it gets, and right in each of its digits. */
    if (count_digits(text) > least_digits(value)) {
        fail_msg("%.17g was written as %s, which is too long", value, text);
    }
    (void)snprintf(full, sizeof full, "%.17g", value);
    assert_true(fabs(strtod(full, NULL) - back) == 0);
    bool exponent = strchr(text, 'e') != NULL;
    double size = fabs(value);
    assert_int_equal(exponent, size != 0 && (size < 1e-4 || size >= 1e16));
    assert_true(exponent || strchr(text, '.') != NULL);
}

static double of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void reals_read_back_to_the_same_bits(void **state)
{
    (void)state;
    struct pbt_draw_key key = {.seed = 11, .purpose = PBT_DRAW_TEST};
    print_message("seed %" PRIu64 "\n", key.seed);
    for (uint64_t i = 0; i < 60000; i++) {
        key.iteration = i;
        key.index = 0;
        double any = of_bits(pbt_draw_u64(&key));
        if (isfinite(any)) {
            check_repr(any);
        }
        /* The range that has a way of its own, 1e-6 to 1e18. */
        double usual = pow(10, 24 * pbt_draw_unit(&key) - 6);
        check_repr(i % 2 == 0 ? usual : -usual);
        check_repr((double)pbt_draw_below(&key, 100000) / 1000);
        check_repr(nextafter(usual, 0));
    }
}

static void powers_and_their_neighbours_read_back(void **state)
{
    (void)state;
    for (int e = -1074; e < 1024; e++) {
        double power = ldexp(1, e);
        check_repr(power);
        check_repr(nextafter(power, 0));
        check_repr(nextafter(power, DBL_MAX));
    }
    for (int e = -323; e <= 308; e++) {
        char text[16];
        (void)snprintf(text, sizeof text, "1e%d", e);
        double power = strtod(text, NULL);
        check_repr(power);
        check_repr(nextafter(power, 0));
        check_repr(nextafter(power, DBL_MAX));
    }
    check_repr(DBL_MAX);
    check_repr(DBL_MIN);
    check_repr(nextafter(DBL_MIN, 0));
}

static void reals_look_as_in_python(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0.0"},
        {-0.0, "-0.0"},
        {1, "1.0"},
        {100, "100.0"},
        {0.1, "0.1"},
        {0.30000000000000004, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {0.0001, "0.0001"},
        {0.00001, "1e-05"},
        {1.5e-7, "1.5e-07"},
        {123456789012345680.0, "1.2345678901234568e+17"},
        {9999999999999998.0, "9999999999999998.0"},
        {1e16, "1e+16"},
        {1e22, "1e+22"},
        {1e23, "1e+23"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {9007199254740993.0, "9007199254740992.0"},
        {(double)NAN, "nan"},
        {(double)INFINITY, "inf"},
        {(double)-INFINITY, "-inf"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[PBT_REPR_SIZE];
        size_t length = pbt_real_repr(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(length, strlen(text));
    }
}

/* --- texts, names, errors ------------------------------------------------------- */

static void check_shown(const char *text, const char *shown)
{
    struct pbt_buf out;
    pbt_buf_init(&out, 1000);
    pbt_shown_put(&out, text, strlen(text));
    assert_string_equal(out.data, shown);
    pbt_buf_done(&out);
}

/* What rounding has added is not shown, and nothing else is left out. */
static void numbers_are_shown_without_rounding(void **state)
{
    (void)state;
    check_shown("{\"lr\":0.09999999999999999,\"b\":[0.30000000000000004]}",
                "{\"lr\":0.1,\"b\":[0.3]}");
    check_shown("{'lr': -7.999999999999999e-05}", "{'lr': -8e-05}");
    check_shown("2.9999999999999996", "3.0");
    check_shown("0.04450665255657315", "0.04450665255657315");
    check_shown("0.1234567890123", "0.1234567890123");
    check_shown("[9007199254740993, 1e-05, 1.0]",
                "[9007199254740993, 1e-05, 1.0]");
    check_shown("{\"0.09999999999999999\":\"a\\\"0.09999999999999999\"}",
                "{\"0.09999999999999999\":\"a\\\"0.09999999999999999\"}");
    check_shown("\"open 0.09999999999999999", "\"open 0.09999999999999999");
}

static void texts_are_held_once(void **state)
{
    (void)state;
    struct pbt_texts texts = {.items = NULL};
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 3000; i++) {
            char text[32];
            uint32_t handle;
            int length = snprintf(text, sizeof text, "\"t%" PRIu32 "\"", i);
            assert_int_equal(
                pbt_texts_add(&texts, text, (size_t)length, &handle), PBT_OK);
            assert_int_equal(handle, i);
            assert_string_equal(pbt_texts_get(&texts, handle), text);
        }
    }
    assert_int_equal(texts.count, 3000);
    pbt_texts_done(&texts);
}

static void a_text_is_no_other_that_begins_alike(void **state)
{
    (void)state;
    struct pbt_texts texts = {.items = NULL};
    uint32_t a;
    uint32_t b;
    uint32_t empty;
    assert_int_equal(pbt_texts_add(&texts, "abc", 3, &a), PBT_OK);
    assert_int_equal(pbt_texts_add(&texts, "abc", 2, &b), PBT_OK);
    assert_int_equal(pbt_texts_add(&texts, "abc", 0, &empty), PBT_OK);
    assert_string_equal(pbt_texts_get(&texts, a), "abc");
    assert_string_equal(pbt_texts_get(&texts, b), "ab");
    assert_string_equal(pbt_texts_get(&texts, empty), "");
    pbt_texts_done(&texts);
}

static void names_have_their_shape(void **state)
{
    (void)state;
    char id[PBT_TRIAL_ID_SIZE];
    char name[PBT_CHECKPOINT_NAME_SIZE];
    pbt_trial_id(1, 3, id);
    assert_int_equal(strlen(id), 11);
    assert_string_equal(id + 5, "_00003");
    pbt_trial_id(UINT64_MAX, UINT32_MAX, id);
    assert_string_equal(id + 5, "_4294967295");
    pbt_checkpoint_name(5, name);
    assert_string_equal(name, "checkpoint_000005");
    pbt_checkpoint_name(UINT32_MAX, name);
    assert_string_equal(name, "checkpoint_4294967295");
}

static void errors_gain_their_context_on_the_way_up(void **state)
{
    (void)state;
    struct pbt_error error;
    assert_int_equal(pbt_error_set(&error, PBT_EIO, "no %s", "luck"), PBT_EIO);
    assert_int_equal(pbt_error_prefix(&error, PBT_EDATA, "file %d", 7),
                     PBT_EDATA);
    assert_string_equal(error.text, "file 7: no luck");
    assert_int_equal(error.status, PBT_EDATA);
    assert_int_equal(pbt_error_set(NULL, PBT_EIO, "no %s", "luck"), PBT_EIO);
    assert_int_equal(pbt_error_prefix(NULL, PBT_EIO, "x"), PBT_EIO);
    for (int i = 0; i < 1000; i++) { /* it is cut, never overrun */
        (void)pbt_error_prefix(&error, PBT_EDATA, "a longer prefix");
    }
    assert_true(strlen(error.text) < sizeof error.text);
    assert_string_equal(pbt_status_text(12345), "unknown status");
}

/* --- placeholders --------------------------------------------------------- */

static bool is_known(const void *user, const char *name, size_t length)
{
    (void)user;
    return (length == 2 && memcmp(name, "lr", 2) == 0) ||
           (length == 3 && memcmp(name, "a b", 3) == 0);
}

/* Each piece as its kind's letter and its text: "Tx=|Nlr|". */
static void check_pieces(const char *text, const char *wanted)
{
    char found[256] = "";
    struct pbt_piece piece;
    size_t at = 0;
    while (pbt_next_piece(text, strlen(text), &at, is_known, NULL, &piece)) {
        size_t used = strlen(found);
        (void)snprintf(found + used, sizeof found - used, "%c%.*s|",
                       "TNUD"[piece.kind], (int)piece.length, piece.text);
    }
    assert_int_equal(at, strlen(text));
    assert_string_equal(found, wanted);
}

static void placeholders_and_other_braces(void **state)
{
    (void)state;
    check_pieces("", "");
    check_pieces("x={lr},{a b}", "Tx=|Nlr|T,|Na b|");
    check_pieces("{lr}{lr}", "Nlr|Nlr|");
    check_pieces("{lrr}{net/depth}", "Ulrr|Unet/depth|");
    check_pieces("{{lr}", "T{|Tlr}|");
    check_pieces("{{lr}}", "Dlr|");
    check_pieces("a{{b", "Ta{|Tb|");
    check_pieces("{\"rate\": {lr}}", "T{\"rate\": |Nlr|T}|");
    check_pieces("{print $1} {} {2} { lr} {lr",
                 "T{print $1} {} {2} { lr} {lr|");
    check_pieces("{", "T{|");
    check_pieces("{{", "T{|");
    check_pieces("${x}", "T$|Ux|");
}

static void variables_of_hyperparameters(void **state)
{
    (void)state;
    char variable[32];
    pbt_param_variable("net/depth-1", variable, sizeof variable);
    assert_string_equal(variable, "PBT_PARAM_net__depth_1");
    pbt_param_variable("a_name_that_is_too_long_for_it", variable,
                       sizeof variable);
    assert_true(strlen(variable) < sizeof variable);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_grows_to_its_limit_and_no_further),
        cmocka_unit_test(placeholders_and_other_braces),
        cmocka_unit_test(variables_of_hyperparameters),
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(reals_are_json),
        cmocka_unit_test(json_strings),
        cmocka_unit_test(reals_read_back_to_the_same_bits),
        cmocka_unit_test(powers_and_their_neighbours_read_back),
        cmocka_unit_test(reals_look_as_in_python),
        cmocka_unit_test(numbers_are_shown_without_rounding),
        cmocka_unit_test(texts_are_held_once),
        cmocka_unit_test(a_text_is_no_other_that_begins_alike),
        cmocka_unit_test(names_have_their_shape),
        cmocka_unit_test(errors_gain_their_context_on_the_way_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
