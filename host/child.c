/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting, hearing and ending children; see child.h.
 *
 * Each gets a session of its own, so that the terminal's signals reach only
 * us, and the parent-death signal, so that SIGKILL of the launcher ends it.
 * The launcher is the subreaper of what they leave behind.
 */
#include <stdio.h>

#include "host/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAID_MAX       8192
#define LINE_MAX_BYTES 4096

void args_add(struct args *a, const char *fmt, ...)
{
	va_list ap;

	a->v = must_grow(a->v, (a->count + 2) * sizeof(*a->v));
	va_start(ap, fmt);
	if (vasprintf(&a->v[a->count++], fmt, ap) < 0)
		exit(STATUS_FAILED);
	va_end(ap);
	a->v[a->count] = NULL;
}

void args_free(struct args *a)
{
	for (unsigned i = 0; i < a->count; i++)
		free(a->v[i]);
	free(a->v);
	*a = (struct args){0};
}

void args_print(const struct args *a, FILE *to)
{
	for (unsigned i = 0; i < a->count; i++) {
		const char *s = a->v[i];

		if (i)
			fputc(' ', to);
		if (*s && strspn(s, "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_./=,:+@%") == strlen(s)) {
			fputs(s, to);
			continue;
		}
		fputc('\'', to);
		for (; *s; s++)
			if (*s == '\'')
				fputs("'\\''", to);
			else
				fputc(*s, to);
		fputc('\'', to);
	}
}

static void lines_split(struct lines *l, bool all)
{
	uint8_t *end;
	size_t len;

	while ((len = buf_len(&l->buf))) {
		end = memchr(buf_at(&l->buf), '\n', len);
		if (!end && !all && len < LINE_MAX_BYTES)
			return;
		if (end) {
			*end = 0;
			len = (size_t)(end - buf_at(&l->buf)) + 1;
			if (len > 1 && end[-1] == '\r')
				end[-1] = 0;
			l->line(l, (char *)buf_at(&l->buf));
		} else {
			buf_add(&l->buf, "", 1);
			l->line(l, (char *)buf_at(&l->buf));
			len++;
		}
		buf_take(&l->buf, len);
	}
}

static void lines_ready(struct loop_fd *io, uint32_t events)
{
	struct lines *l = container_of(io, struct lines, io);
	uint8_t data[4096];
	ssize_t got;

	(void)events;
	while ((got = read(io->fd, data, sizeof(data))) > 0) {
		for (ssize_t i = 0; i < got; i++)
			if (!data[i])
				data[i] = '?';
		buf_add(&l->buf, data, (size_t)got);
		lines_split(l, false);
	}
	if (got < 0 && errno == EAGAIN)
		return;
	lines_split(l, true);
	loop_del(io);
	close(io->fd);
	io->fd = -1;
}

static void said_line(struct lines *l, char *text)
{
	struct child *c = container_of(l, struct child, err);

	if (verbose) {
		remark("%s: %s", c->name, text);
		return;
	}
	buf_add(&c->said, text, strlen(text));
	buf_add(&c->said, "\n", 1);
	if (buf_len(&c->said) > SAID_MAX)
		buf_take(&c->said, buf_len(&c->said) - SAID_MAX);
}

void child_show(struct child *c)
{
	if (buf_len(&c->said) &&
	    write(STDERR_FILENO, buf_at(&c->said), buf_len(&c->said)) < 0)
		return;
	buf_drop(&c->said);
}

void child_drain(struct child *c)
{
	if (c->out.io.fd >= 0 && c->out.io.ready)
		lines_ready(&c->out.io, 0);
	if (c->err.io.fd >= 0 && c->err.io.ready)
		lines_ready(&c->err.io, 0);
}

static void child_keep(int fd)
{
	if (fd >= 0)
		fcntl(fd, F_SETFD, 0);
}

static void child_exec(struct child *c, char **argv, const int *fds, pid_t us)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), err;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setsid();
	dup2(null, STDIN_FILENO);
	dup2(fds[0], STDOUT_FILENO);
	dup2(fds[1], STDERR_FILENO);
	child_keep(c->keep[0]);
	child_keep(c->keep[1]);
	err = c->prepare ? -c->prepare(c) : 0;
	if (!err) {
		/* last: a change of credentials would clear it */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != us)
			_exit(STATUS_FAILED);
		execvp(argv[0], argv);
		err = errno;
	}
	if (write(fds[2], &err, sizeof(err)) < 0)
		_exit(STATUS_FAILED);
	_exit(STATUS_FAILED);
}

static int lines_start(struct lines *l, int fd)
{
	l->io.fd = fd;
	l->io.ready = lines_ready;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return loop_add(&l->io, EPOLLIN);
}

int child_start(struct child *c, const struct args *argv)
{
	int out[2], err[2], failed[2], wrong = 0;
	pid_t us = getpid();

	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC) ||
	    pipe2(failed, O_CLOEXEC)) {
		wrong = errno;
		complain("cannot make a pipe: %s", strerror(wrong));
		return -wrong;
	}
	c->pid = fork();
	if (!c->pid) {
		int fds[] = {out[1], err[1], failed[1]};

		child_exec(c, argv->v, fds, us);
	}
	if (c->pid < 0)
		wrong = errno;
	c->group = c->pid;
	close(out[1]);
	close(err[1]);
	close(failed[1]);
	c->err.line = said_line;
	if (!wrong &&
	    (lines_start(&c->out, out[0]) || lines_start(&c->err, err[0])))
		wrong = EIO;
	if (!wrong && read(failed[0], &wrong, sizeof(wrong)) < 0)
		wrong = errno;
	close(failed[0]);
	if (!wrong)
		return 0;
	child_drain(c);
	child_show(c);
	complain(
	    "cannot start %s (%s): %s", c->name, argv->v[0], strerror(wrong));
	return -wrong;
}

bool child_reap(struct child *c, pid_t pid, int status)
{
	if (!c->pid || c->pid != pid)
		return false;
	c->pid = 0;
	c->status = status;
	child_drain(c);
	return true;
}

static void child_forget(struct child *c)
{
	struct lines *both[] = {&c->out, &c->err};

	for (int i = 0; i < 2; i++) {
		loop_del(&both[i]->io);
		if (both[i]->io.fd > 0)
			close(both[i]->io.fd);
		both[i]->io.fd = -1;
		buf_drop(&both[i]->buf);
	}
	buf_drop(&c->said);
}

/* As their subreaper we are the parent of its children too.  While one of the
 * group is ours, dead or not, its number names no other group. */
static void group_end(struct child *c)
{
	if (c->group <= 0)
		return;
	if (waitpid(-c->group, NULL, WNOHANG) >= 0)
		kill(-c->group, SIGKILL);
	while (waitpid(-c->group, NULL, 0) > 0 || errno == EINTR)
		;
	c->group = c->pid = 0;
}

void children_end(struct child **list, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (list[i]->pid > 0)
			kill(-list[i]->pid, SIGKILL); /* all at once */
	for (unsigned i = 0; i < count; i++)
		group_end(list[i]);
	for (unsigned i = 0; i < count; i++)
		child_forget(list[i]);
}
