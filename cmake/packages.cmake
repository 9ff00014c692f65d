# What tells others how to use an installed copy: libpbt.pc, and a package for
# find_package(pbt).

# What libpbt.a needs beside it.  Debian's static libuv has a name of its own.
set(PBT_STATIC_LIBS ${UV_STATIC_LDFLAGS} ${JANSSON_STATIC_LDFLAGS}
    ${FYAML_STATIC_LDFLAGS} ${SQLITE_STATIC_LDFLAGS} -lm -ldl -lpthread)
find_library(PBT_UV_A NAMES uv_a HINTS ${UV_LIBDIR})
mark_as_advanced(PBT_UV_A)
if(PBT_UV_A)
  list(TRANSFORM PBT_STATIC_LIBS REPLACE "^-luv$" "-luv_a")
endif()
foreach(dir ${CMAKE_C_IMPLICIT_LINK_DIRECTORIES})
  list(REMOVE_ITEM PBT_STATIC_LIBS "-L${dir}")
endforeach()
list(REVERSE PBT_STATIC_LIBS) # the last of equal ones stays: what is needed follows
list(REMOVE_DUPLICATES PBT_STATIC_LIBS)
list(REVERSE PBT_STATIC_LIBS)
list(JOIN PBT_STATIC_LIBS " " PBT_PC_PRIVATE)

set(PBT_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/pbt)
file(RELATIVE_PATH PBT_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" PBT_PC_PREFIX "${PBT_PC_PREFIX}")
configure_file(cmake/libpbt.pc.in libpbt.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/libpbt.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

include(CMakePackageConfigHelpers)
configure_package_config_file(
  cmake/pbt-config.cmake.in pbt-config.cmake
  INSTALL_DESTINATION ${PBT_PACKAGE_DIR}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
# Before 1.0 each minor version may break what uses it.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/pbt-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/pbt-config.cmake
        ${CMAKE_BINARY_DIR}/pbt-config-version.cmake
        DESTINATION ${PBT_PACKAGE_DIR})
install(EXPORT pbt NAMESPACE pbt:: FILE pbt-targets.cmake
        DESTINATION ${PBT_PACKAGE_DIR})
