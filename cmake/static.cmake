# The programs once more, with everything in them: they run on any Linux of this machine's
# kind, whatever is or isn't installed there.  `make wheel` (scripts/make-wheel) packs them
# with the Python client.  The objects are those of the other programs.

# The archives that are needed.  CMake's imported targets name shared libraries.
set(PBT_WHEEL_LIBS ${PBT_STATIC_LIBS} ${CAIRO_STATIC_LDFLAGS})
set(PBT_WHEEL_MISSING)
foreach(flag ${PBT_WHEEL_LIBS})
  if(flag MATCHES "^-l(.+)$")
    find_library(PBT_WHEEL_FOUND NAMES lib${CMAKE_MATCH_1}.a NO_CACHE
                 HINTS ${UV_LIBDIR} ${CAIRO_cairo_LIBDIR})
    if(NOT PBT_WHEEL_FOUND)
      list(APPEND PBT_WHEEL_MISSING lib${CMAKE_MATCH_1}.a)
    endif()
    unset(PBT_WHEEL_FOUND)
  endif()
endforeach()
list(REMOVE_DUPLICATES PBT_WHEEL_MISSING)

if(PBT_WHEEL_MISSING OR PBT_SANITIZE OR NOT PBT_PYTHON)
  if(PBT_SANITIZE)
    set(why "a sanitizer's program can't be static")
  elseif(PBT_WHEEL_MISSING)
    list(JOIN PBT_WHEEL_MISSING " " why)
    set(why "static libraries are missing: ${why}")
  else()
    set(why "there is no python3")
  endif()
  add_custom_target(wheel
                    COMMAND ${CMAKE_COMMAND} -E echo "no wheel: ${why}"
                    COMMAND ${CMAKE_COMMAND} -E false VERBATIM)
  return()
endif()

set(PBT_STATIC_DIR ${CMAKE_BINARY_DIR}/static)
set(PBT_STATIC_PROGRAMS)
foreach(program pbt pbt-shim pbt-command pbt-plot)
  add_executable(${program}-static EXCLUDE_FROM_ALL $<TARGET_OBJECTS:${program}>)
  set_target_properties(${program}-static PROPERTIES LINKER_LANGUAGE C
                        OUTPUT_NAME ${program}
                        RUNTIME_OUTPUT_DIRECTORY ${PBT_STATIC_DIR})
  # The map tells scripts/make-wheel whose code is in it.  The linker warns of what
  # static programs can't do (dlopen(), getpwuid_r()): ours don't (src/exec/nvml.c).
  target_link_options(${program}-static PRIVATE -static-pie -s
                      -Wl,--no-warnings -Wl,-Map=${PBT_STATIC_DIR}/${program}.map)
  target_link_libraries(${program}-static PRIVATE $<TARGET_FILE:pbt_private>)
  if(program STREQUAL "pbt-plot")
    target_link_libraries(${program}-static PRIVATE ${CAIRO_STATIC_LDFLAGS})
  endif()
  target_link_libraries(${program}-static PRIVATE ${PBT_STATIC_LIBS})
  add_dependencies(${program}-static ${program} pbt_private)
  list(APPEND PBT_STATIC_PROGRAMS ${program}-static)
endforeach()

add_custom_target(wheel
                  COMMAND ${PBT_PYTHON} ${CMAKE_SOURCE_DIR}/scripts/make-wheel
                          ${PBT_STATIC_DIR} ${CMAKE_BINARY_DIR}/wheel
                  DEPENDS ${PBT_STATIC_PROGRAMS} USES_TERMINAL VERBATIM)
