/*
 * old_kernel.c: loaded into all programs of a test (LD_PRELOAD): a kernel before Linux 5.3, whose
 * processes have no pidfds.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

long syscall(long number, ...)
{
    long (*real)(long, ...);
    void *found = dlsym(RTLD_NEXT, "syscall");
    long list[6];
    va_list args;
    if (number == SYS_pidfd_open) {
        errno = ENOSYS;
        return -1;
    }
    va_start(args, number);
    for (int i = 0; i < 6; i++) {
        list[i] = va_arg(args, long);
    }
    va_end(args);
    memcpy(&real, &found, sizeof real);
    return real(number, list[0], list[1], list[2], list[3], list[4], list[5]);
}
