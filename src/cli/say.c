/*
 * say.c: what a verb says: data on stdout, and what people read.  Errors: message.c.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/printable.h"
#include "cli/cli.h"
#include "cli/paint.h"
#include "spec/problems.h"
#include "spec/schema.h"

#define MESSAGE_MAX ((size_t)1 << 20)

/* errno of the first failure to write to stdout; 0: none. */
static int failure;

static void note_failure(bool failed)
{
    if (failed && failure == 0) {
        failure = errno != 0 ? errno : EIO;
    }
}

int pbt_cli_flush(void)
{
    errno = 0;
    note_failure(fflush(stdout) != 0);
    return failure;
}

/* A message for people, in which nothing is left that a terminal could act on. */
static void put_message(const struct pbt_buf *text)
{
    struct pbt_buf painted;
    if (!pbt_cli_paints()) {
        (void)fwrite(text->data, 1, text->length, stderr);
        return;
    }
    pbt_buf_init(&painted, 2 * MESSAGE_MAX + 8 * text->length);
    pbt_cli_paint(&painted, text->data, text->length);
    const struct pbt_buf *shown = pbt_buf_failed(&painted) ? text : &painted;
    (void)fwrite(shown->data, 1, shown->length, stderr);
    pbt_buf_done(&painted);
}

void pbt_cli_say(const char *text)
{
    struct pbt_buf line;
    pbt_buf_init(&line, MESSAGE_MAX);
    pbt_printable_put(&line, text, strlen(text), true);
    pbt_buf_char(&line, '\n');
    if (pbt_buf_failed(&line)) {
        (void)fputs("out of memory\n", stderr);
    } else {
        put_message(&line);
    }
    pbt_buf_done(&line);
}

void pbt_cli_put(const struct pbt_buf *text, bool to_stderr)
{
    if (to_stderr) {
        (void)pbt_cli_flush();
    }
    if (text->length == 0) {
        return;
    }
    if (!to_stderr && isatty(STDOUT_FILENO) != 1) {
        errno = 0;
        note_failure(fwrite(text->data, 1, text->length, stdout) !=
                     text->length);
        return;
    }
    struct pbt_buf shown;
    pbt_buf_init(&shown, 4 * text->length);
    pbt_printable_put(&shown, text->data, text->length, true);
    if (!pbt_buf_failed(&shown) && to_stderr) {
        put_message(&shown);
    } else if (!pbt_buf_failed(&shown)) {
        (void)fwrite(shown.data, 1, shown.length, stdout);
    }
    pbt_buf_done(&shown);
}

void pbt_cli_put_command(struct pbt_buf *out, const char *verb, const char *run,
                         const char *trial)
{
    struct pbt_buf words;
    pbt_buf_init(&words, MESSAGE_MAX);
    pbt_line_word(&words, "pbt", NULL);
    pbt_line_word(&words, verb, NULL);
    pbt_line_word(&words, run, NULL);
    if (trial != NULL) {
        pbt_line_word(&words, trial, NULL);
    }
    out->failed = out->failed || pbt_buf_failed(&words);
    pbt_buf_put(out, words.data, words.length);
    pbt_buf_done(&words);
}

void pbt_cli_say_command(const char *before, const char *verb, const char *run,
                         const char *trial)
{
    struct pbt_buf line;
    pbt_buf_init(&line, MESSAGE_MAX);
    pbt_buf_text(&line, before);
    pbt_cli_put_command(&line, verb, run, trial);
    pbt_buf_char(&line, '\n');
    pbt_cli_put(&line, false);
    pbt_buf_done(&line);
}

const char *pbt_cli_close_word(const char *word, const void *words,
                               size_t count, size_t stride)
{
    const char *best = NULL;
    size_t least = SIZE_MAX;
    size_t length = strlen(word);
    for (size_t i = 0; i < count; i++) {
        const char *known;
        memcpy(&known, (const char *)words + i * stride, sizeof known);
        size_t distance = pbt_word_distance(word, length, known, strlen(known));
        if (distance < least && pbt_word_close(word, length, known)) {
            least = distance;
            best = known;
        }
    }
    return best;
}
