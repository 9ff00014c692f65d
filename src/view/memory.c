#include "view/memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* The value in bytes of a line "Name:   123 kB". */
static bool find(const char *text, const char *name, uint64_t *bytes)
{
    const char *line = strstr(text, name);
    if (line == NULL) {
        return false;
    }
    *bytes = strtoull(line + strlen(name), NULL, 10) * 1024;
    return true;
}

bool pbt_memory_look_up(uint64_t *used, uint64_t *total)
{
    char text[8192];
    uint64_t available;
    int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    ssize_t n = read(fd, text, sizeof text - 1);
    (void)close(fd); /* it was only read */
    text[n > 0 ? n : 0] = '\0';
    if (!find(text, "MemTotal:", total) ||
        !find(text, "MemAvailable:", &available) || available > *total) {
        return false;
    }
    *used = *total - available;
    return true;
}

uint64_t pbt_disk_look_up(const char *path)
{
    struct statvfs about;
    if (path == NULL || statvfs(path, &about) != 0) {
        return UINT64_MAX;
    }
    return (uint64_t)about.f_bavail * about.f_frsize;
}
