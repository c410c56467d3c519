/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * toril only: which AF_VSOCK sockets there are depends on Linux's modules.
 * Streams alone: the host has nobody who would speak seqpacket.
 */
#include <linux/vm_sockets.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/posix/check.h"

int main(void)
{
	struct sockaddr_vm a = {.svm_family = AF_VSOCK,
	    .svm_cid = VMADDR_CID_ANY,
	    .svm_port = 7777};
	int s = socket(AF_VSOCK, SOCK_STREAM, 0);

	CHECK(s >= 0 && !bind(s, (void *)&a, sizeof(a)) && !listen(s, 1));
	CHECK_ERR(bind(s, (void *)&a, sizeof(a)), EINVAL);
	CHECK(!close(s));
	CHECK_ERR(socket(AF_VSOCK, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT);
	CHECK_ERR(socket(AF_VSOCK, SOCK_DGRAM, 0), ESOCKTNOSUPPORT);
	CHECK_ERR(socket(AF_VSOCK, SOCK_STREAM, 1), EPROTONOSUPPORT);
	s = socket(AF_VSOCK, SOCK_STREAM, 0);
	a.svm_cid = 77;
	CHECK_ERR(connect(s, (void *)&a, sizeof(a)), ENETUNREACH);
	CHECK(!close(s));
	return 0;
}
