/* SPDX-License-Identifier: BSD-2-Clause */
/* toril-cc --allow-wx asks for this by name; kernel/mm/vm.c looks for it. */
extern const char toril_allow_wx;
const char toril_allow_wx = 1;
