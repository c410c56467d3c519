/* SPDX-License-Identifier: BSD-2-Clause */
/* needs root: Names of AF_UNIX sockets: files, abstract, autobind; how they are
 * given back; who finds whom. */
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/posix/check.h"
#include "tests/posix/socket/unix.h"

static void print_name(const char *what, int s, bool peer)
{
	struct sockaddr_un a;
	socklen_t n = sizeof(a);

	memset(&a, 'x', sizeof(a));
	CHECK(!(peer ? getpeername(s, (void *)&a, &n)
		     : getsockname(s, (void *)&a, &n)));
	printf("%s: %u %d", what, n, a.sun_family);
	for (size_t i = 2; i < n; i++)
		printf(" %02x", ((unsigned char *)&a)[i]);
	putchar('\n');
}

static void files(const char *path)
{
	struct sockaddr_un a;
	socklen_t n = unix_addr(&a, path);
	struct stat st;
	int l = unix_bound(SOCK_STREAM, path), c, s;

	CHECK(l >= 0 && !listen(l, 4));
	print_name("listener", l, false);
	CHECK(!stat(path, &st) && S_ISSOCK(st.st_mode));
	printf("mode %o\n", st.st_mode & 0777);
	CHECK_ERR(open(path, O_RDWR), ENXIO);
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_ERR(bind(s, (void *)&a, n), EADDRINUSE);
	CHECK(!connect(s, (void *)&a, n));
	CHECK_ERR(connect(s, (void *)&a, n), EISCONN);
	CHECK((c = accept(l, NULL, NULL)) >= 0);
	print_name("client", s, false);
	print_name("client's peer", s, true);
	print_name("server", c, false);
	print_name("server's peer", c, true);
	CHECK(!close(s) && !close(c));
	/* Another type of socket is not what is there. */
	s = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK_ERR(connect(s, (void *)&a, n), EPROTOTYPE);
	CHECK_ERR(sendto(s, "x", 1, 0, (void *)&a, n), EPROTOTYPE);
	CHECK(!close(s));
	/* The file may move; once it is gone nobody gets there. */
	CHECK(!rename(path, "moved"));
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_ERR(connect(s, (void *)&a, n), ENOENT);
	CHECK(!unix_connect(s, "moved") && !unlink("moved"));
	CHECK((c = accept(l, NULL, NULL)) >= 0 && write(c, "x", 1) == 1);
	CHECK(!close(s) && !close(c) && !close(l));
	/* A file that nobody listens at. */
	l = unix_bound(SOCK_STREAM, path);
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_ERR(connect(s, (void *)&a, n), ECONNREFUSED);
	CHECK(!close(l));
	CHECK_ERR(connect(s, (void *)&a, n), ECONNREFUSED);
	CHECK_ERR(bind(s, (void *)&a, n), EADDRINUSE);
	CHECK(!unlink(path) && !bind(s, (void *)&a, n) && !unlink(path));
	CHECK_ERR(bind(s, (void *)&a, n), EINVAL);
	CHECK(!close(s));
}

static void made_by_mknod(void)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0), f;
	struct stat st;

	CHECK(!mknod("node", S_IFSOCK | 0600, 0));
	CHECK(!lstat("node", &st) && S_ISSOCK(st.st_mode));
	CHECK_ERR(unix_connect(s, "node"), ECONNREFUSED);
	CHECK(!unlink("node"));
	CHECK((f = open("plain", O_CREAT | O_WRONLY, 0600)) >= 0 && !close(f));
	CHECK_ERR(unix_connect(s, "plain"), ECONNREFUSED);
	CHECK_ERR(unix_connect(s, "none"), ENOENT);
	CHECK_ERR(unix_connect(s, "plain/x"), ENOTDIR);
	CHECK(!close(s) && !unlink("plain"));
}

/* Connecting is writing, as far as permissions go. */
static void denied(const char *path)
{
	int l, s = socket(AF_UNIX, SOCK_STREAM, 0);

	unlink(path); /* of a run that was ended */
	l = unix_bound(SOCK_STREAM, path);
	CHECK(l >= 0 && !listen(l, 1) && !chmod(path, 0555));
	CHECK(!seteuid(65534));
	CHECK_ERR(unix_connect(s, path), EACCES);
	CHECK(!seteuid(0) && !unix_connect(s, path));
	CHECK(!close(s) && !close(l) && !unlink(path));
}

static void abstract(void)
{
	int l = unix_bound(SOCK_STREAM, "@toril abstract"), s, d;

	CHECK(l >= 0 && !listen(l, 1));
	print_name("abstract", l, false);
	CHECK(unix_bound(SOCK_STREAM, "@toril abstract") < 0);
	CHECK(errno == EADDRINUSE);
	d = unix_bound(SOCK_DGRAM, "@toril abstract"); /* another space */
	CHECK(d >= 0);
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_ERR(unix_connect(s, "@toril abstrac"), ECONNREFUSED);
	CHECK(!unix_connect(s, "@toril abstract"));
	CHECK(!close(l) && !close(s) && !close(d));
	l = unix_bound(SOCK_STREAM, "@toril abstract"); /* free again */
	CHECK(l >= 0 && !close(l));
}

static void autobind(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX}, b;
	socklen_t n = sizeof(a), m = sizeof(b);
	int s = socket(AF_UNIX, SOCK_DGRAM, 0), t;

	print_name("unnamed", s, false);
	CHECK(!bind(s, (void *)&a, 2));
	CHECK(!getsockname(s, (void *)&a, &n) && n == 8 && !a.sun_path[0]);
	t = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK(!bind(t, (void *)&a, 2));
	CHECK(!getsockname(t, (void *)&b, &m) && m == 8);
	CHECK(memcmp(&a, &b, 8));
	CHECK(sendto(t, "hi", 2, 0, (void *)&a, n) == 2);
	CHECK(!close(s) && !close(t));
}

static void wrong(void)
{
	struct sockaddr_un a = {.sun_family = AF_INET};
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK_ERR(bind(s, (void *)&a, sizeof(a)), EINVAL);
	CHECK_ERR(connect(s, (void *)&a, sizeof(a)), EINVAL);
	a.sun_family = AF_UNIX;
	CHECK_ERR(bind(s, (void *)&a, 1), EINVAL);
	CHECK_ERR(bind(s, (void *)&a, 111), EINVAL);
	CHECK_ERR(connect(s, (void *)&a, 2), EINVAL);
	CHECK_ERR(listen(s, 1), EINVAL);
	CHECK(!close(s));
	CHECK_ERR(socket(AF_UNIX, 4, 0), ESOCKTNOSUPPORT);
	CHECK_ERR(socket(AF_UNIX, SOCK_STREAM, 6), EPROTONOSUPPORT);
	s = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK_ERR(listen(s, 1), EOPNOTSUPP);
	CHECK_ERR(accept(s, NULL, NULL), EOPNOTSUPP);
	CHECK(!close(s));
}

int main(void)
{
	umask(022);
	files("sock");
	CHECK(!chdir("/dev/shm"));
	files("toril-test-sock");
	denied("toril-test-denied");
	made_by_mknod();
	abstract();
	autobind();
	wrong();
	return 0;
}
