/*
 * pingpong: the least that a step can cost.  Two processes send each other a
 * line over a socketpair; nothing is read out of it, nothing is written down.
 *
 *     pingpong STEPS ANSWERING_CPU ASKING_CPU
 *
 * Prints microseconds a step: wall time, then the answering side's CPU time.
 * That side stands for the driver's loop.
 */
#define _GNU_SOURCE /* sched_setaffinity() */
#include <sched.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 120 };

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void pin(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) {
        die("pingpong: sched_setaffinity");
    }
}

static double microseconds(clockid_t clock)
{
    struct timespec now;

    if (clock_gettime(clock, &now) != 0) {
        die("pingpong: clock_gettime");
    }
    return 1e6 * (double)now.tv_sec + 1e-3 * (double)now.tv_nsec;
}

/* Reads up to the end of a line.  False at the end of the stream. */
static int read_line(int fd)
{
    char bytes[4096];
    ssize_t got;

    do {
        got = read(fd, bytes, sizeof bytes);
        if (got < 0) {
            die("pingpong: read");
        }
    } while (got > 0 && memchr(bytes, '\n', (size_t)got) == NULL);
    return got > 0;
}

static void write_line(int fd)
{
    static char line[LINE];

    memset(line, 'x', sizeof line);
    line[LINE - 1] = '\n';
    if (write(fd, line, sizeof line) != LINE) {
        die("pingpong: write");
    }
}

static void ask(int fd, long steps)
{
    for (long i = 0; i < steps; i++) {
        write_line(fd);
        if (!read_line(fd)) {
            exit(1);
        }
    }
}

static void answer(int fd, long steps)
{
    for (long i = 0; i < steps && read_line(fd); i++) {
        write_line(fd);
    }
}

int main(int argc, char **argv)
{
    int fds[2];
    long steps = argc == 4 ? strtol(argv[1], NULL, 10) : 0;

    if (steps < 1) {
        (void)fprintf(stderr,
                      "usage: pingpong STEPS ANSWERING_CPU ASKING_CPU\n");
        return 2;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) {
        die("pingpong: socketpair");
    }
    const long warm = steps / 10;
    pid_t child = fork();

    if (child < 0) {
        die("pingpong: fork");
    }
    if (child == 0) {
        (void)close(fds[0]);
        pin(atoi(argv[3]));
        ask(fds[1], warm + steps);
        _exit(0);
    }
    (void)close(fds[1]);
    pin(atoi(argv[2]));
    answer(fds[0], warm);

    double wall = microseconds(CLOCK_MONOTONIC);
    double cpu = microseconds(CLOCK_THREAD_CPUTIME_ID);
    int status;

    answer(fds[0], steps);
    cpu = microseconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
    wall = microseconds(CLOCK_MONOTONIC) - wall;
    if (waitpid(child, &status, 0) != child || status != 0) {
        (void)fprintf(stderr, "pingpong: the other side failed\n");
        return 1;
    }
    (void)printf("%.3f %.3f\n", wall / (double)steps, cpu / (double)steps);
    return 0;
}
