#include "base/codes.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const struct pbt_code_text pbt_codes[PBT_CODE_COUNT] = {
#define GROUP(digits, about)
#define CODE(id, status, title, why, wrong, right)                             \
    {#id, status, title, why, wrong, right},
#include "base/codes.def"
#undef GROUP
#undef CODE
};

static const struct {
    const char *digits;
    const char *about;
} groups[] = {
#define GROUP(digits, about) {#digits, about},
#define CODE(id, status, title, why, wrong, right)
#include "base/codes.def"
#undef GROUP
#undef CODE
};

#define GROUP_DIGITS 3 /* "E01" */

const char *pbt_code_group(enum pbt_code code)
{
    const char *id = pbt_codes[code].id;
    if (code > 0 && memcmp(pbt_codes[code - 1].id, id, GROUP_DIGITS) == 0) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (memcmp(groups[i].digits, id, GROUP_DIGITS) == 0) {
            return groups[i].about;
        }
    }
    return NULL;
}

static bool same_id(const char *id, const char *text)
{
    if (text[0] >= '0' && text[0] <= '9') {
        return id[0] == 'E' && strcmp(id + 1, text) == 0;
    }
    return (text[0] & ~0x20) == id[0] && strcmp(id + 1, text + 1) == 0;
}

enum pbt_code pbt_code_find(const char *id)
{
    int code = 0;
    while (code < PBT_CODE_COUNT && !same_id(pbt_codes[code].id, id)) {
        code++;
    }
    return (enum pbt_code)code;
}

const char *pbt_error_id(const struct pbt_error *error)
{
    if (error->id[0] != '\0') {
        return error->id;
    }
    switch (error->status) {
    case PBT_EFAILED:
        return "E0901";
    case PBT_EUSAGE:
        return "E0902";
    case PBT_EDATA:
        return "E0965";
    case PBT_ENOINPUT:
        return "E0966";
    case PBT_EUNAVAILABLE:
        return "E0969";
    case PBT_ENOMEM:
        return "E0971";
    case PBT_ECANTCREATE:
        return "E0973";
    case PBT_EIO:
        return "E0974";
    case PBT_ETEMP:
        return "E0975";
    case PBT_EPERM:
        return "E0977";
    case PBT_ECONFIG:
        return "E0978";
    default:
        return "E0970";
    }
}

int pbt_fail(struct pbt_error *error, enum pbt_code code, const char *fmt, ...)
{
    int status = pbt_codes[code].status;
    if (error != NULL) {
        error->status = status;
        (void)snprintf(error->id, sizeof error->id, "%s", pbt_codes[code].id);
        va_list args;
        va_start(args, fmt);
        (void)vsnprintf(error->text, sizeof error->text, fmt, args);
        va_end(args);
    }
    return status;
}
