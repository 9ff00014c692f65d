/*
 * The run directory's lock and lease: two processes of this host, and another host
 * simulated by an edited lock file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/files.h"
#include "journal/lock.h"

#define MS UINT64_C(1000000)

static char dir[64];
static char path[80];

static uint64_t now_ns(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (uint64_t)now.tv_sec * 1000 * MS + (uint64_t)now.tv_nsec;
}

static int make_dir(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "/tmp/pbt-test-lock-XXXXXX");
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/lock", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(dir);
}

static void read_file(struct pbt_buf *content)
{
    struct pbt_error error;
    struct pbt_files *files = pbt_files_posix();
    pbt_buf_init(content, 4096);
    assert_int_equal(files->ops->read(files, path, 0, 4096, content, &error),
                     PBT_OK);
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* The line of a driver on `host` with the given lease. */
static void write_holder(const char *host, int lease)
{
    char text[512];
    (void)snprintf(text, sizeof text,
                   "{\"lease\":%20d,\"nonce\":"
                   "\"00112233445566778899aabbccddeeff\",\"pid\":4711,"
                   "\"host\":\"%s\",\"boot\":\"another\"}\n",
                   lease, host);
    write_file(text);
}

/* Quick ones; `said` counts what the user was told. */
struct told {
    int times;
    char text[256];
};

static void hear(void *user, const char *text)
{
    struct told *told = user;
    told->times++;
    (void)snprintf(told->text, sizeof told->text, "%s", text);
}

static struct pbt_lock_settings quick(struct told *told)
{
    *told = (struct told){0};
    return (struct pbt_lock_settings){.poll_ns = 5 * MS,
                                      .stale_ns = 60 * MS,
                                      .lost_ns = 3600 * 1000 * MS,
                                      .say = hear,
                                      .user = told};
}

static struct pbt_lock *take(void)
{
    struct pbt_lock *lock = NULL;
    struct pbt_error error = {0};
    struct told told;
    struct pbt_lock_settings settings = quick(&told);
    int status = pbt_lock_take(&lock, dir, &settings, &error);
    if (status != PBT_OK) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(told.times, 0); /* at once */
    return lock;
}

/* --- one host ------------------------------------------------------------ */

static void test_file(void **state)
{
    (void)state;
    struct pbt_buf content;
    struct pbt_lock *lock = take();
    struct pbt_error error;
    struct utsname system;
    char expected[512];
    assert_int_equal(uname(&system), 0);
    read_file(&content);
    (void)snprintf(expected, sizeof expected,
                   ",\"pid\":%ld,\"host\":\"%s\",\"boot\":\"", (long)getpid(),
                   system.nodename);
    assert_int_equal(strncmp(content.data,
                             "{\"lease\":                   1,\"nonce\":\"",
                             38),
                     0);
    assert_non_null(strstr(content.data, expected));
    assert_int_equal(content.data[content.length - 1], '\n');
    pbt_buf_done(&content);

    assert_int_equal(pbt_lock_renew(lock, &error), PBT_OK);
    read_file(&content);
    assert_int_equal(
        strncmp(content.data, "{\"lease\":                   2,", 30), 0);
    pbt_buf_done(&content);

    /* Given back: the line stays, with lease 0. */
    pbt_lock_release(lock);
    read_file(&content);
    assert_int_equal(
        strncmp(content.data, "{\"lease\":                   0,", 30), 0);
    pbt_buf_done(&content);
    pbt_lock_release(take());
    pbt_lock_release(NULL);
}

/* A child takes the lock, says so, and waits for its end. */
static pid_t spawn_holder(void)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct pbt_lock *lock;
        (void)alarm(60);
        if (pbt_lock_take(&lock, dir, NULL, NULL) == PBT_OK &&
            write(ready[1], "x", 1) == 1) {
            for (;;) {
                (void)pause();
            }
        }
        _exit(1);
    }
    (void)close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    (void)close(ready[0]);
    return pid;
}

static void kill_holder(pid_t pid)
{
    int status;
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

static void test_held_by_a_living_process(void **state)
{
    (void)state;
    struct pbt_lock *lock = NULL;
    struct pbt_error error;
    struct utsname system;
    char expected[512];
    assert_int_equal(uname(&system), 0);
    pid_t pid = spawn_holder();
    uint64_t start = now_ns();
    assert_int_equal(pbt_lock_take(&lock, dir, NULL, &error), PBT_ETEMP);
    /* At once: far below the 60 s of another host's lease. */
    assert_true(now_ns() - start < 30 * 1000 * MS);
    assert_null(lock);
    (void)snprintf(expected, sizeof expected,
                   "%s: another pbt is driving this run: pid %ld on %s; wait "
                   "for it, or stop it there (kill %ld), then try again",
                   path, (long)pid, system.nodename, (long)pid);
    assert_string_equal(error.text, expected);

    /* Its end, whatever the cause, frees the lock. */
    kill_holder(pid);
    pbt_lock_release(take());
}

/* A stopped process lives. */
static void test_held_by_a_stopped_process(void **state)
{
    (void)state;
    struct pbt_lock *lock = NULL;
    int status;
    pid_t pid = spawn_holder();
    assert_int_equal(kill(pid, SIGSTOP), 0);
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    assert_int_equal(pbt_lock_take(&lock, dir, NULL, NULL), PBT_ETEMP);
    kill_holder(pid);
}

/* --- races --------------------------------------------------------------- */

#define RACES 100
#define RACERS 4

/* Begins when `start` closes; says on `said` whether it has the lock, and keeps it. */
static pid_t spawn_racer(const int start[2], const int said[2])
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct pbt_lock *lock;
        char byte;
        (void)alarm(60);
        (void)close(start[1]);
        (void)!read(start[0], &byte, 1);
        int status = pbt_lock_take(&lock, dir, NULL, NULL);
        byte = status == PBT_OK ? 'w' : status == PBT_ETEMP ? 'l' : '?';
        while (write(said[1], &byte, 1) == 1) {
            (void)pause();
        }
        _exit(1);
    }
    return pid;
}

/* What a dead driver of this host left, or one that gave it back, or nobody. */
static void set_up_race(int race)
{
    struct utsname system;
    assert_int_equal(uname(&system), 0);
    if (race % 3 == 0) {
        (void)unlink(path);
    } else {
        write_holder(system.nodename, race % 3 == 1 ? 0 : 1000);
    }
}

static void test_races(void **state)
{
    (void)state;
    for (int race = 0; race < RACES; race++) {
        int start[2];
        int said[2];
        pid_t racers[RACERS];
        int winners = 0;
        set_up_race(race);
        assert_int_equal(pipe(start), 0);
        assert_int_equal(pipe(said), 0);
        for (int i = 0; i < RACERS; i++) {
            racers[i] = spawn_racer(start, said);
        }
        (void)close(start[1]);
        (void)close(start[0]);
        for (int i = 0; i < RACERS; i++) {
            char byte;
            assert_int_equal(read(said[0], &byte, 1), 1);
            assert_true(byte == 'w' || byte == 'l');
            winners += byte == 'w' ? 1 : 0;
        }
        assert_int_equal(winners, 1);
        for (int i = 0; i < RACERS; i++) {
            kill_holder(racers[i]);
        }
        (void)close(said[0]);
        (void)close(said[1]);
    }
}

static void test_twice_in_one_process(void **state)
{
    (void)state;
    struct pbt_lock *lock = take();
    struct pbt_lock *second = NULL;
    struct pbt_error error;
    assert_int_equal(pbt_lock_take(&second, dir, NULL, &error), PBT_ETEMP);
    assert_int_equal(pbt_lock_renew(lock, &error), PBT_OK);
    pbt_lock_release(lock);
}

static void test_same_host_after_a_reboot(void **state)
{
    (void)state;
    struct utsname system;
    assert_int_equal(uname(&system), 0);
    write_holder(system.nodename, 1000);
    pbt_lock_release(take());
}

static void test_no_directory(void **state)
{
    (void)state;
    struct pbt_lock *lock = NULL;
    struct pbt_error error;
    assert_int_equal(pbt_lock_take(&lock, "/nonexistent/run", NULL, &error),
                     PBT_ENOINPUT);
    assert_string_equal(
        error.text,
        "can't open /nonexistent/run/lock: No such file or directory");
}

/* --- another host -------------------------------------------------------- */

static void test_other_host_dead(void **state)
{
    (void)state;
    struct pbt_lock *lock = NULL;
    struct pbt_error error = {0};
    struct told told;
    struct pbt_lock_settings settings = quick(&told);
    char expected[256];
    write_holder("far-away", 12);
    uint64_t start = now_ns();
    assert_int_equal(pbt_lock_take(&lock, dir, &settings, &error), PBT_OK);
    assert_true(now_ns() - start >= settings.stale_ns);
    assert_int_equal(told.times, 1);
    (void)snprintf(expected, sizeof expected,
                   "%s: last driven by pid 4711 on far-away; waiting 0 s to "
                   "see whether it still lives",
                   path);
    assert_string_equal(told.text, expected);
    assert_int_equal(pbt_lock_renew(lock, &error), PBT_OK);
    pbt_lock_release(lock);
}

/* What the wait is interrupted by, from the callback that announces it. */
static void renew_elsewhere(void *user, const char *text)
{
    (void)text;
    write_holder("far-away", *(int *)user);
}

static void test_other_host_alive(void **state)
{
    (void)state;
    struct pbt_lock *lock = NULL;
    struct pbt_error error = {0};
    struct told told;
    struct pbt_lock_settings settings = quick(&told);
    int lease = 13;
    settings.stale_ns = 100 * 1000 * MS;
    settings.say = renew_elsewhere;
    settings.user = &lease;
    write_holder("far-away", 12);
    assert_int_equal(pbt_lock_take(&lock, dir, &settings, &error), PBT_ETEMP);
    assert_non_null(strstr(error.text, "pid 4711 on far-away"));

    /* Given back meanwhile: no longer waited for. */
    lease = 0;
    assert_int_equal(pbt_lock_take(&lock, dir, &settings, &error), PBT_OK);
    pbt_lock_release(lock);

    write_holder("far-away", 0);
    pbt_lock_release(take());
}

/* A line that can't be read may be anybody's. */
static void test_garbage(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "\n",
        "garbage",
        "[]\n",
        "{\"lease\":1}\n",
        "{\"lease\":-1,\"nonce\":\"\",\"pid\":1,\"host\":\"\",\"boot\":\"\"}\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct pbt_lock *lock = NULL;
        struct pbt_error error = {0};
        struct told told;
        struct pbt_lock_settings settings = quick(&told);
        write_file(texts[i]);
        assert_int_equal(pbt_lock_take(&lock, dir, &settings, &error), PBT_OK);
        assert_int_equal(told.times, 1);
        assert_non_null(strstr(told.text, "an unknown host"));
        pbt_lock_release(lock);
    }
    write_file(""); /* as made by a driver that died before its first write */
    pbt_lock_release(take());
}

/* --- losing it ----------------------------------------------------------- */

static void test_taken_over(void **state)
{
    (void)state;
    struct pbt_error error;
    struct pbt_buf before;
    struct pbt_buf after;
    struct pbt_lock *lock = take();
    assert_false(pbt_lock_lost(lock, now_ns()));
    write_holder("far-away", 1);
    read_file(&before);
    assert_int_equal(pbt_lock_renew(lock, &error), PBT_ETEMP);
    assert_non_null(strstr(error.text, "taken over by pid 4711 on far-away"));
    assert_true(pbt_lock_lost(lock, now_ns()));
    pbt_lock_release(lock);
    read_file(&after);
    assert_int_equal(before.length, after.length);
    assert_memory_equal(before.data, after.data, after.length);
    pbt_buf_done(&before);
    pbt_buf_done(&after);
}

static void test_file_removed(void **state)
{
    (void)state;
    struct pbt_error error;
    struct pbt_lock *lock = take();
    assert_int_equal(unlink(path), 0);
    struct pbt_lock *second = take();
    assert_int_equal(pbt_lock_renew(second, &error), PBT_OK);
    assert_int_equal(pbt_lock_renew(lock, &error), PBT_ETEMP);
    assert_true(pbt_lock_lost(lock, now_ns()));
    pbt_lock_release(lock);
    assert_int_equal(pbt_lock_renew(second, &error), PBT_OK);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(pbt_lock_renew(second, &error), PBT_ETEMP);
    assert_non_null(strstr(error.text, "is gone"));
    pbt_lock_release(second);
}

static void test_not_renewed(void **state)
{
    (void)state;
    struct pbt_error error;
    struct told told;
    struct pbt_lock_settings settings = quick(&told);
    struct pbt_lock *lock = NULL;
    settings.lost_ns = 1000 * 1000 * MS;
    assert_int_equal(pbt_lock_take(&lock, dir, &settings, &error), PBT_OK);
    uint64_t taken = now_ns();
    assert_false(pbt_lock_lost(lock, 0)); /* a clock read before the renewal */
    assert_false(pbt_lock_lost(lock, taken + 900 * 1000 * MS));
    assert_true(pbt_lock_lost(lock, taken + 1000 * 1000 * MS));
    assert_int_equal(pbt_lock_renew(lock, &error), PBT_OK);
    assert_false(pbt_lock_lost(lock, now_ns() + 900 * 1000 * MS));
    pbt_lock_release(lock);
}

static void *renew_often(void *user)
{
    for (int i = 0; i < 200; i++) {
        if (pbt_lock_renew(user, NULL) != PBT_OK) {
            return user;
        }
    }
    return NULL;
}

/* For the thread sanitizer. */
static void test_renewed_beside_the_loop(void **state)
{
    (void)state;
    pthread_t thread;
    void *failed = NULL;
    struct pbt_lock *lock = take();
    assert_int_equal(pthread_create(&thread, NULL, renew_often, lock), 0);
    for (int i = 0; i < 10000; i++) {
        assert_false(pbt_lock_lost(lock, now_ns()));
    }
    assert_int_equal(pbt_lock_renew(lock, NULL), PBT_OK);
    assert_int_equal(pthread_join(thread, &failed), 0);
    assert_null(failed);
    pbt_lock_release(lock);
}

/* --- looking ------------------------------------------------------------- */

static void test_look(void **state)
{
    (void)state;
    struct pbt_buf before;
    struct pbt_buf after;
    struct utsname system;
    assert_int_equal(uname(&system), 0);
    assert_int_equal(pbt_lock_look(dir).state, PBT_LOCK_FREE);
    assert_int_equal(access(path, F_OK), -1); /* writes nothing */

    struct pbt_lock *lock = take();
    read_file(&before);
    struct pbt_lock_look look = pbt_lock_look(dir);
    read_file(&after);
    assert_int_equal(look.state, PBT_LOCK_HELD);
    assert_true(look.pid == (int64_t)getpid());
    assert_string_equal(look.host, system.nodename);
    assert_string_equal(before.data, after.data);
    pbt_buf_done(&before);
    pbt_buf_done(&after);
    pbt_lock_release(lock);
    assert_int_equal(pbt_lock_look(dir).state, PBT_LOCK_FREE);

    write_holder(system.nodename, 3); /* died here */
    assert_int_equal(pbt_lock_look(dir).state, PBT_LOCK_FREE);
    write_holder("elsewhere", 3);
    look = pbt_lock_look(dir);
    assert_int_equal(look.state, PBT_LOCK_ELSEWHERE);
    assert_string_equal(look.host, "elsewhere");
    write_holder("elsewhere", 0);
    assert_int_equal(pbt_lock_look(dir).state, PBT_LOCK_FREE);
}

/* Another host's driver lives while its lease changes: by our clock, not by its. */
static void test_watch(void **state)
{
    (void)state;
    const uint64_t start = UINT64_C(5000000000);
    const uint64_t stale = pbt_lock_settings().stale_ns;
    struct pbt_lock_watch watch = {.begun = false};
    write_holder("elsewhere", 3);
    struct pbt_lock_look look = pbt_lock_look(dir);
    assert_true(look.lease == 3);
    assert_true(pbt_lock_lives(&watch, &look, start));
    assert_true(pbt_lock_lives(&watch, &look, start + stale - 1));
    look.lease = 4;
    assert_true(pbt_lock_lives(&watch, &look, start + stale + 1));
    assert_true(pbt_lock_lives(&watch, &look, start + 2 * stale));
    assert_false(pbt_lock_lives(&watch, &look, start + 2 * stale + 1));
    look.state = PBT_LOCK_HELD; /* one here needs no lease */
    assert_true(pbt_lock_lives(&watch, &look, start + 9 * stale));
    look.state = PBT_LOCK_FREE;
    assert_false(pbt_lock_lives(&watch, &look, start + 9 * stale));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        TEST(test_file),
        TEST(test_held_by_a_living_process),
        TEST(test_held_by_a_stopped_process),
        TEST(test_races),
        TEST(test_twice_in_one_process),
        TEST(test_same_host_after_a_reboot),
        TEST(test_no_directory),
        TEST(test_other_host_dead),
        TEST(test_other_host_alive),
        TEST(test_garbage),
        TEST(test_taken_over),
        TEST(test_file_removed),
        TEST(test_not_renewed),
        TEST(test_renewed_beside_the_loop),
        TEST(test_look),
        TEST(test_watch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
