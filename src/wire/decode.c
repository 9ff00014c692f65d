/*
 * decode.c: lines to messages.
 */
#include <stdlib.h>
#include <string.h>

#include "wire/members.h"
#include "wire/scan.h"

#define EXCERPT_MAX 80
#define REASON_MAX 160

/* Copies at most `max` bytes; '?' for all but printable ASCII. */
static void copy_printable(char *to, const char *from, size_t length,
                           size_t max)
{
    size_t n = length < max ? length : max;
    for (size_t i = 0; i < n; i++) {
        bool printable = from[i] >= 0x20 && from[i] < 0x7f;
        to[i] = (char)(printable ? from[i] : '?');
    }
    to[n] = '\0';
}

/* What went wrong, with the beginning of the line. */
static int refuse(struct pbt_error *error, const char *line, size_t length,
                  const char *why)
{
    char excerpt[EXCERPT_MAX + 1];
    char reason[REASON_MAX + 1];
    copy_printable(excerpt, line, length, EXCERPT_MAX);
    copy_printable(reason, why, strlen(why), REASON_MAX);
    return pbt_error_set(error, PBT_EDATA, "%s: %s%s", reason, excerpt,
                         length > EXCERPT_MAX ? "..." : "");
}

/* Whole numbers: JSON integers, and decimal strings for those beyond 2^53. */
static bool get_u64(const json_t *value, uint64_t *number)
{
    if (json_is_integer(value)) {
        json_int_t integer = json_integer_value(value);
        *number = (uint64_t)integer;
        return integer >= 0;
    }
    const char *text = json_string_value(value);
    if (text == NULL || text[0] == '\0') {
        return false;
    }
    uint64_t sum = 0;
    for (; *text != '\0'; text++) {
        uint64_t digit = (uint64_t)(unsigned char)*text - '0';
        if (*text < '0' || *text > '9' || sum > (UINT64_MAX - digit) / 10) {
            return false;
        }
        sum = sum * 10 + digit;
    }
    *number = sum;
    return true;
}

static bool get_capabilities(const json_t *value, uint32_t *capabilities)
{
    if (!json_is_array(value)) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *name = json_string_value(json_array_get(value, i));
        if (name == NULL) {
            return false;
        }
#define CAPABILITY(bit, text)                                                  \
    *capabilities |= strcmp(name, text) == 0 ? (bit) : 0;
        PBT_CAPABILITY_MAP(CAPABILITY)
#undef CAPABILITY
    }
    return true;
}

/* Returns NULL, or what the value has to be. */
static const char *get_number(void *at, enum pbt_message_member_kind kind,
                              const json_t *value)
{
    uint64_t number = 0;
    if (kind == PBT_KIND_REAL) {
        double real = 0;
        if (!json_is_number(value) || (real = json_number_value(value)) < 0) {
            return "a number not below 0";
        }
        *(double *)at = real;
        return NULL;
    }
    bool whole = get_u64(value, &number);
    if (kind == PBT_KIND_INT) {
        *(int *)at = (int)(number & INT32_MAX);
        return whole && number <= INT32_MAX ? NULL : "a small whole number";
    }
    if (kind == PBT_KIND_I64) {
        *(int64_t *)at = (int64_t)(number & INT64_MAX);
        return whole && number <= INT64_MAX ? NULL
                                            : "a whole number not below 0";
    }
    *(uint64_t *)at = number;
    return whole ? NULL
                 : "a whole number not below 0 (a decimal string beyond 2^53)";
}

/* Returns NULL, or what the value has to be. */
static const char *get_value(struct pbt_message *message,
                             const struct pbt_message_member *member,
                             const json_t *value)
{
    void *at = (char *)message + member->offset;
    switch (member->kind) {
    case PBT_KIND_U64:
    case PBT_KIND_SEED:
    case PBT_KIND_I64:
    case PBT_KIND_INT:
    case PBT_KIND_REAL:
        return get_number(at, member->kind, value);
    case PBT_KIND_BOOL:
        *(bool *)at = json_is_true(value);
        return json_is_boolean(value) ? NULL : "true or false";
    case PBT_KIND_NULLABLE:
        *(const char **)at = json_string_value(value);
        return json_is_string(value) || json_is_null(value)
                   ? NULL
                   : "a string or null";
    case PBT_KIND_TEXT:
    case PBT_KIND_FREE:
        *(const char **)at = json_string_value(value);
        return json_is_string(value) ? NULL : "a string";
    case PBT_KIND_OBJECT:
        return json_is_object(value) ? NULL : "an object";
    case PBT_KIND_CAPABILITIES:
        return get_capabilities(value, at) ? NULL : "a list of strings";
    }
    return "known";
}

static bool take_slice(const struct pbt_scan *scan, struct pbt_slice slice,
                       const json_t *value, const char **text, size_t *length)
{
    if (value == NULL) {
        return true;
    }
    *text = scan->line + slice.start;
    *length = slice.end - slice.start;
    return *length >= 2;
}

/* The objects as text.  False if the scan did not find what the parse found. */
static bool take_slices(struct pbt_message *message,
                        const struct pbt_scan *scan, uint32_t members)
{
    const json_t *manifest = NULL;
    if ((members & UINT32_C(1) << PBT_MEMBER_CONFIG) != 0) {
        message->config_json = json_object_get(message->root, "config");
    }
    if ((members & UINT32_C(1) << PBT_MEMBER_METRICS) != 0) {
        message->metrics_json = json_object_get(message->root, "metrics");
    }
    if ((members & UINT32_C(1) << PBT_MEMBER_MANIFEST) != 0) {
        manifest = json_object_get(message->root, "manifest");
    }
    return take_slice(scan, scan->config, message->config_json,
                      &message->config, &message->config_length) &&
           take_slice(scan, scan->metrics, message->metrics_json,
                      &message->metrics, &message->metrics_length) &&
           take_slice(scan, scan->manifest, manifest, &message->manifest,
                      &message->manifest_length);
}

/* Fills `message` from its root.  `why` has room for PBT_ERROR_TEXT_MAX. */
static bool read_members(struct pbt_message *message,
                         const struct pbt_scan *scan, char *why)
{
    struct pbt_error note;
    const json_t *type = json_object_get(message->root, "type");
    bool good = json_is_object(message->root) && json_is_string(type);
    if (!good) {
        pbt_error_set(&note, PBT_EDATA, "not an object with a \"type\"");
    } else if (!pbt_message_find_type(json_string_value(type),
                                      &message->type)) {
        good = false;
        pbt_error_set(&note, PBT_EDATA, "unknown type of message");
    }
    uint32_t required = good ? pbt_message_forms[message->type].required : 0;
    uint32_t optional = good ? pbt_message_forms[message->type].optional : 0;
    for (size_t i = 0; good && i < PBT_MEMBER_COUNT; i++) {
        uint32_t bit = UINT32_C(1) << i;
        if (((required | optional) & bit) == 0) {
            continue;
        }
        const struct pbt_message_member *member = &pbt_message_members[i];
        const json_t *value = json_object_get(message->root, member->name);
        if (value == NULL && (optional & bit) != 0) {
            continue;
        }
        const char *want =
            value == NULL ? "there" : get_value(message, member, value);
        if (want != NULL) {
            good = false;
            pbt_error_set(&note, PBT_EDATA, "\"%s\" of \"%s\" has to be %s",
                          member->name, pbt_message_name(message->type), want);
        }
    }
    if (good && !take_slices(message, scan, required)) {
        good = false;
        pbt_error_set(&note, PBT_EDATA, "a name is written with escapes");
    }
    if (!good) {
        memcpy(why, note.text, sizeof note.text);
    }
    return good;
}

int pbt_message_decode(struct pbt_message *message, const char *line,
                       size_t length, struct pbt_error *error)
{
    char why[PBT_ERROR_TEXT_MAX];
    struct pbt_scan scan;
    *message = (struct pbt_message){0};
    if (length > PBT_MESSAGE_LINE_MAX) {
        return refuse(error, line, length, "longer than 1 MiB");
    }
    if (pbt_message_decode_strict(message, line, length)) {
        return PBT_OK;
    }
    pbt_scan_line(&scan, line, length);
    if (scan.depth_max > PBT_MESSAGE_DEPTH_MAX) {
        return refuse(error, line, length, "more than 32 levels deep");
    }
    if (scan.bare > 0) {
        size_t copied = 0;
        message->copy = pbt_scan_quoted(&scan, &copied);
        if (message->copy == NULL) {
            return pbt_error_set(error, PBT_ENOMEM, "out of memory");
        }
        pbt_scan_line(&scan, message->copy, copied);
    }
    json_error_t where;
    message->root =
        json_loadb(scan.line, scan.length, JSON_REJECT_DUPLICATES, &where);
    if (message->root == NULL) {
        bool memory = json_error_code(&where) == json_error_out_of_memory;
        struct pbt_error note;
        pbt_error_set(&note, PBT_EDATA, "not strict JSON (byte %d: %s)",
                      where.position, where.text);
        (void)refuse(error, line, length, note.text);
        pbt_message_done(message);
        return memory ? pbt_error_set(error, PBT_ENOMEM, "out of memory")
                      : PBT_EDATA;
    }
    if (!read_members(message, &scan, why)) {
        (void)refuse(error, line, length, why);
        pbt_message_done(message);
        return PBT_EDATA;
    }
    if (message->type == PBT_MESSAGE_RESULT) {
        message->ignored_json = json_object_get(message->root, "ignored");
    }
    return PBT_OK;
}

void pbt_message_done(struct pbt_message *message)
{
    json_decref(message->root);
    free(message->copy);
    *message = (struct pbt_message){0};
}
