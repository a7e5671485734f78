#include "runtime/simd.h"

#if defined(__x86_64__)

#define TG_VECTOR_AVX2
#include "runtime/simd_body.h"

const tg_simd tg_simd_avx2 = {
    .lanes = LANES,
    .rmsnorm = rmsnorm,
    .activate = activate,
    .max = max_of,
    .sum_exp = sum_exp,
    .quantize = quantize,
    .multiply = multiply,
    .multiply_pairs = multiply_pairs,
    .transpose = transpose,
    .dots = dots,
    .dots_bf16 = dots_bf16,
    .combine = combine,
    .combine_bf16 = combine_bf16,
    .soften = soften,
    .scale = scale,
};

TG_VECTOR_END

#endif
