// Truncated backpropagation through time, against windows put together by hand with detach.
#include <boost/test/unit_test.hpp>

#include "common/error_of.hpp"
#include "common/numbers.hpp"
#include "common/windows.hpp"

#include <unroll/layers/layers.hpp>
#include <unroll/ops/reshape.hpp>

using namespace unroll;

namespace {

constexpr Size kSteps = 9;

struct Fixture {
  LSTM cell{3, 4};
  Array x = random({kSteps, 2, 3});
  LSTM::State start{random({2, 4}, 5), random({2, 4}, 6)};
  Fixture() { cell.to(float64); }

  /// Outputs, and gradients of both orders of their weighted squares.
  template <class F>
  std::vector<Array> run(F&& outputs) const {
    Generator generator(1);
    Tape tape(generator);
    const Variable xs = tape.watch(x);
    const LSTM::State s = tape.watch(start);
    const Variables leaves{xs, s.h, s.c, cell.W, cell.U, cell.b};
    const Variable y = outputs(xs, s);
    const Variables first =
        grad(sum(random(y.shape(), 8) * square(y)), leaves, {.create_graph = true});
    Variable penalty = full({}, 0, float64);
    for (const Variable& g : first) penalty = penalty + sum(square(g));
    std::vector<Array> result{y.value()};
    for (const Variable& g : first) result.push_back(g.value());
    for (const Variable& g : grad(penalty, leaves)) result.push_back(g.value());
    return result;
  }

  auto truncated(Truncation truncation, bool reverse = false, Size recompute_every = 0) const {
    return run([&](const Variable& xs, const LSTM::State& s) {
      return over_time(cell, xs,
                       {.initial = s,
                        .recompute_every = recompute_every,
                        .reverse = reverse,
                        .truncation = truncation})
          .outputs();
    });
  }

  /// Each window from the state k2 - k1 steps before it, a constant unless that is the start.
  auto by_hand(Size k1, Size k2) const {
    return run([&](const Variable& xs, const LSTM::State& s) {
      return by_windows(cell, xs, {k1, k2}, OverTimeOptions<LSTM::State>{.initial = s});
    });
  }
};

void check_equal(const std::vector<Array>& a, const std::vector<Array>& b) {
  BOOST_REQUIRE(a.size() == b.size());
  for (std::size_t k = 0; k < a.size(); ++k) BOOST_TEST(distance(a[k], b[k]) < 1e-11);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(truncation, Fixture)

BOOST_AUTO_TEST_CASE(at_the_end_is_the_full_gradient) {
  const auto full = truncated({});
  check_equal(truncated({kSteps}), full);
  for (Size k = 1; k <= kSteps; ++k) check_equal(truncated({k, kSteps}), full);
  check_equal(truncated({100, 200}), full);
  BOOST_TEST(distance(truncated({3})[4], full[4]) > 1e-3);
}

BOOST_AUTO_TEST_CASE(shorter_is_windows_of_constants) {
  for (auto [k1, k2] : std::initializer_list<std::pair<Size, Size>>{{1, 1},
                                                                    {2, 2},
                                                                    {3, 3},
                                                                    {4, 4},
                                                                    {1, 3},
                                                                    {2, 3},
                                                                    {2, 4},
                                                                    {2, 5},
                                                                    {3, 4},
                                                                    {4, 7},
                                                                    {1, 8}}) {
    BOOST_TEST_CONTEXT("k1 = " << k1 << ", k2 = " << k2)
    check_equal(truncated({k1, k2}), by_hand(k1, k2));
  }
  check_equal(truncated({3}), truncated({3, 3}));
}

BOOST_AUTO_TEST_CASE(of_steps_that_are_computed_again) {
  for (Size window : {1, 2, 3, 4, 9})
    for (Size every : {1, 2, 3, 5, 20})
      for (bool reverse : {false, true})
        BOOST_TEST_CONTEXT("k = " << window << ", every " << every)
  check_equal(truncated({window}, reverse, every), truncated({window}, reverse));
}

BOOST_AUTO_TEST_CASE(in_reverse_windows_begin_at_the_end) {
  const auto reversed = truncated({2, 3}, true);
  const auto forward = run([&](const Variable& xs, const LSTM::State& s) {
    const auto states =
        over_time(cell, flip(xs, {0}), {.initial = s, .truncation = {.k1 = 2, .k2 = 3}});
    return flip(states.outputs(), {0});
  });
  check_equal(reversed, forward);
}

BOOST_AUTO_TEST_CASE(without_kept_states_and_with_padding) {
  auto last = [&](bool keep, Truncation truncation) {
    return run([&](const Variable& xs, const LSTM::State& s) {
      return over_time(
                 cell, xs,
                 {.initial = s, .keep_states = keep, .lengths = {7, 3}, .truncation = truncation})
          .last()
          .h;
    });
  };
  check_equal(last(true, {2, 4}), last(false, {2, 4}));
  // The second sequence has ended in the window before, and keeps its gradients from there.
  BOOST_TEST(max(abs(Variable(last(false, {2, 4})[1])[2][1])).item() > 0);
  BOOST_TEST(max(abs(Variable(last(false, {2})[1])[1][1])).item() == 0);
}

// Steps that are run again draw what they drew before.
BOOST_AUTO_TEST_CASE(random_numbers_are_those_of_the_whole_run) {
  auto noisy = [&](Truncation truncation) {
    return run([&](const Variable& xs, const LSTM::State& s) {
      return over_time(cell, xs, {.initial = s, .truncation = truncation, .zoneout = {0.3}})
          .outputs();
    });
  };
  for (Truncation t : {Truncation{2, 5}, Truncation{3}})
    BOOST_TEST(distance(noisy(t)[0], noisy({})[0]) == 0);
}

BOOST_AUTO_TEST_CASE(mistakes) {
  auto message = [&](Truncation t) {
    return error_of([&] { over_time(cell, x, {.truncation = t}); });
  };
  BOOST_TEST(message({4, 2}) ==
             "[LSTM] truncation has k1 = 4, k2 = 2; expected 1 <= k1 <= k2, or k2 = 0 for k1.");
  BOOST_TEST(message({0, 2}) != "");
  BOOST_TEST(message({-1}) != "");
  Tape tape;
  BOOST_TEST(error_of([&] {
               over_time(cell, x, {.recompute_every = 2, .truncation = {2, 3}});
             }) ==
             "[LSTM] truncation has k2 > k1, which runs steps again that recomputation does not "
             "keep; expected k2 = k1 with memory_budget or recompute_every.");
}

BOOST_AUTO_TEST_SUITE_END()
