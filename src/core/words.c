/*
 * words.c: the names of records, events, commands and outcomes, as the journal has
 * them.
 */
#include "core/core.h"
#include "core/record.h"

#define CASE(name, text)                                                       \
    case name:                                                                 \
        return text;

const char *pbt_event_name(enum pbt_event_kind kind)
{
    switch (kind) {
        PBT_EVENT_MAP(CASE)
    }
    return "?";
}

const char *pbt_record_name(enum pbt_record_kind kind)
{
    switch (kind) {
        PBT_RECORD_MAP(CASE)
    case PBT_RECORD_KINDS:
        break;
    }
    return "?";
}

const char *pbt_leave_name(enum pbt_leave leave)
{
    switch (leave) {
        PBT_LEAVE_MAP(CASE)
    }
    return "?";
}

const char *pbt_request_name(enum pbt_request request)
{
    switch (request) {
        PBT_REQUEST_MAP(CASE)
    }
    return "?";
}

const char *pbt_end_name(enum pbt_end end)
{
    switch (end) {
        PBT_END_MAP(CASE)
    }
    return "?";
}

const char *pbt_pass_name(enum pbt_pass pass)
{
    switch (pass) {
        PBT_PASS_MAP(CASE)
    }
    return "?";
}

const char *pbt_command_name(enum pbt_command_kind kind)
{
    static const char *const NAMES[] = {
        [PBT_COMMAND_NONE] = "none", [PBT_COMMAND_START] = "start",
        [PBT_COMMAND_LOAD] = "load", [PBT_COMMAND_RUN] = "run",
        [PBT_COMMAND_SAVE] = "save", [PBT_COMMAND_HALT] = "halt",
        [PBT_COMMAND_STOP] = "stop", [PBT_COMMAND_KILL] = "kill",
        [PBT_COMMAND_ASK] = "ask",
    };
    return NAMES[kind];
}
