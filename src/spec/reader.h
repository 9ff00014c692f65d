/*
 * reader.h: from a tree to a specification.  What the parts of the reader share.
 *
 * Functions here never stop at a problem: they add it and go on with a harmless
 * value, so that all problems of a file are found.  Memory that ends is seen in
 * the arena.
 */
#ifndef PBT_SPEC_READER_H
#define PBT_SPEC_READER_H

#include <stdbool.h>

#include "spec/problems.h"
#include "spec/schema.h"
#include "spec/spec.h"
#include "spec/tree.h"

#define PBT_PARAMS_MAX 1024     /* hyperparameters */
#define PBT_PARAM_NAME_MAX 512  /* bytes of a full name */
#define PBT_PARAM_WORD_MAX 128  /* bytes of one part of it */
#define PBT_CHOICES_MAX 4096    /* values in a list of choices */
#define PBT_METRIC_NAME_MAX 256 /* bytes of a metric's name */

struct pbt_reader {
    struct pbt_spec *spec;
    struct pbt_problems *problems;
    const struct pbt_source *sources;
    const struct pbt_node *root;
    /* The file's node for each key of the schema; NULL where absent or null. */
    const struct pbt_node *given[PBT_KEY_COUNT];
    /* An unknown key was taken for a misspelling of this one. */
    bool meant[PBT_KEY_COUNT];
};

/* "expected X, found Y" at the node; the problem is returned for a label. */
struct pbt_problem *pbt_reader_expected(struct pbt_reader *reader,
                                        enum pbt_code code,
                                        const struct pbt_node *node,
                                        const char *what, const char *expected);
/* A warning, in spec->warnings. */
void pbt_reader_warn(struct pbt_reader *reader, enum pbt_code code,
                     const struct pbt_node *node, const char *fmt, ...)
    PBT_PRINTF(4, 5);
/* What a node is, for a message: "the string `abc`". */
struct pbt_quoted pbt_node_describe(const struct pbt_node *node);
/* True for a name that can stand in a file or message: UTF-8 without control characters. */
bool pbt_name_is_clean(const char *text, size_t length);

/*
 * Finds the keys of a section ("": the top level) in the schema, and fills `given`.
 */
void pbt_read_keys(struct pbt_reader *reader, const struct pbt_node *map,
                   const char *section);
/* Sets the field of a key with a simple type from `node`. */
void pbt_read_value(struct pbt_reader *reader, const struct pbt_key *key,
                    const struct pbt_node *node);
/* A path, made absolute: a relative one starts beside the experiment file. */
char *pbt_read_path(struct pbt_reader *reader, const char *path);
void pbt_read_command(struct pbt_reader *reader, const struct pbt_key *key,
                      const struct pbt_node *node);
void pbt_read_templates(struct pbt_reader *reader, const struct pbt_node *node);
/* Placeholders in the command, and keys that are for programs without a client. */
void pbt_read_placeholders(struct pbt_reader *reader);
/* What the templates' files hold. */
int pbt_check_templates(const struct pbt_spec *spec, struct pbt_error *error);
void pbt_read_env(struct pbt_reader *reader, const struct pbt_node *node);
/*
 * table.metric_columns, table.parameter_columns (`params`: they have to be there); after the
 * parameters.
 */
void pbt_read_columns(struct pbt_reader *reader, const struct pbt_key *key,
                      const struct pbt_node *node, bool params);
/* Factors, if they are right; `what` names them in messages. */
void pbt_read_factors(struct pbt_reader *reader, const struct pbt_node *node,
                      const char *what, const double **factors,
                      uint32_t *count);
/* The parameter table, from config and hyperparam_mutations (either may be NULL). */
void pbt_read_params(struct pbt_reader *reader, const struct pbt_node *config,
                     const struct pbt_node *mutations);
/* The population: num_samples times the grids among the parameters. */
void pbt_read_grids(struct pbt_reader *reader);
/* points_to_evaluate; after the population. */
void pbt_read_points(struct pbt_reader *reader, const struct pbt_node *list);
/*
 * One point: the cells of the parameters that `map` gives values to; the others are left as
 * they are.
 */
void pbt_read_point(struct pbt_reader *reader, const struct pbt_node *map,
                    struct pbt_cell *cells);
/* scheduler.schedule; after the parameters. */
void pbt_read_schedule(struct pbt_reader *reader, const struct pbt_node *list);
/*
 * scheduler.policy, before all values: `schedule` becomes the file's, and its configuration
 * lies on top of `config`, but for what later overrides say.
 */
void pbt_read_policy(struct pbt_reader *reader, struct pbt_arena *arena);
/* Stop criteria; after the metric and its mode. */
void pbt_read_stops(struct pbt_reader *reader, const struct pbt_node *stops,
                    bool all);
/* By what checkpoints are kept; after the stop criteria. */
void pbt_read_keep(struct pbt_reader *reader);
/* What several keys have to agree on. */
void pbt_read_check(struct pbt_reader *reader);
/* Where the values stand, for pbt_spec_problem_write(). */
void pbt_keep_places(struct pbt_reader *reader);
/* What follows from the rest: the order of parameters, empty lists. */
int pbt_spec_complete(struct pbt_spec *spec, struct pbt_error *error);

/*
 * Sorts indices of parameters so that the members of a nested mapping stand
 * together, where its first one stood.
 */
void pbt_group_params(const struct pbt_space *space, uint32_t *indices,
                      uint32_t count);
/* How many bytes of nested mapping ("a/b/" of "a/b/c") two names share. */
size_t pbt_shared_group(const char *a, const char *b);
/* The length of a name's nested mapping, with its slash; 0 without one. */
size_t pbt_group_length(const char *name);

/* True if a mapping is a distribution: one key, which is the name of one. */
bool pbt_is_distribution(const struct pbt_node *node);
/* The first key of a mapping that is a distribution's name; NULL if there is none. */
const struct pbt_node *pbt_distribution_in(const struct pbt_node *node);
/* True for a key that may stand beside a distribution in hyperparam_mutations. */
bool pbt_is_move_name(const char *name, size_t length);
/* What stands beside the distribution of a mutation: how it is moved. */
void pbt_read_moves(struct pbt_reader *reader, const struct pbt_node *map,
                    struct pbt_param *param);
/* True if that is grid_search. */
bool pbt_is_grid(const struct pbt_node *node);
/* True for the name of a distribution, also of one that is not there yet. */
bool pbt_is_distribution_name(const char *name, size_t length);
/* The distribution's name that this may be a misspelling of, or NULL. */
const char *pbt_distribution_like(const char *name, size_t length);
/* The same of a text such as "loguniform(0.1, 1)" or "tune.loguniform:0.1:1". */
const char *pbt_distribution_in_text(const char *text, size_t length);
/* False if it is wrong, with the problem added.  `name`: the parameter's. */
bool pbt_read_domain(struct pbt_reader *reader, const char *name,
                     const struct pbt_node *node, struct pbt_domain *domain);
/* A list of choices. */
bool pbt_read_choices(struct pbt_reader *reader, const char *name,
                      const struct pbt_node *list, struct pbt_domain *domain);
/* The value null, which is kept as a text. */
bool pbt_cell_is_null(const struct pbt_reader *reader, struct pbt_cell cell);
/* A constant. */
bool pbt_read_cell(struct pbt_reader *reader, const struct pbt_node *node,
                   struct pbt_cell *cell);

#endif
