/* SPDX-License-Identifier: BSD-2-Clause */
/* System V IPC between threads: semaphores, queues, shared memory. */
#include <pthread.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <time.h>
#include <unistd.h>
#include "tests/posix/check.h"

#define KEY 0x70121f

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
};

static int set;

static void *give(void *arg)
{
	struct sembuf up = {0, 3, 0};

	usleep(20000);
	CHECK(semctl(set, 0, GETNCNT) == 1);
	CHECK(!semop(set, &up, 1));
	return arg;
}

static void *wait_removed(void *arg)
{
	struct sembuf down = {1, -1, 0};

	CHECK_ERR(semop(set, &down, 1), EIDRM);
	return arg;
}

static void semaphores(void)
{
	struct sembuf two[2] = {{0, -2, 0}, {1, -1, 0}};
	struct sembuf nowait = {0, -9, IPC_NOWAIT};
	struct timespec brief = {0, 10000000};
	unsigned short vals[3] = {1, 1, 7};
	union semun arg = {.array = vals};
	struct semid_ds ds;
	pthread_t t;

	set = semget(KEY, 3, IPC_CREAT | 0600);
	CHECK(set >= 0);
	CHECK(semget(KEY, 3, 0) == set);
	CHECK_ERR(semget(KEY, 3, IPC_CREAT | IPC_EXCL), EEXIST);
	CHECK_ERR(semget(KEY, 9, 0), EINVAL);
	CHECK_ERR(semget(KEY + 1, 1, 0), ENOENT);
	CHECK(!semctl(set, 0, SETALL, arg));
	vals[2] = 0;
	CHECK(!semctl(set, 0, GETALL, arg) && vals[2] == 7);
	CHECK_ERR(semop(set, &nowait, 1), EAGAIN);
	CHECK_ERR(semtimedop(set, two, 2, &brief), EAGAIN);
	CHECK(semctl(set, 0, GETVAL) == 1 && semctl(set, 1, GETVAL) == 1);
	CHECK(!pthread_create(&t, NULL, give, NULL));
	CHECK(!semop(set, two, 2));
	CHECK(!pthread_join(t, NULL));
	CHECK(semctl(set, 0, GETVAL) == 2 && semctl(set, 1, GETVAL) == 0);
	CHECK(semctl(set, 0, GETPID) == getpid());
	arg.val = 40000;
	CHECK_ERR(semctl(set, 0, SETVAL, arg), ERANGE);
	two[0].sem_num = 3;
	CHECK_ERR(semop(set, two, 2), EFBIG);
	arg.buf = &ds;
	CHECK(!semctl(set, 0, IPC_STAT, arg));
	CHECK(ds.sem_nsems == 3 && (ds.sem_perm.mode & 0777) == 0600);
	CHECK(!pthread_create(&t, NULL, wait_removed, NULL));
	while (semctl(set, 1, GETNCNT) != 1)
		usleep(1000);
	CHECK(!semctl(set, 0, IPC_RMID));
	CHECK(!pthread_join(t, NULL));
	CHECK_ERR(semctl(set, 0, GETVAL), EINVAL);
}

struct message {
	long type;
	char text[32];
};

static void *send_later(void *arg)
{
	struct message m = {5, "late"};

	usleep(20000);
	CHECK(!msgsnd(*(int *)arg, &m, 5, 0));
	return NULL;
}

static void queues(void)
{
	struct message m = {3, "three"}, got;
	struct msqid_ds ds;
	pthread_t t;
	int q = msgget(KEY, IPC_CREAT | 0666), n = 0;

	CHECK(q >= 0 && msgget(KEY, 0) == q);
	CHECK(!msgsnd(q, &m, 6, 0));
	m = (struct message){1, "one"};
	CHECK(!msgsnd(q, &m, 4, 0));
	m = (struct message){2, "two"};
	CHECK(!msgsnd(q, &m, 4, 0));
	CHECK(msgrcv(q, &got, 32, -2, 0) == 4 && !strcmp(got.text, "one"));
	CHECK_ERR(msgrcv(q, &got, 32, 9, IPC_NOWAIT), ENOMSG);
	CHECK_ERR(msgrcv(q, &got, 2, 0, 0), E2BIG);
	CHECK(msgrcv(q, &got, 2, 0, MSG_NOERROR) == 2 && got.type == 3);
	CHECK(msgrcv(q, &got, 32, 7, MSG_EXCEPT) == 4 && got.type == 2);
	m.type = 0;
	CHECK_ERR(msgsnd(q, &m, 4, 0), EINVAL);
	m.type = 1;
	CHECK_ERR(msgsnd(q, &m, 9000, 0), EINVAL);
	CHECK(!pthread_create(&t, NULL, send_later, &q));
	CHECK(msgrcv(q, &got, 32, 5, 0) == 5 && !strcmp(got.text, "late"));
	CHECK(!pthread_join(t, NULL));
	while (!msgsnd(q, &m, 32, IPC_NOWAIT))
		n++;
	CHECK(errno == EAGAIN && n == 16384 / 32);
	CHECK(!msgctl(q, IPC_STAT, &ds));
	CHECK(ds.msg_qnum == 512 && ds.msg_qbytes == 16384);
	CHECK(!msgctl(q, IPC_RMID, NULL));
	CHECK_ERR(msgsnd(q, &m, 1, 0), EINVAL);
}

static void memory(void)
{
	int id = shmget(KEY, 10000, IPC_CREAT | 0600), private;
	struct shmid_ds ds;
	char *a, *b;

	CHECK(id >= 0 && shmget(KEY, 5000, 0) == id);
	CHECK_ERR(shmget(KEY, 20000, 0), EINVAL);
	a = shmat(id, NULL, 0);
	b = shmat(id, NULL, SHM_RDONLY);
	CHECK(a != (void *)-1 && b != (void *)-1 && a != b);
	strcpy(a + 5000, "shared");
	CHECK(!strcmp(b + 5000, "shared"));
	CHECK(!shmctl(id, IPC_STAT, &ds));
	CHECK(ds.shm_segsz == 10000 && ds.shm_nattch == 2);
	CHECK_ERR((long)shmat(id, a + 1, 0), EINVAL);
	CHECK_ERR((long)shmat(id, a, 0), EINVAL);
	CHECK(!shmctl(id, IPC_RMID, NULL));
	CHECK_ERR(shmget(KEY, 1, 0), ENOENT);
	CHECK(!shmdt(b));
	CHECK(!strcmp(a + 5000, "shared"));
	CHECK(!shmdt(a));
	CHECK_ERR(shmdt(a), EINVAL);
	CHECK_ERR(shmctl(id, IPC_STAT, &ds), EINVAL);
	private = shmget(IPC_PRIVATE, 1, 0600);
	CHECK(private >= 0 && private != shmget(IPC_PRIVATE, 1, 0600));
	CHECK(!shmctl(private, IPC_RMID, NULL));
}

static void memory_file(void)
{
	int fd = memfd_create("name", MFD_CLOEXEC);
	char text[8] = "";
	char *p;

	CHECK(fd >= 0 && !ftruncate(fd, 4096));
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	strcpy(p, "mapped");
	CHECK(pread(fd, text, 7, 0) == 7 && !strcmp(text, "mapped"));
	CHECK_ERR(memfd_create("name", 0x100), EINVAL);
}

int main(void)
{
	semaphores();
	queues();
	memory();
	memory_file();
	return 0;
}
