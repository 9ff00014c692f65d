/*
 * scratch.c: see scratch.h.
 */
#include "scratch.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

char scratch[] = "/tmp/pbt-test.XXXXXX";

int make_scratch(void **state)
{
    (void)state;
    return mkdtemp(scratch) == NULL;
}

int remove_scratch(void **state)
{
    DIR *names = opendir(scratch);
    const struct dirent *name;
    (void)state;
    assert_non_null(names);
    while ((name = readdir(names)) != NULL) {
        if (name->d_name[0] != '.') {
            (void)unlink(in_scratch(name->d_name));
        }
    }
    (void)closedir(names);
    return rmdir(scratch);
}

const char *in_scratch(const char *name)
{
    static char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", scratch, name);
    return path;
}

void write_file(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(in_scratch(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

size_t read_file(const char *name, void *bytes, size_t size)
{
    FILE *file = fopen(in_scratch(name), "rb");
    assert_non_null(file);
    size_t got = fread(bytes, 1, size, file);
    assert_int_equal(fclose(file), 0);
    return got;
}
