/*
 * pbt version: of pbt, of what it says and writes, and of what it is made of.
 */
#include <stdio.h>

#include <jansson.h>
#include <libfyaml.h>
#include <uv.h>

#include "cli/cli.h"
#include "index/index.h"
#include "journal/segment.h"
#include "wire/message.h"

#define OUTPUT_MAX ((size_t)64 * 1024)

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define SANITIZER "address-sanitizer"
#elif defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define SANITIZER "thread-sanitizer"
#endif

/* What not every build has. */
static const char *const features[] = {
#ifndef NDEBUG
    "assertions",
#endif
#ifdef SANITIZER
    SANITIZER,
#endif
    NULL,
};

struct library {
    const char *name;
    const char *version;
};

static void put_text(struct pbt_buf *out, const struct library *libraries)
{
    pbt_buf_printf(out,
                   "pbt " PBT_VERSION "\n"
                   "protocol   %d\n"
                   "journal    %d\n"
                   "compiler   " COMPILER "\n"
                   "libraries ",
                   PBT_PROTOCOL_VERSION, PBT_JOURNAL_VERSION);
    for (size_t i = 0; libraries[i].name != NULL; i++) {
        pbt_buf_printf(out, "%s %s %s", i > 0 ? "," : "", libraries[i].name,
                       libraries[i].version);
    }
    pbt_buf_text(out, "\nfeatures  ");
    for (size_t i = 0; features[i] != NULL; i++) {
        pbt_buf_printf(out, " %s", features[i]);
    }
    pbt_buf_char(out, '\n');
}

static void put_json(struct pbt_buf *out, const struct library *libraries)
{
    pbt_buf_printf(out,
                   "{\"version\":\"" PBT_VERSION "\",\"protocol\":%d,"
                   "\"journal\":%d,\"compiler\":\"" COMPILER
                   "\",\"libraries\":{",
                   PBT_PROTOCOL_VERSION, PBT_JOURNAL_VERSION);
    for (size_t i = 0; libraries[i].name != NULL; i++) {
        pbt_buf_printf(out, "%s\"%s\":\"%s\"", i > 0 ? "," : "",
                       libraries[i].name, libraries[i].version);
    }
    pbt_buf_text(out, "},\"features\":[");
    for (size_t i = 0; features[i] != NULL; i++) {
        pbt_buf_printf(out, "%s\"%s\"", i > 0 ? "," : "", features[i]);
    }
    pbt_buf_text(out, "]}\n");
}

int pbt_cli_version(const struct pbt_cli_call *call)
{
    /* Those that are loaded, not those that we were built with. */
    const struct library libraries[] = {
        {"libuv", uv_version_string()},
        {"jansson", jansson_version_str()},
        {"libfyaml", fy_library_version()},
        {"SQLite", pbt_index_library()},
        {NULL, NULL},
    };
    struct pbt_buf out;
    pbt_buf_init(&out, OUTPUT_MAX);
    if (pbt_cli_given(call, "json")) {
        put_json(&out, libraries);
    } else {
        put_text(&out, libraries);
    }
    int status = pbt_buf_failed(&out)
                     ? pbt_cli_error(PBT_E0971, "out of memory")
                     : PBT_OK;
    pbt_cli_put(&out, false);
    pbt_buf_done(&out);
    return status;
}
