/*
 * local.h: the world of this machine: a worker process per running trial, below a
 * pbt-shim of its own, over libuv.
 *
 * All of it lives on the thread that calls next_batch(); what waits for a disk (syncs,
 * verifying, deleting) or for the user's code (asks) runs in libuv's pool and comes back
 * as news.  Nothing here decides anything.
 *
 * Files: local.c (the loop), local_process.c (beginnings and ends), local_exec.c (the spawn), local_reuse.c
 * (a worker goes on to another trial),
 * local_stream.c (sockets), local_command.c (what workers are told), local_hear.c (what
 * they and their shims say), local_room.c (saves that wait), local_jobs.c (the pool), local_control.c
 * (requests), local_attach.c (workers behind launchers).
 */
#ifndef PBT_EXEC_LOCAL_H
#define PBT_EXEC_LOCAL_H

#include <stdint.h>

#include <pbt/error.h>

#include "base/buf.h"
#include "base/files.h"
#include "base/hold.h"
#include "driver/world.h"
#include "exec/budget.h"
#include "spec/spec.h"

struct pbt_local_options {
    struct pbt_spec *spec;           /* takes in the texts of answers to asks */
    struct pbt_files *files;         /* for syncing directories */
    const char *run_dir;             /* absolute */
    const char *shim;                /* absolute path of pbt-shim */
    const struct pbt_budget *budget; /* which devices a slot is */
    int stop_fd; /* readable: somebody wants the run to end; -1: nobody can */
    int control_fd; /* listens for requests (wire/control.h); -1: not */
    /*
     * The functions of the program that runs this: the question of an ask in
     * (docs/experiment-file.md), the configuration with their values out, both JSON.  Called
     * on a pool thread, one call at a time.  NULL: there are none.  The program
     * that the specification names for exploring is asked after them.
     */
    int (*ask)(void *user, const char *json, size_t length,
               struct pbt_buf *answer, struct pbt_error *error);
    void *ask_user;
    /*
     * Asked once a second, and before a checkpoint gets its name; on the loop's thread.  A
     * failure ends the run.
     */
    struct pbt_hold hold;
    /* Messages for people; from the loop's thread.  NULL: none. */
    void (*say)(void *user, const char *text);
    void *say_user;
};

struct pbt_local;

/* The options' pointers are borrowed for its life. */
int pbt_local_create(struct pbt_local **made,
                     const struct pbt_local_options *options,
                     struct pbt_error *error);
struct pbt_world *pbt_local_world(struct pbt_local *local);

/* "<run_dir>/<trial_id>/checkpoint_000005". */
int pbt_local_checkpoint_path(const struct pbt_spec *spec, const char *run_dir,
                              struct pbt_checkpoint_id checkpoint, char *path,
                              size_t size, struct pbt_error *error);

/* Ends every process, and waits until their ends were seen.  Takes NULL. */
void pbt_local_destroy(struct pbt_local *local);

#endif
