/*
 * status_json.h: status.json, the board in one file that is replaced as a whole: for
 * views on other hosts, and for scripts.
 *
 *     {"version":1,"name":"...","record":N,"clock":NS,"wall":NS,"end":"none",
 *      "incarnation":N,"slots":N,"metric":"...","mode":"max","results":N,
 *      "checkpoints":N,"perturbations":N,"undone":N,"ignored":["..."],
 *      "best":{"trial":"...","score":X,"iteration":N,"config":{...}},
 *      "trials":[{"id":"...","status":"RUNNING","pid":N,"host":"...","iteration":N,
 *                 "time_total_s":S,"score":X,"failures":N,"exploits":N,
 *                 "undone":N,"epoch":N,"lineage":"N","parent":"...","config":{...}},
 *                ...]}
 *
 * "clock" and "wall" are those of the last record.  "best" is null before the first finite
 * score, "pid" while there is no process; scores that are no numbers are strings.
 */
#ifndef PBT_LOG_STATUS_JSON_H
#define PBT_LOG_STATUS_JSON_H

#include "base/buf.h"
#include "log/board.h"

/* Appends it as one line.  Failures show in `out`. */
void pbt_status_json(const struct pbt_board *board, struct pbt_buf *out);

#endif
