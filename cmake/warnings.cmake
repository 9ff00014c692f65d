# The warning set (gcc 12 and clang 14); errors in `make check`.
add_compile_options(
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
  -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef -Wvla -Wcast-qual
  -Wswitch-enum -Wdouble-promotion -Wimplicit-fallthrough)
if(PBT_WERROR)
  add_compile_options(-Werror)
endif()
