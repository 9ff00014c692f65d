/*
 * ray_traces: our core on traces of Ray Tune's own scheduler, which tests/ray/record.py has
 * recorded, or pipes in (`-`).
 *
 *     ray_traces [--altered] FILE...
 *
 * A trace has its settings, each trial's first configuration, and then events (result,
 * finish, fail), each with Ray's answers in the lines below.  The core plays the events.
 * Where Ray has drawn (a donor, a new value) its draw is looked for among those of many
 * seeds: deciding changes nothing.  The first difference ends the program with status 1.
 *
 * --altered shows that differences are found: each answer in turn is left out, and then each
 * of its numbers made wrong by one, and all of that must be objected to.
 */
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"

#define LINE_SIZE 1024
#define LINES_MAX 4096
#define TRIALS_MAX 64
#define WORDS_MAX (TRIALS_MAX + 4)
#define SEEDS 20000

enum { X, B, L, PARAMS };

struct line {
    char text[LINE_SIZE];
    char *word[WORDS_MAX];
    int words;
    int number; /* in its file */
};

static struct {
    const char *file;
    struct line lines[LINES_MAX];
    int count;
    int altered; /* the line that is left out or made wrong; -1: none */
    int altered_word; /* this number is made one too large; 0: the line is left out */
    bool quiet;
    bool objected;
} trace;

/* What has been compared, for those who read that all agree. */
static struct {
    long traces;
    long results;
    long points;
    long exploits;
    long passes;
    long rounds; /* traces of synchronous mode */
    long shares; /* traces with fewer slots than trials */
} total;

static struct pbt_settings settings;
static struct pbt_cell points[TRIALS_MAX * PARAMS];
static struct pbt_core *core;
static bool minimize;
static int at; /* the event that is being played */

static void object(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void object(const char *fmt, ...)
{
    if (!trace.objected && !trace.quiet) {
        const struct line *line = &trace.lines[at];
        (void)fprintf(stderr, "%s:%d: after `", trace.file, line->number);
        for (int i = 0; i < line->words; i++) {
            (void)fprintf(stderr, "%s%s", i > 0 ? " " : "", line->word[i]);
        }
        (void)fputs("`: ", stderr);
        va_list args;
        va_start(args, fmt);
        (void)vfprintf(stderr, fmt, args);
        va_end(args);
        (void)fputs("\n", stderr);
    }
    trace.objected = true;
}

_Noreturn static void fail(const char *what)
{
    (void)fprintf(stderr, "ray_traces: %s\n", what);
    exit(2);
}

/* --- words -------------------------------------------------------------------- */

static bool is(const struct line *line, const char *word)
{
    return strcmp(line->word[0], word) == 0;
}

static bool is_event(const struct line *line)
{
    return is(line, "result") || is(line, "finish") || is(line, "fail");
}

static double real(int index, int word)
{
    const struct line *line = &trace.lines[index];
    if (word >= line->words) {
        fail("a line lacks a word");
    }
    double value = strtod(line->word[word], NULL);
    bool wrong = index == trace.altered && word == trace.altered_word;
    return wrong ? value + 1 : value;
}

static int64_t whole(int index, int word)
{
    return (int64_t)real(index, word);
}

static uint32_t trial_of(int index, int word)
{
    int64_t number = whole(index, word);
    return number < 0 || number >= TRIALS_MAX ? TRIALS_MAX : (uint32_t)number;
}

/* The next answer of this kind after a line, to the present event; -1: none. */
static int next_answer(const char *kind, int after)
{
    for (int i = after + 1; i < trace.count && !is_event(&trace.lines[i]);
         i++) {
        bool out = i == trace.altered && trace.altered_word == 0;
        if (is(&trace.lines[i], kind) && !out) {
            return i;
        }
    }
    return -1;
}

/* The trials that a line names. */
static uint64_t set_of(int index)
{
    uint64_t set = 0;
    for (int i = 1; index >= 0 && i < trace.lines[index].words; i++) {
        uint32_t trial = trial_of(index, i);
        set |= trial < TRIALS_MAX ? UINT64_C(1) << trial : 0;
    }
    return set;
}

/* --- drawing as Ray has drawn ----------------------------------------------------- */

static bool same_config(const struct pbt_cell *cells, int line, int word)
{
    return pbt_cell_same(cells[X], pbt_cell_real(real(line, word))) &&
           pbt_cell_same(cells[B], pbt_cell_int(whole(line, word + 1))) &&
           pbt_cell_same(cells[L], pbt_cell_int(whole(line, word + 2)));
}

/* An exploit is due: of whom it may be in ours; and then the one that Ray has made. */
static void follow_exploit(int line, int donors_line, struct pbt_record *record)
{
    uint64_t donors = 0;
    uint64_t seen_enough = 40 * (uint64_t)settings.population;
    bool found = false;
    uint64_t found_seed = 0;
    for (uint64_t seed = 1; seed < SEEDS && (!found || seed < seen_enough);
         seed++) {
        settings.seed = seed;
        (void)pbt_core_decide(core, NULL, record);
        donors |= UINT64_C(1) << record->donor;
        if (!found && record->donor == trial_of(line, 2) &&
            same_config(record->cells, line, 4)) {
            found = true;
            found_seed = seed;
        }
    }
    if (donors != set_of(donors_line)) {
        object("the donors are not Ray's (ours, in bits: %llx)",
               (unsigned long long)donors);
    }
    if (!found) {
        object("trial %u never becomes the copy that Ray has made",
               record->trial);
        return;
    }
    settings.seed = found_seed;
    (void)pbt_core_decide(core, NULL, record);
    if (record->trial != trial_of(line, 1)) {
        object("trial %u exploits", record->trial);
    } else if (record->donor_iteration != whole(line, 3)) {
        object("the donor's iteration is %lld",
               (long long)record->donor_iteration);
    }
}

/* --- the world --------------------------------------------------------------------- */

static bool apply(const struct pbt_record *record)
{
    if (!pbt_core_apply(core, record)) {
        object("a record does not fit on its state");
    }
    return !trace.objected;
}

/* Starts, loads, saves and ends happen at once. */
static bool answer(uint32_t trial)
{
    struct pbt_command owed = pbt_core_owed(core, trial);
    struct pbt_event event = {.trial = trial,
                              .epoch = owed.epoch,
                              .checkpoint = owed.checkpoint,
                              .can_reset = true};
    struct pbt_record record;
    switch (owed.kind) {
    case PBT_COMMAND_START:
    case PBT_COMMAND_LOAD:
        event.kind = PBT_EVENT_READY;
        break;
    case PBT_COMMAND_SAVE:
        event.kind = PBT_EVENT_SAVED;
        break;
    case PBT_COMMAND_STOP:
    case PBT_COMMAND_KILL:
        event.kind = PBT_EVENT_EXITED;
        event.epoch = owed.process_epoch;
        break;
    case PBT_COMMAND_NONE:
    case PBT_COMMAND_RUN:
    case PBT_COMMAND_HALT:
    case PBT_COMMAND_ASK:
        return false;
    }
    return pbt_core_decide(core, &event, &record) && apply(&record);
}

/* The next answer of each kind is looked for behind these lines. */
struct seen {
    int copied;
    int donors;
    int passed;
};

/* Who exploits, or can't, must be who does so in Ray. */
static void compare_record(struct pbt_record *record, struct seen *seen)
{
    if (record->kind == PBT_RECORD_EXPLOIT) {
        seen->copied = next_answer("exploit", seen->copied);
        seen->donors = next_answer("donors", seen->donors);
        if (seen->copied < 0 || seen->donors < 0) {
            object("trial %u exploits, and not in Ray", record->trial);
            return;
        }
        follow_exploit(seen->copied, seen->donors, record);
    } else if (record->kind == PBT_RECORD_PASS) {
        seen->passed = next_answer("pass", seen->passed);
        if (seen->passed < 0 || record->trial != trial_of(seen->passed, 1)) {
            object("trial %u finds no donor", record->trial);
        }
    }
}

/* Until nothing is left to be decided or done. */
static void settle(void)
{
    struct pbt_record record;
    struct seen seen = {at, at, at};
    bool busy = true;
    while (busy) {
        while (!trace.objected && pbt_core_decide(core, NULL, &record)) {
            compare_record(&record, &seen);
            if (trace.objected || !apply(&record)) {
                return;
            }
        }
        busy = false;
        for (uint32_t i = 0; i < settings.population; i++) {
            busy = answer(i) || busy;
        }
    }
    if (next_answer("exploit", seen.copied) >= 0 ||
        next_answer("pass", seen.passed) >= 0) {
        object("in Ray a trial exploits, or should and can't, and not in ours");
    }
}

/* --- how all stand ------------------------------------------------------------------- */

/* The points of those who train, in their order; on the clock of time_attr, and rounded up
 * to an iteration, as they are granted. */
static void compare_next_points(void)
{
    int line = next_answer("next", at);
    int word = 1;
    for (uint32_t i = 0; i < settings.population; i++) {
        struct pbt_command owed = pbt_core_owed(core, i);
        if (owed.kind != PBT_COMMAND_RUN) {
            continue;
        }
        if (line < 0 || word >= trace.lines[line].words) {
            object("Ray has no next point of trial %u", i);
            return;
        }
        int64_t next = (int64_t)ceil(real(line, word++));
        next = next > owed.iteration ? next : owed.iteration + 1;
        if (owed.until != next) {
            object("the next point of trial %u is at %lld, in Ray at %lld", i,
                   (long long)owed.until, (long long)next);
        }
    }
    if (line >= 0 && word != trace.lines[line].words) {
        object("Ray has more next points than trials that train");
    }
}

static void compare(void)
{
    uint64_t train = 0;
    uint64_t compared = 0;
    for (uint32_t i = 0; i < settings.population; i++) {
        bool runs = pbt_core_owed(core, i).kind == PBT_COMMAND_RUN;
        train |= (uint64_t)runs << i;
        compared |= (uint64_t)pbt_core_trial(core, i).ranked << i;
    }
    int trained = next_answer("train", at);
    if (trained < 0 && trace.altered < 0) {
        return; /* the trace ends where we may differ */
    }
    if (train != set_of(trained)) {
        object("others train (ours, in bits: %llx)", (unsigned long long)train);
    }
    if (compared != set_of(next_answer("compared", at))) {
        object("others are compared (ours, in bits: %llx)",
               (unsigned long long)compared);
    }
    if (settings.time_attr == PBT_TIME_ITERATION) {
        compare_next_points();
    }
}

/* --- playing --------------------------------------------------------------------------- */

static void happen(struct pbt_event *event)
{
    struct pbt_record record;
    if (!pbt_core_decide(core, event, &record)) {
        object("this can't be in ours");
        return;
    }
    int named = next_answer("point", at);
    bool point = named >= 0 && trial_of(named, 1) == event->trial;
    if (record.point != point) {
        object("%s a perturbation point", point ? "in Ray it is" : "it is");
        return;
    }
    if (apply(&record)) {
        settle();
    }
    if (!trace.objected) {
        compare();
    }
}

static void play_event(void)
{
    const struct line *line = &trace.lines[at];
    uint32_t trial = trial_of(at, 1);
    struct pbt_core_trial seen = pbt_core_trial(core, trial);
    struct pbt_event event = {.trial = trial, .epoch = seen.epoch};
    if (is(line, "fail")) {
        event.kind = PBT_EVENT_EXITED;
        event.epoch = seen.process_epoch;
    } else {
        struct pbt_command owed = pbt_core_owed(core, trial);
        event.kind = PBT_EVENT_RESULT;
        event.seq = seen.seq + 1;
        event.iteration = whole(at, 2);
        event.time_total = real(at, 3);
        event.done = is(line, "finish");
        event.score = event.done ? (double)NAN : real(at, 4);
        event.score = minimize ? -event.score : event.score;
        event.halted =
            owed.kind == PBT_COMMAND_RUN && event.iteration >= owed.until;
        event.halted = event.halted || event.done;
    }
    happen(&event);
}

static void begin(void)
{
    static const double factors[] = {1.2, 0.8};
    static struct pbt_cell list[] = {{.type = PBT_CELL_INT, .u.i = 3},
                                     {.type = PBT_CELL_INT, .u.i = 4},
                                     {.type = PBT_CELL_INT, .u.i = 8},
                                     {.type = PBT_CELL_INT, .u.i = 10}};
    static struct pbt_param params[PARAMS] = {
        {.name = "x",
         .mutation = PBT_MUTATION_DOMAIN,
         .mutations = {.kind = PBT_DOMAIN_UNIFORM, .lower = 0, .upper = 1}},
        {.name = "b",
         .mutation = PBT_MUTATION_DOMAIN,
         .mutations = {.kind = PBT_DOMAIN_RANDINT, .lower = 1, .upper = 100}},
        {.name = "l",
         .mutation = PBT_MUTATION_LIST,
         .mutations = {.kind = PBT_DOMAIN_CHOICE,
                       .choices = list,
                       .choice_count = 4}},
    };
    settings = (struct pbt_settings){
        .seed = 1,
        .population = trial_of(0, 1),
        .space = {params, PARAMS},
        .scheduler = PBT_SCHEDULER_PBT,
        .perturbation_interval = real(0, 5),
        .burn_in_period = real(0, 7),
        .quantile_fraction = real(0, 9),
        .synch = whole(0, 11) != 0,
        .time_attr = whole(0, 13) != 0 ? PBT_TIME_SECONDS : PBT_TIME_ITERATION,
        .explore = {.factors = factors,
                    .factor_count = 2,
                    .out_of_range = PBT_RANGE_ALLOW},
        .num_to_keep = 1,
        .points = points,
        .point_count = trial_of(0, 1),
    };
    minimize = whole(0, 15) != 0;
    if (settings.population == 0 || settings.population >= TRIALS_MAX ||
        trace.count <= (int)settings.population) {
        fail("a trace has too many trials, or none");
    }
    for (uint32_t i = 0; i < settings.population; i++) {
        int line = (int)i + 1;
        points[i * PARAMS + X] = pbt_cell_real(real(line, 1));
        points[i * PARAMS + B] = pbt_cell_int(whole(line, 2));
        points[i * PARAMS + L] = pbt_cell_int(whole(line, 3));
    }
    core = pbt_core_create(&settings);
    if (core == NULL) {
        fail("out of memory");
    }
}

static bool play(void)
{
    trace.objected = false;
    begin();
    at = (int)settings.population; /* the last configuration: all are created */
    happen(&(struct pbt_event){.kind = PBT_EVENT_OPENED,
                               .incarnation = 1,
                               .slots = (uint32_t)whole(0, 3)});
    for (at++; at < trace.count && !trace.objected; at++) {
        if (is_event(&trace.lines[at])) {
            play_event();
        }
    }
    const char *wrong = pbt_core_check(core);
    if (wrong != NULL) {
        object("the state is wrong: %s", wrong);
    }
    pbt_core_destroy(core);
    return !trace.objected;
}

/* An exploit's last two numbers may just as well have been drawn otherwise. */
static int last_altered_word(const struct line *line)
{
    return is(line, "exploit") ? 4 : line->words - 1;
}

/* Each answer is left out, and then made wrong in each of its numbers. */
static bool play_altered(void)
{
    trace.quiet = true;
    for (int i = (int)settings.population + 1; i < trace.count; i++) {
        const struct line *line = &trace.lines[i];
        /* Nobody misses a list that is empty. */
        bool empty = line->words == 1;
        int last = is_event(line) || empty ? -1 : last_altered_word(line);
        for (int word = 0; word <= last; word++) {
            trace.altered = i;
            trace.altered_word = word;
            if (play()) {
                (void)fprintf(stderr,
                              "%s:%d: nobody minds that word %d is altered\n",
                              trace.file, line->number, word);
                return false;
            }
        }
    }
    trace.altered = -1;
    trace.quiet = false;
    return true;
}

static void count_trace(void)
{
    total.traces++;
    total.rounds += settings.synch ? 1 : 0;
    total.shares += whole(0, 3) < settings.population ? 1 : 0;
    for (int i = 0; i < trace.count; i++) {
        const struct line *line = &trace.lines[i];
        total.results += is(line, "result") ? 1 : 0;
        total.points += is(line, "point") ? 1 : 0;
        total.exploits += is(line, "exploit") ? 1 : 0;
        total.passes += is(line, "pass") ? 1 : 0;
    }
}

static bool play_trace(bool altered)
{
    if (trace.count == 0) {
        return true;
    }
    if (!play() || (altered && !play_altered())) {
        return false;
    }
    count_trace();
    return true;
}

static void add_line(const char *text, int number)
{
    if (trace.count == LINES_MAX) {
        fail("a trace has too many lines");
    }
    struct line *line = &trace.lines[trace.count++];
    (void)snprintf(line->text, sizeof line->text, "%s", text);
    line->words = 0;
    line->number = number;
    char *rest = line->text;
    for (char *word = strtok_r(rest, " \n", &rest); word != NULL;
         word = strtok_r(NULL, " \n", &rest)) {
        if (line->words == WORDS_MAX) {
            fail("a line has too many words");
        }
        line->word[line->words++] = word;
    }
    trace.count -= line->words == 0 ? 1 : 0;
}

/* One trace after the other: each begins with its settings. */
static bool play_file(const char *name, bool altered)
{
    char text[LINE_SIZE];
    bool good = true;
    FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "r");
    if (file == NULL) {
        fail("a file can't be read");
    }
    trace.file = name;
    trace.count = 0;
    for (int number = 1; good && fgets(text, sizeof text, file) != NULL;
         number++) {
        if (strncmp(text, "trials ", 7) == 0) {
            good = play_trace(altered);
            trace.count = 0;
        }
        if (text[0] != '#') {
            add_line(text, number);
        }
    }
    good = good && play_trace(altered);
    if (file != stdin) {
        (void)fclose(file);
    }
    return good;
}

int main(int argc, char **argv)
{
    bool altered = argc > 1 && strcmp(argv[1], "--altered") == 0;
    trace.altered = -1;
    for (int i = altered ? 2 : 1; i < argc; i++) {
        if (!play_file(argv[i], altered)) {
            return 1;
        }
    }
    if (total.traces == 0) {
        fail("no traces");
    }
    (void)printf("%ld traces agree: %ld results, %ld perturbation points, "
                 "%ld exploits, %ld times no donor; %ld traces of rounds, %ld "
                 "with fewer slots than trials\n",
                 total.traces, total.results, total.points, total.exploits,
                 total.passes, total.rounds, total.shares);
    return 0;
}
