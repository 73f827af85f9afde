// xoshiro256++ and the two distributions that everything else is made of; see generator.hpp.
#include <unroll/autograd/generator.hpp>

#include <bit>
#include <cmath>

namespace unroll {

Generator::Generator(std::uint64_t seed) {
  for (std::uint64_t& word : state_) {  // splitmix64 (Steele, Lea and Flood 2014)
    seed += 0x9e3779b97f4a7c15u;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    word = z ^ (z >> 31);
  }
}

std::uint64_t Generator::bits() {
  std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
  std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Generator::normal() {
  for (;;) {
    double u = 2 * uniform() - 1, v = 2 * uniform() - 1, s = u * u + v * v;
    if (s > 0 && s < 1) return u * std::sqrt(-2 * std::log(s) / s);
  }
}

std::uint64_t Generator::below(std::uint64_t n) {
  std::uint64_t limit = -n % n;  // the first 2^64 mod n values would favour small results
  for (;;)
    if (std::uint64_t x = bits(); x >= limit) return x % n;
}

}  // namespace unroll
