/* SPDX-License-Identifier: BSD-2-Clause */
/* For the programs about AF_UNIX: addresses and their lengths. */
#ifndef TORIL_TESTS_POSIX_SOCKET_UNIX_H
#define TORIL_TESTS_POSIX_SOCKET_UNIX_H

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* "@name" is abstract, as ss(8) writes it. */
static inline socklen_t unix_addr(struct sockaddr_un *a, const char *name)
{
	size_t n = strlen(name);

	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	memcpy(a->sun_path, name, n);
	if (name[0] == '@')
		a->sun_path[0] = 0;
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n +
			   (name[0] != '@'));
}

static inline int unix_bound(int type, const char *name)
{
	struct sockaddr_un a;
	socklen_t n = unix_addr(&a, name);
	int s = socket(AF_UNIX, type, 0);

	return s < 0 || bind(s, (void *)&a, n) ? -1 : s;
}

static inline int unix_connect(int s, const char *name)
{
	struct sockaddr_un a;
	socklen_t n = unix_addr(&a, name);

	return connect(s, (void *)&a, n);
}

#endif
