/* SPDX-License-Identifier: BSD-2-Clause */
/* prctl(2): what of it makes sense for one process. */
#include <linux/prctl.h>
#include "kernel/lib/string.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sched/thread.h"
#include "kernel/sched/creds.h"
#include "posix/calls.h"

#define SIGNALS       64
#define DEFAULT_SLACK 50000 /* ns, Linux's; timers here have none */

/* Settings that are kept, have no effect here, and read back. */
static struct {
	unsigned long dumpable, death_signal, reaper, no_new_privs, slack,
	    no_huge_pages;
} kept = {.dumpable = 1, .slack = DEFAULT_SLACK};

static long name_set(const char *user)
{
	struct thread *t = thread_current();
	char name[16] = "";
	ssize_t n = copy_in_string(name, user, sizeof(name));

	if (n == -EFAULT)
		return n;
	name[15] = 0;
	memcpy(t->name, name, sizeof(name));
	return 0;
}

static long keep(unsigned long *to, unsigned long value, unsigned long most)
{
	if (value > most)
		return -EINVAL;
	*to = value;
	return 0;
}

static long bounding(int op, unsigned long cap)
{
	if (cap > CAP_LAST_CAP)
		return -EINVAL;
	if (op == PR_CAPBSET_READ)
		return (long)(creds.bounding >> cap & 1);
	if (!creds_capable(CAP_SETPCAP))
		return -EPERM;
	creds.bounding &= ~(1ull << cap);
	return 0;
}

static long prctl_get(int op, unsigned long a)
{
	struct thread *t = thread_current();

	switch (op) {
	case PR_GET_NAME:
		return copy_out((void *)a, t->name, sizeof(t->name));
	case PR_GET_DUMPABLE:
		return (long)kept.dumpable;
	case PR_GET_PDEATHSIG:
		return put_user((int *)a, (int)kept.death_signal);
	case PR_GET_CHILD_SUBREAPER:
		return put_user((int *)a, (int)kept.reaper);
	case PR_GET_KEEPCAPS:
		return creds.keep_caps;
	case PR_GET_NO_NEW_PRIVS:
		return (long)kept.no_new_privs;
	case PR_GET_TIMERSLACK:
		return (long)kept.slack;
	case PR_GET_THP_DISABLE:
		return (long)kept.no_huge_pages;
	case PR_GET_SECCOMP:
		return 0;
	case PR_CAPBSET_READ:
		return bounding(op, a);
	}
	return -EINVAL;
}

long kcall_prctl(
    int op, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	switch (op) {
	case PR_SET_NAME:
		return name_set((const char *)a);
	case PR_SET_DUMPABLE:
		return keep(&kept.dumpable, a, 1);
	case PR_SET_PDEATHSIG:
		return keep(&kept.death_signal, a, SIGNALS);
	case PR_SET_CHILD_SUBREAPER:
		return keep(&kept.reaper, !!a, 1);
	case PR_SET_KEEPCAPS:
		if (a > 1)
			return -EINVAL;
		creds.keep_caps = a;
		return 0;
	case PR_SET_NO_NEW_PRIVS:
		if (a != 1 || b || c || d)
			return -EINVAL;
		kept.no_new_privs = 1;
		return 0;
	case PR_SET_TIMERSLACK:
		kept.slack = a ? a : DEFAULT_SLACK;
		return 0;
	case PR_SET_THP_DISABLE:
		return b || c || d ? -EINVAL
				   : keep(&kept.no_huge_pages, !!a, 1);
	case PR_CAPBSET_DROP:
		return bounding(op, a);
	}
	return prctl_get(op, a);
}
