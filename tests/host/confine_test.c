/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What toril-run may do once it is confined: each case is a child that
 * confines itself as a run would and then does one thing; it must end well,
 * with an error, or by SIGSYS.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/confine.h"
#include "host/util.h"

/* A case's own result; else -1 and errno. */
typedef int deed(void);

static int do_fork(void)
{
	return syscall(SYS_fork) < 0 ? -1 : 0;
}

static int do_clone(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) < 0 ? -1 : 0;
}

static int do_exec(void)
{
	char *argv[] = {"/bin/true", NULL};

	return execve(argv[0], argv, NULL);
}

static int do_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) ? -1 : 0;
}

static int do_peek(void)
{
	char a = 0, b = 1;
	struct iovec to = {&a, 1}, from = {&b, 1};

	return process_vm_readv(getpid(), &to, 1, &from, 1, 0) < 0 ? -1 : 0;
}

static int do_write_file(void)
{
	return open("/tmp", O_TMPFILE | O_WRONLY, 0600) < 0 ? -1 : 0;
}

static int do_read_file(void)
{
	return open("/etc/hostname", O_RDONLY) < 0 ? -1 : 0;
}

static int do_unlink(void)
{
	return unlink("/no/such/file") && errno != ENOENT ? -1 : 0;
}

static int do_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) < 0 ? -1 : 0;
}

static int do_raw_socket(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0) < 0 ? -1 : 0;
}

static int do_vsock(void)
{
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	return fd < 0 && errno != EAFNOSUPPORT && errno != EPROTONOSUPPORT ? -1
									   : 0;
}

static int do_listen(void)
{
	return listen(0, 1) ? -1 : 0;
}

static int do_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? -1 : 0;
}

static int do_protect(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static int do_setuid(void)
{
	return setuid(0);
}

static int do_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static int do_x32(void)
{
	return syscall(0x40000000 | SYS_getpid) < 0 ? -1 : 0;
}

static int do_loop(void)
{
	void *p = malloc(1 << 20);
	int ret = p && kill(getpid(), 0) == 0 && write(2, "", 0) == 0;

	free(p);
	return ret ? 0 : -1;
}

static void *in_thread(void *arg)
{
	struct addrinfo *list;

	*(int *)arg = getaddrinfo("localhost", NULL, NULL, &list);
	if (!*(int *)arg)
		freeaddrinfo(list);
	return NULL;
}

static int do_lookup(void)
{
	pthread_t t;
	int err = -1;

	if (pthread_create(&t, NULL, in_thread, &err) || pthread_join(t, NULL))
		return -1;
	return err ? -1 : 0;
}

enum how { FINE, FAILS, KILLED };

static const struct deed_case {
	const char *name;
	deed *deed;
	enum how bare, outbound, vhost, unlinks;
} cases[] = {
    {"copy, allocate, look for a child", do_loop, FINE, FINE, FINE, FINE},
    {"fork", do_fork, KILLED, KILLED, KILLED, KILLED},
    {"clone a process", do_clone, KILLED, FAILS, KILLED, KILLED},
    {"execute a file", do_exec, KILLED, KILLED, KILLED, KILLED},
    {"ptrace", do_ptrace, KILLED, KILLED, KILLED, KILLED},
    {"read another's memory", do_peek, KILLED, KILLED, KILLED, KILLED},
    {"open a file to write", do_write_file, KILLED, FAILS, KILLED, KILLED},
    {"open a file to read", do_read_file, KILLED, FINE, KILLED, KILLED},
    {"remove a file", do_unlink, KILLED, FAILS, KILLED, FINE},
    {"make a socket", do_socket, KILLED, FINE, KILLED, KILLED},
    {"make a packet socket", do_raw_socket, KILLED, FAILS, KILLED, KILLED},
    {"make a vsock", do_vsock, KILLED, FAILS, FINE, KILLED},
    {"listen", do_listen, KILLED, KILLED, KILLED, KILLED},
    {"map writable code", do_code, KILLED, FAILS, KILLED, KILLED},
    {"make memory executable", do_protect, KILLED, FAILS, KILLED, KILLED},
    {"become root", do_setuid, KILLED, KILLED, KILLED, KILLED},
    {"make a namespace", do_namespace, KILLED, KILLED, KILLED, KILLED},
    {"call by another convention", do_x32, KILLED, KILLED, KILLED, KILLED},
    {"look a name up, in a thread", do_lookup, KILLED, FINE, KILLED, KILLED},
};

static int outcome(const struct confine *c, deed *does)
{
	struct rlimit none = {0};
	pid_t pid = fork();
	int status;

	if (!pid) {
		setrlimit(RLIMIT_CORE, &none);
		if (confine(c))
			_exit(2);
		_exit(does() < 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? (int)KILLED : -1;
	return WEXITSTATUS(status) < 2 ? WEXITSTATUS(status) : -1;
}

static int failed, number;

static void check(const char *kind, const struct confine *c,
    const struct deed_case *k, enum how want)
{
	int got = outcome(c, k->deed);

	printf("%sok %d - %s: %s\n", got == (int)want ? "" : "not ", ++number,
	    kind, k->name);
	if (got != (int)want)
		printf("# expected %d, got %d\n", (int)want, got);
	failed |= got != (int)want;
}

int main(void)
{
	static const struct confine bare, outbound = {.outbound = true},
					  vhost = {.vhost = true},
					  unlinks = {.unlinks = true};

	printf("1..%zu\n", 4 * ARRAY_SIZE(cases));
	fflush(stdout);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct deed_case *k = &cases[i];

		check("no option", &bare, k, k->bare);
		check("--connect", &outbound, k, k->outbound);
		check("vhost", &vhost, k, k->vhost);
		check("--vsock-backend", &unlinks, k, k->unlinks);
		fflush(stdout);
	}
	return failed;
}
