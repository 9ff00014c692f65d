/*
 * pbt plot: pictures of a run, drawn by pbt-plot (src/plot), which lies beside us.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/self.h"
#include "cli/results.h"

#define MIN_COLUMNS 40
#define MAX_COLUMNS 200
#define MIN_ROWS 12
#define MAX_ROWS 40

const char *const pbt_cli_plot_kinds[] = {"metric", "parameters", "lineage",
                                          "timeline", NULL};
const char *const pbt_cli_plot_xs[] = {"training_iteration", "time_total_s",
                                       "timestamp", NULL};

static int check_file(const char *file)
{
    const char *suffix = strrchr(file, '.');
    if (strcmp(file, "-") == 0 ||
        (suffix != NULL &&
         (strcmp(suffix, ".svg") == 0 || strcmp(suffix, ".png") == 0 ||
          strcmp(suffix, ".pdf") == 0))) {
        return PBT_OK;
    }
    return pbt_cli_usage(PBT_E0864, "plot", file,
                         "a name that ends in .svg, .png or .pdf, or -",
                         "can't tell what kind of picture `%s` is to be", file);
}

/* What belongs to the plot of a metric alone. */
static int check_options(const struct pbt_cli_call *call, const char *kind)
{
    static const char *const OPTIONS[] = {"x", "y"};
    if (strcmp(kind, "metric") == 0) {
        return PBT_OK;
    }
    for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++) {
        if (pbt_cli_given(call, OPTIONS[i])) {
            return pbt_cli_usage(PBT_E0865, "plot",
                                 pbt_cli_value(call, OPTIONS[i]), NULL,
                                 "-%s is for the plot of a metric; that of %s "
                                 "has its own axes",
                                 OPTIONS[i], kind);
        }
    }
    return PBT_OK;
}

/* A length of the terminal; `usual` where there is none. */
static void put_length(uint32_t length, uint32_t usual, uint32_t low,
                       uint32_t high, char text[16])
{
    length = length == 0 ? usual : length;
    length = length < low ? low : length > high ? high : length;
    (void)snprintf(text, 16, "%" PRIu32, length);
}

/* pbt-plot finds the index up to date: a bar that says how far it is is ours to draw. */
static int prepare(const char *dir)
{
    struct pbt_results *results;
    struct pbt_error error;
    int status = pbt_cli_read_run(&results, dir, &error);
    if (status != PBT_OK) {
        return pbt_cli_fail(&error);
    }
    pbt_results_close(results);
    return PBT_OK;
}

/* Only returns if it fails. */
static int become_plotter(char **argv)
{
    char path[PATH_MAX];
    (void)pbt_self_path(path, sizeof path - 16); /* execv() fails without it */
    char *slash = strrchr(path, '/');
    if (slash != NULL) {
        memcpy(slash + 1, "pbt-plot", sizeof "pbt-plot");
    }
    argv[0] = path;
    (void)execv(path, argv);
    return pbt_cli_error(PBT_E0866, "can't start %s: %s", path,
                         strerror(errno));
}

int pbt_cli_plot(const struct pbt_cli_call *call)
{
    char dir[PATH_MAX];
    char columns[16];
    char rows[16];
    struct pbt_error error;
    struct pbt_screen screen;
    const char *file = pbt_cli_value(call, "output");
    const char *x = pbt_cli_value(call, "x");
    const char *y = pbt_cli_value(call, "y");
    const char *kind = call->count > 1 ? call->args[1] : pbt_cli_plot_kinds[0];
    file = file == NULL ? "-" : file;
    int status = check_file(file);
    status = status == PBT_OK ? check_options(call, kind) : status;
    if (status != PBT_OK) {
        return status;
    }
    if (pbt_cli_find_run(call->args[0], pbt_cli_value(call, "dir"), dir,
                         sizeof dir, &error) != PBT_OK) {
        return pbt_cli_fail_at(&error, call->args[0], NULL);
    }
    status = prepare(dir);
    if (status != PBT_OK) {
        return status;
    }
    pbt_screen_init(&screen, STDOUT_FILENO, pbt_cli_color(call));
    put_length(pbt_screen_columns(&screen), 80, MIN_COLUMNS, MAX_COLUMNS,
               columns);
    put_length(pbt_screen_rows(&screen), 24, MIN_ROWS, MAX_ROWS, rows);
    char *argv[] = {NULL,
                    dir,
                    (char *)(uintptr_t)kind,
                    (char *)(uintptr_t)(x == NULL ? pbt_cli_plot_xs[0] : x),
                    (char *)(uintptr_t)(y == NULL ? "" : y),
                    pbt_cli_given(call, "log") ? "log" : "linear",
                    (char *)(uintptr_t)file,
                    columns,
                    rows,
                    screen.color ? "color" : "plain",
                    NULL};
    return become_plotter(argv);
}
