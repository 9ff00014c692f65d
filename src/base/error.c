#include <pbt/error.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *pbt_status_text(int status)
{
    switch (status) {
#define PBT_STATUS_CASE(name, value, text)                                     \
    case value:                                                                \
        return text;
        PBT_STATUS_MAP(PBT_STATUS_CASE)
#undef PBT_STATUS_CASE
    default:
        return "unknown status";
    }
}

int pbt_error_set(struct pbt_error *error, int status, const char *fmt, ...)
{
    if (error != NULL) {
        error->status = status;
        error->id[0] = '\0';
        va_list args;
        va_start(args, fmt);
        (void)vsnprintf(error->text, sizeof error->text, fmt, args);
        va_end(args);
    }
    return status;
}

int pbt_error_prefix(struct pbt_error *error, int status, const char *fmt, ...)
{
    if (error != NULL) {
        char old[PBT_ERROR_TEXT_MAX];
        memcpy(old, error->text, sizeof old);
        va_list args;
        va_start(args, fmt);
        int length = vsnprintf(error->text, sizeof error->text, fmt, args);
        va_end(args);
        size_t at = length < 0 ? 0 : (size_t)length;
        size_t rest = strlen(old);
        if (at + 3 <= sizeof error->text) {
            memcpy(error->text + at, ": ", 2);
            at += 2;
            if (rest > sizeof error->text - at - 1) {
                rest = sizeof error->text - at - 1;
            }
            memcpy(error->text + at, old, rest);
            error->text[at + rest] = '\0';
        }
        error->status = status;
    }
    return status;
}
