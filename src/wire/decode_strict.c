/*
 * decode_strict.c: the fast path for what is said at every step.
 *
 * A result, a grant or an acknowledgement as pbt_message_encode() writes it, members in
 * the table's order and without spaces, is read without a tree of JSON, but for the
 * metrics.  Whatever is not just so (other clients write spaces) is left to decode.c.
 */
#include <math.h>
#include <string.h>

#include "base/strict.h"
#include "wire/members.h"

#define WORD_MAX ((size_t)16)

static bool take_type(struct pbt_strict *in, enum pbt_message_type *type)
{
    static const char start[] = "{\"type\":\"";
    char word[WORD_MAX + 1];
    size_t length = 0;
    if (!pbt_strict_skip(in, start, sizeof start - 1)) {
        return false;
    }
    while (length < WORD_MAX && in->at < in->end && *in->at >= 'a' &&
           *in->at <= 'z') {
        word[length++] = *in->at++;
    }
    word[length] = '\0';
    return pbt_strict_char(in, '"') && pbt_message_find_type(word, type);
}

/* Passes over `,"name":`, or stays. */
static bool skip_key(struct pbt_strict *in, const char *name)
{
    const char *before = in->at;
    if (pbt_strict_skip(in, ",\"", 2) &&
        pbt_strict_skip(in, name, strlen(name)) &&
        pbt_strict_skip(in, "\":", 2)) {
        return true;
    }
    in->at = before;
    return false;
}

/* The metrics are the last member, and flat: jansson recurses. */
static bool take_metrics(struct pbt_strict *in, struct pbt_message *message)
{
    const char *start = in->at;
    const char *end =
        in->at < in->end && *in->at == '{' ? pbt_strict_object_end(in) : NULL;
    if (end == NULL) {
        return false;
    }
    size_t length = (size_t)(end - start);
    if (memchr(start + 1, '{', length - 1) != NULL ||
        memchr(start, '[', length) != NULL) {
        return false;
    }
    /* Refuses bare NaN and infinities too, which decode.c then mends. */
    message->root = json_loadb(start, length, JSON_REJECT_DUPLICATES, NULL);
    message->metrics = start;
    message->metrics_length = length;
    message->metrics_json = message->root;
    in->at = end;
    return message->root != NULL;
}

static bool take_member(struct pbt_strict *in, struct pbt_message *message,
                        const struct pbt_message_member *member)
{
    void *at = (char *)message + member->offset;
    switch (member->kind) {
    case PBT_KIND_U64:
        return pbt_strict_u64(in, at);
    case PBT_KIND_I64:
        return pbt_strict_i64(in, at) && *(int64_t *)at >= 0;
    case PBT_KIND_REAL: {
        double real = 0;
        bool good = pbt_strict_real(in, &real) && isfinite(real) && real >= 0;
        *(double *)at = real;
        return good;
    }
    case PBT_KIND_BOOL:
        return pbt_strict_bool(in, at);
    case PBT_KIND_OBJECT:
        return member == &pbt_message_members[PBT_MEMBER_METRICS] &&
               take_metrics(in, message);
    case PBT_KIND_SEED:
    case PBT_KIND_INT:
    case PBT_KIND_TEXT:
    case PBT_KIND_NULLABLE:
    case PBT_KIND_FREE:
    case PBT_KIND_CAPABILITIES:
        break;
    }
    return false; /* not on the step path */
}

static bool take_message(struct pbt_strict *in, struct pbt_message *message)
{
    if (!take_type(in, &message->type)) {
        return false;
    }
    uint32_t missing = pbt_message_forms[message->type].required;
    uint32_t known = missing | pbt_message_forms[message->type].optional;
    for (size_t i = 0; i < PBT_MEMBER_COUNT; i++) {
        const struct pbt_message_member *member = &pbt_message_members[i];
        uint32_t bit = UINT32_C(1) << i;
        if ((known & bit) == 0 || !skip_key(in, member->name)) {
            continue;
        }
        if (!take_member(in, message, member)) {
            return false;
        }
        missing &= ~bit;
    }
    return missing == 0 && pbt_strict_char(in, '}') && in->at == in->end;
}

bool pbt_message_decode_strict(struct pbt_message *message, const char *line,
                               size_t length)
{
    struct pbt_strict in = {line, line + length};
    bool good = take_message(&in, message);
    if (!good) {
        pbt_message_done(message);
    }
    return good;
}
