// The schedule of recomputation against the best there is, found by trying everything.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <map>

#include <unroll/layers/recompute_schedule.hpp>

#include "../common/error_of.hpp"

using namespace unroll;
using namespace unroll::detail;

namespace {

// Units computed again for n units and s states, whichever state is kept.
double least_possible(Size n, Size s) {
  static std::map<std::pair<Size, Size>, double> known;
  if (n <= 1) return 0;
  if (s == 0) return INFINITY;
  auto [at, is_new] = known.try_emplace({n, s}, INFINITY);
  if (!is_new) return at->second;
  double least = INFINITY;
  for (Size first = 1; first < n; ++first)
    least = std::min(least, static_cast<double>(first) + least_possible(first, s) +
                                least_possible(n - first, s - 1));
  return known[{n, s}] = least;
}

// What going back over the parts costs, each with the states that are free by then.
double cost_of(Size n, Size s) {
  if (n <= 1) return 0;
  double cost = 0;
  std::vector<Size> parts = parts_of(n, s);
  for (std::size_t k = 0; k < parts.size(); ++k) {
    BOOST_REQUIRE(parts[k] >= 1 && parts[k] < n);
    BOOST_REQUIRE(static_cast<Size>(k) <= s);
    bool last = k + 1 == parts.size();
    cost +=
        (last ? 0 : static_cast<double>(parts[k])) + cost_of(parts[k], s - static_cast<Size>(k));
  }
  return cost;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(recompute_schedule)

BOOST_AUTO_TEST_CASE(parts_cost_the_least_possible) {
  for (Size s = 1; s <= 6; ++s)
    for (Size n = 1; n <= 60; ++n) {
      BOOST_TEST_CONTEXT(n << " units, " << s << " states") {
        BOOST_TEST(cost_of(n, s) == least_possible(n, s));
        BOOST_TEST(recomputed_units(n, s) == least_possible(n, s));
        Size sum = 0;
        for (Size p : parts_of(n, s)) sum += p;
        BOOST_TEST(sum == n);
        BOOST_TEST(parts_of(n, s).back() == 1);
      }
    }
  // States for every unit: each is computed again once, but for the last.
  BOOST_TEST(recomputed_units(1000, 999) == 999);
  BOOST_TEST(parts_of(5, 4) == (std::vector<Size>{1, 1, 1, 1, 1}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_budget_decides) {
  const SequenceMemory memory{.fixed = 50, .state = 10, .step = 100};
  // All of it, when all of it fits.
  BOOST_TEST(schedule_within("net", 100, memory, 10'050).unit == 100);
  for (double budget : {300.0, 1'000.0, 3'000.0, 9'000.0}) {
    RecomputeSchedule s = schedule_within("net", 100, memory, budget + 50);
    BOOST_TEST(static_cast<double>(s.unit) * 100 + static_cast<double>(s.states) * 10 <= budget);
    // No other one is cheaper.
    double cost = recomputed_units((99 + s.unit) / s.unit, s.states) * static_cast<double>(s.unit);
    for (Size unit : {1, 2, 3, 5, 8}) {
      auto states = static_cast<Size>((budget - static_cast<double>(unit) * 100) / 10);
      if (states < 1) continue;
      BOOST_TEST(cost <= recomputed_units((99 + unit) / unit, states) * static_cast<double>(unit));
    }
  }
  BOOST_TEST(schedule_within("net", 100, memory, 160).states == 1);
  BOOST_TEST(error_of([&] { schedule_within("net", 100, memory, 159); }) ==
             "[net] memory_budget is 159 bytes; expected at least 160 for its weights' gradients, "
             "steps and states.");
  const SequenceMemory large{.fixed = 3'000'000, .tape = 0, .state = 10, .step = 100};
  BOOST_TEST(error_of([&] {
               schedule_within("net", 100, large, 200'000);
             }).starts_with("[net] memory_budget is 200000 bytes; expected at least 3000110 for "));
}

// Units of many steps may take more at once: then only a budget that has room for it has them.
BOOST_AUTO_TEST_CASE(what_larger_units_take_counts) {
  const SequenceMemory memory{.state = 10, .step = 100, .more = {{16, 5'000}, {64, 20'000}}};
  const auto unit = [&](double budget) {
    return schedule_within("net", 1000, memory, budget).unit;
  };
  BOOST_TEST(unit(3'000) < 16);
  BOOST_TEST(unit(12'000) < 64);
  BOOST_TEST(unit(124'999) < 1000);
  BOOST_TEST(unit(125'000) == 1000);
  for (double budget : {1'000.0, 4'000.0, 8'000.0, 30'000.0, 60'000.0}) {
    const RecomputeSchedule s = schedule_within("net", 1000, memory, budget);
    const double more = s.unit >= 64 ? 25'000 : s.unit >= 16 ? 5'000 : 0;
    BOOST_TEST(static_cast<double>(s.unit * 100 + s.states * 10) + more <= budget);
  }
}

// Of a long unit not all steps wait for products: the others take less.
BOOST_AUTO_TEST_CASE(steps_that_do_not_wait_take_less) {
  const SequenceMemory memory{.state = 10, .step = 100, .waiting = 20, .further = 40};
  BOOST_TEST(schedule_within("net", 1000, memory, 2'000 + 980 * 40).unit == 1000);
  BOOST_TEST(schedule_within("net", 1000, memory, 2'000 + 980 * 40 - 1).unit < 1000);
  BOOST_TEST(schedule_within("net", 1000, memory, 1'500).unit <= 15);
}

// Parts within parts each take a tape: few of them where tapes are large.
BOOST_AUTO_TEST_CASE(a_tape_for_every_level_counts) {
  const SequenceMemory memory{.fixed = 50, .tape = 400, .last = 400, .state = 10, .step = 100};
  auto taken = [&](RecomputeSchedule s) {
    const Size n = (99 + s.unit) / s.unit;
    double levels = 1;
    for (Size units = n, r = 0; units > 1; units = parts_of(units, s.states)[0], ++r) levels += 1;
    return 50 + 400 * levels + double(s.unit) * 100 + double(s.states) * 10;
  };
  for (double budget : {1'500.0, 2'000.0, 3'000.0, 9'000.0})
    BOOST_TEST(taken(schedule_within("net", 100, memory, budget)) <= budget);
  const std::string message = error_of([&] { schedule_within("net", 100, memory, 900); });
  const double least = std::stod(message.substr(message.find("at least ") + 9));
  BOOST_TEST(taken(schedule_within("net", 100, memory, least)) <= least);
  BOOST_CHECK_THROW(schedule_within("net", 100, memory, least - 1), Error);
}

BOOST_AUTO_TEST_SUITE_END()
