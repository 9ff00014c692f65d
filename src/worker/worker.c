/*
 * worker.c: the worker's side of the protocol (docs/protocol.md), around a
 * trainable.
 *
 * Between two steps the socket is read once without waiting, and each result is
 * written at once: a result that waited for the next step would wait as long as that
 * takes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "worker/worker.h"

struct worker {
    const struct pbt_trainable *trainable;
    void *self;
    bool started; /* `self` is there */
    bool running; /* under a grant */
    bool halt;    /* asked for in mid-run, not answered yet */
    bool stopped;

    char *trial;
    uint64_t epoch;
    uint64_t seq;
    int64_t iteration; /* of the last result */
    int64_t until;
    double time_total_s;

    struct pbt_channel channel;
    struct pbt_config config;
    struct pbt_result result;
    struct pbt_totals totals;
    struct pbt_place place;
    struct pbt_buf metrics;
    int ack_log; /* -1, or where acknowledgements are noted, for proofs */
};

bool pbt_is_worker(void)
{
    return getenv("PBT_FD") != NULL;
}

static int64_t monotonic_ns(void)
{
    struct timespec now = {0, 0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* can't fail for this clock */
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int say(struct worker *worker, enum pbt_message_type type,
               struct pbt_error *error)
{
    struct pbt_message message = {
        .type = type, .epoch = worker->epoch, .iteration = worker->iteration};
    return pbt_channel_send(&worker->channel, &message, error);
}

/*
 * A further trial begins like the first: all of the former one goes, and setup() makes a
 * model anew.  That is possible where cleanup() frees everything.
 */
static uint32_t capabilities(const struct pbt_trainable *trainable)
{
    bool resets = trainable->reset_config != NULL;
    bool reuse = resets && trainable->cleanup != NULL;
    return (resets ? PBT_CAN_RESET_CONFIG : 0) | (reuse ? PBT_CAN_REUSE : 0);
}

static int say_hello(struct worker *worker, struct pbt_error *error)
{
    char host[256] = "unknown";
    (void)gethostname(host, sizeof host - 1);
    struct pbt_message hello = {.type = PBT_MESSAGE_HELLO,
                                .protocol = PBT_PROTOCOL_VERSION,
                                .client = "libpbt C",
                                .capabilities = capabilities(worker->trainable),
                                .pid = getpid(),
                                .host = host};
    return pbt_channel_send(&worker->channel, &hello, error);
}

/* Tells what a trainable's function said when it failed. */
static int failed(struct pbt_error *error, const char *function)
{
    if (error->text[0] == '\0') {
        pbt_error_set(error, PBT_EFAILED, "it failed without a message");
    }
    return pbt_error_prefix(error, PBT_EFAILED, "%s", function);
}

static int reset_config(struct worker *worker, struct pbt_error *error)
{
    const struct pbt_trainable *trainable = worker->trainable;
    if (trainable->reset_config != NULL &&
        trainable->reset_config(worker->self, &worker->config, error) !=
            PBT_OK) {
        return failed(error, "reset_config");
    }
    return PBT_OK;
}

/* Weights first, hyperparameters after: a restored optimiser can't undo them. */
static int load_and_reset(struct worker *worker, const char *checkpoint,
                          struct pbt_error *error)
{
    int status = pbt_totals_load(&worker->totals, checkpoint, error);
    if (status != PBT_OK) {
        return status;
    }
    if (worker->trainable->load_checkpoint(worker->self, checkpoint, error) !=
        PBT_OK) {
        return failed(error, "load_checkpoint");
    }
    return reset_config(worker, error);
}

/* Takes over what a start or load says, and answers it. */
static int say_ready(struct worker *worker, const struct pbt_message *command,
                     struct pbt_error *error)
{
    worker->iteration = command->iteration;
    worker->until = command->iteration;
    worker->time_total_s = command->time_total_s;
    worker->seq = 0;
    struct pbt_message ready = {.type = PBT_MESSAGE_READY,
                                .epoch = worker->epoch,
                                .iteration = worker->iteration,
                                .checkpoint = command->checkpoint,
                                .config = worker->config.text,
                                .config_length = strlen(worker->config.text)};
    return pbt_channel_send(&worker->channel, &ready, error);
}

static int set_config(struct worker *worker, const struct pbt_message *command,
                      struct pbt_error *error)
{
    return pbt_config_take(&worker->config, command->config_json,
                           command->config, command->config_length, error);
}

/* Nothing of the former trial, if there was one, is left to this one. */
static int take_place(struct worker *worker, const struct pbt_message *command,
                      struct pbt_error *error)
{
    if (!worker->started) {
        return pbt_place_take(&worker->place, command->trial_dir, error);
    }
    worker->trainable->cleanup(worker->self);
    worker->started = false;
    worker->self = NULL;
    worker->totals = (struct pbt_totals){.timesteps = {.known = false}};
    return pbt_place_move(&worker->place, command, error);
}

static int do_start(struct worker *worker, const struct pbt_message *command,
                    struct pbt_error *error)
{
    char *trial = strdup(command->trial);
    worker->epoch = command->epoch;
    if (trial == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    free(worker->trial);
    worker->trial = trial;
    int status = take_place(worker, command, error);
    if (status == PBT_OK) {
        status = set_config(worker, command, error);
    }
    if (status != PBT_OK) {
        return status;
    }
    struct pbt_context context = {.config = &worker->config,
                                  .trial_id = command->trial,
                                  .trial_dir = command->trial_dir,
                                  .seed = command->seed};
    if (worker->trainable->setup(&context, &worker->self, error) != PBT_OK) {
        return failed(error, "setup");
    }
    worker->started = true;
    if (command->checkpoint != NULL) {
        status = load_and_reset(worker, command->checkpoint, error);
    }
    return status == PBT_OK ? say_ready(worker, command, error) : status;
}

static int do_load(struct worker *worker, const struct pbt_message *command,
                   struct pbt_error *error)
{
    if (worker->trainable->reset_config == NULL ||
        command->checkpoint == NULL) {
        return pbt_error_set(
            error, PBT_EDATA, "asked to load %s, which this worker can't",
            command->checkpoint == NULL ? "nothing" : "in mid-life");
    }
    worker->epoch = command->epoch;
    int status = set_config(worker, command, error);
    if (status == PBT_OK) {
        status = load_and_reset(worker, command->checkpoint, error);
    }
    return status == PBT_OK ? say_ready(worker, command, error) : status;
}

static int do_save(struct worker *worker, const struct pbt_message *command,
                   struct pbt_error *error)
{
    if (command->iteration != worker->iteration) {
        return pbt_error_set(
            error, PBT_EDATA, "asked to save iteration %lld at iteration %lld",
            (long long)command->iteration, (long long)worker->iteration);
    }
    if (worker->trainable->save_checkpoint(worker->self, command->path,
                                           error) != PBT_OK) {
        return failed(error, "save_checkpoint");
    }
    int status = pbt_totals_save(&worker->totals, command->path, error);
    return status == PBT_OK ? say(worker, PBT_MESSAGE_SAVED, error) : status;
}

static void do_run(struct worker *worker, const struct pbt_message *command)
{
    if (command->until > worker->iteration) {
        worker->until = command->until;
        worker->running = true;
    }
}

static int do_halt(struct worker *worker, struct pbt_error *error)
{
    if (worker->running) {
        worker->halt = true; /* the result of this step is the answer */
        return PBT_OK;
    }
    return say(worker, PBT_MESSAGE_HALTED, error);
}

/* One line in one write: proofs count these after killing us at any moment. */
static void note_ack(struct worker *worker, const struct pbt_message *command)
{
    uint64_t seq =
        command->type == PBT_MESSAGE_ACK ? command->seq : command->ack;
    if (worker->ack_log < 0 || seq == 0 || worker->trial == NULL) {
        return;
    }
    char line[512];
    int length =
        snprintf(line, sizeof line, "%.400s %llu %llu\n", worker->trial,
                 (unsigned long long)command->epoch, (unsigned long long)seq);
    if (write(worker->ack_log, line, (size_t)length) != length) {
        perror("PBT_ACK_LOG");
    }
}

static int unexpected(const struct pbt_message *command, const char *why,
                      struct pbt_error *error)
{
    return pbt_error_set(error, PBT_EDATA,
                         "unexpected \"%s\" of epoch %llu: %s",
                         pbt_message_name(command->type),
                         (unsigned long long)command->epoch, why);
}

static int obey(struct worker *worker, const struct pbt_message *command,
                struct pbt_error *error)
{
    bool start = command->type == PBT_MESSAGE_START;
    bool opens = start || command->type == PBT_MESSAGE_LOAD;
    bool reuse = (capabilities(worker->trainable) & PBT_CAN_REUSE) != 0;
    if (start ? worker->started && !reuse : !worker->started) {
        return unexpected(command,
                          start ? "started already" : "not started yet", error);
    }
    note_ack(worker, command);
    if (command->epoch < worker->epoch) {
        return PBT_OK; /* it was under way when the life ended */
    }
    if (opens == (command->epoch == worker->epoch)) {
        return unexpected(command, "an epoch begins with start or load", error);
    }
    if (worker->running && (opens || command->type == PBT_MESSAGE_SAVE)) {
        return unexpected(command, "in mid-run", error);
    }
    switch (command->type) {
    case PBT_MESSAGE_START:
        return do_start(worker, command, error);
    case PBT_MESSAGE_LOAD:
        return do_load(worker, command, error);
    case PBT_MESSAGE_RUN:
        do_run(worker, command);
        return PBT_OK;
    case PBT_MESSAGE_SAVE:
        return do_save(worker, command, error);
    case PBT_MESSAGE_HALT:
        return do_halt(worker, error);
    case PBT_MESSAGE_STOP:
        worker->stopped = true;
        return PBT_OK;
    case PBT_MESSAGE_ACK:
        return PBT_OK;
    case PBT_MESSAGE_HELLO:
    case PBT_MESSAGE_READY:
    case PBT_MESSAGE_RESULT:
    case PBT_MESSAGE_HALTED:
    case PBT_MESSAGE_SAVED:
    case PBT_MESSAGE_ERROR:
    case PBT_MESSAGE_SEAL:
    case PBT_MESSAGE_KILL:
    case PBT_MESSAGE_SPAWNED:
    case PBT_MESSAGE_SEALED:
    case PBT_MESSAGE_EXITED:
        break;
    }
    return unexpected(command, "not for a worker", error);
}

/* Takes one command.  *taken is false if none has come and `wait` is false. */
static int take_command(struct worker *worker, bool wait, bool *taken,
                        struct pbt_error *error)
{
    char *line;
    size_t length;
    struct pbt_message command;
    int status =
        pbt_channel_receive(&worker->channel, wait, &line, &length, error);
    *taken = status == PBT_OK && line != NULL;
    if (!*taken) {
        return status;
    }
    status = pbt_message_decode(&command, line, length, error);
    if (status == PBT_OK) {
        error->text[0] = '\0'; /* a trainable may fail without a word */
        status = obey(worker, &command, error);
        pbt_message_done(&command);
    }
    return status;
}

/*
 * What has come during a step, up to a halt: that is answered first.
 */
static int look_for_commands(struct worker *worker, struct pbt_error *error)
{
    bool taken = true;
    int status = PBT_OK;
    while (status == PBT_OK && taken && !worker->halt && !worker->stopped) {
        status = take_command(worker, false, &taken, error);
    }
    return status;
}

static int do_step(struct worker *worker, struct pbt_error *error)
{
    error->text[0] = '\0';
    pbt_result_begin(&worker->result);
    int64_t begin = monotonic_ns();
    if (worker->trainable->step(worker->self, &worker->result, error) !=
        PBT_OK) {
        return failed(error, "step");
    }
    /* Divided, not multiplied: few digits, so that lines are short. */
    double seconds = (double)(monotonic_ns() - begin) / 1e9;
    pbt_buf_reset(&worker->metrics);
    int status = pbt_result_finish(&worker->result, &worker->totals,
                                   &worker->metrics, error);
    if (status == PBT_OK) {
        status = look_for_commands(worker, error);
    }
    if (status != PBT_OK || worker->stopped) {
        return status;
    }
    worker->iteration++;
    worker->seq++;
    worker->time_total_s += seconds;
    worker->running = worker->iteration < worker->until && !worker->halt &&
                      !worker->result.done;
    worker->halt = false;
    struct pbt_message message = {.type = PBT_MESSAGE_RESULT,
                                  .epoch = worker->epoch,
                                  .seq = worker->seq,
                                  .iteration = worker->iteration,
                                  .halted = !worker->running,
                                  .done = worker->result.done,
                                  .time_this_iter_s = seconds,
                                  .time_total_s = worker->time_total_s,
                                  .metrics = worker->metrics.data,
                                  .metrics_length = worker->metrics.length};
    return pbt_channel_send(&worker->channel, &message, error);
}

static int serve(struct worker *worker, struct pbt_error *error)
{
    int status = say_hello(worker, error);
    while (status == PBT_OK && !worker->stopped) {
        bool taken;
        status = worker->running ? do_step(worker, error)
                                 : take_command(worker, true, &taken, error);
    }
    return status;
}

/* The driver's copy goes to error.txt; the program's stderr is a log as well. */
static void say_error(struct worker *worker, const struct pbt_error *error)
{
    struct pbt_message message = {
        .type = PBT_MESSAGE_ERROR, .epoch = worker->epoch, .text = error->text};
    (void)fprintf(stderr, "pbt worker: %s\n", error->text);
    (void)pbt_channel_send(&worker->channel, &message, NULL);
}

static void release(struct worker *worker)
{
    if (worker->started && worker->trainable->cleanup != NULL) {
        worker->trainable->cleanup(worker->self);
    }
    pbt_channel_close(&worker->channel);
    pbt_config_done(&worker->config);
    pbt_result_free(&worker->result);
    pbt_buf_done(&worker->metrics);
    pbt_place_done(&worker->place);
    free(worker->trial);
    if (worker->ack_log >= 0) {
        (void)close(worker->ack_log);
    }
}

static int check_trainable(const struct pbt_trainable *trainable,
                           struct pbt_error *error)
{
    if (trainable == NULL || trainable->version != PBT_TRAINABLE_INIT) {
        return pbt_error_set(error, PBT_EUSAGE,
                             "struct pbt_trainable does not begin with "
                             "PBT_TRAINABLE_INIT");
    }
    if (trainable->setup == NULL || trainable->step == NULL ||
        trainable->save_checkpoint == NULL ||
        trainable->load_checkpoint == NULL) {
        return pbt_error_set(error, PBT_EUSAGE,
                             "a trainable needs setup, step, save_checkpoint "
                             "and load_checkpoint");
    }
    return PBT_OK;
}

int pbt_worker_main(const struct pbt_trainable *trainable, int argc,
                    char **argv)
{
    static atomic_flag served = ATOMIC_FLAG_INIT; /* there is one socket */
    struct pbt_error error;
    struct worker worker = {
        .trainable = trainable, .place.cwd = -1, .ack_log = -1};
    const char *name = argc > 0 ? argv[0] : "worker";
    int status = check_trainable(trainable, &error);
    if (status == PBT_OK && atomic_flag_test_and_set(&served)) {
        status = pbt_error_set(&error, PBT_EUSAGE,
                               "a process can be a worker only once");
    }
    if (status == PBT_OK) {
        status = pbt_channel_open(&worker.channel, &error);
    }
    if (status != PBT_OK) {
        (void)fprintf(stderr, "%s: %s\n", name, error.text);
        return PBT_EUSAGE;
    }
    pbt_buf_init(&worker.metrics, PBT_MESSAGE_LINE_MAX);
    const char *ack_log = getenv("PBT_ACK_LOG");
    if (ack_log != NULL) {
        worker.ack_log =
            open(ack_log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
        if (worker.ack_log < 0) {
            perror(ack_log);
        }
    }
    status = serve(&worker, &error);
    if (status != PBT_OK) {
        say_error(&worker, &error);
    }
    release(&worker);
    return status == PBT_OK ? PBT_OK : PBT_EFAILED;
}
