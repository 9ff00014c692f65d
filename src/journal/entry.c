/*
 * entry.c: the writer.  It is on the step path: no jansson, no snprintf, one pass over
 * a table of members.
 */
#include "journal/entry.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "journal/members.h"

#define EXACT_MAX (UINT64_C(1) << 53)

const struct pbt_entry_member pbt_entry_members[PBT_MEMBERS] = {
#define PBT_MEMBER_ROW(name, text, type, field)                                \
    {",\"" text "\":", sizeof text + 3, text, type,                            \
     offsetof(struct pbt_record, field)},
    PBT_ENTRY_MEMBER_MAP(PBT_MEMBER_ROW)
#undef PBT_MEMBER_ROW
};

#define BIT(name) (UINT64_C(1) << PBT_AT_##name)
#define LIFE (BIT(TRIAL) | BIT(EPOCH))
#define CLOCKS (BIT(IT) | BIT(TOTAL))
#define DONATION                                                               \
    (LIFE | CLOCKS | BIT(SCORE) | BIT(CHECKPOINT) | BIT(DONOR) |               \
     BIT(DONOR_SCORE) | BIT(DONOR_IT) | BIT(OLD_CONFIG))

uint64_t pbt_entry_members_always(enum pbt_record_kind kind)
{
    switch (kind) {
    case PBT_RECORD_OPENED:
        return BIT(INCARNATION) | BIT(SLOTS);
    case PBT_RECORD_READY:
        return LIFE | BIT(CAN_RESET);
    case PBT_RECORD_RESULT:
        return LIFE | CLOCKS | BIT(SEQ) | BIT(SCORE) | BIT(HALTED);
    case PBT_RECORD_HALTED:
    case PBT_RECORD_PASS:
        return LIFE;
    case PBT_RECORD_SAVE:
    case PBT_RECORD_SAVED:
        return LIFE | BIT(CHECKPOINT);
    case PBT_RECORD_LEAVE:
    case PBT_RECORD_EXITED:
        return LIFE | BIT(LEAVE);
    case PBT_RECORD_DURABLE:
    case PBT_RECORD_BAD:
    case PBT_RECORD_DELETE:
        return BIT(TRIAL) | BIT(CHECKPOINT);
    case PBT_RECORD_CAPACITY:
        return BIT(SLOTS);
    case PBT_RECORD_REQUEST:
        return BIT(TRIAL) | BIT(REQUEST);
    case PBT_RECORD_ASK_FIRST:
    case PBT_RECORD_TRIAL:
        return BIT(TRIAL) | BIT(CONFIG);
    case PBT_RECORD_START:
        return LIFE | CLOCKS | BIT(SEED) | BIT(CONFIG);
    case PBT_RECORD_EXPLOIT:
    case PBT_RECORD_ADOPT:
        return DONATION | BIT(SEED) | BIT(CONFIG);
    case PBT_RECORD_ASK:
        return DONATION;
    case PBT_RECORD_END:
        return BIT(END);
    case PBT_RECORD_ROUND:
        return BIT(TARGET);
    case PBT_RECORD_CHANGE:
        return LIFE | CLOCKS | BIT(CHECKPOINT) | BIT(SEED) | BIT(CONFIG);
    case PBT_RECORD_UNDO:
        return LIFE | CLOCKS | BIT(EXPLOITS) | BIT(LINEAGE) | BIT(CONFIG);
    case PBT_RECORD_REOPEN:
        return BIT(TRIAL) | BIT(IT);
    case PBT_RECORD_EXTEND:
    case PBT_RECORD_KINDS:
        break;
    }
    return 0;
}

const char *pbt_pass_word(enum pbt_pass pass)
{
    switch (pass) {
    case PBT_PASS_NO_DONOR:
        return "no_donor";
    case PBT_PASS_EXPLORE_FAILED:
        return "explore_failed";
    case PBT_PASS_GAP:
        return "gap";
    }
    return "no_donor";
}

static void put_string(struct pbt_buf *out, const char *text)
{
    pbt_buf_char(out, '"');
    pbt_buf_text(out, text);
    pbt_buf_char(out, '"');
}

static void put_u64(struct pbt_buf *out, uint64_t value, bool quoted)
{
    if (quoted) {
        pbt_buf_char(out, '"');
    }
    pbt_buf_u64(out, value);
    if (quoted) {
        pbt_buf_char(out, '"');
    }
}

static void put_i64(struct pbt_buf *out, int64_t value)
{
    bool quoted = value > (int64_t)EXACT_MAX || value < -(int64_t)EXACT_MAX;
    if (quoted) {
        pbt_buf_char(out, '"');
    }
    pbt_buf_i64(out, value);
    if (quoted) {
        pbt_buf_char(out, '"');
    }
}

static bool is_zero(const void *bytes, size_t size)
{
    static const char zeros[sizeof(uint64_t)];
    return memcmp(bytes, zeros, size) == 0;
}

/* The values up to the last one that is there. */
static size_t count_values(const struct pbt_record *record)
{
    size_t count = PBT_VALUES_MAX;
    while (count > 0 && isnan(record->values[count - 1])) {
        count--;
    }
    return count;
}

/* Whether a member that its line need not have says nothing. */
static bool is_default(const struct pbt_record *record,
                       const struct pbt_entry_member *member)
{
    const char *field = (const char *)record + member->offset;
    switch (member->type) {
    case PBT_MEMBER_TRIAL:
    case PBT_MEMBER_U32:
        return is_zero(field, sizeof(uint32_t));
    case PBT_MEMBER_U64:
    case PBT_MEMBER_SEED:
    case PBT_MEMBER_I64:
    case PBT_MEMBER_REAL:
    case PBT_MEMBER_CHECKPOINT:
        return is_zero(field, 8);
    case PBT_MEMBER_BOOL:
        return is_zero(field, sizeof(bool));
    case PBT_MEMBER_VALUES:
        return count_values(record) == 0;
    case PBT_MEMBER_SCORE: {
        double value;
        memcpy(&value, field, sizeof value);
        return isnan(value);
    }
    case PBT_MEMBER_LEAVE:
        return record->leave == PBT_LEAVE_NOT;
    case PBT_MEMBER_END:
        return record->end == PBT_END_NOT;
    case PBT_MEMBER_PASS:
        return record->kind != PBT_RECORD_PASS &&
               record->pass == PBT_PASS_NO_DONOR;
    case PBT_MEMBER_REQUEST:
        return record->request == PBT_REQUEST_NOT;
    case PBT_MEMBER_CELLS:
        return false; /* see pbt_entry_write */
    }
    return false;
}

static void put_values(struct pbt_buf *out, const struct pbt_record *record)
{
    size_t count = count_values(record);
    pbt_buf_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            pbt_buf_char(out, ',');
        }
        pbt_buf_real(out, record->values[i]);
    }
    pbt_buf_char(out, ']');
}

static void put_checkpoint(struct pbt_buf *out, struct pbt_checkpoint_id id)
{
    pbt_buf_put(out, "{\"trial\":", 9);
    pbt_buf_u64(out, id.trial);
    pbt_buf_put(out, ",\"number\":", 10);
    pbt_buf_u64(out, id.number);
    pbt_buf_char(out, '}');
}

/* Reads a member of the record without minding its alignment. */
#define FIELD(type, name)                                                      \
    type name;                                                                 \
    memcpy(&name, (const char *)record + member->offset, sizeof name)

static void put_member(struct pbt_buf *out, const struct pbt_record *record,
                       const struct pbt_entry_member *member,
                       const struct pbt_spec *spec)
{
    pbt_buf_put(out, member->key, member->key_length);
    switch (member->type) {
    case PBT_MEMBER_TRIAL:
    case PBT_MEMBER_U32: {
        FIELD(uint32_t, value);
        pbt_buf_u64(out, value);
        break;
    }
    case PBT_MEMBER_U64:
    case PBT_MEMBER_SEED: {
        FIELD(uint64_t, value);
        put_u64(out, value,
                member->type == PBT_MEMBER_SEED || value > EXACT_MAX);
        break;
    }
    case PBT_MEMBER_I64: {
        FIELD(int64_t, value);
        put_i64(out, value);
        break;
    }
    case PBT_MEMBER_REAL:
    case PBT_MEMBER_SCORE: {
        FIELD(double, value);
        pbt_buf_real(out, value);
        break;
    }
    case PBT_MEMBER_BOOL: {
        FIELD(bool, value);
        pbt_buf_text(out, value ? "true" : "false");
        break;
    }
    case PBT_MEMBER_VALUES:
        put_values(out, record);
        break;
    case PBT_MEMBER_CHECKPOINT:
        put_checkpoint(out, record->checkpoint);
        break;
    case PBT_MEMBER_LEAVE:
        put_string(out, pbt_leave_name(record->leave));
        break;
    case PBT_MEMBER_END:
        put_string(out, pbt_end_name(record->end));
        break;
    case PBT_MEMBER_PASS:
        put_string(out, pbt_pass_word(record->pass));
        break;
    case PBT_MEMBER_REQUEST:
        put_string(out, pbt_request_name(record->request));
        break;
    case PBT_MEMBER_CELLS: {
        FIELD(const struct pbt_cell *, cells);
        pbt_spec_config_json(spec, cells, out);
        break;
    }
    }
}

static void put_data(struct pbt_buf *out, const struct pbt_entry *entry)
{
    static const char key[] = ",\"data\":";
    if (entry->data != NULL) {
        pbt_buf_put(out, key, sizeof key - 1);
        pbt_buf_put(out, entry->data, entry->data_length);
    } else if (entry->data_json != NULL) {
        /* An entry that was read: not on the step path. */
        char *text = json_dumps(entry->data_json, JSON_COMPACT);
        if (text == NULL) {
            out->failed = true;
            return;
        }
        pbt_buf_put(out, key, sizeof key - 1);
        pbt_buf_text(out, text);
        free(text);
    }
}

void pbt_entry_write(const struct pbt_entry *entry, const struct pbt_spec *spec,
                     struct pbt_buf *out)
{
    const struct pbt_record *record = &entry->record;
    pbt_buf_put(out, "{\"n\":", 5);
    put_u64(out, record->number, record->number > EXACT_MAX);
    pbt_buf_put(out, ",\"k\":", 5);
    put_string(out, pbt_record_name(record->kind));
    pbt_buf_put(out, ",\"t\":", 5);
    put_u64(out, record->time, record->time > EXACT_MAX);

    uint64_t always = pbt_entry_members_always(record->kind);
    for (uint32_t i = 0; i < PBT_MEMBERS; i++) {
        const struct pbt_entry_member *member = &pbt_entry_members[i];
        if (member->type == PBT_MEMBER_CELLS) {
            FIELD(const struct pbt_cell *, cells);
            if (cells == NULL) {
                assert(
                    !(always & (UINT64_C(1) << i))); /* no one could read it */
                continue;
            }
        } else if (!(always & (UINT64_C(1) << i)) &&
                   is_default(record, member)) {
            continue;
        }
        put_member(out, record, member, spec);
    }
    put_data(out, entry);
    pbt_buf_put(out, "}\n", 2);
}
