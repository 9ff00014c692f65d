/*
 * The control socket's lines and files: what is read comes back, what is wrong is refused with a
 * reason, and the socket is where, and only whose, it should be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "wire/control.h"

/* --- lines ------------------------------------------------------------------- */

static void requests_come_back(void **state)
{
    (void)state;
    for (int kind = 0; kind < PBT_CONTROL_KINDS; kind++) {
        for (int one = 0; one < 2; one++) {
            struct pbt_control_request request = {
                .kind = (enum pbt_control_kind)kind};
            struct pbt_control_request back;
            struct pbt_error why;
            struct pbt_buf line;
            pbt_buf_init(&line, PBT_CONTROL_LINE_MAX);
            if (one == 1) {
                (void)snprintf(request.trial, sizeof request.trial,
                               "ba982_00003");
            }
            pbt_control_put_request(&request, &line);
            assert_true(
                pbt_control_read_request(&back, line.data, line.length, &why));
            assert_int_equal(back.kind, request.kind);
            assert_string_equal(back.trial, request.trial);
            pbt_buf_done(&line);
        }
    }
}

static void answers_come_back(void **state)
{
    (void)state;
    struct pbt_control_answer answer = {.ok = true};
    struct pbt_control_answer back;
    struct pbt_error why;
    struct pbt_buf line;
    pbt_buf_init(&line, PBT_CONTROL_LINE_MAX);
    for (uint32_t i = 0; i < PBT_OUTCOMES; i++) {
        answer.trials[i] = UINT32_MAX - i; /* the longest there is */
    }
    pbt_control_put_answer(&answer, &line);
    assert_false(pbt_buf_failed(&line));
    assert_true(pbt_control_read_answer(&back, line.data, line.length, &why));
    assert_true(back.ok);
    assert_memory_equal(back.trials, answer.trials, sizeof answer.trials);

    pbt_buf_reset(&line);
    answer.ok = false;
    memset(answer.error, 1, sizeof answer.error - 1); /* as \u0001 each */
    pbt_control_put_answer(&answer, &line);
    assert_true(line.length + 1 < PBT_CONTROL_LINE_MAX);
    assert_true(pbt_control_read_answer(&back, line.data, line.length, &why));
    assert_false(back.ok);
    assert_string_equal(back.error, answer.error);
    pbt_buf_done(&line);
}

static void a_worker_asks_for_a_socket(void **state)
{
    char token[PBT_TOKEN_SIZE];
    struct pbt_buf line;
    (void)state;
    pbt_buf_init(&line, PBT_CONTROL_LINE_MAX);
    pbt_control_put_attach("0123456789abcdef0123456789abcdef", &line);
    assert_true(pbt_control_read_attach(line.data, line.length, token));
    assert_string_equal(token, "0123456789abcdef0123456789abcdef");
    pbt_buf_reset(&line);
    pbt_control_put_attach("0123456789abcdef0123456789abcdef0", &line);
    assert_true(pbt_control_read_attach(line.data, line.length, token));
    assert_string_equal(token, ""); /* not the part of it that has room */
    pbt_buf_done(&line);
    static const char *const others[] = {"",
                                         "{",
                                         "[]",
                                         "{\"request\":\"pause\"}",
                                         "{\"request\":7}",
                                         "{\"token\":\"x\"}"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(
            pbt_control_read_attach(others[i], strlen(others[i]), token));
    }
    static const char bare[] = "{\"request\":\"attach\"}";
    assert_true(pbt_control_read_attach(bare, sizeof bare - 1, token));
    assert_string_equal(token, "");
}

static void what_is_wrong_is_refused_with_a_reason(void **state)
{
    static const char *const LINES[] = {
        "",
        "x",
        "null",
        "[]",
        "{\"request\":\"pause\"",
        "{\"request\":\"pause\"} {}",
        "{}",
        "{\"request\":1}",
        "{\"request\":\"Pause\"}",
        "{\"request\":\"pause\",\"request\":\"stop\"}",
        "{\"request\":\"pause\",\"trial\":null}",
        "{\"request\":\"pause\",\"trial\":\"\"}",
        "{\"request\":\"pause\",\"trial\":\"01234567890123456789\"}"};
    (void)state;
    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
        struct pbt_control_request request;
        struct pbt_error why = {.text = ""};
        if (pbt_control_read_request(&request, LINES[i], strlen(LINES[i]),
                                     &why)) {
            fail_msg("taken: %s", LINES[i]);
        }
        assert_true(strlen(why.text) > 0);
    }
}

static void answers_of_a_stranger_are_refused(void **state)
{
    static const char *const LINES[] = {"", "[]", "{}", "{\"ok\":1}"};
    (void)state;
    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
        struct pbt_control_answer answer;
        struct pbt_error why;
        assert_false(
            pbt_control_read_answer(&answer, LINES[i], strlen(LINES[i]), &why));
    }
    /* What a newer driver may say besides is no harm. */
    static const char NEWER[] =
        "{\"ok\":true,\"trials\":{\"paused\":2,\"dancing\":1,\"ending\":-1},"
        "\"more\":[]}";
    struct pbt_control_answer answer;
    struct pbt_error why;
    assert_true(
        pbt_control_read_answer(&answer, NEWER, sizeof NEWER - 1, &why));
    assert_int_equal(answer.trials[PBT_OUTCOME_PAUSED], 2);
    assert_int_equal(answer.trials[PBT_OUTCOME_ENDING], 0);
}

/* --- files ------------------------------------------------------------------- */

struct place {
    char top[64];
    char dir[1024];
};

/* Directories to a path of about `length` bytes. */
static void make_place(struct place *place, size_t length)
{
    (void)snprintf(place->top, sizeof place->top, "/tmp/test_control.XXXXXX");
    assert_non_null(mkdtemp(place->top));
    (void)snprintf(place->dir, sizeof place->dir, "%s", place->top);
    while (strlen(place->dir) < length) {
        size_t at = strlen(place->dir);
        (void)snprintf(place->dir + at, sizeof place->dir - at,
                       "/abcdefghijklmnopqrstuvwxyz0123456789");
        assert_int_equal(mkdir(place->dir, 0700), 0);
    }
}

static void remove_place(struct place *place)
{
    while (strlen(place->dir) >= strlen(place->top)) {
        assert_int_equal(rmdir(place->dir), 0); /* so nothing is left in it */
        *strrchr(place->dir, '/') = '\0';
    }
}

static void answer_once(int listener)
{
    char line[PBT_CONTROL_LINE_MAX];
    int fd = accept(listener, NULL, NULL);
    assert_true(fd >= 0);
    assert_true(pbt_control_is_ours(fd));
    assert_true(recv(fd, line, sizeof line, 0) > 0);
    static const char TEXT[] = "{\"ok\":true,\"trials\":{\"paused\":1}}\n";
    assert_int_equal(send(fd, TEXT, sizeof TEXT - 1, 0), sizeof TEXT - 1);
    assert_int_equal(close(fd), 0);
}

static void talk(const char *dir)
{
    struct pbt_control_listener listener;
    struct pbt_control_request request = {.kind = PBT_CONTROL_PAUSE};
    struct pbt_control_answer answer;
    struct pbt_error error;
    int fd;
    assert_int_equal(pbt_control_listen(dir, &listener, &error), PBT_OK);
    assert_int_equal(pbt_control_connect(dir, &fd, &error), PBT_OK);
    /* Nobody has taken it in yet. */
    assert_int_equal(pbt_control_ask(fd, &request, 0, &answer, &error),
                     PBT_ETEMP);
    assert_int_equal(close(fd), 0);
    assert_int_equal(pbt_control_connect(dir, &fd, &error), PBT_OK);
    int gone = accept(listener.fd, NULL, NULL);
    assert_int_equal(close(gone), 0);
    /* The answer is there before it is waited for. */
    struct pbt_buf line;
    pbt_buf_init(&line, 256);
    pbt_control_put_request(&request, &line);
    pbt_buf_char(&line, '\n');
    assert_int_equal(send(fd, line.data, line.length, 0), line.length);
    pbt_buf_done(&line);
    answer_once(listener.fd);
    assert_int_equal(pbt_control_ask(fd, &request, 10, &answer, &error),
                     PBT_EUNAVAILABLE);
    assert_int_equal(close(fd), 0);
    pbt_control_close(dir, &listener);
    assert_int_equal(listener.fd, -1);
    assert_int_equal(pbt_control_connect(dir, &fd, &error), PBT_ENOINPUT);
}

static void paths_of_any_length(void **state)
{
    (void)state;
    for (size_t length = 30; length < 400; length += 37) {
        struct place place;
        make_place(&place, length);
        talk(place.dir);
        remove_place(&place);
    }
}

static void only_our_user_can_connect(void **state)
{
    (void)state;
    struct place place;
    struct pbt_control_listener listener;
    struct pbt_error error;
    struct stat made;
    char path[2048];
    make_place(&place, 1);
    mode_t before = umask(0);
    assert_int_equal(pbt_control_listen(place.dir, &listener, &error), PBT_OK);
    (void)umask(before);
    (void)snprintf(path, sizeof path, "%s/" PBT_CONTROL_NAME, place.dir);
    assert_int_equal(stat(path, &made), 0);
    assert_int_equal(made.st_mode & 07777, 0600);
    assert_true(S_ISSOCK(made.st_mode));
    pbt_control_close(place.dir, &listener);
    remove_place(&place);
}

/* Even where the file's mode lets others in (a changed mode, a strange file system). */
static void others_are_told_from_us(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        skip(); /* only root can become somebody else */
    }
    struct place place;
    struct pbt_control_listener listener;
    struct pbt_error error;
    char path[2048];
    make_place(&place, 1);
    (void)snprintf(path, sizeof path, "%s/" PBT_CONTROL_NAME, place.dir);
    assert_int_equal(pbt_control_listen(place.dir, &listener, &error), PBT_OK);
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(chmod(place.dir, 0755), 0);
    pid_t other = fork();
    if (other == 0) {
        int fd = -1;
        char byte;
        bool connected = setuid(65534) == 0 &&
                         pbt_control_connect(place.dir, &fd, &error) == PBT_OK;
        /* Lives until it is let go, so that it can be asked who it is. */
        _exit(connected && recv(fd, &byte, 1, 0) == 0 ? 0 : 1);
    }
    int fd = accept(listener.fd, NULL, NULL);
    for (int tries = 0; fd < 0 && tries < 6000; tries++) {
        const struct timespec nap = {0, 10000000};
        (void)nanosleep(&nap, NULL);
        fd = accept(listener.fd, NULL, NULL);
    }
    assert_true(fd >= 0);
    assert_false(pbt_control_is_ours(fd));
    assert_int_equal(close(fd), 0);
    int status = -1;
    assert_int_equal(waitpid(other, &status, 0), other);
    assert_int_equal(status, 0);
    pbt_control_close(place.dir, &listener);
    remove_place(&place);
}

static void a_dead_driver_is_told_from_none_and_replaced(void **state)
{
    (void)state;
    struct place place;
    struct pbt_control_listener listener;
    struct pbt_control_listener next;
    struct pbt_control_listener last;
    struct pbt_error error;
    int fd;
    make_place(&place, 1);
    assert_int_equal(pbt_control_connect(place.dir, &fd, &error), PBT_ENOINPUT);
    assert_int_equal(pbt_control_listen(place.dir, &listener, &error), PBT_OK);
    assert_int_equal(close(listener.fd), 0); /* it died */
    assert_int_equal(pbt_control_connect(place.dir, &fd, &error),
                     PBT_EUNAVAILABLE);
    assert_int_equal(pbt_control_listen(place.dir, &next, &error), PBT_OK);
    assert_int_equal(pbt_control_connect(place.dir, &fd, &error), PBT_OK);
    assert_int_equal(close(fd), 0);
    /* One that has lost its lock does not remove the other's. */
    assert_int_equal(pbt_control_listen(place.dir, &last, &error), PBT_OK);
    pbt_control_close(place.dir, &next);
    assert_int_equal(pbt_control_connect(place.dir, &fd, &error), PBT_OK);
    assert_int_equal(close(fd), 0);
    pbt_control_close(place.dir, &last);
    remove_place(&place);
}

static void where_none_can_be_made_it_says_so(void **state)
{
    (void)state;
    struct place place;
    struct pbt_control_listener listener;
    struct pbt_error error;
    char path[2048];
    make_place(&place, 1);
    (void)snprintf(path, sizeof path, "%s/" PBT_CONTROL_NAME, place.dir);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_not_equal(pbt_control_listen(place.dir, &listener, &error),
                         PBT_OK);
    assert_non_null(strstr(error.text, path));
    assert_int_equal(listener.fd, -1);
    pbt_control_close(place.dir, &listener); /* nothing */
    assert_int_equal(rmdir(path), 0);
    remove_place(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_come_back),
        cmocka_unit_test(answers_come_back),
        cmocka_unit_test(a_worker_asks_for_a_socket),
        cmocka_unit_test(what_is_wrong_is_refused_with_a_reason),
        cmocka_unit_test(answers_of_a_stranger_are_refused),
        cmocka_unit_test(paths_of_any_length),
        cmocka_unit_test(only_our_user_can_connect),
        cmocka_unit_test(others_are_told_from_us),
        cmocka_unit_test(a_dead_driver_is_told_from_none_and_replaced),
        cmocka_unit_test(where_none_can_be_made_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
