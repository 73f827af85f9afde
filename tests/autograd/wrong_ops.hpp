// An op with a wrong gradient, and how to look for words in what gradcheck says of it. Other planted
// mistakes are in gradcheck_blame.cpp.
#pragma once

#include <boost/test/unit_test.hpp>

#include <unroll/autograd/gradcheck.hpp>

#include "small_ops.hpp"

inline bool mentions(const unroll::CheckReport& report, const std::string& words) {
  if (report.text().find(words) != std::string::npos) return true;
  BOOST_TEST_MESSAGE("looked for \"" << words << "\" in: " << report.text());
  return false;
}

/// x^3 with the gradient 2 x^2.
inline unroll::Variable wrong_factor(const unroll::Variable& x) {
  unroll::Op op("wrong_factor", x);
  return op.record(small::map(op[0], [](double v) { return v * v * v; }), [](unroll::Backward& g) {
    g.give(0, small::mul(g.dy(), small::scale(small::square(g.x()), 2)));
  });
}
