/* SPDX-License-Identifier: BSD-2-Clause */
/* Users, groups and host names that there always are. */
#include <arpa/inet.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <unistd.h>
#include "tests/posix/check.h"

int main(void)
{
	struct addrinfo *a, hints = {.ai_family = AF_INET};
	struct passwd *p = getpwuid(0);
	struct group *g = getgrgid(0);

	CHECK(p && !strcmp(p->pw_name, "root") && p->pw_gid == 0);
	p = getpwnam("nobody");
	CHECK(p && p->pw_uid == 65534 && p->pw_gid == 65534);
	CHECK(!getpwnam("nobody-of-that-name"));
	CHECK(g && !strcmp(g->gr_name, "root"));
	g = getgrnam("nogroup");
	CHECK(g && g->gr_gid == 65534);
	CHECK(getaddrinfo("localhost", NULL, &hints, &a) == 0);
	CHECK(((struct sockaddr_in *)(void *)a->ai_addr)->sin_addr.s_addr ==
	      htonl(INADDR_LOOPBACK));
	freeaddrinfo(a);
	CHECK(access("/etc/resolv.conf", R_OK) == 0);
	return 0;
}
