/* SPDX-License-Identifier: BSD-2-Clause */
/* Named and unnamed POSIX semaphores, and shared memory objects. */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "tests/posix/check.h"

#define NAME "/toril-test-sem"

static void *poster(void *arg)
{
	for (int i = 0; i < 100; i++)
		CHECK(!sem_post(arg));
	return NULL;
}

int main(void)
{
	struct timespec past = {1, 0};
	sem_t *s, *same;
	pthread_t t;
	struct stat st;
	int v, fd;
	char *p;

	sem_unlink(NAME);
	CHECK_ERR((long)sem_open(NAME, 0) ? 0 : -1, ENOENT);
	s = sem_open(NAME, O_CREAT | O_EXCL, 0600, 2);
	CHECK(s != SEM_FAILED);
	same = sem_open(NAME, 0);
	CHECK(same == s);
	CHECK(!sem_getvalue(s, &v) && v == 2);
	CHECK(!sem_wait(s) && !sem_trywait(same));
	CHECK_ERR(sem_trywait(s), EAGAIN);
	CHECK_ERR(sem_timedwait(s, &past), ETIMEDOUT);
	CHECK(!pthread_create(&t, NULL, poster, s));
	for (int i = 0; i < 100; i++)
		CHECK(!sem_wait(same));
	CHECK(!pthread_join(t, NULL));
	CHECK(!sem_unlink(NAME) && !sem_close(s) && !sem_close(same));

	fd = shm_open("/toril-test-shm", O_RDWR | O_CREAT, 0600);
	CHECK(fd >= 0 && !ftruncate(fd, 8192));
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	p[8191] = 'x';
	CHECK(!fstat(fd, &st) && st.st_size == 8192);
	CHECK(pread(fd, &v, 1, 8191) == 1 && (char)v == 'x');
	CHECK(!shm_unlink("/toril-test-shm"));
	CHECK_ERR(shm_open("/toril-test-shm", O_RDWR, 0), ENOENT);
	return 0;
}
