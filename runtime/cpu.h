/* What this processor can do, and which instruction set the kernels use. */
#ifndef T5GIST_RUNTIME_CPU_H
#define T5GIST_RUNTIME_CPU_H

#include <stdbool.h>

typedef enum tg_isa { TG_ISA_PORTABLE = 0, TG_ISA_AVX2, TG_ISA_AVX512 } tg_isa;

tg_isa tg_cpu_isa(void);                    /* best one both processor and build have; constant over a process */
void tg_cpu_limit_isa(tg_isa best);         /* use at most this one; only before everything else of runtime/: tests of the slower paths */
const char *tg_isa_name(tg_isa isa);
void tg_cpu_describe(char *name, int size); /* "AMD EPYC (avx512_vnni avx512_bf16)" from /proc/cpuinfo, or "unknown" */
bool tg_cpu_vnni(void);                     /* AVX-512 is used and multiplies bytes (VNNI) */
bool tg_cpu_bf16(void);                     /* AVX-512 is used and multiplies pairs of bf16 */
int tg_cpu_threads(void);                   /* cores this process may use: affinity mask and cgroup quota, at least 1 */
double tg_cpu_waited_ms(void); /* that this process's threads, added up, were ready to run so far and had no core; 0 where the system does not say */

#endif
