// A TCG plugin for QEMU 7.2 (plugin interface 1) that counts executed instructions of an AArch64 program.
//
//   cc -O2 -shared -fPIC -o libicount.so icount.c
//   qemu-aarch64 -plugin libicount.so,out=FILE[,hist=on] PROGRAM
//
// FILE gets `instructions N`, preceded with hist=on by a line `COUNT MNEMONIC` for each mnemonic, most frequent
// first. Counts are exact for a single thread: with several, increments get lost.
//
// Declares what it uses of qemu-plugin.h, so that QEMU's headers are not needed.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;
enum { INLINE_ADD_U64 = 0 };
extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct qemu_plugin_tb *));
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
extern void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *, int, void *, uint64_t);
extern void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);
extern const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
extern char *qemu_plugin_insn_disas(const struct qemu_plugin_insn *);

#define EXPORTED __attribute__((visibility("default")))
EXPORTED int qemu_plugin_version = 1;

enum { NAME = 16, MNEMONICS = 4096 };
static struct mnemonic {
    char name[NAME];
    uint64_t count;
} mnemonics[MNEMONICS];
static int used;
static uint64_t total;
static int histogram;
static const char *path;

// The counter of a mnemonic. The last one collects those that do not fit.
static uint64_t *counter(const char *name) {
    size_t length = strcspn(name, " \t");
    if (length >= NAME)
        length = NAME - 1;
    for (int i = 0; i < used; i++)
        if (strlen(mnemonics[i].name) == length && !memcmp(mnemonics[i].name, name, length))
            return &mnemonics[i].count;
    if (used < MNEMONICS)
        memcpy(mnemonics[used++].name, name, length);
    return &mnemonics[used - 1].count;
}

// Instructions that QEMU 7.2's disassembler does not know: FEAT_DotProd and FEAT_I8MM (Arm ARM, C7.2).
static const char *newer(uint32_t word) {
    static const struct {
        uint32_t mask, value;
        const char *name;
    } known[] = {
        {0xBFE0FC00, 0x0E809400, "sdot"},  {0xBFC0F400, 0x0F80E000, "sdot"},  {0xBFE0FC00, 0x2E809400, "udot"},
        {0xBFC0F400, 0x2F80E000, "udot"},  {0xFFE0FC00, 0x4E80A400, "smmla"}, {0xFFE0FC00, 0x6E80A400, "ummla"},
        {0xFFE0FC00, 0x4E80AC00, "usmmla"}, {0xBFE0FC00, 0x0E809C00, "usdot"}, {0xBFC0F400, 0x0F80F000, "usdot"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if ((word & known[i].mask) == known[i].value)
            return known[i].name;
    return NULL;
}

static void translated(plugin_id id, struct qemu_plugin_tb *block) {
    (void)id;
    size_t instructions = qemu_plugin_tb_n_insns(block);
    if (!histogram) {
        for (size_t i = 0; i < instructions; i++)
            qemu_plugin_register_vcpu_insn_exec_inline(qemu_plugin_tb_get_insn(block, i), INLINE_ADD_U64, &total, 1);
        return;
    }
    for (size_t i = 0; i < instructions; i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
        uint32_t word;
        memcpy(&word, qemu_plugin_insn_data(instruction), sizeof word);
        const char *name = newer(word);
        char *text = name ? NULL : qemu_plugin_insn_disas(instruction);
        uint64_t *count = counter(name ? name : text ? text : "unknown");
        qemu_plugin_register_vcpu_insn_exec_inline(instruction, INLINE_ADD_U64, count, 1);
        free(text);
    }
}

static int by_count(const void *a, const void *b) {
    uint64_t x = ((const struct mnemonic *)a)->count, y = ((const struct mnemonic *)b)->count;
    return x < y ? 1 : x > y ? -1 : 0;
}

static void finished(plugin_id id, void *data) {
    (void)id, (void)data;
    FILE *file = path ? fopen(path, "w") : stderr;
    if (!file) {
        perror(path);
        return;
    }
    qsort(mnemonics, used, sizeof mnemonics[0], by_count);
    for (int i = 0; i < used; i++) {
        total += mnemonics[i].count;
        fprintf(file, "%llu %s\n", (unsigned long long)mnemonics[i].count, mnemonics[i].name);
    }
    fprintf(file, "instructions %llu\n", (unsigned long long)total);
    fflush(file);
}

EXPORTED int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int count, char **arguments) {
    (void)info;
    for (int i = 0; i < count; i++) {
        if (!strcmp(arguments[i], "hist=on"))
            histogram = 1;
        else if (!strncmp(arguments[i], "out=", 4))
            path = strdup(arguments[i] + 4);
        else {
            fprintf(stderr, "icount: found %s, expected hist=on or out=FILE\n", arguments[i]);
            return -1;
        }
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, finished, NULL);
    return 0;
}
