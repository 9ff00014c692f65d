/*
 * pbt-shim, driven over a socketpair by this process or by one that is killed.
 * Nothing here waits for a duration, only for things to happen, with a deadline.
 *
 * The shim is $PBT_SHIM, or pbt-shim beside this program.
 */
#define _GNU_SOURCE

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "checkpoint/checkpoint.h"
#include "wire/message.h"

#define DEADLINE_MS 60000

static char shim_path[4096];
static char base[64]; /* a directory for this test */
static char mark[96]; /* an argument that only this test's processes have */

struct driver {
    pid_t shim;
    int control;
    int worker_socket; /* the driver's end */
    struct pbt_lines lines;
};

static int64_t now_ms(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * How many living processes have `mark` among their arguments; `below`: without shims (and
 * what LeakSanitizer forks off one that ends).
 */
static int count_processes(bool below)
{
    int count = 0;
    DIR *proc = opendir("/proc");
    assert_non_null(proc);
    const struct dirent *entry;
    while ((entry = readdir(proc)) != NULL) {
        char path[300];
        char text[4096];
        (void)snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text);
        bool shim = length > 0 && strncmp(text, shim_path, (size_t)length) == 0;
        if (length > 0 && !(below && shim) &&
            memmem(text, (size_t)length, mark, strlen(mark))) {
            count++; /* a zombie has no arguments any more */
        }
        if (fd >= 0) {
            (void)close(fd);
        }
    }
    (void)closedir(proc);
    return count;
}

static int count_marked(void)
{
    return count_processes(false);
}

static void wait_for_marked(int count)
{
    int64_t deadline = now_ms() + DEADLINE_MS;
    while (count_marked() != count) {
        if (now_ms() > deadline) {
            fail_msg("%d processes, not %d", count_marked(), count);
        }
        (void)poll(NULL, 0, 2);
    }
}

/* Starts the shim with `command` run by sh; $0 there is the mark. */
static void start_command(struct driver *driver, char *const command[])
{
    int control[2];
    int worker[2];
    char numbers[3][16];
    char variable[32];
    char *argv[16] = {shim_path,  "--control", numbers[0],
                      "--parent", numbers[1],  "--"};
    size_t i = 6;
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, worker),
                     0);
    assert_int_equal(fcntl(control[1], F_SETFD, 0), 0);
    assert_int_equal(fcntl(worker[1], F_SETFD, 0), 0);
    (void)snprintf(numbers[0], sizeof numbers[0], "%d", control[1]);
    (void)snprintf(numbers[1], sizeof numbers[1], "%ld", (long)getpid());
    (void)snprintf(variable, sizeof variable, "%d", worker[1]);
    assert_int_equal(setenv("PBT_FD", variable, 1), 0);
    while (*command != NULL) {
        argv[i++] = *command++;
    }
    extern char **environ;
    assert_int_equal(
        posix_spawn(&driver->shim, shim_path, NULL, NULL, argv, environ), 0);
    assert_int_equal(close(control[1]), 0);
    assert_int_equal(close(worker[1]), 0);
    driver->control = control[0];
    driver->worker_socket = worker[0];
    pbt_lines_init(&driver->lines);
}

static void start(struct driver *driver, char *script)
{
    char *command[] = {"/bin/sh", "-c", script, mark, NULL};
    start_command(driver, command);
}

/* The next message from the shim; a failure at the end of the stream. */
static struct pbt_message next(struct driver *driver)
{
    char *line;
    size_t length;
    struct pbt_error error;
    struct pbt_message message;
    while ((line = pbt_lines_next(&driver->lines, &length)) == NULL) {
        bool ended;
        struct pollfd fd = {.fd = driver->control, .events = POLLIN};
        assert_int_equal(poll(&fd, 1, DEADLINE_MS), 1);
        assert_int_equal(
            pbt_lines_read(&driver->lines, driver->control, &ended, &error),
            PBT_OK);
        assert_false(ended);
    }
    if (pbt_message_decode(&message, line, length, &error) != PBT_OK) {
        fail_msg("%s", error.text);
    }
    return message;
}

static void expect_spawned(struct driver *driver)
{
    struct pbt_message message = next(driver);
    assert_int_equal(message.type, PBT_MESSAGE_SPAWNED);
    assert_null(message.text);
    assert_true(message.pid > 0);
    pbt_message_done(&message);
}

static void expect_exited(struct driver *driver, int exit_code, int signal)
{
    struct pbt_message message = next(driver);
    assert_int_equal(message.type, PBT_MESSAGE_EXITED);
    assert_int_equal(message.exit_code, exit_code);
    assert_int_equal(message.signal, signal);
    pbt_message_done(&message);
}

static void send_message(struct driver *driver,
                         const struct pbt_message *message)
{
    struct pbt_buf out;
    pbt_buf_init(&out, 100000);
    assert_int_equal(pbt_message_encode(message, &out, NULL), PBT_OK);
    assert_int_equal(send(driver->control, out.data, out.length, MSG_NOSIGNAL),
                     out.length);
    pbt_buf_done(&out);
}

static void send_kill(struct driver *driver)
{
    struct pbt_message message = {.type = PBT_MESSAGE_KILL};
    send_message(driver, &message);
}

static void send_seal(struct driver *driver, const char *path)
{
    struct pbt_message message = {.type = PBT_MESSAGE_SEAL,
                                  .epoch = 7,
                                  .iteration = 5,
                                  .path = path,
                                  .manifest = "{\"trial\":\"a\"}",
                                  .manifest_length = 13};
    send_message(driver, &message);
}

/* The shim ends with `status`, and has closed its channel. */
static void finish(struct driver *driver, int status)
{
    int wait_status;
    char byte;
    assert_int_equal(read(driver->control, &byte, 1), 0);
    assert_int_equal(waitpid(driver->shim, &wait_status, 0), driver->shim);
    assert_true(WIFEXITED(wait_status));
    assert_int_equal(WEXITSTATUS(wait_status), status);
    assert_int_equal(close(driver->control), 0);
    assert_int_equal(close(driver->worker_socket), 0);
    pbt_lines_done(&driver->lines);
    assert_int_equal(count_marked(), 0);
}

static void wait_for_socket_end(struct driver *driver)
{
    char byte;
    struct pollfd fd = {.fd = driver->worker_socket, .events = POLLIN};
    assert_int_equal(poll(&fd, 1, DEADLINE_MS), 1);
    assert_int_equal(read(driver->worker_socket, &byte, 1), 0);
}

static void expect_byte(struct driver *driver, char want)
{
    char byte = 0;
    struct pollfd fd = {.fd = driver->worker_socket, .events = POLLIN};
    assert_int_equal(poll(&fd, 1, DEADLINE_MS), 1);
    assert_int_equal(read(driver->worker_socket, &byte, 1), 1);
    assert_int_equal(byte, want);
}

static void test_usage(void **state)
{
    (void)state;
    static char *const bad[][6] = {
        {NULL},
        {"--control", "3", NULL},
        {"--control", "3", "--", NULL},
        {"--control", "x", "--", "true", NULL},
        {"--parent", "3", "--", "true", NULL},
        {"--what", "3", "--", "true", NULL},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char *argv[8] = {shim_path};
        pid_t pid;
        int status;
        for (size_t j = 0; bad[i][j] != NULL; j++) {
            argv[j + 1] = bad[i][j];
        }
        posix_spawn_file_actions_t quiet;
        assert_int_equal(posix_spawn_file_actions_init(&quiet), 0);
        assert_int_equal(posix_spawn_file_actions_addopen(
                             &quiet, 2, "/dev/null", O_WRONLY, 0),
                         0);
        assert_int_equal(posix_spawn(&pid, shim_path, &quiet, NULL, argv, NULL),
                         0);
        (void)posix_spawn_file_actions_destroy(&quiet);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == PBT_EUSAGE);
    }
}

static void test_exec_failure(void **state)
{
    (void)state;
    struct driver driver;
    char *command[] = {"/no/such/program", mark, NULL};
    start_command(&driver, command);
    struct pbt_message message = next(&driver);
    assert_int_equal(message.type, PBT_MESSAGE_SPAWNED);
    assert_int_equal(message.pid, 0);
    assert_string_equal(
        message.text, "can't run /no/such/program: No such file or directory");
    pbt_message_done(&message);
    finish(&driver, PBT_EUNAVAILABLE);
}

static void test_exit_code(void **state)
{
    (void)state;
    struct driver driver;
    start(&driver, "exit 7");
    expect_spawned(&driver);
    expect_exited(&driver, 7, 0);
    finish(&driver, 0);
}

static void test_signal(void **state)
{
    (void)state;
    struct driver driver;
    start(&driver, "kill -TERM $$");
    expect_spawned(&driver);
    expect_exited(&driver, 0, SIGTERM);
    finish(&driver, 0);
}

/* The worker has PBT_FD, nothing of the shim's, and default signals. */
static void test_what_the_worker_gets(void **state)
{
    (void)state;
    struct driver driver;
    int inherited = 0;
    for (int fd = 3; fd <= 9; fd++) {
        int flags = fcntl(fd, F_GETFD);
        inherited += flags >= 0 && (flags & FD_CLOEXEC) == 0;
    }
    sigset_t blocked;
    assert_int_equal(sigemptyset(&blocked), 0);
    assert_int_equal(sigaddset(&blocked, SIGUSR1), 0);
    assert_int_equal(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
    assert_true(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    /* The shell's own descriptors, above 9, don't count, nor does what this test was
     * started with.  Signals 32 and 33 may stay ignored as we found them: they are
     * the C library's own, and it lets nobody change them. */
    start(&driver,
          "n=0; for fd in 3 4 5 6 7 8 9; do"
          " [ -e /proc/self/fd/$fd ] && n=$((n+1)); done;"
          "eval \"printf x >&$PBT_FD\";"
          "grep -q 'SigBlk:.0000000000000000' /proc/self/status &&"
          "grep -Eq 'SigIgn:.0{7}[01][08]0{7}' /proc/self/status || n=99;"
          "exit $n");
    assert_int_equal(sigprocmask(SIG_UNBLOCK, &blocked, NULL), 0);
    assert_true(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    expect_spawned(&driver);
    expect_byte(&driver, 'x');
    expect_exited(&driver, 1 + inherited, 0);
    finish(&driver, 0);
}

/* The end of the worker is the end of its socket, before that of the shim. */
static void test_socket_ends_with_the_worker(void **state)
{
    (void)state;
    struct driver driver;
    start(&driver, "eval \"exec $PBT_FD>&-\"; exec sleep 1000");
    expect_spawned(&driver);
    wait_for_socket_end(&driver);
    assert_int_equal(waitpid(driver.shim, NULL, WNOHANG), 0);
    send_kill(&driver);
    expect_exited(&driver, 0, SIGKILL);
    finish(&driver, 0);
}

/* A worker, children in three forms, and a byte when all are there: 6 with mark. */
#define FAMILY                                                                 \
    "sh -c 'while :; do sleep 1000; done' $0 & "                               \
    "setsid sh -c 'trap \"\" TERM HUP INT; while :; do sleep 1000; done' $0 "  \
    "& "                                                                       \
    "(setsid sh -c '(setsid sh -c \"while :; do sleep 1000; done\" $0 &);"     \
    " while :; do sleep 1000; done' $0 &) ; "

static void test_kill_takes_the_subtree(void **state)
{
    (void)state;
    struct driver driver;
    start(&driver, FAMILY "while :; do sleep 1000; done");
    expect_spawned(&driver);
    wait_for_marked(6); /* the shim has the mark too */
    send_kill(&driver);
    expect_exited(&driver, 0, SIGKILL);
    assert_int_equal(count_processes(true), 0);
    finish(&driver, 0);
}

static void test_exit_sweeps_what_is_left(void **state)
{
    (void)state;
    struct driver driver;
    start(&driver, FAMILY "read line <&$PBT_FD; exit 3");
    expect_spawned(&driver);
    wait_for_marked(6);
    assert_int_equal(write(driver.worker_socket, "\n", 1), 1);
    expect_exited(&driver, 3, 0);
    wait_for_socket_end(&driver);
    finish(&driver, 0);
}

static void test_end_of_control(void **state)
{
    (void)state;
    struct driver driver;
    start(&driver, FAMILY "while :; do sleep 1000; done");
    expect_spawned(&driver);
    wait_for_marked(6);
    assert_int_equal(shutdown(driver.control, SHUT_WR), 0);
    finish(&driver, 0);
}

static void test_garbled_control(void **state)
{
    (void)state;
    struct driver driver;
    start(&driver, "exec 2>&-; while :; do sleep 1000; done");
    expect_spawned(&driver);
    assert_int_equal(write(driver.control, "nonsense\n", 9), 9);
    finish(&driver, 0);
}

/*
 * Casual signals don't end a shim; its own death takes the worker along.  The worker
 * here has no children: nobody is left to end those.
 */
static void test_signals_to_the_shim(void **state)
{
    (void)state;
    struct driver driver;
    int status;
    start(&driver, "read line <&$PBT_FD");
    expect_spawned(&driver);
    wait_for_marked(2);
    static const int casual[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGPIPE};
    for (size_t i = 0; i < sizeof casual / sizeof casual[0]; i++) {
        assert_int_equal(kill(driver.shim, casual[i]), 0);
    }
    assert_int_equal(kill(driver.shim, SIGRTMIN), 0);
    send_seal(&driver, "/no/such/place");
    struct pbt_message message = next(&driver);
    assert_int_equal(message.type, PBT_MESSAGE_SEALED);
    pbt_message_done(&message);
    assert_int_equal(kill(driver.shim, SIGKILL), 0);
    assert_int_equal(waitpid(driver.shim, &status, 0), driver.shim);
    wait_for_marked(0);
    assert_int_equal(close(driver.control), 0);
    assert_int_equal(close(driver.worker_socket), 0);
    pbt_lines_done(&driver.lines);
}

static void test_seal(void **state)
{
    (void)state;
    struct driver driver;
    char path[128];
    start(&driver, "read line <&$PBT_FD; exit 0");
    expect_spawned(&driver);

    (void)snprintf(path, sizeof path, "%s/none", base);
    send_seal(&driver, path);
    struct pbt_message message = next(&driver);
    assert_int_equal(message.type, PBT_MESSAGE_SEALED);
    assert_int_equal(message.epoch, 7);
    assert_int_equal(message.iteration, 5);
    assert_non_null(strstr(message.text, "No such file"));
    pbt_message_done(&message);

    (void)snprintf(path, sizeof path, "%s/c", base);
    assert_int_equal(mkdir(path, 0777), 0);
    (void)snprintf(path, sizeof path, "%s/c/model", base);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("12345", file) >= 0);
    assert_int_equal(fclose(file), 0);
    (void)snprintf(path, sizeof path, "%s/c", base);
    send_seal(&driver, path);
    message = next(&driver);
    assert_int_equal(message.type, PBT_MESSAGE_SEALED);
    assert_null(message.text);
    assert_int_equal(message.bytes, 5);
    pbt_message_done(&message);
    assert_int_equal(pbt_checkpoint_verify(path, NULL), PBT_OK);

    assert_int_equal(write(driver.worker_socket, "\n", 1), 1);
    expect_exited(&driver, 0, 0);
    finish(&driver, 0);
}

/* A directory that takes long to seal: a sparse file that has to be read. */
static void make_large(char path[128])
{
    char file[160];
    (void)snprintf(path, 128, "%s/large", base);
    assert_int_equal(mkdir(path, 0777), 0);
    (void)snprintf(file, sizeof file, "%s/zeros", path);
    int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    assert_true(fd >= 0);
    if (ftruncate(fd, (off_t)1 << 42) != 0) {
        assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
    }
    assert_int_equal(close(fd), 0);
}

/* Hours of hashing don't hold up a kill, nor do they a second order. */
static void test_kill_during_a_seal(void **state)
{
    (void)state;
    struct driver driver;
    char path[128];
    make_large(path);
    start(&driver, "while :; do sleep 1000; done");
    expect_spawned(&driver);
    send_seal(&driver, path);
    send_seal(&driver, path);
    struct pbt_message message = next(&driver);
    assert_string_equal(message.text, "a seal is under way");
    pbt_message_done(&message);
    send_kill(&driver);
    expect_exited(&driver, 0, SIGKILL);
    finish(&driver, 0);
    assert_int_equal(pbt_checkpoint_verify(path, NULL), PBT_EDATA);
}

static void test_end_of_control_during_a_seal(void **state)
{
    (void)state;
    struct driver driver;
    char path[128];
    make_large(path);
    start(&driver, "while :; do sleep 1000; done");
    expect_spawned(&driver);
    send_seal(&driver, path);
    send_seal(&driver, path);
    struct pbt_message message = next(&driver);
    pbt_message_done(&message);
    assert_int_equal(shutdown(driver.control, SHUT_WR), 0);
    finish(&driver, 0);
}

/* A driver in a process of its own, to be killed; `ready` gets a byte at `spawned`. */
_Noreturn static void be_driver(int ready)
{
    struct driver driver;
    start(&driver, FAMILY "while :; do sleep 1000; done");
    expect_spawned(&driver);
    (void)!write(ready, "x", 1);
    for (;;) {
        (void)pause();
    }
}

static pid_t start_driver(int *ready)
{
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        be_driver(fds[1]);
    }
    assert_int_equal(close(fds[1]), 0);
    *ready = fds[0];
    return pid;
}

static void test_death_of_the_driver(void **state)
{
    (void)state;
    int ready;
    char byte;
    pid_t pid = start_driver(&ready);
    assert_int_equal(read(ready, &byte, 1), 1);
    wait_for_marked(6);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    wait_for_marked(0);
    assert_int_equal(close(ready), 0);
}

/* A copy of the driver's end lives on elsewhere: PDEATHSIG tells. */
static void test_death_with_a_leaked_channel(void **state)
{
    (void)state;
    int control[2];
    int status_pipe[2];
    char byte;
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control), 0);
    assert_int_equal(pipe2(status_pipe, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char numbers[2][16];
        (void)snprintf(numbers[0], sizeof numbers[0], "%d", control[1]);
        (void)snprintf(numbers[1], sizeof numbers[1], "%ld", (long)getpid());
        (void)fcntl(control[1], F_SETFD, 0);
        if (fork() == 0) {
            (void)execl(shim_path, shim_path, "--control", numbers[0],
                        "--parent", numbers[1], "--", "/bin/sh", "-c",
                        FAMILY "while :; do sleep 1000; done", mark,
                        (char *)NULL);
            _exit(127);
        }
        (void)!write(status_pipe[1], "x", 1);
        for (;;) {
            (void)pause();
        }
    }
    assert_int_equal(read(status_pipe[0], &byte, 1), 1);
    wait_for_marked(6);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    wait_for_marked(0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(close(control[i]), 0);
        assert_int_equal(close(status_pipe[i]), 0);
    }
}

/* The driver dies at any moment from its first instruction on. */
static void test_death_at_any_moment(void **state)
{
    (void)state;
    for (long i = 0; i < 60; i++) {
        int ready;
        struct timespec moment = {0, i * 150000};
        pid_t pid = start_driver(&ready);
        (void)nanosleep(&moment, NULL); /* which moment does not matter */
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        wait_for_marked(0);
        assert_int_equal(close(ready), 0);
    }
}

static int setup(void **state)
{
    (void)state;
    static int number;
    (void)strcpy(base, "/tmp/test_shim.XXXXXX");
    assert_non_null(mkdtemp(base));
    (void)snprintf(mark, sizeof mark, "mark-%ld-%d", (long)getpid(), ++number);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(count_marked(), 0);
    assert_int_equal(pbt_checkpoint_delete(base, NULL), PBT_OK);
    return 0;
}

static void find_shim(void)
{
    const char *given = getenv("PBT_SHIM");
    ssize_t length =
        readlink("/proc/self/exe", shim_path, sizeof shim_path - 16);
    if (given != NULL) {
        (void)snprintf(shim_path, sizeof shim_path, "%s", given);
    } else if (length > 0) {
        shim_path[length] = '\0';
        (void)strcpy(strrchr(shim_path, '/'), "/pbt-shim");
    }
}

#define TEST(function)                                                         \
    cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_usage),
        TEST(test_exec_failure),
        TEST(test_exit_code),
        TEST(test_signal),
        TEST(test_what_the_worker_gets),
        TEST(test_socket_ends_with_the_worker),
        TEST(test_kill_takes_the_subtree),
        TEST(test_exit_sweeps_what_is_left),
        TEST(test_end_of_control),
        TEST(test_garbled_control),
        TEST(test_signals_to_the_shim),
        TEST(test_seal),
        TEST(test_kill_during_a_seal),
        TEST(test_end_of_control_during_a_seal),
        TEST(test_death_of_the_driver),
        TEST(test_death_with_a_leaked_channel),
        TEST(test_death_at_any_moment),
    };
    find_shim();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
