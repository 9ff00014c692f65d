#include "toys.h"

int figure2_main(int argc, char **argv);
/* The program as it is, but for its main(). */
/* NOLINTBEGIN(readability-identifier-naming,bugprone-suspicious-include) */
#define main figure2_main
#include "../../examples/papers/figure2.c"
/* NOLINTEND(readability-identifier-naming,bugprone-suspicious-include) */

const struct toy toy_figure2 = {PBT_SOURCE_DIR "/examples/papers/figure2.yaml",
                                &figure2, explore};
