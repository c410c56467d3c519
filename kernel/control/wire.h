/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control channel between a guest and its launcher, toril-run.
 *
 * At boot the guest finds `toril.ctl=PORT` on the kernel command line and
 * connects, over vsock, from its own CID to the host's (2).  Each role has a
 * port of its own, counted from PORT, so that no stream needs a preamble.
 * The launcher accepts these connections from its own guest's CID only.
 *
 * On the control stream both sides send messages: a struct ctl_msg, then
 * `len` bytes.  All integers are little-endian.  The launcher sends the
 * configuration as soon as the stream is up, ends it with CTL_START, and the
 * guest then runs main().  Unknown message types are an error on both sides.
 *
 * stdin, stdout and stderr are plain byte streams; the guest connects each
 * when it first needs it.  CTL_EXIT carries how many bytes the program wrote
 * to each, so that the launcher knows when it has forwarded everything.
 * After CTL_EXIT the guest idles until the launcher ends the VM.
 *
 * Inbound: toril-run -p connects to vsock port CTL_PUBLISHED_BASE + TCP port
 * and sends a PROXY protocol v2 header before the client's bytes.
 */
#ifndef TORIL_KERNEL_CONTROL_WIRE_H
#define TORIL_KERNEL_CONTROL_WIRE_H

#include <stdint.h>

/* Ports, relative to the one on the command line. */
enum ctl_port {
	CTL_PORT_CONTROL = 0,
	CTL_PORT_STDIN = 1,
	CTL_PORT_STDOUT = 2,
	CTL_PORT_STDERR = 3,
	CTL_PORT_SOCKS = 4,    /* SOCKS5, RFC 1928, no authentication */
	CTL_PORT_RESOLVER = 5, /* DNS messages framed as in RFC 7766 */
	CTL_PORTS
};

#define CTL_PUBLISHED_BASE 0x10000u /* + TCP port: PROXY v2 (spec 2.2) */
#define CTL_VERSION        1u
#define CTL_MSG_MAX        (1u << 20) /* longest payload, bytes */

enum ctl_type {
	/* launcher -> guest, before CTL_START, in any order */
	CTL_HELLO = 1,    /* uint32_t CTL_VERSION; always first */
	CTL_ARG = 2,      /* one argument, no NUL; in order, argv[0] first */
	CTL_ENV = 3,      /* one NAME=VALUE, no NUL */
	CTL_CWD = 4,      /* absolute path in the guest, no NUL */
	CTL_MOUNT = 5,    /* struct ctl_mount, tag, NUL, path (no NUL) */
	CTL_STDIO = 6,    /* struct ctl_stdio */
	CTL_HOSTNAME = 7, /* no NUL */
	CTL_OUTBOUND = 8, /* empty: --connect was given, use SOCKS */
	CTL_START = 9,    /* empty */
	CTL_CLOCK = 10,   /* uint64_t: now, nanoseconds since 1970 UTC; sent
			     right before CTL_START */

	/* launcher -> guest, at any time after CTL_START */
	CTL_SIGNAL = 16,     /* uint32_t signal number, Linux x86-64 */
	CTL_WINSIZE = 17,    /* struct ctl_winsize */
	CTL_SHARE_GONE = 18, /* tag, no NUL: its virtiofsd has died */
	CTL_ASK_COUNTS = 19, /* empty: answered by CTL_COUNTS */

	/* guest -> launcher */
	CTL_EXIT = 32,    /* struct ctl_exit; the last message */
	CTL_LISTEN = 33,  /* uint32_t TCP port that now listens; the launcher
			     accepts clients for it from then on */
	CTL_TERMIOS = 34, /* struct termios of Linux's TCSETS, 36 bytes */
	CTL_STARTED = 35, /* empty: main() is about to be called */
	CTL_COUNTS = 36,  /* struct ctl_counts */
};

struct ctl_msg {
	uint32_t type; /* enum ctl_type */
	uint32_t len;  /* bytes that follow, <= CTL_MSG_MAX */
};

#define CTL_MOUNT_RDONLY 1u

struct ctl_mount {
	uint32_t flags; /* CTL_MOUNT_* */
};

#define CTL_STDIO_OPEN(fd) (1u << (fd))       /* fd 0..2 is open */
#define CTL_STDIO_TTY(fd)  (1u << (8 + (fd))) /* ... and a terminal */
#define CTL_STDIO_ERR_IS_OUT                                                   \
	(1u << 16) /* 2 and 1 are the same open file:                          \
		      use the stdout stream for both,                          \
		      which keeps their order */

struct ctl_winsize {
	uint16_t rows, cols, xpixel, ypixel;
};

struct ctl_stdio {
	uint32_t flags;             /* CTL_STDIO_* */
	struct ctl_winsize winsize; /* zero where no terminal */
	uint8_t termios[36];        /* Linux's struct termios of TCGETS */
};

struct ctl_counts {
	uint64_t fs_requests; /* to all shares, so far */
	uint64_t memory;      /* bytes in use */
};

struct ctl_exit {
	uint32_t status; /* 0..255 from exit(); 128+n died of signal n */
	uint32_t signal; /* the signal, or 0 */
	uint64_t stdout_bytes, stderr_bytes; /* written in all */
};

_Static_assert(sizeof(struct ctl_msg) == 8, "wire format");
_Static_assert(sizeof(struct ctl_stdio) == 48, "wire format");
_Static_assert(sizeof(struct ctl_counts) == 16, "wire format");
_Static_assert(sizeof(struct ctl_exit) == 24, "wire format");

#endif
