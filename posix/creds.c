/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * User and group ids and capabilities; credentials(7), capabilities(7).
 *
 * The process starts as root with every capability, as in a container, and
 * may give them up for good.  The ids are the whole process's: the C library
 * repeats each call for every thread, which then changes nothing.
 */
#include "kernel/fs/file.h"
#include "kernel/lib/string.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/socket.h"
#include "kernel/sched/creds.h"
#include "kernel/sched/process.h"
#include "posix/calls.h"
#include "posix/proc.h"

#define KEEP     UINT32_MAX
#define ALL_CAPS ((1ull << (CAP_LAST_CAP + 1)) - 1)

static bool has_root(const struct creds_ids *u)
{
	return !u->real || !u->effective || !u->saved;
}

/* What a change of user ids does to the capabilities. */
static void caps_follow_locked(const struct creds_ids *was)
{
	if (has_root(was) && !has_root(&creds.uid)) {
		creds.usable = 0;
		if (!creds.keep_caps)
			creds.permitted = 0;
	} else if (!was->effective && creds.uid.effective) {
		creds.usable = 0;
	} else if (was->effective && !creds.uid.effective) {
		creds.usable = creds.permitted;
	}
}

static bool is_one_of(const struct creds_ids *i, uint32_t id)
{
	return id == i->real || id == i->effective || id == i->saved;
}

static long ids_set(
    struct creds_ids *of, unsigned cap, const struct creds_ids *new)
{
	struct creds_ids was;

	spin_lock(&creds.lock);
	was = *of;
	if (!creds_capable(cap) &&
	    !(is_one_of(&was, new->real) && is_one_of(&was, new->effective) &&
		is_one_of(&was, new->saved))) {
		spin_unlock(&creds.lock);
		return -EPERM;
	}
	*of = *new;
	of->fs = new->effective;
	if (of == &creds.uid)
		caps_follow_locked(&was);
	socket_cred.uid = creds.uid.effective;
	socket_cred.gid = creds.gid.effective;
	spin_unlock(&creds.lock);
	return 0;
}

static long set_three(
    struct creds_ids *of, unsigned cap, uint32_t r, uint32_t e, uint32_t s)
{
	struct creds_ids new = {
	    .real = r == KEEP ? of->real : r,
	    .effective = e == KEEP ? of->effective : e,
	    .saved = s == KEEP ? of->saved : s,
	};

	return ids_set(of, cap, &new);
}

/* setuid: root changes all three, others the effective one. */
static long set_one(struct creds_ids *of, unsigned cap, uint32_t id)
{
	if (id == KEEP)
		return -EINVAL;
	if (creds_capable(cap))
		return set_three(of, cap, id, id, id);
	if (id != of->real && id != of->saved)
		return -EPERM;
	return set_three(of, cap, KEEP, id, KEEP);
}

/* setreuid: the saved id follows when the real one is set, or the effective
 * one to something other than the real. */
static long set_two(struct creds_ids *of, unsigned cap, uint32_t r, uint32_t e)
{
	uint32_t effective = e == KEEP ? of->effective : e;
	bool follow = r != KEEP || (e != KEEP && e != of->real);

	if (!creds_capable(cap) && r != KEEP && r == of->saved &&
	    r != of->real && r != of->effective)
		return -EPERM;
	return set_three(of, cap, r, e, follow ? effective : KEEP);
}

static long set_fs(struct creds_ids *of, unsigned cap, uint32_t id)
{
	long was;

	spin_lock(&creds.lock);
	was = of->fs;
	if (id != KEEP &&
	    (creds_capable(cap) || is_one_of(of, id) || id == of->fs))
		of->fs = id;
	spin_unlock(&creds.lock);
	return was;
}

static long get_three(
    const struct creds_ids *of, uint32_t *r, uint32_t *e, uint32_t *s)
{
	return put_user(r, of->real) || put_user(e, of->effective) ||
		       put_user(s, of->saved)
		   ? -EFAULT
		   : 0;
}

long kcall_getuid(void)
{
	return creds.uid.real;
}

long kcall_geteuid(void)
{
	return creds.uid.effective;
}

long kcall_getgid(void)
{
	return creds.gid.real;
}

long kcall_getegid(void)
{
	return creds.gid.effective;
}

long kcall_setuid(uint32_t id)
{
	return set_one(&creds.uid, CAP_SETUID, id);
}

long kcall_setgid(uint32_t id)
{
	return set_one(&creds.gid, CAP_SETGID, id);
}

long kcall_setreuid(uint32_t r, uint32_t e)
{
	return set_two(&creds.uid, CAP_SETUID, r, e);
}

long kcall_setregid(uint32_t r, uint32_t e)
{
	return set_two(&creds.gid, CAP_SETGID, r, e);
}

long kcall_setresuid(uint32_t r, uint32_t e, uint32_t s)
{
	return set_three(&creds.uid, CAP_SETUID, r, e, s);
}

long kcall_setresgid(uint32_t r, uint32_t e, uint32_t s)
{
	return set_three(&creds.gid, CAP_SETGID, r, e, s);
}

long kcall_getresuid(uint32_t *r, uint32_t *e, uint32_t *s)
{
	return get_three(&creds.uid, r, e, s);
}

long kcall_getresgid(uint32_t *r, uint32_t *e, uint32_t *s)
{
	return get_three(&creds.gid, r, e, s);
}

long kcall_setfsuid(uint32_t id)
{
	return set_fs(&creds.uid, CAP_SETUID, id);
}

long kcall_setfsgid(uint32_t id)
{
	return set_fs(&creds.gid, CAP_SETGID, id);
}

long kcall_getgroups(int size, uint32_t *list)
{
	uint32_t copy[CREDS_GROUPS_MAX], n;

	if (size < 0)
		return -EINVAL;
	spin_lock(&creds.lock);
	n = creds.nr_groups;
	memcpy(copy, creds.groups, n * sizeof(*copy));
	spin_unlock(&creds.lock);
	if (size && (unsigned)size < n)
		return -EINVAL;
	if (size && copy_out(list, copy, n * sizeof(*copy)))
		return -EFAULT;
	return n;
}

long kcall_setgroups(int size, const uint32_t *list)
{
	uint32_t copy[CREDS_GROUPS_MAX];

	if (!creds_capable(CAP_SETGID))
		return -EPERM;
	if (size < 0 || size > CREDS_GROUPS_MAX)
		return -EINVAL;
	if (copy_in(copy, list, (size_t)size * sizeof(*copy)))
		return -EFAULT;
	spin_lock(&creds.lock);
	creds.nr_groups = (uint32_t)size;
	memcpy(creds.groups, copy, (size_t)size * sizeof(*copy));
	spin_unlock(&creds.lock);
	return 0;
}

/* capget(2) and capset(2): version 3 has two 32-bit halves of each set. */
static long cap_header(
    struct __user_cap_header_struct *user, unsigned *halves, int *pid)
{
	struct __user_cap_header_struct h;

	if (copy_in(&h, user, sizeof(h)))
		return -EFAULT;
	*halves = h.version == _LINUX_CAPABILITY_VERSION_1 ? 1 : 2;
	if (h.version != _LINUX_CAPABILITY_VERSION_1 &&
	    h.version != _LINUX_CAPABILITY_VERSION_2 &&
	    h.version != _LINUX_CAPABILITY_VERSION_3)
		return put_user(&user->version, _LINUX_CAPABILITY_VERSION_3)
			   ? -EFAULT
			   : -EINVAL;
	if (h.pid < 0)
		return -EINVAL;
	*pid = h.pid ? h.pid : PROCESS_PID;
	return *pid == PROCESS_INIT || *pid == PROCESS_PID ? 0 : -ESRCH;
}

long kcall_capget(
    struct __user_cap_header_struct *user, struct __user_cap_data_struct *data)
{
	struct __user_cap_data_struct d[2];
	unsigned halves;
	int pid;
	long err = cap_header(user, &halves, &pid);

	if (!data)
		return err == -EINVAL ? 0 : err;
	if (err)
		return err;
	spin_lock(&creds.lock);
	for (unsigned i = 0; i < 2 && pid == PROCESS_INIT; i++)
		d[i] = (struct __user_cap_data_struct){
		    (uint32_t)(ALL_CAPS >> 32 * i),
		    (uint32_t)(ALL_CAPS >> 32 * i), 0};
	for (unsigned i = 0; i < 2 && pid == PROCESS_PID; i++) {
		d[i].effective = (uint32_t)(creds.usable >> 32 * i);
		d[i].permitted = (uint32_t)(creds.permitted >> 32 * i);
		d[i].inheritable = (uint32_t)(creds.inheritable >> 32 * i);
	}
	spin_unlock(&creds.lock);
	return copy_out(data, d, halves * sizeof(*d));
}

static uint64_t joined(uint32_t low, uint32_t high)
{
	return (low | (uint64_t)high << 32) & ALL_CAPS;
}

long kcall_capset(struct __user_cap_header_struct *user,
    const struct __user_cap_data_struct *data)
{
	struct __user_cap_data_struct d[2] = {{0}};
	uint64_t usable, permitted, inheritable;
	unsigned halves;
	int pid;
	long err = cap_header(user, &halves, &pid);

	if (err == -ESRCH || (!err && pid != PROCESS_PID))
		return -EPERM; /* one's own only */
	if (err)
		return err;
	if (copy_in(d, data, halves * sizeof(*d)))
		return -EFAULT;
	usable = joined(d[0].effective, d[1].effective);
	permitted = joined(d[0].permitted, d[1].permitted);
	inheritable = joined(d[0].inheritable, d[1].inheritable);
	spin_lock(&creds.lock);
	if (permitted & ~creds.permitted || usable & ~permitted ||
	    inheritable & ~(creds.inheritable | creds.bounding)) {
		err = -EPERM;
	} else {
		creds.usable = usable;
		creds.permitted = permitted;
		creds.inheritable = inheritable;
	}
	spin_unlock(&creds.lock);
	return err;
}

void proc_write_ids(struct proc_text *t)
{
	const struct creds_ids *u = &creds.uid, *g = &creds.gid;

	proc_add(t, "Uid:\t%u\t%u\t%u\t%u\n", u->real, u->effective, u->saved,
	    u->fs);
	proc_add(t, "Gid:\t%u\t%u\t%u\t%u\n", g->real, g->effective, g->saved,
	    g->fs);
	proc_add(t, "FDSize:\t%u\nGroups:\t", fd_limit);
	for (uint32_t i = 0; i < creds.nr_groups; i++)
		proc_add(t, "%u ", creds.groups[i]);
	proc_add(t, "\nCapInh:\t%016llx\nCapPrm:\t%016llx\n",
	    (unsigned long long)creds.inheritable,
	    (unsigned long long)creds.permitted);
	proc_add(t, "CapEff:\t%016llx\nCapBnd:\t%016llx\n",
	    (unsigned long long)creds.usable,
	    (unsigned long long)creds.bounding);
}
