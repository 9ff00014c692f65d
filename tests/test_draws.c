/*
 * What draws must never change: a golden file of keyed draws, of the logarithm and the
 * exponential that they stand on, of every domain, and of explored configurations.
 *
 * A run of last year has to draw the same today, with any compiler and any libm.
 * PBT_UPDATE_GOLDEN=1 rewrites tests/golden/draws.txt: a difference there breaks the
 * promise that a seed fixes every decision, so think twice.
 */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/draw.h"
#include "base/names.h"
#include "core/space.h"

#define GOLDEN PBT_SOURCE_DIR "/tests/golden/draws.txt"
#define TEXT_MAX ((size_t)1 << 20)

/* Reals as their bits: no printf of another libc stands between. */
static void put_real(struct pbt_buf *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    pbt_buf_printf(out, " %016" PRIx64, bits);
}

static void put_keyed(struct pbt_buf *out)
{
    static const struct pbt_draw_key keys[] = {
        {.seed = 0, .purpose = PBT_DRAW_TEST},
        {.seed = 1, .purpose = PBT_DRAW_TEST},
        {.seed = UINT64_MAX, .purpose = PBT_DRAW_TEST},
        {.seed = 1, .trial = 1, .purpose = PBT_DRAW_TEST},
        {.seed = 1, .exploits = 1, .purpose = PBT_DRAW_TEST},
        {.seed = 1, .iteration = 1, .purpose = PBT_DRAW_TEST},
        {.seed = 1, .iteration = UINT64_C(1) << 32, .purpose = PBT_DRAW_TEST},
        {.seed = 1, .purpose = PBT_DRAW_INITIAL},
        {.seed = 1, .purpose = PBT_DRAW_DONOR},
        {.seed = 1, .purpose = PBT_DRAW_EXPLORE, .index = 256},
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct pbt_draw_key key = keys[i];
        pbt_buf_printf(out, "u64 %zu:", i);
        for (int n = 0; n < 4; n++) {
            pbt_buf_printf(out, " %016" PRIx64, pbt_draw_u64(&key));
        }
        key = keys[i];
        pbt_buf_printf(out, "\nunit %zu:", i);
        for (int n = 0; n < 4; n++) {
            put_real(out, pbt_draw_unit(&key));
        }
        key = keys[i];
        pbt_buf_printf(out, "\nbelow %zu:", i);
        for (uint64_t n = 1; n < 1000000; n = 3 * n + 1) {
            pbt_buf_printf(out, " %" PRIu64, pbt_draw_below(&key, n));
        }
        key = keys[i];
        pbt_buf_printf(out, "\nnormal %zu:", i);
        for (int n = 0; n < 4; n++) {
            put_real(out, pbt_draw_normal(&key));
        }
        pbt_buf_text(out, "\n");
    }
}

static void put_functions(struct pbt_buf *out)
{
    static const double logs[] = {1,      2,     0.5,      10,
                                  1e-4,   0.1,   1e300,    5e-324,
                                  1e-310, 0.999, 1.000001, 1.4142135623730951};
    static const double exps[] = {0,     1,     -1,   0.5,  -9.210340371976182,
                                  700,   709.7, -700, -745, 1e-9,
                                  -1e-9, 800,   -800};
    for (size_t i = 0; i < sizeof logs / sizeof logs[0]; i++) {
        pbt_buf_printf(out, "log %g:", logs[i]);
        put_real(out, pbt_exact_log(logs[i]));
        pbt_buf_text(out, "\n");
    }
    for (size_t i = 0; i < sizeof exps / sizeof exps[0]; i++) {
        pbt_buf_printf(out, "exp %g:", exps[i]);
        put_real(out, pbt_exact_exp(exps[i]));
        pbt_buf_text(out, "\n");
    }
    for (uint64_t i = 0; i < 4; i++) {
        char id[PBT_TRIAL_ID_SIZE];
        pbt_trial_id(i, (uint32_t)i, id);
        pbt_buf_printf(out, "mix %" PRIu64 ": %016" PRIx64 ", trial %s\n", i,
                       pbt_mix(i, i + 1), id);
    }
}

static void put_cell(struct pbt_buf *out, struct pbt_cell cell)
{
    if (cell.type == PBT_CELL_REAL) {
        put_real(out, cell.u.r);
    } else {
        pbt_buf_printf(out, " %" PRId64, cell.u.i);
    }
}

static struct pbt_domain domain(enum pbt_domain_kind kind, double lower,
                                double upper, double quantum)
{
    return (struct pbt_domain){
        .kind = kind, .lower = lower, .upper = upper, .quantum = quantum};
}

static void put_domains(struct pbt_buf *out)
{
    const struct pbt_domain domains[] = {
        domain(PBT_DOMAIN_UNIFORM, 0.001, 1, 0),
        domain(PBT_DOMAIN_QUNIFORM, 0, 1, 0.05),
        domain(PBT_DOMAIN_LOGUNIFORM, 1e-4, 0.1, 0),
        domain(PBT_DOMAIN_QLOGUNIFORM, 5e-3, 0.1, 5e-4),
        domain(PBT_DOMAIN_RANDN, 10, 2, 0),
        domain(PBT_DOMAIN_QRANDN, 10, 2, 0.2),
        domain(PBT_DOMAIN_RANDINT, -9, 15, 0),
        domain(PBT_DOMAIN_QRANDINT, -21, 12, 3),
        domain(PBT_DOMAIN_LOGRANDINT, 1, 1000, 0),
        domain(PBT_DOMAIN_QLOGRANDINT, 2, 100, 2),
    };
    for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++) {
        struct pbt_draw_key key = {.seed = 7, .purpose = PBT_DRAW_TEST};
        pbt_buf_printf(out, "domain %d:", (int)domains[i].kind);
        for (int n = 0; n < 6; n++) {
            put_cell(out, pbt_domain_draw(&domains[i], &key));
        }
        pbt_buf_text(out, "\n");
    }
}

static void put_explored(struct pbt_buf *out)
{
    static struct pbt_cell choices[4];
    static const double factors[] = {1.2, 0.8};
    for (int i = 0; i < 4; i++) {
        choices[i] = pbt_cell_int(1 << i);
    }
    struct pbt_domain list = {
        .kind = PBT_DOMAIN_CHOICE, .choices = choices, .choice_count = 4};
    struct pbt_param params[] = {
        {.name = "lr",
         .mutation = PBT_MUTATION_DOMAIN,
         .mutations = domain(PBT_DOMAIN_LOGUNIFORM, 1e-4, 0.1, 0)},
        {.name = "layers",
         .mutation = PBT_MUTATION_DOMAIN,
         .mutations = domain(PBT_DOMAIN_RANDINT, 1, 10, 0)},
        {.name = "batch", .mutation = PBT_MUTATION_LIST, .mutations = list},
    };
    struct pbt_space space = {params, 3};
    struct pbt_explore explore = {
        .resample_probability = 0.25, .factors = factors, .factor_count = 2};
    struct pbt_cell cells[3];
    struct pbt_draw_key key = {.seed = 7, .purpose = PBT_DRAW_INITIAL};
    pbt_space_initial(&space, &key, cells);
    for (uint32_t n = 0; n < 8; n++) {
        pbt_buf_printf(out, "config %" PRIu32 ":", n);
        for (int i = 0; i < 3; i++) {
            put_cell(out, cells[i]);
        }
        pbt_buf_text(out, "\n");
        struct pbt_cell next[3];
        key = (struct pbt_draw_key){
            .seed = 7, .exploits = n, .purpose = PBT_DRAW_EXPLORE};
        pbt_space_explore(&space, &explore, cells, &key, next);
        memcpy(cells, next, sizeof cells);
    }
}

static char *read_golden(void)
{
    FILE *file = fopen(GOLDEN, "rb");
    if (file == NULL) {
        fail_msg("%s: not there (PBT_UPDATE_GOLDEN=1 writes it)", GOLDEN);
    }
    char *text = calloc(1, TEXT_MAX);
    assert_non_null(text);
    size_t length = fread(text, 1, TEXT_MAX - 1, file);
    assert_int_equal(ferror(file), 0);
    assert_int_equal(fclose(file), 0);
    text[length] = '\0';
    return text;
}

static void write_golden(const struct pbt_buf *out)
{
    FILE *file = fopen(GOLDEN, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(out->data, 1, out->length, file), out->length);
    assert_int_equal(fclose(file), 0);
}

static void draws_are_what_they_always_were(void **state)
{
    (void)state;
    struct pbt_buf out;
    pbt_buf_init(&out, TEXT_MAX);
    put_keyed(&out);
    put_functions(&out);
    put_domains(&out);
    put_explored(&out);
    assert_false(pbt_buf_failed(&out));
    if (getenv("PBT_UPDATE_GOLDEN") != NULL) {
        write_golden(&out);
    }
    char *golden = read_golden();
    assert_string_equal(out.data, golden);
    free(golden);
    pbt_buf_done(&out);
}

/* The known answers of Philox-4x32-10, from the authors' library (Random123). */
static void the_generator_is_philox(void **state)
{
    (void)state;
    struct pbt_draw_key zeros = {.seed = 0};
    struct pbt_draw_key ones = {.seed = UINT64_MAX,
                                .trial = UINT32_MAX,
                                .exploits = UINT32_MAX,
                                .iteration = UINT32_MAX,
                                .purpose = UINT8_MAX,
                                .index = (1u << 24) - 1};
    assert_true(pbt_draw_u64(&zeros) == UINT64_C(0xe169c58d6627e8d5));
    assert_true(pbt_draw_u64(&ones) == UINT64_C(0x41c83b0e408f276d));
    assert_int_equal(zeros.index, 1);
}

static void exact_log_and_exp_are_close_to_libm(void **state)
{
    (void)state;
    struct pbt_draw_key key = {.seed = 3, .purpose = PBT_DRAW_TEST};
    for (int i = 0; i < 100000; i++) {
        double x = 1400 * pbt_draw_unit(&key) - 700;
        double exact = exp(x);
        assert_true(fabs(pbt_exact_exp(x) - exact) <= 1e-15 * exact);
        double log_exact = log(exact);
        assert_true(fabs(pbt_exact_log(exact) - log_exact) <=
                    1e-15 * fmax(1, fabs(log_exact)));
    }
}

/* Mean and variance of 100,000 draws, within five standard errors. */
static void draws_are_distributed_as_they_say(void **state)
{
    (void)state;
    const int n = 100000;
    double sum = 0;
    double squares = 0;
    double unit = 0;
    int below[7] = {0};
    struct pbt_draw_key key = {.seed = 5, .purpose = PBT_DRAW_TEST};
    for (int i = 0; i < n; i++) {
        key.iteration = (uint64_t)i;
        key.index = 0;
        double x = pbt_draw_normal(&key);
        sum += x;
        squares += x * x;
        unit += pbt_draw_unit(&key);
        below[pbt_draw_below(&key, 7)]++;
    }
    assert_true(fabs(sum / n) < 5 / sqrt(n));
    assert_true(fabs(squares / n - 1) < 5 * sqrt(2.0 / n));
    assert_true(fabs(unit / n - 0.5) < 5 * sqrt(1.0 / 12 / n));
    for (int i = 0; i < 7; i++) {
        assert_true(fabs(below[i] - n / 7.0) < 5 * sqrt(n / 7.0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_are_what_they_always_were),
        cmocka_unit_test(the_generator_is_philox),
        cmocka_unit_test(exact_log_and_exp_are_close_to_libm),
        cmocka_unit_test(draws_are_distributed_as_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
