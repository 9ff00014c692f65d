/*
 * spec.h: an experiment's specification: read from a file and overrides, checked,
 * and printed again in full.
 */
#ifndef PBT_SPEC_SPEC_H
#define PBT_SPEC_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include <pbt/error.h>

#include "base/buf.h"
#include "base/texts.h"
#include "core/settings.h"
#include "spec/arena.h"

/* In a run's directory: its own copy of start_checkpoint. */
#define PBT_START_CHECKPOINT "start_checkpoint"

struct pbt_problem;
struct pbt_spec_places;
struct pbt_typed;

/* Where a key's value comes from. */
struct pbt_origin {
    uint32_t source; /* 0: the file; n: the n-th override */
    size_t line;     /* from 1; 0: it is the default */
};

struct pbt_spec {
    char *name;             /* of the experiment */
    char **command;         /* argv of the trainable, NULL-terminated */
    char **explore_command; /* scheduler.custom_explore; NULL: none */
    bool no_client;         /* trainable: command */
    char **templates;       /* "name=path", NULL-terminated */
    bool stateless;         /* a command that writes no checkpoint */
    char *command_dir;    /* absolute: where a relative command is looked up */
    char *cwd;            /* NULL: where the user stood */
    char **env;           /* "NAME=value", NULL-terminated */
    uint32_t num_samples; /* trials for each point of the grid */
    char *metric;         /* NULL only with the FIFO scheduler */
    bool minimize;        /* mode: min */
    bool require_attrs;
    bool log_config;      /* write pbt_global.txt and pbt_policy_*.txt */
    double resources_cpu; /* the budget; 0: this machine's */
    uint32_t resources_gpu;
    uint64_t resources_memory; /* bytes */
    double trial_cpu;          /* per trial */
    double trial_gpu;          /* below 1: a share of one */
    uint64_t trial_memory;     /* bytes; 0: not counted */
    uint32_t trial_tasks;
    uint32_t max_concurrent; /* trials at a time; 0: as many as fit */
    char *start_checkpoint;  /* a directory that all trials start from; NULL */
    double timeout_setup;    /* seconds; 0: off */
    double timeout_step;
    double timeout_save;
    double timeout_explore;
    bool reuse_workers; /* a released process serves another trial */
    /* table: name, label, name, label, ..., NULL; NULL: chosen by the table itself */
    char **metric_columns;
    char **parameter_columns;
    uint32_t max_rows;
    bool power_durable; /* durability: power */
    double grace;       /* seconds that a step under way has at Ctrl-C */

    char *keep_by; /* checkpoint.score_attribute; NULL: the newest are kept */
    /* settings.stops of source PBT_STOP_VALUE, keep_value: which metric each index is */
    char *value_names[PBT_VALUES_MAX];
    uint32_t value_count;

    /*
     * Names of the functions that can be asked, NULL-terminated; set by the program that has
     * them.  NULL: none.
     */
    const char *const *functions;
    /* Another program has them, and will look: pbt_spec_finish() doesn't. */
    bool functions_elsewhere;

    bool seed_drawn;            /* the file gave none */
    struct pbt_origin *origins; /* [PBT_KEY_COUNT] */
    /* For what is found to be wrong later: pbt_spec_problem_write(). */
    struct pbt_spec_places *places;

    struct pbt_settings settings;
    struct pbt_texts texts; /* of the cells in settings.space */

    /*
     * The parameters in the order of pbt_spec_config_json(), where the members of a nested
     * mapping stand together: indices into settings.space.params.  NULL: the table's
     * order.
     */
    uint32_t *order;

    /* Warnings, as they are shown; data is NULL for none. */
    struct pbt_buf warnings;

    struct pbt_arena memory; /* of everything above that is pointed to */
};

/*
 * Reads the experiment file `path` (YAML, or JSON if it ends in .json; - is stdin), with
 * overrides "key.key=value" (values in YAML's flow form) applied on top.
 * PBT_ENOINPUT if it can't be read, PBT_ECONFIG if it is wrong: `problems`
 * then has every error found (at most 20), each in several lines with
 * file:line:column; `error` the first one's first line.  On failure nothing is
 * kept.  pbt_spec_done() releases.  `problems` may be NULL, and is left as it is on success.
 */
int pbt_spec_read(struct pbt_spec *spec, const char *path,
                  char *const *overrides, size_t override_count,
                  struct pbt_buf *problems, struct pbt_error *error);

/*
 * The same from text: `label` is shown in messages as the file's name (PBT_NO_FILE, of source.h,
 * where there are overrides only), `dir` is where a relative command is looked up (NULL: the working
 * directory).
 */
int pbt_spec_parse(struct pbt_spec *spec, const char *text, size_t length,
                   const char *label, const char *dir, char *const *overrides,
                   size_t override_count, struct pbt_buf *problems,
                   struct pbt_error *error);

/*
 * The same where it is known how the overrides were typed (source.h): what is wrong with them is
 * shown there.  `path` NULL: there are overrides only.
 */
int pbt_spec_read_typed(struct pbt_spec *spec, const char *path,
                        char *const *overrides, size_t override_count,
                        const struct pbt_typed *typed, struct pbt_buf *problems,
                        struct pbt_error *error);

/*
 * Writes a problem that was found later, with the place of a key's value: `key` is an enum
 * pbt_key_id that was given.
 */
bool pbt_spec_is_given(const struct pbt_spec *spec, int key);
void pbt_spec_problem_write(const struct pbt_spec *spec, int key,
                            struct pbt_problem *problem, struct pbt_buf *out);

/*
 * The last check, once the caller has set what no file can (settings.custom_explore): PBT
 * without any hyperparameter to mutate and without a function that explores is
 * refused, and so is a hyperparameter from a function that there is not.  So are
 * templates that can't be read, or have a placeholder that is none.
 */
int pbt_spec_finish(const struct pbt_spec *spec, struct pbt_error *error);

/* The part of it that is about exploring. */
bool pbt_spec_can_explore(const struct pbt_spec *spec);

/*
 * True if no perturbation can ever happen though PBT is asked for; `why` then says the
 * reason, as the end of a sentence, in at most PBT_NEVER_SIZE bytes.
 */
#define PBT_NEVER_SIZE 160
bool pbt_spec_never_perturbs(const struct pbt_spec *spec, char *why,
                             size_t size);

/*
 * The specification as a complete experiment file: every setting, defaults and
 * overrides resolved, the seed drawn, the command made absolute.  Read again it gives the
 * same specification.
 */
int pbt_spec_write(const struct pbt_spec *spec, struct pbt_buf *out,
                   struct pbt_error *error);

/* What a machine gives us. */
struct pbt_machine {
    double cpus;
    uint32_t gpus;
    uint64_t memory; /* bytes; 0: unknown, which is never too little */
};

/*
 * One key's value as pbt_spec_write() puts it, without its name: `key` is an enum
 * pbt_key_id.  Mappings span lines.
 */
void pbt_spec_write_key(const struct pbt_spec *spec, int key,
                        struct pbt_buf *out);

/*
 * How many trials run at once on this machine: what fits into the budget, and not more
 * than there are trials.  A share of a GPU is one of a single device: where a trial takes
 * 0.6, each runs one.  0: not even one fits; `scarce`, unless
 * NULL, is set to what limits them: "cpu", "gpu", "memory", or NULL (the population, or
 * max_concurrent).
 */
uint32_t pbt_spec_slots(const struct pbt_spec *spec,
                        const struct pbt_machine *machine, const char **scarce);

/* How many trials share a GPU; 0 if a trial takes whole ones, or none. */
uint32_t pbt_spec_gpu_shares(const struct pbt_spec *spec);
/* How many trials fit on so many GPUs, as far as the budget allows; each takes some. */
uint32_t pbt_spec_gpu_slots(const struct pbt_spec *spec, uint32_t gpus);

void pbt_spec_done(struct pbt_spec *spec);

#define PBT_TEMPLATE_MAX                                                       \
    1048576u /* bytes of a template, and of what is made of it */
/* The working directory that each trial has of its own. */
#define PBT_CWD_TRIAL "{trial_dir}"

/*
 * A trial's configuration as a JSON object: nested names as nested objects, in
 * the table's order.
 */
void pbt_spec_config_json(const struct pbt_spec *spec,
                          const struct pbt_cell *cells, struct pbt_buf *out);
/* The same without the values that are to be drawn: of points_to_evaluate. */
void pbt_spec_point_json(const struct pbt_spec *spec,
                         const struct pbt_cell *cells, struct pbt_buf *out);

/* One value as JSON. */
void pbt_spec_cell_json(const struct pbt_spec *spec, struct pbt_cell cell,
                        struct pbt_buf *out);

/*
 * Reads a configuration from the JSON text of an object: every parameter must be there
 * (cells[space.count]), unknown names are errors.  New texts are taken in.  On failure the
 * cells are undefined.
 */
int pbt_spec_config_read(struct pbt_spec *spec, const char *json, size_t length,
                         struct pbt_cell *cells, struct pbt_error *error);

/* The same from a jansson object, for who has it parsed already. */
struct json_t;
int pbt_spec_config_take(struct pbt_spec *spec, const struct json_t *object,
                         struct pbt_cell *cells, struct pbt_error *error);

#endif
