#include "base/names.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/draw.h"

void pbt_trial_id(uint64_t seed, uint32_t trial, char id[PBT_TRIAL_ID_SIZE])
{
    uint64_t prefix = pbt_mix(seed, 0x7472696c) & 0xfffff;
    (void)snprintf(id, PBT_TRIAL_ID_SIZE, "%05" PRIx64 "_%05" PRIu32, prefix,
                   trial);
}

void pbt_checkpoint_name(uint32_t number, char name[PBT_CHECKPOINT_NAME_SIZE])
{
    (void)snprintf(name, PBT_CHECKPOINT_NAME_SIZE, "checkpoint_%06" PRIu32,
                   number);
}

uint32_t pbt_checkpoint_number(const char *name)
{
    unsigned long number = 0;
    char own[PBT_CHECKPOINT_NAME_SIZE];
    if (strncmp(name, "checkpoint_", 11) == 0) {
        number = strtoul(name + 11, NULL, 10);
    }
    if (number == 0 || number > UINT32_MAX) {
        return 0;
    }
    pbt_checkpoint_name((uint32_t)number, own);
    return strcmp(own, name) == 0 ? (uint32_t)number : 0;
}

void pbt_param_variable(const char *name, char *variable, size_t size)
{
    int n = snprintf(variable, size, "PBT_PARAM_");
    size_t used = (size_t)n;
    for (; *name != '\0' && used + 2 < size; name++) {
        char c = *name;
        bool word = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                    (c >= '0' && c <= '9');
        variable[used++] = (char)(word ? c : '_');
        if (c == '/') {
            variable[used++] = '_';
        }
    }
    variable[used] = '\0';
}

const char *pbt_trial_status_name(enum pbt_trial_status status)
{
    switch (status) {
    case PBT_TRIAL_RUNNING:
        return "RUNNING";
    case PBT_TRIAL_PAUSED:
        return "PAUSED";
    case PBT_TRIAL_PENDING:
        return "PENDING";
    case PBT_TRIAL_TERMINATED:
        return "TERMINATED";
    case PBT_TRIAL_ERROR:
        return "ERROR";
    case PBT_TRIAL_STATUSES:
        break;
    }
    return "?";
}
