/* SPDX-License-Identifier: BSD-2-Clause */
/* needs root: User and group ids, from root to nobody, once and for all. */
#include <grp.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <linux/capability.h>
#include <unistd.h>
#include "tests/posix/check.h"

static unsigned caps(void)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2];

	CHECK(!syscall(SYS_capget, &h, d));
	return d[0].effective;
}

static void drop(int cap)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2], got[2];

	CHECK(!syscall(SYS_capget, &h, d));
	d[0].effective &= ~(1u << cap);
	d[0].permitted &= ~(1u << cap);
	CHECK(!syscall(SYS_capset, &h, d));
	CHECK(!syscall(SYS_capget, &h, got));
	CHECK(got[0].permitted == d[0].permitted);
	d[0].permitted |= 1u << cap;
	CHECK_ERR(syscall(SYS_capset, &h, d), EPERM);
	d[0].permitted &= ~(1u << cap);
	CHECK_ERR((h.version = 1, syscall(SYS_capget, &h, d)), EINVAL);
	CHECK(h.version == _LINUX_CAPABILITY_VERSION_3);
}

static void ids(int *r, int *e, int *s)
{
	uid_t a, b, c;

	CHECK(!getresuid(&a, &b, &c));
	*r = (int)a, *e = (int)b, *s = (int)c;
}

int main(void)
{
	gid_t groups[4] = {5, 6, 7, 8}, got[8];
	int r, e, s;

	CHECK(getuid() == 0 && geteuid() == 0 && getgid() == 0);
	CHECK(caps() & 1 << CAP_SETUID);
	CHECK(!setgroups(3, groups));
	CHECK(getgroups(0, NULL) == 3);
	CHECK_ERR(getgroups(2, got), EINVAL);
	CHECK(getgroups(8, got) == 3 && got[2] == 7);
	CHECK(!setgid(100) && getgid() == 100 && getegid() == 100);

	/* Down and up again with the saved id. */
	CHECK(!setresuid(-1, 65534, 0));
	CHECK(geteuid() == 65534 && getuid() == 0);
	CHECK(!caps());
	CHECK(!seteuid(0));
	CHECK(caps() & 1 << CAP_SETUID);
	CHECK(setfsuid(7) == 0 && setfsuid(-1) == 7);
	CHECK(!setregid(100, 200) && getegid() == 200);
	CHECK(
	    !setresgid(100, 100, 300) && !getresgid(&got[0], &got[1], &got[2]));
	CHECK(got[0] == 100 && got[1] == 100 && got[2] == 300);
	CHECK(setfsgid(7) == 100 && setfsgid(-1) == 7);
	drop(CAP_SYS_TIME);

	CHECK(!setuid(1000));
	ids(&r, &e, &s);
	CHECK(r == 1000 && e == 1000 && s == 1000);
	CHECK(!caps());
	CHECK_ERR(setuid(0), EPERM);
	CHECK_ERR(setgid(0), EPERM);
	CHECK_ERR(setreuid(0, 0), EPERM);
	CHECK_ERR(setresuid(1000, 0, -1), EPERM);
	CHECK_ERR(setgroups(0, NULL), EPERM);
	CHECK(!setreuid(1000, 1000) && !setuid(1000));
	CHECK(!setgid(100));
	return 0;
}
