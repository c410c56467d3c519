/* SPDX-License-Identifier: BSD-2-Clause */
/* netdevice(7); see interface.h. */
#include "kernel/net/interface.h"
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/in.h>
#include <linux/sockios.h>
#include "kernel/lib/string.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/socket_abi.h"

#define FLAGS (IFF_UP | IFF_LOOPBACK | IFF_RUNNING)

static void set_address(struct sockaddr *a, uint32_t ip)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};

	v4.sin_addr.s_addr = __builtin_bswap32(ip);
	memcpy(a, &v4, sizeof(v4));
}

/* An array of names and addresses: how many fit, or how long it would be. */
static long list(void *user)
{
	struct ifconf c;
	struct ifreq r = {.ifr_name = LO_NAME};

	if (copy_in(&c, user, sizeof(c)))
		return -EFAULT;
	set_address(&r.ifr_addr, INADDR_LOOPBACK);
	if (c.ifc_req && c.ifc_len < (int)sizeof(r))
		c.ifc_len = 0;
	else if (c.ifc_req && copy_out(c.ifc_req, &r, sizeof(r)))
		return -EFAULT;
	else
		c.ifc_len = sizeof(r);
	return copy_out(user, &c, sizeof(c));
}

static long address_of(unsigned cmd, struct ifreq *r)
{
	switch (cmd) {
	case SIOCGIFADDR:
		set_address(&r->ifr_addr, INADDR_LOOPBACK);
		return 0;
	case SIOCGIFNETMASK:
		set_address(&r->ifr_netmask, 0xff000000);
		return 0;
	case SIOCGIFBRDADDR:
	case SIOCGIFDSTADDR:
		set_address(
		    &r->ifr_addr, cmd == SIOCGIFBRDADDR ? 0 : INADDR_LOOPBACK);
		return 0;
	}
	return -ENOTTY;
}

static long property(unsigned cmd, struct ifreq *r)
{
	switch (cmd) {
	case SIOCGIFFLAGS:
		r->ifr_flags = FLAGS;
		return 0;
	case SIOCGIFINDEX:
		r->ifr_ifindex = LO_INDEX;
		return 0;
	case SIOCGIFMTU:
		r->ifr_mtu = LO_MTU;
		return 0;
	case SIOCGIFTXQLEN:
		r->ifr_qlen = LO_TX_QUEUE;
		return 0;
	case SIOCGIFMETRIC:
		r->ifr_metric = 0;
		return 0;
	case SIOCGIFHWADDR:
		memset(&r->ifr_hwaddr, 0, sizeof(r->ifr_hwaddr));
		r->ifr_hwaddr.sa_family = ARPHRD_LOOPBACK;
		return 0;
	}
	return -ENOTTY;
}

static bool changes(unsigned cmd)
{
	switch (cmd) {
	case SIOCSIFFLAGS:
	case SIOCSIFADDR:
	case SIOCSIFNETMASK:
	case SIOCSIFBRDADDR:
	case SIOCSIFMTU:
	case SIOCSIFHWADDR:
	case SIOCSIFNAME:
		return true;
	}
	return false;
}

static bool is_address(unsigned cmd)
{
	return cmd == SIOCGIFADDR || cmd == SIOCGIFNETMASK ||
	       cmd == SIOCGIFBRDADDR || cmd == SIOCGIFDSTADDR;
}

long interface_ioctl(int family, unsigned cmd, void *user)
{
	struct ifreq r;
	long err;

	if (cmd == SIOCGIFCONF)
		return list(user);
	if (changes(cmd))
		return -EPERM;
	memset(&r, 0, sizeof(r));
	if (cmd != SIOCGIFNAME && property(cmd, &r) == -ENOTTY &&
	    !(family == AF_INET && is_address(cmd)))
		return -ENOTTY;
	if (copy_in(&r, user, sizeof(r)))
		return -EFAULT;
	if (cmd == SIOCGIFNAME) {
		if (r.ifr_ifindex != LO_INDEX)
			return -ENODEV;
		memset(r.ifr_name, 0, sizeof(r.ifr_name));
		memcpy(r.ifr_name, LO_NAME, sizeof(LO_NAME));
		return copy_out(user, &r, sizeof(r));
	}
	r.ifr_name[sizeof(r.ifr_name) - 1] = 0;
	if (strcmp(r.ifr_name, LO_NAME))
		return -ENODEV;
	err = is_address(cmd) ? address_of(cmd, &r) : property(cmd, &r);
	return err ? err : copy_out(user, &r, sizeof(r));
}
