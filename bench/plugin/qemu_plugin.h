/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of QEMU's TCG plugin interface (version 1, QEMU 6.0 to 8.2) that
 * count.c uses; Debian's packages have no header of it.
 */
#ifndef TORIL_BENCH_PLUGIN_QEMU_PLUGIN_H
#define TORIL_BENCH_PLUGIN_QEMU_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;
struct qemu_info_t;

#define QEMU_PLUGIN_API        1
#define QEMU_PLUGIN_CB_NO_REGS 0
#define QEMU_PLUGIN_ADD_U64    0
#define QEMU_PLUGIN_MEM_W      2

typedef void qemu_plugin_tb_fn(uint64_t id, struct qemu_plugin_tb *tb);
typedef void qemu_plugin_insn_fn(unsigned vcpu, void *arg);
typedef void qemu_plugin_mem_fn(
    unsigned vcpu, uint32_t info, uint64_t vaddr, void *arg);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, qemu_plugin_tb_fn *fn);
void qemu_plugin_register_vcpu_tb_exec_cb(
    struct qemu_plugin_tb *tb, qemu_plugin_insn_fn *fn, int flags, void *arg);
void qemu_plugin_register_vcpu_insn_exec_inline(
    struct qemu_plugin_insn *insn, int op, void *counter, uint64_t value);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
    qemu_plugin_insn_fn *fn, int flags, void *arg);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
    qemu_plugin_mem_fn *fn, int flags, int rw, void *arg);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(
    const struct qemu_plugin_tb *tb, size_t at);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
unsigned qemu_plugin_mem_size_shift(uint32_t info);
bool qemu_plugin_mem_is_store(uint32_t info);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(
    uint32_t info, uint64_t vaddr);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *addr);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *addr);

/* Ours, which QEMU looks for. */
extern __attribute__((visibility("default"))) int qemu_plugin_version;
__attribute__((visibility("default"))) int qemu_plugin_install(
    uint64_t id, const struct qemu_info_t *info, int argc, char **argv);

#endif
