/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Named machines and --detach; see registry.h.
 *
 * A lock on the directory of all makes finding a name and taking it one step.
 * What is written at the end is opened at the start, since the launcher may
 * open nothing later.  The process that --detach leaves tells the one that
 * waits, through a pipe, its name and then how long the log was when main()
 * was about to be called: that much is the launcher's and shown to the user.
 */
#include "host/registry.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/run.h"

#define NUMBERED_MAX 1000 /* machines of one program without names */

static int state_fd = -1, status_fd = -1;
static int told_fd = -1; /* to the process that waits */

/* As in the image's file name, with dashes for what names may not have. */
static char *name_default(const char *file)
{
	const char *slash = strrchr(file, '/');
	char *name =
	    must_print("%.*s", NAME_MAX_BYTES - 5, slash ? slash + 1 : file);

	for (char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_.-", *c))
			*c = '-';
	if (!isalnum((unsigned char)*name)) {
		free(name);
		return must_print("machine");
	}
	return name;
}

/* Field 22 of /proc/PID/stat, 0 if there is no such process, or nobody has
 * waited for its end yet. */
static unsigned long long start_time(pid_t pid)
{
	char *path = must_print("/proc/%d/stat", (int)pid), text[1024], *at;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	free(path);
	if (fd >= 0)
		close(fd);
	text[len < 0 ? 0 : len] = 0;
	at = strrchr(text, ')'); /* a name may have anything in it */
	if (at && (!strncmp(at, ") Z", 3) || !strncmp(at, ") X", 3)))
		return 0;
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

/* Whether the machine of the entry `dir` runs. */
static bool entry_runs(int root, const char *name)
{
	char *path = must_print("%s/state", name), text[128];
	int fd = openat(root, path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	unsigned long long start;
	int pid;

	free(path);
	if (fd >= 0)
		close(fd);
	text[len < 0 ? 0 : len] = 0;
	return sscanf(text, "pid %d\nstart %llu\n", &pid, &start) == 2 &&
	       start_time(pid) == start;
}

static void entry_remove(int root, const char *name)
{
	static const char *const files[] = {"state", "log", "status"};
	char *path;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		path = must_print("%s/%s", name, files[i]);
		unlinkat(root, path, 0);
		free(path);
	}
	unlinkat(root, name, AT_REMOVEDIR);
}

/* Ours, or root's: what others may write to is no place for names. */
static int root_open(void)
{
	const char *state = getenv("TORIL_STATE");
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	bool given = runtime && *runtime;
	char *path = state && *state
			 ? must_print("%s", state)
			 : must_print("%s/toril", given ? runtime : "/run");
	struct stat st;
	int fd;

	if (mkdir(path, 0700) && errno != EEXIST)
		complain("%s: %s%s", path, strerror(errno),
		    given ? "" : "; XDG_RUNTIME_DIR is not set");
	fd = open(path, O_DIRECTORY | O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && (fstat(fd, &st) || st.st_mode & 022 ||
			   (st.st_uid != geteuid() && st.st_uid))) {
		complain("%s: others may write there", path);
		close(fd);
		fd = -1;
	}
	if (fd >= 0 && flock(fd, LOCK_EX)) {
		close(fd);
		fd = -1;
	}
	free(path);
	return fd;
}

/* Take `name`: 0, or -EEXIST: it runs, or -errno. */
static int entry_take(int root, const char *name)
{
	if (!mkdirat(root, name, 0700))
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (entry_runs(root, name))
		return -EEXIST;
	entry_remove(root, name);
	/* one that somebody made for us, such as systemd, stays */
	return mkdirat(root, name, 0700) && errno != EEXIST ? -errno : 0;
}

/* The name that was taken, free() it; NULL after a message. */
static char *name_take(int root, const struct options *o, const char *file)
{
	char *first = o->name ? must_print("%s", o->name) : name_default(file);
	char *name = must_print("%s", first);
	int ret = entry_take(root, name);

	for (int i = 2; !o->name && ret == -EEXIST && i < NUMBERED_MAX; i++) {
		free(name);
		name = must_print("%s-%d", first, i);
		ret = entry_take(root, name);
	}
	free(first);
	if (!ret)
		return name;
	if (ret == -EEXIST)
		complain("a machine with the name %s runs; see toril-ps", name);
	else
		complain("%s: %s", name, strerror(-ret));
	free(name);
	return NULL;
}

static int entry_open(int root, const char *name, const char *file, int flags)
{
	char *path = must_print("%s/%s", name, file);
	int fd = openat(root, path,
	    flags | O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);

	free(path);
	return fd;
}

static void state_print(int to, const struct options *o, const char *file)
{
	char *real = realpath(file, NULL);

	for (char *c = real; c && *c; c++)
		if (*c == '\n')
			*c = '?';
	dprintf(to, "pid %d\nstart %llu\nbegan %lld\nimage %s\n", (int)getpid(),
	    start_time(getpid()), (long long)time(NULL), real ? real : "?");
	dprintf(to, "cpus %u\nmemory %llu\n", o->cpus,
	    (unsigned long long)o->memory);
	if (o->detach)
		dprintf(to, "detached\n");
	free(real);
}

void registry_published(const struct options *o)
{
	char text[ADDRESS_TEXT];

	for (unsigned i = 0; i < o->publish_count && state_fd >= 0; i++)
		dprintf(state_fd, "publish %s->%u\n",
		    address_print(&o->publish[i].address, text),
		    o->publish[i].guest_port);
	if (state_fd >= 0)
		close(state_fd);
	state_fd = -1;
}

/* Fill the entry; `*log` is its log, if there is to be one. */
static int entry_fill(int root, const char *name, const struct options *o,
    const char *file, int *log)
{
	state_fd = entry_open(root, name, "state", O_TRUNC);
	if (state_fd < 0)
		return -errno;
	state_print(state_fd, o, file);
	status_fd = entry_open(root, name, "status", O_TRUNC);
	if (status_fd < 0)
		return -errno;
	if (o->detach)
		*log = entry_open(root, name, "log", O_TRUNC | O_APPEND);
	return o->detach && *log < 0 ? -errno : 0;
}

static void output_to(int log)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	dup2(null, STDIN_FILENO);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	close(null);
	close(log);
	stdio_init();
}

static int machine_enter(const struct options *o, const char *file)
{
	int root = root_open(), log = -1, ret;
	char *name = root < 0 ? NULL : name_take(root, o, file);

	if (!name) {
		if (root >= 0)
			close(root);
		return STATUS_FAILED;
	}
	ret = entry_fill(root, name, o, file, &log);
	if (ret) {
		complain("%s: %s", name, strerror(-ret));
		entry_remove(root, name);
	} else if (o->detach) {
		dprintf(told_fd, "%s\n", name);
		output_to(log);
	}
	free(name);
	close(root); /* and with it the lock */
	return ret ? STATUS_FAILED : 0;
}

/* What the log says before `end`. */
static void log_show(int root, const char *name, long long end)
{
	char *path = must_print("%s/log", name), data[4096];
	int fd = openat(root, path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	free(path);
	while (fd >= 0 && end > 0 &&
	       (got = read(
		    fd, data, (size_t)MIN(end, (long long)sizeof(data)))) > 0) {
		if (write(STDERR_FILENO, data, (size_t)got) < 0)
			break;
		end -= got;
	}
	if (fd >= 0)
		close(fd);
}

/* The process that the user started: its exit status. */
static int machine_await(pid_t child, FILE *told)
{
	char name[NAME_MAX_BYTES + 2] = "";
	long long end = 0;
	int root, status;
	bool named = fscanf(told, "%64s", name) == 1;
	bool started = named && fscanf(told, "%lld", &end) == 1;

	root = named ? root_open() : -1;
	if (started) {
		log_show(root, name, end);
		puts(name);
		return 0;
	}
	if (waitpid(child, &status, 0) < 0)
		return STATUS_FAILED;
	if (named) { /* it never was: nothing is left to look at */
		log_show(root, name, INT64_MAX);
		entry_remove(root, name);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int machine_detach(void)
{
	int ends[2];
	pid_t child;
	FILE *told;

	fflush(NULL);
	if (pipe2(ends, O_CLOEXEC) || (child = fork()) < 0) {
		complain("cannot detach: %s", strerror(errno));
		return STATUS_FAILED;
	}
	if (child) {
		close(ends[1]);
		told = fdopen(ends[0], "r");
		exit(told ? machine_await(child, told) : STATUS_FAILED);
	}
	close(ends[0]);
	told_fd = ends[1];
	setsid();
	return 0;
}

int registry_enter(const struct options *o, const char *file)
{
	int ret;

	if (o->dry_run || (!o->detach && !o->name))
		return 0;
	signal(SIGPIPE, SIG_IGN); /* nobody waits any more */
	ret = o->detach ? machine_detach() : 0;
	return ret ? ret : machine_enter(o, file);
}

void registry_started(void)
{
	if (told_fd < 0)
		return;
	dprintf(told_fd, "%lld\n", (long long)lseek(2, 0, SEEK_END));
	close(told_fd);
	told_fd = -1;
}

void registry_leave(int status)
{
	if (status_fd < 0)
		return;
	dprintf(status_fd, "%d\n", status);
	close(status_fd);
	status_fd = -1;
}
