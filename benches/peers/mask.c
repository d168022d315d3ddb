/* Answers the cpuid and xgetbv instructions that masking.py has replaced by traps, without the features above a level.
 *
 * Preload it; EDGECLIP_CPUID_MASK is avx2 or avxvnni. "int3; nop" stands for cpuid, "int3; 2-byte nop" for xgetbv.
 * Bits: Intel SDM volume 2A, CPUID, leaf 7; AVX state in XCR0 is bits 0 to 2.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

long cpuid_mask_traps;
static int keep_avx_vnni;

static void without(unsigned *reg, const int *bits, int count) {
    for (int i = 0; i < count; i++) *reg &= ~(1u << bits[i]);
}

static void answer_cpuid(greg_t *regs) {
    unsigned leaf = regs[REG_RAX], sub = regs[REG_RCX], a, b, c, d;
    __cpuid_count(leaf, sub, a, b, c, d);
    if (leaf == 7 && sub == 0) {
        static const int ebx[] = {16, 17, 21, 26, 27, 28, 30, 31}, ecx[] = {1, 6, 11, 12, 14}, edx[] = {2, 3, 8, 22, 23, 24, 25};
        without(&b, ebx, 8), without(&c, ecx, 5), without(&d, edx, 7);
    } else if (leaf == 7 && sub == 1) {
        static const int eax[] = {5, 21, 23, 4}, edx[] = {4, 5, 8, 10, 19};
        without(&a, eax, keep_avx_vnni ? 3 : 4), without(&d, edx, 5);
    }
    regs[REG_RAX] = a, regs[REG_RBX] = b, regs[REG_RCX] = c, regs[REG_RDX] = d;
}

static void answer_xgetbv(greg_t *regs) {
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"((unsigned)regs[REG_RCX]));
    regs[REG_RAX] = regs[REG_RCX] == 0 ? low & 7 : low, regs[REG_RDX] = regs[REG_RCX] == 0 ? 0 : high;
}

static void trapped(int number, siginfo_t *info, void *context) {
    (void)info;
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    const unsigned char *next = (const unsigned char *)regs[REG_RIP];
    __atomic_add_fetch(&cpuid_mask_traps, 1, __ATOMIC_RELAXED);
    if (next[0] == 0x90) {
        answer_cpuid(regs), regs[REG_RIP] += 1;
    } else if (next[0] == 0x66 && next[1] == 0x90) {
        answer_xgetbv(regs), regs[REG_RIP] += 2;
    } else {
        signal(number, SIG_DFL);
        raise(number);
    }
}

__attribute__((constructor)) static void install(void) {
    const char *level = getenv("EDGECLIP_CPUID_MASK");
    keep_avx_vnni = level && strcmp(level, "avxvnni") == 0;
    struct sigaction action = {.sa_sigaction = trapped, .sa_flags = SA_SIGINFO};
    sigaction(SIGTRAP, &action, NULL);
}
