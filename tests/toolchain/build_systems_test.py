#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""CMake, Meson and pkg-config with what is installed for them."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import BIN, BUILD, CC, check, main, run, write

SHARE = BUILD + "/share/toril"
ENV = dict(os.environ, PATH=BIN + ":" + os.environ["PATH"])


def pages(prefix):
    """A library of our own, with a .pc file, below `prefix`."""
    os.makedirs(prefix + "/lib/pkgconfig")
    os.makedirs(prefix + "/include")
    write("page.c", "#include <math.h>\n"
          "double page(double x) { return sqrt(x); }\n")
    write(prefix + "/include/page.h", "double page(double x);\n")
    run(CC, "-c", "page.c")
    run(BIN + "/toril-ar", "rcs", prefix + "/lib/libpage.a", "page.o")
    write(prefix + "/lib/pkgconfig/page.pc", f"prefix={prefix}\n"
          "Name: page\nDescription: a page\nVersion: 1.2\n"
          "Libs: -L${prefix}/lib -lpage\nLibs.private: -lm\n"
          "Cflags: -I${prefix}/include\n")


PROGRAM = r"""
#include <page.h>
#include <stdio.h>
int main(int argc, char **argv) { (void)argv;
	printf("%.0f pid %d\n", page(argc + 15.0), RAN); return 0; }
"""

CMAKE = r"""
cmake_minimum_required(VERSION 3.16)
project(two C ASM)
include(CheckCSourceRuns)
include(CheckIncludeFile)
include(CheckLibraryExists)
include(CheckSymbolExists)
check_c_source_runs("#include <unistd.h>
int main(void) { return getpid() != 2; }" IN_VM)
try_run(RAN BUILT ${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR}/one.c
	RUN_OUTPUT_VARIABLE SAID)
check_include_file(sys/epoll.h HAVE_EPOLL)
check_include_file(zlib.h HAVE_ZLIB)
check_library_exists(m sin "" HAVE_M)
check_library_exists(z inflate "" HAVE_Z)
check_symbol_exists(strlcpy string.h HAVE_STRLCPY)
check_symbol_exists(gnu_get_libc_version gnu/libc-version.h HAVE_GLIBC)
find_package(Threads REQUIRED)
find_library(Z z)
find_library(PAGE page REQUIRED)
find_path(PAGE_H page.h REQUIRED)
foreach(n IN_VM HAVE_EPOLL HAVE_M HAVE_STRLCPY BUILT)
  if(NOT ${n})
    message(FATAL_ERROR "not found: ${n}")
  endif()
endforeach()
foreach(n HAVE_ZLIB HAVE_Z Z HAVE_GLIBC CMAKE_CROSSCOMPILING)
  if(${n})
    message(FATAL_ERROR "wrongly: ${n}: ${${n}}")
  endif()
endforeach()
if(NOT RAN EQUAL 3 OR NOT SAID STREQUAL "one\n")
  message(FATAL_ERROR "try_run: ${RAN} ${SAID}")
endif()
add_library(half SHARED half.S)
add_executable(two two.c)
target_include_directories(two PRIVATE ${PAGE_H})
target_compile_definitions(two PRIVATE RAN=1)
target_link_libraries(two half ${PAGE} m Threads::Threads)
install(TARGETS two)
enable_testing()
add_test(NAME two COMMAND two)
set_tests_properties(two PROPERTIES PASS_REGULAR_EXPRESSION "^4 pid 1")
"""


def test_cmake():
    """CMake: checks, try_run, find_*, build, ctest, install"""
    pages(os.getcwd() + "/stage")
    write("CMakeLists.txt", CMAKE)
    write("two.c", PROGRAM)
    write("one.c", "#include <stdio.h>\nint main(void) { puts(\"one\"); "
          "return 3; }\n")
    write("half.S", ".globl half\nhalf: ret\n")
    run("cmake", "-S", ".", "-B", "out",
        f"-DCMAKE_TOOLCHAIN_FILE={SHARE}/toril.cmake",
        f"-DCMAKE_FIND_ROOT_PATH={os.getcwd()}/stage",
        "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_INSTALL_PREFIX=/usr")
    run("cmake", "--build", "out")
    check(run("out/two").stdout == "4 pid 1\n")
    run("ctest", "--test-dir", "out")
    run("cmake", "--install", "out", "--strip",
        env=dict(ENV, DESTDIR=os.getcwd() + "/root"))
    check(run("root/usr/bin/two").stdout == "4 pid 1\n")
    cache = open("out/CMakeCache.txt").read()
    check(f"CMAKE_AR:FILEPATH={BIN}/toril-ar" in cache)


MESON = r"""
project('two', 'c', version: '1')
cc = meson.get_compiler('c')
r = cc.run('''#include <stdio.h>
#include <unistd.h>
int main(void) { printf("%d", getpid()); return 3; }''')
assert(r.compiled() and r.returncode() == 3 and r.stdout() == '2')
assert(cc.has_function('strlcpy') and cc.has_header('sys/epoll.h'))
assert(not cc.has_header('zlib.h'))
assert(not cc.find_library('z', required: false).found())
assert(not dependency('zlib', required: false).found())
assert(cc.sizeof('long') == 8)
page = dependency('page', version: '>=1')
m = cc.find_library('m')
half = library('half', 'half.c')
two = executable('two', 'two.c', c_args: '-DRAN=1', link_with: half,
  dependencies: [page, m, dependency('threads')], install: true)
tool = executable('tool', 'half.c', 'tool.c', native: true)
test('two', two)
test('tool', tool)
"""


def test_meson():
    """Meson: run checks, dependencies, build, test, install"""
    pages(os.getcwd() + "/stage")
    write("meson.build", MESON)
    write("two.c", PROGRAM)
    write("half.c", "int half(void);\nint half(void) { return 0; }\n")
    write("tool.c", "int half(void);\nint main(void) { return half(); }\n")
    env = dict(ENV, PKG_CONFIG_PATH=os.getcwd() + "/stage/lib/pkgconfig",
               DESTDIR=os.getcwd() + "/root")
    run("meson", "setup", "--cross-file", SHARE + "/toril.meson",
        "--prefix=/usr", "-Db_lto=true", "-Dstrip=true", "out", env=env)
    run("meson", "compile", "-C", "out", env=env)
    check(run("out/two").stdout == "4 pid 1\n")
    check("PVH" not in run("readelf", "-n", "out/tool").stdout)
    run("meson", "test", "-C", "out", env=env)
    run("meson", "install", "-C", "out", env=env)
    check(run("root/usr/bin/two").stdout == "4 pid 1\n")


def test_pkg_config():
    """pkg-config: only what is for images, with what static links need"""
    pages(os.getcwd() + "/stage")
    for name in "toril-pkg-config", "x86_64-toril-linux-musl-pkg-config":
        run(BIN + "/" + name, "--exists", "zlib", status=1)
        done = run(BIN + "/" + name, "--libs", "page", env=dict(
            ENV, PKG_CONFIG_PATH="stage/lib/pkgconfig"))
        check(done.stdout.split() ==
              [f"-L{os.getcwd()}/stage/lib", "-lpage", "-lm"], done.stdout)


if __name__ == "__main__":
    main(test_cmake, test_meson, test_pkg_config)
