// Generator: the only source of random numbers, passed explicitly and small enough to save.
// Distributions over Arrays are in ops/random.hpp.
#pragma once

#include <array>
#include <cstdint>

namespace unroll {

/// xoshiro256++ (Blackman and Vigna 2019), seeded by splitmix64; the same seed gives the same
/// numbers everywhere.
class Generator {
 public:
  using State = std::array<std::uint64_t, 4>;

  explicit Generator(std::uint64_t seed = 0);
  /// 64 random bits.
  std::uint64_t bits();
  /// Uniform in [0, 1), 53 bits.
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }
  /// Standard normal (Marsaglia's polar method; the second number of a pair is not kept, so that
  /// state() is all there is).
  double normal();
  /// Uniform in {0, ..., n - 1}, without bias; n > 0.
  std::uint64_t below(std::uint64_t n);
  /// An independent generator, for another thread or purpose.
  Generator split() { return Generator(bits()); }

  const State& state() const { return state_; }
  void set_state(const State& state) { state_ = state; }

 private:
  State state_;
};

}  // namespace unroll
