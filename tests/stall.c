/*
 * stall.c: loaded into pbt by tests (LD_PRELOAD): a driver on a file system that is shared between
 * hosts, and that it may have to wait for.
 *
 * Locks are without effect: whoever asks for one gets it, and nobody is seen to have one.  Behind
 * a socket's name nobody listens.
 *
 *   PBT_STALL=CALL:TEXT:N   the N-th CALL (open, write, pwrite, rename, unlink) for a path
 *                           with TEXT in it stops the process before it is done, once
 *   PBT_BAD_SYNC=TEXT:N     from the N-th on all syncs of such a file fail; those before add the
 *                           bytes that they covered to the file $PBT_SYNCED, on lines
 */
#define _GNU_SOURCE /* F_OFD_SETLK, RTLD_NEXT, program_invocation_short_name */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int left = -1; /* calls until it stalls; 0: it has */
static int good = -1; /* syncs until they fail; 0: they do */

/* True if `wanted` is "<call>:<part of path>:<N>"; then its N is *count. */
static bool is_meant(const char *wanted, const char *call, const char *path,
                     int *count)
{
    char text[256];
    size_t length = strlen(call);
    const char *end = wanted == NULL ? NULL : strrchr(wanted, ':');
    if (end == NULL || strncmp(wanted, call, length) != 0 ||
        wanted[length] != ':' || wanted + length == end ||
        strcmp(program_invocation_short_name, "pbt") != 0) {
        return false;
    }
    (void)snprintf(text, sizeof text, "%.*s",
                   (int)(end - wanted) - (int)length - 1, wanted + length + 1);
    *count = (int)strtol(end + 1, NULL, 10);
    return strstr(path, text) != NULL;
}

static void stall_if_asked(const char *call, const char *path)
{
    int count;
    if (left == 0 || !is_meant(getenv("PBT_STALL"), call, path, &count)) {
        return;
    }
    left = (left < 0 ? count : left) - 1;
    if (left == 0) {
        (void)raise(SIGSTOP);
    }
}

static void find_path(int fd, char target[4096])
{
    char name[64];
    int saved = errno;
    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, target, 4095);
    target[length > 0 ? length : 0] = '\0';
    errno = saved;
}

static void stall_for_fd(const char *call, int fd)
{
    char path[4096];
    find_path(fd, path);
    stall_if_asked(call, path);
}

/* The variable has no call: all of them are syncs. */
static bool sync_fails(int fd)
{
    char path[4096];
    char wanted[512];
    int count;
    const char *text = getenv("PBT_BAD_SYNC");
    if (text == NULL) {
        return false;
    }
    (void)snprintf(wanted, sizeof wanted, "sync:%s", text);
    find_path(fd, path);
    if (!is_meant(wanted, "sync", path, &count)) {
        return false;
    }
    good = good < 0 ? count - 1 : good > 0 ? good - 1 : 0;
    errno = EIO;
    return good == 0;
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

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at)
{
    return pwrite(fd, bytes, length, at);
}

int fdatasync(int fd)
{
    struct stat about;
    const char *log = getenv("PBT_SYNCED");
    bool known = log != NULL && fstat(fd, &about) == 0;
    int result = sync_fails(fd) ? -1 : REAL("fdatasync", int (*)(int))(fd);
    FILE *file = known && result == 0 ? fopen(log, "a") : NULL;
    if (file != NULL) {
        (void)fprintf(file, "%lld\n", (long long)about.st_size);
        (void)fclose(file);
    }
    return result;
}

int fsync(int fd)
{
    return sync_fails(fd) ? -1 : REAL("fsync", int (*)(int))(fd);
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
