/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * toril-run: runs a Toril image under QEMU as if it were a process.
 *
 * The order matters: what can fail without a child is done first, then
 * virtiofsd, then QEMU.  Then one loop serves streams, signals and children,
 * until run_end() is called; only the guest's CTL_EXIT leads to the
 * program's own status.  At the end nothing is left: the children are killed
 * and waited for, the terminal is as it was, and sockets had no names.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/confine.h"
#include "host/progress.h"
#include "host/registry.h"
#include "host/run.h"
#include "host/stats.h"
#include "host/trace.h"

struct run run = {.vsock_fd = -1, .monitor_fd = {-1, -1}, .look_fd = -1};

void run_end(struct run *r, int status)
{
	if (r->ending)
		return;
	if (r->exited && status == (int)r->exit.status && debug_look(r))
		return;
	r->ending = true;
	r->status = status;
}

int vsock_accept(struct vsock *v, struct vsock_stream *s, unsigned role)
{
	(void)v;
	switch (role) {
	case CTL_PORT_CONTROL:
		return control_accept(&run, s);
	case CTL_PORT_STDIN:
	case CTL_PORT_STDOUT:
	case CTL_PORT_STDERR:
		return stdio_accept(&run, s, role);
	case CTL_PORT_SOCKS:
		return run.opt.outbound.count ? socks_accept(&run, s)
					      : -ECONNREFUSED;
	case CTL_PORT_RESOLVER:
		return run.opt.outbound.count ? resolver_accept(&run, s)
					      : -ECONNREFUSED;
	}
	return -ECONNREFUSED;
}

static void signal_pass(struct run *r, uint32_t number)
{
	bool ends = number == SIGINT || number == SIGTERM;

	if (!r->started && number == SIGCONT)
		return;
	if (!r->started || (ends && r->last_signal)) {
		run_end(r, 128 + (int)number);
		return;
	}
	if (ends)
		r->last_signal = (int)number;
	control_send(r, CTL_SIGNAL, &number, sizeof(number));
}

static void qemu_ended(struct run *r)
{
	int status = r->qemu.status;

	if (r->ending)
		return;
	child_show(&r->qemu);
	for (unsigned i = 0; i < r->opt.share_count; i++) {
		child_drain(&r->virtiofsd[i]);
		child_show(&r->virtiofsd[i]);
	}
	if (WIFSIGNALED(status))
		complain("the machine ended without an exit status of the "
			 "program: QEMU was killed by signal %d",
		    WTERMSIG(status));
	else
		complain("the machine ended without an exit status of the "
			 "program (QEMU's is %d)",
		    WEXITSTATUS(status));
	run_end(r, STATUS_FAILED);
}

/* Until the program has started the guest can't be told, and mounting would
 * wait for ever. */
void share_ended(struct run *r, unsigned i)
{
	if (r->started) {
		remark("the server of %s ended", r->opt.share[i].dir);
		control_share_gone(r, i);
		return;
	}
	if (r->ending)
		return;
	child_drain(&r->virtiofsd[i]);
	child_show(&r->virtiofsd[i]);
	complain("the server of %s ended before the program started",
	    r->opt.share[i].dir);
	run_end(r, STATUS_FAILED);
}

/* gdb has seen what there is to see, or could not. */
static void looker_ended(struct run *r)
{
	if (r->exited) {
		run_end(r, (int)r->exit.status);
		return;
	}
	if (r->ending)
		return;
	child_show(&r->looker);
	complain("%s ended before the program", r->looker.name);
	run_end(r, STATUS_FAILED);
}

static void children_reap(struct run *r)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (child_reap(&r->looker, pid, status))
			looker_ended(r);
		if (child_reap(&r->qemu, pid, status))
			qemu_ended(r);
		for (unsigned i = 0; i < r->opt.share_count; i++) {
			if (child_reap(&r->virtiofsd[i], pid, status))
				share_ended(r, i);
		}
	}
}

static void signals_ready(struct loop_fd *io, uint32_t events)
{
	struct signalfd_siginfo si;
	struct ctl_winsize ws;

	(void)events;
	while (read(io->fd, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGCHLD) {
			children_reap(&run);
		} else if (si.ssi_signo != SIGWINCH) {
			signal_pass(&run, si.ssi_signo);
		} else if (run.configured && stdio_winsize(&ws)) {
			control_send(&run, CTL_WINSIZE, &ws, sizeof(ws));
		}
	}
}

static struct loop_fd signals = {.fd = -1, .ready = signals_ready};

static int signals_open(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1,
	    SIGUSR2, SIGCHLD, SIGWINCH, SIGCONT};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		sigaddset(&set, numbers[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL); /* whoever started us may ignore it */
	signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals.fd < 0)
		return -errno;
	return loop_add(&signals, EPOLLIN);
}

static void timeout_fire(struct loop_timer *timer)
{
	(void)timer;
	complain("the program did not end within %u seconds", run.opt.timeout);
	run_end(&run, STATUS_TIMEOUT);
}

static struct loop_timer timeout = {.fire = timeout_fire};

static int run_prepare(struct run *r)
{
	struct rlimit files;

	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (loop_open() || signals_open()) {
		complain("cannot start: %s", strerror(errno));
		return -errno;
	}
	r->v = r->opt.vsock == VSOCK_BUILTIN ? NULL : vsock_kernel_open(r);
	if (!r->v && r->opt.vsock != VSOCK_VHOST)
		r->v = vsock_builtin_open(r);
	return r->v ? 0 : -ENODEV;
}

static int run_start(struct run *r)
{
	if (publish_open(r) || metrics_open(r))
		return -EADDRINUSE;
	registry_published(&r->opt);
	if (r->opt.timeout) {
		loop_timer_set(&timeout, r->opt.timeout * 1000);
	}
	if (r->opt.backend)
		return 0;
	if (virtiofsd_start(r) || trace_open(r) || qemu_start(r) ||
	    debug_helper_start(r))
		return -EIO;
	stats_prepare(r);
	debug_announce(r);
	if (!r->gdb || r->opt.strace || r->opt.perf)
		progress_begin("starting the machine", false);
	return 0;
}

/* From here on the guest can speak to us. */
static int run_confine(struct run *r)
{
	const struct confine c = {
	    .outbound = r->opt.outbound.count,
	    .vhost = r->vhost,
	    .unlinks = r->opt.backend || r->opt.gdb,
	};
	int ret;

	stdio_prepare();
	ret = confine(&c);
	if (ret)
		complain("cannot give up privileges: %s", strerror(-ret));
	return ret;
}

static void run_finish(struct run *r)
{
	struct child *list[SHARES_MAX + 2];
	unsigned n = 0;

	progress_end();
	child_drain(&r->qemu); /* what a dying program put on the console */
	child_drain(&r->looker);
	list[n++] = &r->qemu;
	list[n++] = &r->looker;
	for (unsigned i = 0; i < r->opt.share_count; i++)
		list[n++] = &r->virtiofsd[i];
	children_end(list, n);
	debug_finish(r);
	stats_finish();
	metrics_finish();
	trace_close();
	stdio_finish();
	publish_finish();
	if (r->v)
		r->v->stop(r->v);
	control_finish();
	loop_timer_cancel(&timeout);
	loop_close();
}

static int run_image(struct run *r)
{
	if (virtiofsd_prepare(r))
		return STATUS_FAILED;
	if (run_prepare(r) || debug_prepare(r))
		return STATUS_FAILED;
	if (r->opt.dry_run) {
		dry_run_print(r);
		r->v->stop(r->v);
		return 0;
	}
	if (run_start(r) || run_confine(r))
		run_end(r, STATUS_FAILED);
	while (!r->ending && !loop_turn())
		;
	run_finish(r);
	return r->status;
}

/* --prepare-share ro|rw COMMAND...: what --dry-run prints for virtiofsd */
static int prepare_share(char **argv)
{
	if (virtiofsd_isolate(!strcmp(argv[0], "ro")))
		return STATUS_FAILED;
	execvp(argv[1], argv + 1);
	complain("%s: %s", argv[1], strerror(errno));
	return STATUS_FAILED;
}

/* End as the program did; returns if the signal does not do that. */
static void die_of(uint32_t number)
{
	struct rlimit none = {0};
	sigset_t all;

	/* It is the guest's word: only what ends a process. */
	if (number >= NSIG || number == SIGSTOP || number == SIGTSTP ||
	    number == SIGTTIN || number == SIGTTOU)
		return;
	setrlimit(RLIMIT_CORE, &none); /* it would be the launcher's */
	signal((int)number, SIG_DFL);
	raise((int)number);
	sigfillset(&all);
	sigprocmask(SIG_UNBLOCK, &all, NULL);
}

int main(int argc, char **argv)
{
	char why[512];
	int status;

	stdio_init();
	if (argc > 3 && !strcmp(argv[1], "--prepare-share"))
		return prepare_share(argv + 2);
	if (argc == 6 && !strcmp(argv[1], "--look"))
		return debug_helper(argv + 2);
	status = options_parse(&run.opt, argc, argv, why, sizeof(why));
	if (status > 0)
		return 0;
	if (status < 0) {
		complain("%s", why);
		return STATUS_FAILED;
	}
	verbose = run.opt.verbose;
	log_time = run.opt.log_time;
	tzset(); /* the C library opens a file the first time, even for UTC */
	run.self = argv[0];
	run.argv = argv + run.opt.image;
	run.file = run.argv[0];
	if (run.opt.as_process)
		run.argv[0] = (char *)run.opt.as_process;
	status = image_open(&run.image, run.file, why, sizeof(why));
	if (status)
		complain("%s", why);
	else
		status = registry_enter(&run.opt, run.file);
	if (!status)
		status = run_image(&run);
	registry_leave(status);
	image_close(&run.image);
	if (run.opt.as_process && run.exited && run.exit.signal)
		die_of(run.exit.signal);
	options_free(&run.opt);
	return status;
}
