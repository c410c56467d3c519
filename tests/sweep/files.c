/* SPDX-License-Identifier: BSD-2-Clause */
/* What is done to files, names and mappings in a directory; see victim.c. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "tests/sweep/victim.h"

static void files(const char *dir)
{
	char path[200], other[200], buf[9000], back[9000];
	int fd;

	memset(buf, 'q', sizeof(buf));
	snprintf(path, sizeof(path), "%s/file", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	drop(path);
	drop(other);
	fd = open(path, O_CREAT | O_RDWR, 0600);
	if (!works(fd, "open"))
		return;
	if (whole(pwrite(fd, buf, sizeof(buf), 0), sizeof(buf), "pwrite") &&
	    whole(pread(fd, back, sizeof(back), 0), sizeof(back), "pread"))
		same(!memcmp(buf, back, sizeof(buf)), "contents");
	works(fsync(fd), "fsync");
	if (works(rename(path, other), "rename"))
		same(access(path, F_OK) < 0, "renamed");
	works(close(fd), "close");
	drop(path);
	drop(other);
}

static void names(const char *dir)
{
	char path[200], other[200], buf[4096];
	int fd, failed = victim.failures;
	DIR *d;

	snprintf(path, sizeof(path), "%s/dir", dir);
	snprintf(other, sizeof(other), "%s/dir/link", dir);
	drop(other);
	drop(path);
	if (!works(mkdir(path, 0700), "mkdir"))
		return;
	if (works(symlink("to", other), "symlink"))
		whole(readlink(other, buf, sizeof(buf)), 2, "readlink");
	d = opendir(path);
	if (works(d ? 0 : -1, "opendir")) {
		for (int i = 0; i < 4 && failed == victim.failures; i++) {
			errno = 0;
			if (!readdir(d) && errno)
				works(-1, "readdir");
		}
		closedir(d);
	}
	fd = open(path, O_RDONLY | O_DIRECTORY);
	if (works(fd, "open a directory")) {
		works(flock(fd, LOCK_EX), "flock");
		works(fchmod(fd, 0755), "fchmod");
		close(fd);
	}
	drop(other);
	drop(path);
}

static void locks(const char *dir)
{
	struct flock part = {.l_type = F_WRLCK, .l_start = 10, .l_len = 100};
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s/lock", dir);
	fd = open(path, O_CREAT | O_RDWR, 0600);
	if (!works(fd, "open to lock"))
		return;
	if (works(fcntl(fd, F_SETLK, &part), "F_SETLK")) {
		part = (struct flock){
		    .l_type = F_UNLCK, .l_start = 50, .l_len = 1};
		works(fcntl(fd, F_SETLK, &part), "F_SETLK in the middle");
	}
	close(fd);
	drop(path);
}

static void maps(const char *dir)
{
	char path[200];
	char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd;

	if (works(p == MAP_FAILED ? -1 : 0, "mmap")) {
		works(mprotect(p + 4096, 4096, PROT_READ), "mprotect");
		works(munmap(p + 65536, 4096), "munmap in the middle");
		munmap(p, 1 << 20);
	}
	snprintf(path, sizeof(path), "%s/map", dir);
	fd = open(path, O_CREAT | O_RDWR, 0600);
	if (!works(fd, "open to map"))
		return;
	if (works(ftruncate(fd, 8192), "ftruncate")) {
		p = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
		if (works(p == MAP_FAILED ? -1 : 0, "mmap of a file"))
			munmap(p, 8192);
	}
	close(fd);
	drop(path);
}

static void more_maps(const char *dir)
{
	char path[200], *p;
	int fd;

	p = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (works(p == MAP_FAILED ? -1 : 0, "mmap to move")) {
		char *q = mremap(p, 65536, 1 << 20, MREMAP_MAYMOVE);
		bool moved = works(q == MAP_FAILED ? -1 : 0, "mremap");
		munmap(moved ? q : p, moved ? 1 << 20 : 65536);
	}
	snprintf(path, sizeof(path), "%s/shared", dir);
	fd = open(path, O_CREAT | O_RDWR, 0600);
	if (!works(fd, "open to share"))
		return;
	if (works(ftruncate(fd, 8192), "ftruncate")) {
		p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (works(p == MAP_FAILED ? -1 : 0, "mmap shared")) {
			strcpy(p + 4090, "both pages");
			works(msync(p, 8192, MS_SYNC), "msync");
			munmap(p, 8192);
		}
	}
	close(fd);
	drop(path);
}

static void watch(const char *dir)
{
	char path[200], buf[512];
	int i = inotify_init1(IN_NONBLOCK), e, fd;
	uint64_t n;

	snprintf(path, sizeof(path), "%s/seen", dir);
	if (works(i, "inotify_init") &&
	    works(inotify_add_watch(i, dir, IN_CREATE | IN_DELETE), "watch")) {
		fd = open(path, O_CREAT | O_RDWR, 0600);
		if (works(fd, "open what is watched")) {
			close(fd);
			/* an event that finds no memory is not told */
			while (read(i, buf, sizeof(buf)) > 0)
				;
			drop(path);
		}
	}
	e = eventfd(1, 0);
	if (works(e, "eventfd"))
		whole(read(e, &n, sizeof(n)), 8, "read an eventfd");
	close(i);
	close(e);
}

/* From a file through a pipe and into a socket. */
static void copies(const char *dir)
{
	char path[200], buf[5000];
	int fd, p[2], pair[2];
	off_t at = 0;
	loff_t from = 0;

	snprintf(path, sizeof(path), "%s/copied", dir);
	memset(buf, 'c', sizeof(buf));
	fd = open(path, O_CREAT | O_RDWR, 0600);
	if (!works(fd, "open to copy"))
		return;
	if (whole(write(fd, buf, sizeof(buf)), sizeof(buf), "write")) {
		if (works(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "pair")) {
			works(sendfile(pair[0], fd, &at, sizeof(buf)),
			    "sendfile");
			close(pair[0]);
			close(pair[1]);
		}
		if (works(pipe(p), "pipe to splice")) {
			works(splice(fd, &from, p[1], NULL, 4096, 0), "splice");
			close(p[0]);
			close(p[1]);
		}
	}
	works(fallocate(fd, 0, 0, 10000), "fallocate");
	close(fd);
	drop(path);
}

static void links(const char *dir)
{
	char path[200], other[200], value[16];
	struct statvfs st;
	int fd;

	snprintf(path, sizeof(path), "%s/one", dir);
	snprintf(other, sizeof(other), "%s/%0100d", dir, 2);
	fd = open(path, O_CREAT | O_RDWR, 0600);
	if (!works(fd, "open to link"))
		return;
	close(fd);
	if (setxattr(path, "user.a", "value", 5, 0) == 0 ||
	    (errno != EOPNOTSUPP && works(-1, "setxattr")))
		whole(getxattr(path, "user.a", value, sizeof(value)), 5,
		    "getxattr");
	works(statvfs(dir, &st), "statvfs");
	if (works(link(path, other), "link")) {
		drop(path);
		works(rename(other, path), "rename back");
	}
	if (access(path, F_OK) == 0)
		works(truncate(path, 100000), "truncate");
	drop(other);
	drop(path);
}

void in_directory(const char *dir)
{
	victim.at = dir;
	files(dir);
	names(dir);
	locks(dir);
	maps(dir);
	more_maps(dir);
	watch(dir);
	copies(dir);
	links(dir);
}
