/*
 * stall.c: loaded into pbt by tests (LD_PRELOAD): a driver on a file system that is shared between
 * hosts, and that it may have to wait for.
 *
 * Locks are without effect: whoever asks for one gets it, and nobody is seen to have one.  Behind
 * a socket's name nobody listens.
 *
 *   PBT_STALL=CALL:TEXT:N   the N-th CALL (open, write, pwrite, rename, unlink) for a path
 *                           with TEXT in it stops the process before it is done, once
 */
#define _GNU_SOURCE /* F_OFD_SETLK, RTLD_NEXT, program_invocation_short_name */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

static int left = -1; /* calls until it stalls; 0: it has */

static void stall_if_asked(const char *call, const char *path)
{
    const char *wanted = getenv("PBT_STALL");
    char text[256];
    char name[16];
    int count;
    if (wanted == NULL || left == 0 ||
        strcmp(program_invocation_short_name, "pbt") != 0 ||
        sscanf(wanted, "%15[^:]:%255[^:]:%d", name, text, &count) != 3 ||
        strcmp(call, name) != 0 || strstr(path, text) == NULL) {
        return;
    }
    left = (left < 0 ? count : left) - 1;
    if (left == 0) {
        (void)raise(SIGSTOP);
    }
}

static void stall_for_fd(const char *call, int fd)
{
    char link[64];
    char path[4096];
    int saved = errno;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    errno = saved;
    stall_if_asked(call, path);
}

/* Named as libc names them, but for their arguments. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */

#define REAL(name, type) ((type)(size_t)dlsym(RTLD_NEXT, name))

/* All other commands have an argument of a pointer's size, or none. */
static int control(int fd, int command, void *argument)
{
    if (command == F_OFD_SETLK) {
        return 0;
    }
    if (command == F_OFD_GETLK) {
        ((struct flock *)argument)->l_type = F_UNLCK;
        return 0;
    }
    return REAL("fcntl64", int (*)(int, int, ...))(fd, command, argument);
}

#define TAKE(type, last)                                                       \
    va_list arguments;                                                         \
    va_start(arguments, last);                                                 \
    type argument = va_arg(arguments, type);                                   \
    va_end(arguments)

int fcntl(int fd, int command, ...)
{
    TAKE(void *, command);
    return control(fd, command, argument);
}

int fcntl64(int fd, int command, ...);
int fcntl64(int fd, int command, ...)
{
    TAKE(void *, command);
    return control(fd, command, argument);
}

int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t length)
{
    if (address.__sockaddr__->sa_family == AF_UNIX) {
        errno = ECONNREFUSED;
        return -1;
    }
    return REAL("connect", int (*)(int, const struct sockaddr *, socklen_t))(
        fd, address.__sockaddr__, length);
}

int open(const char *path, int flags, ...)
{
    TAKE(int, flags);
    stall_if_asked("open", path);
    return REAL("open64", int (*)(const char *, int, ...))(path, flags,
                                                           argument);
}

int open64(const char *path, int flags, ...)
{
    TAKE(int, flags);
    stall_if_asked("open", path);
    return REAL("open64", int (*)(const char *, int, ...))(path, flags,
                                                           argument);
}

ssize_t write(int fd, const void *bytes, size_t length)
{
    stall_for_fd("write", fd);
    return REAL("write", ssize_t(*)(int, const void *, size_t))(fd, bytes,
                                                                length);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at)
{
    stall_for_fd("pwrite", fd);
    return REAL("pwrite64", ssize_t(*)(int, const void *, size_t, off_t))(
        fd, bytes, length, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at);
ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at)
{
    return pwrite(fd, bytes, length, at);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to,
              unsigned flags)
{
    stall_if_asked("rename", to);
    return REAL("renameat2",
                int (*)(int, const char *, int, const char *, unsigned))(
        from_dir, from, to_dir, to, flags);
}

int unlinkat(int dir, const char *name, int flags)
{
    stall_for_fd("unlink", dir);
    return REAL("unlinkat", int (*)(int, const char *, int))(dir, name, flags);
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
