/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control channel, guest side; see control.h and wire.h.
 *
 * The configuration is read by the first thread; after CTL_START a kernel
 * thread of its own reads what comes at run time.  Everything from the
 * launcher is checked for size: it is trusted to run us, not to be correct.
 */
#include "kernel/control/control.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/control/stdio.h"
#include "kernel/control/wire.h"
#include "kernel/fs/file.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/printk.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/page.h"
#include "kernel/net/inet.h"
#include "kernel/net/vsock.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/signal.h"
#include "kernel/sched/thread.h"

static char *no_argv[] = {"program", NULL};
static char *no_envp[] = {NULL};
struct control_config control_config = {
    .argv = no_argv, .envp = no_envp, .argc = 1};

char control_hostname[65] = "toril";
static struct stream *ctl; /* NULL: no launcher */
static uint32_t ctl_port;
static struct mutex send_lock = MUTEX_INIT(send_lock);

struct string_array {
	char **v;
	unsigned n, cap;
};

static int array_add(struct string_array *a, char *s)
{
	if (a->n + 1 >= a->cap) {
		unsigned cap = a->cap ? a->cap * 2 : 16;
		char **v = krealloc(a->v, cap * sizeof(*v));
		if (!v)
			return -ENOMEM;
		a->v = v;
		a->cap = cap;
	}
	a->v[a->n++] = s;
	a->v[a->n] = NULL;
	return 0;
}

/* Somebody may give memory back. */
static void memory_wait(void)
{
	(void)thread_sleep(clock_monotonic() + 10 * NSEC_PER_MSEC, false);
}

void control_send(unsigned type, const void *data, size_t n)
{
	struct ctl_msg m = {type, (uint32_t)n};
	uint8_t buf[sizeof(m) + 64], *at = buf;
	ssize_t r;

	if (!ctl || n > 64)
		return;
	memcpy(buf, &m, sizeof(m));
	memcpy(buf + sizeof(m), data, n);
	n += sizeof(m);
	MUTEX_GUARD(&send_lock);
	while (n) {
		r = stream_send_all(ctl, at, n);
		if (r == -ENOBUFS) {
			memory_wait();
		} else if (r > 0) {
			at += r;
			n -= (size_t)r;
		} else {
			return; /* there is no launcher any more */
		}
	}
}

/* Read one message; the payload is kmalloc'ed, with a NUL behind it.
 * `patient` waits for the memory. */
static int message_read(struct ctl_msg *m, char **payload, bool patient)
{
	ssize_t r = stream_recv_all(ctl, m, sizeof(*m));

	*payload = NULL;
	if (r != sizeof(*m))
		return r < 0 ? (int)r : -ECONNRESET;
	if (m->len > CTL_MSG_MAX)
		return -EPROTO;
	while (!(*payload = kmalloc(m->len + 1))) {
		if (!patient)
			return -ENOMEM;
		memory_wait();
	}
	r = m->len ? stream_recv_all(ctl, *payload, m->len) : 0;
	if (r != (ssize_t)m->len) {
		kfree(*payload);
		return r < 0 ? (int)r : -ECONNRESET;
	}
	(*payload)[m->len] = 0;
	return 0;
}

/* Mounts come in any order; a parent must exist before what is in it. */
struct mount_request {
	char *payload;
	size_t len;
};

#define MOUNTS_MAX 8

struct config_state {
	struct string_array argv, envp;
	struct mount_request mounts[MOUNTS_MAX];
	unsigned nr_mounts;
	char *cwd;
	bool started;
};

static int mount_add(struct config_state *s, char *payload, size_t len)
{
	if (len < sizeof(struct ctl_mount) + 2 || s->nr_mounts == MOUNTS_MAX)
		return -EPROTO;
	s->mounts[s->nr_mounts++] = (struct mount_request){payload, len};
	return 0;
}

/* Takes the payload over if it returns 1. */
static int config_message(
    struct config_state *s, const struct ctl_msg *m, char *payload)
{
	struct ctl_stdio io;
	uint32_t version;
	int err;

	switch (m->type) {
	case CTL_HELLO:
		if (m->len != sizeof(version))
			return -EPROTO;
		memcpy(&version, payload, sizeof(version));
		if (version == CTL_VERSION)
			return 0;
		printk("toril: the launcher speaks version %u, not %u\n",
		    version, CTL_VERSION);
		return -EPROTO;
	case CTL_ARG:
		err = array_add(&s->argv, payload);
		return err ? err : 1;
	case CTL_ENV:
		err = array_add(&s->envp, payload);
		return err ? err : 1;
	case CTL_CWD:
		s->cwd = payload;
		return 1;
	case CTL_MOUNT:
		err = mount_add(s, payload, m->len);
		return err ? err : 1;
	case CTL_STDIO:
		if (m->len != sizeof(io))
			return -EPROTO;
		memcpy(&io, payload, sizeof(io));
		return stdio_install(ctl_port, &io);
	case CTL_HOSTNAME:
		memcpy(control_hostname, payload,
		    min(m->len + 1ul, sizeof(control_hostname) - 1));
		return 0;
	case CTL_CLOCK:
		if (m->len != 8)
			return -EPROTO;
		clock_set_realtime(*(uint64_t *)payload);
		return 0;
	case CTL_OUTBOUND:
		inet_allow_outbound(ctl_port + CTL_PORT_SOCKS);
		return 0;
	case CTL_START:
		s->started = true;
		return 0;
	}
	return -EPROTO;
}

static size_t mount_path_len(const struct mount_request *r)
{
	return strlen(r->payload + sizeof(struct ctl_mount) +
		      strlen(r->payload + sizeof(struct ctl_mount)) + 1);
}

static int mount_one(const struct mount_request *r)
{
	const struct ctl_mount *m = (const void *)r->payload;
	const char *tag = r->payload + sizeof(*m);
	const char *path = tag + strlen(tag) + 1;
	int err;

	if (path >= r->payload + r->len)
		return -EPROTO;
	err = vfs_mount_virtiofs(tag, path, m->flags & CTL_MOUNT_RDONLY);
	if (err)
		printk("toril: can't mount %s: error %d\n", path, -err);
	return err;
}

/* Shortest path first: what others are mounted below. */
static int mounts_apply(struct config_state *s)
{
	int err = 0;

	for (unsigned done = 0; done < s->nr_mounts && !err; done++) {
		unsigned pick = done;
		for (unsigned i = done; i < s->nr_mounts; i++)
			if (mount_path_len(&s->mounts[i]) <
			    mount_path_len(&s->mounts[pick]))
				pick = i;
		struct mount_request r = s->mounts[pick];
		s->mounts[pick] = s->mounts[done];
		err = mount_one(&r);
		kfree(r.payload);
	}
	return err;
}

static int config_apply(struct config_state *s)
{
	int err = mounts_apply(s);

	if (err)
		return err;
	if (s->cwd && *s->cwd) {
		err = vfs_chdir(s->cwd);
		if (err) {
			printk("toril: working directory %s: error %d\n",
			    s->cwd, -err);
			return err;
		}
	}
	if (s->argv.n) {
		control_config.argv = s->argv.v;
		control_config.argc = s->argv.n;
	}
	if (s->envp.n) {
		control_config.envp = s->envp.v;
		control_config.envc = s->envp.n;
	}
	return 0;
}

static int config_read(void)
{
	struct config_state s = {.started = false};
	struct ctl_msg m;
	char *payload;
	int err = 0;

	while (!s.started && !err) {
		err = message_read(&m, &payload, false);
		if (err)
			return err;
		err = config_message(&s, &m, payload);
		if (err != 1)
			kfree(payload);
		err = min(err, 0);
	}
	return err ? err : config_apply(&s);
}

static void send_counts(void)
{
	struct ctl_counts counts = {
	    .fs_requests = __atomic_load_n(&fs_requests, __ATOMIC_RELAXED),
	    .memory = page_total() - page_available(),
	};

	control_send(CTL_COUNTS, &counts, sizeof(counts));
}

static void run_time_message(const struct ctl_msg *m, const char *payload)
{
	struct ctl_winsize w;
	uint32_t signo;

	if (m->type == CTL_SIGNAL && m->len == sizeof(signo)) {
		memcpy(&signo, payload, sizeof(signo));
		if (signo >= 1 && signo <= SIGNALS)
			(void)signal_send_process((int)signo, NULL);
	} else if (m->type == CTL_WINSIZE && m->len == sizeof(w)) {
		memcpy(&w, payload, sizeof(w));
		stdio_set_winsize(&w);
		(void)signal_send_process(SIG_WINCH, NULL);
	} else if (m->type == CTL_SHARE_GONE) {
		fs_share_gone(payload);
	} else if (m->type == CTL_ASK_COUNTS) {
		send_counts();
	}
}

static void listener_thread(void *arg)
{
	struct ctl_msg m;
	char *payload;

	(void)arg;
	while (message_read(&m, &payload, true) == 0) {
		run_time_message(&m, payload);
		kfree(payload);
	}
	/* The launcher is gone: nobody is left to run for. */
	machine_exit(1);
}

static int connect_launcher(void)
{
	struct vsock_conn *c;
	int err;

	c = vsock_connect(ctl_port, NULL, NULL, &err);
	if (!c)
		return err;
	(void)wait_event(
	    &c->s.wait, c->state != VSOCK_CONNECTING, DEADLINE_NEVER, false);
	if (!vsock_is_connected(c))
		return -ECONNREFUSED;
	ctl = &c->s;
	return 0;
}

/* Without a launcher the arguments, the first of which is the program's name,
 * are behind "--", where Linux has init's. */
static int alone_start(char *cmdline)
{
	struct string_array words = {.n = 0};
	const char *pos = NULL;
	int err = stdio_install_uart();

	if (!cmdline_next(cmdline, "--", &pos))
		return err;
	for (char *p = cmdline + (pos - cmdline); *p && !err;) {
		while (*p == ' ')
			*p++ = 0;
		if (*p)
			err = array_add(&words, p);
		while (*p && *p != ' ')
			p++;
	}
	if (words.n) {
		control_config.argv = words.v;
		control_config.argc = words.n;
	}
	return err;
}

int control_start(char *cmdline)
{
	const char *pos = NULL;
	const char *value = cmdline_next(cmdline, "toril.ctl", &pos);
	uint64_t port;
	int err;

	err = vfs_init();
	if (!err)
		err = etc_fill(vfs_root->inode);
	if (err)
		return err;
	if (!value)
		return alone_start(cmdline);
	if (!cmdline_number(&value, "", &port) || port > UINT32_MAX - CTL_PORTS)
		return -EINVAL;
	ctl_port = (uint32_t)port;
	err = connect_launcher();
	if (!err)
		err = config_read();
	if (!err) {
		etc_complete();
		err = thread_spawn_kernel("control", listener_thread, NULL);
	}
	return err;
}

void control_started(void)
{
	control_send(CTL_STARTED, NULL, 0);
}

void control_listening(uint16_t port)
{
	uint32_t p = port;

	control_send(CTL_LISTEN, &p, sizeof(p));
}

noreturn void control_exit(int status, int signo)
{
	static uint32_t exiting;
	struct ctl_exit e = {
	    .status = (uint32_t)status, .signal = (uint32_t)signo};

	if (!ctl)
		machine_exit((uint8_t)status);
	if (!__atomic_exchange_n(&exiting, 1, __ATOMIC_ACQ_REL)) {
		(void)fd_close_range(0, INT32_MAX);
		vfs_sync_all();
		e.stdout_bytes = stdio_written(1);
		e.stderr_bytes = stdio_written(2);
		control_send(CTL_EXIT, &e, sizeof(e));
	}
	for (;;)
		(void)thread_sleep(DEADLINE_NEVER, false);
}
