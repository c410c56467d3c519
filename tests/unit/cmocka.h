/* SPDX-License-Identifier: BSD-2-Clause */
/* cmocka with what it wants to see before it, and TAP as its output. */
#ifndef TORIL_TESTS_UNIT_CMOCKA_H
#define TORIL_TESTS_UNIT_CMOCKA_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define RUN_TAP(tests)                                                         \
	(cmocka_set_message_output(CM_OUTPUT_TAP),                             \
	    cmocka_run_group_tests((tests), NULL, NULL))

#endif
