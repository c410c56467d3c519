# SPDX-License-Identifier: BSD-2-Clause
#
# cmake -DCMAKE_TOOLCHAIN_FILE=PREFIX/share/toril/toril.cmake: images.
#
# CMAKE_SYSTEM_NAME stays unset, on purpose: images run when they are executed,
# so that for CMake this is no cross build, and try_run, ctest and tools that
# are built to be run work without an emulator.
#
# Libraries and headers are looked for below the sysroot, and below what
# -DCMAKE_FIND_ROOT_PATH=DIR;DIR names, but nowhere on the host.
get_filename_component(_toril "${CMAKE_CURRENT_LIST_FILE}" REALPATH)
get_filename_component(_toril "${_toril}/../../.." ABSOLUTE)
set(CMAKE_C_COMPILER "${_toril}/bin/toril-cc")
set(CMAKE_ASM_COMPILER "${_toril}/bin/toril-cc")
foreach(_tool AR RANLIB NM STRIP OBJCOPY OBJDUMP READELF ADDR2LINE)
  string(TOLOWER "${_tool}" _name)
  set(CMAKE_${_tool} "${_toril}/bin/toril-${_name}" CACHE FILEPATH "")
endforeach()
set(CMAKE_C_COMPILER_AR "${CMAKE_AR}" CACHE FILEPATH "")
set(CMAKE_C_COMPILER_RANLIB "${CMAKE_RANLIB}" CACHE FILEPATH "")
set(PKG_CONFIG_EXECUTABLE "${_toril}/bin/toril-pkg-config" CACHE FILEPATH "")

if(NOT "${_toril}/lib/toril" IN_LIST CMAKE_FIND_ROOT_PATH)
  list(APPEND CMAKE_FIND_ROOT_PATH "${_toril}/lib/toril")
endif()
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# An image has no dynamic linker: what asks for a shared library gets a static
# one, with a warning.  CMake's files for the platform say otherwise, and read
# this one once more behind themselves.
set(BUILD_SHARED_LIBS OFF CACHE BOOL "")
set_property(GLOBAL PROPERTY TARGET_SUPPORTS_SHARED_LIBS FALSE)
set(CMAKE_USER_MAKE_RULES_OVERRIDE "${CMAKE_CURRENT_LIST_FILE}")
set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
