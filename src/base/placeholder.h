/*
 * placeholder.h: `{name}` in a text, to be filled in: arguments and input decks of
 * programs without a client (docs/command.md).
 *
 * Braces around a known name are a placeholder.  Around anything else that looks like
 * a name they are a mistake, which has to be reported.  `{{` stands for `{`.  All other
 * braces stand for themselves, so that JSON and awk need no escapes.
 */
#ifndef PBT_BASE_PLACEHOLDER_H
#define PBT_BASE_PLACEHOLDER_H

#include <stdbool.h>
#include <stddef.h>

/* pbt's own names: placeholder, environment variable. */
#define PBT_PLACEHOLDER_MAP(X)                                                 \
    X(CHECKPOINT_IN, "checkpoint_in", "PBT_CHECKPOINT_IN")                     \
    X(CHECKPOINT_OUT, "checkpoint_out", "PBT_CHECKPOINT_OUT")                  \
    X(CONFIG, "config", "PBT_CONFIG")                                          \
    X(METRICS, "metrics", "PBT_METRICS")                                       \
    X(FROM, "from", "PBT_FROM")                                                \
    X(UNTIL, "until", "PBT_UNTIL")                                             \
    X(STEPS, "steps", "PBT_STEPS")                                             \
    X(SEED, "seed", "PBT_SEED")                                                \
    X(TRIAL, "trial", "PBT_TRIAL_ID")                                          \
    X(TRIAL_NUMBER, "trial_number", "PBT_TRIAL_NUMBER")                        \
    X(TRIAL_DIR, "trial_dir", "PBT_TRIAL_DIR")

enum pbt_placeholder {
#define PBT_PLACEHOLDER_ENUM(id, name, variable) PBT_PLACEHOLDER_##id,
    PBT_PLACEHOLDER_MAP(PBT_PLACEHOLDER_ENUM)
#undef PBT_PLACEHOLDER_ENUM
        PBT_PLACEHOLDER_COUNT
};

const char *pbt_placeholder_name(enum pbt_placeholder placeholder);
const char *pbt_placeholder_variable(enum pbt_placeholder placeholder);
/* PBT_PLACEHOLDER_COUNT: none of ours. */
enum pbt_placeholder pbt_placeholder_find(const char *name, size_t length);

enum pbt_piece_kind {
    PBT_PIECE_TEXT,    /* to be taken as it is */
    PBT_PIECE_NAME,    /* a known name, without its braces */
    PBT_PIECE_UNKNOWN, /* looks like a name, and is none */
    PBT_PIECE_DOUBLED, /* a known name in {{...}}, which other tools fill in */
};

struct pbt_piece {
    enum pbt_piece_kind kind;
    const char *text; /* in the text that was given */
    size_t length;
};

/*
 * The piece of `text` that begins at *at, which is moved behind it; false at the end.
 * `knows` says whether there is such a name.
 */
bool pbt_next_piece(const char *text, size_t length, size_t *at,
                    bool (*knows)(const void *user, const char *name,
                                  size_t length),
                    const void *user, struct pbt_piece *piece);

#endif
