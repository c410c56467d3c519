/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mitigations NAME: do what must not be possible, in ring 0, where a program
 * is, and say so if it was.  mitigations_test.py expects a fault instead, at
 * the address that is printed before.  `addresses` and `control` print what is
 * random, and the control registers.
 */
#include <alloca.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define DIRECT_BASE 0xffff800000000000ul
#define KSTACK_SIZE 16384ul

extern char __image_start[];

static const char constant[64] = "constant";
static int number = 1;
static int *const relocated[] = {&number, &number}; /* .data.rel.ro */
static char *volatile target;
static volatile char sink;

/* Where an address of the image is in the direct map of all RAM. */
static char *alias(const void *p)
{
	return (char *)(DIRECT_BASE + 0x100000 +
			((uintptr_t)p - (uintptr_t)__image_start));
}

static void at(const void *p)
{
	target = (char *)(uintptr_t)p;
	printf("%p\n", p);
	fflush(stdout);
}

static void attempt_write(const void *p)
{
	at(p);
	*(volatile char *)target = 1;
}

static void attempt_read(const void *p)
{
	at(p);
	sink = *(volatile char *)target;
}

static void attempt_run(const void *p)
{
	at(p);
	((void (*)(void))(uintptr_t)target)();
}

static void null_read(void)
{
	attempt_read(NULL);
}

static void null_run(void)
{
	attempt_run(NULL);
}

static void low_write(void)
{
	attempt_write((void *)0x1000); /* where other CPUs started */
}

static void text_write(void)
{
	attempt_write((void *)(uintptr_t)null_read);
}

static void constant_write(void)
{
	attempt_write(constant);
}

static void relocated_write(void)
{
	attempt_write(relocated);
}

static const void *idt(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) r;

	__asm__ volatile("sidt %0" : "=m"(r));
	return (void *)r.base;
}

static void idt_write(void)
{
	attempt_write(idt());
}

static void data_run(void)
{
	static char code[16] = {(char)0xc3}; /* ret */

	attempt_run(code);
}

static void stack_run(void)
{
	volatile char code[16] = {(char)0xc3};

	attempt_run((const void *)code);
}

static void heap_run(void)
{
	char *code = malloc(1000);

	code[0] = (char)0xc3;
	attempt_run(code);
}

static void kernel_stack_run(void)
{
	char *top;

	__asm__ volatile("mov %%gs:16, %0" : "=r"(top));
	top[-KSTACK_SIZE] = (char)0xc3;
	attempt_run(top - KSTACK_SIZE);
}

static void direct_text_write(void)
{
	attempt_write(alias((void *)(uintptr_t)null_read));
}

static void direct_constant_write(void)
{
	attempt_write(alias(constant));
}

static void direct_data_read(void)
{
	attempt_read(alias(&number));
}

static void direct_run(void)
{
	char *page = (char *)DIRECT_BASE + 0x90000; /* RAM */

	sink = *page;
	attempt_run(page);
}

static void beyond_ram_read(void)
{
	attempt_read((void *)(DIRECT_BASE + (1ul << 45)));
}

static void kernel_stack_guard(void)
{
	char *top;

	__asm__ volatile("mov %%gs:16, %0" : "=r"(top));
	sink = top[-KSTACK_SIZE]; /* the last byte that is there */
	attempt_write(top - KSTACK_SIZE - 1);
}

/* Mappings fill what is below the stack, but for the guard. */
static void main_stack_guard(void)
{
	char *here = alloca(16), *low, *p;

	for (int i = 0; i < 4; i++) {
		p = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (p == MAP_FAILED || p >= here)
			exit(1);
	}
	low = (char *)(((uintptr_t)here & ~4095ul) - (8 << 20) + 8192);
	while (low[0] == 0)
		low -= 4096, at(low);
}

static void *thread_guard(void *arg)
{
	pthread_attr_t attr;
	void *low;
	size_t size;

	(void)arg;
	if (pthread_getattr_np(pthread_self(), &attr) ||
	    pthread_attr_getstack(&attr, &low, &size))
		exit(1);
	sink = *(char *)low;
	attempt_write((char *)low - 1);
	return NULL;
}

static void thread_stack_guard(void)
{
	pthread_t t;

	if (!pthread_create(&t, NULL, thread_guard, NULL))
		pthread_join(t, NULL);
}

static __attribute__((noinline)) void copy(char *to, const char *from)
{
	while ((*to++ = *from++))
		;
}

static __attribute__((noinline)) void overflow(const char *what)
{
	char small[16];

	copy(small, what);
	printf("copied %zu\n", strlen(small));
}

static void canary(void)
{
	overflow("no more than 15");
	overflow("this is much longer than sixteen bytes, and so will be "
		 "found out when the function returns");
}

/* A thread in the kernel whose canary another one overwrites. */
static uint64_t *volatile sleeper_stack;

static void *sleeper(void *arg)
{
	struct timespec ms = {0, 1000000};
	uint64_t *top;
	sigset_t none;

	__asm__ volatile("mov %%gs:16, %0" : "=r"(top));
	sleeper_stack = top;
	sigemptyset(&none);
	for (int i = 0; i < 20000; i++)
		sigtimedwait(&none, NULL, &ms);
	return arg;
}

static void kernel_canary(void)
{
	uint64_t value;
	pthread_t t;

	__asm__ volatile("mov %%gs:32, %0" : "=r"(value));
	if (!value || pthread_create(&t, NULL, sleeper, NULL))
		exit(1);
	while (!sleeper_stack || !pthread_kill(t, 0)) {
		uint64_t *top = sleeper_stack;
		for (unsigned i = 1; top && i <= KSTACK_SIZE / 8; i++)
			if (*(volatile uint64_t *)(top - i) == value)
				*(volatile uint64_t *)(top - i) = 0;
	}
}

static void control(void)
{
	uint64_t cr0;
	uint32_t low, high;

	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0xc0000080));
	printf("WP %d NXE %d\n", (int)(cr0 >> 16 & 1), (int)(low >> 11 & 1));
}

static void *stack_of(void *arg)
{
	char here;

	*(uintptr_t *)arg = (uintptr_t)&here;
	return NULL;
}

static void addresses(void)
{
	uint64_t guard, kernel_guard;
	uintptr_t thread = 0;
	pthread_t t;
	char here;

	__asm__ volatile("mov %%fs:40, %0" : "=r"(guard));
	__asm__ volatile("mov %%gs:32, %0" : "=r"(kernel_guard));
	if (!pthread_create(&t, NULL, stack_of, &thread))
		pthread_join(t, NULL);
	printf("image %lx\n", (long)__image_start);
	printf("heap %lx\n", (long)sbrk(0));
	printf("heap-image %lx\n", (long)((char *)sbrk(0) - __image_start));
	printf("stack %lx\n", (long)&here);
	printf("stack-in-page %lx\n", (long)&here & 4095);
	char *p =
	    mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	printf("mapping %lx\n", (long)p);
	printf("stack-mapping %lx\n", (long)((&here - p) / 4096));
	printf("thread %lx\n", (long)thread);
	printf("canary %lx\n", guard);
	printf("kernel-canary %lx\n", kernel_guard);
}

static const struct {
	const char *name;
	void (*fn)(void);
} cases[] = {
    {"null_read", null_read},
    {"null_run", null_run},
    {"low_write", low_write},
    {"text_write", text_write},
    {"constant_write", constant_write},
    {"relocated_write", relocated_write},
    {"idt_write", idt_write},
    {"data_run", data_run},
    {"stack_run", stack_run},
    {"heap_run", heap_run},
    {"kernel_stack_run", kernel_stack_run},
    {"direct_text_write", direct_text_write},
    {"direct_constant_write", direct_constant_write},
    {"direct_data_read", direct_data_read},
    {"direct_run", direct_run},
    {"beyond_ram_read", beyond_ram_read},
    {"kernel_stack_guard", kernel_stack_guard},
    {"main_stack_guard", main_stack_guard},
    {"thread_stack_guard", thread_stack_guard},
    {"canary", canary},
    {"kernel_canary", kernel_canary},
    {"control", control},
    {"addresses", addresses},
};

int main(int argc, char **argv)
{
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (argc > 1 && !strcmp(argv[1], cases[i].name)) {
			cases[i].fn();
			puts("survived");
			return 0;
		}
	return 2;
}
