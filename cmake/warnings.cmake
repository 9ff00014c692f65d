# The warning set (gcc 12 and clang 14); errors in `make check`.
add_compile_options(
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
  -Wformat=2 -Wundef -Wvla -Wcast-qual
  -Wswitch-enum -Wdouble-promotion -Wimplicit-fallthrough
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>
  $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>)
if(PBT_WERROR)
  add_compile_options(-Werror)
endif()
