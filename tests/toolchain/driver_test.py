#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""toril-cc takes what cc takes, and its links are images."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import BIN, BUILD, CC, check, main, run, write

SYSROOT = f"{BUILD}/lib/toril"
HELLO = '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n'
SYSCALL = r"""
#include <stdio.h>
static long number(long nr)
{
	long r;
	__asm__ volatile("syscall" : "=a"(r) : "a"(nr) : "rcx", "r11", "memory");
	return r;
}
int main(void) { printf("%ld\n", number(39)); return 0; }
"""


def cc(*args, **more):
    return run(CC, *args, **more)


def says(image, text, *args):
    out = run(image, *args).stdout
    check(out == text, image, out)


def test_outputs():
    """-c -S -E -o -x, several sources, standard input, a.out"""
    write("a.c", HELLO)
    cc("a.c")
    says("./a.out", "hello\n")
    cc("-E", "a.c", "-o", "a.i")
    cc("-S", "a.i")
    cc("-c", "a.s", "-o", "b.o")
    cc("b.o", "-oimage")
    says("./image", "hello\n")
    check("puts" in cc("-E", "a.c").stdout)
    cc("-x", "c", "-", "-o", "c", input=HELLO)
    says("./c", "hello\n")
    write("1.c", "int two(void); int main(void) { return two(); }")
    write("2.c", "int two(void) { return 2; }")
    cc("1.c", "2.c", "-o", "d")
    run("./d", status=2)
    cc("-c", "1.c", "2.c")
    cc("-r", "1.o", "2.o", "-o", "3.o")
    cc("3.o")
    run("./a.out", status=2)
    check(not cc("-fsyntax-only", "a.c").stderr)


def test_dependencies():
    """-M, -MM, -MD, -MMD, -MF, -MT, -MP"""
    write("a.h", "")
    write("a.c", '#include "a.h"\n#include <stdio.h>\nint x;')
    check("stdio.h" in cc("-M", "a.c").stdout)
    check(cc("-MM", "a.c").stdout == "a.o: a.c a.h\n")
    cc("-c", "-MMD", "-MP", "-MF", "deps", "-MT", "name", "a.c")
    check(open("deps").read() == "name: a.c a.h\na.h:\n")
    cc("-c", "-MD", "a.c")
    check(os.path.realpath(SYSROOT) + "/include/stdio.h" in open("a.d").read())


def test_assembler():
    """.s and .S sources, and from standard input, with -pipe and without"""
    write("main.s", ".globl main\nmain: mov $7, %eax\nret\n")
    write("big.S", "#include <sys/syscall.h>\n#define R $SYS_getpid\n"
          ".intel_syntax noprefix\n.att_syntax\n"
          ".globl main\nmain: mov R, %eax\nsyscall\nret\n")
    for flags in [], ["-pipe"], ["-g", "-save-temps", "-pipe"], ["-Wa,-g"]:
        done = cc(*flags, "main.s")
        check("-save-temps" in flags or not done.stderr, done.stderr)
        run("./a.out", status=7)
        cc(*flags, "big.S")
        run("./a.out", status=2)
    cc("-x", "assembler", "-", input=open("main.s").read())
    run("./a.out", status=7)


def test_syscall():
    """`syscall` instructions reach the kernel, however they are compiled"""
    write("a.c", SYSCALL)
    write("b.c", HELLO)
    for flags in ["-O2"], ["-O2", "-flto"], ["-pipe"], ["-masm=intel"], \
            ["-g3", "-gz", "-save-temps"], ["-O2", "-ffat-lto-objects",
                                            "-flto=2", "-pipe"]:
        cc(*flags, "a.c")
        says("./a.out", "2\n")
        cc(*flags, "b.c")
        says("./a.out", "hello\n")
        check("kcall_by_number" not in run("nm", "a.out").stdout,
              "the table is there without need")
    cc("-c", "a.c")
    run(BIN + "/toril-ar", "rcs", "liba.a", "a.o")
    cc("-L.", "-Wl,-u,main", "-la")
    says("./a.out", "2\n")


def test_link_flags():
    """flags of position, warnings, stack protector, optimisation, strip"""
    write("a.c", HELLO)
    for flags in (["-static"], ["-static-pie"], ["-pie"], ["-no-pie"],
                  ["-no-pie", "-fno-pie"], ["-fPIC"], ["-fno-pic"],
                  ["-static-libgcc", "-rdynamic"], ["-Wl,-E"],
                  ["-Wl,--build-id"], ["-Wl,-z,relro,-z,now"], ["-s", "-O3"],
                  ["-Wl,--as-needed", "-Wl,-O1", "-Wl,--sort-common"],
                  ["-Wl,-z,noexecstack"], ["-Wl,-rpath,/somewhere"],
                  ["-mcmodel=medium"], ["-fcf-protection=full"],
                  ["-fstack-protector-all", "-O2", "-D_FORTIFY_SOURCE=2"],
                  ["-Ofast", "-funroll-loops"], ["-fno-builtin", "-Og", "-g"],
                  ["-fexceptions"], ["-fomit-frame-pointer"],
                  ["-Wl,--no-gc-sections"], ["-fuse-ld=bfd"], ["-pthread"],
                  ["-ansi", "-pedantic-errors", "-Wall", "-Werror"],
                  ["-Wl,-Map,map"], ["-fsanitize=undefined",
                                     "-fsanitize-undefined-trap-on-error"]):
        done = cc(*flags, "a.c")
        check(not done.stderr, flags, done.stderr)
        says("./a.out", "hello\n")


def test_allow_wx():
    """memory is writable and executable where --allow-wx says so"""
    write("a.c", "#include <sys/mman.h>\n#define ALL PROT_READ | PROT_WRITE "
          "| PROT_EXEC\nint main(void) { char *p = mmap(0, 8192, ALL, "
          "MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *q; if (p == MAP_FAILED)"
          " return 4; *p = (char)0xc3; ((void (*)(void))p)();"
          "q = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE |"
          " MAP_ANONYMOUS, -1, 0); *q = *p; if (mprotect(q, 4096, ALL))"
          " return 5; ((void (*)(void))q)(); *q = 1; return 0; }\n")
    cc("a.c")
    run("./a.out", status=4)
    cc("--allow-wx", "-O2", "a.c")
    run("./a.out")
    done = cc("--allow-wx", "-c", "a.c")
    check(not done.stderr, done.stderr)
    cc("a.o", "--allow-wx", "-o", "with space")
    run("./with space")
    cc("a.o")
    run("./a.out", status=4)


def test_init_section():
    """code that is put into .init and .fini runs"""
    write("a.c", "#include <stdio.h>\n#include <stdlib.h>\nstatic int n;\n"
          "__attribute__((used)) static void one(void) { n++; }\n"
          "__attribute__((used)) static void bye(void) { _Exit(n + 2); }\n"
          '__asm__(".section .init\\n\\tcall one\\n.section .fini\\n'
          '\\tcall bye\\n.text");\nint main(void) { n += 4; return 0; }\n')
    cc("a.c")
    run("./a.out", status=7)


def test_protector():
    """-fstack-protector catches what it should"""
    write("a.c", "#include <string.h>\n__attribute__((noinline)) void f(char *"
          "s) { char b[8]; strcpy(b, s); __asm__(\"\" :: \"r\"(b)); }\n"
          "int main(int c, char **v) { f(v[1]); return 0; }\n")
    cc("-fstack-protector", "-w", "a.c")
    run("./a.out", "short")
    check(run("./a.out", "x" * 64, status=None).returncode < 0)


def test_lto():
    """-flto over several sources, with toril-ar archives"""
    write("a.c", "int two(void); int main(void) { return two(); }")
    write("b.c", "int two(void) { return 2; }")
    write("memcpy.c", "#include <string.h>\nchar a[999], b[999];\n"
          "int main(int c, char **v) { b[c] = 3;\n"
          "for (int i = 0; i < 999; i++) a[i] = b[i];\n"
          "return a[1] + strlen(v[0]) - 7; }")
    cc("-O2", "-flto", "-c", "a.c", "b.c")
    run(BIN + "/toril-ar", "rcs", "libb.a", "b.o")
    run(BIN + "/toril-ranlib", "libb.a")
    check("two" in run(BIN + "/toril-nm", "libb.a").stdout)
    cc("-O2", "-flto", "a.o", "-L.", "-lb")
    run("./a.out", status=2)
    check("two" not in run("nm", "a.out").stdout, "not inlined")
    cc("-O3", "-flto=auto", "memcpy.c")
    run("./a.out", status=3)


def test_libraries():
    """the libraries that builds name, -latomic, headers beyond musl's"""
    write("a.c", r"""
#include <asm/ioctls.h>
#include <immintrin.h>
#include <linux/fs.h>
#include <linux/vm_sockets.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/cdefs.h>
#include <sys/queue.h>
__BEGIN_DECLS
struct big { char c[40]; };
__END_DECLS
static _Atomic __int128 wide = 40;
static _Atomic struct big big;
static LIST_HEAD(, item) list;
int main(int argc, char **argv)
{
	struct big v = big;
	__int128 expected = 41;
	wide += 1;
	atomic_compare_exchange_strong(&wide, &expected, wide + argc);
	v.c[39] = 'x';
	big = v;
	v = (struct big){{0}};
	v = big;
	printf("%d %c %d %.3f\n", (int)wide, v.c[39], atomic_is_lock_free(&wide),
	    sqrt(argc + 1.0));
	return !LIST_EMPTY(&list) || sizeof(struct sockaddr_vm) != 16;
}
""")
    cc("-o", "a", "a.c", "-lm", "-ldl", "-lrt", "-lpthread", "-lutil",
       "-lcrypt", "-lresolv", "-lxnet", "-lc", "-lgcc", "-latomic")
    says("./a", "42 x 1 1.414\n")
    write("b.c", HELLO)
    cc("-nodefaultlibs", "b.c", "-lc", "-lgcc")
    says("./a.out", "hello\n")
    check("cannot find -lz" in cc("a.c", "-lz", status=1).stderr,
          "a library of the host's was found")
    check("zlib.h" in cc("-E", "-", input="#include <zlib.h>\n" * 1,
                         status=None).stderr or
          not os.path.exists("/usr/include/zlib.h"))


def test_unwinding():
    """_Unwind_Backtrace, where tables are asked for; coverage"""
    write("a.c", r"""
#include <stdio.h>
#include <unwind.h>
static _Unwind_Reason_Code one(struct _Unwind_Context *c, void *n)
{
	++*(int *)n;
	return _URC_NO_REASON;
}
static __attribute__((noinline)) int depth(void)
{
	int n = 0;
	_Unwind_Backtrace(one, &n);
	return n;
}
int main(void) { printf("%d\n", depth() >= 2); return 0; }
""")
    cc("-fasynchronous-unwind-tables", "a.c")
    says("./a.out", "1\n")
    cc("--coverage", "a.c", "-o", "cov")
    run("./cov")
    check(os.path.exists("cov-a.gcda"), os.listdir("."))


def test_response_file():
    """@file"""
    write("a.c", "int main(void) { return N; }")
    write("args", '-DN=9\n"a.c" -o\nout')
    cc("@args")
    run("./out", status=9)


def test_questions():
    """-dump*, -print-*, --version, -v, -###"""
    check(cc("-dumpmachine").stdout == "x86_64-toril-linux-musl\n")
    said = cc("--version").stdout.splitlines()
    check(said[:-1] == run("gcc", "--version").stdout.splitlines(), said)
    check(said[-1].startswith("Toril "), said)
    for same in "-dumpversion", "-dumpfullversion":
        check(cc(same).stdout == run("gcc", same).stdout, same)
    for name in "libc.a", "libm.a", "crt1.o":
        path = cc("-print-file-name=" + name).stdout.strip()
        check(os.path.realpath(path) ==
              os.path.realpath(f"{SYSROOT}/lib/{name}"), path)
    check(os.path.exists(cc("-print-libgcc-file-name").stdout.strip()))
    found = re.search("^libraries: =(.*)$", cc("--print-search-dirs").stdout,
                      re.M)
    check(found[1] == SYSROOT + "/lib/", found[1])
    linker = cc("-print-prog-name=ld").stdout.strip()
    check("GNU ld" in run(linker, "-v").stdout)
    check("supported targets" not in
          run(linker, "-m", "elf_x86_64", "--help").stdout,
          "libtool would try to make shared libraries")
    check(cc("-print-multiarch").stdout == "\n")
    check("gcc version" in cc("-v").stderr)
    write("a.c", HELLO)
    check("collect2" in cc("-###", "a.c").stderr)
    check(not os.path.exists("a.out"))
    macros = cc("-dM", "-E", "-x", "c", "/dev/null").stdout
    check("__PIE__ 2" in macros and "__linux__" in macros)


def test_refusals():
    """what cannot be is refused, with the reason and status 1"""
    write("a.c", HELLO)
    write("a.cc", "int main() { return 0; }\n")
    write("ifunc.c", "static int g(void) { return 3; }\n"
          "static void *r(void) { return g; }\n"
          'int f(void) __attribute__((ifunc("r")));\n'
          "int main(void) { return f(); }\n")
    for reason, *args in (
            ("no dynamic linker", "-shared", "a.c"),
            ("64-bit mode only", "-m32", "a.c"),
            ("64-bit mode only", "-mx32", "-c", "a.c"),
            ("no OpenMP", "-fopenmp", "a.c"),
            ("no sanitizer", "-fsanitize=address", "a.c"),
            ("no sanitizer", "-fsanitize=undefined", "-c", "a.c"),
            ("no profiling", "-pg", "a.c"),
            ("GNU ld", "-fuse-ld=gold", "a.c"),
            ("C\\+\\+ is not supported", "a.cc"),
            ("C\\+\\+ is not supported", "-x", "c++", "-c", "a.c"),
            ("indirect functions", "ifunc.c"),
            ("no input files",),
            ("No such file", "none.c"),
            ("undefined reference to `main'", "-x", "c", "/dev/null"),
            ("unrecognized command-line option", "-fnonsense", "a.c")):
        done = cc(*args, status=1)
        check(re.search(reason, done.stderr), args, done.stderr)
        check(not os.path.exists("a.out"), args)
    cc("-shared", "-c", "a.c")   # nothing is linked


def test_places():
    """moved, through links, by a relative name, with spaces in the path"""
    write("a.c", HELLO)
    os.makedirs("some place/bin")
    os.makedirs("some place/lib")
    run("cp", "-r", SYSROOT + "/", "some place/lib/toril")
    run("cp", CC, RUN, "some place/bin")
    os.symlink("some place/bin/toril-cc", "link")
    run("ln", "-s", "../link", "some place/indirect")
    for name in "./link", "some place/bin/toril-cc", "some place/indirect":
        run(name, "a.c")
        says("./a.out", "hello\n")
        check(os.getcwd() + "/some place/bin" in
              run("readelf", "-d", "a.out").stdout)
    path = os.path.abspath("some place/bin") + ":" + os.environ["PATH"]
    run("toril-cc", "a.c", env=dict(os.environ, PATH=path))
    run("sh", "some place/bin/toril-cc", "a.c")
    says("./a.out", "hello\n")


def test_tools():
    """toril-strip and the others, by both names"""
    write("a.c", HELLO)
    run(BIN + "/x86_64-toril-linux-musl-gcc", "-g", "-o", "a", "a.c")
    size = os.path.getsize("a")
    for tool in "strip", "size", "readelf -h", "objdump -h", "strings", "nm":
        tool, *args = tool.split()
        for prefix in "toril-", "x86_64-toril-linux-musl-":
            run(f"{BIN}/{prefix}{tool}", *args, "a")
    check(os.path.getsize("a") < size / 2)
    run(BIN + "/toril-objcopy", "--strip-debug", "a", "b")
    for image in "./a", "./b":
        says(image, "hello\n")
        check(run(RUN, image).stdout == "hello\n")
    run(BIN + "/toril-tool", status=1)


RUN = BIN + "/toril-run"

if __name__ == "__main__":
    main(test_outputs, test_dependencies, test_assembler, test_syscall,
         test_link_flags, test_protector, test_lto, test_libraries,
         test_unwinding, test_response_file, test_questions, test_refusals,
         test_places, test_tools)
