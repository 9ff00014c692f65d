#include "numbers.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static FILE *open_file(const char *dir, const char *mode)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/numbers.txt", dir);
    return length < (int)sizeof path ? fopen(path, mode) : NULL;
}

int numbers_save(const char *dir, const double *numbers, size_t count,
                 struct pbt_error *error)
{
    FILE *file = open_file(dir, "w");
    int printed = file == NULL ? -1 : 0;
    for (size_t i = 0; i < count && printed >= 0; i++) {
        printed = fprintf(file, "%a\n", numbers[i]);
    }
    if (file == NULL || fclose(file) != 0 || printed < 0) {
        return pbt_error_set(error, PBT_EIO, "can't write to %s", dir);
    }
    return PBT_OK;
}

static bool read_number(FILE *file, double *number)
{
    char line[64];
    char *end = line;
    if (fgets(line, sizeof line, file) != NULL) {
        *number = strtod(line, &end);
    }
    return end != line;
}

int numbers_load(const char *dir, double *numbers, size_t count,
                 struct pbt_error *error)
{
    FILE *file = open_file(dir, "r");
    size_t found = 0;
    while (file != NULL && found < count &&
           read_number(file, &numbers[found])) {
        found++;
    }
    if (file == NULL || fclose(file) != 0 || found < count) {
        return pbt_error_set(error, PBT_EDATA, "damaged checkpoint: %s", dir);
    }
    return PBT_OK;
}
