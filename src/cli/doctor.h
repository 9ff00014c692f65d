/*
 * doctor.h: what `pbt doctor` looks at, one function a subject; each adds what it found.
 */
#ifndef PBT_CLI_DOCTOR_H
#define PBT_CLI_DOCTOR_H

#include <stddef.h>

#include <pbt/error.h>

enum pbt_doctor_level {
    PBT_DOCTOR_OK,
    PBT_DOCTOR_WARNING, /* it works, but not as it might be meant */
    PBT_DOCTOR_ERROR,   /* no run can work so */
};

struct pbt_doctor_finding {
    enum pbt_doctor_level level;
    const char *name; /* "open files"; static */
    char text[1024];  /* what is */
    const char *todo; /* what to do; static, "" if all is well */
};

#define PBT_DOCTOR_MAX 32

struct pbt_doctor {
    struct pbt_doctor_finding findings[PBT_DOCTOR_MAX];
    size_t count;
};

/* `todo` is what to do, or "" where nothing is wrong. */
void pbt_doctor_add(struct pbt_doctor *doctor, enum pbt_doctor_level level,
                    const char *name, const char *todo, const char *fmt, ...)
    PBT_PRINTF(5, 6);

/* doctor_machine.c */
void pbt_doctor_shim(struct pbt_doctor *doctor);
void pbt_doctor_cpus(struct pbt_doctor *doctor);
void pbt_doctor_memory(struct pbt_doctor *doctor);
void pbt_doctor_open_files(struct pbt_doctor *doctor);
void pbt_doctor_kernel(struct pbt_doctor *doctor);
void pbt_doctor_proc(struct pbt_doctor *doctor);
void pbt_doctor_gpus(struct pbt_doctor *doctor);
void pbt_doctor_terminal(struct pbt_doctor *doctor);
/* doctor_disk.c: the directory in which runs are made. */
void pbt_doctor_disk(struct pbt_doctor *doctor, const char *runs);

#endif
