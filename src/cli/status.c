/*
 * Stands in for `pbt status` until the view is there.
 */
#include "cli/cli.h"

int pbt_cli_status(int argc, char **argv)
{
    (void)argc;
    return pbt_cli_error(PBT_EINTERNAL, "`pbt %s` is not there yet", argv[0]);
}
