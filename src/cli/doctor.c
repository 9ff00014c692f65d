/*
 * pbt doctor: can runs work here?  Everything is tried as a run would do it.
 */
#include "cli/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/printable.h"
#include "cli/cli.h"

#define REPORT_MAX ((size_t)256 * 1024)

static const char *const levels[] = {
    [PBT_DOCTOR_OK] = "ok",
    [PBT_DOCTOR_WARNING] = "warning",
    [PBT_DOCTOR_ERROR] = "error",
};

void pbt_doctor_add(struct pbt_doctor *doctor, enum pbt_doctor_level level,
                    const char *name, const char *todo, const char *fmt, ...)
{
    struct pbt_doctor_finding *finding;
    va_list args;
    if (doctor->count == PBT_DOCTOR_MAX) {
        return; /* there are fewer checks than that */
    }
    finding = &doctor->findings[doctor->count++];
    finding->level = level;
    finding->name = name;
    finding->todo = todo;
    va_start(args, fmt);
    (void)vsnprintf(finding->text, sizeof finding->text, fmt, args);
    va_end(args);
}

static size_t count_of(const struct pbt_doctor *doctor,
                       enum pbt_doctor_level level)
{
    size_t count = 0;
    for (size_t i = 0; i < doctor->count; i++) {
        count += doctor->findings[i].level == level ? 1 : 0;
    }
    return count;
}

static void put_lines(const struct pbt_doctor *doctor, struct pbt_buf *out)
{
    for (size_t i = 0; i < doctor->count; i++) {
        const struct pbt_doctor_finding *finding = &doctor->findings[i];
        pbt_buf_printf(out, "%-8s %-12s ", levels[finding->level],
                       finding->name);
        pbt_buf_text(out, finding->text);
        pbt_buf_char(out, '\n');
        if (finding->todo[0] != '\0') {
            pbt_buf_printf(out, "%22s%s\n", "", finding->todo);
        }
    }
    size_t errors = count_of(doctor, PBT_DOCTOR_ERROR);
    size_t warnings = count_of(doctor, PBT_DOCTOR_WARNING);
    pbt_buf_printf(out, "\n%zu error%s, %zu warning%s\n", errors,
                   errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
}

/* Paths may be no UTF-8, and JSON is. */
static void put_string(struct pbt_buf *out, const char *text)
{
    struct pbt_buf clean;
    pbt_buf_init(&clean, REPORT_MAX);
    pbt_printable_put(&clean, text, strlen(text), true);
    pbt_buf_json_string(out, clean.length > 0 ? clean.data : "", clean.length);
    pbt_buf_done(&clean);
}

static void put_json(const struct pbt_doctor *doctor, struct pbt_buf *out)
{
    pbt_buf_printf(out, "{\"errors\":%zu,\"warnings\":%zu,\"checks\":[",
                   count_of(doctor, PBT_DOCTOR_ERROR),
                   count_of(doctor, PBT_DOCTOR_WARNING));
    for (size_t i = 0; i < doctor->count; i++) {
        const struct pbt_doctor_finding *finding = &doctor->findings[i];
        pbt_buf_printf(out, "%s{\"name\":\"%s\",\"level\":\"%s\",\"text\":",
                       i > 0 ? "," : "", finding->name, levels[finding->level]);
        put_string(out, finding->text);
        pbt_buf_text(out, ",\"todo\":");
        put_string(out, finding->todo);
        pbt_buf_char(out, '}');
    }
    pbt_buf_text(out, "]}\n");
}

int pbt_cli_doctor(const struct pbt_cli_call *call)
{
    struct pbt_doctor doctor = {.count = 0};
    struct pbt_buf out;
    pbt_doctor_shim(&doctor);
    pbt_doctor_kernel(&doctor);
    pbt_doctor_proc(&doctor);
    pbt_doctor_cpus(&doctor);
    pbt_doctor_memory(&doctor);
    pbt_doctor_gpus(&doctor);
    pbt_doctor_open_files(&doctor);
    pbt_doctor_disk(&doctor, pbt_cli_runs_dir(pbt_cli_value(call, "dir")));
    pbt_doctor_terminal(&doctor);

    pbt_buf_init(&out, REPORT_MAX);
    if (pbt_cli_given(call, "json")) {
        put_json(&doctor, &out);
    } else {
        put_lines(&doctor, &out);
    }
    int status = count_of(&doctor, PBT_DOCTOR_ERROR) > 0 ? PBT_EFAILED : PBT_OK;
    if (pbt_buf_failed(&out)) {
        status = pbt_cli_error(PBT_E0971, "out of memory");
    } else {
        pbt_cli_put(&out, false);
    }
    pbt_buf_done(&out);
    return status;
}
