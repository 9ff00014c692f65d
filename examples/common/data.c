/* data.c: see data.h. */
#include "data.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEBIAN_DIRECTORY "/usr/share/datasets/fashion-mnist"

static int has_images(const char *directory)
{
    static const char *const endings[] = {"", ".gz"};
    char path[4096];

    for (size_t i = 0; i < 2; i++) {
        int length = snprintf(path, sizeof path, "%s/train-images-idx3-ubyte%s",
                              directory, endings[i]);

        if (length > 0 && (size_t)length < sizeof path &&
            access(path, R_OK) == 0)
            return 1;
    }
    return 0;
}

int data_find(char *path, size_t size, struct failure *failure)
{
    const char *given = getenv("PBT_MNIST_DIR");
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    int length = -1;

    if (given != NULL && *given != '\0')
        /* Whoever names a directory wants that one, or to hear why not. */
        length = snprintf(path, size, "%s", given);
    else if (cache != NULL && *cache != '\0')
        length = snprintf(path, size, "%s/pbt/mnist", cache);
    else if (home != NULL && *home != '\0')
        length = snprintf(path, size, "%s/.cache/pbt/mnist", home);
    if (length >= 0 && (size_t)length >= size)
        return failure_set(failure, ENAMETOOLONG,
                           "the path of the data is too long");
    if (length >= 0 && ((given != NULL && *given != '\0') || has_images(path)))
        return 0;
    if (has_images(DEBIAN_DIRECTORY) && size >= sizeof DEBIAN_DIRECTORY) {
        memcpy(path, DEBIAN_DIRECTORY, sizeof DEBIAN_DIRECTORY);
        return 0;
    }
    return failure_set(failure, ENOENT,
                       "no MNIST images found: run scripts/get-mnist once, or "
                       "set PBT_MNIST_DIR to their directory");
}
