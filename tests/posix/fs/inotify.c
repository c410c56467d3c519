/* SPDX-License-Identifier: BSD-2-Clause */
/* inotify: the events of what this program itself does. */
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/posix/check.h"

static int fd;
static char buf[4096];
static size_t have, at;

static const struct inotify_event *next(void)
{
	const struct inotify_event *e;
	ssize_t n;

	if (at == have) {
		n = read(fd, buf, sizeof(buf));
		CHECK(n > 0);
		have = (size_t)n;
		at = 0;
	}
	e = (const struct inotify_event *)(buf + at);
	at += sizeof(*e) + e->len;
	return e;
}

static void expect(int wd, uint32_t mask, const char *name)
{
	const struct inotify_event *e = next();

	if (e->wd != wd || e->mask != mask ||
	    strcmp(e->len ? e->name : "", name)) {
		fprintf(stderr, "got %d %#x %s, expected %d %#x %s\n", e->wd,
		    e->mask, e->len ? e->name : "", wd, mask, name);
		_Exit(1);
	}
}

static void nothing(void)
{
	struct pollfd p = {fd, POLLIN, 0};
	int n;

	CHECK(at == have && poll(&p, 1, 0) == 0);
	CHECK(!ioctl(fd, FIONREAD, &n) && n == 0);
}

static void directory(int d)
{
	uint32_t cookie;
	int f = open("d/f", O_CREAT | O_WRONLY, 0600);

	CHECK(write(f, "x", 1) == 1 && !close(f));
	expect(d, IN_CREATE, "f");
	expect(d, IN_OPEN, "f");
	expect(d, IN_MODIFY, "f");
	expect(d, IN_CLOSE_WRITE, "f");
	CHECK(!chmod("d/f", 0644));
	expect(d, IN_ATTRIB, "f");
	CHECK(!mkdir("d/sub", 0700));
	expect(d, IN_CREATE | IN_ISDIR, "sub");
	CHECK(!rename("d/f", "d/sub/g"));
	expect(d, IN_MOVED_FROM, "f");
	CHECK(!rename("d/sub/g", "d/h"));
	expect(d, IN_MOVED_TO, "h");
	CHECK(!rename("d/h", "d/i"));
	cookie = next()->cookie;
	CHECK(cookie);
	CHECK(next()->cookie == cookie);
	CHECK(!unlink("d/i"));
	expect(d, IN_DELETE, "i");
	CHECK(!rmdir("d/sub"));
	expect(d, IN_DELETE | IN_ISDIR, "sub");
	nothing();
}

static void file(void)
{
	int f = open("file", O_CREAT | O_RDWR, 0600), w;
	char c;

	w = inotify_add_watch(fd, "file", IN_ALL_EVENTS);
	CHECK(w > 0);
	CHECK(inotify_add_watch(fd, "file", IN_ALL_EVENTS) == w);
	CHECK(pwrite(f, "x", 1, 0) == 1 && pwrite(f, "y", 1, 1) == 1);
	expect(w, IN_MODIFY, ""); /* twice the same: once */
	CHECK(pread(f, &c, 1, 0) == 1);
	expect(w, IN_ACCESS, "");
	CHECK(!ftruncate(f, 0));
	expect(w, IN_MODIFY, "");
	CHECK(!rename("file", "other"));
	expect(w, IN_MOVE_SELF, "");
	CHECK(!close(f));
	expect(w, IN_CLOSE_WRITE, "");
	CHECK(!inotify_rm_watch(fd, w));
	expect(w, IN_IGNORED, "");
	CHECK_ERR(inotify_rm_watch(fd, w), EINVAL);
	w = inotify_add_watch(fd, "other", IN_OPEN | IN_ONESHOT);
	f = open("other", O_RDONLY);
	expect(w, IN_OPEN, "");
	expect(w, IN_IGNORED, "");
	CHECK(!close(f));
	nothing();
	w = inotify_add_watch(fd, "other", IN_DELETE_SELF);
	CHECK(!unlink("other"));
	expect(w, IN_DELETE_SELF, "");
	expect(w, IN_IGNORED, "");
}

int main(int argc, char **argv)
{
	int d;

	(void)argc;
	CHECK(!chdir(argv[1]) && !mkdir("d", 0700));
	fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_ERR(read(fd, buf, sizeof(buf)), EAGAIN);
	d = inotify_add_watch(fd, "d", IN_ALL_EVENTS);
	CHECK(d == 1);
	directory(d);
	CHECK(!inotify_rm_watch(fd, d));
	expect(d, IN_IGNORED, "");
	file();
	nothing();
	CHECK_ERR(inotify_add_watch(fd, "none", IN_OPEN), ENOENT);
	CHECK_ERR(inotify_add_watch(fd, "d", 0), EINVAL);
	CHECK_ERR(inotify_add_watch(0, "d", IN_OPEN), EINVAL);
	d = inotify_add_watch(fd, "d", IN_CREATE);
	CHECK(d > 1 && !mkdir("d/longer-name", 0700));
	CHECK_ERR(read(fd, buf, 16), EINVAL);
	expect(d, IN_CREATE | IN_ISDIR, "longer-name");
	return 0;
}
