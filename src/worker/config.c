/*
 * config.c: hyperparameters, as a trainable reads them.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pbt/pbt.h>

#include "wire/message.h"
#include "worker/worker.h"

#define EXACT_MAX ((double)(INT64_C(1) << 53))

int pbt_config_take(struct pbt_config *config, const json_t *root,
                    const char *text, size_t length, struct pbt_error *error)
{
    char *copy = malloc(length + 1);
    json_t *own = json_deep_copy(root);
    if (copy == NULL || own == NULL) {
        free(copy);
        json_decref(own);
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    pbt_config_done(config);
    *config = (struct pbt_config){.root = own, .text = copy};
    return PBT_OK;
}

void pbt_config_done(struct pbt_config *config)
{
    json_decref(config->root);
    free(config->text);
    *config = (struct pbt_config){0};
}

/* Says which key it is, and whether it is absent or of another type. */
static int refuse(const struct pbt_config *config, const char *name,
                  const char *want, struct pbt_error *error)
{
    if (!pbt_config_has(config, name)) {
        return pbt_error_set(error, PBT_ECONFIG,
                             "there is no hyperparameter \"%s\" in config",
                             name);
    }
    return pbt_error_set(error, PBT_ECONFIG, "hyperparameter \"%s\" is not %s",
                         name, want);
}

bool pbt_config_has(const struct pbt_config *config, const char *name)
{
    return pbt_json_member(config->root, name) != NULL;
}

const char *pbt_config_json(const struct pbt_config *config)
{
    return config->text;
}

int pbt_config_real(const struct pbt_config *config, const char *name,
                    double *value, struct pbt_error *error)
{
    if (!pbt_json_number(pbt_json_member(config->root, name), value)) {
        return refuse(config, name, "a number", error);
    }
    return PBT_OK;
}

/* Integers beyond 2^53 travel as strings. */
static bool long_integer(const char *text, int64_t *value)
{
    char back[32];
    size_t digits = strspn(text + (text[0] == '-'), "0123456789");
    if (digits < 16 || digits > 19) {
        return false;
    }
    *value = strtoll(text, NULL, 10);
    /* Out of range it is cut to the limit, which prints differently. */
    (void)snprintf(back, sizeof back, "%lld", (long long)*value);
    return strcmp(back, text) == 0;
}

int pbt_config_int(const struct pbt_config *config, const char *name,
                   int64_t *value, struct pbt_error *error)
{
    const json_t *member = pbt_json_member(config->root, name);
    if (json_is_integer(member)) {
        *value = json_integer_value(member);
        return PBT_OK;
    }
    if (json_is_real(member)) {
        double real = json_real_value(member);
        if (real >= -EXACT_MAX && real <= EXACT_MAX &&
            real == (double)(int64_t)real) {
            *value = (int64_t)real;
            return PBT_OK;
        }
    }
    if (json_is_string(member) &&
        long_integer(json_string_value(member), value)) {
        return PBT_OK;
    }
    return refuse(config, name, "a whole number", error);
}

int pbt_config_bool(const struct pbt_config *config, const char *name,
                    bool *value, struct pbt_error *error)
{
    const json_t *member = pbt_json_member(config->root, name);
    if (!json_is_boolean(member)) {
        return refuse(config, name, "true or false", error);
    }
    *value = json_is_true(member);
    return PBT_OK;
}

int pbt_config_text(const struct pbt_config *config, const char *name,
                    const char **value, struct pbt_error *error)
{
    const json_t *member = pbt_json_member(config->root, name);
    if (!json_is_string(member)) {
        return refuse(config, name, "a text", error);
    }
    *value = json_string_value(member);
    return PBT_OK;
}

/* --- changing ------------------------------------------------------------ */

/* Puts `value` in place of a member that is there: see pbt_json_member(). */
static bool replace_member(json_t *object, const char *name, json_t *value)
{
    if (json_object_get(object, name) != NULL) {
        return json_object_set(object, name, value) == 0;
    }
    for (const char *slash = strchr(name, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        json_t *inner = json_object_getn(object, name, (size_t)(slash - name));
        if (json_is_object(inner) && replace_member(inner, slash + 1, value)) {
            return true;
        }
    }
    return false;
}

/* Takes over the reference to `value`; NULL is a failed allocation. */
static int set_value(struct pbt_config *config, const char *name, json_t *value,
                     struct pbt_error *error)
{
    if (value == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    bool there = pbt_config_has(config, name);
    bool done = there && replace_member(config->root, name, value);
    json_decref(value);
    if (!there) {
        return pbt_error_set(error, PBT_ECONFIG,
                             "there is no hyperparameter \"%s\" in config",
                             name);
    }
    char *text = done ? json_dumps(config->root, JSON_COMPACT) : NULL;
    if (text == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    free(config->text);
    config->text = text;
    return PBT_OK;
}

int pbt_config_set_real(struct pbt_config *config, const char *name,
                        double value, struct pbt_error *error)
{
    if (!isfinite(value)) {
        return pbt_error_set(error, PBT_ECONFIG,
                             "hyperparameter \"%s\" can't be %f", name, value);
    }
    return set_value(config, name, json_real(value), error);
}

int pbt_config_set_int(struct pbt_config *config, const char *name,
                       int64_t value, struct pbt_error *error)
{
    return set_value(config, name, json_integer(value), error);
}

int pbt_config_set_bool(struct pbt_config *config, const char *name, bool value,
                        struct pbt_error *error)
{
    return set_value(config, name, json_boolean(value), error);
}

int pbt_config_set_text(struct pbt_config *config, const char *name,
                        const char *value, struct pbt_error *error)
{
    json_t *text = json_string(value);
    if (text == NULL) {
        return pbt_error_set(error, PBT_ECONFIG,
                             "the value for \"%s\" is not UTF-8", name);
    }
    return set_value(config, name, text, error);
}
