/* The shuffled order: a permutation of 0 .. 2^bits - 1 keyed by (seed, epoch), restricted to 0 .. count - 1 by walking its cycles. */
#include "t5/random.h"
#include "training/data.h"

enum { ROUNDS = 8 };

static int bits_of(uint64_t largest) {
  int bits = 0;
  for (; largest; largest >>= 1) bits++;
  return bits;
}

/* An alternating Feistel network: each round changes one part by a function of the other, which can be undone, so distinct numbers stay distinct.
 * The parts differ by one bit where bits is odd. */
static uint64_t permute(uint64_t key, int bits, uint64_t x) {
  const int n_low = bits / 2;
  const uint64_t low_mask = (UINT64_C(1) << n_low) - 1, high_mask = (UINT64_C(1) << (bits - n_low)) - 1;
  uint64_t low = x & low_mask, high = x >> n_low;
  for (int round = 0; round < ROUNDS; round++) {
    const uint64_t round_key = tg_random_key(key, (uint64_t)round);
    if (round % 2 == 0)
      high ^= tg_random_at(round_key, low) & high_mask;
    else
      low ^= tg_random_at(round_key, high) & low_mask;
  }
  return high << n_low | low;
}

size_t tg_data_shuffled(size_t count, uint64_t seed, uint64_t i) {
  if (count < 2) return 0;
  const uint64_t key = tg_random_key(seed, i / count);
  const int bits = bits_of((uint64_t)count - 1);
  uint64_t x = i % count;
  do x = permute(key, bits, x); /* two turns at most on average, for more than half of the numbers are in range; x itself is, so the walk ends */
  while (x >= count);
  return (size_t)x;
}
