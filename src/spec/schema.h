/*
 * schema.h: every key of an experiment file in one table, which drives the
 * parser, its messages, the writer and the help.
 */
#ifndef PBT_SPEC_SCHEMA_H
#define PBT_SPEC_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PBT_POPULATION_MAX 1000000 /* trials */

enum pbt_key_id {
    PBT_KEY_NAME,
    PBT_KEY_COMMAND,
    PBT_KEY_TRAINABLE,
    PBT_KEY_TEMPLATES,
    PBT_KEY_STATELESS,
    PBT_KEY_CWD,
    PBT_KEY_ENV,
    PBT_KEY_NUM_SAMPLES,
    PBT_KEY_METRIC,
    PBT_KEY_MODE,
    PBT_KEY_STOP,
    PBT_KEY_STOP_ALL,
    PBT_KEY_TIME_BUDGET,
    PBT_KEY_MAX_CONCURRENT,
    PBT_KEY_CONFIG,
    PBT_KEY_POINTS,
    PBT_KEY_START_CHECKPOINT,
    PBT_KEY_SCHEDULER,
    PBT_KEY_TYPE,
    PBT_KEY_TIME_ATTR,
    PBT_KEY_INTERVAL,
    PBT_KEY_BURN_IN,
    PBT_KEY_MUTATIONS,
    PBT_KEY_QUANTILE,
    PBT_KEY_RESAMPLE,
    PBT_KEY_FACTORS,
    PBT_KEY_OUT_OF_RANGE,
    PBT_KEY_LOG_CONFIG,
    PBT_KEY_REQUIRE_ATTRS,
    PBT_KEY_SYNCH,
    PBT_KEY_SCHEDULE,
    PBT_KEY_POLICY,
    PBT_KEY_CUSTOM_EXPLORE,
    PBT_KEY_DONORS,
    PBT_KEY_EXPLOIT,
    PBT_KEY_T_TEST_SCORES,
    PBT_KEY_T_TEST_LEVEL,
    PBT_KEY_GAP,
    PBT_KEY_GAP_RELATIVE,
    PBT_KEY_GAP_SD,
    PBT_KEY_EXPLOIT_COPIES,
    PBT_KEY_RESOURCES,
    PBT_KEY_RESOURCES_CPU,
    PBT_KEY_RESOURCES_GPU,
    PBT_KEY_RESOURCES_MEMORY,
    PBT_KEY_PER_TRIAL,
    PBT_KEY_PER_TRIAL_CPU,
    PBT_KEY_PER_TRIAL_GPU,
    PBT_KEY_PER_TRIAL_MEMORY,
    PBT_KEY_PER_TRIAL_TASKS,
    PBT_KEY_CHECKPOINT,
    PBT_KEY_FREQUENCY,
    PBT_KEY_AT_END,
    PBT_KEY_NUM_TO_KEEP,
    PBT_KEY_SCORE_ATTRIBUTE,
    PBT_KEY_SCORE_ORDER,
    PBT_KEY_MAX_BYTES,
    PBT_KEY_FAILURE,
    PBT_KEY_MAX_FAILURES,
    PBT_KEY_BACKOFF,
    PBT_KEY_FAIL_FAST,
    PBT_KEY_REPLACE,
    PBT_KEY_TIMEOUTS,
    PBT_KEY_TIMEOUT_SETUP,
    PBT_KEY_TIMEOUT_STEP,
    PBT_KEY_TIMEOUT_SAVE,
    PBT_KEY_TIMEOUT_EXPLORE,
    PBT_KEY_TABLE,
    PBT_KEY_METRIC_COLUMNS,
    PBT_KEY_PARAMETER_COLUMNS,
    PBT_KEY_MAX_ROWS,
    PBT_KEY_GRACE,
    PBT_KEY_REUSE_WORKERS,
    PBT_KEY_SEED,
    PBT_KEY_DURABILITY,
    PBT_KEY_COUNT,
};

enum pbt_key_type {
    PBT_TYPE_SECTION,
    PBT_TYPE_NAME,      /* char *: an experiment's name */
    PBT_TYPE_TEXT,      /* char * */
    PBT_TYPE_DIR,       /* char *: a directory, made absolute */
    PBT_TYPE_COMMAND,   /* char **: a list of strings */
    PBT_TYPE_ENV,       /* char **: a mapping of names to values */
    PBT_TYPE_TEMPLATES, /* char **: a mapping of file names to templates */
    PBT_TYPE_BOOL,      /* bool */
    PBT_TYPE_REAL,      /* double */
    PBT_TYPE_WHOLE,     /* uint32_t; int32_t where `min` is negative */
    PBT_TYPE_WORD,      /* an enum, or a bool: one of `words` */
    PBT_TYPE_SEED,      /* uint64_t */
    PBT_TYPE_SECONDS,   /* uint64_t: seconds in the file, ns in memory */
    PBT_TYPE_BYTES,     /* uint64_t: bytes, or a text such as "4 GiB" */
    PBT_TYPE_STOPS,     /* settings.stops */
    PBT_TYPE_CONFIG,    /* settings.space */
    PBT_TYPE_MUTATIONS, /* settings.space */
    PBT_TYPE_POINTS,    /* settings.points */
    PBT_TYPE_SCHEDULE,  /* settings.schedule */
    PBT_TYPE_POLICY,    /* read into `config` and `schedule`, and not kept */
    PBT_TYPE_FACTORS,   /* settings.explore.factors */
    PBT_TYPE_COLUMNS,   /* char **: name, label, name, label, ..., NULL */
};

/* Whether it may be another one in a run that has begun: src/run/change.c. */
enum pbt_key_change {
    PBT_CHANGE_NOT,     /* records follow from it */
    PBT_CHANGE_FREE,    /* how and where it is run */
    PBT_CHANGE_FURTHER, /* more trials, ends that are further away */
};

struct pbt_key {
    const char *path; /* "section.key", or "key" */
    enum pbt_key_type type;
    const char *fallback; /* as in a file; NULL: required, or no value */
    double min;
    double max;
    bool above_min;           /* `min` itself is too small */
    const char *const *words; /* WORD: NULL-terminated, in the enum's order */
    size_t field;             /* offset in struct pbt_spec */
    size_t size;              /* of the field */
    enum pbt_key_change change;
    const char *doc; /* one line, without a full stop */
};

extern const struct pbt_key pbt_keys[PBT_KEY_COUNT];

/* The last part of a key's path. */
const char *pbt_key_name(const struct pbt_key *key);
/* The length of the section's name, 0 at the top level. */
size_t pbt_key_section(const struct pbt_key *key);
/* True if the key stands in this section ("" for the top level). */
bool pbt_key_in(const struct pbt_key *key, const char *section);
/* False for keys that leave nothing in a specification by themselves. */
bool pbt_key_is_kept(const struct pbt_key *key);
/* The key of this name in a section, or NULL. */
const struct pbt_key *pbt_key_find(const char *section, const char *name,
                                   size_t length);

/* A key of another program ("param_space"), and what it is here. */
struct pbt_foreign {
    const char *name;
    enum pbt_key_id key; /* PBT_KEY_COUNT: none */
    const char *note;    /* what to write; NULL: just the other name */
};

/* NULL: no other program's, as far as we know. */
const struct pbt_foreign *pbt_foreign_key(const char *name, size_t length);
/* The one of our words (as of struct pbt_key) that another program calls so, or NULL. */
const char *pbt_foreign_word(const char *name, size_t length,
                             const char *const *known);
/* Our name for another program's distribution, or NULL. */
const char *pbt_foreign_distribution(const char *name, size_t length);

/*
 * How far two words are apart: insertions, deletions, changes, swaps of neighbours.
 * Words beyond 64 bytes are far from everything.
 */
size_t pbt_word_distance(const char *a, size_t a_length, const char *b,
                         size_t b_length);
/* True if `word` may be a misspelling of `known`. */
bool pbt_word_close(const char *word, size_t length, const char *known);

#endif
