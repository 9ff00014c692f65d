/* failure.c: see failure.h. */
#include "failure.h"

#include <stdarg.h>
#include <stdio.h>

int failure_set(struct failure *failure, int number, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (vsnprintf(failure->text, sizeof failure->text, format, args) < 0)
        failure->text[0] = '\0';
    va_end(args);
    return number;
}
