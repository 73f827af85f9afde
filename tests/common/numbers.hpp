// Random numbers for tests, and how far two results are apart.
#pragma once

#include <boost/test/unit_test.hpp>

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/random.hpp>
#include <unroll/ops/reduce.hpp>

/// Standard normal, float64, the same for the same seed.
inline unroll::Array random(const unroll::Shape& shape, std::uint64_t seed = 3) {
  unroll::Generator generator(seed);
  return unroll::normal(shape, generator, {.type = unroll::float64});
}

/// The largest |a - b|, 0 for empty ones; their shapes must agree.
inline double distance(const unroll::Variable& a, const unroll::Variable& b) {
  BOOST_REQUIRE(a.shape() == b.shape());
  return a.size() ? unroll::max(unroll::abs(a - b)).item() : 0;
}
