/*
 * The lines of the worker protocol: nothing may crash, leak or hang, and what is a
 * message comes back from its own written form.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int good)
{
    if (!good) {
        abort();
    }
}

/* What the driver asks a decoded message for. */
static void look_up(const struct pbt_message *message)
{
    static const char *const names[] = {"acc", "a/b", "a/b/c", "", "/"};
    double value;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)pbt_metric_number(message->metrics_json, names[i], &value);
        (void)pbt_json_member(message->config_json, names[i]);
        (void)pbt_metric_reserved(names[i]);
    }
}

/* Written, read and written again: the same line. */
static void write_again(const struct pbt_message *message)
{
    struct pbt_buf first;
    struct pbt_buf second;
    struct pbt_error error;
    pbt_buf_init(&first, (size_t)8 << 20);
    pbt_buf_init(&second, (size_t)8 << 20);
    int status = pbt_message_encode(message, &first, &error);
    /* A line near the limit may grow beyond it: bare NaN has become a string. */
    check(status == PBT_OK || status == PBT_EUSAGE);
    if (status == PBT_OK) {
        struct pbt_message again;
        check(first.length > 0 && first.data[first.length - 1] == '\n');
        check(pbt_message_decode(&again, first.data, first.length - 1,
                                 &error) == PBT_OK);
        check(again.type == message->type);
        check(pbt_message_encode(&again, &second, &error) == PBT_OK);
        check(first.length == second.length &&
              memcmp(first.data, second.data, first.length) == 0);
        pbt_message_done(&again);
    }
    pbt_buf_done(&first);
    pbt_buf_done(&second);
}

static void take_line(const char *line, size_t length)
{
    struct pbt_message message;
    struct pbt_error error;
    /* In a block of its own size: the decoder may not look behind it. */
    char *copy = malloc(length > 0 ? length : 1);
    check(copy != NULL);
    memcpy(copy, line, length);
    error.text[0] = '\0';
    int status = pbt_message_decode(&message, copy, length, &error);
    check(status == PBT_OK || status == PBT_EDATA);
    check((status == PBT_OK) == (error.text[0] == '\0'));
    if (status == PBT_OK) {
        look_up(&message);
        write_again(&message);
        pbt_message_done(&message);
    } else {
        /* Shown on terminals. */
        check(pbt_utf8_span(error.text, strlen(error.text)) ==
              strlen(error.text));
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    while (size > 0) {
        const char *newline = memchr(text, '\n', size);
        size_t length = newline != NULL ? (size_t)(newline - text) : size;
        take_line(text, length);
        length += newline != NULL;
        text += length;
        size -= length;
    }
    return 0;
}
