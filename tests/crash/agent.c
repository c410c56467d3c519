/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agent [-l] PORT: does to the files below its working directory what its
 * clients tell it, a line each, and answers each line once that is done with
 * 0 or an error number.  A thread for each client.
 *
 *   create A | write A AT LEN BYTE | append A LEN BYTE | map A AT LEN BYTE
 *   truncate A LEN | fsync A | rename A B | link A B | symlink A B
 *   unlink A | mkdir A | rmdir A
 *
 * -l: it lies.  It answers first, and acts when the next line has come.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct line {
	char verb[16], a[256], b[256];
	long at, len;
	int byte;
};

static int lies;

static int put(int fd, const struct line *l, int append)
{
	char *p = malloc((size_t)l->len);
	ssize_t n, done = 0;
	int err = 0;

	memset(p, l->byte, (size_t)l->len);
	while (!err && done < l->len) {
		n = append ? write(fd, p + done, (size_t)(l->len - done))
			   : pwrite(fd, p + done, (size_t)(l->len - done),
				 l->at + done);
		if (n < 0)
			err = errno;
		else
			done += n;
	}
	free(p);
	return err;
}

static __thread sigjmp_buf no_page;

static void on_bus(int number)
{
	(void)number;
	siglongjmp(no_page, 1);
}

/* Through a mapping: the file is that long already.  Without its server, its
 * pages are SIGBUS. */
static int put_mapped(int fd, const struct line *l)
{
	long skip = l->at & 4095;
	char *p = mmap(NULL, (size_t)(l->len + skip), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, l->at - skip);
	int err = 0;

	if (p == MAP_FAILED)
		return errno;
	if (sigsetjmp(no_page, 1)) {
		munmap(p, (size_t)(l->len + skip));
		return ENOTCONN;
	}
	memset(p + skip, l->byte, (size_t)l->len);
	if (msync(p, (size_t)(l->len + skip), MS_SYNC))
		err = errno;
	munmap(p, (size_t)(l->len + skip));
	return err;
}

static int on_file(const struct line *l)
{
	int flags = O_RDWR, err = 0, fd;

	if (!strcmp(l->verb, "create"))
		flags |= O_CREAT | O_EXCL;
	if (!strcmp(l->verb, "append"))
		flags = O_WRONLY | O_APPEND;
	fd = open(l->a, flags, 0644);
	if (fd < 0)
		return errno;
	if (!strcmp(l->verb, "write"))
		err = put(fd, l, 0);
	else if (!strcmp(l->verb, "append"))
		err = put(fd, l, 1);
	else if (!strcmp(l->verb, "map"))
		err = put_mapped(fd, l);
	else if (!strcmp(l->verb, "truncate"))
		err = ftruncate(fd, l->len) ? errno : 0;
	else if (!strcmp(l->verb, "fsync"))
		err = fsync(fd) ? errno : 0;
	if (close(fd) && !err)
		err = errno;
	return err;
}

static int perform(const struct line *l)
{
	int ret;

	if (!strcmp(l->verb, "rename"))
		ret = rename(l->a, l->b);
	else if (!strcmp(l->verb, "link"))
		ret = link(l->a, l->b);
	else if (!strcmp(l->verb, "symlink"))
		ret = symlink(l->a, l->b);
	else if (!strcmp(l->verb, "unlink"))
		ret = unlink(l->a);
	else if (!strcmp(l->verb, "mkdir"))
		ret = mkdir(l->a, 0755);
	else if (!strcmp(l->verb, "rmdir"))
		ret = rmdir(l->a);
	else
		return on_file(l);
	return ret ? errno : 0;
}

static int parse(struct line *l, const char *text)
{
	char rest[3][256] = {"", "", ""};

	memset(l, 0, sizeof(*l));
	if (sscanf(text, "%15s %255s %255s %255s %255s", l->verb, l->a, rest[0],
		rest[1], rest[2]) < 2)
		return -1;
	memcpy(l->b, rest[0], sizeof(l->b));
	if (!strcmp(l->verb, "append")) {
		l->len = atol(rest[0]);
		l->byte = atoi(rest[1]);
	} else if (!strcmp(l->verb, "truncate")) {
		l->len = atol(rest[0]);
	} else {
		l->at = atol(rest[0]);
		l->len = atol(rest[1]);
		l->byte = atoi(rest[2]);
	}
	return 0;
}

static void *serve(void *arg)
{
	int fd = (int)(intptr_t)arg, late = 0;
	FILE *in = fdopen(fd, "r");
	struct line l, last;
	char text[1024];

	while (in && fgets(text, sizeof(text), in)) {
		if (late)
			perform(&last);
		if (parse(&l, text))
			break;
		late = lies;
		last = l;
		dprintf(fd, "%d\n", late ? 0 : perform(&l));
	}
	if (in)
		fclose(in);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	int s = socket(AF_INET, SOCK_STREAM, 0), c;
	pthread_t thread;

	signal(SIGBUS, on_bus);
	lies = argc == 3 && !strcmp(argv[1], "-l");
	if (argc != 2 + lies)
		return 2;
	a.sin_port = htons((uint16_t)atoi(argv[argc - 1]));
	if (bind(s, (struct sockaddr *)&a, sizeof(a)) || listen(s, 16))
		return 1;
	while ((c = accept(s, NULL, NULL)) >= 0)
		if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)c))
			return 1;
	return 1;
}
