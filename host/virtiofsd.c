/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting virtiofsd, QEMU's own in C or its successor in Rust.
 *
 * Each share has its own, but for those of --fs-socket, which run already.  It
 * gets a listening socket to which QEMU's end is connected already, so that no
 * path need stay anywhere.
 *
 * As an ordinary user it runs in a user namespace of its own, in which that
 * user is root: the files it makes are the user's.  A read-only share makes
 * every mount of its own mount namespace read-only.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/run.h"

/* QEMU's own first: it is what this was tried with most. */
static const char *const places[] = {"/usr/lib/qemu/virtiofsd",
    "/usr/libexec/virtiofsd", "/usr/lib/virtiofsd",
    "/usr/local/libexec/virtiofsd"};

/* Descriptors beside the program's: its own, and one for each name that the
 * guest's kernel remembers, of which it drops those beyond 1,024. */
#define SERVER_FILES 2048u

static const char *virtiofsd_path(const struct run *r)
{
	const char *path =
	    r->opt.virtiofsd ? r->opt.virtiofsd : getenv("TORIL_VIRTIOFSD");

	if (path && *path)
		return path;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (!access(places[i], X_OK))
			return places[i];
	return "virtiofsd";
}

/* The Rust one knows --shared-dir. */
static bool virtiofsd_is_rust(const char *path)
{
	struct args a = {0};
	char line[1024];
	bool rust = false;
	FILE *help;
	int fds[2];
	pid_t pid;

	if (!strcmp(path, places[0]) || pipe2(fds, O_CLOEXEC))
		return false;
	args_add(&a, "%s", path);
	args_add(&a, "--help");
	pid = fork();
	if (!pid) {
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		execvp(a.v[0], a.v);
		_exit(STATUS_FAILED);
	}
	close(fds[1]);
	help = fdopen(fds[0], "r");
	while (help && fgets(line, sizeof(line), help))
		rust |= strstr(line, "--shared-dir") != NULL;
	if (help)
		fclose(help);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	args_free(&a);
	return rust;
}

/* The C one splits -o values at commas; a backslash keeps one. */
static char *comma_escape(const char *path)
{
	char *out = must_alloc(2 * strlen(path) + 1), *to = out;

	for (; *path; path++) {
		if (*path == ',' || *path == '\\')
			*to++ = '\\';
		*to++ = *path;
	}
	return out;
}

/* In namespaces of its own, virtiofsd pivots from the root to its source,
 * which works between mounts only: not from a plain chroot, nor to / itself. */
static bool can_pivot(const char *source)
{
	struct statx st;

	if (geteuid() || !strcmp(source, "/"))
		return false;
	if (statx(AT_FDCWD, "/", 0, STATX_BASIC_STATS, &st))
		return true;
	return !(st.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) ||
	       st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

void virtiofsd_args(
    const struct run *r, unsigned i, struct args *a, const char *dir)
{
	const char *path = virtiofsd_path(r), *source = r->opt.share[i].dir;
	const char *sandbox = can_pivot(source) ? "namespace" : "chroot";
	bool rust = virtiofsd_is_rust(path);
	char *escaped = comma_escape(source);

	if (dir) {
		args_add(a, "%s", r->self);
		args_add(a, "--prepare-share");
		args_add(a, r->opt.share[i].rdonly ? "ro" : "rw");
	}
	args_add(a, "%s", path);
	if (dir)
		args_add(a, "--socket-path=%s/fs%u", dir, i);
	else
		args_add(a, "--fd=%d", r->share_listen[i]);
	if (r->opt.files)
		args_add(a, "--rlimit-nofile=%u", r->opt.files + SERVER_FILES);
	if (rust) {
		args_add(a, "--shared-dir=%s", source);
		args_add(a, "--cache=auto");
		args_add(a, "--xattr");
		args_add(a, "--sandbox=%s", sandbox);
		args_add(a, "--log-level=warn");
	} else {
		args_add(a, "-f");
		args_add(a, "-o");
		args_add(a, "source=%s", escaped);
		args_add(a, "-o");
		args_add(a,
		    "cache=auto,xattr,posix_lock,sandbox=%s,log_level=warn",
		    sandbox);
	}
	free(escaped);
}

static int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* Become root of a user namespace where only this user exists. */
static int user_namespace(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char map[64];
	int ret;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS)) {
		ret = -errno;
		complain(
		    "sharing a directory as an ordinary user needs user "
		    "namespaces, which this system refuses; run as root "
		    "or allow them (sysctl kernel.unprivileged_userns_clone"
		    " or user.max_user_namespaces)");
		return ret;
	}
	ret = file_write("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", (unsigned)uid);
	if (!ret)
		ret = file_write("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", (unsigned)gid);
	if (!ret)
		ret = file_write("/proc/self/gid_map", map);
	return ret;
}

/* virtiofsd drops its supplementary groups, which a user namespace made by
 * an ordinary user forbids, and ends when it cannot.  They give it nothing
 * that this user has not: let it believe that they are gone. */
static int setgroups_pretend(void)
{
	struct sock_filter code[] = {
	    BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setgroups, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 0),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {ARRAY_SIZE(code), code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
		return -errno;
	return 0;
}

int virtiofsd_isolate(bool rdonly)
{
	struct mount_attr ro = {.attr_set = MOUNT_ATTR_RDONLY};
	bool user = geteuid() != 0;
	int ret = 0;

	if (user)
		ret = user_namespace();
	if (user && !ret)
		ret = setgroups_pretend();
	if (ret || !rdonly)
		return ret;
	if (!user && unshare(CLONE_NEWNS))
		return -errno;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &ro, sizeof(ro))) {
		ret = -errno;
		complain("cannot make a share read-only: %s", strerror(errno));
	}
	return ret;
}

static int share_prepare(struct child *c)
{
	return virtiofsd_isolate(run.opt.share[c - run.virtiofsd].rdonly);
}

int unix_pair(int *listener, int *client)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	const char *tmp = getenv("XDG_RUNTIME_DIR");
	int ret = 0;
	char *dir;

	dir = must_print("%s/toril-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	*listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*listener < 0 || *client < 0 || !mkdtemp(dir)) {
		ret = -errno;
		goto out;
	}
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/s", dir);
	if (bind(*listener, (struct sockaddr *)&sun, sizeof(sun)) ||
	    listen(*listener, 1) ||
	    connect(*client, (struct sockaddr *)&sun, sizeof(sun)))
		ret = -errno;
	unlink(sun.sun_path);
	rmdir(dir);
out:
	free(dir);
	return ret;
}

static int share_check(struct share_option *s)
{
	char *real = realpath(s->dir, NULL);
	struct stat st;

	if (s->socket && real) {
		free(real);
		return 0;
	}
	if (!real || stat(real, &st)) {
		complain("-v %s: %s", s->dir, strerror(errno));
		free(real);
		return -EINVAL;
	}
	if (!S_ISDIR(st.st_mode) || access(real, R_OK | X_OK)) {
		complain("-v %s: %s", s->dir,
		    S_ISDIR(st.st_mode) ? strerror(errno) : "not a directory");
		free(real);
		return -EINVAL;
	}
	free(s->dir);
	s->dir = real;
	return 0;
}

int virtiofsd_prepare(struct run *r)
{
	for (unsigned i = 0; i < r->opt.share_count; i++)
		if (share_check(&r->opt.share[i]))
			return -EINVAL;
	return 0;
}

static void virtiofsd_line(struct lines *l, char *text)
{
	(void)l;
	remark("virtiofsd: %s", text);
}

static void socket_ended(struct loop_fd *io, uint32_t events)
{
	unsigned i = (unsigned)(io - run.share_end);

	(void)events;
	loop_del(io);
	share_ended(&run, i);
}

/* The connection is QEMU's; its end is to be noticed here, too. */
static int socket_connect(struct run *r, unsigned i)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	const char *path = r->opt.share[i].dir;
	struct loop_fd *end = &r->share_end[i];
	int ret = -ENAMETOOLONG;

	r->share_fd[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (strlen(path) < sizeof(sun.sun_path)) {
		memcpy(sun.sun_path, path, strlen(path));
		ret = connect(
		    r->share_fd[i], (struct sockaddr *)&sun, sizeof(sun));
		ret = ret ? -errno : 0;
	}
	if (ret) {
		complain("cannot connect to %s: %s", path, strerror(-ret));
		return ret;
	}
	end->fd = fcntl(r->share_fd[i], F_DUPFD_CLOEXEC, 3);
	end->ready = socket_ended;
	return loop_add(end, EPOLLRDHUP);
}

int virtiofsd_start(struct run *r)
{
	for (unsigned i = 0; i < r->opt.share_count; i++) {
		struct child *c = &r->virtiofsd[i];
		struct args a = {0};
		int ret;

		if (r->opt.share[i].socket) {
			ret = socket_connect(r, i);
			if (ret)
				return ret;
			continue;
		}
		ret = unix_pair(&r->share_listen[i], &r->share_fd[i]);

		if (ret) {
			complain("cannot make a socket: %s", strerror(-ret));
			return ret;
		}
		virtiofsd_args(r, i, &a, NULL);
		c->name = "virtiofsd";
		c->prepare = share_prepare;
		c->out.line = virtiofsd_line;
		c->keep[0] = r->share_listen[i];
		c->keep[1] = -1;
		ret = child_start(c, &a);
		args_free(&a);
		close(r->share_listen[i]);
		r->share_listen[i] = -1;
		if (ret == -ENOENT)
			complain("install it (Debian 12: apt install "
				 "qemu-system-common) or say where it is with "
				 "--virtiofsd");
		if (ret)
			return ret;
	}
	return 0;
}
