/*
 * Stands in for `pbt run` and `pbt resume` until they are there.
 */
#include "cli/cli.h"

int pbt_cli_run(int argc, char **argv)
{
    (void)argc;
    return pbt_cli_error(PBT_EINTERNAL, "`pbt %s` is not there yet", argv[0]);
}

int pbt_cli_resume(int argc, char **argv)
{
    return pbt_cli_run(argc, argv);
}
