/*
 * pbt best: the best trial of a run, its configuration and its checkpoint.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/names.h"
#include "checkpoint/checkpoint.h"
#include "cli/results.h"

/* The words of --scope, in the order of enum pbt_scope. */
const char *const pbt_cli_scope_words[] = {
#define SCOPE_WORD(name, text, meaning) text,
    PBT_SCOPE_MAP(SCOPE_WORD)
#undef SCOPE_WORD
        NULL};

static struct pbt_best_query query_of(const struct pbt_cli_call *call)
{
    const char *mode = pbt_cli_value(call, "mode");
    const char *scope = pbt_cli_value(call, "scope");
    struct pbt_best_query query = {.version = PBT_BEST_QUERY_INIT,
                                   .metric = pbt_cli_value(call, "metric")};
    if (mode != NULL) {
        query.mode = strcmp(mode, "min") == 0 ? PBT_MODE_MIN : PBT_MODE_MAX;
    }
    for (unsigned i = 0; scope != NULL && pbt_cli_scope_words[i] != NULL; i++) {
        if (strcmp(scope, pbt_cli_scope_words[i]) == 0) {
            query.scope = i;
        }
    }
    return query;
}

static void put_text(struct pbt_buf *out, const struct pbt_best *best)
{
    const struct pbt_checkpoint_info *checkpoint = best->checkpoint;
    pbt_buf_printf(out, "trial       %s\n", best->trial->id);
    pbt_buf_printf(out, "%-11s %.6g at iteration %" PRId64 " (%s; scope %s)\n",
                   best->metric, best->value, best->iteration,
                   best->mode == PBT_MODE_MIN ? "min" : "max",
                   pbt_scope_name(best->scope));
    pbt_cli_put_config(out, "config      ", best->config);
    if (checkpoint == NULL) {
        pbt_buf_text(out, "checkpoint  none was saved\n");
        return;
    }
    pbt_buf_printf(out, "checkpoint  %s (iteration %" PRId64, checkpoint->path,
                   checkpoint->iteration);
    if (isfinite(best->checkpoint_value)) {
        pbt_buf_printf(out, ", %s %.6g", best->metric, best->checkpoint_value);
    }
    pbt_buf_text(out, ")\n");
}

static void put_json(struct pbt_buf *out, const struct pbt_results *results,
                     const struct pbt_best *best)
{
    pbt_buf_text(out, "{\"version\":1");
    pbt_cli_json_text(out, "metric", best->metric);
    pbt_cli_json_text(out, "mode", best->mode == PBT_MODE_MIN ? "min" : "max");
    pbt_cli_json_text(out, "scope", pbt_scope_name(best->scope));
    pbt_cli_json_real(out, "value", best->value);
    pbt_buf_printf(out,
                   ",\"iteration\":%" PRId64 ",\"config\":%s,\"checkpoint\":",
                   best->iteration, pbt_config_json(best->config));
    pbt_cli_json_checkpoint(out, results, best->checkpoint);
    pbt_cli_json_real(out, "checkpoint_value", best->checkpoint_value);
    pbt_buf_text(out, ",\"trial\":");
    pbt_cli_json_trial(out, results, best->trial);
    pbt_buf_text(out, "}\n");
}

/* --- --export ----------------------------------------------------------------- */

/*
 * Under a temporary name beside `to` first: what is there under its own name is whole.  The sums
 * are looked at afterwards: retention may delete it under our hands.
 */
static int copy_checkpoint(const char *from, const char *to,
                           struct pbt_error *error)
{
    char temporary[PATH_MAX];
    int length =
        snprintf(temporary, sizeof temporary, "%s.%ld.tmp", to, (long)getpid());
    if (length < 0 || (size_t)length >= sizeof temporary) {
        return pbt_fail(error, PBT_E0707, "the path %s is too long", to);
    }
    int status = pbt_checkpoint_copy(from, temporary, error);
    if (status == PBT_OK) {
        status = pbt_checkpoint_verify(from, error);
    }
    if (status == PBT_OK && rename(temporary, to) != 0) {
        status = pbt_fail(error, PBT_E0853, "can't make %s: %s", to,
                          strerror(errno));
    }
    if (status != PBT_OK) {
        struct pbt_error ignored;
        (void)pbt_checkpoint_delete(temporary, &ignored);
    }
    return status;
}

static int export(const struct pbt_results *results,
                  const struct pbt_best *best, const char *to,
                  struct pbt_error *error)
{
    char path[PATH_MAX];
    struct stat there;
    if (best->checkpoint == NULL) {
        return pbt_fail(error, PBT_E0852, "trial %s of %s has no checkpoint",
                        best->trial->id, pbt_results_run(results)->dir);
    }
    size_t length = strlen(to);
    while (length > 1 && to[length - 1] == '/') {
        length--;
    }
    int written = snprintf(path, sizeof path, "%.*s", (int)length, to);
    if (written <= 0 || (size_t)written >= sizeof path) {
        return pbt_fail(error, PBT_E0853, "`%s` is no name for a directory",
                        to);
    }
    if (lstat(path, &there) == 0) {
        return pbt_fail(error, PBT_E0853,
                        "%s is there already: give the name of a new directory",
                        path);
    }
    char *slash = strrchr(path, '/');
    if (slash != NULL && slash != path) {
        *slash = '\0';
        if (stat(path, &there) != 0) {
            return pbt_fail(error, PBT_E0853, "can't make %s in %s: %s",
                            slash + 1, path, strerror(errno));
        }
        *slash = '/';
    }
    return copy_checkpoint(best->checkpoint->path, path, error);
}

/* --- the verb ----------------------------------------------------------------- */

int pbt_cli_best(const struct pbt_cli_call *call)
{
    char dir[PATH_MAX];
    struct pbt_error error;
    struct pbt_results *results;
    const struct pbt_best *best;
    struct pbt_buf out;
    struct pbt_best_query query = query_of(call);
    const char *to = pbt_cli_value(call, "export");
    int status = pbt_cli_open_results(call, dir, &results);
    if (status != PBT_OK) {
        return status;
    }
    status = pbt_results_best(results, &query, &best, &error);
    if (status == PBT_OK && to != NULL) {
        status = export(results, best, to, &error);
    }
    if (status == PBT_OK) {
        pbt_buf_init(&out, PBT_CLI_OUTPUT_MAX);
        if (pbt_cli_given(call, "json")) {
            put_json(&out, results, best);
        } else {
            put_text(&out, best);
            if (to != NULL) {
                pbt_buf_printf(&out, "exported    %s\n", to);
            }
        }
        status = pbt_cli_print(&out);
    } else {
        bool about_metric =
            query.metric != NULL && strcmp(pbt_error_id(&error), "E0850") == 0;
        status = about_metric ? pbt_cli_fail_at(&error, query.metric, NULL)
                              : pbt_cli_fail(&error);
    }
    pbt_results_close(results);
    return status;
}
