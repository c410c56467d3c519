/* SPDX-License-Identifier: BSD-2-Clause */
/* What the system is: uname, sysinfo, random numbers. */
#include "kernel/control/control.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/mm/page.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/thread.h"
#include "posix/calls.h"
#include "kernel/sched/creds.h"
#include "posix/version.h"

#define RANDOM_FLAGS 7u /* GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE */

#define NAME_MAX_LEN 64

static char domain_name[65] = "(none)";

static long name_set(char name[65], const char *user, long len)
{
	char new[65] = "";

	if (!creds_capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (len < 0 || len > NAME_MAX_LEN)
		return -EINVAL;
	if (copy_in(new, user, (size_t)len))
		return -EFAULT;
	memcpy(name, new, sizeof(new));
	return 0;
}

long kcall_sethostname(const char *user, int len)
{
	return name_set(control_hostname, user, len);
}

long kcall_setdomainname(const char *user, int len)
{
	return name_set(domain_name, user, len);
}

long kcall_uname(void *user)
{
	struct {
		char sysname[65], nodename[65], release[65], version[65],
		    machine[65], domain[65];
	} u = {.sysname = "Linux",
	    .release = KERNEL_RELEASE,
	    .version = KERNEL_VERSION,
	    .machine = "x86_64"};

	memcpy(u.nodename, control_hostname, sizeof(u.nodename));
	memcpy(u.domain, domain_name, sizeof(u.domain));
	return copy_out(user, &u, sizeof(u));
}

long kcall_sysinfo(void *user)
{
	struct {
		int64_t uptime;
		uint64_t loads[3], total, free, shared, buffer, swap, noswap;
		uint16_t procs, pad[3];
		uint64_t high, nohigh;
		uint32_t unit, pad2;
	} s = {.unit = 1};

	s.uptime = (int64_t)(clock_monotonic() / NSEC_PER_SEC);
	s.total = page_total();
	s.free = page_available();
	s.procs = (uint16_t)thread_count();
	return copy_out(user, &s, sizeof(s));
}

long kcall_getrandom(void *user, size_t n, unsigned flags)
{
	uint8_t chunk[256];
	size_t done = 0;

	if (flags & ~RANDOM_FLAGS)
		return -EINVAL;
	n = min(n, (size_t)RW_MAX);
	while (done < n) {
		size_t len = min(n - done, sizeof(chunk));
		random_bytes(chunk, len);
		if (copy_out((char *)user + done, chunk, len))
			return done ? (long)done : -EFAULT;
		done += len;
	}
	return (long)done;
}
