/*
 * views.c: what people query (docs/files.md, "experiment.db").  Names are Ray Tune's where it has
 * one, and those of result.json.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "index/inside.h"

#define SQL_MAX ((size_t)4 << 20)
#define NONE "4294967295" /* PBT_NONE */
#define UNDONE "-9223372036854775808"
#define OPEN "9223372036854775807"

#define STATUS(word)                                                           \
    "CASE " word " WHEN 0 THEN 'RUNNING' WHEN 1 THEN 'PAUSED' WHEN 2 THEN "    \
    "'PENDING' WHEN 3 THEN 'TERMINATED' ELSE 'ERROR' END"

/* The columns of `results` beside metrics and configurations. */
static const char *const ours[] = {
    "trial_id",         "training_iteration", "time_total_s",
    "time_this_iter_s", "timestamp",          "pbt_epoch",
    "pbt_seq",          "pbt_lineage",        "pbt_generation",
    "pbt_parent",       "pbt_parent_trial",   "pbt_parent_iteration",
    "pbt_undone",       "pbt_record"};

/* Letters are not told apart by case: `name` is taken by an earlier metric, or by us. */
static bool is_taken(const struct pbt_columns *columns, uint32_t position,
                     const char *name)
{
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        if (strcasecmp(ours[i], name) == 0) {
            return true;
        }
    }
    for (uint32_t i = 0; i < position; i++) {
        if (strcasecmp(columns->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* ", r.m0 AS "loss"": a name that is taken gets its number at its end. */
static void put_columns(struct pbt_buf *out, const struct pbt_columns *columns,
                        const char *table, const char *group)
{
    struct pbt_buf name;
    pbt_buf_init(&name, SQL_MAX);
    for (uint32_t i = 0; i < columns->count; i++) {
        pbt_buf_reset(&name);
        pbt_buf_printf(&name, "%s%s", group, columns->names[i]);
        if (is_taken(columns, i, columns->names[i])) {
            pbt_buf_printf(&name, "_%u", i);
        }
        pbt_buf_printf(out, ", %s.%s%u AS ", table, columns->prefix, i);
        pbt_sql_name(out,
                     pbt_buf_failed(&name) ? columns->names[i] : name.data);
    }
    pbt_buf_done(&name);
}

static void put_results(struct pbt_buf *out, const struct pbt_index *index)
{
    pbt_buf_text(out, "CREATE VIEW results AS SELECT t.id AS trial_id, "
                      "r.iteration AS training_iteration, r.time_total AS "
                      "time_total_s, r.time_this_iter AS time_this_iter_s, "
                      "r.timestamp AS timestamp");
    put_columns(out, &index->metrics, "r", "");
    put_columns(out, &index->configs, "l", "config/");
    pbt_buf_text(
        out,
        ", l.epoch AS pbt_epoch, r.seq AS pbt_seq, l.lineage AS pbt_lineage, "
        "l.generation AS pbt_generation, l.parent AS pbt_parent, p.id AS "
        "pbt_parent_trial, CASE WHEN l.source_number > 0 THEN "
        "l.from_iteration END AS pbt_parent_iteration, r.iteration > "
        "coalesce(l.until_iteration, " UNDONE ") AS pbt_undone, r.record AS "
        "pbt_record FROM raw_results r LEFT JOIN raw_trials t ON t.trial = "
        "r.trial LEFT JOIN raw_lives l ON l.trial = r.trial AND l.life = "
        "r.life LEFT JOIN raw_trials p ON p.trial = l.source_trial AND "
        "l.source_number > 0;");
}

static void put_trials(struct pbt_buf *out, const struct pbt_index *index)
{
    pbt_buf_text(
        out, "CREATE VIEW trials AS SELECT t.id AS trial_id, t.trial AS "
             "number, " STATUS("t.status") " AS status, t.iteration AS "
                                           "training_iteration, t.time_total "
                                           "AS time_total_s, t.score AS score, "
                                           "t.metrics AS metrics, t.config AS "
                                           "config, t.fold_first_config AS "
                                           "first_config");
    put_columns(out, &index->configs, "l", "config/");
    pbt_buf_text(
        out,
        ", t.fold_results AS results, t.exploits AS exploits, t.failures AS "
        "failures, t.error AS error, t.tag AS experiment_tag, nullif(t.pid, "
        "0) AS pid, nullif(t.host, '') AS hostname, t.epoch AS pbt_epoch, "
        "t.lineage AS pbt_lineage, coalesce(e.generation, 0) AS "
        "pbt_generation, e.exploit AS exploit, (SELECT o.id FROM raw_trials o "
        "WHERE o.trial = e.donor) AS donor FROM raw_trials t LEFT JOIN "
        "raw_lives l ON l.trial = t.trial AND l.life = (SELECT max(life) FROM "
        "raw_lives m WHERE m.trial = t.trial) LEFT JOIN raw_lives p ON p.trial "
        "= t.trial AND p.life = t.fold_present LEFT JOIN raw_exploits e ON "
        "e.exploit = p.exploit WHERE t.created ORDER BY t.trial;");
}

static void put_lives(struct pbt_buf *out, const struct pbt_index *index)
{
    pbt_buf_text(
        out,
        "CREATE VIEW lives AS SELECT t.id AS trial_id, l.life AS life, l.epoch "
        "AS pbt_epoch, l.from_iteration AS first_iteration, "
        "CASE WHEN l.until_iteration NOT IN (" OPEN ", " UNDONE ") THEN "
        "l.until_iteration END AS until_iteration, l.until_iteration = " UNDONE
        " AS undone, l.lineage AS pbt_lineage, l.generation AS "
        "pbt_generation, l.parent AS pbt_parent, nullif(l.exploit, " NONE
        ") AS exploit, l.config AS config");
    put_columns(out, &index->configs, "l", "config/");
    pbt_buf_text(out, " FROM raw_lives l JOIN raw_trials t ON t.trial = "
                      "l.trial WHERE l.epoch > 0;");
}

/* `%s/checkpoint_%06d` of a trial and a number */
#define PATH(trial, number)                                                    \
    "printf('%s/checkpoint_%06d', " trial ", " number ")"

static const char others[] =
    "CREATE VIEW run AS SELECT name, metric, mode, population, seed, "
    "(SELECT count(*) FROM raw_trials WHERE created) AS trials, results, "
    "checkpoints, exploits, started / 1e9 AS started, wall / 1e9 AS updated, "
    "time / 1e9 AS elapsed_s, record AS records FROM raw_run;"

    "CREATE VIEW metrics AS SELECT name FROM raw_columns WHERE kind = 'm' "
    "ORDER BY position;"

    "CREATE VIEW checkpoints AS SELECT t.id AS trial_id, c.number AS "
    "number, " PATH(
        "t.id",
        "c.number") " AS path, c.iteration AS training_iteration, "
                    "c.time_total AS time_total_s, c.score AS score, c.bytes "
                    "AS bytes, "
                    "c.kept AS kept, c.iteration > l.until_iteration AS "
                    "undone, l.epoch AS "
                    "pbt_epoch, c.seq AS pbt_seq, l.lineage AS pbt_lineage, "
                    "l.generation AS "
                    "pbt_generation FROM raw_checkpoints c JOIN raw_trials t "
                    "ON t.trial = "
                    "c.trial JOIN raw_lives l ON l.trial = c.trial AND l.life "
                    "= c.life;"

                    "CREATE VIEW exploits AS SELECT e.exploit AS exploit, t.id "
                    "AS trial_id, "
                    "e.iteration AS training_iteration, e.score AS score, d.id "
                    "AS donor, "
                    "e.donor_iteration AS donor_iteration, e.donor_score AS "
                    "donor_score, " PATH(
                        "d.id",
                        "e.checkpoint") " AS checkpoint, (SELECT h.id FROM "
                                        "raw_trials h WHERE h.trial = "
                                        "e.config_from) AS config_from, "
                                        "e.timestamp AS "
                                        "timestamp, "
                                        "nullif(e.parent, " NONE
                                        ") AS parent, e.generation AS "
                                        "pbt_generation, "
                                        "e.undone AS undone, l.epoch AS "
                                        "pbt_epoch, l.lineage AS pbt_lineage, "
                                        "e.config AS config FROM raw_exploits "
                                        "e JOIN raw_trials t ON t.trial = "
                                        "e.trial JOIN raw_trials d ON d.trial "
                                        "= e.donor JOIN raw_lives l ON "
                                        "l.trial = e.trial AND l.life = e.life;"

                                        "CREATE VIEW failures AS SELECT t.id "
                                        "AS trial_id, f.iteration AS "
                                        "training_iteration, f.timestamp AS "
                                        "timestamp, f.epoch AS pbt_epoch, "
                                        "f.error AS error, f.exit_code AS "
                                        "exit_code, f.signal AS signal, "
                                        "f.final "
                                        "AS final, f.record AS pbt_record FROM "
                                        "raw_failures f JOIN raw_trials t "
                                        "ON t.trial = f.trial;"

                                        "CREATE VIEW lineage AS WITH RECURSIVE "
                                        "line(trial, by_trial, exploit, "
                                        "last) AS (SELECT t.trial, t.trial, "
                                        "l.exploit, t.fold_present_iteration "
                                        "FROM raw_trials t LEFT JOIN raw_lives "
                                        "l ON l.trial = t.trial AND l.life "
                                        "= t.fold_present WHERE t.created "
                                        "UNION ALL SELECT line.trial, e.donor, "
                                        "e.parent, e.donor_iteration FROM line "
                                        "JOIN raw_exploits e ON e.exploit = "
                                        "line.exploit) SELECT t.id AS "
                                        "trial_id, coalesce(e.generation, 0) "
                                        "AS "
                                        "pbt_generation, b.id AS trained_by, "
                                        "coalesce(e.donor_iteration, 0) + 1 "
                                        "AS first_iteration, line.last AS "
                                        "last_iteration, e.exploit AS exploit, "
                                        "coalesce(e.config, "
                                        "b.fold_first_config) AS config FROM "
                                        "line JOIN raw_trials t "
                                        "ON t.trial = line.trial JOIN "
                                        "raw_trials b ON b.trial = "
                                        "line.by_trial "
                                        "LEFT JOIN raw_exploits e ON e.exploit "
                                        "= line.exploit;";

bool pbt_index_drop_views(struct pbt_index *index)
{
    return pbt_sql_run(&index->sql, "DROP VIEW IF EXISTS results;"
                                    "DROP VIEW IF EXISTS trials;"
                                    "DROP VIEW IF EXISTS lives;"
                                    "DROP VIEW IF EXISTS run;"
                                    "DROP VIEW IF EXISTS metrics;"
                                    "DROP VIEW IF EXISTS checkpoints;"
                                    "DROP VIEW IF EXISTS exploits;"
                                    "DROP VIEW IF EXISTS failures;"
                                    "DROP VIEW IF EXISTS lineage;");
}

bool pbt_index_make_views(struct pbt_index *index)
{
    struct pbt_buf text;
    pbt_buf_init(&text, SQL_MAX);
    put_results(&text, index);
    put_trials(&text, index);
    put_lives(&text, index);
    pbt_buf_text(&text, others);
    bool made =
        pbt_index_drop_views(index) && pbt_sql_run_buf(&index->sql, &text);
    pbt_buf_done(&text);
    index->metrics.changed = index->metrics.changed && !made;
    index->configs.changed = index->configs.changed && !made;
    return made;
}
