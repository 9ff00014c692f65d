/*
 * pbt/error.h: statuses and messages, the same in every part of libpbt.
 *
 * A function that can fail returns an `int`: PBT_OK (0), or one of the
 * statuses below.  It also takes a `struct pbt_error *`, which belongs to the
 * caller and is filled when (and only when) the call fails.  NULL is allowed
 * where the message is of no interest.  A failed call leaves its object as it
 * was.
 *
 * Each status is also the exit code that `pbt` ends with for that reason.
 */
#ifndef PBT_ERROR_H
#define PBT_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define PBT_API __attribute__((visibility("default")))
#define PBT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define PBT_API
#define PBT_PRINTF(fmt, args)
#endif

/* name, value (= exit code), what it means */
#define PBT_STATUS_MAP(X)                                                      \
    X(PBT_OK, 0, "finished")                                                   \
    X(PBT_EFAILED, 1, "some trials failed for good")                           \
    X(PBT_EUSAGE, 2, "wrong use of a command or function")                     \
    X(PBT_EDATA, 65, "damaged journal or checkpoint")                          \
    X(PBT_ENOINPUT, 66, "no such file, run or trial")                          \
    X(PBT_EUNAVAILABLE, 69, "a service or worker can't be had")                \
    X(PBT_EINTERNAL, 70, "internal error: please report it")                   \
    X(PBT_ENOMEM, 71, "out of memory or another system resource")              \
    X(PBT_ECANTCREATE, 73, "can't create an output file")                      \
    X(PBT_EIO, 74, "input/output error")                                       \
    X(PBT_ETEMP, 75, "temporary: try again (a lock is held, the disk full)")   \
    X(PBT_EPERM, 77, "permission denied")                                      \
    X(PBT_ECONFIG, 78, "error in the experiment file")                         \
    X(PBT_EINTERRUPTED, 130, "interrupted: the run can be resumed")            \
    X(PBT_ETERMINATED, 143, "terminated: the run can be resumed")

enum pbt_status {
#define PBT_STATUS_ENUM(name, value, text) name = value,
    PBT_STATUS_MAP(PBT_STATUS_ENUM)
#undef PBT_STATUS_ENUM
};

#define PBT_ERROR_TEXT_MAX 2048

struct pbt_error {
    int status; /* an enum pbt_status */
    char id[8]; /* "E0702": `pbt explain E0702` says more; may be empty */
    /* one or more lines, no newline at the end */
    char text[PBT_ERROR_TEXT_MAX];
};

/* Static text for a status; for unknown values "unknown status". */
PBT_API const char *pbt_status_text(int status);

/*
 * Fills `error` (if not NULL) and returns `status`, so that a function can say
 *     return pbt_error_set(error, PBT_EIO, "can't write %s: %s", ...);
 * Text that does not fit is cut.
 */
PBT_API int pbt_error_set(struct pbt_error *error, int status, const char *fmt,
                          ...) PBT_PRINTF(3, 4);

/*
 * Puts "<prefix>: " before the text of an error on its way up, and returns its
 * status.
 */
PBT_API int pbt_error_prefix(struct pbt_error *error, int status,
                             const char *fmt, ...) PBT_PRINTF(3, 4);

#ifdef __cplusplus
}
#endif
#endif
