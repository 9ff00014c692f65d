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

#include "journal/entry.h"
#include "journal/members.h"

struct scan {
    const char *at;
    const char *end;
    struct pbt_entry *entry;
    struct pbt_spec *spec;
};

/* Passes over a text that must stand here. */
static bool skip(struct scan *scan, const char *text, size_t length)
{
    if ((size_t)(scan->end - scan->at) < length ||
        memcmp(scan->at, text, length) != 0) {
        return false;
    }
    scan->at += length;
    return true;
}

static bool skip_char(struct scan *scan, char c)
{
    bool there = scan->at < scan->end && *scan->at == c;
    scan->at += there ? 1 : 0;
    return there;
}

/* Digits without a leading zero, at most 18: no sum of them overflows. */
static bool scan_digits(struct scan *scan, uint64_t *value)
{
    const char *start = scan->at;
    uint64_t n = 0;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9') {
        n = n * 10 + (uint64_t)(*scan->at++ - '0');
        if (scan->at - start > 18) {
            return false;
        }
    }
    *value = n;
    return scan->at > start && (*start != '0' || scan->at == start + 1);
}

/* The same between quotes, with all of 64 bits. */
static bool scan_quoted_u64(struct scan *scan, uint64_t *value)
{
    const char *start = scan->at;
    uint64_t n = 0;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9') {
        uint64_t digit = (uint64_t)(*scan->at++ - '0');
        if (n > (UINT64_MAX - digit) / 10) {
            return false;
        }
        n = n * 10 + digit;
    }
    *value = n;
    return scan->at > start && (*start != '0' || scan->at == start + 1) &&
           skip_char(scan, '"');
}

/* What follows must end the value: else it was a real, or no number at all. */
static bool value_ends(const struct scan *scan)
{
    return scan->at < scan->end &&
           (*scan->at == ',' || *scan->at == '}' || *scan->at == ']');
}

static bool scan_u64(struct scan *scan, uint64_t *value)
{
    bool good = skip_char(scan, '"') ? scan_quoted_u64(scan, value)
                                     : scan_digits(scan, value);
    return good && value_ends(scan);
}

static bool scan_u32(struct scan *scan, uint32_t limit, uint32_t *value)
{
    uint64_t n = 0;
    bool good = scan_digits(scan, &n) && value_ends(scan) && n <= limit;
    *value = (uint32_t)n;
    return good;
}

static bool scan_i64(struct scan *scan, int64_t *value)
{
    bool negative = skip_char(scan, '-');
    uint64_t n = 0;
    bool good = scan_digits(scan, &n) && value_ends(scan);
    *value = negative ? -(int64_t)n : (int64_t)n;
    return good;
}

static bool is_number_char(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' ||
           c == 'e' || c == 'E';
}

/* JSON's grammar, which strtod() is looser than: -?digits[.digits][e[+-]digits] */
static bool is_json_real(const char *text, const char *end)
{
    struct scan scan = {.at = text, .end = end};
    (void)skip_char(&scan, '-');
    const char *start = scan.at;
    while (scan.at < end && *scan.at >= '0' && *scan.at <= '9') {
        scan.at++;
    }
    if (scan.at == start || (*start == '0' && scan.at != start + 1)) {
        return false;
    }
    if (skip_char(&scan, '.')) {
        start = scan.at;
        while (scan.at < end && *scan.at >= '0' && *scan.at <= '9') {
            scan.at++;
        }
        if (scan.at == start) {
            return false;
        }
    }
    if (skip_char(&scan, 'e') || skip_char(&scan, 'E')) {
        if (!skip_char(&scan, '+')) {
            (void)skip_char(&scan, '-');
        }
        start = scan.at;
        while (scan.at < end && *scan.at >= '0' && *scan.at <= '9') {
            scan.at++;
        }
        if (scan.at == start) {
            return false;
        }
    }
    return scan.at == end;
}

static bool scan_real(struct scan *scan, double *value)
{
    static const char NAN_TEXT[] = "\"NaN\"";
    char text[40];
    size_t length = 0;
    if (skip(scan, NAN_TEXT, sizeof NAN_TEXT - 1)) {
        *value = (double)NAN;
        return value_ends(scan);
    }
    while (scan->at + length < scan->end && is_number_char(scan->at[length])) {
        if (length == sizeof text - 1) {
            return false;
        }
        text[length] = scan->at[length];
        length++;
    }
    text[length] = '\0';
    scan->at += length;
    /* Whole numbers are frequent; 15 digits and ".0" are exact in a double. */
    if (length > 2 && length <= 17 && strcmp(text + length - 2, ".0") == 0) {
        struct scan whole = {.at = text, .end = text + length - 1};
        uint64_t n;
        if (scan_digits(&whole, &n) && whole.at == whole.end - 1) {
            *value = (double)n;
            return value_ends(scan);
        }
    }
    /* A locale with another decimal point ends strtod() early: then the slow way. */
    char *stopped;
    if (strpbrk(text, ".eE") == NULL || !is_json_real(text, text + length)) {
        return false;
    }
    *value = strtod(text, &stopped);
    return stopped == text + length && isfinite(*value) && value_ends(scan);
}

/* An ASCII word between quotes, at most as long as any of ours. */
static bool scan_word(struct scan *scan, char word[32])
{
    size_t length = 0;
    if (!skip_char(scan, '"')) {
        return false;
    }
    while (scan->at < scan->end &&
           ((*scan->at >= 'a' && *scan->at <= 'z') || *scan->at == '_')) {
        if (length == 31) {
            return false;
        }
        word[length++] = *scan->at++;
    }
    word[length] = '\0';
    return skip_char(scan, '"');
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
    } else {
        for (int i = 0; i <= PBT_PASS_DONOR_LOST; i++) {
            if (strcmp(pbt_pass_word((enum pbt_pass)i), word) == 0) {
                record->pass = (enum pbt_pass)i;
                return true;
            }
        }
    }
    return false;
}

static bool scan_bool(struct scan *scan, bool *value)
{
    *value = skip(scan, "true", 4);
    return *value || skip(scan, "false", 5);
}

static uint32_t last_trial(const struct scan *scan)
{
    uint32_t population = scan->spec->settings.population;
    return population == 0 ? 0 : population - 1;
}

static bool scan_checkpoint(struct scan *scan, struct pbt_checkpoint_id *id)
{
    return skip(scan, "{\"trial\":", 9) &&
           scan_u32(scan, last_trial(scan), &id->trial) &&
           skip(scan, ",\"number\":", 10) &&
           scan_u32(scan, UINT32_MAX, &id->number) && skip_char(scan, '}');
}

static bool scan_values(struct scan *scan, double *values)
{
    size_t count = 0;
    if (!skip_char(scan, '[')) {
        return false;
    }
    do {
        if (count == PBT_VALUES_MAX || !scan_real(scan, &values[count++])) {
            return false;
        }
    } while (skip_char(scan, ','));
    return skip_char(scan, ']');
}

/* The end of the object that begins here; NULL: there is an escape in it, or none. */
static const char *object_end(const struct scan *scan)
{
    unsigned depth = 0;
    bool quoted = false;
    for (const char *at = scan->at; at < scan->end; at++) {
        if (*at == '\\') {
            return NULL;
        }
        if (*at == '"') {
            quoted = !quoted;
        } else if (!quoted && *at == '{') {
            depth++;
        } else if (!quoted && *at == '}' && --depth == 0) {
            return at + 1;
        }
    }
    return NULL;
}

/* `at`: 0 for the configuration, 1 for the old one. */
static bool scan_cells(struct scan *scan, size_t at,
                       const struct pbt_cell **cells)
{
    struct pbt_entry *entry = scan->entry;
    size_t count = scan->spec->settings.space.count;
    const char *end =
        scan->at < scan->end && *scan->at == '{' ? object_end(scan) : NULL;
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
    size_t length = (size_t)(end - scan->at);
    if (pbt_spec_config_read(scan->spec, scan->at, length,
                             entry->cells + at * count, NULL) != PBT_OK) {
        return false;
    }
    scan->at = end;
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
        return scan_u32(scan, last_trial(scan), FIELD(uint32_t));
    case PBT_MEMBER_U32:
        return scan_u32(scan, UINT32_MAX, FIELD(uint32_t));
    case PBT_MEMBER_U64:
    case PBT_MEMBER_SEED:
        return scan_u64(scan, FIELD(uint64_t));
    case PBT_MEMBER_I64:
        return scan_i64(scan, FIELD(int64_t));
    case PBT_MEMBER_REAL:
    case PBT_MEMBER_SCORE:
        return scan_real(scan, FIELD(double));
    case PBT_MEMBER_BOOL:
        return scan_bool(scan, FIELD(bool));
    case PBT_MEMBER_VALUES:
        return scan_values(scan, record->values);
    case PBT_MEMBER_CHECKPOINT:
        return scan_checkpoint(scan, &record->checkpoint);
    case PBT_MEMBER_LEAVE:
    case PBT_MEMBER_END:
    case PBT_MEMBER_PASS:
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
    if (!skip(scan, KEY, sizeof KEY - 1)) {
        return true;
    }
    size_t length = (size_t)(scan->end - scan->at);
    if (length < 3) {
        return false;
    }
    json_t *data =
        json_loadb(scan->at, length - 1, JSON_REJECT_DUPLICATES, NULL);
    scan->entry->root = data;
    scan->entry->data_json = data;
    scan->at = scan->end - 1;
    return json_is_object(data);
}

static bool scan_line(struct scan *scan)
{
    struct pbt_record *record = &scan->entry->record;
    if (!skip(scan, "{\"n\":", 5) || !scan_u64(scan, &record->number) ||
        !skip(scan, ",\"k\":", 5) || !scan_kind(scan, &record->kind) ||
        !skip(scan, ",\"t\":", 5) || !scan_u64(scan, &record->time) ||
        record->number == 0) {
        return false;
    }
    uint32_t missing = pbt_entry_members_always(record->kind);
    for (uint32_t i = 0; i < PBT_MEMBERS; i++) {
        const struct pbt_entry_member *member = &pbt_entry_members[i];
        if (!skip(scan, member->key, member->key_length)) {
            continue;
        }
        if (!scan_member(scan, member)) {
            return false;
        }
        missing &= ~(UINT32_C(1) << i);
    }
    return missing == 0 && scan_data(scan) && skip_char(scan, '}') &&
           scan->at == scan->end;
}

bool pbt_entry_scan(struct pbt_entry *entry, struct pbt_spec *spec,
                    const char *line, size_t length)
{
    struct scan scan = {
        .at = line, .end = line + length, .entry = entry, .spec = spec};
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
