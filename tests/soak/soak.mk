# SPDX-License-Identifier: BSD-2-Clause
#
# Servers under load with churn, and what is left: `make soak T=SECONDS`;
# twenty seconds in `make test`.

TESTS	+= tests/soak/soak.py

SOAK_T := $(if $(filter command,$(firstword $(origin T))),$(T),600)
soak: all
	@BUILD=$(BUILD) tests/soak/soak.py $(SOAK_T)
.PHONY: soak
