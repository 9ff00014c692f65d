/*
 * buf.h: a growing run of bytes with a limit given at birth.
 *
 * A failed append leaves the buffer as it was and marks it as failed: a caller
 * may append many times and ask once, with pbt_buf_failed(), at the end.
 */
#ifndef PBT_BASE_BUF_H
#define PBT_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pbt/error.h>

struct pbt_buf {
    char *data; /* NULL while nothing was appended; else NUL-terminated */
    size_t length;
    size_t capacity;
    size_t limit; /* bytes, without the NUL */
    bool failed;
};

/* `limit` in bytes; no memory is taken yet. */
void pbt_buf_init(struct pbt_buf *buf, size_t limit);
/* Frees; the buffer can be used again with the same limit. */
void pbt_buf_done(struct pbt_buf *buf);
/* Empties without freeing, and forgets a failure. */
void pbt_buf_reset(struct pbt_buf *buf);
/* True if an append failed: out of memory or beyond the limit. */
bool pbt_buf_failed(const struct pbt_buf *buf);
/* Makes room for `more` bytes; false if it can't. */
bool pbt_buf_reserve(struct pbt_buf *buf, size_t more);

void pbt_buf_put(struct pbt_buf *buf, const void *bytes, size_t length);
void pbt_buf_text(struct pbt_buf *buf, const char *text);
void pbt_buf_char(struct pbt_buf *buf, char c);
void pbt_buf_printf(struct pbt_buf *buf, const char *fmt, ...) PBT_PRINTF(2, 3);
void pbt_buf_u64(struct pbt_buf *buf, uint64_t value);
void pbt_buf_i64(struct pbt_buf *buf, int64_t value);
/*
 * A double as JSON that reads back to the same bits: the shortest of 15 to 17
 * digits, "1.0" for whole numbers; NaN and infinities as the strings "NaN",
 * "Infinity", "-Infinity" with their quotes.  Ignores the locale.
 */
void pbt_buf_real(struct pbt_buf *buf, double value);
/* Text as a JSON string with its quotes; must be UTF-8. */
void pbt_buf_json_string(struct pbt_buf *buf, const char *text, size_t length);

#endif
