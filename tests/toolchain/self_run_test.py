#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Images that Linux executes: they start toril-run on themselves."""
import os
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import BIN, BUILD, CC, RUN, Skip, check, folder, main, run, write

PROGRAM = r"""
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
extern char **environ;
static void show(char **v)
{
	for (; *v; v++)
		fwrite(*v, 1, strlen(*v) + 1, stdout);
}
static int copy(int from, int to)
{
	char buf[4096];
	ssize_t n;
	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (write(to, buf, n) != n)
			return 1;
	return n < 0;
}
int main(int argc, char **argv)
{
	char buf[4096];
	const char *what = argc > 1 ? argv[1] : "";
	if (!strcmp(what, "args"))
		show(argv);
	else if (!strcmp(what, "env"))
		show(environ);
	else if (!strcmp(what, "cwd"))
		puts(getcwd(buf, sizeof(buf)));
	else if (!strcmp(what, "cat"))
		return copy(argc > 2 ? open(argv[2], O_RDONLY) : 0, 1);
	else if (!strcmp(what, "make"))
		return copy(0, open(argv[2], O_WRONLY | O_CREAT | O_EXCL, 0666));
	else if (!strcmp(what, "exit"))
		return atoi(argv[2]);
	else if (!strcmp(what, "signal"))
		raise(atoi(argv[2]));
	else if (!strcmp(what, "touch")) {
		char *p = malloc(atoi(argv[2]) << 20);
		return !p || !memset(p, 1, atoi(argv[2]) << 20);
	}
	else if (!strcmp(what, "stderr"))
		fputs("to stderr\n", stderr);
	else if (!strcmp(what, "stdin"))
		return read(0, buf, 1) < 0 ? 9 : 0;
	return 0;
}
"""
IMAGE = None


def image(*args, **more):
    return run(IMAGE, *args, **more)


def test_arguments():
    """arguments arrive byte for byte, argv[0] first"""
    args = ["args", "", " two  words", "-v", "--help", "--", "quo'te\"s\\",
            "new\nline", "\udcff\udc80", "x" * 100000]
    shutil.copy(IMAGE, "name")
    check(run("./name", *args).stdout.split("\0")[:-1] == ["./name"] + args)
    done = run("bash", "-c", 'exec -a "-odd name" "$0" args', IMAGE)
    check(done.stdout == "-odd name\0args\0", done.stdout)


def test_environment():
    """the environment is the caller's, with TORIL_OPTS=-e before it"""
    env = {"A": "b c", "EMPTY": "", "X": "\udcff", "PATH": os.environ["PATH"]}
    want = {f"{n}={v}" for n, v in env.items()}
    check(set(image("env", env=env).stdout.split("\0")[:-1]) == want)
    env["TORIL_OPTS"] = "-e A=d\t-e NEW=1 "
    got = image("env", env=env).stdout.split("\0")[:-1]
    check(sorted(got) == sorted(
        want - {"A=b c"} | {"A=d", "NEW=1", "TORIL_OPTS=" + env["TORIL_OPTS"]}))
    check(image("env", env={}).stdout == "")


def test_directory():
    """the current directory is at its own path"""
    here = os.getcwd()
    os.makedirs("sub/deeper dir:/x,y")
    write("given", "given\n")
    check(image("cwd").stdout == here + "\n")
    check(image("cat", "given").stdout == "given\n")
    check(image("cat", here + "/given").stdout == "given\n")
    image("make", "made", input="made\n")
    check(open("made").read() == "made\n")
    image("make", "made", input="x", status=1)
    os.chdir("sub/deeper dir:/x,y")
    check(image("cwd").stdout == here + "/sub/deeper dir:/x,y\n")
    image("make", "conftest.out", input="1")
    check(os.path.getsize("conftest.out") == 1)


def test_other_directories():
    """what is elsewhere needs TORIL_OPTS=-v, which may hold it all"""
    here = os.getcwd()
    os.mkdir("build")
    write("source", "source\n")
    os.chdir("build")
    image("cat", "../source", status=1)
    env = dict(os.environ, TORIL_OPTS=f"-v {here}:{here}")
    check(image("cat", "../source", env=env).stdout == "source\n")
    check(image("cwd", env=env).stdout == here + "/build\n")
    env = dict(os.environ, TORIL_OPTS=f"-v {here}:/elsewhere -w /elsewhere")
    check(image("cat", "source", env=env).stdout == "source\n")


def test_root_and_no_directory():
    """in / and in a folder that was removed"""
    done = run("sh", "-c", 'cd / && "$0" cwd', IMAGE)
    check(done.stdout == "/\n")
    done = run("sh", "-c", 'cd / && "$0" cat etc/passwd', IMAGE)
    check(done.stdout == open("/etc/passwd").read())
    run("sh", "-c", 'mkdir d && cd d && rmdir ../d && "$0" exit 3', IMAGE,
        status=3)


def test_streams():
    """stdin, stdout and stderr are the caller's, or closed"""
    done = image("cat", input="to stdin\n")
    check(done.stdout == "to stdin\n" and not done.stderr)
    done = image("stderr")
    check((done.stdout, done.stderr) == ("", "to stderr\n"))
    run("sh", "-c", '"$0" stdin <&-', IMAGE, status=9)
    run("sh", "-c", '"$0" stdin >&- 2>&-', IMAGE)


def test_status():
    """exit statuses are the program's"""
    for status in 0, 1, 77, 126, 255:
        image("exit", str(status), status=status)


def test_signals():
    """a signal that ends the program ends the process"""
    for number in signal.SIGABRT, signal.SIGSEGV, signal.SIGTERM:
        image("signal", str(int(number)), status=-number)
    done = run("sh", "-c", '"$0" signal 6; exit $?', IMAGE, status=134)
    check("core" not in done.stderr and os.listdir(".") == [])


def test_children():
    """children of a shell that becomes the image are not the launcher's"""
    done = run("sh", "-c", 'sleep 1000 >/dev/null 2>&1 & echo $!; exec "$0" exit 4', IMAGE,
               status=4)
    pid = int(done.stdout)
    os.kill(pid, 0)
    os.kill(pid, signal.SIGTERM)
    done = run("python3", "-c", "import os, signal, sys\n"
               "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
               "os.execv(sys.argv[1], sys.argv[1:])", IMAGE, "exit", "4",
               status=4)


def test_memory():
    """memory is a process's, or what TORIL_OPTS says"""
    image("touch", "300")
    done = image("touch", "300", status=None,
                 env=dict(os.environ, TORIL_OPTS="-m 128M"))
    check(done.returncode, "300 MiB within 128")


def refusal(text, status, env, argv0="./a"):
    if not os.path.exists("a"):
        shutil.copy(IMAGE, "a")
    done = run(argv0, status=status, env=env)
    check(done.stderr == f"{argv0}: {text}\n" and not done.stdout, done.stderr)


def test_launcher():
    """which toril-run is used, and what is said where there is none"""
    says = "echo wrapped\nexec %s \"$@\"\n" % RUN
    os.makedirs("dir/bin")
    write("dir/bin/toril-run", "#!/bin/sh\n" + says, 0o755)
    usual = dict(os.environ)
    check(image("args").stdout == f"{IMAGE}\0args\0")
    env = dict(usual, TORIL_RUN=os.path.abspath("dir/bin/toril-run"))
    check(image("args", env=env).stdout.startswith("wrapped\n"))
    refusal("toril-run: not found; set TORIL_RUN or put it on PATH", 127,
            dict(usual, TORIL_RUN="/no/such"))
    write("plain", "")
    refusal("plain: Permission denied", 126, dict(usual, TORIL_RUN="plain"))
    write("odd", "x", 0o755)
    refusal("odd: Exec format error", 126, dict(usual, TORIL_RUN="odd"))


def test_path():
    """toril-run on PATH, where none is beside the toril-cc that linked"""
    os.makedirs("tool")
    os.makedirs("dir")
    shutil.copy(CC, "tool/toril-cc")
    os.makedirs("lib")
    os.symlink(BUILD + "/lib/toril", "lib/toril")
    write("a.c", PROGRAM)
    run("tool/toril-cc", "-o", "a", "a.c")
    refusal("toril-run: not found; set TORIL_RUN or put it on PATH", 127,
            {"PATH": "/nowhere:/bin"})
    refusal("toril-run: not found; set TORIL_RUN or put it on PATH", 127, {})
    write("dir/toril-run", "", 0o644)
    refusal("dir/toril-run: Permission denied", 126,
            {"PATH": "/nowhere:dir:/bin"})
    path = {"PATH": "/nowhere:dir:" + BIN + ":/bin:/usr/bin"}
    check(run("./a", "args", env=path).stdout == "./a\0args\0")


def test_stripped():
    """a stripped image boots and runs itself"""
    shutil.copy(IMAGE, "a")
    run("strip", "a")
    check(os.path.getsize("a") < os.path.getsize(IMAGE) / 2)
    run("./a", "exit", "5", status=5)
    run(RUN, "a", "exit", "6", status=6)


def test_as_process():
    """toril-run --as-process by hand"""
    done = run(RUN, "--as-process", "me", IMAGE, "args")
    check(done.stdout == "me\0args\0")
    run(RUN, IMAGE, "signal", "15", status=128 + 15)
    shares = sum((["-v", f"/etc:/{n}"] for n in range(7)), [])
    done = run(RUN, *shares, "--as-process", "me", IMAGE, status=125)
    check("at most 7" in done.stderr, done.stderr)


CHROOT = """
mkdir root
for f in /*; do
	if [ -h $f ]; then cp -P $f root/
	elif [ -d $f ]; then mkdir root$f && mount --rbind $f root$f
	fi
done
exec chroot root sh -c 'cd "$0" && exec "$@"' "$@"
"""


def test_chroot():
    """in a plain chroot, whose root is no mount"""
    if os.geteuid():
        raise Skip("only root may call chroot")
    here = os.getcwd()
    write("given", "given\n")
    done = run("unshare", "-m", "sh", "-ec", CHROOT, "sh", here, RUN, "--as-process", "a", IMAGE, "cat",
               "given", status=None)
    check((done.returncode, done.stdout) == (0, "given\n"), done.stderr)


if __name__ == "__main__":
    with folder() as place:
        write("image.c", PROGRAM)
        IMAGE = place + "/image"
        subprocess.run([CC, "-g", "-o", IMAGE, "image.c"], check=True)
        os.chdir("/")
        main(test_arguments, test_environment, test_directory,
             test_other_directories, test_root_and_no_directory, test_streams,
             test_status, test_signals, test_children, test_memory,
             test_launcher, test_path,
             test_stripped, test_as_process, test_chroot)
