#include "trace.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

#define OUT_MAX ((size_t)1 << 20)
/* So many checks of the state to one that goes through a snapshot. */
#define SNAPSHOT_EVERY 4
#define WORDS_MAX 16
#define LINE_SIZE 512

/* A record as a journal would keep it: with its own configurations. */
struct kept {
    struct pbt_record record;
    struct pbt_cell *cells;
    struct pbt_cell *old_cells;
};

struct trace {
    const struct pbt_settings *settings;
    struct pbt_core *core;
    struct pbt_core *twin; /* the fold of the records */
    struct kept *kept;
    size_t kept_count;
    size_t kept_capacity;
    struct pbt_buf out;
    bool quiet;
    unsigned checks;
};

/* A line's words: a verb, and "key=value" or plain ones. */
struct words {
    char text[LINE_SIZE];
    char *word[WORDS_MAX];
    size_t count;
};

/* --- settings ------------------------------------------------------------ */

static const double factors[] = {1.2, 0.8};
static struct pbt_param params[] = {
    {.name = "x",
     .initial = {.kind = PBT_DOMAIN_UNIFORM, .lower = 0, .upper = 1},
     .mutation = PBT_MUTATION_DOMAIN,
     .mutations = {.kind = PBT_DOMAIN_UNIFORM, .lower = 0, .upper = 1}},
};

struct pbt_settings trace_settings(uint32_t population)
{
    return (struct pbt_settings){
        .seed = 1,
        .time_budget_ns = 1000,
        .population = population,
        .space = {params, 1},
        .scheduler = PBT_SCHEDULER_PBT,
        .time_attr = PBT_TIME_ITERATION,
        .perturbation_interval = 5,
        .quantile_fraction = 0.25,
        .explore = {.resample_probability = 0.25,
                    .factors = factors,
                    .factor_count = 2},
        .num_to_keep = 2,
        .max_failures = 2,
    };
}

struct pbt_settings halving(uint32_t population)
{
    static const double half[] = {0.5};
    struct pbt_settings settings = trace_settings(population);
    settings.quantile_fraction = 0.5;
    settings.explore.resample_probability = 0;
    settings.explore.factors = half;
    settings.explore.factor_count = 1;
    return settings;
}

/* --- records --------------------------------------------------------------- */

static struct pbt_cell *copy_cells(const struct trace *trace,
                                   const struct pbt_cell *cells)
{
    size_t size = trace->settings->space.count * sizeof *cells;
    if (cells == NULL) {
        return NULL;
    }
    struct pbt_cell *copy = malloc(size);
    assert_non_null(copy);
    memcpy(copy, cells, size);
    return copy;
}

static void keep(struct trace *trace, const struct pbt_record *record)
{
    if (trace->kept_count == trace->kept_capacity) {
        trace->kept_capacity = 2 * trace->kept_capacity + 64;
        trace->kept =
            realloc(trace->kept, trace->kept_capacity * sizeof *trace->kept);
        assert_non_null(trace->kept);
    }
    struct kept *kept = &trace->kept[trace->kept_count++];
    kept->record = *record;
    kept->cells = copy_cells(trace, record->cells);
    kept->old_cells = copy_cells(trace, record->old_cells);
    kept->record.cells = kept->cells;
    kept->record.old_cells = kept->old_cells;
}

static void forget(struct trace *trace, size_t count)
{
    for (; count > 0 && trace->kept_count > 0; count--) {
        struct kept *kept = &trace->kept[--trace->kept_count];
        free(kept->cells);
        free(kept->old_cells);
    }
}

static struct pbt_core *fold(const struct trace *trace)
{
    struct pbt_core *core = pbt_core_create(trace->settings);
    assert_non_null(core);
    for (size_t i = 0; i < trace->kept_count; i++) {
        assert_true(pbt_core_apply(core, &trace->kept[i].record));
    }
    return core;
}

static void refold(struct trace *trace)
{
    pbt_core_destroy(trace->core);
    pbt_core_destroy(trace->twin);
    trace->core = fold(trace);
    trace->twin = fold(trace);
}

void trace_add_trials(struct trace *trace, struct pbt_settings *settings,
                      uint32_t more)
{
    assert_ptr_equal(trace->settings, settings);
    pbt_core_destroy(trace->core);
    pbt_core_destroy(trace->twin);
    settings->population += more;
    trace->core = fold(trace);
    trace->twin = fold(trace);
}

/* --- what is said ------------------------------------------------------------ */

static void say(struct trace *trace, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void say(struct trace *trace, const char *fmt, ...)
{
    char line[LINE_SIZE];
    if (trace->quiet) {
        return;
    }
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    assert_true(length > 0 && (size_t)length < sizeof line);
    pbt_buf_printf(&trace->out, "  %s\n", line);
}

/* Texts of numbers, each in a place of its own until the fourth call after. */
static char *place(void)
{
    static char places[4][64];
    static unsigned next;
    return places[next++ % 4];
}

static const char *epoch_text(uint64_t epoch)
{
    char *text = place();
    (void)snprintf(text, 64, "%" PRIu64 ".%" PRIu64, epoch >> PBT_EPOCH_SHIFT,
                   epoch & ((UINT64_C(1) << PBT_EPOCH_SHIFT) - 1));
    return text;
}

static const char *id_text(struct pbt_checkpoint_id id)
{
    char *text = place();
    if (id.number == 0) {
        return "none";
    }
    (void)snprintf(text, 64, "%" PRIu32 "/%" PRIu32, id.trial, id.number);
    return text;
}

static const char *cell_text(struct pbt_cell cell)
{
    char *text = place();
    (void)snprintf(text, 64, "%.4g", pbt_cell_number(cell));
    return text;
}

static void say_result(struct trace *trace, const struct pbt_record *record)
{
    if (record->point) {
        say(trace, "point %" PRIu32, record->trial);
    }
    if (record->stop > 0) {
        bool all = trace->settings->stops[record->stop - 1].all;
        say(trace, "%s %" PRIu32, all ? "stop_all" : "stop", record->trial);
    }
    if (record->done) {
        say(trace, "done %" PRIu32, record->trial);
    }
}

static void say_exit(struct trace *trace, const struct pbt_record *record)
{
    const char *name = pbt_leave_name(record->leave);
    if (record->wait > 0) {
        say(trace, "exit %" PRIu32 ": %s, not before %g s", record->trial, name,
            (double)(record->time + record->wait) * 1e-9);
    } else {
        say(trace, "exit %" PRIu32 ": %s", record->trial, name);
    }
}

static void say_start(struct trace *trace, const struct pbt_record *record)
{
    if (record->checkpoint.number == 0) {
        say(trace, "start %" PRIu32 " (%s)", record->trial,
            epoch_text(record->epoch));
    } else {
        say(trace, "start %" PRIu32 " (%s) from %s at %" PRId64, record->trial,
            epoch_text(record->epoch), id_text(record->checkpoint),
            record->iteration);
    }
}

static void say_exploit(struct trace *trace, const struct pbt_record *record)
{
    if (record->kind == PBT_RECORD_ASK) {
        say(trace, "ask %" PRIu32 ": from %s at %" PRId64 ", %g < %g",
            record->trial, id_text(record->checkpoint), record->donor_iteration,
            record->score, record->donor_score);
        return;
    }
    say(trace, "%s %" PRIu32 " (%s) from %s at %" PRId64 ", %g < %g%s",
        record->replacement ? "replace" : "exploit", record->trial,
        epoch_text(record->epoch), id_text(record->checkpoint),
        record->donor_iteration, record->score, record->donor_score,
        record->pause ? ", pauses" : "");
}

/* Before it adopts: whose hyperparameters. */
static void say_save(struct trace *trace, const struct pbt_record *record)
{
    char donor[32] = "";
    if (isfinite(record->donor_score)) {
        (void)snprintf(donor, sizeof donor, ", to adopt from %" PRIu32,
                       record->donor);
    }
    say(trace, "save %s%s", id_text(record->checkpoint), donor);
}

static void say_pass(struct trace *trace, const struct pbt_record *record)
{
    say(trace, "pass %" PRIu32 ": %s", record->trial,
        pbt_pass_name(record->pass));
    if (record->pass == PBT_PASS_GAP) {
        say(trace, "  trial %" PRIu32 ", %g < %g", record->donor, record->score,
            record->donor_score);
    }
}

static void say_adopt(struct trace *trace, const struct pbt_record *record)
{
    say(trace,
        "adopt %" PRIu32 " (%s) on %s from %" PRIu32 " at %" PRId64
        ", %g < %g%s",
        record->trial, epoch_text(record->epoch), id_text(record->checkpoint),
        record->donor, record->donor_iteration, record->score,
        record->donor_score, record->pause ? ", pauses" : "");
}

static void say_record(struct trace *trace, const struct pbt_record *record)
{
    switch (record->kind) {
    case PBT_RECORD_OPENED:
    case PBT_RECORD_READY:
    case PBT_RECORD_HALTED:
    case PBT_RECORD_DURABLE:
    case PBT_RECORD_BAD:
    case PBT_RECORD_CAPACITY:
    case PBT_RECORD_REQUEST:
    case PBT_RECORD_KINDS:
        break;
    case PBT_RECORD_CHANGE:
        say(trace,
            "change %" PRIu32 " at %" PRId64 " from %" PRIu32 "/%" PRIu32,
            record->trial, record->iteration, record->checkpoint.trial,
            record->checkpoint.number);
        break;
    case PBT_RECORD_UNDO:
        say(trace, "undo %" PRIu32 " to %" PRIu32 ", at %" PRId64 " on %s",
            record->trial, record->exploits, record->iteration,
            id_text(record->checkpoint));
        break;
    case PBT_RECORD_EXTEND:
        say(trace, "extend");
        break;
    case PBT_RECORD_REOPEN:
        say(trace, "go on %" PRIu32 " at %" PRId64, record->trial,
            record->iteration);
        break;
    case PBT_RECORD_ROUND:
        say(trace, "round to %g", record->target);
        break;
    case PBT_RECORD_RESULT:
        say_result(trace, record);
        break;
    case PBT_RECORD_SAVED:
        if (record->pause) {
            say(trace, "pause %" PRIu32, record->trial);
        }
        break;
    case PBT_RECORD_EXITED:
        say_exit(trace, record);
        break;
    case PBT_RECORD_TRIAL:
        say(trace, "trial %" PRIu32 " x=%s", record->trial,
            cell_text(record->cells[0]));
        break;
    case PBT_RECORD_START:
        say_start(trace, record);
        break;
    case PBT_RECORD_SAVE:
        say_save(trace, record);
        break;
    case PBT_RECORD_ASK_FIRST:
        say(trace, "ask %" PRIu32 ": first values", record->trial);
        break;
    case PBT_RECORD_EXPLOIT:
    case PBT_RECORD_ASK:
        say_exploit(trace, record);
        break;
    case PBT_RECORD_ADOPT:
        say_adopt(trace, record);
        break;
    case PBT_RECORD_PASS:
        say_pass(trace, record);
        break;
    case PBT_RECORD_LEAVE:
        say(trace, "leave %" PRIu32 ": %s", record->trial,
            pbt_leave_name(record->leave));
        break;
    case PBT_RECORD_DELETE:
        say(trace, "delete %s", id_text(record->checkpoint));
        break;
    case PBT_RECORD_END:
        say(trace, "end: %s", pbt_end_name(record->end));
        break;
    }
}

/* --- one turn ------------------------------------------------------------------ */

static void take(struct trace *trace, const struct pbt_record *record)
{
    keep(trace, record);
    say_record(trace, record);
    /* The twin first: the record may borrow cells that the core is to change. */
    assert_true(pbt_core_apply(trace->twin, record));
    assert_true(pbt_core_apply(trace->core, record));
}

/* A twin that goes on from a snapshot of itself must not be told from the core. */
static void save_and_load(struct trace *trace)
{
    struct pbt_buf bytes;
    struct pbt_core *loaded = pbt_core_create(trace->settings);
    assert_non_null(loaded);
    pbt_buf_init(&bytes, OUT_MAX);
    pbt_core_save(trace->twin, &bytes);
    assert_false(pbt_buf_failed(&bytes));
    const char *wrong =
        pbt_core_load(loaded, bytes.data, bytes.length, NULL, 0);
    if (wrong != NULL) {
        fail_msg("a snapshot can't be loaded: %s", wrong);
    }
    pbt_buf_done(&bytes);
    pbt_core_destroy(trace->twin);
    trace->twin = loaded;
}

static void check(struct trace *trace)
{
    if (trace->checks++ % SNAPSHOT_EVERY == 0) {
        save_and_load(trace);
        if (pbt_core_check(trace->twin) != NULL) {
            fail_msg("a loaded state is wrong: %s",
                     pbt_core_check(trace->twin));
        }
    }
    const char *wrong = pbt_core_check(trace->core);
    if (wrong != NULL) {
        print_message("%s", trace->out.data);
        fail_msg("the state is wrong: %s", wrong);
    }
    if (pbt_core_digest(trace->core) != pbt_core_digest(trace->twin)) {
        print_message("%s", trace->out.data);
        fail_msg("the state is not the fold of its records");
    }
}

static void settle(struct trace *trace)
{
    struct pbt_record record;
    for (int i = 0; pbt_core_decide(trace->core, NULL, &record); i++) {
        if (i > 100000) {
            fail_msg("the state never settles");
        }
        take(trace, &record);
    }
    check(trace);
}

static void happen(struct trace *trace, const struct pbt_event *event)
{
    struct pbt_record record;
    if (pbt_core_decide(trace->core, event, &record)) {
        take(trace, &record);
    } else {
        say(trace, "(dropped)");
    }
}

/* --- words to events --------------------------------------------------------------- */

static const char *value_of(const struct words *words, const char *key)
{
    size_t length = strlen(key);
    for (size_t i = 1; i < words->count; i++) {
        if (strncmp(words->word[i], key, length) == 0 &&
            words->word[i][length] == '=') {
            return words->word[i] + length + 1;
        }
    }
    return NULL;
}

static bool has_word(const struct words *words, const char *word)
{
    for (size_t i = 1; i < words->count; i++) {
        if (strcmp(words->word[i], word) == 0) {
            return true;
        }
    }
    return false;
}

static double real_of(const struct words *words, const char *key,
                      double otherwise)
{
    const char *text = value_of(words, key);
    return text == NULL ? otherwise : strtod(text, NULL);
}

static uint64_t number_of(const struct words *words, const char *key,
                          uint64_t otherwise)
{
    const char *text = value_of(words, key);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static uint64_t epoch_of(const struct words *words, uint64_t otherwise)
{
    const char *text = value_of(words, "epoch");
    if (text == NULL) {
        return otherwise;
    }
    char *dot;
    uint64_t incarnation = strtoull(text, &dot, 10);
    assert_int_equal(*dot, '.');
    return (incarnation << PBT_EPOCH_SHIFT) + strtoull(dot + 1, NULL, 10);
}

static struct pbt_checkpoint_id id_of(const char *text)
{
    char *slash;
    struct pbt_checkpoint_id id;
    id.trial = (uint32_t)strtoul(text, &slash, 10);
    assert_int_equal(*slash, '/');
    id.number = (uint32_t)strtoul(slash + 1, NULL, 10);
    return id;
}

static void result_event(const struct trace *trace, const struct words *words,
                         struct pbt_event *event)
{
    struct pbt_core_trial trial = pbt_core_trial(trace->core, event->trial);
    struct pbt_command owed = pbt_core_owed(trace->core, event->trial);
    event->kind = PBT_EVENT_RESULT;
    event->seq = number_of(words, "seq", trial.seq + 1);
    event->iteration =
        (int64_t)number_of(words, "it", (uint64_t)trial.iteration + 1);
    event->time_total = real_of(words, "t", (double)event->iteration);
    event->score = real_of(words, "score", (double)NAN);
    for (uint32_t i = 0; i < PBT_VALUES_MAX; i++) {
        event->values[i] = (double)NAN;
    }
    event->values[0] = real_of(words, "v0", (double)NAN);
    bool at_end =
        owed.kind == PBT_COMMAND_HALT ||
        (owed.kind == PBT_COMMAND_RUN && event->iteration >= owed.until);
    event->done = has_word(words, "done");
    event->halted = has_word(words, "halted") ||
                    ((at_end || event->done) && !has_word(words, "running"));
}

static void answer_event(const struct trace *trace, const struct words *words,
                         struct pbt_event *event, struct pbt_cell *cell)
{
    struct pbt_command owed = pbt_core_owed(trace->core, event->trial);
    event->kind = PBT_EVENT_ANSWERED;
    event->seq = number_of(words, "ask", owed.ask);
    event->failed = has_word(words, "failed");
    *cell = pbt_cell_real(real_of(words, "x", 0));
    event->cells = event->failed ? NULL : cell;
}

static void request_event(struct pbt_event *event, enum pbt_request request)
{
    event->kind = PBT_EVENT_REQUEST;
    event->request = request;
}

/* News that name a trial.  False: no such verb. */
static bool trial_event(const struct trace *trace, const struct words *words,
                        uint32_t number, struct pbt_event *event,
                        struct pbt_cell *cell)
{
    const char *verb = words->word[0];
    struct pbt_core_trial trial = pbt_core_trial(trace->core, number);
    event->trial = number;
    event->epoch = epoch_of(words, trial.epoch);
    if (strcmp(verb, "ready") == 0) {
        event->kind = PBT_EVENT_READY;
        event->can_reset = !has_word(words, "no_reset");
    } else if (strcmp(verb, "result") == 0) {
        result_event(trace, words, event);
    } else if (strcmp(verb, "halted") == 0) {
        event->kind = PBT_EVENT_HALTED;
    } else if (strcmp(verb, "saved") == 0) {
        event->kind = PBT_EVENT_SAVED;
        event->checkpoint = pbt_core_owed(trace->core, number).checkpoint;
        event->bytes = number_of(words, "bytes", 100);
    } else if (strcmp(verb, "exited") == 0) {
        event->kind = PBT_EVENT_EXITED;
        event->no_room = has_word(words, "no_room");
        event->epoch = epoch_of(words, trial.process_epoch);
    } else if (strcmp(verb, "answer") == 0) {
        answer_event(trace, words, event, cell);
    } else if (strcmp(verb, "pause") == 0) {
        request_event(event, PBT_REQUEST_PAUSE);
    } else if (strcmp(verb, "resume") == 0) {
        request_event(event, PBT_REQUEST_RESUME);
    } else if (strcmp(verb, "stop") == 0) {
        request_event(event, PBT_REQUEST_STOP);
    } else {
        return false;
    }
    return true;
}

/* News about the whole.  False: no such verb. */
static bool other_event(const struct trace *trace, const struct words *words,
                        struct pbt_event *event)
{
    const char *verb = words->word[0];
    const char *first = words->count > 1 ? words->word[1] : "";
    if (strcmp(verb, "open") == 0) {
        event->kind = PBT_EVENT_OPENED;
        event->incarnation = pbt_core_incarnation(trace->core) + 1;
        event->slots = (uint32_t)strtoul(first, NULL, 10);
    } else if (strcmp(verb, "capacity") == 0) {
        event->kind = PBT_EVENT_CAPACITY;
        event->slots = (uint32_t)strtoul(first, NULL, 10);
    } else if (strcmp(verb, "stop") == 0 && words->count == 1) {
        event->kind = PBT_EVENT_STOP_ASKED;
    } else if (strcmp(verb, "time_up") == 0) {
        event->kind = PBT_EVENT_TIME_UP;
        event->time = trace->settings->time_budget_ns;
    } else if (strcmp(verb, "clock") == 0) {
        event->kind = PBT_EVENT_WAKE;
        event->time = (uint64_t)(strtod(first, NULL) * 1e9);
    } else if (strcmp(verb, "durable") == 0 || strcmp(verb, "bad") == 0) {
        event->kind = *verb == 'd' ? PBT_EVENT_DURABLE : PBT_EVENT_BAD;
        event->checkpoint = id_of(first);
        event->trial = event->checkpoint.trial;
    } else {
        return false;
    }
    return true;
}

/* --- questions ------------------------------------------------------------------------ */

static void say_owed(struct trace *trace, uint32_t number)
{
    struct pbt_command owed = pbt_core_owed(trace->core, number);
    const char *name = pbt_command_name(owed.kind);
    if (owed.kind == PBT_COMMAND_RUN) {
        say(trace, "run %" PRIu32 " until %" PRId64, number, owed.until);
    } else if (owed.checkpoint.number != 0) {
        say(trace, "%s %" PRIu32 " %s", name, number, id_text(owed.checkpoint));
    } else {
        say(trace, "%s %" PRIu32, name, number);
    }
}

static void say_look(struct trace *trace, uint32_t number)
{
    static const char *const states[] = {
        [PBT_CORE_PENDING] = "PENDING", [PBT_CORE_RUNNING] = "RUNNING",
        [PBT_CORE_PAUSED] = "PAUSED",   [PBT_CORE_TERMINATED] = "TERMINATED",
        [PBT_CORE_ERROR] = "ERROR",
    };
    struct pbt_core_trial trial = pbt_core_trial(trace->core, number);
    char score[32] = "-";
    if (trial.ranked) {
        (void)snprintf(score, sizeof score, "%g", trial.score);
    }
    say(trace,
        "%s%s it=%" PRId64 " score=%s pair=%s exploits=%" PRIu32
        " failures=%" PRIu32 " x=%s",
        states[trial.state], trial.held ? " held" : "", trial.iteration, score,
        id_text(trial.pair), trial.exploits, trial.failures,
        cell_text(trial.cells[0]));
}

static void say_checkpoints(struct trace *trace, uint32_t number)
{
    struct pbt_core_checkpoint c;
    for (uint32_t i = 0; pbt_core_checkpoint_at(trace->core, number, i, &c);
         i++) {
        say(trace, "%s at %" PRId64 ", pins %" PRIu32 "%s", id_text(c.id),
            c.iteration, c.pins, c.durable ? ", durable" : "");
    }
}

static bool question(struct trace *trace, const struct words *words,
                     uint32_t number)
{
    if (strcmp(words->word[0], "owed") == 0) {
        say_owed(trace, number);
    } else if (strcmp(words->word[0], "look") == 0) {
        say_look(trace, number);
    } else if (strcmp(words->word[0], "checkpoints") == 0) {
        say_checkpoints(trace, number);
    } else {
        return false;
    }
    return true;
}

/* --- playing ---------------------------------------------------------------------------- */

static void split_words(const char *text, size_t length, struct words *words)
{
    assert_true(length < sizeof words->text);
    memcpy(words->text, text, length);
    words->text[length] = '\0';
    words->count = 0;
    char *rest = words->text + (*text == '.' ? 1 : 0);
    for (char *word = strtok_r(rest, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        assert_true(words->count < WORDS_MAX);
        words->word[words->count++] = word;
    }
    assert_true(words->count > 0);
}

static void play_trial(struct trace *trace, const struct words *words)
{
    char *end;
    assert_true(words->count > 1);
    unsigned long first = strtoul(words->word[1], &end, 10);
    unsigned long last = *end == '-' ? strtoul(end + 1, &end, 10) : first;
    if (*end != '\0' || end == words->word[1]) {
        fail_msg("not a trial: %s", words->word[1]);
    }
    for (unsigned long i = first; i <= last; i++) {
        struct pbt_event event = {.time = pbt_core_time(trace->core)};
        struct pbt_cell cell;
        if (question(trace, words, (uint32_t)i)) {
            continue;
        }
        if (!trial_event(trace, words, (uint32_t)i, &event, &cell)) {
            fail_msg("no such line in a story: %s", words->word[0]);
        }
        happen(trace, &event);
    }
}

static void play_part(struct trace *trace, const char *text, size_t length)
{
    struct words words;
    struct pbt_event event = {.time = pbt_core_time(trace->core)};
    split_words(text, length, &words);
    if (strcmp(words.word[0], "cut") == 0) {
        forget(trace, strtoul(words.word[1], NULL, 10));
        refold(trace);
    } else if (strcmp(words.word[0], "reopen") == 0) {
        refold(trace);
        words.word[0] += 2;
        assert_true(other_event(trace, &words, &event));
        happen(trace, &event);
    } else if (other_event(trace, &words, &event)) {
        happen(trace, &event);
    } else {
        play_trial(trace, &words);
    }
}

static void play_line(struct trace *trace, const char *line, size_t length)
{
    const char *end = line + length;
    bool cut = strncmp(line, "cut", 3) == 0;
    trace->quiet = *line == '.';
    while (line < end) {
        const char *part = memchr(line, ';', (size_t)(end - line));
        const char *stop = part == NULL ? end : part;
        play_part(trace, line, (size_t)(stop - line));
        line = part == NULL ? end : stop + 1;
    }
    if (!cut) { /* what follows a cut is another driver's */
        settle(trace);
    }
}

void trace_tell(struct trace *trace, const char *story)
{
    pbt_buf_reset(&trace->out);
    for (const char *line = story; *line != '\0';) {
        const char *end = strchr(line, '\n');
        assert_non_null(end);
        size_t length = (size_t)(end - line);
        if (*line != ' ') {
            pbt_buf_put(&trace->out, line, length + 1);
            play_line(trace, line, length);
        }
        line = end + 1;
    }
    assert_false(pbt_buf_failed(&trace->out));
    if (strcmp(trace->out.data, story) != 0) {
        print_message("--- what happened:\n%s---\n", trace->out.data);
        assert_string_equal(trace->out.data, story);
    }
}

const struct pbt_core *trace_core(const struct trace *trace)
{
    return trace->core;
}

struct trace *trace_begin(const struct pbt_settings *settings)
{
    struct trace *trace = calloc(1, sizeof *trace);
    assert_non_null(trace);
    trace->settings = settings;
    pbt_buf_init(&trace->out, OUT_MAX);
    trace->core = pbt_core_create(settings);
    trace->twin = pbt_core_create(settings);
    assert_non_null(trace->core);
    assert_non_null(trace->twin);
    return trace;
}

void trace_end(struct trace *trace)
{
    /* Once more from nothing: what was kept is all that there is. */
    struct pbt_core *core = fold(trace);
    assert_int_equal(pbt_core_digest(core), pbt_core_digest(trace->core));
    pbt_core_destroy(core);
    forget(trace, trace->kept_count);
    free(trace->kept);
    pbt_core_destroy(trace->core);
    pbt_core_destroy(trace->twin);
    pbt_buf_done(&trace->out);
    free(trace);
}

void play(const struct pbt_settings *settings, const char *story)
{
    struct trace *trace = trace_begin(settings);
    trace_tell(trace, story);
    trace_end(trace);
}
