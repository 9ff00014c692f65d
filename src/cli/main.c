/*
 * pbt: the command.  Finds the verb, and says what went wrong with stdout at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/paint.h"
#include "cli/verbs.h"
#include "spec/problems.h"

/* The verb that begins so, if there is only one. */
static const char *begun_verb(const char *name)
{
    const char *found = NULL;
    size_t length = strlen(name);
    for (size_t i = 0; length > 1 && i < pbt_cli_verb_count; i++) {
        const char *verb = pbt_cli_verbs[i].name;
        if (strncmp(verb, name, length) == 0) {
            if (found != NULL) {
                return NULL;
            }
            found = verb;
        }
    }
    return found;
}

/* What a verb of ours is called elsewhere. */
static const char *translated(const char *name)
{
    static const char *const words[][2] = {
        {"list", "ls"},         {"train", "run"},   {"start", "run"},
        {"continue", "resume"}, {"kill", "stop"},   {"validate", "check"},
        {"new", "init"},        {"create", "init"}, {"tail", "logs"},
        {"clean", "gc"},        {"watch", "status"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i][0], name) == 0) {
            return words[i][1];
        }
    }
    return NULL;
}

static const char *meant_verb(const char *name)
{
    const char *verb = translated(name);
    verb = verb != NULL ? verb : begun_verb(name);
    return verb != NULL
               ? verb
               : pbt_cli_close_word(name, pbt_cli_verbs, pbt_cli_verb_count,
                                    sizeof *pbt_cli_verbs);
}

static int unknown_first_option(const char *name)
{
    static const char *const known[] = {"--help", "--version"};
    struct pbt_quoted shown = pbt_quote(name, strlen(name));
    char label[64] = "the verb comes first";
    const char *close = pbt_cli_close_word(name, known, 2, sizeof *known);
    if (close != NULL) {
        (void)snprintf(label, sizeof label, "did you mean `%s`?", close);
    }
    return pbt_cli_usage(PBT_E0607, NULL, name, label,
                         "unknown option `%s` before the verb", shown.text);
}

int pbt_cli_unknown_verb(const char *name)
{
    const char *close = meant_verb(name);
    struct pbt_quoted shown = pbt_quote(name, strlen(name));
    char label[128];
    if (name[0] == '-') {
        return unknown_first_option(name);
    }
    if (close == NULL && access(name, R_OK) == 0) {
        (void)snprintf(label, sizeof label, "did you mean `pbt run %s`?",
                       shown.text);
        return pbt_cli_usage(PBT_E0609, NULL, name, label,
                             "`%s` is a file, and no verb", shown.text);
    }
    if (close != NULL) {
        (void)snprintf(label, sizeof label, "did you mean `%s`?", close);
    }
    return pbt_cli_usage(PBT_E0601, NULL, name, close != NULL ? label : NULL,
                         "unknown verb `%s`", shown.text);
}

static int show_overview(void)
{
    struct pbt_buf out;
    pbt_buf_init(&out, (size_t)64 * 1024);
    pbt_cli_put_overview(&out);
    pbt_cli_put(&out, false);
    pbt_buf_done(&out);
    return PBT_OK;
}

static int call(int argc, char **argv)
{
    if (argc < 2) {
        (void)show_overview();
        return PBT_EUSAGE;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        (void)printf("pbt %s\n", PBT_VERSION);
        return PBT_OK;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        return show_overview();
    }
    const struct pbt_cli_verb *verb = pbt_cli_find_verb(argv[1]);
    struct pbt_cli_call call;
    int status;
    if (verb == NULL) {
        return pbt_cli_unknown_verb(argv[1]);
    }
    if (pbt_cli_parse(&call, verb, argc - 1, argv + 1, &status)) {
        pbt_cli_paint_when(pbt_cli_color(&call));
        status = verb->main(&call);
        pbt_cli_call_done(&call);
    }
    return status;
}

/*
 * A closed 0, 1 or 2 would be taken by the first file that is opened.  What is
 * put there can be neither written (1, 2) nor read (0).
 */
static void fill_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
            (void)open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
        }
    }
}

/* True if the reader of stdout is gone. */
static bool is_deserted(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

/* What was to be printed and was not: the exit code. */
static int close_stdout(int status)
{
    int failure = pbt_cli_flush();
    if (failure == 0 && ferror(stdout)) {
        failure = is_deserted() ? EPIPE : EIO; /* in between */
    }
    /* `pbt ls | head -1`: who closed the pipe knows it, and has what was wanted. */
    if (failure == 0 || failure == EPIPE) {
        return status;
    }
    (void)pbt_cli_error(PBT_E0974, "can't write to stdout: %s",
                        strerror(failure));
    return status == PBT_OK ? PBT_EIO : status;
}

int main(int argc, char **argv)
{
    fill_standard_streams();
    /* `pbt run ... | head` must not end the run: a failed write is an error. */
    (void)signal(SIGPIPE, SIG_IGN);
    if (!pbt_cli_remember(argc, argv)) {
        return pbt_cli_error(PBT_E0971, "out of memory");
    }
    return close_stdout(call(argc, argv));
}
