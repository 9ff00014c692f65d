/*
 * main.c: the program.  Started by pbt it trains; started by hand it shows what
 * was trained.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pbt/trainable.h>

#include "commands.h"
#include "trainable.h"

static const char usage[] =
    "usage: dcgan generate CHECKPOINT|RUN [--all] [-n N] [-o FILE] [--seed N]\n"
    "           a picture of N fakes (64) of the run's best generator, or "
    "with\n"
    "           --all of each trial's (16); FILE is digits.png unless given\n"
    "       dcgan score CHECKPOINT|RUN [--all] [-n N] [--data DIR] [--seed N]\n"
    "           the inception score of N fakes (10000) by two independent "
    "nets,\n"
    "           beside those of noise and of real images\n"
    "       dcgan score-net [--data DIR] [-o FILE]\n"
    "           trains the net that scores, unless it is in the cache\n"
    "Training is for `pbt run examples/dcgan/dcgan.yaml`.  DIR holds images: "
    "those\n"
    "that the run was trained on, else PBT_MNIST_DIR, or what "
    "scripts/get-mnist\n"
    "fetched, unless given.\n";

struct command {
    const char *name;
    int (*run)(const struct options *options, struct failure *failure);
    bool named; /* takes a checkpoint or a run */
    const char *output;
};

static const struct command commands[] = {
    {"generate", generate, true, "digits.png"},
    {"score", print_scores, true, NULL},
    {"score-net", train_score_net, false, NULL}};

static bool read_number(const char *text, int64_t least, int64_t *value)
{
    char *end;
    long long number;

    errno = 0;
    number = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || number < least)
        return false;
    *value = number;
    return true;
}

static bool read_option(struct options *o, const char *name, const char *value)
{
    if (strcmp(name, "-n") == 0)
        return read_number(value, 1, &o->count);
    if (strcmp(name, "--seed") == 0)
        return read_number(value, 0, &o->seed);
    if (strcmp(name, "-o") == 0)
        o->output = value;
    else if (strcmp(name, "--data") == 0)
        o->data = value;
    else
        return false;
    return true;
}

static bool read_options(struct options *o, bool named, int count, char **words)
{
    for (int i = 0; i < count; i++) {
        const char *word = words[i];
        bool good;

        if (strcmp(word, "--all") == 0) {
            o->all = true;
            continue;
        }
        if (word[0] != '-' && named && o->name == NULL) {
            o->name = word;
            continue;
        }
        good = i + 1 < count && read_option(o, word, words[i + 1]);
        if (!good) {
            (void)fprintf(stderr, "dcgan: wrong option or value: %s%s%s\n%s",
                          word, i + 1 < count ? " " : "",
                          i + 1 < count ? words[i + 1] : "", usage);
            return false;
        }
        i++;
    }
    if (named && o->name == NULL)
        (void)fprintf(stderr, "dcgan: which checkpoint or run?\n%s", usage);
    return !named || o->name != NULL;
}

static int run(const struct command *command, int count, char **words)
{
    struct options options = {.output = command->output};
    struct failure failure = {""};

    if (!read_options(&options, command->named, count, words))
        return 2;
    if (command->run(&options, &failure) != 0) {
        (void)fflush(stdout); /* what there is, before the reason */
        (void)fprintf(stderr, "dcgan: %s\n", failure.text);
        return 1;
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        (void)fprintf(stderr, "dcgan: can't write: %s\n", strerror(errno));
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (pbt_is_worker())
        return trainable_main(argc, argv);
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(usage, stdout) < 0;
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof commands[0];
         i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return run(&commands[i], argc - 2, argv + 2);
    (void)fputs(usage, stderr);
    return 2;
}
