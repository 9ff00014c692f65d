#include "toys.h"

int accuracy_main(int argc, char **argv);
/* The program as it is, but for its main(). */
/* NOLINTBEGIN(readability-identifier-naming,bugprone-suspicious-include) */
#define main accuracy_main
#include "../../examples/papers/accuracy.c"
/* NOLINTEND(readability-identifier-naming,bugprone-suspicious-include) */

const struct toy toy_accuracy = {
    PBT_SOURCE_DIR "/examples/papers/accuracy.yaml", &accuracy, NULL};
