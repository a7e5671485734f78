/* Random numbers by counter, without state: splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014;
 * constants of Vigna's public-domain splitmix64.c), of which any element can be had at once. */
#ifndef T5GIST_T5_RANDOM_H
#define T5GIST_T5_RANDOM_H

#include <stdint.h>

#define TG_RANDOM_STEP UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / golden ratio, odd: the counter's stride */

/* The finaliser: a bijection of 64 bits in which every output bit depends on every input bit. */
static inline uint64_t tg_random_mix(uint64_t z) {
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/* A stream's key from its parent's and a label: streams of different labels have nothing in common. */
static inline uint64_t tg_random_key(uint64_t parent, uint64_t label) {
  return tg_random_mix(tg_random_mix(parent + TG_RANDOM_STEP) + label);
}

/* Element i of the stream: 64 bits. */
static inline uint64_t tg_random_at(uint64_t key, uint64_t i) {
  return tg_random_mix(key + (i + 1) * TG_RANDOM_STEP);
}

/* A label from a text: FNV-1a, 64 bits. */
static inline uint64_t tg_random_label(const char *text) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  for (const char *p = text; *p; p++) hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
  return hash;
}

#endif
