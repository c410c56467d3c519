/* SPDX-License-Identifier: BSD-2-Clause */
/* The interface lo by getifaddrs, if_nameindex, ioctls and netlink; names of
 * the machine.  What other interfaces a Linux machine has is not looked at. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "tests/posix/check.h"

static void addresses(void)
{
	struct ifaddrs *list, *i;
	char text[2][64];
	unsigned flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;

	CHECK(!getifaddrs(&list));
	for (i = list; i; i = i->ifa_next) {
		struct sockaddr_in *a = (void *)i->ifa_addr;
		struct sockaddr_in *m = (void *)i->ifa_netmask;
		if (strcmp(i->ifa_name, "lo") || a->sin_family != AF_INET)
			continue;
		inet_ntop(AF_INET, &a->sin_addr, text[0], 64);
		inet_ntop(AF_INET, &m->sin_addr, text[1], 64);
		CHECK((i->ifa_flags & flags) == flags);
		printf("%s %s %s\n", i->ifa_name, text[0], text[1]);
	}
	freeifaddrs(list);
}

static void indices(void)
{
	struct if_nameindex *list = if_nameindex(), *i;
	char name[IF_NAMESIZE];
	bool found = false;

	CHECK(list);
	for (i = list; i->if_index; i++)
		found |= i->if_index == 1 && !strcmp(i->if_name, "lo");
	if_freenameindex(list);
	CHECK(found && if_nametoindex("lo") == 1);
	CHECK(if_indextoname(1, name) && !strcmp(name, "lo"));
	CHECK(if_nametoindex("none0") == 0 && errno == ENODEV);
	CHECK(!if_indextoname(9999, name) && errno == ENXIO);
}

static void ioctls(void)
{
	struct ifreq r = {.ifr_name = "lo"}, many[16];
	struct ifconf c = {.ifc_len = sizeof(many), .ifc_req = many};
	struct sockaddr_in *a = (void *)&r.ifr_addr;
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	bool found = false;

	CHECK(!ioctl(s, SIOCGIFFLAGS, &r) && r.ifr_flags & IFF_LOOPBACK);
	CHECK(!ioctl(s, SIOCGIFADDR, &r));
	CHECK(a->sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	CHECK(!ioctl(s, SIOCGIFNETMASK, &r));
	CHECK(a->sin_addr.s_addr == htonl(0xff000000));
	CHECK(!ioctl(s, SIOCGIFMTU, &r) && r.ifr_mtu == 65536);
	CHECK(!ioctl(s, SIOCGIFCONF, &c));
	for (size_t i = 0; i < c.ifc_len / sizeof(r); i++)
		found |= !strcmp(many[i].ifr_name, "lo");
	CHECK(found);
	strcpy(r.ifr_name, "none0");
	CHECK_ERR(ioctl(s, SIOCGIFFLAGS, &r), ENODEV);
	CHECK_ERR(ioctl(s, 0x1234, &r), ENOTTY);
	CHECK(!close(s));
}

/* A request as programs without getifaddrs write it. */
static void netlink(void)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg i;
	} ask = {.h = {.nlmsg_len = sizeof(ask),
		     .nlmsg_type = RTM_GETLINK,
		     .nlmsg_flags = NLM_F_REQUEST,
		     .nlmsg_seq = 77},
	    .i = {.ifi_index = 1}};
	struct sockaddr_nl a = {.nl_family = AF_NETLINK};
	_Alignas(struct nlmsghdr) char buf[8192];
	struct nlmsghdr *h = (void *)buf;
	socklen_t n = sizeof(a);
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	CHECK(s >= 0 && !bind(s, (void *)&a, n));
	CHECK(!getsockname(s, (void *)&a, &n) && n == sizeof(a) && a.nl_pid);
	CHECK(send(s, &ask, sizeof(ask), 0) == sizeof(ask));
	CHECK(poll(&(struct pollfd){s, POLLIN, 0}, 1, 0) == 1);
	n = sizeof(a);
	CHECK(recvfrom(s, buf, sizeof(buf), 0, (void *)&a, &n) > 0);
	CHECK(n == sizeof(a) && a.nl_family == AF_NETLINK && !a.nl_pid);
	CHECK(h->nlmsg_type == RTM_NEWLINK && h->nlmsg_seq == 77);
	CHECK(((struct ifinfomsg *)NLMSG_DATA(h))->ifi_index == 1);
	ask.i.ifi_index = 9999;
	CHECK(send(s, &ask, sizeof(ask), 0) == sizeof(ask));
	CHECK(recv(s, buf, sizeof(buf), 0) > 0);
	CHECK(h->nlmsg_type == NLMSG_ERROR);
	CHECK(((struct nlmsgerr *)NLMSG_DATA(h))->error == -ENODEV);
	CHECK_ERR(recv(s, buf, 1, MSG_DONTWAIT), EAGAIN);
	CHECK_ERR(listen(s, 1), EOPNOTSUPP);
	CHECK(!close(s));
	CHECK_ERR(socket(AF_NETLINK, SOCK_STREAM, 0), ESOCKTNOSUPPORT);
}

static void machine(void)
{
	char was[65], now[65];
	struct utsname u;

	errno = 0;
	/* On Linux not the whole machine's; here there is no other. */
	CHECK(!unshare(CLONE_NEWUTS) || errno == ENOSYS || errno == EPERM);
	CHECK(!gethostname(was, sizeof(was)) && was[0]);
	if (errno == EPERM)
		return;
	CHECK(!sethostname("arena", 5) && !gethostname(now, sizeof(now)));
	CHECK(!strcmp(now, "arena") && !sethostname(was, strlen(was)));
	CHECK(!uname(&u) && !strcmp(u.nodename, was));
	CHECK(!setdomainname(u.domainname, strlen(u.domainname)));
	CHECK_ERR(sethostname(was, 65), EINVAL);
	CHECK_ERR(sethostname(NULL, 5), EFAULT);
}

/* Those of files, with the families that there are. */
static void localhost(void)
{
	struct addrinfo hints = {
	    .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	struct addrinfo *list;
	char text[64];

	CHECK(!getaddrinfo("localhost", "80", &hints, &list));
	CHECK(list);
	freeaddrinfo(list);
	hints.ai_family = AF_INET;
	CHECK(!getaddrinfo("localhost", "80", &hints, &list));
	CHECK(!getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof(text),
	    NULL, 0, NI_NUMERICHOST));
	printf("localhost %s\n", text);
	freeaddrinfo(list);
}

int main(void)
{
	addresses();
	indices();
	ioctls();
	netlink();
	machine();
	localhost();
	return 0;
}
