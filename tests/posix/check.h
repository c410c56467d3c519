/* SPDX-License-Identifier: BSD-2-Clause */
/* For the programs here: a check that says where it failed, and ends. */
#ifndef TORIL_TESTS_POSIX_CHECK_H
#define TORIL_TESTS_POSIX_CHECK_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(cond)                                                            \
	do {                                                                   \
		if (!(cond)) {                                                 \
			fprintf(stderr, "%s:%d: %s (errno: %s)\n", __FILE__,   \
			    __LINE__, #cond, strerror(errno));                 \
			_Exit(99);                                             \
		}                                                              \
	} while (0)

/* An expression that must fail, and with this errno. */
#define CHECK_ERR(expr, err)                                                   \
	do {                                                                   \
		errno = 0;                                                     \
		CHECK((long)(expr) == -1);                                     \
		CHECK(errno == (err));                                         \
	} while (0)

#endif
