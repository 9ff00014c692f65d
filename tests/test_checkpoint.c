/*
 * Checkpoints on disk: what was sealed verifies, and every kind of damage is seen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint/checkpoint.h"

#define MADE_BY "{\"trial\":\"a_1\"}"

static char base[64]; /* of this test */

static const char *at(const char *name)
{
    static char paths[4][256];
    static int turn;
    turn = (turn + 1) % 4;
    (void)snprintf(paths[turn], sizeof paths[turn], "%s/%s", base, name);
    return paths[turn];
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(at(name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int seal(uint64_t *bytes, struct pbt_error *error)
{
    return pbt_checkpoint_seal(at("c"), MADE_BY, strlen(MADE_BY), bytes, error);
}

static void expect_damage(const char *why)
{
    struct pbt_error error = {0};
    assert_int_equal(pbt_checkpoint_verify(at("c"), &error), PBT_EDATA);
    if (strstr(error.text, why) == NULL) {
        fail_msg("not \"%s\": %s", why, error.text);
    }
}

static int make_checkpoint(void **state)
{
    (void)state;
    (void)strcpy(base, "/tmp/test_checkpoint.XXXXXX");
    assert_non_null(mkdtemp(base));
    assert_int_equal(mkdir(at("c"), 0777), 0);
    assert_int_equal(mkdir(at("c/b"), 0777), 0);
    assert_int_equal(mkdir(at("c/empty"), 0777), 0);
    write_file("c/model.bin", "0123456789");
    write_file("c/b/\"quoted\" \xc3\xa9", "in b");
    write_file("c/nothing", "");
    return 0;
}

static int clean(void **state)
{
    (void)state;
    assert_int_equal(pbt_checkpoint_delete(base, NULL), PBT_OK);
    assert_int_equal(access(base, F_OK), -1);
    return 0;
}

static int make_sealed(void **state)
{
    struct pbt_error error;
    uint64_t bytes = 0;
    make_checkpoint(state);
    assert_int_equal(seal(&bytes, &error), PBT_OK);
    assert_int_equal(bytes, 14);
    assert_int_equal(pbt_checkpoint_verify(at("c"), &error), PBT_OK);
    return 0;
}

static void test_manifest(void **state)
{
    (void)state;
    char text[2048] = "";
    FILE *file = fopen(at("c/" PBT_CHECKPOINT_MANIFEST), "r");
    assert_non_null(file);
    size_t length = fread(text, 1, sizeof text - 1, file);
    assert_int_equal(fclose(file), 0);
    assert_true(length > 0 && text[length - 1] == '\n');
    /* XXH3-128 of nothing is a known number. */
    assert_non_null(strstr(text,
                           "{\"name\": \"nothing\", \"bytes\": 0, \"xxh3\": "
                           "\"99aa06d3014798d86001c324468d497f\"}"));
    assert_ptr_equal(strstr(text, "{\"version\": 1, \"made_by\": " MADE_BY
                                  ", \"files\": [{\"name\": \"b/\\\"quoted\\\""
                                  " \xc3\xa9\", \"bytes\": 4"),
                     text);
}

static void test_seal_again(void **state)
{
    (void)state;
    uint64_t bytes;
    struct pbt_error error;
    write_file("c/more", "more");
    assert_int_equal(seal(&bytes, &error), PBT_OK);
    assert_int_equal(bytes, 18);
    assert_int_equal(pbt_checkpoint_verify(at("c"), &error), PBT_OK);
}

static void test_missing_file(void **state)
{
    (void)state;
    assert_int_equal(unlink(at("c/nothing")), 0);
    expect_damage("nothing is missing");
}

static void test_foreign_file(void **state)
{
    (void)state;
    write_file("c/b/new", "");
    expect_damage("b/new is not in the manifest");
}

static void test_truncated(void **state)
{
    (void)state;
    assert_int_equal(truncate(at("c/model.bin"), 9), 0);
    expect_damage("model.bin has 9 bytes, not 10");
}

static void test_flipped_bit(void **state)
{
    (void)state;
    write_file("c/model.bin", "0123456788");
    expect_damage("model.bin is damaged");
}

/* Any bit of any file, the manifest included. */
static void test_any_bit(void **state)
{
    (void)state;
    static const char *const FILES[] = {"c/model.bin",
                                        "c/b/\"quoted\" \xc3\xa9",
                                        ("c/" PBT_CHECKPOINT_MANIFEST)};
    struct pbt_error error = {0};
    unsigned flips = 0;
    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++) {
        int fd = open(at(FILES[i]), O_RDWR);
        unsigned char byte;
        assert_true(fd >= 0);
        for (off_t at_byte = 0; pread(fd, &byte, 1, at_byte) == 1; at_byte++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                unsigned char flipped = (unsigned char)(byte ^ 1u << bit);
                assert_int_equal(pwrite(fd, &flipped, 1, at_byte), 1);
                assert_int_equal(pbt_checkpoint_verify(at("c"), &error),
                                 PBT_EDATA);
                flips++;
            }
            assert_int_equal(pwrite(fd, &byte, 1, at_byte), 1);
        }
        assert_int_equal(close(fd), 0);
    }
    assert_true(flips > 1000);
    assert_int_equal(pbt_checkpoint_verify(at("c"), &error), PBT_OK);
}

static void test_no_manifest(void **state)
{
    (void)state;
    assert_int_equal(unlink(at("c/" PBT_CHECKPOINT_MANIFEST)), 0);
    expect_damage("manifest is missing");
    assert_int_equal(mkdir(at("c/" PBT_CHECKPOINT_MANIFEST), 0777), 0);
    expect_damage("manifest is no file");
}

static void test_no_directory(void **state)
{
    (void)state;
    uint64_t bytes;
    assert_int_equal(pbt_checkpoint_verify(at("none"), NULL), PBT_EDATA);
    assert_int_equal(pbt_checkpoint_seal(at("none"), "{}", 2, &bytes, NULL),
                     PBT_ENOINPUT);
    write_file("file", "");
    assert_int_equal(pbt_checkpoint_verify(at("file"), NULL), PBT_EDATA);
}

/* Every byte of the manifest counts, and every length. */
static void test_garbled_manifest(void **state)
{
    (void)state;
    const char *path = at("c/" PBT_CHECKPOINT_MANIFEST);
    int fd = open(path, O_RDWR);
    struct stat about;
    assert_true(fd >= 0 && fstat(fd, &about) == 0);
    for (off_t i = 0; i < about.st_size; i++) {
        char old;
        assert_int_equal(pread(fd, &old, 1, i), 1);
        char new = (char)(old ^ (1 << (i % 8)));
        assert_int_equal(pwrite(fd, &new, 1, i), 1);
        expect_damage("manifest");
        assert_int_equal(pwrite(fd, &old, 1, i), 1);
    }
    assert_int_equal(pbt_checkpoint_verify(at("c"), NULL), PBT_OK);
    for (off_t size = about.st_size - 1; size >= 0; size--) {
        assert_int_equal(ftruncate(fd, size), 0);
        expect_damage("manifest");
    }
    assert_int_equal(close(fd), 0);
}

static void test_refused(void **state)
{
    (void)state;
    uint64_t bytes = 77;
    struct pbt_error error;
    assert_int_equal(symlink("model.bin", at("c/b/link")), 0);
    assert_int_equal(seal(&bytes, &error), PBT_EDATA);
    assert_non_null(strstr(error.text, "b/link is a symbolic link"));
    assert_int_equal(bytes, 77);
    assert_int_equal(unlink(at("c/b/link")), 0);
    assert_int_equal(mkfifo(at("c/fifo"), 0600), 0);
    assert_int_equal(seal(&bytes, &error), PBT_EDATA);
    assert_non_null(strstr(error.text, "fifo is a special file"));
    assert_int_equal(unlink(at("c/fifo")), 0);
    write_file("c/\xff", "");
    assert_int_equal(seal(&bytes, &error), PBT_EDATA);
    assert_non_null(strstr(error.text, "not UTF-8"));
    assert_int_equal(unlink(at("c/\xff")), 0);
    assert_int_equal(access(at("c/" PBT_CHECKPOINT_MANIFEST), F_OK), -1);
    assert_int_equal(seal(&bytes, &error), PBT_OK);
    assert_int_equal(symlink("c", at("link")), 0);
    assert_int_equal(pbt_checkpoint_verify(at("link"), &error), PBT_EDATA);
    assert_int_equal(pbt_checkpoint_seal(at("link"), "{}", 2, &bytes, &error),
                     PBT_EDATA);
    assert_int_equal(pbt_checkpoint_delete(at("link"), &error), PBT_EDATA);
    assert_int_equal(symlink("/tmp", at("c/b/link")), 0);
    expect_damage("b/link is a symbolic link");
}

static void test_too_deep(void **state)
{
    (void)state;
    uint64_t bytes;
    struct pbt_error error;
    char path[512];
    (void)snprintf(path, sizeof path, "%s", at("c"));
    for (int i = 0; i < PBT_CHECKPOINT_DEPTH_MAX + 1; i++) {
        (void)strcat(path, "/d");
        assert_int_equal(mkdir(path, 0777), 0);
        assert_int_equal(seal(&bytes, &error),
                         i < PBT_CHECKPOINT_DEPTH_MAX ? PBT_OK : PBT_EDATA);
    }
    assert_non_null(strstr(error.text, "levels deep"));
}

/* Every difference is told, not only the first one. */
static void add_difference(void *user, const char *file, const char *what)
{
    char *text = user;
    (void)snprintf(text + strlen(text), 1024 - strlen(text), "%s: %s\n", file,
                   what);
}

static void expect_differences(const char *wanted)
{
    char text[1024] = "";
    uint64_t bytes;
    struct pbt_error error;
    assert_int_equal(pbt_checkpoint_differences(at("c"), false, add_difference,
                                                text, &bytes, &error),
                     PBT_OK);
    assert_string_equal(text, wanted);
}

static void test_differences(void **state)
{
    (void)state;
    expect_differences("");
    write_file("c/a", "a");
    write_file("c/z", "z");
    write_file("c/model.bin", "012345678?");
    assert_int_equal(truncate(at("c/b/\"quoted\" \xc3\xa9"), 3), 0);
    assert_int_equal(unlink(at("c/nothing")), 0);
    expect_differences("a: is not in the manifest\n"
                       "b/\"quoted\" \xc3\xa9: has 3 bytes, not 4\n"
                       "model.bin: is damaged (its XXH3 differs)\n"
                       "nothing: is missing\n"
                       "z: is not in the manifest\n");
    assert_int_equal(unlink(at("c/" PBT_CHECKPOINT_MANIFEST)), 0);
    expect_damage("the manifest is missing");
    expect_differences(": the manifest is missing\n");
    assert_int_equal(pbt_checkpoint_delete(at("c"), NULL), PBT_OK);
    expect_differences(": is missing\n");
}

static void test_clone(void **state)
{
    (void)state;
    uint64_t bytes = 0;
    struct pbt_error error;
    assert_int_equal(pbt_checkpoint_clone(at("c"), at("d"), &bytes, &error),
                     PBT_OK);
    assert_int_equal(bytes, 14);
    assert_int_equal(pbt_checkpoint_verify(at("d"), &error), PBT_OK);
    assert_int_equal(access(at("d/empty"), F_OK), 0);
    /* It is damaged, or going away. */
    write_file("c/model.bin", "012345678?");
    assert_int_equal(pbt_checkpoint_clone(at("c"), at("e"), &bytes, &error),
                     PBT_EDATA);
    assert_non_null(strstr(error.text, "model.bin is damaged"));
    assert_int_equal(unlink(at("c/" PBT_CHECKPOINT_MANIFEST)), 0);
    assert_int_equal(pbt_checkpoint_clone(at("c"), at("f"), &bytes, &error),
                     PBT_ENOINPUT);
    assert_int_equal(pbt_checkpoint_clone(at("none"), at("g"), &bytes, &error),
                     PBT_ENOINPUT);
}

static void test_publish(void **state)
{
    (void)state;
    struct pbt_error error;
    assert_int_equal(mkdir(at("taken"), 0777), 0);
    assert_int_equal(pbt_checkpoint_publish(at("c"), at("taken"), &error),
                     PBT_EDATA);
    assert_int_equal(pbt_checkpoint_publish(at("none"), at("d"), &error),
                     PBT_ENOINPUT);
    assert_int_equal(pbt_checkpoint_publish(at("c"), at("taken/d"), &error),
                     PBT_EUSAGE);
    assert_int_equal(pbt_checkpoint_publish(at("c"), at(""), &error),
                     PBT_EUSAGE);
    assert_int_equal(pbt_checkpoint_publish(at("c"), at("d"), &error), PBT_OK);
    assert_int_equal(access(at("c"), F_OK), -1);
    assert_int_equal(pbt_checkpoint_verify(at("d"), &error), PBT_OK);
}

static void test_delete(void **state)
{
    (void)state;
    struct pbt_error error;
    assert_int_equal(symlink("/etc", at("c/b/link")), 0);
    assert_int_equal(mkfifo(at("c/b/fifo"), 0600), 0);
    assert_int_equal(pbt_checkpoint_delete(at("c"), &error), PBT_OK);
    assert_int_equal(access(at("c"), F_OK), -1);
    assert_int_equal(access("/etc", F_OK), 0);
    assert_int_equal(pbt_checkpoint_delete(at("c"), &error), PBT_OK);
    write_file("file", "");
    assert_int_equal(pbt_checkpoint_delete(at("file"), &error), PBT_EDATA);
    assert_int_equal(access(at("file"), F_OK), 0);
}

#define TEST(function, setup)                                                  \
    cmocka_unit_test_setup_teardown(function, setup, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_manifest, make_sealed),
        TEST(test_seal_again, make_sealed),
        TEST(test_missing_file, make_sealed),
        TEST(test_foreign_file, make_sealed),
        TEST(test_truncated, make_sealed),
        TEST(test_flipped_bit, make_sealed),
        TEST(test_any_bit, make_sealed),
        TEST(test_no_manifest, make_sealed),
        TEST(test_no_directory, make_sealed),
        TEST(test_garbled_manifest, make_sealed),
        TEST(test_refused, make_checkpoint),
        TEST(test_too_deep, make_checkpoint),
        TEST(test_differences, make_sealed),
        TEST(test_clone, make_sealed),
        TEST(test_publish, make_sealed),
        TEST(test_delete, make_sealed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
