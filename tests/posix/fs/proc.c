/* SPDX-License-Identifier: BSD-2-Clause */
/* needs root: /proc: what programs read of it is there and makes sense. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include "tests/posix/check.h"

static char text[65536];

static const char *slurp(const char *path)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = 0, r;

	if (fd < 0)
		fprintf(stderr, "%s\n", path);
	CHECK(fd >= 0);
	while ((r = read(fd, text + n, sizeof(text) - 1 - (size_t)n)) > 0)
		n += r;
	CHECK(r == 0 && n > 0);
	text[n] = 0;
	CHECK(!close(fd));
	return text;
}

static void process(char **argv)
{
	int pid, threads;
	long vsize, rss;
	const char *s, *end;

	s = slurp("/proc/self/stat");
	CHECK(sscanf(s, "%d (", &pid) == 1 && pid == getpid());
	end = strrchr(s, ')');
	CHECK(
	    end && sscanf(end,
		       ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u "
		       "%*d %*d %*d %*d %d %*d %*u %ld %ld",
		       &threads, &vsize, &rss) == 3);
	CHECK(threads == 1 && vsize > 0);
	s = slurp("/proc/self/status");
	CHECK(
	    strstr(s, "\nUid:\t0\t0\t0\t0\n") && strstr(s, "\nThreads:\t1\n"));
	s = strstr(s, "SigIgn:	");
	CHECK(s && strtoull(s + 8, NULL, 16) & 0x200);
	CHECK(!strcmp(slurp("/proc/self/cmdline"), argv[0]));
	CHECK(!strcmp(text + strlen(text) + 1, argv[1]));
	CHECK(!access("/proc/self/environ", R_OK));
	CHECK(strstr(slurp("/proc/self/limits"),
	    "Max open files            77                   1000 "));
	CHECK(sscanf(slurp("/proc/self/statm"), "%ld %ld", &vsize, &rss) == 2);
	CHECK(vsize > 0 && rss >= 0);
	CHECK(!strcmp(slurp("/proc/self/comm"), "proc\n"));
}

static void maps(void)
{
	int fd = open("mapped", O_CREAT | O_RDWR, 0600);
	char line[64];
	void *p;

	CHECK(!ftruncate(fd, 8192));
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 4096);
	CHECK(p != MAP_FAILED);
	snprintf(line, sizeof(line), "%lx-%lx r--s 00001000 ", (unsigned long)p,
	    (unsigned long)p + 4096);
	CHECK(strstr(slurp("/proc/self/maps"), line));
	CHECK(strstr(text, "/mapped\n") && strstr(text, "[stack]"));
}

static void links(const char *folder)
{
	char buf[256], path[64];
	int fd = open("file", O_CREAT | O_RDWR, 0600);
	ssize_t n;

	n = readlink("/proc/self/cwd", buf, sizeof(buf));
	CHECK(n > 0 && !strncmp(buf, folder, (size_t)n));
	n = readlink("/proc/self/root", buf, sizeof(buf));
	CHECK(n == 1 && buf[0] == '/');
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, buf, sizeof(buf));
	CHECK(n > 5 && !memcmp(buf + n - 5, "/file", 5));
	CHECK(!access("/proc/self/exe", F_OK) || errno == ENOENT);
}

static void machine(void)
{
	double up, idle, load;

	CHECK(strstr(slurp("/proc/meminfo"), "MemTotal:"));
	CHECK(strstr(text, "MemAvailable:"));
	CHECK(strstr(slurp("/proc/cpuinfo"), "model name\t: "));
	CHECK(strstr(text, " sse2 "));
	CHECK(!memcmp(slurp("/proc/stat"), "cpu  ", 5));
	CHECK(strstr(text, "\ncpu0 ") && strstr(text, "\nbtime "));
	CHECK(sscanf(slurp("/proc/uptime"), "%lf %lf", &up, &idle) == 2);
	CHECK(up > 0);
	CHECK(sscanf(slurp("/proc/loadavg"), "%lf", &load) == 1);
	CHECK(strstr(slurp("/proc/mounts"), " /proc proc "));
	CHECK(strstr(slurp("/proc/self/mountinfo"), " - "));
	CHECK(!memcmp(slurp("/proc/version"), "Linux version ", 14));
	CHECK(!strcmp(slurp("/proc/sys/kernel/ostype"), "Linux\n"));
	CHECK(atoi(slurp("/proc/sys/vm/overcommit_memory")) <= 2);
	CHECK(atoi(slurp("/proc/sys/net/core/somaxconn")) >= 128);
	CHECK(strlen(slurp("/proc/sys/kernel/random/uuid")) == 37);
	CHECK(atoi(slurp("/proc/sys/kernel/pid_max")) > 1);
	CHECK(atoi(slurp("/proc/sys/fs/mqueue/msg_max")) > 0);
}

int main(int argc, char **argv)
{
	struct rlimit l = {77, 1000};
	DIR *d;
	int n = 0;

	if (argc > 1) {
		CHECK(!chdir(argv[1]));
		signal(SIGUSR1, SIG_IGN);
		CHECK(!setrlimit(RLIMIT_NOFILE, &l));
		process(argv);
		maps();
		links(argv[1]);
		machine();
	}
	d = opendir("/proc/self/fd");
	CHECK(d);
	while (readdir(d))
		n++;
	CHECK(n >= 5);
	CHECK_ERR(open("/proc/none", O_RDONLY), ENOENT);
	return 0;
}
