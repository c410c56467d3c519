/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals as files, signalfd(2).  The file holds no signals: a read takes
 * what is pending for the reader or the process and in the file's set.
 */
#include <linux/fcntl.h>
#include <linux/signalfd.h>
#include "kernel/fs/signalfd.h"
#include "kernel/fs/file.h"
#include "kernel/sched/signal.h"
#include "kernel/sched/thread.h"

/* Which members of siginfo mean something follows from the code. */
static struct signalfd_siginfo describe(const struct signal_info *info)
{
	struct signalfd_siginfo s = {
	    .ssi_signo = (uint32_t)info->signo,
	    .ssi_errno = info->err,
	    .ssi_code = info->code,
	};

	if (info->code == SI_TIMER_CODE) {
		s.ssi_tid = (uint32_t)info->timer_id;
		s.ssi_overrun = (uint32_t)info->overrun;
		s.ssi_ptr = info->timer_value;
		s.ssi_int = (int32_t)info->timer_value;
	} else if (info->code > 0 && info->code != SI_KERNEL_CODE) {
		s.ssi_addr = info->addr;
	} else {
		s.ssi_pid = (uint32_t)info->pid;
		s.ssi_uid = info->uid;
		s.ssi_ptr = info->value;
		s.ssi_int = (int32_t)info->value;
	}
	return s;
}

static uint64_t *set_of(struct file *f)
{
	return (uint64_t *)&f->priv;
}

/* One signal; its size, 0 if there is none. */
static ssize_t read_one(struct file *f, struct iov_iter *it)
{
	struct signalfd_siginfo s;
	struct signal_info info;
	ssize_t r;

	if (!signal_take(*set_of(f), &info))
		return 0;
	s = describe(&info);
	r = iter_out(it, &s, sizeof(s));
	return r < 0 ? r : (ssize_t)sizeof(s);
}

static ssize_t signalfd_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	ssize_t r = 0, done = 0;
	int err;

	(void)pos;
	if (it->left < sizeof(struct signalfd_siginfo))
		return -EINVAL;
	while (it->left >= sizeof(struct signalfd_siginfo)) {
		r = read_one(f, it);
		if (r > 0) {
			done += r;
			continue;
		}
		if (r < 0 || done)
			break;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		err = wait_event(&signal_arrival,
		    signal_pending_set() & *set_of(f), DEADLINE_NEVER, true);
		if (err)
			return err;
	}
	return done ? done : r;
}

static unsigned signalfd_poll(struct file *f, struct poll_table *pt)
{
	poll_add(pt, &signal_arrival);
	return signal_pending_set() & *set_of(f) ? POLL_IN : 0;
}

static void signalfd_release(struct file *f)
{
	(void)f;
}

static const struct file_ops signalfd_ops = {
    .read = signalfd_read,
    .write = file_no_write,
    .seek = file_noop_seek,
    .poll = signalfd_poll,
    .ioctl = file_no_ioctl,
    .stat = file_anonymous_stat,
    .mmap = file_no_mmap,
    .flush = file_no_flush,
    .fsync = file_no_fsync,
    .release = signalfd_release,
};

struct file *signalfd_create(uint64_t set, unsigned flags)
{
	struct file *f = file_alloc(&signalfd_ops, O_RDWR | flags);

	if (f)
		*set_of(f) = set & ~(SIG_BIT(SIG_KILL) | SIG_BIT(SIG_STOP));
	return f;
}

int signalfd_change(struct file *f, uint64_t set)
{
	if (f->ops != &signalfd_ops)
		return -EINVAL;
	*set_of(f) = set & ~(SIG_BIT(SIG_KILL) | SIG_BIT(SIG_STOP));
	waitq_wake_all(&signal_arrival, POLL_IN);
	return 0;
}
