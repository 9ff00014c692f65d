/*
 * sim_seeds.c: proof 2: the very driver, core and journal over a simulated world.
 *
 *     sim_seeds [--seeds N] [--from S] [--keeping] [--plain] [--trace]
 *
 * Each seed is an experiment, a world with faults, and a number of drivers that die; see
 * sim/case.c for what is drawn and sim/judge*.c for what must hold after every batch.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/story.h"

/* Every so many seeds the log files are written too. */
#define LOGS_EVERY 50
#define LOGS_EVERY_SMALL 1000

struct arguments {
    uint64_t seeds;
    uint64_t from;
    bool keeping;
    bool plain; /* no progress in place */
    bool trace;
};

static void usage(void)
{
    fprintf(stderr,
            "usage: sim_seeds [--seeds N] [--from S] [--keeping] [--plain] "
            "[--trace]\n"
            "  --seeds N  how many seeds (1000)\n"
            "  --from S   the first one (1)\n"
            "  --keeping  small cases, about which checkpoints are kept\n"
            "  --plain    no progress line\n"
            "  --trace    tell everything that happens\n");
}

static bool number(const char *text, uint64_t *value)
{
    char *end;
    *value = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0';
}

static bool parse(int argc, char **argv, struct arguments *arguments)
{
    *arguments = (struct arguments){.seeds = 1000, .from = 1};
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--plain") == 0) {
            arguments->plain = true;
        } else if (strcmp(argv[i], "--keeping") == 0) {
            arguments->keeping = true;
        } else if (strcmp(argv[i], "--trace") == 0) {
            arguments->trace = true;
        } else if (more && strcmp(argv[i], "--seeds") == 0) {
            if (!number(argv[++i], &arguments->seeds)) {
                return false;
            }
        } else if (more && strcmp(argv[i], "--from") == 0) {
            if (!number(argv[++i], &arguments->from)) {
                return false;
            }
        } else {
            return false;
        }
    }
    return true;
}

/* What is said of the present seed if an assertion fails in it. */
static char last_words[512];
static size_t last_words_length;

static void on_abort(int signal)
{
    (void)signal;
    /* The process ends, whether or not this can be written. */
    if (write(STDOUT_FILENO, last_words, last_words_length) < 0) {
        _exit(2);
    }
}

static void prepare_last_words(const char *program,
                               const struct arguments *arguments, uint64_t seed)
{
    int n = snprintf(
        last_words, sizeof last_words,
        "seed %" PRIu64 ": an assertion failed\n"
        "  repeat it with: %s%s --seeds 1 --from %" PRIu64 " --trace\n",
        seed, program, arguments->keeping ? " --keeping" : "", seed);
    last_words_length = n < 0 ? 0 : (size_t)n;
}

static void catch_aborts(void)
{
    struct sigaction action = {.sa_handler = on_abort};
    action.sa_flags = (int)SA_RESETHAND;
    (void)sigemptyset(&action.sa_mask);
    if (sigaction(SIGABRT, &action, NULL) != 0) {
        perror("sigaction");
    }
}

static void summarise(const struct story_counts *counts)
{
    const struct judge_counts *judged = &counts->judged;
    printf("  turns %" PRIu64 ", records %" PRIu64 ", results %" PRIu64
           ", saves %" PRIu64 ", deletes %" PRIu64 " (%" PRIu64
           " over budget), pauses %" PRIu64 "\n",
           counts->turns, judged->records, judged->results, judged->saves,
           judged->deletes, judged->over_budget, judged->pauses);
    printf("  exploits %" PRIu64 ", asks %" PRIu64 ", passes %" PRIu64
           ", lost checkpoints %" PRIu64 ", exploits undone %" PRIu64
           ", trials failed for good %" PRIu64 ", replaced %" PRIu64
           ", backed off %" PRIu64 ", rounds %" PRIu64 "\n",
           judged->exploits, judged->asks, judged->passes, judged->bad,
           judged->undone, judged->errors, judged->replacements, judged->delays,
           judged->rounds);
    printf("  drivers %" PRIu64 ", killed %" PRIu64 ", power losses %" PRIu64
           " (%" PRIu64 " cut the journal), stops %" PRIu64 "\n",
           counts->opens, counts->deaths, counts->power_losses, counts->cuts,
           counts->stops);
    printf("  extended %" PRIu64 ", trials that went on %" PRIu64 "\n",
           counts->extensions, judged->reopened);
    printf("  begun from a snapshot %" PRIu64 ", snapshots passed over %" PRIu64
           "\n",
           counts->snapshots, counts->passed_over);
    printf("  requests of the user %" PRIu64 ", waits with all paused %" PRIu64
           "\n",
           judged->requests, counts->idle);
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    if (!parse(argc, argv, &arguments)) {
        usage();
        return 2;
    }
    char scratch[] = "/tmp/sim_seeds.XXXXXX";
    if (mkdtemp(scratch) == NULL) {
        perror(scratch);
        return 1;
    }
    catch_aborts();
    struct story_counts counts = {.turns = 0};
    bool shows = !arguments.plain && !arguments.trace && isatty(STDERR_FILENO);
    int result = 0;
    for (uint64_t i = 0; i < arguments.seeds && result == 0; i++) {
        uint64_t seed = arguments.from + i;
        prepare_last_words(argv[0], &arguments, seed);
        uint64_t every = arguments.keeping ? LOGS_EVERY_SMALL : LOGS_EVERY;
        struct story_ask ask = {.seed = seed,
                                .keeping = arguments.keeping,
                                .trace = arguments.trace,
                                .scratch = seed % every == 0 ? scratch : NULL};
        const char *wrong = story_run(&ask, &counts);
        if (wrong != NULL) {
            printf("seed %" PRIu64 ": %s\n"
                   "  repeat it with: %s%s --seeds 1 --from %" PRIu64
                   " --trace\n",
                   seed, wrong, argv[0], arguments.keeping ? " --keeping" : "",
                   seed);
            result = 1;
        }
        if (shows && i % 256 == 255) {
            fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " seeds", i + 1,
                    arguments.seeds);
        }
    }
    if (shows) {
        fprintf(stderr, "\r\033[K");
    }
    if (result == 0) {
        printf("sim_seeds (" PBT_VERSION "): %" PRIu64 " seeds from %" PRIu64
               ": all invariants held\n",
               arguments.seeds, arguments.from);
        summarise(&counts);
    }
    (void)rmdir(scratch);
    return result;
}
