/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /init of a Linux guest that plays a Toril image, for tests of toril-run
 * alone: it speaks the control protocol and does what argv[1] says.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/control/wire.h"

static unsigned base_port;
static int control, streams[3] = {-1, -1, -1};
static uint64_t written[3];
static char *args[4096], *envs[64], cwd[4096];
static struct mount_arg {
	unsigned flags;
	char tag[32], path[256];
} mounts[8];
static unsigned arg_count, env_count, mount_count, outbound;
static char payload[1 << 20];

static void load_modules(void)
{
	static const char *const names[] = {"virtio_ring", "virtio",
	    "virtio_mmio", "fuse", "virtiofs", "vsock",
	    "vmw_vsock_virtio_transport_common", "vmw_vsock_virtio_transport"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "/%s.ko", names[i]);
		fd = open(path, O_RDONLY);
		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
			printf("module %s: %s\n", names[i], strerror(errno));
		close(fd);
	}
}

static int dial(unsigned port)
{
	struct sockaddr_vm to = {.svm_family = AF_VSOCK,
	    .svm_cid = VMADDR_CID_HOST,
	    .svm_port = port};
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (!connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return fd;
	close(fd);
	return -1;
}

static int get(int fd, void *to, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t k = read(fd, (char *)to + at, n - at);

		if (k <= 0)
			return -1;
		at += (size_t)k;
	}
	return 0;
}

static int put(int fd, const void *from, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t k = write(fd, (const char *)from + at, n - at);

		if (k <= 0)
			return -1;
		at += (size_t)k;
	}
	return 0;
}

static int out(int fd, const void *data, size_t n)
{
	if (streams[fd] < 0)
		streams[fd] = dial(base_port + CTL_PORT_STDIN + (unsigned)fd);
	if (put(streams[fd], data, n))
		return -1;
	written[fd] += n;
	return 0;
}

static void text(const char *s)
{
	out(1, s, strlen(s));
}

static void say(unsigned type, const void *data, uint32_t len)
{
	struct ctl_msg m = {type, len};

	put(control, &m, sizeof(m));
	put(control, data, len);
}

static uint32_t hear(uint32_t *len)
{
	struct ctl_msg m;

	if (get(control, &m, sizeof(m)) || m.len >= sizeof(payload) ||
	    get(control, payload, m.len)) {
		printf("control stream ended\n");
		reboot(RB_AUTOBOOT);
	}
	payload[m.len] = 0;
	*len = m.len;
	return m.type;
}

static void leave(unsigned status)
{
	struct ctl_exit e = {status, 0, written[1], written[2]};

	say(CTL_EXIT, &e, sizeof(e));
	for (;;)
		pause();
}

static void configure(void)
{
	uint32_t type, len;

	while ((type = hear(&len)) != CTL_START) {
		if (type == CTL_ARG)
			args[arg_count++] = strdup(payload);
		else if (type == CTL_ENV)
			envs[env_count++] = strdup(payload);
		else if (type == CTL_CWD)
			strcpy(cwd, payload);
		else if (type == CTL_OUTBOUND)
			outbound = 1;
		else if (type == CTL_MOUNT) {
			struct mount_arg *m = &mounts[mount_count++];

			memcpy(&m->flags, payload, 4);
			strcpy(m->tag, payload + 4);
			strcpy(m->path, payload + 4 + strlen(m->tag) + 1);
		}
	}
}

static unsigned do_args(void)
{
	for (unsigned i = 0; i < arg_count; i++)
		out(1, args[i], strlen(args[i]) + 1);
	for (unsigned i = 0; i < env_count; i++)
		out(1, envs[i], strlen(envs[i]) + 1);
	out(1, cwd, strlen(cwd) + 1);
	return 0;
}

static unsigned do_cat(void)
{
	ssize_t n;

	streams[0] = dial(base_port + CTL_PORT_STDIN);
	while ((n = read(streams[0], payload, 65536)) > 0)
		if (out(1, payload, (size_t)n))
			return 3;
	return n ? 2 : 0;
}

/* Write until nobody reads: EPIPE must come. */
static unsigned do_yes(void)
{
	for (;;)
		if (out(1, "yyyyyyyyyyyyyyy\n", 16))
			return errno == EPIPE ? 141 : 2;
}

static unsigned do_signal(void)
{
	uint32_t len, number;

	text("waiting\n");
	while (hear(&len) != CTL_SIGNAL)
		;
	memcpy(&number, payload, 4);
	if (arg_count > 2) { /* a program that ignores it */
		text("ignored\n");
		for (;;)
			hear(&len);
	}
	return 128 + number;
}

static unsigned do_crash(void)
{
	printf("image base 0x10000000\n"
	       "#0 [<0x10000110>]\n");
	return 139;
}

static unsigned do_serve(void)
{
	uint32_t port = 80;
	struct sockaddr_vm at = {.svm_family = AF_VSOCK,
	    .svm_cid = VMADDR_CID_ANY,
	    .svm_port = CTL_PUBLISHED_BASE + port};
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0), got;
	ssize_t n;

	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 100))
		return 2;
	say(CTL_LISTEN, &port, sizeof(port));
	for (;;) {
		got = accept(fd, NULL, NULL);
		while ((n = read(got, payload, 65536)) > 0)
			put(got, payload, (size_t)n);
		close(got);
	}
}

static unsigned do_share(void)
{
	char path[600];
	uint32_t len;
	struct stat st;
	int fd;

	for (unsigned i = 0; i < mount_count; i++) {
		struct mount_arg *m = &mounts[i];

		mkdir(m->path, 0755);
		if (mount(m->tag, m->path, "virtiofs", 0, NULL))
			return 10;
		snprintf(path, sizeof(path), "%s/made", m->path);
		fd = open(path, O_CREAT | O_WRONLY, 0644);
		if ((fd < 0) != (m->flags & CTL_MOUNT_RDONLY) ||
		    (fd < 0 && errno != EROFS))
			return 11;
		if (fd >= 0 && put(fd, "data", 4))
			return 12;
		close(fd);
		snprintf(path, sizeof(path), "%s/given", m->path);
		if (stat(path, &st))
			return 13;
	}
	if (arg_count > 2) {
		text("mounted\n");
		while (hear(&len) != CTL_SHARE_GONE)
			;
		text(payload);
	}
	return 0;
}

/* args: hex bytes for SOCKS, greeting apart; echo what comes back as hex */
static unsigned do_socks(void)
{
	uint8_t msg[512], hello[3] = {5, 1, 0};
	int fd = dial(base_port + CTL_PORT_SOCKS);
	size_t n = 0;
	ssize_t k;

	if (fd < 0)
		return outbound ? 2 : 7;
	for (const char *h = args[2]; *h; h += 2)
		sscanf(h, "%2hhx", &msg[n++]);
	put(fd, hello, 3);
	put(fd, msg, n);
	if (arg_count > 3)
		put(fd, args[3], strlen(args[3]));
	shutdown(fd, SHUT_WR);
	while ((k = read(fd, payload, 65536)) > 0)
		out(1, payload, (size_t)k);
	return 0;
}

/* args: one DNS message in hex */
static unsigned do_dns(void)
{
	uint8_t msg[600];
	int fd = dial(base_port + CTL_PORT_RESOLVER);
	size_t n = 2;

	for (const char *h = args[2]; *h; h += 2)
		sscanf(h, "%2hhx", &msg[n++]);
	msg[0] = (uint8_t)((n - 2) >> 8);
	msg[1] = (uint8_t)(n - 2);
	put(fd, msg, n);
	if (get(fd, msg, 2) || get(fd, payload, (size_t)(msg[0] << 8 | msg[1])))
		return 3;
	out(1, payload, (size_t)(msg[0] << 8 | msg[1]));
	return 0;
}

static unsigned run(const char *what)
{
	if (!strcmp(what, "args"))
		return do_args();
	if (!strcmp(what, "cat"))
		return do_cat();
	if (!strcmp(what, "yes"))
		return do_yes();
	if (!strcmp(what, "signal"))
		return do_signal();
	if (!strcmp(what, "crash"))
		return do_crash();
	if (!strcmp(what, "serve"))
		return do_serve();
	if (!strcmp(what, "share"))
		return do_share();
	if (!strcmp(what, "socks"))
		return do_socks();
	if (!strcmp(what, "dns"))
		return do_dns();
	if (!strcmp(what, "both")) {
		out(1, "to stdout\n", 10);
		out(2, "to stderr\n", 10);
		return 200;
	}
	if (!strcmp(what, "die"))
		reboot(RB_AUTOBOOT);
	if (!strcmp(what, "hang"))
		for (;;)
			pause();
	return 99;
}

int main(void)
{
	FILE *cmdline;
	char line[4096] = "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	load_modules();
	signal(SIGPIPE, SIG_IGN);
	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	cmdline = fopen("/proc/cmdline", "r");
	if (!fgets(line, sizeof(line), cmdline) || !strstr(line, "toril.ctl="))
		printf("no toril.ctl\n");
	else
		base_port = (unsigned)atoi(strstr(line, "toril.ctl=") + 10);
	control = dial(base_port);
	configure();
	say(CTL_STARTED, NULL, 0);
	leave(run(arg_count > 1 ? args[1] : ""));
	return 0;
}
