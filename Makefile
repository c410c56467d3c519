# SPDX-License-Identifier: BSD-2-Clause
#
# Toril's build.  One non-recursive make: every folder that builds something
# has a fragment NAME/NAME.mk, which adds its outputs to ALL and its test
# programs to TESTS, and defines the rules for them.  Everything that is
# built lands under $(BUILD).

BUILD	?= build
CC	:= gcc
PYTHON	?= python3
V	?= 0
Q	:= $(if $(filter 0,$(V)),@)
say	= @printf '  %-8s %s\n' '$(1)' '$(patsubst $(BUILD)/%,%,$(2))'

VERSION	:= 0.1.0

# Host programs: glibc, strict warnings.
WARN	:= -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes
HOST_CFLAGS := -std=gnu11 -O2 -g $(WARN) -I. -D_GNU_SOURCE \
	-DTORIL_VERSION='"$(VERSION)"'
SAN_CFLAGS := -std=gnu11 -O1 -g $(WARN) -I. -D_GNU_SOURCE \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer

ALL	:=
TESTS	:=

all: build-all

include $(wildcard musl-glue/musl-glue.mk kernel/kernel.mk host/host.mk apps/apps.mk \
	tests/tests.mk docs/docs.mk)

build-all: $(ALL)

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: all build-all clean
.DELETE_ON_ERROR:
