/*
 * lines.c: a stream into lines.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "wire/message.h"

#define READ_SIZE ((size_t)65536)

void pbt_lines_init(struct pbt_lines *lines)
{
    *lines = (struct pbt_lines){0};
    pbt_buf_init(&lines->buf, PBT_MESSAGE_LINE_MAX + 1 + READ_SIZE);
}

void pbt_lines_done(struct pbt_lines *lines)
{
    pbt_buf_done(&lines->buf);
    pbt_lines_init(lines);
}

/* Moves what was not given out yet to the front. */
static void compact(struct pbt_lines *lines)
{
    struct pbt_buf *buf = &lines->buf;
    if (lines->start == 0) {
        return;
    }
    buf->length -= lines->start;
    memmove(buf->data, buf->data + lines->start, buf->length);
    lines->scanned -= lines->start;
    lines->start = 0;
}

/* The length of the first line, finished or not. */
static size_t first_length(struct pbt_lines *lines, bool *finished)
{
    const struct pbt_buf *buf = &lines->buf;
    const char *from = buf->data + lines->scanned;
    const char *newline = NULL;
    if (buf->length > lines->scanned) {
        newline = memchr(from, '\n', buf->length - lines->scanned);
    }
    *finished = newline != NULL;
    lines->scanned =
        newline != NULL ? (size_t)(newline - buf->data) : buf->length;
    return lines->scanned - lines->start;
}

int pbt_lines_read(struct pbt_lines *lines, int fd, bool *ended,
                   struct pbt_error *error)
{
    struct pbt_buf *buf = &lines->buf;
    *ended = false;
    compact(lines);
    size_t room = buf->limit - buf->length;
    if (room == 0) {
        return PBT_OK; /* whole lines wait to be taken */
    }
    size_t want = room < READ_SIZE ? room : READ_SIZE;
    if (!pbt_buf_reserve(buf, want)) {
        buf->failed = false;
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    ssize_t got = read(fd, buf->data + buf->length, want);
    if (got < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
            return PBT_OK;
        }
        if (errno == ECONNRESET) { /* it went with our words unread */
            *ended = true;
            return PBT_OK;
        }
        return pbt_error_set(error, PBT_EIO, "can't read: %s", strerror(errno));
    }
    *ended = got == 0;
    buf->length += (size_t)got;
    buf->data[buf->length] = '\0';
    bool finished;
    if (first_length(lines, &finished) > PBT_MESSAGE_LINE_MAX) {
        return pbt_error_set(
            error, PBT_EDATA, "line %llu is longer than %d bytes",
            (unsigned long long)lines->count + 1, PBT_MESSAGE_LINE_MAX);
    }
    return PBT_OK;
}

char *pbt_lines_next(struct pbt_lines *lines, size_t *length)
{
    struct pbt_buf *buf = &lines->buf;
    if (buf->data == NULL) {
        return NULL;
    }
    bool finished;
    size_t found = first_length(lines, &finished);
    if (!finished) {
        return NULL;
    }
    char *line = buf->data + lines->start;
    line[found] = '\0';
    *length = found;
    lines->start += found + 1;
    lines->scanned = lines->start;
    lines->count++;
    return line;
}
