/*
 * bare: yardsticks: what the system itself takes for things that we build on.
 *
 *     bare append FILE N    appends N lines of 200 bytes, a write each: us a line
 *     bare spawn N          starts /bin/true N times and waits for it: us a start
 *     bare memcpy MIB       copies so much memory: GiB a second
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE 200

extern char **environ;

static double now_us(void)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail on Linux */
    return 1e6 * (double)now.tv_sec + 1e-3 * (double)now.tv_nsec;
}

_Noreturn static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static double append(const char *path, long count)
{
    char line[LINE];
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    memset(line, 'x', sizeof line);
    if (fd < 0) {
        fail(path);
    }
    double begin = now_us();

    for (long i = 0; i < count; i++) {
        if (write(fd, line, sizeof line) != (ssize_t)sizeof line) {
            fail(path);
        }
    }
    double spent = now_us() - begin;

    (void)close(fd);
    return spent / (double)count;
}

static double spawn(long count)
{
    char *argv[] = {(char[]){"true"}, NULL};
    double begin = now_us();

    for (long i = 0; i < count; i++) {
        pid_t pid;

        if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ) != 0 ||
            waitpid(pid, NULL, 0) != pid) {
            fail("posix_spawn");
        }
    }
    return (now_us() - begin) / (double)count;
}

static double copy(long mib)
{
    size_t size = (size_t)mib << 20;
    char *from = malloc(size);
    char *to = malloc(size);

    if (from == NULL || to == NULL) {
        fail("malloc");
    }
    memset(from, 1, size);
    memset(to, 2, size); /* its pages are there now */
    double begin = now_us();

    memcpy(to, from, size);
    double spent = now_us() - begin;
    double rate = (double)mib / 1024 / (spent / 1e6);

    /* Looked at, or the copy need not be made. */
    if (to[size / 2] != 1) {
        fail("memcpy");
    }
    free(from);
    free(to);
    return rate;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "append") == 0) {
        (void)printf("%.3f\n", append(argv[2], strtol(argv[3], NULL, 10)));
    } else if (argc == 3 && strcmp(argv[1], "spawn") == 0) {
        (void)printf("%.3f\n", spawn(strtol(argv[2], NULL, 10)));
    } else if (argc == 3 && strcmp(argv[1], "memcpy") == 0) {
        (void)printf("%.3f\n", copy(strtol(argv[2], NULL, 10)));
    } else {
        (void)fputs("usage: bare append FILE N | spawn N | memcpy MIB\n",
                    stderr);
        return 2;
    }
    return 0;
}
