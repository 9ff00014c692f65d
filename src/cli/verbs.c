/*
 * verbs.c: the table.  Nothing that is said here is said elsewhere in src/cli.
 */
#include "cli/verbs.h"

#include <string.h>

#include "cli/cli.h"

/* --- options ---------------------------------------------------------------- */

#define DIR_OPTION                                                             \
    {                                                                          \
        "dir", 0, "DIR", PBT_CLI_DIR, NULL,                                    \
            "where runs are (default: $PBT_DIR, else runs)"                    \
    }
#define QUIET_OPTION                                                           \
    {                                                                          \
        "quiet", 'q', NULL, PBT_CLI_FREE, NULL,                                \
            "no status while it runs, only at the end"                         \
    }
#define COLOR_OPTION                                                           \
    {                                                                          \
        "color", 0, "WHEN", PBT_CLI_WORD, pbt_cli_color_words,                 \
            "when there are colours: auto, always or never"                    \
    }
#define ASK_OPTION                                                             \
    {                                                                          \
        "ask-fd", 0, "FD", PBT_CLI_FREE, NULL,                                 \
            "for clients: a socket to who answers for the functions"           \
    }
#define JSON_OPTION                                                            \
    {                                                                          \
        "json", 0, NULL, PBT_CLI_FREE, NULL, "as JSON"                         \
    }
#define PLAIN_OPTION                                                           \
    {                                                                          \
        "plain", 0, NULL, PBT_CLI_FREE, NULL,                                  \
            "for scripts: no titles, tabs between the columns"                 \
    }
#define END                                                                    \
    {                                                                          \
        NULL, 0, NULL, PBT_CLI_FREE, NULL, NULL                                \
    }

const char *const pbt_cli_color_words[] = {[PBT_COLOR_AUTO] = "auto",
                                           [PBT_COLOR_ALWAYS] = "always",
                                           [PBT_COLOR_NEVER] = "never",
                                           NULL};

const struct pbt_cli_option pbt_cli_common[] = {
    {"help", 'h', NULL, PBT_CLI_FREE, NULL, "show this"}, END};

static const struct pbt_cli_option no_options[] = {END};
static const char *const modes[] = {"max", "min", NULL};

/* Keys of the experiment file in other words: experiment.c. */
#define EXPERIMENT_OPTIONS                                                     \
    {"num-samples", 'n', "N", PBT_CLI_FREE, NULL, "the population"},           \
        {"metric", 0, "NAME", PBT_CLI_FREE, NULL, "what ranks trials"},        \
        {"mode",       0,     "MODE",                                          \
         PBT_CLI_WORD, modes, "max or min: which of it is better"},            \
        {"param",      'p',  "NAME=VALUE",                                     \
         PBT_CLI_FREE, NULL, "a hyperparameter: 0.1, uniform:0:1, a,b,c"},     \
        {"mutate",     'm',  "NAME=VALUE",                                     \
         PBT_CLI_FREE, NULL, "how it is explored: uniform:0:1, 1,2,4"},        \
        {"interval",   'i',  "N",                                              \
         PBT_CLI_FREE, NULL, "iterations between perturbations"},              \
        {"stop", 's', "NAME=N", PBT_CLI_FREE, NULL, "ends a trial"},           \
        {"stop-all", 0, "NAME=N", PBT_CLI_FREE, NULL, "ends the experiment"},  \
        {"name", 0, "NAME", PBT_CLI_FREE, NULL, "of the experiment"},          \
    {                                                                          \
        "seed", 0, "N", PBT_CLI_FREE, NULL, "fixes every draw and decision"    \
    }
static const struct pbt_cli_option run_options[] = {
    EXPERIMENT_OPTIONS, DIR_OPTION, QUIET_OPTION,
    COLOR_OPTION,       ASK_OPTION, END};
static const struct pbt_cli_option resume_options[] = {
    {"change", 0, NULL, PBT_CLI_FREE, NULL,
     "let the run be what key=value and flags say"},
    EXPERIMENT_OPTIONS,
    DIR_OPTION,
    QUIET_OPTION,
    COLOR_OPTION,
    ASK_OPTION,
    END};
static const struct pbt_cli_option init_options[] = {EXPERIMENT_OPTIONS, END};
static const struct pbt_cli_option replay_options[] = {
    {"stop", 's', "NAME=N", PBT_CLI_FREE, NULL, "ends the trial"},
    {"name", 0, "NAME", PBT_CLI_FREE, NULL, "of the experiment"},
    {"seed", 0, "N", PBT_CLI_FREE, NULL, "fixes every draw and decision"},
    DIR_OPTION,
    QUIET_OPTION,
    COLOR_OPTION,
    ASK_OPTION,
    END};
static const struct pbt_cli_option check_options[] = {
    {"all", 'a', NULL, PBT_CLI_FREE, NULL,
     "every setting, and where it comes from"},
    JSON_OPTION,
    EXPERIMENT_OPTIONS,
    DIR_OPTION,
    END};
static const struct pbt_cli_option dir_options[] = {DIR_OPTION, END};
static const struct pbt_cli_option status_options[] = {
    {"all", 'a', NULL, PBT_CLI_FREE, NULL,
     "every trial, not only the first 20"},
    COLOR_OPTION,
    JSON_OPTION,
    DIR_OPTION,
    END};
static const struct pbt_cli_option ls_options[] = {JSON_OPTION, PLAIN_OPTION,
                                                   DIR_OPTION, END};
static const struct pbt_cli_option show_options[] = {JSON_OPTION, DIR_OPTION,
                                                     END};
static const struct pbt_cli_option best_options[] = {
    {"metric", 0, "NAME", PBT_CLI_FREE, NULL, "another than the experiment's"},
    {"mode", 0, "MODE", PBT_CLI_WORD, modes, "max or min: which is better"},
    {"scope", 0, "SCOPE", PBT_CLI_WORD, pbt_cli_scope_words,
     "what stands for a trial: all (its best result), last, avg, ..."},
    {"export", 0, "DIR", PBT_CLI_FREE, NULL,
     "copy the checkpoint to DIR, which must not exist"},
    JSON_OPTION,
    DIR_OPTION,
    END};
static const struct pbt_cli_option plot_options[] = {
    {"x", 'x', "training_iteration|time_total_s|timestamp", PBT_CLI_WORD,
     pbt_cli_plot_xs, "of a metric: its x axis (training_iteration)"},
    {"y", 'y', "METRIC", PBT_CLI_FREE, NULL, "another than the experiment's"},
    {"log", 0, NULL, PBT_CLI_FREE, NULL, "a logarithmic y axis"},
    {"output", 'o', "FILE", PBT_CLI_FILE, NULL,
     ".svg, .png or .pdf; - (the default) draws in the terminal"},
    COLOR_OPTION,
    DIR_OPTION,
    END};
static const struct pbt_cli_option export_options[] = {
    {"format", 0, "FORMAT", PBT_CLI_WORD, pbt_cli_export_formats,
     "csv, json or sqlite (default: by FILE's name, else csv)"},
    {"output", 'o', "FILE", PBT_CLI_FILE, NULL,
     "where to; - (the default) is stdout"},
    {"all", 'a', NULL, PBT_CLI_FREE, NULL,
     "also results that were undone since"},
    {"json", 0, NULL, PBT_CLI_FREE, NULL, "the same as --format json"},
    DIR_OPTION,
    END};
static const struct pbt_cli_option lineage_options[] = {
    {"all", 'a', NULL, PBT_CLI_FREE, NULL,
     "also lines that nobody stands on any more"},
    JSON_OPTION,
    DIR_OPTION,
    END};
static const struct pbt_cli_option schedule_options[] = {
    {"best", 0, NULL, PBT_CLI_FREE, NULL,
     "behind the best result (so it is without TRIAL)"},
    {"format", 0, "FORMAT", PBT_CLI_WORD, pbt_cli_schedule_formats,
     "table, json, csv, c (a header) or python (a module)"},
    {"json", 0, NULL, PBT_CLI_FREE, NULL, "the same as --format json"},
    DIR_OPTION,
    END};
static const struct pbt_cli_option verify_options[] = {JSON_OPTION, DIR_OPTION,
                                                       END};
static const struct pbt_cli_option backup_options[] = {
    {"salvage", 0, NULL, PBT_CLI_FREE, NULL,
     "of a damaged run: all that is whole"},
    DIR_OPTION,
    END};
static const struct pbt_cli_option gc_options[] = {
    {"dry-run", 'n', NULL, PBT_CLI_FREE, NULL, "only say what would go"},
    DIR_OPTION,
    END};
static const struct pbt_cli_option logs_options[] = {
    {"follow", 'f', NULL, PBT_CLI_FREE, NULL,
     "go on until nobody drives the run"},
    {"lines", 'n', "N", PBT_CLI_FREE, NULL, "only the last N of each"},
    {"stdout", 0, NULL, PBT_CLI_FREE, NULL, "only what it printed on stdout"},
    {"stderr", 0, NULL, PBT_CLI_FREE, NULL,
     "only what it printed on stderr, on our stdout"},
    DIR_OPTION,
    END};
static const struct pbt_cli_option doctor_options[] = {DIR_OPTION, JSON_OPTION,
                                                       END};
static const struct pbt_cli_option version_options[] = {JSON_OPTION, END};
static const struct pbt_cli_option help_options[] = {
    {"man", 0, NULL, PBT_CLI_FREE, NULL, "as the source of a man page"},
    {"verbs", 0, NULL, PBT_CLI_FREE, NULL,
     "the names of all verbs, for scripts"},
    END};

/* --- operands --------------------------------------------------------------- */

#define OPTIONAL_FILE                                                          \
    {                                                                          \
        "FILE", PBT_CLI_FILE, NULL, true, false                                \
    }
#define COMMAND                                                                \
    {                                                                          \
        "-- COMMAND", PBT_CLI_FILE, NULL, true, true                           \
    }
#define OVERRIDES                                                              \
    {                                                                          \
        "key=value", PBT_CLI_FREE, NULL, true, true                            \
    }
#define RUN_OPERAND                                                            \
    {                                                                          \
        "RUN", PBT_CLI_RUN, NULL, false, false                                 \
    }
#define OPTIONAL_RUN                                                           \
    {                                                                          \
        "RUN", PBT_CLI_RUN, NULL, true, false                                  \
    }
#define TRIAL_OPERAND                                                          \
    {                                                                          \
        "TRIAL", PBT_CLI_TRIAL, NULL, false, false                             \
    }
#define OPTIONAL_TRIAL                                                         \
    {                                                                          \
        "TRIAL", PBT_CLI_TRIAL, NULL, true, false                              \
    }

static const char *const shells[] = {"bash", "zsh", "fish", NULL};

/* --- verbs ------------------------------------------------------------------ */

const char *const pbt_cli_group_titles[PBT_CLI_GROUPS] = {
    [PBT_CLI_TRAINING] = "train",
    [PBT_CLI_LOOKING] = "look",
    [PBT_CLI_HELPING] = "help",
};

const struct pbt_cli_verb pbt_cli_verbs[] = {
    {"init",
     PBT_CLI_TRAINING,
     "write an experiment file for a program, to be looked at",
     {OPTIONAL_FILE, OVERRIDES, COMMAND},
     init_options,
     "pbt init -- ./train.sh --lr={lr} {checkpoint_in} {checkpoint_out}\n"
     "pbt init exp.yaml --metric loss --mode min -p lr=loguniform:1e-4:1 \\\n"
     "    -- python3 train.py\n",
     "Writes a commented experiment file for COMMAND: FILE, or the program's "
     "name with .yaml; - is stdout. What neither flags nor key=value say is "
     "guessed, and marked as a guess. A {word} in the command is a "
     "hyperparameter, and makes the program one without a client. A file that "
     "is there is never written over.\n",
     pbt_cli_init,
     false},
    {"run",
     PBT_CLI_TRAINING,
     "run the experiment that FILE, or flags, describe",
     {OPTIONAL_FILE, OVERRIDES, COMMAND},
     run_options,
     "pbt run exp.yaml\n"
     "pbt run exp.yaml num_samples=8 --dir /data/runs\n"
     "pbt run -n 8 --metric acc --mode max -p lr=loguniform:1e-4:1 \\\n"
     "    -m lr=loguniform:1e-4:1 -i 5 -s training_iteration=100 -- ./train\n",
     "Runs the experiment that FILE (- is stdin) describes. key=value goes on "
     "top of it, "
     "and "
     "so do flags, which are keys in other words; without a FILE they are all "
     "there is, and the command stands behind --.\n"
     "The run's directory is DIR/NAME. Nothing is ever overwritten: an "
     "unfinished run of the same experiment is resumed, else a number is added "
     "to the name.\n"
     "Ctrl-C lets the steps under way end, saves, and stops; twice: at once. "
     "The run can be resumed either way.\n",
     pbt_cli_run,
     false},
    {"replay",
     PBT_CLI_TRAINING,
     "train one trial by the schedule of a policy file",
     {{"POLICY_FILE", PBT_CLI_FILE, NULL, false, false},
      OPTIONAL_FILE,
      OVERRIDES,
      COMMAND},
     replay_options,
     "pbt replay runs/mnist/pbt_policy_ba982_00003.txt\n"
     "pbt replay pbt_policy_b2732_00000.txt -s training_iteration=100 -- "
     "./train\n",
     "Trains one trial whose hyperparameters follow the schedule behind "
     "another "
     "trial's weights: after the first result at or past each change's "
     "iteration, one change a result, it saves and goes on with the next "
     "configuration. Ray's policy files are read, too.\n"
     "Without FILE and COMMAND the experiment is that of the run in which the "
     "policy file lies.\n",
     pbt_cli_replay,
     true},
    {"resume",
     PBT_CLI_TRAINING,
     "go on with what was interrupted or paused",
     {RUN_OPERAND, OPTIONAL_TRIAL, OVERRIDES, COMMAND},
     resume_options,
     "pbt resume mnist-convnet\n"
     "pbt resume mnist-convnet 3\n"
     "pbt resume mnist-convnet num_samples=8 stop.training_iteration=200 \\\n"
     "    --change\n",
     "Goes on with a run that was interrupted or killed, from what its journal "
     "and checkpoints say, and with all that was paused in it, or with TRIAL "
     "alone. If a driver is at work on it already, that one is told.\n"
     "key=value, flags and a COMMAND behind -- are compared with what the run "
     "is. Where they differ nothing is done, unless --change is given: then "
     "trials may be added, ends be put further away, and resources, command, "
     "cwd and env be others. A finished run is extended that way.\n",
     pbt_cli_resume,
     false},
    {"stop",
     PBT_CLI_TRAINING,
     "stop a run so that it can be resumed; a trial for good",
     {RUN_OPERAND, OPTIONAL_TRIAL},
     dir_options,
     "pbt stop mnist-convnet\n"
     "pbt stop mnist-convnet ba982_00003\n",
     "Stops a run as Ctrl-C does: the steps under way end, every trial saves, "
     "and the run can be resumed. It returns when the run has stopped.\n"
     "With TRIAL only that trial is stopped, after its step, and for good.\n",
     pbt_cli_stop,
     false},
    {"pause",
     PBT_CLI_TRAINING,
     "let a trial, or all, save and wait until it is resumed",
     {RUN_OPERAND, OPTIONAL_TRIAL},
     dir_options,
     "pbt pause mnist-convnet\n"
     "pbt pause mnist-convnet 3\n",
     "Pauses a trial of a run at work, or all: each saves after the step under "
     "way and gives its slot back. It stays paused, whatever becomes of the "
     "driver, until it is resumed.\n",
     pbt_cli_pause,
     true},
    {"check",
     PBT_CLI_TRAINING,
     "check an experiment file, and say what it would do",
     {OPTIONAL_FILE, OVERRIDES, COMMAND},
     check_options,
     "pbt check mnist.yaml\n"
     "pbt check mnist.yaml num_samples=8 scheduler.perturbation_interval=10\n",
     "Reads the experiment file (- is stdin) and says everything that is wrong "
     "with it, or "
     "what it would do. Nothing is started or written.\n",
     pbt_cli_check,
     false},
    {"status",
     PBT_CLI_LOOKING,
     "show where a run is",
     {RUN_OPERAND},
     status_options,
     "pbt status mnist-convnet\n"
     "pbt status runs/mnist-convnet --all\n",
     "Shows where a run is: its trials, their hyperparameters and results, the "
     "best one. It reads the journal and disturbs nobody.\n",
     pbt_cli_status,
     false},
    {"ls",
     PBT_CLI_LOOKING,
     "list the runs, or the trials of one",
     {OPTIONAL_RUN},
     ls_options,
     "pbt ls\n"
     "pbt ls mnist-convnet\n"
     "pbt ls mnist-convnet --plain | sort -k5 -g | tail -1\n"
     "pbt ls --json | jq -r '.runs[] | select(.state == "
     "\"interrupted\").dir'\n",
     "Lists the runs with their states and best results, or the trials of RUN "
     "with what they have reached, from whom they took over, and their "
     "checkpoints.\n",
     pbt_cli_ls,
     false},
    {"show",
     PBT_CLI_LOOKING,
     "show a trial: configuration, descent, checkpoints",
     {RUN_OPERAND, TRIAL_OPERAND},
     show_options,
     "pbt show mnist-convnet 3\n"
     "pbt show mnist-convnet ba982_00003 --json | jq .lineage\n",
     "Shows all that is known of a trial: what it trains with now and was "
     "given "
     "at first, whose weights it stands on, its failures, and the "
     "checkpoints that are kept.\n"
     "The beginning or end of an id is enough where no other has it.\n",
     pbt_cli_show,
     false},
    {"best",
     PBT_CLI_LOOKING,
     "show the best trial, or export its checkpoint",
     {RUN_OPERAND},
     best_options,
     "pbt best mnist-convnet\n"
     "pbt best mnist-convnet --export best-model\n"
     "pbt best mnist-convnet --metric loss --mode min --scope last-5-avg "
     "--json\n",
     "Shows the trial with the best result, the configuration that it was "
     "trained with, and the best of its checkpoints. Results that were undone, "
     "by a failure or an exploit, do not count.\n",
     pbt_cli_best,
     false},
    {"schedule",
     PBT_CLI_LOOKING,
     "export the hyperparameters behind weights",
     {RUN_OPERAND, OPTIONAL_TRIAL},
     schedule_options,
     "pbt schedule mnist-convnet\n"
     "pbt schedule mnist-convnet 3 --format c >schedule.h\n"
     "pbt schedule mnist-convnet --best --format python >schedule.py\n",
     "Exports the schedule of hyperparameters that led to the weights that "
     "TRIAL "
     "has now, or to the best result: through all exploits back to the first "
     "iteration, which values were in force, and in which trial.\n"
     "In C it is a header with a table and a function that looks up an "
     "iteration, in Python a module with a function schedule(iteration).\n",
     pbt_cli_schedule,
     false},
    {"lineage",
     PBT_CLI_LOOKING,
     "show who descends from whom, as a tree",
     {RUN_OPERAND, OPTIONAL_TRIAL},
     lineage_options,
     "pbt lineage mnist-convnet\n"
     "pbt lineage mnist-convnet 3\n"
     "pbt lineage mnist-convnet --json | jq '.trials[0].lineage'\n",
     "Shows the family tree of a run: the first configurations from which "
     "the weights of today's trials descend, and each exploit on the way, with "
     "what it changed.\n"
     "Of TRIAL only its own line of descent.\n",
     pbt_cli_lineage,
     true},
    {"export",
     PBT_CLI_LOOKING,
     "write all results as CSV, JSON or an SQLite file",
     {RUN_OPERAND, OPTIONAL_TRIAL},
     export_options,
     "pbt export mnist-convnet >results.csv\n"
     "pbt export mnist-convnet 3 -o trial-3.csv\n"
     "pbt export mnist-convnet --format json | jq '.results[0]'\n"
     "pbt export mnist-convnet -o mnist.sqlite\n",
     "Writes the table of results: a row for each, with its metrics, its "
     "hyperparameters (config/NAME) and its descent. Results that were "
     "undone, by a failure or an exploit, are left out, unless --all is "
     "given.\n"
     "As JSON the run, its trials with their checkpoints, and its exploits "
     "come along. As SQLite it is a copy of the run's experiment.db.\n",
     pbt_cli_export,
     true},
    {"plot",
     PBT_CLI_LOOKING,
     "draw a run: results, hyperparameters, lineage, timeline",
     {RUN_OPERAND, {"KIND", PBT_CLI_WORD, pbt_cli_plot_kinds, true, false}},
     plot_options,
     "pbt plot mnist-convnet\n"
     "pbt plot mnist-convnet -x timestamp -y loss --log -o loss.svg\n"
     "pbt plot mnist-convnet parameters -o schedule.png\n",
     "Draws a metric, one line a trial (many trials: as bands, with the best "
     "on "
     "top); or, by iteration, all hyperparameters with the schedule of the "
     "best "
     "trial, or the family tree (lineage); or who trained when (timeline). A "
     "run at work can be drawn, too.\n",
     pbt_cli_plot,
     false},
    {"logs",
     PBT_CLI_LOOKING,
     "show what a trial's program printed",
     {RUN_OPERAND, TRIAL_OPERAND},
     logs_options,
     "pbt logs mnist-convnet 3\n"
     "pbt logs mnist-convnet ba982_00003 -f -n 20\n",
     "Prints what the program of a trial wrote: its stdout on stdout, its "
     "stderr on stderr.\n",
     pbt_cli_logs,
     false},
    {"rebuild",
     PBT_CLI_LOOKING,
     "write a run's log files anew from its journal",
     {RUN_OPERAND},
     dir_options,
     "pbt rebuild mnist-convnet\n",
     "Writes the files of a run that follow from its journal anew: "
     "pbt_global.txt, pbt_policy_*.txt, and each trial's params.json, "
     "result.json and progress.csv. Not while the run goes on.\n",
     pbt_cli_rebuild,
     true},
    {"verify",
     PBT_CLI_LOOKING,
     "check a run's journal and checkpoints against their sums",
     {RUN_OPERAND},
     verify_options,
     "pbt verify mnist-convnet\n"
     "pbt verify /backup/mnist-monday --json | jq -r '.damaged[].path'\n",
     "Reads the journal and every checkpoint that the run needs, and compares "
     "them with the sums that were written along. Each file that is damaged or "
     "gone is named, and the exit code is 65. It disturbs no driver at work.\n",
     pbt_cli_verify,
     true},
    {"backup",
     PBT_CLI_LOOKING,
     "copy a run, also while it runs",
     {RUN_OPERAND, {"DIRECTORY", PBT_CLI_DIR, NULL, false, false}},
     backup_options,
     "pbt backup mnist-convnet /backup/mnist-monday\n"
     "pbt verify /backup/mnist-monday && pbt status /backup/mnist-monday\n"
     "pbt backup mnist-convnet rescued --salvage\n",
     "Copies what a run needs to DIRECTORY, which must not exist: the journal, "
     "the checkpoints, what programs printed, and the log files, written anew. "
     "The copy is a run like any other, as the original was at one moment, and "
     "can be resumed.\n"
     "A damaged run is refused, unless --salvage: then the journal is copied "
     "up "
     "to the damage, with the checkpoints that are whole, and what is lost is "
     "said.\n",
     pbt_cli_backup,
     true},
    {"gc",
     PBT_CLI_LOOKING,
     "delete what no record of a run needs",
     {RUN_OPERAND},
     gc_options,
     "pbt gc mnist-convnet --dry-run\n"
     "pbt gc mnist-convnet\n",
     "Deletes what crashes have left of a run: checkpoints without a record, "
     "those that were given up and are still there, temporary files. Not while "
     "a driver is at work; pbt resume does it, too.\n",
     pbt_cli_gc,
     true},
    {"explain",
     PBT_CLI_HELPING,
     "say what the id of an error means",
     {{"ID", PBT_CLI_FREE, NULL, true, false}},
     no_options,
     "pbt explain E0104\n",
     "Says what the id of an error or warning means, with an example, and what "
     "to do. Without ID: all of them.\n",
     pbt_cli_explain,
     true},
    {"doctor",
     PBT_CLI_HELPING,
     "say whether runs can work here, and what to do if not",
     {{NULL, PBT_CLI_FREE, NULL, false, false}},
     doctor_options,
     "pbt doctor\n"
     "pbt doctor --dir /data/runs\n"
     "pbt doctor --json | jq '.checks[] | select(.level != \"ok\")'\n",
     "Looks at what a run needs, by trying it: pbt-shim, CPUs, memory, GPUs, "
     "open files, the directory of the runs and its file system, the "
     "terminal. Each line is ok, a warning, or an error, and says what to "
     "do.\n"
     "The exit code is 1 if there is an error: a run can't work here.\n",
     pbt_cli_doctor,
     false},
    {"version",
     PBT_CLI_HELPING,
     "show the versions of pbt and of its parts",
     {{NULL, PBT_CLI_FREE, NULL, false, false}},
     version_options,
     "pbt version\n"
     "pbt version --json\n",
     "Shows the version of pbt, of the protocol that workers speak and of the "
     "journal's records, the compiler, the libraries, and what was built in.\n",
     pbt_cli_version,
     true},
    {"help",
     PBT_CLI_HELPING,
     "show this, or how to use a verb",
     {{"VERB", PBT_CLI_VERB, NULL, true, false}},
     help_options,
     "pbt help run\n"
     "pbt help --man run | man -l -\n",
     "Explains pbt, or a verb.\n",
     pbt_cli_help,
     false},
    {"completion",
     PBT_CLI_HELPING,
     "print a shell's completion of pbt",
     {{"SHELL", PBT_CLI_WORD, shells, false, false}},
     no_options,
     "source <(pbt completion bash)\n"
     "pbt completion fish >~/.config/fish/completions/pbt.fish\n",
     "Prints what makes bash, zsh or fish complete verbs, options, runs and "
     "trials. An installed pbt has brought it along.\n",
     pbt_cli_completion,
     true},
};

const size_t pbt_cli_verb_count = sizeof pbt_cli_verbs / sizeof *pbt_cli_verbs;

const struct pbt_cli_verb *pbt_cli_find_verb(const char *name)
{
    for (size_t i = 0; i < pbt_cli_verb_count; i++) {
        if (strcmp(pbt_cli_verbs[i].name, name) == 0) {
            return &pbt_cli_verbs[i];
        }
    }
    return NULL;
}
