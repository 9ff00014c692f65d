/*
 * Runs a fuzz target over the files of a corpus, with any compiler: each as it is, and
 * cut off at every length.
 *
 *     fuzz_wire FILE-OR-DIRECTORY ...
 */
#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"

#define FILE_BYTES_MAX (1u << 20)
#define CUTS_MAX 256 /* evenly spread, in a longer file */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In a block of its own size, so that a sanitizer sees a byte too far. */
static bool run_one(const char *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    return true;
}

static bool run_file(const char *path)
{
    struct pbt_buf content;
    struct pbt_error error;
    struct pbt_files *files = pbt_files_posix();
    pbt_buf_init(&content, FILE_BYTES_MAX);
    bool good = files->ops->read(files, path, 0, FILE_BYTES_MAX, &content,
                                 &error) == PBT_OK;
    if (!good) {
        (void)fprintf(stderr, "%s\n", error.text);
    }
    size_t step = content.length / CUTS_MAX + 1;
    for (size_t size = 0; good && size < content.length; size += step) {
        good = run_one(content.data, size);
    }
    good = good && run_one(content.data, content.length);
    pbt_buf_done(&content);
    return good;
}

static bool run_directory(const char *path, unsigned *count)
{
    DIR *dir = opendir(path);
    bool good = dir != NULL;
    if (!good) {
        (void)fprintf(stderr, "can't read %s: %s\n", path, strerror(errno));
        return false;
    }
    for (struct dirent *entry = readdir(dir); good && entry != NULL;
         entry = readdir(dir)) {
        char file[4096];
        int n = snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] == '.' || n < 0 || (size_t)n >= sizeof file) {
            continue;
        }
        (void)printf("%s\n", file);
        (void)fflush(stdout); /* a crash is this one's */
        good = run_file(file);
        ++*count;
    }
    (void)closedir(dir);
    return good;
}

int main(int argc, char **argv)
{
    unsigned count = 0;
    for (int i = 1; i < argc; i++) {
        struct stat info;
        bool good = stat(argv[i], &info) == 0;
        if (good && S_ISDIR(info.st_mode)) {
            good = run_directory(argv[i], &count);
        } else if (good) {
            good = run_file(argv[i]);
            count++;
        }
        if (!good) {
            (void)fprintf(stderr, "%s: failed\n", argv[i]);
            return 1;
        }
    }
    (void)printf("%u inputs\n", count);
    return count > 0 ? 0 : 1; /* an empty corpus tests nothing */
}
