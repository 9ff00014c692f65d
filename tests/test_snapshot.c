/*
 * Snapshots: what can't be used is passed over, and said; the rest is where the journal is
 * read from.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "driver/restore.h"
#include "journal/snapshot.h"
#include "recorded.h"

static const char experiment[] = "name: kept\n"
                                 "command: [worker]\n"
                                 "num_samples: 5\n"
                                 "metric: score\n"
                                 "mode: max\n"
                                 "stop: {training_iteration: 60}\n"
                                 "config:\n"
                                 "  lr: {uniform: [0.001, 1]}\n"
                                 "  act: {choice: [relu, tanh, gelu]}\n"
                                 "scheduler:\n"
                                 "  type: pbt\n"
                                 "  perturbation_interval: 5\n"
                                 "  hyperparam_mutations:\n"
                                 "    lr: {uniform: [0.001, 1]}\n"
                                 "    act: [relu, tanh, gelu, selu]\n"
                                 "failure: {max_failures: -1}\n"
                                 "seed: 7\n";

static struct pbt_spec spec;
static struct pbt_sim *sim;
static struct pbt_files *files;
static uint64_t newest; /* record */
static uint64_t older;

static int record_run(void **state)
{
    (void)state;
    struct pbt_error error = {0};
    uint64_t *records = NULL;
    size_t count = 0;
    sim = recorded_sim(&spec, experiment, 3, 3, 100);
    files = pbt_sim_files(sim);
    assert_int_equal(
        pbt_snapshot_list(files, RECORDED_SNAPSHOTS, &records, &count, &error),
        PBT_OK);
    assert_int_equal(count, PBT_SNAPSHOTS_KEPT);
    newest = records[0];
    older = records[1];
    assert_true(newest > older && older > RECORDED_EVERY);
    free(records);
    return 0;
}

static int forget_run(void **state)
{
    (void)state;
    pbt_sim_destroy(sim);
    pbt_spec_done(&spec);
    return 0;
}

static const char *path_of(uint64_t record)
{
    static char path[64];
    (void)snprintf(path, sizeof path, RECORDED_SNAPSHOTS "/%012" PRIu64 ".bin",
                   record);
    return path;
}

static void read_file(uint64_t record, struct pbt_buf *bytes)
{
    pbt_buf_init(bytes, (size_t)1 << 26);
    assert_int_equal(files->ops->read(files, path_of(record), 0,
                                      (size_t)1 << 24, bytes, NULL),
                     PBT_OK);
    assert_true(bytes->length > 1000);
}

static void put_file(uint64_t record, const void *bytes, size_t length)
{
    assert_int_equal(
        files->ops->replace(files, path_of(record), bytes, length, NULL),
        PBT_OK);
}

static char said[4096];

static void hear(void *user, const char *line)
{
    (void)user;
    size_t length = strlen(said);
    (void)snprintf(said + length, sizeof said - length, "%s\n", line);
}

/* Where a state begins now, and what is said meanwhile. */
static uint64_t begin(void)
{
    const struct pbt_restore restore = {.files = files,
                                        .journal_dir = RECORDED_JOURNAL,
                                        .snapshot_dir = RECORDED_SNAPSHOTS,
                                        .say = hear};
    struct pbt_spec own;
    struct pbt_core *core;
    struct pbt_journal_place place;
    struct pbt_error error = {0};
    said[0] = '\0';
    recorded_spec(&own, experiment);
    if (pbt_restore_core(&restore, &own, &core, &place, &error) != PBT_OK) {
        fail_msg("%s", error.text);
    }
    assert_null(pbt_core_check(core));
    assert_int_equal(pbt_core_records(core), place.record);
    pbt_core_destroy(core);
    pbt_spec_done(&own);
    return place.record;
}

static void newest_is_used(void **state)
{
    (void)state;
    assert_int_equal(begin(), newest);
    assert_string_equal(said, "");
}

/* Cut at each byte, and with each byte changed: it is found, every time. */
static void damage_is_found(void **state)
{
    (void)state;
    struct pbt_buf good;
    struct pbt_snapshot snapshot;
    struct pbt_error error = {0};
    read_file(newest, &good);
    char *copy = malloc(good.length);
    assert_non_null(copy);
    for (size_t at = 0; at < good.length; at++) {
        put_file(newest, good.data, at);
        assert_int_equal(pbt_snapshot_read(&snapshot, files, RECORDED_SNAPSHOTS,
                                           newest, &error),
                         PBT_EDATA);
        memcpy(copy, good.data, good.length);
        copy[at] = (char)(copy[at] ^ (1 << at % 8));
        put_file(newest, copy, good.length);
        assert_int_equal(pbt_snapshot_read(&snapshot, files, RECORDED_SNAPSHOTS,
                                           newest, &error),
                         PBT_EDATA);
    }
    char expected[256];
    (void)snprintf(expected, sizeof expected,
                   "warning[W0206]: the snapshot at record %" PRIu64
                   " is passed over: it is torn or damaged; more of the "
                   "journal is read instead\n",
                   newest);
    assert_int_equal(begin(), older);
    assert_string_equal(said, expected);
    free(copy);
    put_file(newest, good.data, good.length);
    pbt_buf_done(&good);
}

/* With none that can be used the journal is read from its beginning. */
static void nothing_is_left(void **state)
{
    (void)state;
    struct pbt_buf first;
    struct pbt_buf second;
    read_file(newest, &first);
    read_file(older, &second);
    put_file(newest, "", 0);
    put_file(older, first.data, first.length); /* under a wrong name */
    assert_int_equal(begin(), 0);
    assert_int_equal(files->ops->remove(files, path_of(newest), NULL), PBT_OK);
    assert_int_equal(files->ops->remove(files, path_of(older), NULL), PBT_OK);
    assert_int_equal(begin(), 0);
    assert_string_equal(said, "");
    put_file(newest, first.data, first.length);
    put_file(older, second.data, second.length);
    pbt_buf_done(&first);
    pbt_buf_done(&second);
}

/* The newest snapshot again, with another place, or another layout of its state. */
static void write_again(const struct pbt_journal_place *place, char layout)
{
    struct pbt_snapshot snapshot;
    struct pbt_error error = {0};
    struct pbt_texts texts = {.count = 0};
    struct pbt_buf state;
    struct pbt_buf out;
    uint32_t handle;
    assert_int_equal(
        pbt_snapshot_read(&snapshot, files, RECORDED_SNAPSHOTS, newest, &error),
        PBT_OK);
    for (uint32_t i = 0; i < snapshot.text_count; i++) {
        assert_int_equal(pbt_texts_add(&texts, snapshot.texts[i],
                                       snapshot.text_lengths[i], &handle),
                         PBT_OK);
    }
    pbt_buf_init(&state, (size_t)1 << 26);
    pbt_buf_init(&out, (size_t)1 << 26);
    pbt_buf_put(&state, snapshot.state, snapshot.state_length);
    state.data[0] = (char)(state.data[0] ^ layout);
    pbt_snapshot_write(place == NULL ? &snapshot.place : place, false, &texts,
                       &state, &out);
    put_file(newest, out.data, out.length);
    pbt_buf_done(&state);
    pbt_buf_done(&out);
    pbt_texts_done(&texts);
    pbt_snapshot_done(&snapshot);
}

static void others_are_passed_over(void **state)
{
    (void)state;
    struct pbt_buf good;
    struct pbt_snapshot snapshot;
    read_file(newest, &good);
    assert_int_equal(
        pbt_snapshot_read(&snapshot, files, RECORDED_SNAPSHOTS, newest, NULL),
        PBT_OK);
    write_again(NULL, 0);
    assert_int_equal(begin(), newest);
    write_again(NULL, 1);
    assert_int_equal(begin(), older);
    assert_non_null(strstr(said, "it is of another version of pbt"));
    struct pbt_journal_place place = snapshot.place;
    place.bytes -= 7;
    write_again(&place, 0);
    assert_int_equal(begin(), older);
    assert_non_null(strstr(said, "no batch of records that ends"));
    put_file(newest, good.data, good.length);
    place = snapshot.place;
    place.segment += 1;
    write_again(&place, 0);
    assert_int_equal(begin(), older);
    assert_non_null(strstr(said, "no part of the journal"));
    put_file(newest, good.data, good.length);
    place = snapshot.place;
    place.bytes += 1000000;
    write_again(&place, 0);
    assert_int_equal(begin(), older);
    put_file(newest, good.data, good.length);
    pbt_snapshot_done(&snapshot);
    pbt_buf_done(&good);
}

/*
 * Who drives removes them: they may be of records that this journal will not have for long, and
 * only the newest few stay.
 */
static void a_driver_removes_them(void **state)
{
    (void)state;
    const struct pbt_restore restore = {.files = files,
                                        .journal_dir = RECORDED_JOURNAL,
                                        .snapshot_dir = RECORDED_SNAPSHOTS,
                                        .drives = true};
    struct pbt_spec own;
    struct pbt_core *core;
    struct pbt_journal_place place;
    struct pbt_buf good;
    struct pbt_error error = {0};
    read_file(newest, &good);
    put_file(newest + 1000, good.data, good.length);
    recorded_spec(&own, experiment);
    assert_int_equal(pbt_restore_core(&restore, &own, &core, &place, &error),
                     PBT_OK);
    assert_int_equal(place.record, newest);
    assert_false(files->ops->exists(files, path_of(newest + 1000)));
    assert_true(files->ops->exists(files, path_of(older)));
    pbt_core_destroy(core);
    pbt_spec_done(&own);
    pbt_buf_done(&good);
}

/* Where this process has other handles for the texts, the values are the same. */
static void texts_keep_their_values(void **state)
{
    (void)state;
    const struct pbt_restore restore = {.files = files,
                                        .journal_dir = RECORDED_JOURNAL,
                                        .snapshot_dir = RECORDED_SNAPSHOTS};
    struct pbt_buf configs[2];
    for (int shifted = 0; shifted < 2; shifted++) {
        struct pbt_spec own;
        struct pbt_core *core;
        struct pbt_journal_place place;
        struct pbt_error error = {0};
        uint32_t handle = 0;
        recorded_spec(&own, experiment);
        if (shifted == 1) { /* as if the file had named another one first */
            struct pbt_texts texts = {.count = 0};
            assert_int_equal(pbt_texts_add(&texts, "1e9", 3, &handle), PBT_OK);
            for (uint32_t i = 0; i < own.texts.count; i++) {
                const char *text = pbt_texts_get(&own.texts, i);
                assert_int_equal(
                    pbt_texts_add(&texts, text, strlen(text), &handle), PBT_OK);
            }
            pbt_texts_done(&own.texts);
            own.texts = texts;
        }
        if (pbt_restore_core(&restore, &own, &core, &place, &error) != PBT_OK) {
            fail_msg("%s", error.text);
        }
        assert_int_equal(place.record, newest);
        pbt_buf_init(&configs[shifted], 65536);
        for (uint32_t i = 0; i < own.settings.population; i++) {
            pbt_spec_config_json(&own, pbt_core_trial(core, i).cells,
                                 &configs[shifted]);
        }
        pbt_core_destroy(core);
        pbt_spec_done(&own);
    }
    assert_non_null(strstr(configs[0].data, "elu\""));
    assert_string_equal(configs[0].data, configs[1].data);
    pbt_buf_done(&configs[0]);
    pbt_buf_done(&configs[1]);
}

static void writers_that_died_leave_nothing(void **state)
{
    (void)state;
    const char *debris = RECORDED_SNAPSHOTS "/000000000077.bin.tmp";
    const char *foreign = RECORDED_SNAPSHOTS "/notes.txt";
    assert_int_equal(files->ops->replace(files, debris, "x", 1, NULL), PBT_OK);
    assert_int_equal(files->ops->replace(files, foreign, "x", 1, NULL), PBT_OK);
    assert_int_equal(pbt_snapshot_sweep(files, RECORDED_SNAPSHOTS, NULL),
                     PBT_OK);
    assert_false(files->ops->exists(files, debris));
    assert_true(files->ops->exists(files, foreign));
    assert_true(files->ops->exists(files, path_of(newest)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newest_is_used),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(nothing_is_left),
        cmocka_unit_test(others_are_passed_over),
        cmocka_unit_test(a_driver_removes_them),
        cmocka_unit_test(texts_keep_their_values),
        cmocka_unit_test(writers_that_died_leave_nothing),
    };
    return cmocka_run_group_tests(tests, record_run, forget_run);
}
