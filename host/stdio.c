/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program's standard streams, and the terminal.
 *
 * Standard input is read only once the guest connects that stream, so that
 * what the program does not read stays for whoever reads next, and not while
 * the launcher is a background job, which reading would stop.
 *
 * The descriptors are shared with whoever started us: their O_NONBLOCK is
 * not ours to set.  Pipes and terminals are opened once more, for a file
 * description of our own; what cannot be is polled before each step.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <asm/termbits.h>
#include <unistd.h>

#include "host/relay.h"
#include "host/run.h"

#define BACKGROUND_MS 300
#define CONNECT_MS    20000
#define DRAIN_MS      10000

static struct stdio {
	struct relay relay;
	bool used, gone;
} streams[3];

static unsigned open_at_start; /* bit per descriptor */
static struct loop_timer background, unconnected, drain;
static struct termios tty_before;
static int tty_fd = -1; /* where tty_before belongs */

/* Opened before the launcher is confined. */
static struct {
	int fd; /* or -errno; a relay's once it is accepted */
	unsigned flags;
} own[3];
static int null_fd = -1;

_Static_assert(sizeof(struct termios) == 36, "CTL_TERMIOS");

/* tcgetpgrp and tcgetattr of the C library want their own termios header. */
static bool tty_is_ours(int fd)
{
	pid_t group;

	return ioctl(fd, TIOCGPGRP, &group) || group == getpgrp();
}

static bool same_file(int a, int b)
{
	struct stat sa, sb;

	if (fstat(a, &sa) || fstat(b, &sb) || sa.st_dev != sb.st_dev ||
	    sa.st_ino != sb.st_ino)
		return false;
	/* opened twice, a file has two offsets */
	return !S_ISREG(sa.st_mode) ||
	       !syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, a, b);
}

void stdio_init(void)
{
	int null;

	for (int fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) >= 0) {
			open_at_start |= 1u << fd;
			continue;
		}
		/* or our own descriptors would take its number */
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (null != fd)
			exit(STATUS_FAILED);
	}
}

bool stdio_winsize(struct ctl_winsize *to)
{
	struct winsize ws;

	for (int fd = 0; fd < 3; fd++) {
		if (ioctl(fd, TIOCGWINSZ, &ws))
			continue;
		*to = (struct ctl_winsize){
		    ws.ws_row, ws.ws_col, ws.ws_xpixel, ws.ws_ypixel};
		return true;
	}
	return false;
}

void stdio_describe(struct ctl_stdio *to)
{
	struct termios t;

	for (int fd = 0; fd < 3; fd++) {
		if (!(open_at_start & 1u << fd))
			continue;
		to->flags |= CTL_STDIO_OPEN(fd);
		if (ioctl(fd, TCGETS, &t))
			continue;
		to->flags |= CTL_STDIO_TTY(fd);
		memcpy(to->termios, &t, sizeof(t));
	}
	if (same_file(1, 2))
		to->flags |= CTL_STDIO_ERR_IS_OUT;
	stdio_winsize(&to->winsize);
}

void stdio_termios(const uint8_t *termios)
{
	struct termios t;

	memcpy(&t, termios, sizeof(t));
	for (int fd = 0; fd < 3 && tty_fd < 0; fd++)
		if (!ioctl(fd, TCGETS, &tty_before))
			tty_fd = fd;
	if (tty_fd >= 0 && tty_is_ours(tty_fd))
		ioctl(tty_fd, TCSETS, &t);
}

static ssize_t stdin_in(struct vsock_stream *s, struct iovec *iov, int n)
{
	if (!tty_is_ours(STDIN_FILENO)) {
		loop_timer_set(&background, BACKGROUND_MS);
		return -EAGAIN;
	}
	return relay_in(s, iov, n);
}

static void background_look(struct loop_timer *timer)
{
	(void)timer;
	if (streams[0].relay.s)
		vsock_in_ready(streams[0].relay.s);
}

static ssize_t stdout_out(
    struct vsock_stream *s, const struct iovec *iov, int n)
{
	struct relay *r = s->arg;
	int before = r->out_error;
	ssize_t put = relay_out(s, iov, n);

	if (r->out_error && !before && r->out_error != EPIPE)
		complain("cannot write the program's output: %s",
		    strerror(r->out_error));
	if (run.exited)
		stdio_check_exit(&run);
	return put;
}

/* A process's end of a pipe closes when it does. */
static void stdio_close(struct stdio *st)
{
	int fd = (int)(st - streams);

	relay_stop(&st->relay, false);
	if (!fd)
		return;
	/* standard error stays, for our own messages */
	if (null_fd >= 0 && fd == STDOUT_FILENO)
		dup2(null_fd, fd);
}

static void stdio_done(struct relay *r, int err)
{
	struct stdio *st = container_of(r, struct stdio, relay);

	(void)err;
	st->gone = true;
	stdio_close(st);
	if (run.exited)
		stdio_check_exit(&run);
}

static void stdio_opened(struct vsock_stream *s)
{
	(void)s;
}

static const struct vsock_user users[2] = {
    {stdio_opened, stdin_in, relay_out, relay_out_end, relay_closed},
    {stdio_opened, relay_in, stdout_out, relay_out_end, relay_closed},
};

/* A descriptor for the same thing whose flags are ours. */
static int own_fd(int fd, unsigned *flags)
{
	char path[32];
	struct stat st;
	int new;

	if (fstat(fd, &st))
		return -errno;
	if (S_ISSOCK(st.st_mode)) {
		*flags |= RELAY_SOCKET;
	} else if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		new = open(path, (fd ? O_WRONLY : O_RDONLY) | O_NONBLOCK |
				     O_NOCTTY | O_CLOEXEC);
		if (new >= 0)
			return new;
		*flags |= RELAY_BLOCKS;
	}
	new = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return new < 0 ? -errno : new;
}

void stdio_prepare(void)
{
	null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	for (int fd = 0; fd < 3; fd++)
		own[fd].fd = own_fd(fd, &own[fd].flags);
}

int stdio_accept(struct run *r, struct vsock_stream *s, unsigned role)
{
	int n = (int)(role - CTL_PORT_STDIN), fd;
	struct stdio *st = &streams[n];
	unsigned flags = (n ? RELAY_OUT : RELAY_IN) | own[n].flags;

	(void)r;
	if (st->used)
		return -EBUSY;
	fd = own[n].fd;
	if (fd < 0)
		return fd;
	st->used = true;
	background.fire = background_look;
	st->relay.done = stdio_done;
	st->relay.s = s;
	s->user = &users[n > 0];
	s->arg = &st->relay;
	return relay_start(&st->relay, fd, flags);
}

static void stdio_unconnected(struct loop_timer *timer)
{
	(void)timer;
	complain("the program's output did not arrive");
	run_end(&run, STATUS_FAILED);
}

/* Whether stream `n` has given all `bytes`: 1, 0 not yet, -1 never will. */
static int stdio_complete(int n, uint64_t bytes)
{
	const struct stdio *st = &streams[n];

	if (st->relay.out_bytes >= bytes || st->relay.out_error)
		return 1;
	return st->gone ? -1 : 0;
}

static void drain_over(struct loop_timer *timer)
{
	(void)timer;
	run_end(&run, (int)run.exit.status);
}

/* A process's sockets outlive it until their data is delivered. */
static void exit_when_drained(struct run *r)
{
	if (!publish_undrained()) {
		run_end(r, (int)r->exit.status);
	} else if (!drain.fire) {
		drain.fire = drain_over;
		loop_timer_set(&drain, DRAIN_MS);
	}
}

void stdio_check_exit(struct run *r)
{
	int out = stdio_complete(1, r->exit.stdout_bytes);
	int err = stdio_complete(2, r->exit.stderr_bytes);

	if (out < 0 || err < 0) {
		complain("some of the program's output was lost");
		run_end(r, STATUS_FAILED);
	} else if (out && err) {
		exit_when_drained(r);
	} else if (!unconnected.next &&
		   ((!out && !streams[1].used) || (!err && !streams[2].used))) {
		unconnected.fire = stdio_unconnected;
		loop_timer_set(&unconnected, CONNECT_MS);
	}
}

void stdio_finish(void)
{
	loop_timer_cancel(&background);
	loop_timer_cancel(&unconnected);
	loop_timer_cancel(&drain);
	for (int i = 0; i < 3; i++)
		if (streams[i].used && !streams[i].gone)
			relay_stop(&streams[i].relay, false);
	if (tty_fd >= 0) {
		/* a background job may not: then its shell has set it */
		signal(SIGTTOU, SIG_IGN);
		ioctl(tty_fd, TCSETSW, &tty_before);
	}
}
