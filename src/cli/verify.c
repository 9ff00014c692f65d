/*
 * pbt verify: a run's journal and checkpoints against their sums.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/printable.h"
#include "cli/results.h"
#include "cli/upkeep.h"
#include "upkeep/upkeep.h"

struct report {
    bool json;
    struct pbt_buf troubles;
    struct pbt_cli_meter meter;
};

static void show_progress(void *user, uint32_t done, uint32_t all,
                          uint64_t bytes)
{
    struct report *report = user;
    pbt_cli_meter_show(&report->meter, done, all, bytes);
}

static void add_trouble(void *user, const char *path, const char *what)
{
    struct report *report = user;
    struct pbt_buf *out = &report->troubles;
    if (!report->json) {
        pbt_buf_printf(out, "damaged     %s: %s\n", path, what);
        return;
    }
    pbt_buf_text(out, out->length > 0 ? ",{\"path\":" : "{\"path\":");
    pbt_buf_json_string(out, path, strlen(path));
    pbt_cli_json_text(out, "what", what);
    pbt_buf_char(out, '}');
}

static void put_json(struct pbt_buf *out, const char *run,
                     const struct pbt_verified *verified,
                     const struct pbt_buf *troubles)
{
    bool whole = verified->damage.status == PBT_OK && verified->damaged == 0;
    pbt_buf_printf(out, "{\"version\":1,\"whole\":%s",
                   whole ? "true" : "false");
    pbt_cli_json_text(out, "dir", run);
    pbt_buf_printf(out,
                   ",\"journal\":{\"segments\":%" PRIu64 ",\"records\":%" PRIu64
                   ",\"torn_bytes\":%" PRIu64 ",\"damage\":",
                   verified->journal.segments, verified->journal.records,
                   verified->journal.torn);
    if (verified->damage.status == PBT_OK) {
        pbt_buf_text(out, "null");
    } else {
        pbt_buf_json_string(out, verified->damage.text,
                            strlen(verified->damage.text));
    }
    pbt_buf_printf(out,
                   "},\"checkpoints\":{\"count\":%" PRIu32 ",\"bytes\":%" PRIu64
                   ",\"damaged\":%" PRIu32 "},\"damaged\":[",
                   verified->checkpoints, verified->bytes, verified->damaged);
    pbt_buf_put(out, troubles->data, troubles->length);
    pbt_buf_text(out, "]}\n");
}

static void put_text(struct pbt_buf *out, const struct pbt_verified *verified,
                     const struct pbt_buf *troubles)
{
    const struct pbt_journal_info *journal = &verified->journal;
    char size[PBT_BYTES_TEXT_SIZE];
    pbt_buf_put(out, troubles->data, troubles->length);
    pbt_buf_printf(out, "journal     %" PRIu64 " records in %" PRIu64 " file%s",
                   journal->records, journal->segments,
                   journal->segments == 1 ? "" : "s");
    pbt_buf_text(out, verified->damage.status == PBT_OK
                          ? ": whole\n"
                          : " are whole, before it is damaged\n");
    if (verified->damage.status == PBT_OK && journal->torn > 0) {
        pbt_buf_printf(out,
                       "            %" PRIu64
                       " bytes were being written when a "
                       "driver died: they don't count\n",
                       journal->torn);
    }
    pbt_bytes_text(verified->bytes, size);
    pbt_buf_printf(out, "checkpoints %" PRIu32 ", %s: ", verified->checkpoints,
                   size);
    if (verified->damaged == 0) {
        pbt_buf_text(out, "whole\n");
    } else {
        pbt_buf_printf(out, "%" PRIu32 " damaged\n", verified->damaged);
    }
}

/* The exit code, and what it is for. */
static int judge(const char *run, const struct pbt_verified *verified)
{
    if (verified->damage.status != PBT_OK) {
        return pbt_cli_fail(&verified->damage);
    }
    if (verified->damaged > 0) {
        return pbt_cli_error(
            PBT_E0860, "%" PRIu32 " of the checkpoints of %s %s damaged",
            verified->damaged, run, verified->damaged == 1 ? "is" : "are");
    }
    return PBT_OK;
}

static int verify(const char *run, struct report *report)
{
    struct pbt_verified verified;
    struct pbt_error error;
    struct pbt_buf out;
    const struct pbt_upkeep_watch watch = {
        .progress = show_progress, .trouble = add_trouble, .user = report};
    pbt_cli_meter_init(&report->meter, "verifying");
    int status = pbt_verify(run, &watch, &verified, &error);
    pbt_cli_meter_done(&report->meter);
    if (status != PBT_OK) {
        return pbt_cli_fail(&error);
    }
    pbt_buf_init(&out, PBT_CLI_OUTPUT_MAX);
    out.failed = pbt_buf_failed(&report->troubles);
    if (report->json) {
        put_json(&out, run, &verified, &report->troubles);
    } else {
        put_text(&out, &verified, &report->troubles);
    }
    status = pbt_cli_print(&out);
    return status == PBT_OK ? judge(run, &verified) : status;
}

int pbt_cli_verify(const struct pbt_cli_call *call)
{
    char run[PATH_MAX];
    struct pbt_error error;
    struct report report = {.json = pbt_cli_given(call, "json")};
    int status = pbt_cli_find_run(call->args[0], pbt_cli_value(call, "dir"),
                                  run, sizeof run, &error);
    if (status != PBT_OK) {
        return pbt_cli_fail_at(&error, call->args[0], NULL);
    }
    pbt_buf_init(&report.troubles, PBT_CLI_OUTPUT_MAX);
    status = verify(run, &report);
    pbt_buf_done(&report.troubles);
    return status;
}
