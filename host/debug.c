/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --gdb: QEMU waits, before its first instruction, for gdb on a Unix socket.
 * share/toril/toril-gdb.py knows how to go on from there to main().
 *
 * When the program has died of a fault, or of a signal that makes a core and
 * there is --core, gdb looks at what is left, if it is installed: the machine
 * still stands, its other threads have been stopped.  The launcher itself may
 * start nothing by then: a child of it, which has waited for a word on its
 * pipe, tells QEMU's monitor, on a socket without a name, to open a way, and
 * starts gdb, whose script prints all threads and writes the core.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/confine.h"
#include "host/progress.h"
#include "host/run.h"

#define LOOK_SECONDS 120
#define LOOK_MARK    "toril-look:"

/* ../share/toril from where this program is; free() it. */
static char *share_path(const char *file)
{
	char self[4096];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[len < 0 ? 0 : len] = 0;
	for (int i = 0; i < 2; i++) {
		slash = strrchr(self, '/');
		if (slash)
			*slash = 0;
	}
	return must_print("%s/share/toril/%s", self, file);
}

int debug_prepare(struct run *r)
{
	const char *tmp = getenv("XDG_RUNTIME_DIR");

	if (!r->opt.dry_run && !r->opt.backend &&
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, r->monitor_fd))
		r->monitor_fd[0] = r->monitor_fd[1] = -1;
	if (!r->opt.gdb)
		return 0;
	if (r->opt.gdb_socket)
		r->gdb = must_print("%s", r->opt.gdb_socket);
	else
		r->gdb = must_print("%s/toril-%d.gdb",
		    tmp && *tmp ? tmp : "/tmp", (int)getpid());
	if (strlen(r->gdb) < sizeof(((struct sockaddr_un *)0)->sun_path))
		return 0;
	complain("--gdb=%s: too long for a socket", r->gdb);
	return -ENAMETOOLONG;
}

void debug_announce(const struct run *r)
{
	char *script;

	if (!r->gdb || r->opt.strace || r->opt.perf)
		return;
	script = share_path("toril-gdb.py");
	complain("waiting for gdb -x %s -ex 'toril-attach %s' %s", script,
	    r->gdb, r->file);
	free(script);
}

void debug_finish(struct run *r)
{
	if (r->gdb)
		unlink(r->gdb);
	free(r->gdb);
	r->gdb = NULL;
	if (r->monitor_fd[0] >= 0)
		close(r->monitor_fd[0]);
	r->monitor_fd[0] = -1;
	if (r->look_fd >= 0)
		close(r->look_fd);
	r->look_fd = -1;
}

void debug_line(struct run *r, const char *text)
{
	const char *at = strstr(text, " at address 0x");

	if (strncmp(text, "toril: ", 7) || !at || r->faulted)
		return;
	r->faulted = true;
	r->fault = strtoull(at + 12, NULL, 16);
}

/* Whether `name` is on PATH. */
static bool is_installed(const char *name)
{
	const char *path = getenv("PATH");
	bool found = false;

	while (path && *path && !found) {
		size_t len = strcspn(path, ":");
		char *file = must_print("%.*s/%s", (int)len, path, name);

		found = !access(file, X_OK);
		free(file);
		path += len + (path[len] == ':');
	}
	return found;
}

/* Those whose default action is a core. */
static bool leaves_core(uint32_t number)
{
	static const int numbers[] = {SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS,
	    SIGFPE, SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (number == (uint32_t)numbers[i])
			return true;
	return false;
}

/* Between the script's mark and its end. */
static void look_line(struct lines *l, char *text)
{
	static bool begun;

	(void)l;
	progress_hide();
	if (begun && strncmp(text, "[Inferior", 9))
		fprintf(stderr, "%s\n", text);
	begun |= !strcmp(text, LOOK_MARK);
	fflush(stderr);
}

/* gdb from the start, instead of one that the user starts. */
static int strace_start(struct run *r)
{
	static const char *const fixed[] = {"gdb", "-q", "-nx", "-batch",
	    "-iex", "set debuginfod enabled off", "-iex", "set auto-load off",
	    "-x"};
	char *script = share_path("toril-gdb.py");
	struct args a = {0};
	int ret;

	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		args_add(&a, "%s", fixed[i]);
	args_add(&a, "%s", script);
	args_add(&a, "-ex");
	args_add(&a, "toril-attach %s", r->gdb);
	args_add(&a, "-ex");
	args_add(&a, "toril-strace --mark " LOOK_MARK " %s",
	    r->opt.strace_calls ? r->opt.strace_calls : "");
	args_add(&a, "%s", r->file);
	r->looker.name = "gdb";
	r->looker.out.line = look_line;
	r->looker.keep[0] = r->looker.keep[1] = -1;
	ret = child_start(&r->looker, &a);
	args_free(&a);
	free(script);
	return ret;
}

static void perf_line(struct lines *l, char *text)
{
	(void)l;
	complain("%s", text);
}

/* A debugger, too, until the pipe is closed. */
static int perf_start(struct run *r)
{
	char *script = share_path("toril-perf.py");
	struct args a = {0};
	int ends[2], ret;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	args_add(&a, "python3");
	args_add(&a, "%s", script);
	args_add(&a, "%s", r->gdb);
	args_add(&a, "%s", r->file);
	args_add(&a, "%s", r->opt.perf);
	args_add(&a, "%d", ends[0]);
	r->looker.name = "--perf";
	r->looker.out.line = perf_line;
	r->looker.keep[0] = ends[0];
	r->looker.keep[1] = -1;
	ret = child_start(&r->looker, &a);
	args_free(&a);
	free(script);
	close(ends[0]);
	r->look_fd = ends[1];
	return ret;
}

int debug_helper_start(struct run *r)
{
	struct args a = {0};
	int ends[2], ret;

	if (r->opt.perf)
		return perf_start(r);
	if (r->opt.strace)
		return strace_start(r);
	if (!image_has_symbols(&r->image) || r->monitor_fd[0] < 0 || r->gdb ||
	    !is_installed("gdb") || pipe2(ends, O_CLOEXEC)) {
		if (r->opt.core)
			complain("--core needs gdb (Debian: apt install gdb), "
				 "and symbols in the image");
		return r->opt.core ? -ENOENT : 0;
	}
	args_add(&a, "/proc/self/exe");
	args_add(&a, "--look");
	args_add(&a, "%d", ends[0]);
	args_add(&a, "%d", r->monitor_fd[0]);
	args_add(&a, "%s", r->file);
	args_add(&a, "%s", r->opt.core ? r->opt.core : "");
	r->looker.name = "the watcher";
	r->looker.out.line = look_line;
	r->looker.keep[0] = ends[0];
	r->looker.keep[1] = r->monitor_fd[0];
	ret = child_start(&r->looker, &a);
	args_free(&a);
	close(ends[0]);
	r->look_fd = ends[1];
	return ret;
}

/* In the helper: gdb's status, once it has ended. */
static int gdb_run(char **argv)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execvp(argv[0], argv);
		_exit(STATUS_FAILED);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return STATUS_FAILED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_FAILED;
}

static int look(const char *dir, const char *word, char **argv, int monitor)
{
	char *script = share_path("toril-gdb.py");
	char *attach = must_print("toril-attach %s/gdb", dir);
	char *crash = must_print("toril-crash %s%s%s%s", word,
	    *argv[3] ? " -c \"" : "", argv[3], *argv[3] ? "\"" : "");
	char *gdb[] = {"gdb", "-q", "-nx", "-batch", "-iex",
	    "set debuginfod enabled off", "-iex", "set auto-load off", "-x",
	    script, "-ex", attach, "-ex", "echo " LOOK_MARK "\\n", "-ex", crash,
	    argv[2], NULL};
	int status = STATUS_FAILED;

	if (dprintf(
		monitor, "gdbserver unix:%s/gdb,server=on,wait=off\n", dir) > 0)
		status = gdb_run(gdb);
	free(script);
	free(attach);
	free(crash);
	return status;
}

/* --look PIPE MONITOR IMAGE CORE */
int debug_helper(char **argv)
{
	const char *tmp = getenv("XDG_RUNTIME_DIR");
	int monitor = atoi(argv[1]), status = STATUS_FAILED;
	char word[256], *dir, *path;
	ssize_t len;

	if (privileges_drop(0))
		return STATUS_FAILED;
	fcntl(monitor, F_SETFD, FD_CLOEXEC);
	len = read(atoi(argv[0]), word, sizeof(word) - 1);
	if (len <= 0)
		return 0; /* nothing to look at */
	word[len] = 0;
	alarm(LOOK_SECONDS);
	dir = must_print("%s/toril-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (mkdtemp(dir)) {
		status = look(dir, word, argv, monitor);
		path = must_print("%s/gdb", dir);
		unlink(path);
		rmdir(dir);
		free(path);
	}
	free(dir);
	return status;
}

bool debug_look(struct run *r)
{
	char word[128];

	child_drain(&r->qemu); /* its report comes first */
	if (r->opt.perf && r->look_fd >= 0 && r->looker.pid > 0) {
		close(r->look_fd);
		r->look_fd = -1;
		return true;
	}
	if (r->look_fd < 0 || !leaves_core(r->exit.signal) ||
	    (!r->opt.core && !r->faulted) || r->looker.pid <= 0)
		return false;
	snprintf(word, sizeof(word), r->faulted ? "-s %u -a %#llx" : "-s %u",
	    r->exit.signal, (unsigned long long)r->fault);
	if (write(r->look_fd, word, strlen(word)) < 0)
		return false;
	close(r->look_fd);
	r->look_fd = -1;
	progress_begin("looking at what is left", true);
	return true;
}
