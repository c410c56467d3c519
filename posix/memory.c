/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory mappings: thin entries to kernel/mm/vm.c. */
#include <linux/mman.h>
#include "kernel/fs/file.h"
#include "kernel/mm/vm.h"
#include "posix/calls.h"

long kcall_mmap(
    uintptr_t addr, size_t len, int prot, int flags, int fd, uint64_t offset)
{
	struct file *f = NULL;
	long r;

	if (!(flags & MAP_ANONYMOUS)) {
		f = fd_get(fd);
		if (!f)
			return -EBADF;
	}
	r = vm_mmap(addr, len, (unsigned)prot, (unsigned)flags, f, offset);
	if (f)
		file_put(f);
	return r;
}

long kcall_munmap(uintptr_t addr, size_t len)
{
	return vm_munmap(addr, len);
}

long kcall_mprotect(uintptr_t addr, size_t len, int prot)
{
	return vm_mprotect(addr, len, (unsigned)prot);
}

long kcall_brk(uintptr_t addr)
{
	return vm_brk(addr);
}

long kcall_mremap(uintptr_t addr, size_t old_len, size_t new_len, int flags,
    uintptr_t new_addr)
{
	return vm_mremap(addr, old_len, new_len, (unsigned)flags, new_addr);
}

long kcall_msync(uintptr_t addr, size_t len, int flags)
{
	return vm_msync(addr, len, flags);
}

long kcall_mincore(uintptr_t addr, size_t len, uint8_t *vec)
{
	return vm_mincore(addr, len, vec);
}

long kcall_madvise(uintptr_t addr, size_t len, int advice)
{
	return vm_madvise(addr, len, advice);
}

long kcall_mlock(uintptr_t addr, size_t len)
{
	return vm_mlock(addr, len, true, true);
}

long kcall_mlock2(uintptr_t addr, size_t len, unsigned flags)
{
	if (flags & ~(unsigned)MLOCK_ONFAULT)
		return -EINVAL;
	return vm_mlock(addr, len, true, !(flags & MLOCK_ONFAULT));
}

long kcall_munlock(uintptr_t addr, size_t len)
{
	return vm_mlock(addr, len, false, false);
}

long kcall_mlockall(unsigned flags)
{
	if (!flags || flags & ~7u || flags == MCL_ONFAULT)
		return -EINVAL;
	vm_mlockall(flags);
	return 0;
}

long kcall_munlockall(void)
{
	vm_mlockall(0);
	return 0;
}
