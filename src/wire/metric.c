/*
 * metric.c: values in parsed metrics and configurations.
 */
#include <math.h>
#include <string.h>

#include "wire/message.h"

/* Tries the whole name as a key, then every prefix that ends before a slash. */
const json_t *pbt_json_member(const json_t *object, const char *name)
{
    const json_t *found = json_object_get(object, name);
    for (const char *slash = strchr(name, '/'); found == NULL && slash != NULL;
         slash = strchr(slash + 1, '/')) {
        const json_t *inner =
            json_object_getn(object, name, (size_t)(slash - name));
        if (json_is_object(inner)) {
            found = pbt_json_member(inner, slash + 1);
        }
    }
    return found;
}

bool pbt_json_number(const json_t *value, double *number)
{
    if (json_is_number(value)) {
        *number = json_number_value(value);
        return true;
    }
    const char *text = json_string_value(value);
    if (text == NULL) {
        return false;
    }
    if (strcmp(text, "NaN") == 0) {
        *number = (double)NAN;
    } else if (strcmp(text, "Infinity") == 0) {
        *number = (double)INFINITY;
    } else if (strcmp(text, "-Infinity") == 0) {
        *number = -(double)INFINITY;
    } else {
        return false;
    }
    return true;
}

bool pbt_metric_number(const json_t *metrics, const char *name, double *value)
{
    return pbt_json_number(pbt_json_member(metrics, name), value);
}

bool pbt_metric_reserved(const char *name)
{
    static const char *const names[] = {
        "training_iteration",
        "time_this_iter_s",
        "time_total_s",
        "trial_id",
        "date",
        "timestamp",
        "pid",
        "hostname",
        "node_ip",
        "config",
        "done",
        "experiment_tag",
        "experiment_id",
        "time_since_restore",
        "iterations_since_restore",
        "timesteps_since_restore",
        "pbt_epoch",
        "pbt_seq",
        "pbt_lineage",
        "pbt_parent",
    };
    size_t length = strcspn(name, "/");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0) {
            return true;
        }
    }
    return false;
}
