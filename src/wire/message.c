/*
 * message.c: messages to lines.  Lines to messages: decode.c.
 */
#include "wire/message.h"

#include <string.h>

#include "wire/members.h"

#define EXACT_MAX (UINT64_C(1) << 53) /* beyond it a double is not exact */

/* The length of the UTF-8 character at `c`, or 0 if it is none. */
static size_t utf8_length(const unsigned char *c, size_t left)
{
    if (c[0] < 0x80) {
        return 1;
    }
    size_t length = c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : 2;
    if (c[0] < 0xc2 || c[0] > 0xf4 || length > left) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((c[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool overlong =
        (c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xf0 && c[1] < 0x90);
    bool outside = (c[0] == 0xed && c[1] >= 0xa0) || /* surrogates */
                   (c[0] == 0xf4 && c[1] >= 0x90);
    return overlong || outside ? 0 : length;
}

size_t pbt_utf8_span(const char *text, size_t length)
{
    size_t at = 0;
    while (at < length) {
        size_t step =
            utf8_length((const unsigned char *)text + at, length - at);
        if (step == 0) {
            break;
        }
        at += step;
    }
    return at;
}

/* Writes text for people as a JSON string, with '?' for what is no UTF-8. */
static void put_free_text(struct pbt_buf *out, const char *text)
{
    size_t length = strlen(text);
    if (pbt_utf8_span(text, length) == length) {
        pbt_buf_json_string(out, text, length);
        return;
    }
    struct pbt_buf repaired;
    pbt_buf_init(&repaired, length);
    while (length > 0) {
        size_t good = pbt_utf8_span(text, length);
        pbt_buf_put(&repaired, text, good);
        if (good < length) {
            pbt_buf_char(&repaired, '?');
            good++;
        }
        text += good;
        length -= good;
    }
    if (pbt_buf_failed(&repaired)) {
        out->failed = true;
    } else {
        pbt_buf_json_string(out, repaired.data, repaired.length);
    }
    pbt_buf_done(&repaired);
}

static void put_u64(struct pbt_buf *out, uint64_t value, bool as_text)
{
    if (as_text || value > EXACT_MAX) {
        pbt_buf_char(out, '"');
        pbt_buf_u64(out, value);
        pbt_buf_char(out, '"');
    } else {
        pbt_buf_u64(out, value);
    }
}

static int put_text(struct pbt_buf *out,
                    const struct pbt_message_member *member, const char *text,
                    struct pbt_error *error)
{
    size_t length = text == NULL ? 0 : strlen(text);
    if (text == NULL || pbt_utf8_span(text, length) != length) {
        return pbt_error_set(error, PBT_EUSAGE, "\"%s\" is %s", member->name,
                             text == NULL ? "missing" : "not UTF-8");
    }
    pbt_buf_json_string(out, text, length);
    return PBT_OK;
}

static int put_object(struct pbt_buf *out,
                      const struct pbt_message_member *member,
                      const struct pbt_message *message,
                      struct pbt_error *error)
{
    const char *text = message->config;
    size_t length = message->config_length;
    if (member == &pbt_message_members[PBT_MEMBER_METRICS]) {
        text = message->metrics;
        length = message->metrics_length;
    } else if (member == &pbt_message_members[PBT_MEMBER_MANIFEST]) {
        text = message->manifest;
        length = message->manifest_length;
    }
    if (text == NULL || length < 2 || memchr(text, '\n', length) != NULL) {
        return pbt_error_set(error, PBT_EUSAGE,
                             "\"%s\" is not a JSON object on one line",
                             member->name);
    }
    pbt_buf_put(out, text, length);
    return PBT_OK;
}

static void put_capabilities(struct pbt_buf *out, uint32_t capabilities)
{
    const char *before = "";
    pbt_buf_char(out, '[');
#define CAPABILITY(bit, text)                                                  \
    if ((capabilities & (bit)) != 0) {                                         \
        pbt_buf_printf(out, "%s\"%s\"", before, text);                         \
        before = ",";                                                          \
    }
    PBT_CAPABILITY_MAP(CAPABILITY)
#undef CAPABILITY
    (void)before;
    pbt_buf_char(out, ']');
}

static int put_value(struct pbt_buf *out,
                     const struct pbt_message_member *member,
                     const struct pbt_message *message, struct pbt_error *error)
{
    const void *at = (const char *)message + member->offset;
    switch (member->kind) {
    case PBT_KIND_U64:
        put_u64(out, *(const uint64_t *)at, false);
        return PBT_OK;
    case PBT_KIND_SEED:
        put_u64(out, *(const uint64_t *)at, true);
        return PBT_OK;
    case PBT_KIND_I64:
        put_u64(out, (uint64_t) * (const int64_t *)at, false);
        return PBT_OK;
    case PBT_KIND_INT:
        pbt_buf_i64(out, *(const int *)at);
        return PBT_OK;
    case PBT_KIND_REAL:
        pbt_buf_real(out, *(const double *)at);
        return PBT_OK;
    case PBT_KIND_BOOL:
        pbt_buf_text(out, *(const bool *)at ? "true" : "false");
        return PBT_OK;
    case PBT_KIND_NULLABLE:
        if (*(const char *const *)at == NULL) {
            pbt_buf_text(out, "null");
            return PBT_OK;
        }
        return put_text(out, member, *(const char *const *)at, error);
    case PBT_KIND_TEXT:
        return put_text(out, member, *(const char *const *)at, error);
    case PBT_KIND_FREE:
        put_free_text(out, *(const char *const *)at != NULL
                               ? *(const char *const *)at
                               : "");
        return PBT_OK;
    case PBT_KIND_OBJECT:
        return put_object(out, member, message, error);
    case PBT_KIND_CAPABILITIES:
        put_capabilities(out, *(const uint32_t *)at);
        return PBT_OK;
    }
    return PBT_OK;
}

/* True if an optional member is to be written. */
static bool is_set(const struct pbt_message_member *member,
                   const struct pbt_message *message)
{
    const void *at = (const char *)message + member->offset;
    if (member->kind == PBT_KIND_BOOL) {
        return *(const bool *)at;
    }
    if (member->kind == PBT_KIND_U64) {
        return *(const uint64_t *)at != 0;
    }
    return *(const char *const *)at != NULL;
}

static int put_members(const struct pbt_message *message, struct pbt_buf *out,
                       struct pbt_error *error)
{
    const struct pbt_message_form *form = &pbt_message_forms[message->type];
    pbt_buf_text(out, "{\"type\":\"");
    pbt_buf_text(out, pbt_message_name(message->type));
    pbt_buf_char(out, '"');
    for (size_t i = 0; i < PBT_MEMBER_COUNT; i++) {
        uint32_t bit = UINT32_C(1) << i;
        const struct pbt_message_member *member = &pbt_message_members[i];
        if ((form->required & bit) == 0 &&
            ((form->optional & bit) == 0 || !is_set(member, message))) {
            continue;
        }
        pbt_buf_text(out, ",\"");
        pbt_buf_text(out, member->name);
        pbt_buf_text(out, "\":");
        int status = put_value(out, member, message, error);
        if (status != PBT_OK) {
            return status;
        }
    }
    pbt_buf_text(out, "}\n");
    return PBT_OK;
}

int pbt_message_encode(const struct pbt_message *message, struct pbt_buf *out,
                       struct pbt_error *error)
{
    size_t before = out->length;
    bool failed_before = out->failed;
    out->failed = false;
    int status = put_members(message, out, error);
    if (status == PBT_OK && out->failed) {
        status =
            pbt_error_set(error, PBT_ENOMEM,
                          "no room for a message of type \"%s\" (%zu of "
                          "%zu bytes are in use)",
                          pbt_message_name(message->type), before, out->limit);
    } else if (status == PBT_OK &&
               out->length - before > PBT_MESSAGE_LINE_MAX + 1) {
        status = pbt_error_set(error, PBT_EUSAGE,
                               "the message would be %zu bytes long, more than "
                               "%d",
                               out->length - before - 1, PBT_MESSAGE_LINE_MAX);
    } else if (status != PBT_OK) {
        pbt_error_prefix(error, status, "message of type \"%s\"",
                         pbt_message_name(message->type));
    }
    if (status != PBT_OK && out->data != NULL) {
        out->length = before;
        out->data[before] = '\0';
    }
    out->failed = failed_before;
    return status;
}
