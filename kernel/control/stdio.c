/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Standard input and output.  Each stream is connected to the launcher when
 * it is first used.  Where the launcher's is a terminal this one says so too
 * and passes terminal settings on.
 */
#include <asm/ioctls.h>
#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include "kernel/arch/x86_64/uart.h"
#include "kernel/control/control.h"
#include "kernel/control/stdio.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/string.h"
#include "kernel/net/vsock.h"
#include "kernel/sched/signal.h"
#include "kernel/sched/process.h"
#include "kernel/sched/thread.h"

struct stdio {
	uint32_t port;
	bool tty;
	struct mutex lock;     /* connecting */
	struct stream *stream; /* [lock] NULL until first used */
	uint64_t bytes;        /* [a] written */
};

static struct stdio stdio[3];
static struct ctl_winsize winsize;
static uint8_t termios[36];

static struct stream *connect_first(struct stdio *s)
{
	struct vsock_conn *c;
	int err;

	MUTEX_GUARD(&s->lock);
	if (s->stream)
		return s->stream;
	c = vsock_connect(s->port, NULL, NULL, &err);
	if (!c)
		return NULL;
	(void)wait_event(
	    &c->s.wait, c->state != VSOCK_CONNECTING, DEADLINE_NEVER, false);
	__atomic_store_n(&s->stream, &c->s, __ATOMIC_RELEASE);
	return s->stream;
}

static struct stream *stream_of(struct stdio *s)
{
	struct stream *st = __atomic_load_n(&s->stream, __ATOMIC_ACQUIRE);

	return st ? st : connect_first(s);
}

/* The stream of a direction: a terminal has both, whatever the descriptor. */
static struct stdio *side(struct stdio *io, bool out)
{
	unsigned first = out ? 1 : 0, last = out ? 2 : 0;

	if (!io->tty || (out == (io != &stdio[0])))
		return io;
	for (unsigned i = first; i <= last; i++)
		if (stdio[i].tty)
			return &stdio[i];
	return io;
}

static ssize_t stdio_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	struct stream *s = stream_of(side(f->priv, false));
	ssize_t r;
	int err = 0;

	(void)pos;
	if (!s)
		return -EIO;
	if (!it->left)
		return 0;
	MUTEX_GUARD(&s->recv_lock);
	while ((r = s->ops->recv(s, it, false)) == -EAGAIN && !err) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		err = wait_event(
		    &s->wait, s->ops->poll(s) & POLL_IN, DEADLINE_NEVER, true);
	}
	return r == -EAGAIN ? err : r == -ECONNRESET ? 0 : r;
}

static ssize_t stdio_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	struct stdio *io = side(f->priv, true);
	struct stream *s = stream_of(io);
	ssize_t r, done = 0;
	int err = 0;

	(void)pos;
	if (!s)
		return -EIO;
	MUTEX_GUARD(&s->send_lock);
	while (it->left && !err) {
		r = s->ops->send(s, it);
		if (r > 0) {
			done += r;
			__atomic_add_fetch(
			    &io->bytes, (uint64_t)r, __ATOMIC_RELAXED);
		} else if (r == -EAGAIN) {
			if (f->flags & O_NONBLOCK)
				return done ? done : -EAGAIN;
			err = wait_event(&s->wait, s->ops->poll(s) & POLL_OUT,
			    DEADLINE_NEVER, true);
		} else {
			err = r == -ECONNRESET ? -EPIPE : (int)r;
		}
	}
	if (err == -EPIPE && !done)
		(void)signal_send_thread(thread_current(), SIG_PIPE, NULL);
	return done ? done : err;
}

static unsigned stdio_poll(struct file *f, struct poll_table *pt)
{
	struct stdio *io = f->priv;
	struct stream *s = stream_of(io);

	if (!s)
		return POLL_ERR;
	poll_add(pt, &s->wait);
	return s->ops->poll(s) &
	       (io == &stdio[0] ? POLL_IN | POLL_HUP : POLL_OUT | POLL_ERR);
}

static long set_termios(const void *user)
{
	if (copy_in(termios, user, sizeof(termios)))
		return -EFAULT;
	control_send(CTL_TERMIOS, termios, sizeof(termios));
	return 0;
}

static long stdio_ioctl(struct file *f, unsigned cmd, unsigned long arg)
{
	struct stdio *io = f->priv;
	int n;

	if (cmd == FIONREAD && io == &stdio[0]) {
		n = io->stream ? (int)io->stream->ops->pending(io->stream) : 0;
		return put_user((int *)arg, n);
	}
	if (!io->tty)
		return -ENOTTY;
	switch (cmd) {
	case TIOCGWINSZ:
		return copy_out((void *)arg, &winsize, sizeof(winsize));
	case TCGETS:
		return copy_out((void *)arg, termios, sizeof(termios));
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return set_termios((void *)arg);
	case TIOCGPGRP:
		return put_user((int *)arg, PROCESS_PID);
	}
	return -ENOTTY;
}

static int stdio_stat(struct file *f, struct stat *st)
{
	struct stdio *io = f->priv;

	memset(st, 0, sizeof(*st));
	st->st_ino = 1 + (unsigned long)(io - stdio);
	st->st_nlink = 1;
	st->st_blksize = 4096;
	st->st_mode = (io->tty ? S_IFCHR | 0620u : S_IFIFO | 0600u);
	if (io->tty)
		st->st_rdev = 0x8800;
	return 0;
}

/* The streams themselves live as long as the VM: an exit needs them. */
static void stdio_release(struct file *f)
{
	(void)f;
}

static const struct file_ops stdio_ops = {
    .read = stdio_read,
    .write = stdio_write,
    .seek = file_no_seek,
    .poll = stdio_poll,
    .ioctl = stdio_ioctl,
    .stat = stdio_stat,
    .mmap = file_no_mmap,
    .flush = file_no_flush,
    .fsync = file_no_fsync,
    .release = stdio_release,
};

static int install(const struct file_ops *ops, void *priv, int fd, int flags)
{
	struct file *f = file_alloc(ops, (unsigned)flags);
	int r;

	if (!f)
		return -ENOMEM;
	f->priv = priv;
	if (ops == &stdio_ops && stdio[fd].tty && (!fd || !stdio[0].tty))
		device_set_tty(f);
	r = fd_replace(f, fd, false);
	if (r < 0)
		file_put(f);
	return r < 0 ? r : 0;
}

int stdio_install(uint32_t port, const struct ctl_stdio *how)
{
	int err = 0;

	winsize = how->winsize;
	memcpy(termios, how->termios, sizeof(termios));
	for (int fd = 0; fd < 3 && !err; fd++) {
		bool tty = how->flags & CTL_STDIO_TTY(fd);
		int to = fd == 2 && how->flags & CTL_STDIO_ERR_IS_OUT ? 1 : fd;
		stdio[fd].port = port + CTL_PORT_STDIN + (uint32_t)fd;
		stdio[fd].tty = tty;
		mutex_init(&stdio[fd].lock);
		if (how->flags & CTL_STDIO_OPEN(fd))
			err = install(&stdio_ops, &stdio[to], fd,
			    tty  ? O_RDWR
			    : fd ? O_WRONLY
				 : O_RDONLY);
	}
	return err;
}

void stdio_set_winsize(const struct ctl_winsize *w)
{
	winsize = *w;
}

uint64_t stdio_written(int fd)
{
	return __atomic_load_n(&stdio[fd].bytes, __ATOMIC_ACQUIRE);
}

static ssize_t uart_file_write(
    struct file *f, struct iov_iter *it, uint64_t *pos)
{
	char buf[128];
	ssize_t n, done = 0;

	(void)f, (void)pos;
	while (it->left) {
		n = iter_in(buf, min(sizeof(buf), it->left), it);
		if (n < 0)
			return done ? done : n;
		uart_write(buf, (size_t)n);
		done += n;
	}
	return done;
}

static const struct file_ops uart_file_ops = {
    .read = file_no_read,
    .write = uart_file_write,
    .seek = file_no_seek,
    .poll = file_always_ready,
    .ioctl = file_no_ioctl,
    .stat = stdio_stat,
    .mmap = file_no_mmap,
    .flush = file_no_flush,
    .fsync = file_no_fsync,
    .release = stdio_release,
};

int stdio_install_uart(void)
{
	int err = 0;

	for (int fd = 0; fd < 3 && !err; fd++)
		err = install(&uart_file_ops, &stdio[fd], fd, O_RDWR);
	return err;
}
