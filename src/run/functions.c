#include "run/functions.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/draw.h"
#include "worker/worker.h"

/* Since version 2 a program can give functions. */
static size_t function_count(const struct pbt_experiment *experiment)
{
    return experiment->version < 2 ? 0 : experiment->function_count;
}

static const struct pbt_function *
find_function(const struct pbt_experiment *experiment, const char *name)
{
    for (size_t i = 0; i < function_count(experiment); i++) {
        if (strcmp(experiment->functions[i].name, name) == 0) {
            return &experiment->functions[i];
        }
    }
    return NULL;
}

static int out_of_memory(struct pbt_error *error)
{
    return pbt_error_set(error, PBT_ENOMEM, "out of memory");
}

static int check(const struct pbt_experiment *experiment,
                 const struct pbt_spec *spec, struct pbt_error *error)
{
    for (size_t i = 0; i < function_count(experiment); i++) {
        const struct pbt_function *function = &experiment->functions[i];
        if (function->name == NULL || function->draw == NULL) {
            return pbt_error_set(error, PBT_EUSAGE,
                                 "functions[%zu] of struct pbt_experiment has "
                                 "no name, or no function",
                                 i);
        }
    }
    if (experiment->explore != NULL && spec->explore_command != NULL) {
        return pbt_error_set(error, PBT_EUSAGE,
                             "struct pbt_experiment has an explore function, "
                             "and %s names a program for it "
                             "(scheduler.custom_explore): one of the two",
                             experiment->file);
    }
    return PBT_OK;
}

/* Its own source, or that of its first values: in both cases the function's name. */
static const char *source_of(const struct pbt_param *param, bool first)
{
    const struct pbt_domain *domain =
        first ? &param->initial : &param->mutations;
    return domain->kind == PBT_DOMAIN_FUNCTION ? domain->function : NULL;
}

static int note(struct pbt_functions *functions, const char *name,
                const char *function, struct pbt_error *error)
{
    struct pbt_sourced *sourced = &functions->sourced[functions->count];
    sourced->function = find_function(functions->experiment, function);
    if (sourced->function == NULL) {
        return PBT_OK; /* pbt_spec_finish() says so */
    }
    sourced->name = strdup(name);
    functions->count += sourced->name != NULL ? 1 : 0;
    return sourced->name != NULL ? PBT_OK : out_of_memory(error);
}

int pbt_functions_find(struct pbt_functions *functions,
                       const struct pbt_experiment *experiment,
                       struct pbt_spec *spec, struct pbt_error *error)
{
    const struct pbt_space *space = &spec->settings.space;
    size_t given = function_count(experiment);
    *functions = (struct pbt_functions){.experiment = experiment};
    int status = check(experiment, spec, error);
    if (status != PBT_OK) {
        return status;
    }
    functions->names = calloc(given + 1, sizeof *functions->names);
    functions->sourced =
        calloc((size_t)2 * space->count + 1, sizeof *functions->sourced);
    if (functions->names == NULL || functions->sourced == NULL) {
        return out_of_memory(error);
    }
    for (size_t i = 0; i < given; i++) {
        functions->names[i] = experiment->functions[i].name;
    }
    for (uint32_t i = 0; i < space->count && status == PBT_OK; i++) {
        const struct pbt_param *param = &space->params[i];
        const char *first = source_of(param, true);
        const char *later = source_of(param, false);
        /* Which of the two is meant: a first value is asked for by the former. */
        if (first != NULL) {
            status = note(functions, param->name, first, error);
        }
        if (status == PBT_OK && later != NULL) {
            status = note(functions, param->name, later, error);
        }
    }
    spec->functions = functions->names;
    spec->settings.custom_explore |= experiment->explore != NULL;
    return status;
}

bool pbt_functions_any(const struct pbt_functions *functions)
{
    return functions->count > 0 || functions->experiment->explore != NULL;
}

void pbt_functions_done(struct pbt_functions *functions)
{
    for (size_t i = 0; i < functions->count; i++) {
        free(functions->sourced[i].name);
    }
    free(functions->sourced);
    free(functions->names);
    *functions = (struct pbt_functions){.count = 0};
}

/* --- asking --------------------------------------------------------------- */

/* Each hyperparameter has a seed of its own: adding one changes no other's. */
static uint64_t seed_for(uint64_t seed, const char *name)
{
    for (const char *c = name; *c != '\0'; c++) {
        seed = pbt_mix(seed, (unsigned char)*c);
    }
    return seed;
}

static int failed(struct pbt_error *error, int status)
{
    if (error->text[0] == '\0') {
        (void)pbt_error_set(error, status, "it failed without a message");
    }
    return status;
}

static bool is_open(const struct pbt_config *config, const char *name)
{
    return json_is_null(pbt_json_member(config->root, name));
}

static int ask_source(const struct pbt_sourced *sourced, uint64_t seed,
                      struct pbt_config *config, struct pbt_error *error)
{
    const struct pbt_function *function = sourced->function;
    error->text[0] = '\0';
    int status = function->draw(function->user, sourced->name,
                                seed_for(seed, sourced->name), config, error);
    if (status != PBT_OK) {
        (void)failed(error, status);
    } else if (is_open(config, sourced->name)) {
        status = pbt_error_set(error, PBT_EDATA, "it has set no value");
    }
    return status == PBT_OK
               ? PBT_OK
               : pbt_error_prefix(error, status, "the function `%s` for `%s`",
                                  function->name, sourced->name);
}

static int ask_all(const struct pbt_functions *functions, bool first,
                   uint64_t seed, struct pbt_config *config,
                   struct pbt_error *error)
{
    const struct pbt_experiment *experiment = functions->experiment;
    int status = PBT_OK;
    for (size_t i = 0; i < functions->count && status == PBT_OK; i++) {
        const struct pbt_sourced *sourced = &functions->sourced[i];
        bool again = i + 1 < functions->count &&
                     strcmp(functions->sourced[i + 1].name, sourced->name) == 0;
        if (again && !first) {
            continue; /* the next one is for exploring */
        }
        if (is_open(config, sourced->name)) {
            status = ask_source(sourced, seed, config, error);
        }
    }
    if (status == PBT_OK && !first && experiment->explore != NULL) {
        error->text[0] = '\0';
        config->seed = seed;
        status = experiment->explore(experiment->explore_user, config, error);
        if (status != PBT_OK) {
            (void)failed(error, status);
            status =
                pbt_error_prefix(error, status, "the custom explore function");
        }
    }
    return status;
}

uint64_t pbt_explore_seed(const struct pbt_config *config)
{
    return config->seed;
}

int pbt_functions_ask(void *user, const char *json, size_t length,
                      struct pbt_buf *answer, struct pbt_error *error)
{
    const struct pbt_functions *functions = user;
    struct pbt_config config = {.root = NULL};
    json_t *question = json_loadb(json, length, 0, NULL);
    const json_t *proposed = json_object_get(question, "config");
    char *text = json_dumps(proposed, JSON_COMPACT);
    if (text == NULL) {
        json_decref(question);
        return out_of_memory(error);
    }
    int status = pbt_config_take(&config, proposed, text, strlen(text), error);
    if (status == PBT_OK) {
        const char *seed = json_string_value(json_object_get(question, "seed"));
        bool first = json_is_null(json_object_get(question, "donor"));
        status = ask_all(functions, first,
                         seed == NULL ? 0 : strtoull(seed, NULL, 10), &config,
                         error);
    }
    if (status == PBT_OK) {
        pbt_buf_text(answer, config.text);
    }
    pbt_config_done(&config);
    free(text);
    json_decref(question);
    return status;
}
