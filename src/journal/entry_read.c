/*
 * entry_read.c: the reader.  It trusts nothing: every member is checked for type and
 * range, so that whoever folds the records can index by trial.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/codes.h"
#include "journal/entry.h"
#include "journal/members.h"

/* What all readers of members need. */
struct source {
    struct pbt_entry *entry;
    struct pbt_spec *spec;
    struct pbt_error *error;
    const char *name; /* of the member at hand, for messages */
};

static int wrong(const struct source *s, const char *what)
{
    return pbt_fail(s->error, PBT_E0803, "\"%s\" is not %s", s->name, what);
}

static int newer(const struct source *s, const char *what, const char *word)
{
    return pbt_fail(s->error, PBT_E0805,
                    "%s \"%.40s\" is unknown: written by a newer version "
                    "of pbt",
                    what, word);
}

/* A decimal string, all of it, without sign, spaces or leading zeros. */
static bool parse_u64(const char *text, uint64_t *value)
{
    uint64_t n = 0;
    if (*text == '\0' || (text[0] == '0' && text[1] != '\0')) {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(*text - '0');
        if (n > (UINT64_MAX - digit) / 10) {
            return false;
        }
        n = n * 10 + digit;
    }
    *value = n;
    return true;
}

static int read_u64(const struct source *s, const json_t *json, uint64_t *value)
{
    if (json_is_integer(json) && json_integer_value(json) >= 0) {
        *value = (uint64_t)json_integer_value(json);
        return PBT_OK;
    }
    if (json_is_string(json) && parse_u64(json_string_value(json), value)) {
        return PBT_OK;
    }
    return wrong(s, "a whole number from 0 up");
}

static int read_i64(const struct source *s, const json_t *json, int64_t *value)
{
    if (json_is_integer(json)) {
        *value = json_integer_value(json);
        return PBT_OK;
    }
    const char *text = json_string_value(json);
    if (text != NULL) {
        bool negative = *text == '-';
        uint64_t n;
        uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
        if (parse_u64(text + negative, &n) && n <= limit) {
            *value =
                negative ? (n == 0 ? 0 : -(int64_t)(n - 1) - 1) : (int64_t)n;
            return PBT_OK;
        }
    }
    return wrong(s, "a whole number");
}

static int read_u32(const struct source *s, const json_t *json, uint32_t limit,
                    uint32_t *value)
{
    if (!json_is_integer(json) || json_integer_value(json) < 0 ||
        json_integer_value(json) > (json_int_t)limit) {
        return pbt_fail(s->error, PBT_E0803,
                        "\"%s\" is not a whole number from 0 to %" PRIu32,
                        s->name, limit);
    }
    *value = (uint32_t)json_integer_value(json);
    return PBT_OK;
}

static int read_real(const struct source *s, const json_t *json, double *value)
{
    if (json_is_number(json)) {
        *value = json_number_value(json);
        return PBT_OK;
    }
    const char *text = json_string_value(json);
    if (text != NULL && strcmp(text, "NaN") == 0) {
        *value = (double)NAN;
    } else if (text != NULL && strcmp(text, "Infinity") == 0) {
        *value = (double)INFINITY;
    } else if (text != NULL && strcmp(text, "-Infinity") == 0) {
        *value = (double)-INFINITY;
    } else {
        return wrong(s, "a number, \"NaN\", \"Infinity\" or \"-Infinity\"");
    }
    return PBT_OK;
}

static uint32_t last_trial(const struct source *s)
{
    uint32_t population = s->spec->settings.population;
    return population == 0 ? 0 : population - 1;
}

static int read_checkpoint(struct source *s, const json_t *json,
                           struct pbt_checkpoint_id *id)
{
    if (!json_is_object(json)) {
        return wrong(s, "an object");
    }
    s->name = "checkpoint.trial";
    int status =
        read_u32(s, json_object_get(json, "trial"), last_trial(s), &id->trial);
    if (status == PBT_OK) {
        s->name = "checkpoint.number";
        status = read_u32(s, json_object_get(json, "number"), UINT32_MAX,
                          &id->number);
    }
    return status;
}

static int read_values(const struct source *s, const json_t *json,
                       double *values)
{
    if (!json_is_array(json) || json_array_size(json) > PBT_VALUES_MAX) {
        return wrong(s, "a list of at most 8 numbers");
    }
    for (size_t i = 0; i < json_array_size(json); i++) {
        int status = read_real(s, json_array_get(json, i), &values[i]);
        if (status != PBT_OK) {
            return status;
        }
    }
    return PBT_OK;
}

/* One of the words of a list, which name() gives by index. */
static int read_word(const struct source *s, const json_t *json, uint32_t count,
                     const char *(*name)(uint32_t), uint32_t *value)
{
    const char *text = json_string_value(json);
    if (text == NULL) {
        return wrong(s, "a string");
    }
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(name(i), text) == 0) {
            *value = i;
            return PBT_OK;
        }
    }
    return newer(s, s->name, text);
}

static const char *leave_word(uint32_t i)
{
    return pbt_leave_name((enum pbt_leave)i);
}

static const char *end_word(uint32_t i)
{
    return pbt_end_name((enum pbt_end)i);
}

static const char *request_word(uint32_t i)
{
    return pbt_request_name((enum pbt_request)i);
}

static const char *pass_word(uint32_t i)
{
    return pbt_pass_word((enum pbt_pass)i);
}

static int read_words(const struct source *s, const json_t *json,
                      enum pbt_entry_member_type type)
{
    struct pbt_record *record = &s->entry->record;
    uint32_t value = 0;
    int status;
    if (type == PBT_MEMBER_LEAVE) {
        status = read_word(s, json, PBT_LEAVE_ERROR + 1, leave_word, &value);
        record->leave = (enum pbt_leave)value;
    } else if (type == PBT_MEMBER_END) {
        status = read_word(s, json, PBT_END_INTERRUPTED + 1, end_word, &value);
        record->end = (enum pbt_end)value;
    } else if (type == PBT_MEMBER_REQUEST) {
        status = read_word(s, json, PBT_REQUEST_STOP + 1, request_word, &value);
        record->request = (enum pbt_request)value;
    } else {
        status = read_word(s, json, PBT_PASS_LAST + 1, pass_word, &value);
        record->pass = (enum pbt_pass)value;
    }
    return status;
}

/* `at`: 0 for the configuration, 1 for the old one. */
static int read_cells(const struct source *s, const json_t *json, size_t at,
                      const struct pbt_cell **out)
{
    struct pbt_entry *entry = s->entry;
    size_t count = s->spec->settings.space.count;
    if (!json_is_object(json)) {
        return wrong(s, "an object");
    }
    if (entry->cells == NULL) {
        /* one more, since calloc(0) may be NULL */
        entry->cells = calloc(2 * count + 1, sizeof *entry->cells);
        if (entry->cells == NULL) {
            return pbt_error_set(s->error, PBT_ENOMEM, "out of memory");
        }
    }
    struct pbt_cell *cells = entry->cells + at * count;
    int status = pbt_spec_config_take(s->spec, json, cells, s->error);
    if (status == PBT_ENOMEM) {
        return status;
    }
    if (status != PBT_OK) {
        return pbt_error_prefix(s->error, PBT_EDATA, "\"%s\"", s->name);
    }
    *out = cells;
    return PBT_OK;
}

#define FIELD(type) ((type *)(void *)((char *)record + member->offset))

static int read_member(struct source *s, const struct pbt_entry_member *member,
                       const json_t *json)
{
    struct pbt_record *record = &s->entry->record;
    s->name = member->name;
    switch (member->type) {
    case PBT_MEMBER_TRIAL:
        return read_u32(s, json, last_trial(s), FIELD(uint32_t));
    case PBT_MEMBER_U32:
        return read_u32(s, json, UINT32_MAX, FIELD(uint32_t));
    case PBT_MEMBER_U64:
    case PBT_MEMBER_SEED:
        return read_u64(s, json, FIELD(uint64_t));
    case PBT_MEMBER_I64:
        return read_i64(s, json, FIELD(int64_t));
    case PBT_MEMBER_REAL:
    case PBT_MEMBER_SCORE:
        return read_real(s, json, FIELD(double));
    case PBT_MEMBER_BOOL:
        if (!json_is_boolean(json)) {
            return wrong(s, "true or false");
        }
        *FIELD(bool) = json_is_true(json);
        return PBT_OK;
    case PBT_MEMBER_VALUES:
        return read_values(s, json, record->values);
    case PBT_MEMBER_CHECKPOINT:
        return read_checkpoint(s, json, &record->checkpoint);
    case PBT_MEMBER_LEAVE:
    case PBT_MEMBER_END:
    case PBT_MEMBER_PASS:
    case PBT_MEMBER_REQUEST:
        return read_words(s, json, member->type);
    case PBT_MEMBER_CELLS:
        return read_cells(s, json,
                          member == &pbt_entry_members[PBT_AT_OLD_CONFIG],
                          FIELD(const struct pbt_cell *));
    }
    return PBT_OK;
}

static int read_kind(struct source *s, const json_t *json,
                     enum pbt_record_kind *kind)
{
    s->name = "k";
    const char *text = json_string_value(json);
    if (text == NULL) {
        return wrong(s, "a string");
    }
    for (int i = 0; i < PBT_RECORD_KINDS; i++) {
        if (strcmp(pbt_record_name((enum pbt_record_kind)i), text) == 0) {
            *kind = (enum pbt_record_kind)i;
            return PBT_OK;
        }
    }
    return newer(s, "record kind", text);
}

static int read_head(struct source *s, const json_t *root)
{
    struct pbt_record *record = &s->entry->record;
    int status = read_kind(s, json_object_get(root, "k"), &record->kind);
    if (status != PBT_OK) {
        return status;
    }
    s->name = "n";
    status = read_u64(s, json_object_get(root, "n"), &record->number);
    if (status != PBT_OK) {
        return status;
    }
    if (record->number == 0) {
        return wrong(s, "a whole number from 1 up");
    }
    s->name = "t";
    return read_u64(s, json_object_get(root, "t"), &record->time);
}

static int read_root(struct source *s, const json_t *root)
{
    struct pbt_record *record = &s->entry->record;
    int status = read_head(s, root);
    if (status != PBT_OK) {
        return status;
    }
    record->score = (double)NAN;
    record->donor_score = (double)NAN;
    for (size_t i = 0; i < PBT_VALUES_MAX; i++) {
        record->values[i] = (double)NAN;
    }
    uint64_t always = pbt_entry_members_always(record->kind);
    for (uint32_t i = 0; i < PBT_MEMBERS; i++) {
        const json_t *json = json_object_get(root, pbt_entry_members[i].name);
        if (json != NULL) {
            status = read_member(s, &pbt_entry_members[i], json);
            if (status != PBT_OK) {
                return status;
            }
        } else if (always & (UINT64_C(1) << i)) {
            return pbt_fail(s->error, PBT_E0803, "\"%s\" is missing",
                            pbt_entry_members[i].name);
        }
    }
    const json_t *data = json_object_get(root, "data");
    s->name = "data";
    if (data != NULL && !json_is_object(data)) {
        return wrong(s, "an object");
    }
    s->entry->data_json = data;
    return PBT_OK;
}

int pbt_entry_read(struct pbt_entry *entry, struct pbt_spec *spec,
                   const char *line, size_t length, struct pbt_error *error)
{
    *entry = (struct pbt_entry){0};
    if (pbt_entry_scan(entry, spec, line, length)) {
        return PBT_OK;
    }
    json_error_t where;
    json_t *root = json_loadb(line, length, JSON_REJECT_DUPLICATES, &where);
    if (root == NULL) {
        if (json_error_code(&where) == json_error_out_of_memory) {
            return pbt_error_set(error, PBT_ENOMEM, "out of memory");
        }
        return pbt_fail(error, PBT_E0803, "no JSON: %s (byte %d)", where.text,
                        where.position);
    }
    entry->root = root;
    int status;
    if (!json_is_object(root)) {
        status = pbt_fail(error, PBT_E0803, "not a JSON object");
    } else {
        struct source s = {.entry = entry, .spec = spec, .error = error};
        status = read_root(&s, root);
    }
    if (status != PBT_OK) {
        pbt_entry_done(entry);
    }
    return status;
}

void pbt_entry_done(struct pbt_entry *entry)
{
    json_decref(entry->root);
    free(entry->cells);
    *entry = (struct pbt_entry){0};
}
