#include "toys.h"

int figure2_main(int argc, char **argv);
#define main figure2_main
#include "../../examples/papers/figure2.c"

const struct toy toy_figure2 = {PBT_SOURCE_DIR "/examples/papers/figure2.yaml",
                                &figure2, explore};
