/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Resource limits, getrlimit(2).
 *
 * NOFILE, SIGPENDING, MSGQUEUE, CPU, NICE and RTPRIO are enforced.  NPROC,
 * MEMLOCK and LOCKS never bind a process with root's capabilities on Linux
 * either; CORE has nothing to limit.  The rest are kept and given back:
 * docs/compatibility.md.
 */
#include <linux/resource.h>
#include "kernel/fs/file.h"
#include "kernel/fs/mqueue.h"
#include "kernel/lib/string.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sched/alarm.h"
#include "kernel/sched/signal.h"
#include "kernel/sched/creds.h"
#include "kernel/sched/process.h"
#include "posix/calls.h"
#include "posix/clock.h"
#include "posix/limits.h"
#include "posix/proc.h"

#define INFINITE UINT64_MAX

struct limit {
	uint64_t soft, hard;
};

static struct mutex limits_lock = MUTEX_INIT(limits_lock);
static struct limit limits[RLIM_NLIMITS] = {
    /* [limits_lock] */
    [RLIMIT_CPU] = {INFINITE, INFINITE},
    [RLIMIT_FSIZE] = {INFINITE, INFINITE},
    [RLIMIT_DATA] = {INFINITE, INFINITE},
    [RLIMIT_STACK] = {8 * MIB, INFINITE},
    [RLIMIT_CORE] = {0, INFINITE},
    [RLIMIT_RSS] = {INFINITE, INFINITE},
    [RLIMIT_NPROC] = {INFINITE, INFINITE},
    [RLIMIT_NOFILE] = {1024, FD_LIMIT_MOST},
    [RLIMIT_MEMLOCK] = {8 * MIB, 8 * MIB},
    [RLIMIT_AS] = {INFINITE, INFINITE},
    [RLIMIT_LOCKS] = {INFINITE, INFINITE},
    [RLIMIT_SIGPENDING] = {1024, 1024},
    [RLIMIT_MSGQUEUE] = {819200, 819200},
    [RLIMIT_NICE] = {0, 0},
    [RLIMIT_RTPRIO] = {0, 0},
    [RLIMIT_RTTIME] = {INFINITE, INFINITE},
};

/* RLIMIT_CPU: SIGXCPU each second beyond the soft limit, SIGKILL at the
 * hard one. */
static uint64_t process_now(const struct alarm *a)
{
	(void)a;
	return clock_process();
}

static void cpu_used_up(struct alarm *a, uint64_t times)
{
	struct signal_info info = {.code = SI_KERNEL_CODE};
	uint64_t hard = limits[RLIMIT_CPU].hard;
	bool over = hard != INFINITE && clock_process() / NSEC_PER_SEC >= hard;

	(void)a, (void)times;
	(void)signal_send_process(over ? SIG_KILL : SIG_XCPU, &info);
}

static struct alarm cpu_alarm = {
    .now = process_now, .fn = cpu_used_up, .cpu_time = true};

static int cpu_limit_arm(const struct limit *l)
{
	uint64_t none, due = 0;

	if (l->soft != INFINITE)
		due = max(min(l->soft, (uint64_t)INT64_MAX / NSEC_PER_SEC) *
			      NSEC_PER_SEC,
		    (uint64_t)1);
	return alarm_set(&cpu_alarm, due, NSEC_PER_SEC, &none, &none);
}

/* Not even a privileged program gets beyond what the user said. */
static void files_clamp_locked(void)
{
	struct limit *l = &limits[RLIMIT_NOFILE];

	l->hard = min(l->hard, (uint64_t)fd_limit_max);
	l->soft = min(l->soft, l->hard);
}

static int limit_apply(unsigned which, const struct limit *l)
{
	switch (which) {
	case RLIMIT_NOFILE:
		if (l->hard > fd_limit_max)
			return -EPERM;
		fd_limit = (unsigned)l->soft;
		return 0;
	case RLIMIT_SIGPENDING:
		signal_queue_max = (unsigned)min(l->soft, (uint64_t)UINT32_MAX);
		return 0;
	case RLIMIT_MSGQUEUE:
		mq_bytes_max = l->soft;
		return 0;
	case RLIMIT_CPU:
		return cpu_limit_arm(l);
	}
	return 0;
}

static int limit_set_locked(unsigned which, const struct limit *l)
{
	int err;

	if (l->soft > l->hard)
		return -EINVAL;
	if (l->hard > limits[which].hard && !creds_capable(CAP_SYS_RESOURCE))
		return -EPERM;
	err = limit_apply(which, l);
	if (!err)
		limits[which] = *l;
	return err;
}

uint64_t limit_soft(unsigned which)
{
	uint64_t soft;

	mutex_lock(&limits_lock);
	files_clamp_locked();
	soft = limits[which].soft;
	mutex_unlock(&limits_lock);
	return soft;
}

long kcall_prlimit64(
    int pid, unsigned which, const struct limit *new, struct limit *old)
{
	struct limit was, want;
	long err = 0;

	if (which >= RLIM_NLIMITS)
		return -EINVAL;
	if (pid == PROCESS_INIT) /* as where it has more capabilities */
		return -EPERM;
	if (pid != 0 && pid != PROCESS_PID)
		return -ESRCH;
	if (new &&copy_in(&want, new, sizeof(want)))
		return -EFAULT;
	mutex_lock(&limits_lock);
	files_clamp_locked();
	was = limits[which];
	if (new)
		err = limit_set_locked(which, &want);
	mutex_unlock(&limits_lock);
	if (!err && old)
		err = copy_out(old, &was, sizeof(was));
	return err;
}

long kcall_getrlimit(unsigned which, struct limit *old)
{
	return kcall_prlimit64(0, which, NULL, old);
}

long kcall_setrlimit(unsigned which, const struct limit *new)
{
	return kcall_prlimit64(0, which, new, NULL);
}

/* Name and unit of each, in the order of their numbers. */
static const char limit_names[] = "cpu time\0seconds\0"
				  "file size\0bytes\0"
				  "data size\0bytes\0"
				  "stack size\0bytes\0"
				  "core file size\0bytes\0"
				  "resident set\0bytes\0"
				  "processes\0processes\0"
				  "open files\0files\0"
				  "locked memory\0bytes\0"
				  "address space\0bytes\0"
				  "file locks\0locks\0"
				  "pending signals\0signals\0"
				  "msgqueue size\0bytes\0"
				  "nice priority\0\0"
				  "realtime priority\0\0"
				  "realtime timeout\0us\0";

static void add_value(struct proc_text *t, uint64_t v)
{
	if (v == INFINITE)
		proc_add(t, "%-20s ", "unlimited");
	else
		proc_add(t, "%-20llu ", (unsigned long long)v);
}

void proc_write_limits(struct proc_text *t)
{
	const char *s = limit_names;

	proc_add(t, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit",
	    "Hard Limit", "Units");
	MUTEX_GUARD(&limits_lock);
	for (unsigned i = 0; i < RLIM_NLIMITS; i++) {
		proc_add(t, "Max %-21s ", s);
		s += strlen(s) + 1;
		add_value(t, limits[i].soft);
		add_value(t, limits[i].hard);
		proc_add(t, "%-10s\n", s);
		s += strlen(s) + 1;
	}
}
