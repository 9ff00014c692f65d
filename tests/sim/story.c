#include "story.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"
#include "driver/driver.h"
#include "journal/entry.h"
#include "logs.h"

#define JOURNAL "journal"
#define SNAPSHOTS "snapshots"
#define TURNS_MAX 20000
#define NAME_SIZE 64
#define OPENS_MAX 30

struct story {
    struct pbt_sink sink; /* first: a sink is the story */
    struct sim_case c;
    struct pbt_sim *sim;
    struct judge *judge;
    struct logs *logs; /* NULL: without */
    struct pbt_driver *driver;
    bool trace;
    struct story_counts *counts;

    /* All lines that were journalled. */
    struct pbt_buf lines;
    bool replaying;
    bool power_lost; /* since the last whole replay */
    bool skipped;    /* the driver at work has begun from a snapshot */
    size_t
        told; /* bytes of lines that were there at the last acknowledgement */
    size_t replayed; /* of lines, bytes */

    uint32_t
        countdown; /* to the turn point at which the driver dies; 0: none */
    bool killed;
    char verdict[1024];
};

static void fail(struct story *story, const char *what)
{
    judge_object(story->judge, "%s", what);
}

/* --- what is journalled -------------------------------------------------------- */

/* The record of an entry as a line, without what the core never reads. */
static void put_record(const struct story *story, const struct pbt_entry *entry,
                       struct pbt_buf *out)
{
    struct pbt_entry bare = {.record = entry->record};
    pbt_entry_write(&bare, &story->c.spec, out);
}

/*
 * The reader has a fast path for lines in the writer's form; any space leaves it, and must
 * give the same record.
 */
static void check_readers(struct story *story, const struct pbt_entry *entry,
                          const char *line, size_t length)
{
    struct pbt_buf spaced;
    struct pbt_buf fast;
    struct pbt_buf slow;
    struct pbt_entry other;
    struct pbt_error error;
    pbt_buf_init(&spaced, (size_t)1 << 20);
    pbt_buf_init(&fast, (size_t)1 << 20);
    pbt_buf_init(&slow, (size_t)1 << 20);
    pbt_buf_char(&spaced, ' ');
    pbt_buf_put(&spaced, line, length);
    put_record(story, entry, &fast);
    if (pbt_entry_read(&other, &story->c.spec, spaced.data, spaced.length,
                       &error) != PBT_OK) {
        fail(story, error.text);
    } else {
        put_record(story, &other, &slow);
        pbt_entry_done(&other);
        if (strcmp(fast.data, slow.data) != 0) {
            fail(story, "the two ways of reading a record differ");
        }
    }
    pbt_buf_done(&spaced);
    pbt_buf_done(&fast);
    pbt_buf_done(&slow);
}

static int take_line(struct story *story, const char *line, size_t length,
                     bool past, struct pbt_error *error)
{
    struct pbt_entry entry;
    int status = pbt_entry_read(&entry, &story->c.spec, line, length, error);
    if (status != PBT_OK) {
        return status;
    }
    if (story->trace && !past) {
        printf("    %.*s\n", (int)length, line);
    }
    judge_record(story->judge, &entry.record, past);
    if (story->logs != NULL && !past) {
        logs_feed(story->logs, &entry);
        check_readers(story, &entry, line, length);
    }
    pbt_entry_done(&entry);
    return PBT_OK;
}

/* All lines of a text, or PBT_OK after the first that can't be read. */
static void take_lines(struct story *story, const char *lines, size_t length,
                       bool past)
{
    for (size_t at = 0; at < length;) {
        const char *end = memchr(lines + at, '\n', length - at);
        struct pbt_error error;
        size_t line = end == NULL ? length - at : (size_t)(end - lines) - at;
        if (take_line(story, lines + at, line, past, &error) != PBT_OK) {
            fail(story, error.text);
            return;
        }
        at += line + 1;
    }
}

/* What a power loss took is forgotten, and the rest told again. */
static void cut_lines(struct story *story)
{
    if (story->replayed == story->lines.length) {
        return;
    }
    story->counts->cuts++;
    if (story->c.spec.power_durable && story->replayed < story->told) {
        fail(story, "what was acknowledged is gone after a power loss");
    }
    if (story->trace) {
        printf("  the journal was cut by %zu bytes\n",
               story->lines.length - story->replayed);
    }
    judge_cut(story->judge);
    story->lines.length = story->replayed;
    take_lines(story, story->lines.data, story->lines.length, true);
    judge_cut_done(story->judge);
}

static void end_replay(struct story *story)
{
    if (!story->power_lost && story->replayed != story->lines.length) {
        fail(story, "the journal up to the kill is not a prefix of the journal "
                    "after it");
    }
    cut_lines(story);
    if (story->logs != NULL) {
        logs_resume(story->logs, story->lines.data, story->lines.length);
    }
    story->replaying = false;
    story->power_lost = false;
}

/* A snapshot stands for the first records: no power loss can have taken them. */
static int skip_records(struct pbt_sink *sink, uint64_t record,
                        struct pbt_error *error)
{
    struct story *story = (struct story *)sink;
    (void)error;
    for (uint64_t i = 0; i < record; i++) {
        size_t left = story->lines.length - story->replayed;
        const char *at = story->lines.data + story->replayed;
        const char *end = left == 0 ? NULL : memchr(at, '\n', left);
        if (end == NULL) {
            fail(story, "a snapshot is ahead of what was journalled");
            break;
        }
        story->replayed += (size_t)(end - at) + 1;
    }
    story->skipped = true;
    story->counts->snapshots++;
    return PBT_OK;
}

/* At open each old line comes by itself, then the new ones batch by batch. */
static int take_records(struct pbt_sink *sink, const char *lines, size_t length,
                        struct pbt_error *error)
{
    struct story *story = (struct story *)sink;
    (void)error;
    if (story->replaying) {
        size_t left = story->lines.length - story->replayed;
        if (length <= left &&
            memcmp(story->lines.data + story->replayed, lines, length) == 0) {
            story->replayed += length;
            return PBT_OK;
        }
        end_replay(story);
    }
    pbt_buf_put(&story->lines, lines, length);
    take_lines(story, lines, length, false);
    return PBT_OK;
}

/* --- what the world sees --------------------------------------------------------- */

static void see_life(void *user, const struct pbt_sim_life *life)
{
    struct story *story = user;
    if (story->trace) {
        printf("  life %" PRIu64 ".%" PRIu64 " of trial %" PRIu32
               " from checkpoint %" PRIu32 "/%" PRIu32 " at iteration %" PRId64
               " with %s\n",
               life->epoch >> PBT_EPOCH_SHIFT,
               life->epoch & ((UINT64_C(1) << PBT_EPOCH_SHIFT) - 1),
               life->trial, life->checkpoint.trial, life->checkpoint.number,
               life->iteration, life->config);
    }
    judge_life(story->judge, life);
}

static void see_ack(void *user, uint32_t trial, uint64_t epoch, uint64_t seq)
{
    struct story *story = user;
    judge_ack(story->judge, trial, epoch, seq);
    story->told = story->lines.length;
}

static void see_say(void *user, const char *line)
{
    struct story *story = user;
    if (strncmp(line, "warning[W0206]", 14) == 0) {
        story->counts->passed_over++;
    }
    if (story->trace) {
        printf("  says: %s\n", line);
    }
}

static bool dies_at(void *user, enum pbt_turn_point point)
{
    static const char *const NAMES[] = {"gathered", "decided", "appended",
                                        "carried out"};
    struct story *story = user;
    if (story->countdown == 0 || --story->countdown > 0) {
        return false;
    }
    story->killed = true;
    if (story->trace) {
        printf("  the driver dies having %s\n", NAMES[point]);
    }
    return true;
}

/* --- the fold -------------------------------------------------------------------- */

struct fold {
    struct pbt_spec *spec;
    struct pbt_core *core;
    const struct pbt_buf *lines;
    size_t at;
    bool differs;
};

static int fold_line(void *user, const char *line, size_t length,
                     struct pbt_error *error)
{
    struct fold *fold = user;
    struct pbt_entry entry;
    int status = pbt_entry_read(&entry, fold->spec, line, length, error);
    if (status != PBT_OK) {
        return status;
    }
    bool good = pbt_core_apply(fold->core, &entry.record);
    pbt_entry_done(&entry);
    if (length + 1 > fold->lines->length - fold->at ||
        memcmp(fold->lines->data + fold->at, line, length) != 0) {
        fold->differs = true;
    }
    fold->at += length + 1;
    return good ? PBT_OK
                : pbt_error_set(error, PBT_EDATA, "a record can't be applied");
}

/* The live state must be the fold of the journal. */
static void check_fold(struct story *story)
{
    struct pbt_error error;
    struct pbt_journal_info info;
    struct fold fold = {.spec = &story->c.spec,
                        .core = pbt_core_create(&story->c.spec.settings),
                        .lines = &story->lines};
    if (fold.core == NULL) {
        abort();
    }
    int status = pbt_journal_read(pbt_sim_files(story->sim), JOURNAL, fold_line,
                                  &fold, &info, &error);
    if (status != PBT_OK) {
        fail(story, error.text);
    } else if (fold.differs || fold.at != story->lines.length) {
        fail(story, "the journal is not what was given to the sink");
    } else if (pbt_core_digest(fold.core) !=
               pbt_core_digest(pbt_driver_core(story->driver))) {
        fail(story, "the live state is not the fold of its journal");
    }
    pbt_core_destroy(fold.core);
}

/* --- a driver's life -------------------------------------------------------------- */

static int open_driver(struct story *story, const struct driver_life *life)
{
    struct pbt_driver_options options = {
        .files = pbt_sim_files(story->sim),
        .journal_dir = JOURNAL,
        .snapshot_dir = story->c.snapshot_every > 0 ? SNAPSHOTS : NULL,
        .snapshot_every = story->c.snapshot_every,
        .slots = life->slots,
        .wall_ns = INT64_C(1700000000000000000),
        .pid = 4711,
        .host = "sim",
        .sink = &story->sink,
        .checkpoint_check = pbt_sim_checkpoint_check,
        .sweep = pbt_sim_sweep,
        .checkpoint_user = story->sim,
        .say = see_say,
        .say_user = story,
        .dies_at = dies_at,
        .dies_user = story,
    };
    struct pbt_error error;
    story->counts->opens++;
    story->replaying = true;
    story->replayed = 0;
    story->skipped = false;
    int status = pbt_driver_open(&story->driver, &story->c.spec,
                                 pbt_sim_world(story->sim), &options, &error);
    story->killed = story->killed || pbt_sim_died(story->sim);
    if (status != PBT_OK) {
        story->driver = NULL;
        if (!story->killed) {
            fail(story, error.text);
        }
        return status;
    }
    if (story->replaying) {
        fail(story, "an opened driver has journalled nothing");
    }
    judge_batch(story->judge, pbt_driver_core(story->driver));
    if (story->skipped) {
        check_fold(story);
    }
    return status;
}

static void begin_doom(struct story *story, const struct driver_life *life)
{
    story->killed = false;
    story->countdown = life->doom == DOOM_POINT ? life->when : 0;
    if (life->doom == DOOM_FILE) {
        pbt_sim_die_at(story->sim, life->when);
    }
    if (life->doom == DOOM_SYNC) {
        pbt_sim_fail_sync(story->sim, life->when);
    }
    if (story->trace) {
        printf("a driver with %" PRIu32 " slots%s\n", life->slots,
               life->capacity_changes ? ", which change" : "");
    }
}

static void change_capacity(struct story *story, const struct driver_life *life)
{
    if (life->capacity_changes) {
        pbt_sim_ask_capacity(story->sim, life->change_after_ns,
                             life->changed_slots);
        pbt_sim_ask_capacity(story->sim,
                             life->change_after_ns + life->change_for_ns,
                             life->slots);
    }
}

static void ask(struct story *story, const struct driver_life *life)
{
    for (uint32_t i = 0; i < life->request_count; i++) {
        const struct user_request *request = &life->requests[i];
        if (story->trace) {
            printf("  the user will ask after %g s: %s, trial %" PRId64 "\n",
                   (double)request->after_ns * 1e-9,
                   pbt_control_name(request->kind),
                   request->trial == PBT_ALL_TRIALS ? -1
                                                    : (int64_t)request->trial);
        }
        pbt_sim_ask_request(story->sim, request->after_ns, request->kind,
                            request->trial);
    }
}

/* Where all is paused nothing happens any more, until the user lets it go on. */
static void wake(struct story *story)
{
    if (pbt_core_idle(pbt_driver_core(story->driver))) {
        story->counts->idle++;
        pbt_sim_ask_request(story->sim, story->c.rates.step_ns,
                            PBT_CONTROL_RESUME, PBT_ALL_TRIALS);
    }
}

static void finish(struct story *story)
{
    struct pbt_error error;
    int status = pbt_driver_finish(story->driver, &error);
    story->killed = story->killed || pbt_sim_died(story->sim);
    if (status != PBT_OK && !story->killed) {
        fail(story, error.text);
    }
}

/* Turns until the driver finishes or dies; false if it did neither. */
static bool turn_on(struct story *story, const struct driver_life *life,
                    bool last)
{
    /* As pbt_driver_run() does: there may be nothing to wait for. */
    bool finished = pbt_driver_finished(story->driver);
    for (uint32_t turn = 1; turn <= TURNS_MAX; turn++) {
        struct pbt_error error;
        if (last && turn == story->c.calm_after + 1) {
            pbt_sim_calm(story->sim);
        }
        if (life->doom == DOOM_STOP && turn == life->when) {
            pbt_sim_ask_stop(story->sim);
            story->counts->stops++;
        }
        story->counts->turns++;
        wake(story);
        int status = finished
                         ? PBT_OK
                         : pbt_driver_turn(story->driver, &finished, &error);
        story->killed = story->killed || pbt_sim_died(story->sim);
        if (status == PBT_EIO && life->doom == DOOM_SYNC) {
            story->killed = true; /* as it should */
        }
        if (status != PBT_OK) {
            if (!story->killed) {
                fail(story, error.text);
            }
            return true;
        }
        judge_batch(story->judge, pbt_driver_core(story->driver));
        if (story->logs != NULL) {
            logs_compare(story->logs, pbt_driver_core(story->driver));
        }
        if (finished) {
            finish(story);
        }
        if (finished || judge_verdict(story->judge) != NULL) {
            return true;
        }
    }
    return false;
}

static void find_newest(void *user, const char *name)
{
    char *newest =
        user; /* they are as long as each other, with zeros in front */
    if (strcmp(name, newest) > 0) {
        (void)snprintf(newest, NAME_SIZE, "%s", name);
    }
}

/* The newest one loses its end, or a bit of it is turned over. */
static void damage_snapshot(struct story *story)
{
    struct pbt_files *files = pbt_sim_files(story->sim);
    char newest[NAME_SIZE] = "";
    char path[NAME_SIZE + sizeof SNAPSHOTS];
    struct pbt_buf bytes;
    (void)files->ops->list(files, SNAPSHOTS, find_newest, newest, NULL);
    if (newest[0] == '\0') {
        return;
    }
    (void)snprintf(path, sizeof path, SNAPSHOTS "/%s", newest);
    pbt_buf_init(&bytes, (size_t)1 << 28);
    if (files->ops->read(files, path, 0, (size_t)1 << 27, &bytes, NULL) !=
        PBT_OK) {
        abort();
    }
    size_t at = (size_t)(pbt_sim_draw(story->sim) * (double)bytes.length);
    if (pbt_sim_draw(story->sim) < 0.5 || bytes.length == 0) {
        bytes.length = at; /* before, too, if there was nothing in it */
    } else {
        bytes.data[at] = (char)(bytes.data[at] ^ 4);
    }
    if (files->ops->replace(files, path, bytes.data, bytes.length, NULL) !=
        PBT_OK) {
        abort();
    }
    if (story->trace) {
        printf("  %s is damaged at byte %zu\n", path, at);
    }
    pbt_buf_done(&bytes);
}

static void bury(struct story *story, bool power)
{
    pbt_driver_close(story->driver);
    story->driver = NULL;
    if (story->trace) {
        printf("%s\n", power ? "power loss" : "killed");
    }
    if (power) {
        pbt_sim_power_loss(story->sim);
        story->power_lost = true;
        story->counts->power_losses++;
    } else {
        pbt_sim_kill(story->sim);
        story->counts->deaths++;
    }
    if (story->logs != NULL) {
        logs_die(story->logs, power);
    }
    if (pbt_sim_draw(story->sim) < story->c.snapshot_damage) {
        damage_snapshot(story);
    }
}

/* --- the end ------------------------------------------------------------------------ */

/* True if nothing is left to be done for any driver. */
static bool is_over(const struct story *story)
{
    enum pbt_end end = pbt_core_end(pbt_driver_core(story->driver));
    return end != PBT_END_INTERRUPTED && end != PBT_END_FAILED;
}

/* More trials, as many as the judge can look after. */
static uint32_t more_trials(const struct story *story)
{
    const struct pbt_settings *settings = &story->c.spec.settings;
    uint32_t more = (uint32_t)(4 * pbt_sim_draw(story->sim));
    uint32_t room = JUDGE_TRIALS - settings->population;
    return settings->scheduler == PBT_SCHEDULER_REPLAY ? 0
           : more < room                               ? more
                                                       : room;
}

/*
 * Between two drivers the user adds trials and puts the ends further away; by how much is a
 * matter of the seed alone.
 */
static void extend(struct story *story)
{
    struct pbt_settings *settings = &story->c.spec.settings;
    story->c.extensions--;
    uint32_t added = more_trials(story);
    settings->population += added;
    if (!pbt_sim_grow(story->sim)) {
        abort();
    }
    double by = 1 + floor(10 * pbt_sim_draw(story->sim));
    for (uint32_t i = 0; i < settings->stop_count; i++) {
        struct pbt_stop *stop = &settings->stops[i];
        double more = stop->source == PBT_STOP_ITERATION ? by
                      : stop->source == PBT_STOP_SECONDS
                          ? by * (double)story->c.rates.step_ns * 1e-9
                          : by / 10;
        stop->bound += stop->at_most ? -more : more;
    }
    if (settings->time_budget_ns > 0) {
        settings->time_budget_ns += (uint64_t)by * story->c.rates.step_ns;
    }
    judge_extend(story->judge, story->killed);
    story->counts->extensions++;
    if (story->trace) {
        printf("  the user adds %" PRIu32
               " trials and puts the ends further away by %g\n",
               added, by);
    }
}

/* Mostly when it is over, but also in the middle of it. */
static bool is_extended(const struct story *story, bool over)
{
    return story->c.extensions > 0 &&
           (over || pbt_sim_draw(story->sim) < story->c.early_extensions);
}

static void live_on(struct story *story)
{
    uint32_t life = 0;
    for (uint32_t opens = 0; opens < OPENS_MAX; opens++) {
        bool last = life == story->c.life_count;
        const struct driver_life *now = &story->c.lives[life];
        life += last ? 0 : 1;
        begin_doom(story, now);
        if (last && story->c.calm_after == 0) {
            pbt_sim_calm(story->sim);
        }
        bool ended = true;
        if (open_driver(story, now) == PBT_OK) {
            change_capacity(story, now);
            ask(story, now);
            ended = turn_on(story, now, last);
        }
        if (!ended) {
            fail(story, "the run does not come to an end");
        }
        if (judge_verdict(story->judge) != NULL) {
            return;
        }
        bool over = false;
        if (!story->killed) {
            check_fold(story);
            over = is_over(story);
        }
        if (over) {
            judge_end(story->judge, pbt_driver_core(story->driver));
            if (judge_verdict(story->judge) != NULL ||
                story->c.extensions == 0) {
                return;
            }
        }
        bury(story, story->killed && now->power);
        if (is_extended(story, over)) {
            extend(story);
        }
    }
    fail(story, "the run does not come to an end, however often it is resumed");
}

static void begin(struct story *story, const struct story_ask *ask,
                  struct story_counts *counts)
{
    memset(story, 0, sizeof *story);
    story->sink.records = take_records;
    story->sink.skipped = skip_records;
    story->trace = ask->trace;
    story->counts = counts;
    pbt_buf_init(&story->lines, (size_t)1 << 28);
    case_draw(&story->c, ask->seed, ask->keeping);
    if (ask->trace) {
        case_print(&story->c);
    }
    story->sim = pbt_sim_create(&story->c.spec, ask->seed, &story->c.rates);
    if (story->sim == NULL) {
        abort();
    }
    story->judge = judge_create(&story->c.spec, story->sim);
    pbt_sim_on_life(story->sim, see_life, story);
    pbt_sim_on_ack(story->sim, see_ack, story);
    if (ask->scratch != NULL) {
        story->logs = logs_create(ask->scratch, &story->c.spec, ask->seed);
    }
}

const char *story_run(const struct story_ask *ask, struct story_counts *counts)
{
    static struct story story;
    begin(&story, ask, counts);
    live_on(&story);
    if (story.logs != NULL && judge_verdict(story.judge) == NULL) {
        logs_check(story.logs, story.lines.data, story.lines.length);
    }
    if (story.logs != NULL) {
        logs_clean(story.logs);
        const char *wrong = logs_verdict(story.logs);
        if (wrong != NULL) {
            fail(&story, wrong);
        }
    }
    const char *verdict = judge_verdict(story.judge);
    if (verdict != NULL) {
        (void)snprintf(story.verdict, sizeof story.verdict, "%s", verdict);
    }
    judge_add_counts(story.judge, &counts->judged);
    logs_destroy(story.logs);
    pbt_driver_close(story.driver);
    judge_destroy(story.judge);
    pbt_sim_destroy(story.sim);
    pbt_buf_done(&story.lines);
    case_done(&story.c);
    return story.verdict[0] == '\0' ? NULL : story.verdict;
}
