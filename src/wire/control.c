#include "wire/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define ATTACH "attach"

#define CASE(name, text)                                                       \
    case name:                                                                 \
        return text;

const char *pbt_control_name(enum pbt_control_kind kind)
{
    switch (kind) {
        PBT_CONTROL_MAP(CASE)
    case PBT_CONTROL_KINDS:
        break;
    }
    return "?";
}

const char *pbt_control_outcome_name(enum pbt_control_outcome outcome)
{
    switch (outcome) {
        PBT_OUTCOME_MAP(CASE)
    case PBT_OUTCOMES:
        break;
    }
    return "?";
}

/* --- writing --------------------------------------------------------------- */

static void put_string(struct pbt_buf *line, const char *text)
{
    pbt_buf_json_string(line, text, strlen(text));
}

void pbt_control_put_request(const struct pbt_control_request *request,
                             struct pbt_buf *line)
{
    pbt_buf_text(line, "{\"request\":");
    put_string(line, pbt_control_name(request->kind));
    if (request->trial[0] != '\0') {
        pbt_buf_text(line, ",\"trial\":");
        put_string(line, request->trial);
    }
    pbt_buf_char(line, '}');
}

void pbt_control_put_attach(const char *token, struct pbt_buf *line)
{
    pbt_buf_text(line, "{\"request\":\"" ATTACH "\",\"token\":");
    put_string(line, token);
    pbt_buf_char(line, '}');
}

void pbt_control_put_answer(const struct pbt_control_answer *answer,
                            struct pbt_buf *line)
{
    if (!answer->ok) {
        pbt_buf_text(line, "{\"ok\":false,\"error\":");
        put_string(line, answer->error);
        pbt_buf_char(line, '}');
        return;
    }
    const char *comma = "";
    pbt_buf_text(line, "{\"ok\":true,\"trials\":{");
    for (int i = 0; i < PBT_OUTCOMES; i++) {
        if (answer->trials[i] > 0) {
            pbt_buf_text(line, comma);
            put_string(line,
                       pbt_control_outcome_name((enum pbt_control_outcome)i));
            pbt_buf_char(line, ':');
            pbt_buf_u64(line, answer->trials[i]);
            comma = ",";
        }
    }
    pbt_buf_text(line, "}}");
}

/* --- reading --------------------------------------------------------------- */

static bool wrong(struct pbt_error *why, const char *text)
{
    (void)pbt_error_set(why, PBT_EUSAGE, "%s", text);
    return false;
}

/* NULL (and why) if it is no object. */
static json_t *read_object(const char *line, size_t length,
                           struct pbt_error *why)
{
    json_t *root = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(root)) {
        json_decref(root);
        (void)wrong(why, "not a JSON object on one line");
        return NULL;
    }
    return root;
}

static bool take_kind(const char *name, struct pbt_control_request *request)
{
    for (int i = 0; name != NULL && i < PBT_CONTROL_KINDS; i++) {
        request->kind = (enum pbt_control_kind)i;
        if (strcmp(name, pbt_control_name(request->kind)) == 0) {
            return true;
        }
    }
    return false;
}

bool pbt_control_read_request(struct pbt_control_request *request,
                              const char *line, size_t length,
                              struct pbt_error *why)
{
    json_t *root = read_object(line, length, why);
    if (root == NULL) {
        return false;
    }
    *request = (struct pbt_control_request){.trial = ""};
    const json_t *trial = json_object_get(root, "trial");
    const char *id = json_string_value(trial);
    bool good = true;
    if (!take_kind(json_string_value(json_object_get(root, "request")),
                   request)) {
        good = wrong(why,
                     "\"request\" is to be \"pause\", \"resume\" or \"stop\"");
    } else if (trial != NULL &&
               (id == NULL || strlen(id) >= sizeof request->trial)) {
        good = wrong(why, "\"trial\" is to be a trial's id, a string");
    } else if (id != NULL) {
        memcpy(request->trial, id, strlen(id) + 1);
        good = id[0] != '\0' || wrong(why, "\"trial\" is empty");
    }
    json_decref(root);
    return good;
}

bool pbt_control_read_attach(const char *line, size_t length,
                             char token[PBT_TOKEN_SIZE])
{
    struct pbt_error why;
    json_t *root = read_object(line, length, &why);
    const char *request = json_string_value(json_object_get(root, "request"));
    const char *text = json_string_value(json_object_get(root, "token"));
    bool attach = request != NULL && strcmp(request, ATTACH) == 0;
    bool fits = text != NULL && strlen(text) < PBT_TOKEN_SIZE;
    (void)snprintf(token, PBT_TOKEN_SIZE, "%s", fits ? text : "");
    json_decref(root);
    return attach;
}

static void take_outcomes(const json_t *trials,
                          struct pbt_control_answer *answer)
{
    for (int i = 0; i < PBT_OUTCOMES; i++) {
        const json_t *count = json_object_get(
            trials, pbt_control_outcome_name((enum pbt_control_outcome)i));
        json_int_t value = json_integer_value(count);
        answer->trials[i] =
            value > 0 && value <= UINT32_MAX ? (uint32_t)value : 0;
    }
}

bool pbt_control_read_answer(struct pbt_control_answer *answer,
                             const char *line, size_t length,
                             struct pbt_error *why)
{
    json_t *root = read_object(line, length, why);
    if (root == NULL) {
        return false;
    }
    const json_t *ok = json_object_get(root, "ok");
    const char *text = json_string_value(json_object_get(root, "error"));
    *answer = (struct pbt_control_answer){.ok = json_is_true(ok)};
    if (text != NULL) {
        size_t kept = strnlen(text, sizeof answer->error - 1);
        memcpy(answer->error, text, kept);
    }
    take_outcomes(json_object_get(root, "trials"), answer);
    bool good = json_is_boolean(ok) ||
                wrong(why, "an answer has no \"ok\" that is true or false");
    json_decref(root);
    return good;
}
