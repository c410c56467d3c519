/* SPDX-License-Identifier: BSD-2-Clause */
/* The process's credentials; see creds.h. */
#include "kernel/sched/creds.h"

#define ALL_CAPS ((1ull << (CAP_LAST_CAP + 1)) - 1)

struct creds creds = {
    .permitted = ALL_CAPS, .usable = ALL_CAPS, .bounding = ALL_CAPS};

bool creds_capable(unsigned cap)
{
	return creds.usable >> cap & 1;
}

bool creds_in_group(uint32_t gid)
{
	bool yes;

	spin_lock(&creds.lock);
	yes = creds.gid.fs == gid;
	for (uint32_t i = 0; i < creds.nr_groups; i++)
		yes |= creds.groups[i] == gid;
	spin_unlock(&creds.lock);
	return yes;
}
