/* The program; the library has the rest. */
#include "bellformer/main.h"

int main(int argc, char **argv) { return bf_main(argc, argv); }
