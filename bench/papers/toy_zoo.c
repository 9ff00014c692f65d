#include "toys.h"

int zoo_main(int argc, char **argv);
#define main zoo_main
#include "../../examples/papers/zoo.c"

const struct toy toy_plain = {PBT_SOURCE_DIR "/examples/papers/plain.yaml",
                              &zoo, NULL};
const struct toy toy_deceptive = {
    PBT_SOURCE_DIR "/examples/papers/deceptive.yaml", &zoo, NULL};
