/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /init of a Linux guest that tries the built-in vsock device with Linux's
 * own driver.  Serves vsock ports for the test on the host, and tests the
 * other direction itself; reports on the console, in TAP's words.
 *
 * 1234 echoes; 1235 reads slowly and answers with count and checksum; 1236
 * sends SOURCE_BYTES and closes at once; 1237 shuts its sending side, then
 * answers nothing but reads all (and prints how much).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOURCE_BYTES (8u << 20)
#define BULK_BYTES   (24u << 20)

static uint8_t data[65536];

static uint64_t checksum(uint64_t sum, const uint8_t *p, size_t n)
{
	while (n--)
		sum = (sum ^ *p++) * 0x100000001b3;
	return sum;
}

static void load_modules(void)
{
	static const char *const names[] = {"virtio_ring", "virtio",
	    "virtio_mmio", "vsock", "vmw_vsock_virtio_transport_common",
	    "vmw_vsock_virtio_transport"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "/%s.ko", names[i]);
		fd = open(path, O_RDONLY);
		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
			printf("not ok - module %s: %s\n", names[i],
			    strerror(errno));
		close(fd);
	}
}

static int dial(unsigned port)
{
	struct sockaddr_vm to = {.svm_family = AF_VSOCK,
	    .svm_cid = VMADDR_CID_HOST,
	    .svm_port = port};
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		int err = errno;

		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

static int put(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t k = write(fd, p, n);

		if (k <= 0)
			return -1;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

static void pattern(uint32_t *seed)
{
	for (size_t i = 0; i < sizeof(data); i++) {
		*seed = *seed * 1664525 + 1013904223;
		data[i] = (uint8_t)(*seed >> 24);
	}
}

static void serve_echo(int fd)
{
	ssize_t n;

	while ((n = read(fd, data, sizeof(data))) > 0)
		if (put(fd, data, (size_t)n))
			break;
}

static void serve_slow(int fd)
{
	uint64_t sum[2] = {0, 0xcbf29ce484222325};
	ssize_t n;

	sleep(2);
	while ((n = read(fd, data, sizeof(data))) > 0) {
		sum[1] = checksum(sum[1], data, (size_t)n);
		sum[0] += (uint64_t)n;
	}
	put(fd, (uint8_t *)sum, sizeof(sum));
}

static void serve_source(int fd)
{
	uint32_t seed = 1;

	for (unsigned i = 0; i < SOURCE_BYTES / sizeof(data); i++) {
		pattern(&seed);
		if (put(fd, data, sizeof(data)))
			return;
	}
}

static void serve_half(int fd)
{
	uint64_t total = 0;
	ssize_t n;

	shutdown(fd, SHUT_WR);
	sleep(1);
	while ((n = read(fd, data, sizeof(data))) > 0)
		total += (uint64_t)n;
	printf("HALF %llu %s\n", (unsigned long long)total,
	    n < 0 ? strerror(errno) : "end");
}

static void serve(unsigned port, void (*one)(int fd))
{
	struct sockaddr_vm at = {.svm_family = AF_VSOCK,
	    .svm_cid = VMADDR_CID_ANY,
	    .svm_port = port};
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0), got;

	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 1024))
		printf("not ok - listen: %s\n", strerror(errno));
	if (fork()) {
		close(fd);
		return;
	}
	signal(SIGCHLD, SIG_IGN);
	while ((got = accept(fd, NULL, NULL)) >= 0) {
		if (!fork()) {
			one(got);
			_exit(0);
		}
		close(got);
	}
	_exit(0);
}

/* Everything written comes back, then the end of file. */
static void test_bulk(void)
{
	int fd = dial(5000);
	uint64_t sent = 0xcbf29ce484222325, back = sent, n = 0;
	uint32_t seed = 7;
	ssize_t k;

	if (!fork()) {
		for (unsigned i = 0; i < BULK_BYTES / sizeof(data); i++) {
			pattern(&seed);
			if (put(fd, data, sizeof(data)))
				_exit(1);
		}
		shutdown(fd, SHUT_WR);
		_exit(0);
	}
	while ((k = read(fd, data, sizeof(data))) > 0) {
		back = checksum(back, data, (size_t)k);
		n += (uint64_t)k;
	}
	for (unsigned i = 0; i < BULK_BYTES / sizeof(data); i++) {
		pattern(&seed);
		sent = checksum(sent, data, sizeof(data));
	}
	printf("%sok - guest: %llu bytes echoed, then end of file\n",
	    k == 0 && n == BULK_BYTES && sent == back ? "" : "not ",
	    (unsigned long long)n);
	close(fd);
	wait(NULL);
}

static void test_churn(void)
{
	int bad = 0;
	char c;

	for (int i = 0; i < 500; i++) {
		int fd = dial(5000);

		bad += fd < 0 || write(fd, "x", 1) != 1 ||
		       read(fd, &c, 1) != 1 || c != 'x';
		close(fd);
	}
	printf("%sok - guest: 500 connections in a row\n", bad ? "not " : "");
}

static void test_refusal(void)
{
	int fd = dial(5003), err = errno, other = dial(9), err2 = errno;

	printf("%sok - guest: refused ports are reset\n",
	    fd < 0 && other < 0 && err == ECONNRESET && err2 == ECONNRESET
		? ""
		: "not ");
}

static void test_shut_peer(void)
{
	int fd = dial(5001);
	char c;

	printf("%sok - guest: end of file from the host at once\n",
	    fd >= 0 && read(fd, &c, 1) == 0 ? "" : "not ");
	close(fd);
}

int main(void)
{
	char word[64];

	setvbuf(stdout, NULL, _IOLBF, 0);
	load_modules();
	signal(SIGPIPE, SIG_IGN);
	test_bulk();
	test_churn();
	test_refusal();
	test_shut_peer();
	serve(1234, serve_echo);
	serve(1235, serve_slow);
	serve(1236, serve_source);
	serve(1237, serve_half);
	puts("GUEST READY");
	if (fgets(word, sizeof(word), stdin))
		puts("GUEST OVER");
	reboot(RB_AUTOBOOT);
	return 0;
}
