/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the kernel into the program: crt1.o of an image.  The kernel's main
 * thread calls program_start with the System V initial stack.
 */
#include <stdlib.h>

int main(int argc, char **argv, char **envp);
int __libc_start_main(int (*)(int, char **, char **), int, char **,
    void (*)(void), void (*)(void), void (*)(void));
void _init(void) __attribute__((weak));
void _fini(void) __attribute__((weak));

void toril_program_start(long *stack);
void toril_program_start(long *stack)
{
	__libc_start_main(
	    main, (int)stack[0], (char **)(stack + 1), _init, _fini, 0);
}
