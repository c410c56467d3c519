/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One run of one image: what the launcher's parts know of each other.
 */
#ifndef TORIL_HOST_RUN_H
#define TORIL_HOST_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "host/child.h"
#include "host/image.h"
#include "host/options.h"
#include "host/vsock.h"
#include "kernel/control/wire.h"

struct run {
	struct options opt;
	char **argv;      /* of the guest */
	const char *file; /* the image's */
	char *self;       /* how to start ourselves again, for --dry-run */
	struct image image;
	struct vsock *v;
	struct child qemu, virtiofsd[SHARES_MAX];
	int share_fd[SHARES_MAX]; /* QEMU's connection to virtiofsd */
	int share_listen[SHARES_MAX];
	struct loop_fd share_end[SHARES_MAX]; /* of --fs-socket, watched */
	int vsock_fd;         /* QEMU's connection to us, or its vhost-vsock */
	bool vhost;           /* the kernel carries the streams */
	bool configured;      /* the guest has connected, and knows all */
	bool started, exited; /* as the guest says */
	bool share_gone[SHARES_MAX];
	struct ctl_exit exit;
	char *gdb;           /* --gdb: the socket */
	int monitor_fd[2];   /* QEMU's: our end, its end */
	struct child looker; /* gdb, which looks at a crash */
	int look_fd;         /* ... when told so here */
	uint64_t fault;      /* the address that the guest named ... */
	bool faulted;        /* ... if so */
	int last_signal;     /* the SIGINT or SIGTERM already passed on */
	bool ending;
	int status;
};

/* main.c: end with this status, at the end of this turn. */
void run_end(struct run *run, int status);
void share_ended(struct run *run, unsigned i); /* what served it has gone */

/* qemu.c: `dir` is where sockets are if the commands are only printed. */
void qemu_args(const struct run *run, struct args *a, const char *dir);
int qemu_start(struct run *run);
const char *qemu_path(const struct run *run);
void dry_run_print(struct run *run);

/* virtiofsd.c */
int virtiofsd_prepare(struct run *run); /* sockets; check the directories */
int virtiofsd_start(struct run *run);
int virtiofsd_isolate(bool rdonly); /* in its process, before exec */
void virtiofsd_args(
    const struct run *run, unsigned i, struct args *a, const char *dir);

/* A connected pair: `*listener` accepts what `*client` is connected to. */
int unix_pair(int *listener, int *client);

/* debug.c: --gdb.  0, or -errno after a message. */
int debug_prepare(struct run *run);         /* choose the socket */
void debug_announce(const struct run *run); /* say how to attach */
void debug_finish(struct run *run);
/* Before the launcher confines itself: the child that will start gdb.  0, or
 * -errno after a message.  In it: debug_helper(), with what follows --look. */
int debug_helper_start(struct run *run);
int debug_helper(char **argv);
/* A line of the guest's console. */
void debug_line(struct run *run, const char *text);
/* The program has ended: whether gdb is looking at what it left.  When it has
 * seen enough, run_end() is called once more. */
bool debug_look(struct run *run);

/* control.c */
int control_accept(struct run *run, struct vsock_stream *s);
void control_send(
    struct run *run, uint32_t type, const void *data, uint32_t len);
void control_share_gone(struct run *run, unsigned i);
void control_finish(void);

/* stdio.c */
void stdio_init(void);    /* first of all: no descriptor below 3 is free */
void stdio_prepare(void); /* open what streams will need */
int stdio_accept(struct run *run, struct vsock_stream *s, unsigned fd);
void stdio_describe(struct ctl_stdio *to);
void stdio_termios(const uint8_t *termios); /* 36 bytes */
bool stdio_winsize(struct ctl_winsize *to);
void stdio_check_exit(struct run *run); /* after run->exited */
void stdio_finish(void);                /* the terminal as it was */

/* publish.c.  A connection more or fewer, of either direction: whether there
 * may be one more; one that has ended lets the next client in. */
bool connection_take(void);
void connection_give(void);
int publish_open(struct run *run); /* listen */
void publish_enable(struct run *run, uint32_t guest_port);
/* Clients that the guest's last words have not reached yet. */
unsigned publish_undrained(void);
void publish_finish(void);

/* socks.c, resolver.c */
int socks_accept(struct run *run, struct vsock_stream *s);
int resolver_accept(struct run *run, struct vsock_stream *s);

/* carriers; NULL after a message */
struct vsock *vsock_builtin_open(struct run *run);
struct vsock *vsock_kernel_open(struct run *run);
int vsock_accept(struct vsock *v, struct vsock_stream *s, unsigned role);

extern struct run run;

#endif
