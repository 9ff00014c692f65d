#include "toys.h"

int accuracy_main(int argc, char **argv);
#define main accuracy_main
#include "../../examples/papers/accuracy.c"

const struct toy toy_accuracy = {
    PBT_SOURCE_DIR "/examples/papers/accuracy.yaml", &accuracy, NULL};
