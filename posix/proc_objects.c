/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/toril/objects: a name and a number in each line;
 * kernel/control/objects.h. */
#include "kernel/control/objects.h"
#include "posix/proc.h"

static void add_one(void *arg, const char *name, uint64_t number)
{
	proc_add(arg, "%s %llu\n", name, (unsigned long long)number);
}

void proc_write_objects(struct proc_text *t)
{
	objects_each(add_one, t);
}
