/*
 * pbt: the command.  Finds the verb, and says what went wrong with stdout at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "spec/problems.h"

static int help(int argc, char **argv);

struct verb {
    const char *name; /* first: pbt_cli_close_word() */
    int (*main)(int argc, char **argv);
    const char *arguments;
    const char *text;
};

static const struct verb verbs[] = {
    {"run", pbt_cli_run, "FILE [key=value ...]",
     "run the experiment that FILE describes"},
    {"resume", pbt_cli_resume, "RUN [TRIAL]",
     "go on with what was interrupted or paused"},
    {"stop", pbt_cli_stop, "RUN [TRIAL]",
     "stop a run so that it can be resumed; a trial for good"},
    {"pause", pbt_cli_pause, "RUN [TRIAL]",
     "let a trial, or all, save and wait until it is resumed"},
    {"status", pbt_cli_status, "RUN", "show where a run is"},
    {"check", pbt_cli_check, "FILE [key=value ...]",
     "check an experiment file, and say what it would do"},
    {"rebuild", pbt_cli_rebuild, "RUN",
     "write a run's log files anew from its journal"},
    {"explain", pbt_cli_explain, "[ID]", "say what the id of an error means"},
    {"help", help, "[VERB]", "show this, or how to use a verb"},
};

#define VERBS (sizeof verbs / sizeof *verbs)

static void print_help(void)
{
    (void)printf("pbt: population based training\n\nusage:\n");
    for (size_t i = 0; i < VERBS; i++) {
        char call[64];
        (void)snprintf(call, sizeof call, "%s %s", verbs[i].name,
                       verbs[i].arguments);
        (void)printf("  pbt %-28s %s\n", call, verbs[i].text);
    }
    (void)printf(
        "  pbt --version\n\n"
        "FILE is an experiment file, and key=value goes on top of it: "
        "num_samples=8,\nscheduler.perturbation_interval=10.  RUN is a run's "
        "directory, or its name below\nruns (or $PBT_DIR, or --dir DIR).\n\n"
        "exit codes:\n");
#define PRINT_STATUS(name, value, text)                                        \
    (void)printf("  %3d  %s\n", value, text);
    PBT_STATUS_MAP(PRINT_STATUS)
#undef PRINT_STATUS
}

static const struct verb *find(const char *name)
{
    for (size_t i = 0; i < VERBS; i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            return &verbs[i];
        }
    }
    return NULL;
}

static int unknown(const char *name)
{
    const char *close = pbt_cli_close_word(name, verbs, VERBS, sizeof *verbs);
    const char *shown = pbt_quote(name, strlen(name)).text;
    char label[128];
    if (name[0] == '-') {
        return pbt_cli_usage(PBT_E0607, NULL, name, "the verb comes first",
                             "unknown option `%s` before the verb", shown);
    }
    if (close == NULL && access(name, R_OK) == 0) {
        (void)snprintf(label, sizeof label, "did you mean `pbt run %s`?",
                       shown);
        return pbt_cli_usage(PBT_E0609, NULL, name, label,
                             "`%s` is a file, and no verb", shown);
    }
    if (close != NULL) {
        (void)snprintf(label, sizeof label, "did you mean `%s`?", close);
    }
    return pbt_cli_usage(PBT_E0601, NULL, name, close != NULL ? label : NULL,
                         "unknown verb `%s`", shown);
}

/* `pbt help VERB` is `pbt VERB --help`. */
static int help(int argc, char **argv)
{
    if (argc > 2) {
        return pbt_cli_usage(PBT_E0606, "help", argv[2],
                             "the form is: pbt help [VERB]",
                             "`pbt help` takes one verb");
    }
    if (argc < 2 || strcmp(argv[1], "help") == 0 ||
        strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help();
        return PBT_OK;
    }
    const struct verb *verb = find(argv[1]);
    if (verb == NULL) {
        return unknown(argv[1]);
    }
    char option[] = "--help";
    char *args[] = {argv[1], option, NULL};
    return verb->main(2, args);
}

static int call(int argc, char **argv)
{
    if (argc < 2) {
        print_help();
        return PBT_EUSAGE;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        (void)printf("pbt %s\n", PBT_VERSION);
        return PBT_OK;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        return help(argc - 1, argv + 1);
    }
    const struct verb *verb = find(argv[1]);
    return verb != NULL ? verb->main(argc - 1, argv + 1) : unknown(argv[1]);
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

int main(int argc, char **argv)
{
    fill_standard_streams();
    /* `pbt run ... | head` must not end the run: a failed write is an error. */
    (void)signal(SIGPIPE, SIG_IGN);
    if (!pbt_cli_remember(argc, argv)) {
        return pbt_cli_error(PBT_E0971, "out of memory");
    }
    int status = call(argc, argv);
    int failure = pbt_cli_flush();
    if (failure == 0 && ferror(stdout)) {
        failure = EIO; /* a buffer that was full in between */
    }
    /* Who closed the pipe knows it, and is not told. */
    if (failure != 0 && failure != EPIPE) {
        (void)pbt_cli_error(PBT_E0974, "can't write to stdout: %s",
                            strerror(failure));
    }
    return failure != 0 && status == PBT_OK ? PBT_EIO : status;
}
