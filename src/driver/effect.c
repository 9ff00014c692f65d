#include "driver/effect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/draw.h"

/* So many results in a row are compared: a metric may be measured before its step's update. */
#define STEPS 3
/* After so many checkpoints they must have been equal, and never different in between: what
 * is coarse, an accuracy on few examples say, is equal by chance at times. */
#define PROOFS 4
/* Kept of each trial: those after its last saves. */
#define POINTS 8
/* After so many pairs that differed, and none that was equal, nothing will be found. */
#define DIFFERENT_MAX 64
/* Trials with higher numbers are not looked at. */
#define TRIALS_MAX 1024

/* A result, or the beginning of a trial's line: what it is the copy of. */
struct point {
    uint64_t digest; /* of all that it reports */
    double score;
    int64_t iteration;
    uint64_t step;                       /* counts the line's results */
    struct pbt_checkpoint_id checkpoint; /* of this state; number 0: none */
    bool copied;                         /* by another trial */
    bool fresh; /* a process was started to go on from here */
};

/* A trial, for as long as its configuration and its weights are of one line. */
struct line {
    struct pbt_cell *cells; /* space.count */
    struct point last;
    bool known;                  /* `last` is */
    struct point points[POINTS]; /* oldest first */
    uint32_t count;
    uint32_t wanted; /* so many of the next results are kept */
};

struct verdict {
    bool ignored;
    bool acts; /* it has made a difference, by itself */
    uint32_t proofs;
    struct pbt_checkpoint_id last; /* where the last one was found */
};

struct pbt_effect {
    const struct pbt_settings *settings;
    uint32_t trials;
    struct line *lines;
    struct pbt_cell *cells; /* of all of them */
    struct verdict *verdicts;
    bool *accused; /* of the finding */
    struct pbt_effect_finding finding;
    uint32_t different;
    bool over; /* there is nothing left to be found */
};

struct pbt_effect *pbt_effect_create(const struct pbt_settings *settings)
{
    size_t params = settings->space.count;
    struct pbt_effect *effect = calloc(1, sizeof *effect);
    if (effect == NULL) {
        return NULL;
    }
    effect->settings = settings;
    effect->trials =
        settings->population < TRIALS_MAX ? settings->population : TRIALS_MAX;
    effect->over = settings->scheduler != PBT_SCHEDULER_PBT || params == 0;
    if (effect->over) {
        return effect;
    }
    effect->lines = calloc(effect->trials, sizeof *effect->lines);
    effect->cells = calloc(effect->trials * params, sizeof *effect->cells);
    effect->verdicts = calloc(params, sizeof *effect->verdicts);
    effect->accused = calloc(params, sizeof *effect->accused);
    if (effect->lines == NULL || effect->cells == NULL ||
        effect->verdicts == NULL || effect->accused == NULL) {
        pbt_effect_destroy(effect);
        return NULL;
    }
    effect->finding.ignored = effect->accused;
    for (uint32_t i = 0; i < effect->trials; i++) {
        effect->lines[i].cells = effect->cells + i * params;
    }
    return effect;
}

void pbt_effect_destroy(struct pbt_effect *effect)
{
    if (effect == NULL) {
        return;
    }
    free(effect->lines);
    free(effect->cells);
    free(effect->verdicts);
    free(effect->accused);
    free(effect);
}

const struct pbt_effect_finding *
pbt_effect_finding(const struct pbt_effect *effect)
{
    return &effect->finding;
}

/* --- what a result reports -------------------------------------------------- */

static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static uint64_t bits_of(double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

/* Words of names whose values are of the machine, not of what is trained. */
static bool is_clock_word(const char *word, size_t length)
{
    static const char *const words[] = {
        "clock",  "cpu",     "date",   "duration", "elapsed",    "eta",
        "fps",    "gpu",     "host",   "hours",    "latency",    "mem",
        "memory", "minutes", "ms",     "ns",       "pid",        "rss",
        "s",      "sec",     "second", "seconds",  "secs",       "speed",
        "timers", "times",   "timing", "timings",  "throughput", "timestamp",
        "us",     "util",    "vram",   "wall",
    };
    if (length >= 4 && strncasecmp(word + length - 4, "time", 4) == 0) {
        return true; /* time, walltime, runtime */
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strlen(words[i]) == length &&
            strncasecmp(words[i], word, length) == 0) {
            return true;
        }
    }
    return false;
}

/* "step_time", "Samples/s" */
static bool is_clock(const char *name)
{
    static const char word[] = "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    while (*name != '\0') {
        size_t length = strspn(name, word);
        if (is_clock_word(name, length)) {
            return true;
        }
        name += length > 0 ? length : 1;
    }
    return false;
}

/* Trainables report what they were given, too, and would so differ in that. */
static bool is_echo(const struct pbt_effect *effect, const struct line *line,
                    double number)
{
    for (uint32_t i = 0; i < effect->settings->space.count; i++) {
        if (pbt_cell_is_number(line->cells[i]) &&
            pbt_cell_number(line->cells[i]) == number) {
            return true;
        }
    }
    return false;
}

/* A sum: the order of members is nothing that a trainable means. */
static uint64_t digest_members(const struct pbt_effect *effect,
                               const struct line *line, const json_t *object,
                               uint64_t name)
{
    uint64_t sum = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        uint64_t inner = hash_text(hash_text(name, "/"), key);
        if (is_clock(key)) {
            continue;
        }
        if (json_is_object(value)) {
            sum += digest_members(effect, line, value, inner);
        } else if (json_is_boolean(value)) {
            sum += pbt_mix(inner, json_is_true(value) ? 1 : 2);
        } else if (json_is_number(value) &&
                   !is_echo(effect, line, json_number_value(value))) {
            sum += pbt_mix(inner, bits_of(json_number_value(value)));
        }
    }
    return sum;
}

/* The score counts, whatever its name is. */
static uint64_t digest(const struct pbt_effect *effect, const struct line *line,
                       double score, const json_t *metrics)
{
    return digest_members(effect, line, metrics, 0) +
           pbt_mix(0, bits_of(score));
}

/* --- lines -------------------------------------------------------------------- */

static bool same_id(struct pbt_checkpoint_id a, struct pbt_checkpoint_id b)
{
    return a.trial == b.trial && a.number == b.number;
}

static struct point *find(struct line *line, struct pbt_checkpoint_id id)
{
    for (uint32_t i = 0; i < line->count; i++) {
        if (same_id(line->points[i].checkpoint, id)) {
            return &line->points[i];
        }
    }
    return NULL;
}

static struct point *push(struct line *line, const struct point *point)
{
    if (line->count == POINTS) {
        memmove(line->points, line->points + 1,
                (POINTS - 1) * sizeof *line->points);
        line->count--;
    }
    line->points[line->count] = *point;
    return &line->points[line->count++];
}

/* What it has now is of another line. */
static void begin_line(struct pbt_effect *effect, struct line *line,
                       const struct pbt_cell *cells)
{
    memcpy(line->cells, cells,
           effect->settings->space.count * sizeof *line->cells);
    line->count = 0;
    line->wanted = 0;
    line->known = false;
}

/* What it goes on from is the last point, from now on. */
static void stand_on(struct line *line, const struct point *point)
{
    line->last = *point;
    line->known = true;
    line->wanted = STEPS;
}

static void feed_exploit(struct pbt_effect *effect,
                         const struct pbt_record *record)
{
    struct line *line = &effect->lines[record->trial];
    struct point from = {.score = record->donor_score,
                         .iteration = record->donor_iteration,
                         .checkpoint = record->checkpoint};
    struct point *given =
        record->donor < effect->trials
            ? find(&effect->lines[record->donor], record->checkpoint)
            : NULL;
    if (given != NULL) {
        given->copied = true;
    }
    begin_line(effect, line, record->cells);
    stand_on(line, push(line, &from));
}

static void feed_saved(struct line *line, struct pbt_checkpoint_id checkpoint)
{
    if (!line->known) {
        return;
    }
    struct point *newest =
        line->count == 0 ? NULL : &line->points[line->count - 1];
    if (newest == NULL || newest->step != line->last.step) {
        newest = push(line, &line->last);
    }
    newest->checkpoint = checkpoint;
    stand_on(line, newest);
}

static bool same_cells(const struct pbt_effect *effect, const struct line *line,
                       const struct pbt_cell *cells)
{
    bool same = true;
    for (uint32_t i = 0; i < effect->settings->space.count; i++) {
        same = same && pbt_cell_same(line->cells[i], cells[i]);
    }
    return same;
}

/* A process is started, from where it is or further back. */
static void feed_start(struct pbt_effect *effect,
                       const struct pbt_record *record)
{
    struct line *line = &effect->lines[record->trial];
    if (!line->known || !same_cells(effect, line, record->cells)) {
        begin_line(effect, line, record->cells);
        return;
    }
    while (line->count > 0 &&
           line->points[line->count - 1].iteration > record->iteration) {
        line->count--;
    }
    struct point *newest =
        line->count == 0 ? NULL : &line->points[line->count - 1];
    if (newest != NULL && newest->iteration == record->iteration) {
        newest->fresh = true;
        stand_on(line, newest);
    } else if (line->last.iteration != record->iteration) {
        line->known = false;
    }
}

/* --- comparing ------------------------------------------------------------------ */

/* The results that follow on a point; NULL: they aren't all there. */
static const struct point *after(const struct line *line,
                                 const struct point *from)
{
    const struct point *end = line->points + line->count;
    const struct point *next = from + 1;
    if (end - next < STEPS || next[STEPS - 1].step != from->step + STEPS) {
        return NULL;
    }
    return next;
}

static bool was_fresh(const struct point *from)
{
    bool fresh = false;
    for (int i = 0; i < STEPS; i++) {
        fresh = fresh || from[i].fresh;
    }
    return fresh;
}

static void check_over(struct pbt_effect *effect)
{
    bool over = true;
    const struct pbt_space *space = &effect->settings->space;
    for (uint32_t i = 0; i < space->count; i++) {
        const struct verdict *verdict = &effect->verdicts[i];
        over = over && (verdict->acts || verdict->ignored ||
                        !pbt_space_is_explored(space, i));
    }
    effect->over = effect->over || over;
}

/* They differ in one that is known to make a difference. */
static bool differ_in_acting(const struct pbt_effect *effect,
                             const struct line *a, const struct line *b)
{
    for (uint32_t i = 0; i < effect->settings->space.count; i++) {
        if (effect->verdicts[i].acts &&
            !pbt_cell_same(a->cells[i], b->cells[i])) {
            return true;
        }
    }
    return false;
}

/* True: some are accused from now on. */
static bool note_equal(struct pbt_effect *effect, const struct line *a,
                       const struct line *b,
                       struct pbt_checkpoint_id checkpoint)
{
    bool found = false;
    if (differ_in_acting(effect, a, b)) {
        return false; /* and it made none: what is reported is too coarse for that */
    }
    for (uint32_t i = 0; i < effect->settings->space.count; i++) {
        struct verdict *verdict = &effect->verdicts[i];
        effect->accused[i] = false;
        if (pbt_cell_same(a->cells[i], b->cells[i]) || verdict->acts ||
            verdict->ignored || same_id(verdict->last, checkpoint)) {
            continue;
        }
        verdict->last = checkpoint;
        verdict->ignored = ++verdict->proofs == PROOFS;
        effect->accused[i] = verdict->ignored;
        found = found || verdict->ignored;
    }
    effect->different = 0;
    check_over(effect);
    return found;
}

/*
 * One of those that differ has an effect, or there is chance in it; if it is the only one of
 * which nothing is known yet, it has.
 */
static void note_acting(struct pbt_effect *effect, const struct line *a,
                        const struct line *b)
{
    bool explained = differ_in_acting(effect, a, b);
    struct verdict *only = NULL;
    uint32_t count = 0;
    for (uint32_t i = 0; i < effect->settings->space.count; i++) {
        if (!pbt_cell_same(a->cells[i], b->cells[i]) &&
            !effect->verdicts[i].ignored) {
            only = &effect->verdicts[i];
            count++;
            only->proofs = explained ? only->proofs : 0;
        }
    }
    if (count == 1) {
        only->acts = true;
    }
    check_over(effect);
}

/* Both have trained on from the same checkpoint. */
static bool compare(struct pbt_effect *effect, uint32_t one,
                    const struct point *from, uint32_t other,
                    const struct point *from_other)
{
    const struct line *a = &effect->lines[one];
    const struct line *b = &effect->lines[other];
    const struct point *x = after(a, from);
    const struct point *y = after(b, from_other);
    bool equal = true;
    bool goes_on = true;
    if (x == NULL || y == NULL) {
        return false;
    }
    for (int i = 0; i < STEPS; i++) {
        if (x[i].iteration != y[i].iteration || !isfinite(x[i].score) ||
            !isfinite(y[i].score)) {
            return false;
        }
        equal = equal && x[i].digest == y[i].digest;
        goes_on = goes_on && x[i].score != (x + i - 1)->score;
    }
    if (!equal) {
        /* A process that was set up with its values has them, reset_config or not. */
        if (!was_fresh(from) && !was_fresh(from_other)) {
            note_acting(effect, a, b);
        }
        effect->over = effect->over || ++effect->different == DIFFERENT_MAX;
        return false;
    }
    if (!goes_on || !note_equal(effect, a, b, from->checkpoint)) {
        return false;
    }
    effect->finding.trials[0] = one;
    effect->finding.trials[1] = other;
    effect->finding.checkpoint = from->checkpoint;
    effect->finding.first = x[0].iteration;
    effect->finding.last = x[STEPS - 1].iteration;
    return true;
}

/* The last of the results after one of its points is there: who else has them? */
static bool look_around(struct pbt_effect *effect, uint32_t number)
{
    struct line *line = &effect->lines[number];
    if (line->count <= STEPS) {
        return false;
    }
    const struct point *from = &line->points[line->count - 1 - STEPS];
    if (from->checkpoint.number == 0 || after(line, from) == NULL ||
        (from->checkpoint.trial == number && !from->copied)) {
        return false;
    }
    for (uint32_t i = 0; i < effect->trials && !effect->over; i++) {
        const struct point *other =
            i == number ? NULL : find(&effect->lines[i], from->checkpoint);
        if (other != NULL && compare(effect, number, from, i, other)) {
            return true;
        }
    }
    return false;
}

static bool feed_result(struct pbt_effect *effect,
                        const struct pbt_record *record, const json_t *metrics)
{
    struct line *line = &effect->lines[record->trial];
    struct point point = {.score = record->score,
                          .iteration = record->iteration,
                          .step = line->known ? line->last.step + 1 : 0};
    bool keep = line->known && line->wanted > 0;
    if (keep) {
        point.digest = digest(effect, line, record->score, metrics);
        line->wanted--;
        (void)push(line, &point);
    }
    line->last = point;
    line->known = true;
    return keep && look_around(effect, record->trial);
}

bool pbt_effect_feed(struct pbt_effect *effect, const struct pbt_record *record,
                     const json_t *metrics)
{
    if (effect->over || record->trial >= effect->trials) {
        return false;
    }
    struct line *line = &effect->lines[record->trial];
    enum pbt_record_kind kind = record->kind;
    if (kind == PBT_RECORD_RESULT) {
        return feed_result(effect, record, metrics);
    }
    if (kind == PBT_RECORD_SAVED) {
        feed_saved(line, record->checkpoint);
    } else if (kind == PBT_RECORD_START) {
        feed_start(effect, record);
    } else if (kind == PBT_RECORD_EXPLOIT) {
        feed_exploit(effect, record);
    } else if (kind == PBT_RECORD_ADOPT || kind == PBT_RECORD_CHANGE ||
               kind == PBT_RECORD_UNDO) {
        begin_line(effect, line, record->cells);
    }
    return false;
}

bool pbt_effect_note(struct pbt_effect *effect, uint32_t param)
{
    if (effect->verdicts == NULL || effect->verdicts[param].ignored) {
        return false;
    }
    effect->verdicts[param].ignored = true;
    check_over(effect);
    return true;
}
