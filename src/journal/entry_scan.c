/*
 * entry_scan.c: the reader's fast path: a line in the very form of the writer.
 *
 * Members in the table's order, no spaces, no escapes, nothing unknown, everything in range:
 * then a line is read without a tree of JSON for it, some ten times as fast (a resume reads
 * every record that there is).  Whatever is not just so is left to entry_read.c, which takes
 * any JSON and says what is wrong.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/strict.h"
#include "journal/entry.h"
#include "journal/members.h"

struct scan {
    struct pbt_strict in;
    struct pbt_entry *entry;
    struct pbt_spec *spec;
};

/* An ASCII word between quotes, at most as long as any of ours. */
static bool scan_word(struct scan *scan, char word[32])
{
    size_t length = 0;
    if (!pbt_strict_char(&scan->in, '"')) {
        return false;
    }
    while (
        scan->in.at < scan->in.end &&
        ((*scan->in.at >= 'a' && *scan->in.at <= 'z') || *scan->in.at == '_')) {
        if (length == 31) {
            return false;
        }
        word[length++] = *scan->in.at++;
    }
    word[length] = '\0';
    return pbt_strict_char(&scan->in, '"');
}

static bool scan_kind(struct scan *scan, enum pbt_record_kind *kind)
{
    char word[32];
    if (!scan_word(scan, word)) {
        return false;
    }
    for (int i = 0; i < PBT_RECORD_KINDS; i++) {
        if (strcmp(pbt_record_name((enum pbt_record_kind)i), word) == 0) {
            *kind = (enum pbt_record_kind)i;
            return true;
        }
    }
    return false;
}

static bool scan_reason(struct scan *scan, enum pbt_entry_member_type type)
{
    struct pbt_record *record = &scan->entry->record;
    char word[32];
    if (!scan_word(scan, word)) {
        return false;
    }
    if (type == PBT_MEMBER_LEAVE) {
        for (int i = 0; i <= PBT_LEAVE_ERROR; i++) {
            if (strcmp(pbt_leave_name((enum pbt_leave)i), word) == 0) {
                record->leave = (enum pbt_leave)i;
                return true;
            }
        }
    } else if (type == PBT_MEMBER_END) {
        for (int i = 0; i <= PBT_END_INTERRUPTED; i++) {
            if (strcmp(pbt_end_name((enum pbt_end)i), word) == 0) {
                record->end = (enum pbt_end)i;
                return true;
            }
        }
    } else if (type == PBT_MEMBER_REQUEST) {
        for (int i = 0; i <= PBT_REQUEST_STOP; i++) {
            if (strcmp(pbt_request_name((enum pbt_request)i), word) == 0) {
                record->request = (enum pbt_request)i;
                return true;
            }
        }
    } else {
        for (int i = 0; i <= PBT_PASS_LAST; i++) {
            if (strcmp(pbt_pass_word((enum pbt_pass)i), word) == 0) {
                record->pass = (enum pbt_pass)i;
                return true;
            }
        }
    }
    return false;
}

static uint32_t last_trial(const struct scan *scan)
{
    uint32_t population = scan->spec->settings.population;
    return population == 0 ? 0 : population - 1;
}

static bool scan_checkpoint(struct scan *scan, struct pbt_checkpoint_id *id)
{
    return pbt_strict_skip(&scan->in, "{\"trial\":", 9) &&
           pbt_strict_u32(&scan->in, last_trial(scan), &id->trial) &&
           pbt_strict_skip(&scan->in, ",\"number\":", 10) &&
           pbt_strict_u32(&scan->in, UINT32_MAX, &id->number) &&
           pbt_strict_char(&scan->in, '}');
}

static bool scan_values(struct scan *scan, double *values)
{
    size_t count = 0;
    if (!pbt_strict_char(&scan->in, '[')) {
        return false;
    }
    do {
        if (count == PBT_VALUES_MAX ||
            !pbt_strict_real(&scan->in, &values[count++])) {
            return false;
        }
    } while (pbt_strict_char(&scan->in, ','));
    return pbt_strict_char(&scan->in, ']');
}

/* `at`: 0 for the configuration, 1 for the old one. */
static bool scan_cells(struct scan *scan, size_t at,
                       const struct pbt_cell **cells)
{
    struct pbt_entry *entry = scan->entry;
    size_t count = scan->spec->settings.space.count;
    const char *end = scan->in.at < scan->in.end && *scan->in.at == '{'
                          ? pbt_strict_object_end(&scan->in)
                          : NULL;
    if (end == NULL) {
        return false;
    }
    if (entry->cells == NULL) {
        /* one more, since calloc(0) may be NULL */
        entry->cells = calloc(2 * count + 1, sizeof *entry->cells);
        if (entry->cells == NULL) {
            return false;
        }
    }
    size_t length = (size_t)(end - scan->in.at);
    if (pbt_spec_config_read(scan->spec, scan->in.at, length,
                             entry->cells + at * count, NULL) != PBT_OK) {
        return false;
    }
    scan->in.at = end;
    *cells = entry->cells + at * count;
    return true;
}

#define FIELD(type) ((type *)(void *)((char *)record + member->offset))

static bool scan_member(struct scan *scan,
                        const struct pbt_entry_member *member)
{
    struct pbt_record *record = &scan->entry->record;
    switch (member->type) {
    case PBT_MEMBER_TRIAL:
        return pbt_strict_u32(&scan->in, last_trial(scan), FIELD(uint32_t));
    case PBT_MEMBER_U32:
        return pbt_strict_u32(&scan->in, UINT32_MAX, FIELD(uint32_t));
    case PBT_MEMBER_U64:
    case PBT_MEMBER_SEED:
        return pbt_strict_u64(&scan->in, FIELD(uint64_t));
    case PBT_MEMBER_I64:
        return pbt_strict_i64(&scan->in, FIELD(int64_t));
    case PBT_MEMBER_REAL:
    case PBT_MEMBER_SCORE:
        return pbt_strict_real(&scan->in, FIELD(double));
    case PBT_MEMBER_BOOL:
        return pbt_strict_bool(&scan->in, FIELD(bool));
    case PBT_MEMBER_VALUES:
        return scan_values(scan, record->values);
    case PBT_MEMBER_CHECKPOINT:
        return scan_checkpoint(scan, &record->checkpoint);
    case PBT_MEMBER_LEAVE:
    case PBT_MEMBER_END:
    case PBT_MEMBER_PASS:
    case PBT_MEMBER_REQUEST:
        return scan_reason(scan, member->type);
    case PBT_MEMBER_CELLS:
        return scan_cells(scan, member == &pbt_entry_members[PBT_AT_OLD_CONFIG],
                          FIELD(const struct pbt_cell *));
    }
    return false;
}

/* `data` is the last member, and so all that is left but the closing brace. */
static bool scan_data(struct scan *scan)
{
    static const char KEY[] = ",\"data\":";
    if (!pbt_strict_skip(&scan->in, KEY, sizeof KEY - 1)) {
        return true;
    }
    size_t length = (size_t)(scan->in.end - scan->in.at);
    if (length < 3) {
        return false;
    }
    json_t *data =
        json_loadb(scan->in.at, length - 1, JSON_REJECT_DUPLICATES, NULL);
    scan->entry->root = data;
    scan->entry->data_json = data;
    scan->in.at = scan->in.end - 1;
    return json_is_object(data);
}

static bool scan_line(struct scan *scan)
{
    struct pbt_record *record = &scan->entry->record;
    if (!pbt_strict_skip(&scan->in, "{\"n\":", 5) ||
        !pbt_strict_u64(&scan->in, &record->number) ||
        !pbt_strict_skip(&scan->in, ",\"k\":", 5) ||
        !scan_kind(scan, &record->kind) ||
        !pbt_strict_skip(&scan->in, ",\"t\":", 5) ||
        !pbt_strict_u64(&scan->in, &record->time) || record->number == 0) {
        return false;
    }
    uint64_t missing = pbt_entry_members_always(record->kind);
    for (uint32_t i = 0; i < PBT_MEMBERS; i++) {
        const struct pbt_entry_member *member = &pbt_entry_members[i];
        if (!pbt_strict_skip(&scan->in, member->key, member->key_length)) {
            continue;
        }
        if (!scan_member(scan, member)) {
            return false;
        }
        missing &= ~(UINT64_C(1) << i);
    }
    return missing == 0 && scan_data(scan) && pbt_strict_char(&scan->in, '}') &&
           scan->in.at == scan->in.end;
}

bool pbt_entry_scan(struct pbt_entry *entry, struct pbt_spec *spec,
                    const char *line, size_t length)
{
    struct scan scan = {
        .in = {line, line + length}, .entry = entry, .spec = spec};
    struct pbt_record *record = &entry->record;
    record->score = (double)NAN;
    record->donor_score = (double)NAN;
    for (size_t i = 0; i < PBT_VALUES_MAX; i++) {
        record->values[i] = (double)NAN;
    }
    bool good = scan_line(&scan);
    if (!good) {
        pbt_entry_done(entry);
    }
    return good;
}
