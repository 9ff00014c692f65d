/*
 * change.c: what may change of an experiment between two of its drivers.
 *
 * How and where it is run may.  What its records follow from may not, but for trials that are
 * added and ends that are put further away: no record means anything else then, and what had
 * ended goes on (core/restart.c).  Nothing is remembered of it: RUN/experiment.yaml says
 * what holds, and each `opened` in the journal what held then.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/codes.h"
#include "base/files.h"
#include "journal/lock.h"
#include "run/run.h"
#include "spec/schema.h"

#define NS_PER_S 1e9

bool pbt_run_same_key(const struct pbt_spec *a, const struct pbt_spec *b,
                      int key)
{
    struct pbt_buf first;
    struct pbt_buf second;
    pbt_buf_init(&first, PBT_RUN_SPEC_MAX);
    pbt_buf_init(&second, PBT_RUN_SPEC_MAX);
    pbt_spec_write_key(a, key, &first);
    pbt_spec_write_key(b, key, &second);
    bool same = !pbt_buf_failed(&first) && !pbt_buf_failed(&second) &&
                first.length == second.length &&
                (first.length == 0 ||
                 memcmp(first.data, second.data, first.length) == 0);
    pbt_buf_done(&first);
    pbt_buf_done(&second);
    return same;
}

/* --- stop, stop_all ------------------------------------------------------- */

/* The furthest that a trial has come. */
static double reached(const struct pbt_spec *spec, const struct pbt_core *core,
                      enum pbt_stop_source source)
{
    double most = 0;
    for (uint32_t i = 0; i < spec->settings.population; i++) {
        struct pbt_core_trial trial = pbt_core_trial(core, i);
        most = fmax(most, source == PBT_STOP_ITERATION ? (double)trial.iteration
                                                       : trial.time_total);
    }
    return most;
}

static const char *clock_name(enum pbt_stop_source source)
{
    return source == PBT_STOP_ITERATION ? "training_iteration" : "time_total_s";
}

static bool is_same_criterion(const struct pbt_spec *from,
                              const struct pbt_spec *to, uint32_t i)
{
    const struct pbt_stop *a = &from->settings.stops[i];
    const struct pbt_stop *b = &to->settings.stops[i];
    bool same =
        a->source == b->source && a->at_most == b->at_most && a->all == b->all;
    return same &&
           (a->source != PBT_STOP_VALUE ||
            (a->index == b->index && strcmp(from->value_names[a->index],
                                            to->value_names[b->index]) == 0));
}

/* A bound on a clock that is not behind what was reached. */
static bool is_ahead(const struct pbt_spec *from, const struct pbt_core *core,
                     const struct pbt_stop *stop, char *why, size_t size)
{
    double most = reached(from, core, stop->source);
    if (stop->bound > most) {
        return true;
    }
    (void)snprintf(why, size, "a trial has reached %s %.9g already",
                   clock_name(stop->source), most);
    return false;
}

static bool may_move(const struct pbt_spec *from, const struct pbt_spec *to,
                     const struct pbt_core *core, uint32_t i, char *why,
                     size_t size)
{
    const struct pbt_stop *was = &from->settings.stops[i];
    const struct pbt_stop *now = &to->settings.stops[i];
    if (was->at_most ? now->bound <= was->bound : now->bound >= was->bound) {
        return true;
    }
    if (was->source != PBT_STOP_VALUE) {
        return is_ahead(from, core, now, why, size);
    }
    (void)snprintf(why, size,
                   "a bound on a metric can't come nearer: %s was %.9g",
                   from->value_names[was->index], was->bound);
    return false;
}

/*
 * Records name a criterion by its place in both lists together.  A metric that is looked at
 * only from now on would be missing in the records so far; a clock is in each.
 */
static bool may_change_stops(const struct pbt_spec *from,
                             const struct pbt_spec *to,
                             const struct pbt_core *core, char *why,
                             size_t size)
{
    uint32_t count = from->settings.stop_count;
    for (uint32_t i = 0; i < count; i++) {
        if (i >= to->settings.stop_count || !is_same_criterion(from, to, i)) {
            (void)snprintf(why, size,
                           "criteria stay, and in their order: only their "
                           "bounds move");
            return false;
        }
        if (!may_move(from, to, core, i, why, size)) {
            return false;
        }
    }
    for (uint32_t i = count; i < to->settings.stop_count; i++) {
        const struct pbt_stop *stop = &to->settings.stops[i];
        if (stop->source == PBT_STOP_VALUE) {
            (void)snprintf(why, size,
                           "only training_iteration and time_total_s can be "
                           "added: no other metric was looked at so far");
            return false;
        }
        if (!is_ahead(from, core, stop, why, size)) {
            return false;
        }
    }
    return true;
}

/* --- the keys --------------------------------------------------------------- */

static bool may_change_budget(const struct pbt_spec *to,
                              const struct pbt_core *core, char *why,
                              size_t size)
{
    uint64_t budget = to->settings.time_budget_ns;
    if (budget == 0 || budget > pbt_core_time(core)) {
        return true;
    }
    (void)snprintf(why, size, "%.4g s of it are used already",
                   (double)pbt_core_time(core) / NS_PER_S);
    return false;
}

bool pbt_run_may_change(const struct pbt_spec *from, const struct pbt_spec *to,
                        const struct pbt_core *core, int key, char *why,
                        size_t size)
{
    why[0] = '\0';
    if (pbt_keys[key].change == PBT_CHANGE_FREE) {
        return true;
    }
    switch (key) {
    case PBT_KEY_NUM_SAMPLES:
        (void)snprintf(why, size, "trials can be added, not taken away");
        return to->num_samples >= from->num_samples;
    case PBT_KEY_STOP:
    case PBT_KEY_STOP_ALL:
        return may_change_stops(from, to, core, why, size);
    case PBT_KEY_TIME_BUDGET:
        return may_change_budget(to, core, why, size);
    case PBT_KEY_NAME:
        (void)snprintf(why, size,
                       "its files have this name in them; the directory "
                       "itself may be renamed");
        return false;
    default:
        (void)snprintf(why, size, "what was decided so far follows from it");
        return false;
    }
}

/* --- the file --------------------------------------------------------------- */

/* Under the lock: nobody else has changed it since it was read. */
static int put(const char *path, const struct pbt_spec *from,
               const struct pbt_spec *to, struct pbt_error *error)
{
    char file[PBT_RUN_PATH_SIZE + 32];
    struct pbt_spec there;
    struct pbt_buf text;
    int status = pbt_run_read_spec(path, &there, error);
    if (status != PBT_OK) {
        return status;
    }
    bool same = true;
    for (int key = 0; key < PBT_KEY_COUNT; key++) {
        same = same && (!pbt_key_is_kept(&pbt_keys[key]) ||
                        pbt_run_same_key(from, &there, key));
    }
    pbt_spec_done(&there);
    if (!same) {
        return pbt_fail(error, PBT_E0801,
                        "%s was changed by somebody else just now; look, "
                        "then try again",
                        path);
    }
    pbt_buf_init(&text, PBT_RUN_SPEC_MAX);
    status = pbt_spec_write(to, &text, error);
    (void)snprintf(file, sizeof file, "%s/experiment.yaml", path);
    if (status == PBT_OK) {
        status = pbt_file_replace(file, text.data, text.length, true, error);
    }
    if (status == PBT_OK) {
        struct pbt_files *files = pbt_files_posix();
        status = files->ops->sync_path(files, path, error);
    }
    pbt_buf_done(&text);
    return status;
}

int pbt_run_change(const char *path, const struct pbt_spec *from,
                   const struct pbt_spec *to,
                   void (*say)(void *user, const char *text), void *user,
                   struct pbt_error *error)
{
    struct pbt_lock_settings settings = pbt_lock_settings();
    struct pbt_lock *lock = NULL;
    settings.renew_ns = 0; /* it is over before that */
    settings.say = say;
    settings.user = user;
    int status = pbt_lock_take(&lock, path, &settings, error);
    if (status == PBT_OK) {
        status = put(path, from, to, error);
    }
    pbt_lock_release(lock);
    return status;
}
