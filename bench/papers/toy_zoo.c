#include "toys.h"

int zoo_main(int argc, char **argv);
/* The program as it is, but for its main(). */
/* NOLINTBEGIN(readability-identifier-naming,bugprone-suspicious-include) */
#define main zoo_main
#include "../../examples/papers/zoo.c"
/* NOLINTEND(readability-identifier-naming,bugprone-suspicious-include) */

const struct toy toy_plain = {PBT_SOURCE_DIR "/examples/papers/plain.yaml",
                              &zoo, NULL};
const struct toy toy_deceptive = {
    PBT_SOURCE_DIR "/examples/papers/deceptive.yaml", &zoo, NULL};
