/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is in /proc, and the files about the system; proc(5).
 *
 * Values that nothing here could mean are those of an idle machine: no swap,
 * no load average, no block devices.
 */
#include "posix/proc.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/control/control.h"
#include "kernel/fs/mqueue.h"
#include "kernel/fs/path.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/mm/page.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/mutex.h"
#include "kernel/sched/process.h"
#include "kernel/sched/thread.h"
#include "posix/clock.h"
#include "posix/version.h"

typedef unsigned long long ull;

static void write_meminfo(struct proc_text *t)
{
	ull total = page_total() / KIB, free = page_available() / KIB;

	proc_add(t,
	    "MemTotal:       %8llu kB\nMemFree:        %8llu kB\n"
	    "MemAvailable:   %8llu kB\nBuffers:               0 kB\n"
	    "Cached:                0 kB\nSwapCached:            0 kB\n"
	    "SwapTotal:             0 kB\nSwapFree:              0 kB\n"
	    "Hugepagesize:       2048 kB\n",
	    total, free, free);
}

struct feature {
	uint8_t leaf, reg, bit; /* leaf 1 or 7; reg 1 ebx, 2 ecx, 3 edx */
	char name[13];
};

static const struct feature features[] = {
    {1, 3, 0, "fpu"},
    {1, 3, 4, "tsc"},
    {1, 3, 5, "msr"},
    {1, 3, 6, "pae"},
    {1, 3, 8, "cx8"},
    {1, 3, 9, "apic"},
    {1, 3, 15, "cmov"},
    {1, 3, 19, "clflush"},
    {1, 3, 23, "mmx"},
    {1, 3, 24, "fxsr"},
    {1, 3, 25, "sse"},
    {1, 3, 26, "sse2"},
    {1, 2, 0, "pni"},
    {1, 2, 1, "pclmulqdq"},
    {1, 2, 9, "ssse3"},
    {1, 2, 12, "fma"},
    {1, 2, 13, "cx16"},
    {1, 2, 19, "sse4_1"},
    {1, 2, 20, "sse4_2"},
    {1, 2, 22, "movbe"},
    {1, 2, 23, "popcnt"},
    {1, 2, 25, "aes"},
    {1, 2, 26, "xsave"},
    {1, 2, 28, "avx"},
    {1, 2, 29, "f16c"},
    {1, 2, 30, "rdrand"},
    {1, 2, 31, "hypervisor"},
    {7, 1, 0, "fsgsbase"},
    {7, 1, 3, "bmi1"},
    {7, 1, 5, "avx2"},
    {7, 1, 7, "smep"},
    {7, 1, 8, "bmi2"},
    {7, 1, 9, "erms"},
    {7, 1, 18, "rdseed"},
    {7, 1, 19, "adx"},
    {7, 1, 20, "smap"},
    {7, 1, 29, "sha_ni"},
};

static void write_features(struct proc_text *t)
{
	uint32_t one[4], seven[4];

	cpu_cpuid(1, 0, one);
	cpu_cpuid(7, 0, seven);
	proc_add(t, "flags\t\t:");
	for (unsigned i = 0; i < ARRAY_LEN(features); i++) {
		const struct feature *f = &features[i];
		const uint32_t *r = f->leaf == 1 ? one : seven;
		if (r[f->reg] >> f->bit & 1)
			proc_add(t, " %s", f->name);
	}
	proc_add(t, "\n\n");
}

static void write_cpu(struct proc_text *t, unsigned id)
{
	uint32_t r[4], name[13] = {0};
	unsigned family, model;

	cpu_cpuid(0, 0, r);
	proc_add(t, "processor\t: %u\nvendor_id\t: %.4s%.4s%.4s\n", id,
	    (char *)&r[1], (char *)&r[3], (char *)&r[2]);
	cpu_cpuid(1, 0, r);
	family = r[0] >> 8 & 15;
	model = (r[0] >> 4 & 15) | (r[0] >> 12 & 0xf0);
	if (family == 15)
		family += r[0] >> 20 & 255;
	proc_add(t, "cpu family\t: %u\nmodel\t\t: %u\n", family, model);
	for (uint32_t i = 0; i < 3; i++)
		cpu_cpuid(0x80000002 + i, 0, &name[4 * i]);
	proc_add(
	    t, "model name\t: %s\nstepping\t: %u\n", (char *)name, r[0] & 15);
	proc_add(t, "siblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n",
	    cpus_online, id, cpus_online);
	proc_add(t, "apicid\t\t: %u\n", cpus[id]->apic_id);
	write_features(t);
}

static void write_cpuinfo(struct proc_text *t)
{
	for (unsigned id = 0; id < cpus_online; id++)
		write_cpu(t, id);
}

static uint64_t idle_ns(void)
{
	uint64_t ns = 0;

	for (unsigned id = 0; id < cpus_online; id++)
		ns += thread_cpu_time(cpus[id]->idle);
	return ns;
}

static void write_uptime(struct proc_text *t)
{
	ull up = clock_monotonic() / (NSEC_PER_SEC / 100);
	ull idle = idle_ns() / (NSEC_PER_SEC / 100);

	proc_add(t, "%llu.%02llu %llu.%02llu\n", up / 100, up % 100, idle / 100,
	    idle % 100);
}

static void write_loadavg(struct proc_text *t)
{
	proc_add(
	    t, "0.00 0.00 0.00 1/%u %u\n", thread_count() + 1, PROCESS_PID);
}

static void write_times(struct proc_text *t, uint64_t up, uint64_t idle)
{
	uint64_t tick = NSEC_PER_SEC / PROC_TICKS;
	uint64_t user = up > idle ? up - idle : 0;

	proc_add(t, " %llu 0 0 %llu 0 0 0 0 0 0\n", (ull)(user / tick),
	    (ull)(idle / tick));
}

static void write_system_stat(struct proc_text *t)
{
	uint64_t up = clock_monotonic();

	proc_add(t, "cpu ");
	write_times(t, up * cpus_online, idle_ns());
	for (unsigned id = 0; id < cpus_online; id++) {
		proc_add(t, "cpu%u", id);
		write_times(t, up, thread_cpu_time(cpus[id]->idle));
	}
	proc_add(t,
	    "intr 0\nctxt 0\nbtime %llu\nprocesses 2\n"
	    "procs_running 1\nprocs_blocked 0\nsoftirq 0\n",
	    (ull)((clock_realtime() - clock_monotonic()) / NSEC_PER_SEC));
}

static void write_mounts(struct proc_text *t)
{
	struct fs *fs;

	list_for_each (fs, &vfs_mounts, node)
		proc_add(t, "%s %s %s %s 0 0\n", fs->source, fs->path, fs->type,
		    fs->rdonly ? "ro" : "rw");
}

static void write_mountinfo(struct proc_text *t)
{
	struct fs *fs;

	list_for_each (fs, &vfs_mounts, node) {
		const char *mode = fs->rdonly ? "ro" : "rw";
		proc_add(t, "%u 0 0:%u / %s %s - %s %s %s\n", fs->dev, fs->dev,
		    fs->path, mode, fs->type, fs->source, mode);
	}
}

static void write_filesystems(struct proc_text *t)
{
	proc_add(t, "nodev\ttmpfs\nnodev\tproc\nnodev\tdevtmpfs\n"
		    "nodev\tvirtiofs\n");
}

static void write_version(struct proc_text *t)
{
	proc_add(t, "Linux version %s (%s)\n", KERNEL_RELEASE, KERNEL_VERSION);
}

static void write_ostype(struct proc_text *t)
{
	proc_add(t, "Linux\n");
}

static void write_osrelease(struct proc_text *t)
{
	proc_add(t, "%s\n", KERNEL_RELEASE);
}

static void write_os_version(struct proc_text *t)
{
	proc_add(t, "%s\n", KERNEL_VERSION);
}

static void write_hostname(struct proc_text *t)
{
	proc_add(t, "%s\n", control_hostname);
}

static void add_uuid(struct proc_text *t, const uint8_t b[16])
{
	for (unsigned i = 0; i < 16; i++)
		proc_add(t, "%s%02x",
		    i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
	proc_add(t, "\n");
}

static void uuid_new(uint8_t b[16])
{
	random_bytes(b, 16);
	b[6] = (b[6] & 15) | 0x40;
	b[8] = (b[8] & 63) | 0x80;
}

static void write_uuid(struct proc_text *t)
{
	uint8_t b[16];

	uuid_new(b);
	add_uuid(t, b);
}

static void write_boot_id(struct proc_text *t)
{
	static struct mutex once = MUTEX_INIT(once);
	static uint8_t b[16];

	MUTEX_GUARD(&once);
	if (!b[8]) /* a variant bit is set in any */
		uuid_new(b);
	add_uuid(t, b);
}

/* Limits and settings that are fixed here. */
#define SETTING(fn, text)                                                      \
	static void fn(struct proc_text *t)                                    \
	{                                                                      \
		proc_add(t, text "\n");                                        \
	}
SETTING(write_0, "0")
SETTING(write_1, "1")
SETTING(write_256, "256")
SETTING(write_2, "2")
SETTING(write_32768, "32768")
SETTING(write_4096, "4096")
SETTING(write_1024, "1024")
SETTING(write_8192, "8192")
SETTING(write_16384, "16384")
SETTING(write_65536, "65536")
SETTING(write_1048576, "1048576")
SETTING(write_cap_last, "40")
SETTING(write_10, "10")
SETTING(write_sem, "32000\t1024000000\t500\t256")
SETTING(write_ports, "32768\t60999")

static int link_exe(char *buf, size_t size)
{
	size_t n;

	if (!control_config.argc)
		return -ENOENT;
	n = min(strlen(control_config.argv[0]), size);
	memcpy(buf, control_config.argv[0], n);
	return (int)n;
}

static int link_place(struct dentry *d, char *buf, size_t size)
{
	int n = dentry_path(d, buf, size);

	return n < 0 ? n : n - 1;
}

static int link_cwd(char *buf, size_t size)
{
	struct dentry *d = path_cwd();
	int n = link_place(d, buf, size);

	dentry_put(d);
	return n;
}

static int link_root(char *buf, size_t size)
{
	return link_place(path_root(), buf, size);
}

static int link_self(char *buf, size_t size)
{
	(void)size;
	buf[0] = '0' + PROCESS_PID;
	return 1;
}

static int link_mounts(char *buf, size_t size)
{
	(void)size;
	memcpy(buf, "self/mounts", 11);
	return 11;
}

enum row {
	ROOT,
	INIT,
	SELF,
	FD,
	SYS,
	KERNEL,
	RANDOM,
	VM,
	FS,
	MQUEUE,
	INOTIFY,
	NET,
	CORE,
	IPV4,
	TORIL,
};

#define DIR_MODE  0040555
#define LINK_MODE 0120777
#define FILE_MODE 0100444

#define DIR(row, name, parent) [row] = {name, parent, DIR_MODE, {NULL}}
#define TEXT(name, parent, fn)                                                 \
	{                                                                      \
		name, parent, FILE_MODE,                                       \
		{                                                              \
			.write = fn                                            \
		}                                                              \
	}
#define LINK(name, parent, fn)                                                 \
	{                                                                      \
		name, parent, LINK_MODE,                                       \
		{                                                              \
			.target = fn                                           \
		}                                                              \
	}

const struct proc_node proc_nodes[] = {
    DIR(ROOT, "", ROOT),
    DIR(INIT, "1", ROOT),
    DIR(SELF, "2", ROOT),
    DIR(FD, "fd", SELF),
    DIR(SYS, "sys", ROOT),
    DIR(KERNEL, "kernel", SYS),
    DIR(RANDOM, "random", KERNEL),
    DIR(VM, "vm", SYS),
    DIR(FS, "fs", SYS),
    DIR(MQUEUE, "mqueue", FS),
    DIR(INOTIFY, "inotify", FS),
    DIR(NET, "net", SYS),
    DIR(CORE, "core", NET),
    DIR(IPV4, "ipv4", NET),
    DIR(TORIL, "toril", ROOT),
    TEXT("objects", TORIL, proc_write_objects),
    LINK("self", ROOT, link_self),
    LINK("thread-self", ROOT, link_self),
    LINK("exe", SELF, link_exe),
    LINK("cwd", SELF, link_cwd),
    LINK("root", SELF, link_root),
    TEXT("cmdline", SELF, proc_write_cmdline),
    TEXT("comm", SELF, proc_write_comm),
    TEXT("environ", SELF, proc_write_environ),
    TEXT("limits", SELF, proc_write_limits),
    TEXT("maps", SELF, proc_write_maps),
    TEXT("mountinfo", SELF, write_mountinfo),
    TEXT("mounts", SELF, write_mounts),
    TEXT("oom_score_adj", SELF, write_0),
    TEXT("stat", SELF, proc_write_stat),
    TEXT("statm", SELF, proc_write_statm),
    TEXT("status", SELF, proc_write_status),
    TEXT("cmdline", INIT, proc_write_init_cmdline),
    TEXT("comm", INIT, proc_write_init_comm),
    TEXT("stat", INIT, proc_write_init_stat),
    TEXT("status", INIT, proc_write_init_status),
    LINK("mounts", ROOT, link_mounts),
    TEXT("cpuinfo", ROOT, write_cpuinfo),
    TEXT("filesystems", ROOT, write_filesystems),
    TEXT("loadavg", ROOT, write_loadavg),
    TEXT("meminfo", ROOT, write_meminfo),
    TEXT("stat", ROOT, write_system_stat),
    TEXT("uptime", ROOT, write_uptime),
    TEXT("version", ROOT, write_version),
    TEXT("cap_last_cap", KERNEL, write_cap_last),
    TEXT("hostname", KERNEL, write_hostname),
    TEXT("msgmax", KERNEL, write_8192),
    TEXT("msgmnb", KERNEL, write_16384),
    TEXT("msgmni", KERNEL, write_256),
    TEXT("ngroups_max", KERNEL, write_65536),
    TEXT("osrelease", KERNEL, write_osrelease),
    TEXT("ostype", KERNEL, write_ostype),
    TEXT("pid_max", KERNEL, write_32768),
    TEXT("randomize_va_space", KERNEL, write_2),
    TEXT("sem", KERNEL, write_sem),
    TEXT("shmmni", KERNEL, write_256),
    TEXT("threads-max", KERNEL, write_32768),
    TEXT("version", KERNEL, write_os_version),
    TEXT("boot_id", RANDOM, write_boot_id),
    TEXT("entropy_avail", RANDOM, write_256),
    TEXT("uuid", RANDOM, write_uuid),
    TEXT("overcommit_memory", VM, write_1),
    TEXT("swappiness", VM, write_0),
    TEXT("max_map_count", VM, write_65536),
    TEXT("file-max", FS, write_1048576),
    TEXT("nr_open", FS, write_1048576),
    TEXT("pipe-max-size", FS, write_1048576),
    TEXT("msg_default", MQUEUE, write_10),
    TEXT("msg_max", MQUEUE, write_10),
    TEXT("msgsize_default", MQUEUE, write_8192),
    TEXT("msgsize_max", MQUEUE, write_8192),
    TEXT("queues_max", MQUEUE, write_256),
    TEXT("max_queued_events", INOTIFY, write_16384),
    TEXT("max_user_instances", INOTIFY, write_1024),
    TEXT("max_user_watches", INOTIFY, write_65536),
    TEXT("somaxconn", CORE, write_4096),
    TEXT("ip_local_port_range", IPV4, write_ports),
};
const unsigned proc_nr_nodes = ARRAY_LEN(proc_nodes);
const unsigned proc_fd_row = FD;
