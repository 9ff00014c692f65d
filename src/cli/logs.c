/*
 * pbt logs: what a trial's program printed: its stdout on ours, its stderr on ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/printable.h"
#include "cli/results.h"
#include "journal/lock.h"

#define BLOCK_SIZE ((size_t)64 * 1024)
#define POLL_NS 200000000
/* Of so many polls one looks whether the run goes on. */
#define POLLS_PER_LOOK 5

struct stream {
    const char *name; /* in the trial's directory */
    FILE *to;
    bool wanted;
    bool terminal;
    int fd; /* -1: not there yet */
    char path[PATH_MAX];
    off_t offset;
    /* The start of a character whose end has not been read. */
    char rest[4];
    size_t rest_length;
};

/* --- where to begin ----------------------------------------------------------- */

/* The offset of the last `lines` lines of the first `size` bytes; -1 with errno. */
static off_t offset_of_last(int fd, off_t size, unsigned long lines)
{
    char block[BLOCK_SIZE];
    off_t end = size;
    unsigned long seen = 0;
    while (end > 0) {
        size_t length = end < (off_t)sizeof block ? (size_t)end : sizeof block;
        off_t start = end - (off_t)length;
        ssize_t got = pread(fd, block, length, start);
        if (got != (ssize_t)length) {
            errno = got < 0 ? errno : EIO; /* shorter than it was */
            return -1;
        }
        for (size_t i = length; i > 0; i--) {
            off_t at = start + (off_t)i;
            /* The newline at the very end ends the last line. */
            if (block[i - 1] == '\n' && at < size && ++seen == lines) {
                return at;
            }
        }
        end = start;
    }
    return 0;
}

/* --- printing ----------------------------------------------------------------- */

/* How many bytes at the end of a text are the start of a character without its end. */
static size_t open_character(const char *text, size_t length)
{
    for (size_t back = 1; back <= 3 && back <= length; back++) {
        unsigned char c = (unsigned char)text[length - back];
        if ((c & 0xc0) == 0x80) {
            continue;
        }
        size_t whole = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
        return whole > back ? back : 0;
    }
    return 0;
}

/* For a terminal: nothing in it that the terminal would act on. */
static void put_shown(struct stream *stream, char *text, size_t length)
{
    struct pbt_buf shown;
    size_t open = open_character(text, length);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\r') { /* a progress bar's */
            text[i] = '\n';
        }
    }
    pbt_buf_init(&shown, 4 * (length + 1));
    pbt_printable_put(&shown, text, length - open, true);
    if (!pbt_buf_failed(&shown)) {
        (void)fwrite(shown.data, 1, shown.length, stream->to);
    }
    pbt_buf_done(&shown);
    memcpy(stream->rest, text + length - open, open);
    stream->rest_length = open;
}

/* Prints what has come since.  False with errno. */
static bool put_news(struct stream *stream, bool *news)
{
    char text[BLOCK_SIZE + sizeof stream->rest];
    for (;;) {
        memcpy(text, stream->rest, stream->rest_length);
        ssize_t got = pread(stream->fd, text + stream->rest_length, BLOCK_SIZE,
                            stream->offset);
        if (got <= 0) {
            return got == 0 || errno == EINTR;
        }
        *news = true;
        stream->offset += got;
        size_t length = stream->rest_length + (size_t)got;
        stream->rest_length = 0;
        if (stream->terminal) {
            put_shown(stream, text, length);
        } else if (fwrite(text, 1, length, stream->to) != length) {
            return true; /* main() says what is wrong with stdout */
        }
    }
}

/* --- files -------------------------------------------------------------------- */

static int fail_file(const struct stream *stream)
{
    int cause = errno;
    return pbt_cli_error(cause == EACCES ? PBT_E0977 : PBT_E0974,
                         "can't read %s: %s", stream->path, strerror(cause));
}

/* No such file is no error: the trial has not started yet. */
static int open_stream(struct stream *stream, unsigned long lines)
{
    struct stat there;
    stream->fd = open(stream->path, O_RDONLY | O_CLOEXEC);
    if (stream->fd < 0) {
        return errno == ENOENT ? PBT_OK : fail_file(stream);
    }
    if (lines > 0) {
        if (fstat(stream->fd, &there) != 0) {
            return fail_file(stream);
        }
        stream->offset = offset_of_last(stream->fd, there.st_size, lines);
        if (stream->offset < 0) {
            return fail_file(stream);
        }
    }
    return PBT_OK;
}

static int show_news(struct stream streams[2], bool *news)
{
    *news = false;
    for (int i = 0; i < 2; i++) {
        struct stream *stream = &streams[i];
        int status = PBT_OK;
        if (stream->wanted && stream->fd < 0) {
            status = open_stream(stream, 0);
        }
        if (status != PBT_OK) {
            return status;
        }
        if (stream->wanted && stream->fd >= 0 && !put_news(stream, news)) {
            return fail_file(stream);
        }
        (void)fflush(stream->to);
    }
    return PBT_OK;
}

/* Is anybody at work?  Whom nobody has heard of for long is given up, with a word about it. */
static bool is_driven(const char *run, struct pbt_lock_watch *watch)
{
    struct timespec now;
    struct pbt_lock_look look = pbt_lock_look(run);
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* can't fail */
    bool lives = pbt_lock_lives(watch, &look,
                                (uint64_t)now.tv_sec * 1000000000 +
                                    (uint64_t)now.tv_nsec);
    if (!lives && look.state == PBT_LOCK_ELSEWHERE) {
        char text[sizeof look.host + 128];
        (void)snprintf(text, sizeof text,
                       "note: the driver on %s has given no sign of life for "
                       "%" PRIu64 " s: it is followed no more",
                       look.host,
                       pbt_lock_settings().stale_ns / UINT64_C(1000000000));
        pbt_cli_say(text);
    }
    return lives;
}

/* Until nobody drives the run, or nobody reads us. */
static int follow(struct stream streams[2], const char *run)
{
    const struct timespec wait = {0, POLL_NS};
    struct pbt_lock_watch watch = {.begun = false};
    bool driven = true;
    bool news = false;
    for (unsigned polls = 1; driven || news; polls++) {
        (void)nanosleep(&wait, NULL);
        if (driven && polls % POLLS_PER_LOOK == 0) {
            driven = is_driven(run, &watch);
        }
        int status = show_news(streams, &news);
        if (status != PBT_OK || ferror(stdout)) {
            return status;
        }
    }
    return PBT_OK;
}

/* --- the verb ------------------------------------------------------------------- */

static int parse_lines(const struct pbt_cli_call *call, unsigned long *lines)
{
    const char *text = pbt_cli_value(call, "lines");
    char *end;
    *lines = 0;
    if (text == NULL) {
        return PBT_OK;
    }
    errno = 0;
    *lines = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 ||
        *lines == 0) {
        return pbt_cli_usage(PBT_E0613, "logs", text, NULL,
                             "`%s` is no number of lines", text);
    }
    return PBT_OK;
}

static int show(const struct pbt_cli_call *call, const char *run,
                const struct pbt_trial_info *trial, unsigned long lines)
{
    bool only_out = pbt_cli_given(call, "stdout");
    bool only_err = pbt_cli_given(call, "stderr");
    struct stream streams[2] = {
        {.name = "stdout", .to = stdout, .wanted = !only_err || only_out},
        {.name = "stderr",
         .to = only_err ? stdout : stderr,
         .wanted = only_err || !only_out}};
    bool over = trial->status == PBT_TRIAL_TERMINATED ||
                trial->status == PBT_TRIAL_ERROR;
    bool news = false;
    int status = PBT_OK;
    for (int i = 0; i < 2; i++) {
        streams[i].terminal = isatty(fileno(streams[i].to)) == 1;
        streams[i].fd = -1;
        (void)snprintf(streams[i].path, sizeof streams[i].path, "%s/%s",
                       trial->dir, streams[i].name);
        if (status == PBT_OK && streams[i].wanted) {
            status = open_stream(&streams[i], lines);
        }
    }
    if (status == PBT_OK) {
        status = show_news(streams, &news);
    }
    if (status == PBT_OK && pbt_cli_given(call, "follow") && !over) {
        status = follow(streams, run);
    } else if (status == PBT_OK && !news) {
        (void)fprintf(stderr, "%s has printed nothing%s\n", trial->id,
                      over ? "" : " yet");
    }
    for (int i = 0; i < 2; i++) {
        if (streams[i].fd >= 0) {
            (void)close(streams[i].fd);
        }
    }
    return status;
}

int pbt_cli_logs(const struct pbt_cli_call *call)
{
    char dir[PATH_MAX];
    unsigned long lines;
    struct pbt_results *results;
    const struct pbt_trial_info *trial;
    int status = parse_lines(call, &lines);
    if (status == PBT_OK) {
        status = pbt_cli_open_results(call, dir, &results);
    }
    if (status != PBT_OK) {
        return status;
    }
    status = pbt_cli_pick_trial(call, results, &trial);
    if (status == PBT_OK) {
        status = show(call, dir, trial, lines);
    }
    pbt_results_close(results);
    return status;
}
