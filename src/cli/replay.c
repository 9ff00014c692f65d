/*
 * pbt replay: one trial under the schedule of a policy file.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/experiment.h"
#include "spec/policy_file.h"

#define TEXT_MAX ((size_t)256 << 20)

/* The word behind the policy file that is an experiment's file; NULL: none is. */
static const char *given_file(const struct pbt_cli_call *call)
{
    bool there = call->dashes > 1 && (strchr(call->args[1], '=') == NULL ||
                                      access(call->args[1], F_OK) == 0);
    return there ? call->args[1] : NULL;
}

/* That of the run in which the policy file lies. */
static bool beside(const char *policy, char path[PATH_MAX])
{
    const char *slash = strrchr(policy, '/');
    int length = slash != NULL ? (int)(slash - policy) : 1;
    int n = snprintf(path, PATH_MAX, "%.*s/experiment.yaml", length,
                     slash != NULL ? policy : ".");
    return n > 0 && n < PATH_MAX && access(path, R_OK) == 0;
}

/* "replay-ba982_00003" of ".../pbt_policy_ba982_00003.txt". */
static void put_name(struct pbt_buf *out, const char *policy)
{
    static const char prefix[] = "pbt_policy_";
    const char *slash = strrchr(policy, '/');
    const char *name = slash != NULL ? slash + 1 : policy;
    size_t length = strcspn(name, ".");
    if (strncmp(name, prefix, sizeof prefix - 1) == 0) {
        name += sizeof prefix - 1;
        length -= sizeof prefix - 1;
    }
    pbt_buf_printf(out, "name=replay-%.*s", (int)length, name);
}

/* The overrides that make an experiment a replay. */
static int read_replay(const struct pbt_cli_call *call, const char *file,
                       const struct pbt_policy_schedule *policy,
                       struct pbt_spec *spec)
{
    struct pbt_buf texts[3];
    char *base[] = {NULL,
                    NULL,
                    NULL,
                    (char[]){"num_samples=1"},
                    (char[]){"points_to_evaluate="},
                    NULL};
    bool failed = false;
    for (int i = 0; i < 3; i++) {
        pbt_buf_init(&texts[i], TEXT_MAX);
    }
    put_name(&texts[0], call->args[0]);
    pbt_buf_printf(&texts[1], "config=");
    pbt_buf_put(&texts[1], policy->config.data, policy->config.length);
    pbt_buf_printf(&texts[2], "scheduler={\"type\":\"replay\",\"schedule\":");
    pbt_buf_put(&texts[2], policy->schedule.data, policy->schedule.length);
    pbt_buf_char(&texts[2], '}');
    for (int i = 0; i < 3; i++) {
        failed = failed || pbt_buf_failed(&texts[i]);
        base[i] = texts[i].data;
    }
    int status =
        failed ? pbt_cli_error(PBT_E0971, "out of memory")
               : pbt_cli_read_with(call, file, given_file(call) != NULL ? 2 : 1,
                                   base, spec);
    for (int i = 0; i < 3; i++) {
        pbt_buf_done(&texts[i]);
    }
    return status;
}

int pbt_cli_replay(const struct pbt_cli_call *call)
{
    struct pbt_policy_schedule policy;
    struct pbt_error error;
    struct pbt_spec spec;
    char found[PATH_MAX];
    const char *file = given_file(call);
    if (file == NULL && call->dashes == call->count) {
        if (!beside(call->args[0], found)) {
            return pbt_cli_usage(PBT_E0605, "replay", NULL,
                                 "a FILE, or -- COMMAND",
                                 "what is to be trained? no experiment.yaml "
                                 "lies beside the policy file");
        }
        file = found;
    }
    int status = pbt_policy_read(call->args[0], &policy, &error);
    if (status != PBT_OK) {
        return pbt_cli_fail_at(&error, call->args[0], NULL);
    }
    pbt_cli_put(&policy.skipped, true);
    (void)fprintf(stderr, "note: %u change%s to replay\n",
                  (unsigned)policy.changes, policy.changes == 1 ? "" : "s");
    status = read_replay(call, file, &policy, &spec);
    pbt_policy_schedule_done(&policy);
    return status == PBT_OK ? pbt_cli_train(call, &spec) : status;
}
