/*
 * Records as lines of the journal: random ones of every kind come back bit by bit, and
 * what is no record is refused with a reason.
 *
 * PBT_SEED=N repeats a run.
 */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/draw.h"
#include "journal/entry.h"
#include "journal/members.h"

#define ROUNDS 400 /* of each kind */
#define POPULATION 1000
#define LINE_MAX_BYTES (1u << 20)

/* Nested mappings, also one whose members stand apart in the table. */
static const char spec_text[] =
    "command: [train]\n"
    "num_samples: 1000\n"
    "metric: acc\n"
    "mode: max\n"
    "config:\n"
    "  net: {opt: {lr: 0.1, b: [1, 2]}, act: relu}\n"
    "  \"odd \\\" name\": 1\n"
    "  lr: {uniform: [0.001, 1]}\n"
    "scheduler:\n"
    "  type: pbt\n"
    "  perturbation_interval: 5\n"
    "  hyperparam_mutations:\n"
    "    lr: {uniform: [0.0001, 1]}\n"
    "    net: {more: [1, 2, 3]}\n";
#define PARAMS 6

struct world {
    struct pbt_spec spec;
    struct pbt_buf line;
    struct pbt_buf again;
    struct pbt_draw_key key;
    struct pbt_cell cells[2][PARAMS];
};

static uint64_t run_seed(void)
{
    const char *text = getenv("PBT_SEED");
    return text != NULL ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct pbt_buf problems;
    struct pbt_error error;
    assert_non_null(w);
    pbt_buf_init(&problems, 65536);
    int status =
        pbt_spec_parse(&w->spec, spec_text, sizeof spec_text - 1, "test.yaml",
                       "/tmp", NULL, 0, &problems, &error);
    if (status != PBT_OK) {
        fail_msg("%s", problems.data);
    }
    pbt_buf_done(&problems);
    assert_int_equal(w->spec.settings.space.count, PARAMS);
    assert_int_equal(w->spec.settings.population, POPULATION);
    pbt_buf_init(&w->line, LINE_MAX_BYTES);
    pbt_buf_init(&w->again, LINE_MAX_BYTES);
    w->key.seed = run_seed();
    w->key.purpose = PBT_DRAW_TEST;
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    pbt_spec_done(&w->spec);
    pbt_buf_done(&w->line);
    pbt_buf_done(&w->again);
    free(w);
    return 0;
}

/* --- random records ------------------------------------------------------ */

static bool coin(struct world *w)
{
    return pbt_draw_below(&w->key, 2) == 0;
}

static uint64_t any_u64(struct world *w)
{
    static const uint64_t edges[] = {0,
                                     1,
                                     (UINT64_C(1) << 53) - 1,
                                     UINT64_C(1) << 53,
                                     (UINT64_C(1) << 53) + 1,
                                     INT64_MAX,
                                     (uint64_t)INT64_MAX + 1,
                                     UINT64_MAX};
    uint64_t kind = pbt_draw_below(&w->key, 16);
    return kind < 8 ? edges[kind]
                    : pbt_draw_u64(&w->key) >> pbt_draw_below(&w->key, 64);
}

static int64_t any_i64(struct world *w)
{
    static const int64_t edges[] = {INT64_MIN, INT64_MIN + 1,
                                    -(INT64_C(1) << 53) - 1,
                                    -(INT64_C(1) << 53), -1};
    uint64_t kind = pbt_draw_below(&w->key, 10);
    return kind < 5 ? edges[kind] : (int64_t)any_u64(w);
}

/* Any bits at all, but for NaN only the one that reading gives. */
static double any_real(struct world *w)
{
    static const double edges[] = {
        0.0,     -0.0,    1.0,    -1.0,   0.1,
        5e-324,  1e-5,    1e15,   1e16,   1e17,
        1e22,    1.7e308, 1e-300, 0.5e-5, 9007199254740993.0,
        1.0 / 3,
    };
    uint64_t kind = pbt_draw_below(&w->key, 40);
    double value = 0;
    if (kind < 16) {
        return edges[kind];
    }
    if (kind < 19) {
        return kind == 16 ? (double)NAN : kind == 17 ? HUGE_VAL : -HUGE_VAL;
    }
    if (kind < 30) {
        return (pbt_draw_unit(&w->key) - 0.5) * 1000;
    }
    uint64_t bits = pbt_draw_u64(&w->key);
    memcpy(&value, &bits, sizeof value);
    return isnan(value) ? (double)NAN : value;
}

static struct pbt_cell any_cell(struct world *w)
{
    static const char *const texts[] = {
        "null", "\"\"", "\"two words\"",  "\"\\u0001\\\"\\\\\\n\xc3\xa9\"",
        "[]",   "{}",   "[1,2.5,[null]]", "{\"b\":1,\"a\":{\"c\":true}}"};
    struct pbt_cell cell = {.type = PBT_CELL_TEXT};
    const char *text;
    switch (pbt_draw_below(&w->key, 4)) {
    case 0:
        return pbt_cell_int(any_i64(w));
    case 1:
        return pbt_cell_real(any_real(w));
    case 2:
        return (struct pbt_cell){.type = PBT_CELL_BOOL, .u.i = coin(w)};
    default:
        text = texts[pbt_draw_below(&w->key, 8)];
        assert_int_equal(
            pbt_texts_add(&w->spec.texts, text, strlen(text), &cell.text),
            PBT_OK);
        return cell;
    }
}

#define SET(field, value)                                                      \
    memcpy((char *)record + (field), &(value), sizeof(value))

static void draw_member(struct world *w, struct pbt_record *record,
                        const struct pbt_entry_member *member)
{
    uint32_t u32 = (uint32_t)any_u64(w);
    uint64_t u64 = any_u64(w);
    int64_t i64 = any_i64(w);
    double real = any_real(w);
    bool truth = coin(w);
    switch (member->type) {
    case PBT_MEMBER_TRIAL:
        u32 %= POPULATION;
        SET(member->offset, u32);
        break;
    case PBT_MEMBER_U32:
        SET(member->offset, u32);
        break;
    case PBT_MEMBER_U64:
    case PBT_MEMBER_SEED:
        SET(member->offset, u64);
        break;
    case PBT_MEMBER_I64:
        SET(member->offset, i64);
        break;
    case PBT_MEMBER_REAL:
    case PBT_MEMBER_SCORE:
        SET(member->offset, real);
        break;
    case PBT_MEMBER_BOOL:
        SET(member->offset, truth);
        break;
    case PBT_MEMBER_VALUES:
        for (size_t i = 0; i < PBT_VALUES_MAX; i++) {
            record->values[i] = coin(w) ? any_real(w) : (double)NAN;
        }
        break;
    case PBT_MEMBER_CHECKPOINT:
        record->checkpoint.trial = u32 % POPULATION;
        record->checkpoint.number = (uint32_t)any_u64(w);
        break;
    case PBT_MEMBER_LEAVE:
        record->leave = (enum pbt_leave)(u32 % (PBT_LEAVE_ERROR + 1));
        break;
    case PBT_MEMBER_END:
        record->end = (enum pbt_end)(u32 % (PBT_END_INTERRUPTED + 1));
        break;
    case PBT_MEMBER_PASS:
        record->pass = (enum pbt_pass)(u32 % (PBT_PASS_EXPLORE_FAILED + 1));
        break;
    case PBT_MEMBER_REQUEST:
        record->request = (enum pbt_request)(u32 % (PBT_REQUEST_STOP + 1));
        break;
    case PBT_MEMBER_CELLS: {
        bool old = member == &pbt_entry_members[PBT_AT_OLD_CONFIG];
        struct pbt_cell *cells = w->cells[old];
        for (size_t i = 0; i < PARAMS; i++) {
            cells[i] = any_cell(w);
        }
        *(old ? &record->old_cells : &record->cells) = cells;
        break;
    }
    }
}

/* Each member is there or not, whatever the kind uses: nothing may be lost. */
static struct pbt_record any_record(struct world *w, enum pbt_record_kind kind)
{
    struct pbt_record record = {.kind = kind,
                                .number = any_u64(w),
                                .time = any_u64(w),
                                .score = (double)NAN,
                                .donor_score = (double)NAN};
    record.number += record.number == 0;
    for (size_t i = 0; i < PBT_VALUES_MAX; i++) {
        record.values[i] = (double)NAN;
    }
    uint64_t always = pbt_entry_members_always(kind);
    for (uint32_t i = 0; i < PBT_MEMBERS; i++) {
        if ((always & (UINT64_C(1) << i)) != 0 || coin(w)) {
            draw_member(w, &record, &pbt_entry_members[i]);
        }
    }
    return record;
}

/* --- there and back ------------------------------------------------------ */

static void check_real(const struct world *w, double a, double b)
{
    if (memcmp(&a, &b, sizeof a) != 0) {
        fail_msg("%.17g became %.17g in %s", a, b, w->line.data);
    }
}

static void check_cells(const struct world *w, const struct pbt_cell *a,
                        const struct pbt_cell *b)
{
    assert_int_equal(a == NULL, b == NULL);
    for (size_t i = 0; a != NULL && i < PARAMS; i++) {
        assert_int_equal(a[i].type, b[i].type);
        if (a[i].type == PBT_CELL_TEXT) {
            assert_int_equal(a[i].text, b[i].text);
        } else if (a[i].type == PBT_CELL_REAL) {
            check_real(w, a[i].u.r, b[i].u.r);
        } else {
            assert_true(a[i].u.i == b[i].u.i);
        }
    }
}

static void check_member(const struct world *w, const struct pbt_record *a,
                         const struct pbt_record *b,
                         const struct pbt_entry_member *member)
{
    static const size_t sizes[] = {
        [PBT_MEMBER_TRIAL] = sizeof(uint32_t),
        [PBT_MEMBER_U32] = sizeof(uint32_t),
        [PBT_MEMBER_U64] = sizeof(uint64_t),
        [PBT_MEMBER_SEED] = sizeof(uint64_t),
        [PBT_MEMBER_I64] = sizeof(int64_t),
        [PBT_MEMBER_REAL] = sizeof(double),
        [PBT_MEMBER_SCORE] = sizeof(double),
        [PBT_MEMBER_BOOL] = sizeof(bool),
        [PBT_MEMBER_VALUES] = PBT_VALUES_MAX * sizeof(double),
        [PBT_MEMBER_CHECKPOINT] = sizeof(struct pbt_checkpoint_id),
        [PBT_MEMBER_LEAVE] = sizeof(enum pbt_leave),
        [PBT_MEMBER_END] = sizeof(enum pbt_end),
        [PBT_MEMBER_PASS] = sizeof(enum pbt_pass),
        [PBT_MEMBER_REQUEST] = sizeof(enum pbt_request),
    };
    if (member->type == PBT_MEMBER_CELLS) {
        bool old = member == &pbt_entry_members[PBT_AT_OLD_CONFIG];
        check_cells(w, old ? a->old_cells : a->cells,
                    old ? b->old_cells : b->cells);
    } else if (memcmp((const char *)a + member->offset,
                      (const char *)b + member->offset,
                      sizes[member->type]) != 0) {
        fail_msg("\"%s\" did not come back: %s", member->name, w->line.data);
    }
}

static void check_same(const struct world *w, const struct pbt_record *a,
                       const struct pbt_record *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_true(a->number == b->number);
    assert_true(a->time == b->time);
    for (size_t i = 0; i < PBT_MEMBERS; i++) {
        check_member(w, a, b, &pbt_entry_members[i]);
    }
}

static void write_entry(struct world *w, const struct pbt_entry *entry,
                        struct pbt_buf *line)
{
    pbt_buf_reset(line);
    pbt_entry_write(entry, &w->spec, line);
    assert_false(pbt_buf_failed(line));
    assert_true(line->length > 0);
    assert_int_equal(line->data[line->length - 1], '\n');
    assert_ptr_equal(memchr(line->data, '\n', line->length),
                     line->data + line->length - 1);
}

static void read_entry(struct world *w, struct pbt_entry *entry)
{
    struct pbt_error error;
    if (pbt_entry_read(entry, &w->spec, w->line.data, w->line.length - 1,
                       &error) != PBT_OK) {
        fail_msg("%s in %s", error.text, w->line.data);
    }
}

/*
 * A line in the writer's form is scanned, any other goes through jansson: with a space
 * in it the same line takes the other way.
 */
static void read_spaced(struct world *w, const struct pbt_record *record)
{
    struct pbt_entry read;
    struct pbt_error error;
    pbt_buf_reset(&w->again);
    pbt_buf_char(&w->again, ' ');
    pbt_buf_put(&w->again, w->line.data, w->line.length);
    if (pbt_entry_read(&read, &w->spec, w->again.data, w->again.length,
                       &error) != PBT_OK) {
        fail_msg("%s in %s", error.text, w->again.data);
    }
    check_same(w, record, &read.record);
    pbt_entry_done(&read);
}

static void test_round_trip(void **state)
{
    struct world *w = *state;
    static const char data[] =
        "{\"metrics\":{\"acc\":0.5,\"big\":\"9007199254740993\",\"x\":"
        "{\"y\":[1,\"\\\"\xc3\xa9\"]}},\"n\":\"NaN\"}";
    print_message("PBT_SEED=%" PRIu64 "\n", w->key.seed);
    for (int kind = 0; kind < PBT_RECORD_KINDS; kind++) {
        for (uint32_t round = 0; round < ROUNDS; round++) {
            struct pbt_entry read;
            w->key.trial = (uint32_t)kind;
            w->key.iteration = round;
            w->key.index = 0;
            struct pbt_entry entry = {
                .record = any_record(w, (enum pbt_record_kind)kind)};
            bool with_data = coin(w);
            if (with_data) {
                entry.data = data;
                entry.data_length = sizeof data - 1;
            }
            write_entry(w, &entry, &w->line);
            read_entry(w, &read);
            check_same(w, &entry.record, &read.record);
            assert_int_equal(with_data, read.data_json != NULL);
            write_entry(w, &read, &w->again);
            assert_string_equal(w->line.data, w->again.data);
            pbt_entry_done(&read);
            read_spaced(w, &entry.record);
        }
    }
}

/* Every NaN is one NaN. */
static void test_nan_with_payload(void **state)
{
    struct world *w = *state;
    uint64_t bits = UINT64_C(0xfff8000000001234);
    struct pbt_entry entry = {.record = any_record(w, PBT_RECORD_RESULT)};
    struct pbt_entry read;
    memcpy(&entry.record.score, &bits, sizeof bits);
    memcpy(&entry.record.time_total, &bits, sizeof bits);
    write_entry(w, &entry, &w->line);
    read_entry(w, &read);
    assert_true(isnan(read.record.score));
    assert_true(isnan(read.record.time_total));
    pbt_entry_done(&read);
}

/* The line itself is a format: other programs read it. */
static void test_the_line(void **state)
{
    struct world *w = *state;
    struct pbt_entry entry = {.record = {.kind = PBT_RECORD_RESULT,
                                         .number = 7,
                                         .time = 1203004,
                                         .trial = 3,
                                         .epoch = 1048577,
                                         .seq = 2,
                                         .iteration = INT64_MIN,
                                         .time_total = 0.25,
                                         .score = HUGE_VAL,
                                         .halted = true,
                                         .donor_score = (double)NAN},
                              .data = "{\"a\":1}",
                              .data_length = 7};
    for (size_t i = 0; i < PBT_VALUES_MAX; i++) {
        entry.record.values[i] = i == 1 ? 5.0 : (double)NAN;
    }
    write_entry(w, &entry, &w->line);
    assert_string_equal(
        w->line.data,
        "{\"n\":7,\"k\":\"result\",\"t\":1203004,\"trial\":3,\"epoch\":1048577,"
        "\"seq\":2,\"it\":\"-9223372036854775808\",\"total\":0.25,"
        "\"score\":\"Infinity\",\"values\":[\"NaN\",5.0],\"halted\":true,"
        "\"data\":{\"a\":1}}\n");
}

static void test_full_buffer(void **state)
{
    struct world *w = *state;
    struct pbt_entry entry = {.record = any_record(w, PBT_RECORD_EXPLOIT)};
    write_entry(w, &entry, &w->line);
    for (size_t limit = 0; limit < w->line.length; limit++) {
        struct pbt_buf small;
        pbt_buf_init(&small, limit);
        pbt_entry_write(&entry, &w->spec, &small);
        assert_true(pbt_buf_failed(&small));
        assert_true(small.length <= limit);
        pbt_buf_done(&small);
    }
}

/* --- what is refused ----------------------------------------------------- */

/* The line in w->line as JSON. */
static json_t *parsed(const struct world *w)
{
    json_t *root = json_loadb(w->line.data, w->line.length, 0, NULL);
    assert_non_null(root);
    return root;
}

static int read_json(struct world *w, const json_t *root,
                     struct pbt_entry *entry, struct pbt_error *error)
{
    char *text = json_dumps(root, JSON_COMPACT);
    assert_non_null(text);
    int status = pbt_entry_read(entry, &w->spec, text, strlen(text), error);
    free(text);
    return status;
}

static void expect_refusal(struct world *w, const json_t *root,
                           const char *named)
{
    struct pbt_entry entry;
    struct pbt_error error = {0};
    int status = read_json(w, root, &entry, &error);
    if (status != PBT_EDATA || strstr(error.text, named) == NULL) {
        fail_msg("status %d, \"%s\" does not name %s", status, error.text,
                 named);
    }
}

static bool takes(enum pbt_entry_member_type type, const json_t *value)
{
    const char *text = json_string_value(value);
    switch (type) {
    case PBT_MEMBER_TRIAL:
    case PBT_MEMBER_U32:
        return false;
    case PBT_MEMBER_U64:
    case PBT_MEMBER_SEED:
        return text != NULL && strcmp(text, "0") == 0;
    case PBT_MEMBER_I64:
        return json_is_integer(value) ||
               (text != NULL &&
                (strcmp(text, "0") == 0 || strcmp(text, "-1") == 0));
    case PBT_MEMBER_REAL:
    case PBT_MEMBER_SCORE:
        return json_is_number(value);
    case PBT_MEMBER_BOOL:
        return json_is_boolean(value);
    case PBT_MEMBER_VALUES:
        return json_is_array(value) && json_array_size(value) < 9;
    case PBT_MEMBER_CHECKPOINT:
    case PBT_MEMBER_LEAVE:
    case PBT_MEMBER_END:
    case PBT_MEMBER_PASS:
    case PBT_MEMBER_REQUEST:
    case PBT_MEMBER_CELLS:
        return false;
    }
    return false;
}

static void test_wrong_values(void **state)
{
    struct world *w = *state;
    static const char *const values[] = {"null",
                                         "true",
                                         "-1",
                                         "1.5",
                                         "\"x\"",
                                         "\"-1\"",
                                         "\"00\"",
                                         "\"0\"",
                                         "\"\"",
                                         "\"18446744073709551616\"",
                                         "[]",
                                         "{}",
                                         "[1,2,3,4,5,6,7,8,9]",
                                         "{\"trial\":1}",
                                         "{\"trial\":1000,\"number\":1}",
                                         "{\"trial\":1,\"number\":4294967296}",
                                         "\"nan\"",
                                         "\"Infinity \"",
                                         "\"-9223372036854775809\""};
    struct pbt_entry all = {.record = any_record(w, PBT_RECORD_EXPLOIT)};
    write_entry(w, &all, &w->line);
    json_t *root = parsed(w);
    for (size_t m = 0; m < PBT_MEMBERS; m++) {
        const struct pbt_entry_member *member = &pbt_entry_members[m];
        json_t *before = json_incref(json_object_get(root, member->name));
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
            json_t *value = json_loads(values[v], JSON_DECODE_ANY, NULL);
            assert_non_null(value);
            if (!takes(member->type, value)) {
                assert_int_equal(json_object_set(root, member->name, value), 0);
                expect_refusal(w, root, member->name);
            }
            json_decref(value);
        }
        if (before == NULL) {
            (void)json_object_del(root, member->name);
        } else {
            assert_int_equal(json_object_set_new(root, member->name, before),
                             0);
        }
    }
    json_decref(root);
}

static void test_out_of_range(void **state)
{
    struct world *w = *state;
    static const char *const names[] = {"trial", "donor"};
    struct pbt_entry entry = {.record = any_record(w, PBT_RECORD_EXPLOIT)};
    for (size_t i = 0; i < 2; i++) {
        write_entry(w, &entry, &w->line);
        json_t *root = parsed(w);
        assert_int_equal(
            json_object_set_new(root, names[i], json_integer(POPULATION)), 0);
        expect_refusal(w, root, "from 0 to 999");
        json_decref(root);
    }
}

/* What a kind always has must be there. */
static void test_missing(void **state)
{
    struct world *w = *state;
    for (int kind = 0; kind < PBT_RECORD_KINDS; kind++) {
        struct pbt_entry entry = {
            .record = any_record(w, (enum pbt_record_kind)kind)};
        uint64_t always = pbt_entry_members_always(entry.record.kind);
        write_entry(w, &entry, &w->line);
        for (size_t m = 0; m < PBT_MEMBERS; m++) {
            if ((always & (UINT64_C(1) << m)) == 0) {
                continue;
            }
            json_t *root = parsed(w);
            assert_int_equal(json_object_del(root, pbt_entry_members[m].name),
                             0);
            expect_refusal(w, root, "is missing");
            json_decref(root);
        }
        static const char *const head[] = {"n", "k", "t"};
        for (size_t i = 0; i < 3; i++) {
            json_t *root = parsed(w);
            assert_int_equal(json_object_del(root, head[i]), 0);
            expect_refusal(w, root, head[i]);
            json_decref(root);
        }
    }
}

/* What a newer version has added is passed over, what it has renamed is not. */
static void test_newer(void **state)
{
    struct world *w = *state;
    struct pbt_entry entry = {.record = any_record(w, PBT_RECORD_EXITED)};
    struct pbt_entry read;
    struct pbt_error error;
    write_entry(w, &entry, &w->line);
    json_t *root = parsed(w);
    assert_int_equal(
        json_object_set_new(root, "later", json_pack("{s:[i,n]}", "x", 1)), 0);
    assert_int_equal(read_json(w, root, &read, &error), PBT_OK);
    check_same(w, &entry.record, &read.record);
    pbt_entry_done(&read);

    static const char *const words[] = {"k", "leave", "end", "pass"};
    for (size_t i = 0; i < 4; i++) {
        json_t *copy = json_copy(root);
        assert_int_equal(
            json_object_set_new(copy, words[i], json_string("hatched")), 0);
        expect_refusal(w, copy,
                       "\"hatched\" is unknown: written by a newer version");
        json_decref(copy);
    }
    json_decref(root);
}

static void refuse_text(struct world *w, const char *text, size_t length,
                        const char *says)
{
    struct pbt_entry entry;
    struct pbt_error error = {0};
    assert_int_equal(pbt_entry_read(&entry, &w->spec, text, length, &error),
                     PBT_EDATA);
    if (strstr(error.text, says) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", error.text, says);
    }
}

static void test_no_records(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *text;
        const char *says;
    } rows[] = {
        {"", "no JSON"},
        {"{}", "\"k\""},
        {"[]", "not a JSON object"},
        {"null", "no JSON"},
        {"{\"n\":0,\"k\":\"halted\",\"t\":1,\"trial\":1,\"epoch\":1}",
         "from 1 up"},
        {"{\"n\":1,\"n\":1,\"k\":\"capacity\",\"t\":1,\"slots\":1}", "no JSON"},
        {"{\"n\":1,\"k\":\"capacity\",\"t\":1,\"slots\":1,\"data\":[]}",
         "\"data\""},
        {"{\"n\":1,\"k\":\"trial\",\"t\":1,\"trial\":1,\"config\":{}}",
         "\"config\": "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        refuse_text(w, rows[i].text, strlen(rows[i].text), rows[i].says);
    }
    /* Cut off anywhere. */
    struct pbt_entry entry = {.record = any_record(w, PBT_RECORD_EXPLOIT)};
    write_entry(w, &entry, &w->line);
    for (size_t length = 0; length < w->line.length - 1; length++) {
        refuse_text(w, w->line.data, length, "");
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_round_trip),   TEST(test_nan_with_payload),
        TEST(test_the_line),     TEST(test_full_buffer),
        TEST(test_wrong_values), TEST(test_out_of_range),
        TEST(test_missing),      TEST(test_newer),
        TEST(test_no_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
