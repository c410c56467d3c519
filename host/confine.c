/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capabilities and seccomp; see confine.h.
 *
 * Each list is as short as the run allows: no socket and no file is opened
 * without --connect, nothing listens anew in any run, and no memory becomes
 * executable but a resolver module's own text.
 */
#include "host/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/util.h"

/* The loop, memory, the end of children, our own end. */
static const int always[] = {SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv),
    SCMP_SYS(writev), SCMP_SYS(close), SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(accept4),
    SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt), SCMP_SYS(sendto), SCMP_SYS(sendmsg),
    SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(shutdown), SCMP_SYS(poll),
    SCMP_SYS(fcntl), SCMP_SYS(ioctl), SCMP_SYS(dup2), SCMP_SYS(kcmp),
    SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk),
    SCMP_SYS(futex), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(tgkill), SCMP_SYS(gettid),
    SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(getpgrp), SCMP_SYS(wait4),
    SCMP_SYS(kill), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(fstat),
    SCMP_SYS(newfstatat), SCMP_SYS(lseek), SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday), SCMP_SYS(getrandom), SCMP_SYS(prlimit64),
    SCMP_SYS(restart_syscall)};

/* What the C library's resolver and its threads do. */
static const int lookups[] = {SCMP_SYS(connect), SCMP_SYS(bind),
    SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg), SCMP_SYS(ppoll), SCMP_SYS(pread64),
    SCMP_SYS(pipe2), SCMP_SYS(eventfd2), SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq), SCMP_SYS(sigaltstack), SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
    SCMP_SYS(uname), SCMP_SYS(access), SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
    SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statx), SCMP_SYS(statfs),
    SCMP_SYS(fstatfs), SCMP_SYS(getdents64), SCMP_SYS(getuid),
    SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(sysinfo),
    SCMP_SYS(flock), SCMP_SYS(getcwd)};

/* No module has a reason: these end the process in any run. */
static const int never[] = {SCMP_SYS(execve), SCMP_SYS(execveat),
    SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
    SCMP_SYS(pidfd_getfd), SCMP_SYS(listen), SCMP_SYS(mount), SCMP_SYS(umount2),
    SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(unshare), SCMP_SYS(setns),
    SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup), SCMP_SYS(keyctl), SCMP_SYS(add_key),
    SCMP_SYS(request_key), SCMP_SYS(init_module), SCMP_SYS(finit_module),
    SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(reboot),
    SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid), SCMP_SYS(setregid),
    SCMP_SYS(setresuid), SCMP_SYS(setresgid), SCMP_SYS(setgroups),
    SCMP_SYS(capset), SCMP_SYS(personality)};

int privileges_drop(uint32_t kept)
{
	struct __user_cap_header_struct head = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2];

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capget, &head, caps))
		return -errno;
	caps[0].effective &= kept;
	caps[0].permitted &= kept;
	caps[0].inheritable = caps[1].inheritable = 0;
	caps[1].effective = caps[1].permitted = 0;
	return syscall(SYS_capset, &head, caps) ? -errno : 0;
}

static int list_add(
    scmp_filter_ctx f, uint32_t action, const int *calls, size_t n)
{
	int ret = 0;

	for (size_t i = 0; i < n && !ret; i++)
		ret = seccomp_rule_add(f, action, calls[i], 0);
	return ret;
}

/* `call`, where argument `arg` has `value` in the bits of `mask`. */
static int masked_add(
    scmp_filter_ctx f, int call, unsigned arg, uint64_t mask, uint64_t value)
{
	return seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 1,
	    SCMP_CMP64(arg, SCMP_CMP_MASKED_EQ, mask, value));
}

static int sockets_add(scmp_filter_ctx f, const int *families, size_t n)
{
	int ret = 0;

	for (size_t i = 0; i < n && !ret; i++)
		ret = masked_add(
		    f, SCMP_SYS(socket), 0, UINT32_MAX, (uint64_t)families[i]);
	return ret;
}

static int memory_add(scmp_filter_ctx f)
{
	int ret = masked_add(f, SCMP_SYS(mmap), 2, PROT_EXEC, 0);

	return ret ? ret : masked_add(f, SCMP_SYS(mprotect), 2, PROT_EXEC, 0);
}

static int outbound_add(scmp_filter_ctx f)
{
	static const int families[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK};
	const uint64_t both = PROT_WRITE | PROT_EXEC;
	const uint64_t writes = O_ACCMODE | O_CREAT | O_TRUNC;
	int ret = list_add(f, SCMP_ACT_ALLOW, lookups, ARRAY_SIZE(lookups));

	if (!ret)
		ret = list_add(
		    f, SCMP_ACT_KILL_PROCESS, never, ARRAY_SIZE(never));
	if (!ret)
		ret = sockets_add(f, families, ARRAY_SIZE(families));
	if (!ret) /* a module's text */
		ret = masked_add(f, SCMP_SYS(mmap), 2, both, PROT_EXEC);
	if (!ret)
		ret = masked_add(f, SCMP_SYS(openat), 2, writes, O_RDONLY);
	if (!ret)
		ret = masked_add(
		    f, SCMP_SYS(clone), 0, CLONE_THREAD, CLONE_THREAD);
	if (!ret) /* its flags are in memory: the library then uses clone */
		ret = seccomp_rule_add(
		    f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return ret;
}

static int vhost_add(scmp_filter_ctx f)
{
	static const int family = AF_VSOCK;
	int ret = sockets_add(f, &family, 1);

	return ret ? ret
		   : seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(connect), 0);
}

static int filter_fill(scmp_filter_ctx f, const struct confine *c)
{
	int ret = list_add(f, SCMP_ACT_ALLOW, always, ARRAY_SIZE(always));

	if (!ret)
		ret = memory_add(f);
	if (!ret && c->outbound)
		ret = outbound_add(f);
	if (!ret && c->vhost)
		ret = vhost_add(f);
	if (!ret && c->unlinks)
		ret = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(unlink), 0);
	return ret;
}

int confine(const struct confine *c)
{
	scmp_filter_ctx f;
	int ret = privileges_drop(0);

	if (ret)
		return ret;
	f = seccomp_init(
	    c->outbound ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_KILL_PROCESS);
	if (!f)
		return -ENOMEM;
	ret = filter_fill(f, c);
	if (!ret)
		ret = seccomp_load(f);
	seccomp_release(f);
	return ret;
}
