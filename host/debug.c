/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --gdb: QEMU waits, before its first instruction, for gdb on a Unix socket.
 * share/toril/toril-gdb.py knows how to go on from there to main().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/run.h"

/* ../share/toril from where this program is; free() it. */
static char *share_path(const char *file)
{
	char self[4096];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[len < 0 ? 0 : len] = 0;
	for (int i = 0; i < 2; i++) {
		slash = strrchr(self, '/');
		if (slash)
			*slash = 0;
	}
	return must_print("%s/share/toril/%s", self, file);
}

int debug_prepare(struct run *r)
{
	const char *tmp = getenv("XDG_RUNTIME_DIR");

	if (!r->opt.gdb)
		return 0;
	if (r->opt.gdb_socket)
		r->gdb = must_print("%s", r->opt.gdb_socket);
	else
		r->gdb = must_print("%s/toril-%d.gdb",
		    tmp && *tmp ? tmp : "/tmp", (int)getpid());
	if (strlen(r->gdb) < sizeof(((struct sockaddr_un *)0)->sun_path))
		return 0;
	complain("--gdb=%s: too long for a socket", r->gdb);
	return -ENAMETOOLONG;
}

void debug_announce(const struct run *r)
{
	char *script;

	if (!r->gdb)
		return;
	script = share_path("toril-gdb.py");
	complain("waiting for gdb -x %s -ex 'toril-attach %s' %s", script,
	    r->gdb, r->file);
	free(script);
}

void debug_finish(struct run *r)
{
	if (r->gdb)
		unlink(r->gdb);
	free(r->gdb);
	r->gdb = NULL;
}
