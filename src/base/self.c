#define _GNU_SOURCE /* <sys/auxv.h> */

#include "base/self.h"

#include <limits.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/* What the kernel was given to execute. */
static bool path_of_exec(char *path, size_t size)
{
    const char *name = (const char *)(uintptr_t)getauxval(AT_EXECFN);
    char *full = name == NULL ? NULL : realpath(name, NULL);
    bool fits = full != NULL && strlen(full) < size;
    if (fits) {
        memcpy(path, full, strlen(full) + 1);
    }
    free(full);
    return fits;
}

bool pbt_self_path(char *path, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", path, size - 1);
    path[length > 0 ? length : 0] = '\0';
    return length > 0 || path_of_exec(path, size);
}

bool pbt_self_is_static(void)
{
    const ElfW(Phdr) *headers =
        (const ElfW(Phdr) *)(uintptr_t)getauxval(AT_PHDR);
    unsigned long count = headers == NULL ? 0 : getauxval(AT_PHNUM);
    for (unsigned long i = 0; i < count; i++) {
        if (headers[i].p_type == PT_INTERP) {
            return false;
        }
    }
    return count > 0;
}
