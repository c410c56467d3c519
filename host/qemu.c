/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's command line and console.
 *
 * The vsock device is always the first one, the shares follow in the order
 * of their -v options.  Nothing but a panic or a crash is printed on the
 * console, so all of it goes to stderr, with names put to its addresses.
 */
#include <linux/capability.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/confine.h"
#include "host/progress.h"
#include "host/run.h"
#include "host/trace.h"

const char *qemu_path(const struct run *r)
{
	const char *path = r->opt.qemu ? r->opt.qemu : getenv("TORIL_QEMU");

	return path && *path ? path : "qemu-system-x86_64";
}

/* There are machines whose /dev/kvm opens and where guests then hang: their
 * CPUs do not say that they can do it. */
static bool kvm_works(void)
{
	char line[8192];
	bool cpu = false;
	FILE *info;
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return false;
	close(fd);
	info = fopen("/proc/cpuinfo", "re");
	while (info && !cpu && fgets(line, sizeof(line), info))
		cpu = !strncmp(line, "flags", 5) &&
		      (strstr(line, " vmx") || strstr(line, " svm"));
	if (info)
		fclose(info);
	return cpu;
}

/* At `path`; else at dir/id, or `fd` if there is no `dir`. */
static void chardev_add(
    struct args *a, const char *id, const char *dir, const char *path, int fd)
{
	args_add(a, "-chardev");
	if (path)
		args_add(a, "socket,id=%s,path=%s", id, path);
	else if (dir)
		args_add(a, "socket,id=%s,path=%s/%s", id, dir, id);
	else
		args_add(a, "socket,id=%s,fd=%d", id, fd);
}

static void devices_add(const struct run *r, struct args *a, const char *dir)
{
	char id[16];

	if (r->vhost) {
		args_add(a, "-device");
		if (dir)
			args_add(a, "vhost-vsock-device,guest-cid=%u",
			    r->v->guest_cid);
		else
			args_add(a,
			    "vhost-vsock-device,guest-cid=%u,vhostfd=%d",
			    r->v->guest_cid, r->vsock_fd);
	} else {
		chardev_add(a, "vsock", dir, NULL, r->vsock_fd);
		args_add(a, "-device");
		args_add(a, "vhost-user-vsock-device,chardev=vsock");
	}
	for (unsigned i = 0; i < r->opt.share_count; i++) {
		snprintf(id, sizeof(id), "fs%u", i);
		chardev_add(a, id, dir,
		    dir && r->opt.share[i].socket ? r->opt.share[i].dir : NULL,
		    r->share_fd[i]);
		args_add(a, "-device");
		args_add(a, "vhost-user-fs-device,chardev=%s,tag=%s", id, id);
	}
}

void qemu_args(const struct run *r, struct args *a, const char *dir)
{
	bool kvm = r->opt.accel == ACCEL_KVM ||
		   (r->opt.accel == ACCEL_AUTO && kvm_works());
	unsigned long k = (unsigned long)(r->opt.memory >> 10);
	static const char *const fixed[] = {"-M",
	    "microvm,acpi=off,pic=off,pit=off,rtc=on,isa-serial=on,"
	    "memory-backend=mem",
	    "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
	    "-serial", "stdio", "-cpu", "max", "-global",
	    "virtio-mmio.force-legacy=false", "-device",
	    "isa-debug-exit,iobase=0x501,iosize=2"};
	char files[32] = "";

	args_add(a, "%s", qemu_path(r));
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		args_add(a, "%s", fixed[i]);
	args_add(a, "-sandbox");
	args_add(a, "on,obsolete=deny,elevateprivileges=deny,spawn=deny,"
		    "resourcecontrol=deny");
	args_add(a, "-accel");
	args_add(a, "%s", kvm ? "kvm" : "tcg,thread=multi");
	args_add(a, "-smp");
	args_add(a, "%u", r->opt.cpus);
	args_add(a, "-m");
	args_add(a, "%luk", k);
	args_add(a, "-object");
	args_add(a, "memory-backend-memfd,id=mem,size=%luk,share=on", k);
	devices_add(r, a, dir);
	args_add(a, "-kernel");
	args_add(a, "%s", r->file);
	args_add(a, "-append");
	if (r->opt.files)
		snprintf(files, sizeof(files), " toril.files=%u", r->opt.files);
	args_add(a, "toril.ctl=%u%s%s%s%s", r->v->control_port,
	    r->opt.verbose ? " toril.verbose" : "",
	    r->opt.dedicate ? " toril.dedicate" : "", files,
	    r->opt.trace ? " toril.trace" : "");
	if (r->monitor_fd[1] >= 0) {
		args_add(a, "-chardev");
		args_add(a, "socket,id=monitor,fd=%d", r->monitor_fd[1]);
		args_add(a, "-mon");
		args_add(a, "chardev=monitor,mode=readline");
	}
	if (r->opt.gdb) {
		args_add(a, "-S");
		args_add(a, "-gdb");
		args_add(a, "unix:%s,server=on,wait=off", r->gdb);
	}
	trace_args(r, a);
	for (unsigned i = 0; i < r->opt.qemu_arg_count; i++)
		args_add(a, "%s", r->opt.qemu_args[i]);
}

static void console_line(struct lines *l, char *text)
{
	struct child *c = container_of(l, struct child, out);

	progress_hide();
	debug_line(container_of(c, struct run, qemu), text);
	image_print_line(
	    &container_of(c, struct run, qemu)->image, text, stderr);
	fflush(stderr);
}

static int qemu_prepare(struct child *c)
{
	struct run *r = container_of(c, struct run, qemu);
	/* Root keeps what opening the user's files takes; nobody gains any. */
	int ret =
	    privileges_drop(1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH);

	if (ret)
		return ret;
	for (unsigned i = 0; i < r->opt.share_count; i++)
		fcntl(r->share_fd[i], F_SETFD, 0);
	return 0;
}

int qemu_start(struct run *r)
{
	struct args a = {0};
	int ret;

	qemu_args(r, &a, NULL);
	r->qemu.name = "QEMU";
	r->qemu.out.line = console_line;
	r->qemu.prepare = qemu_prepare;
	r->qemu.keep[0] = r->vsock_fd;
	r->qemu.keep[1] = r->monitor_fd[1];
	ret = child_start(&r->qemu, &a);
	args_free(&a);
	if (ret)
		complain("install it (Debian: apt install qemu-system-x86) "
			 "or say where it is with --qemu");
	if (r->vsock_fd >= 0)
		close(r->vsock_fd);
	r->vsock_fd = -1;
	if (r->monitor_fd[1] >= 0)
		close(r->monitor_fd[1]);
	r->monitor_fd[1] = -1;
	for (unsigned i = 0; i < r->opt.share_count; i++) {
		close(r->share_fd[i]);
		r->share_fd[i] = -1;
	}
	return ret;
}

/* Ourselves again, with the options that the back-end needs. */
static void backend_print(struct run *r, const char *dir)
{
	struct args a = {0};
	char text[ADDRESS_TEXT];

	args_add(&a, "%s", r->self);
	args_add(&a, "--vsock-backend");
	if (r->vhost)
		args_add(
		    &a, "vhost:%u:%u", r->v->guest_cid, r->v->control_port);
	else
		args_add(&a, "%s/vsock", dir);
	for (unsigned i = 0; i < r->opt.publish_count; i++) {
		args_add(&a, "-p");
		args_add(&a, "%s:%u",
		    address_print(&r->opt.publish[i].address, text),
		    r->opt.publish[i].guest_port);
	}
	for (unsigned i = 0; i < r->opt.share_count; i++) {
		args_add(&a, r->opt.share[i].socket ? "--fs-socket" : "-v");
		args_add(&a, "%s:%s%s", r->opt.share[i].dir,
		    r->opt.share[i].path, r->opt.share[i].rdonly ? ":ro" : "");
	}
	for (unsigned i = 0; i < r->opt.env_count; i++)
		args_add(&a, "--env=%s", r->opt.env[i]);
	for (unsigned i = 0; i < r->opt.connect_count; i++)
		args_add(&a, "--connect=%s", r->opt.connect[i]);
	if (r->opt.connections)
		args_add(&a, "--max-connections=%u", r->opt.connections);
	if (r->opt.workdir)
		args_add(&a, "--workdir=%s", r->opt.workdir);
	if (r->opt.timeout)
		args_add(&a, "--timeout=%u", r->opt.timeout);
	if (r->opt.as_process) {
		args_add(&a, "--as-process");
		args_add(&a, "%s", r->argv[0]);
	}
	args_add(&a, "%s", r->file);
	for (char **arg = r->argv + 1; *arg; arg++)
		args_add(&a, "%s", *arg);
	args_print(&a, stdout);
	putchar('\n');
	args_free(&a);
}

/* A script: virtiofsd and QEMU in the background, then our own part, whose
 * end, and exit status, is that of the whole. */
void dry_run_print(struct run *r)
{
	const char *tmp = getenv("XDG_RUNTIME_DIR");
	char *dir = must_print(
	    "%s/toril-%d", tmp && *tmp ? tmp : "/tmp", (int)getpid());
	struct args a = {0};

	printf("mkdir -m 700 %s\n", dir);
	for (unsigned i = 0; i < r->opt.share_count; i++) {
		if (r->opt.share[i].socket)
			continue;
		virtiofsd_args(r, i, &a, dir);
		args_print(&a, stdout);
		puts(" &");
		args_free(&a);
	}
	printf("( until ");
	if (!r->vhost)
		printf("[ -S %s/vsock ] && ", dir);
	for (unsigned i = 0; i < r->opt.share_count; i++)
		if (!r->opt.share[i].socket)
			printf("[ -S %s/fs%u ] && ", dir, i);
	puts("true; do sleep 0.1; done");
	printf("  exec ");
	qemu_args(r, &a, dir);
	args_print(&a, stdout);
	args_free(&a);
	puts(" </dev/null >&2 ) &");
	backend_print(r, dir);
	printf("status=$?; rm -r %s; ( exit $status )\n", dir);
	free(dir);
}
