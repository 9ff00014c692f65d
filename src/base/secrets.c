#include "base/secrets.h"

#include <string.h>
#include <strings.h>

#define VALUE_MIN 6

bool pbt_secret_name(const char *name, size_t length)
{
    static const char *const words[] = {"TOKEN", "KEY", "SECRET", "PASSWORD",
                                        "CREDENTIAL"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t size = strlen(words[i]);
        for (size_t at = 0; at + size <= length; at++) {
            if (strncasecmp(name + at, words[i], size) == 0) {
                return true;
            }
        }
    }
    return false;
}

void pbt_secrets_hide(char *const *env, char *text)
{
    for (; env != NULL && *env != NULL; env++) {
        size_t name = strcspn(*env, "=");
        if ((*env)[name] != '=' || !pbt_secret_name(*env, name)) {
            continue;
        }
        const char *value = *env + name + 1;
        size_t length = strlen(value);
        if (length < VALUE_MIN) {
            continue;
        }
        for (char *at = text; (at = strstr(at, value)) != NULL; at += length) {
            memset(at, '*', length);
        }
    }
}
