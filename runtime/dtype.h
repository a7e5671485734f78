/* Number formats of stored tensors and their widening to f32. */
#ifndef T5GIST_RUNTIME_DTYPE_H
#define T5GIST_RUNTIME_DTYPE_H

#include <stddef.h>
#include <stdint.h>

/* TG_I4: 4 bits, two numbers to a byte and scales beside them (runtime/int4.h). In matrices alone, never a tensor's in a file: it has no size. */
typedef enum tg_dtype { TG_F32 = 0, TG_BF16, TG_F16, TG_F64, TG_I8, TG_U8, TG_I16, TG_I32, TG_I64, TG_BOOL, TG_N_DTYPES, TG_I4 } tg_dtype;

size_t tg_dtype_size(tg_dtype dtype);
const char *tg_dtype_name(tg_dtype dtype);              /* safetensors' name: "F32"; "I4" */
int tg_dtype_from_name(const char *name);               /* -1: unknown */

/* n values of dtype (TG_F32, TG_BF16, TG_F16 or TG_F64), at any alignment, to f32; bf16 and f16 widening is exact. */
void tg_widen(const void *from, tg_dtype dtype, size_t n, float *to);
/* f32 to bf16, round to nearest even, NaN kept. */
void tg_narrow_bf16(const float *from, size_t n, uint16_t *to);

#endif
