// What holds for every cell of the table (cell_table.hpp) over a sequence: padding, direction,
// recomputation and truncation change nothing but what they say.
#include <cmath>

#include "cell_table.hpp"

#include "common/error_of.hpp"

#include <unroll/ops/index.hpp>

using namespace cell_table;

namespace {

/// The least memory_budget that a run of it takes.
Size least_budget(const Recurrent& cell, const Array& x,
                  OverTimeOptions<Recurrent::State> options) {
  options.memory_budget = 1;
  const std::string told = error_of([&] {
    Tape tape;
    over_time(cell, tape.watch(x), options);
  });
  return std::stoll(told.substr(told.find("at least ") + 9));
}

/// The steps of sequence b that are real, as a batch of one.
Variable without_padding(const Variable& xs, const Array& real, Size b) {
  Variables steps;
  for (Size t = 0; t < xs.size(0); ++t)
    if (real.at({t, b}) != 0) steps.push_back(sliced(xs[t], 0, b, b + 1));
  return steps.empty() ? sliced(sliced(xs, 1, b, b + 1), 0, 0, 0) : stack_along(steps);
}

/// A batch with NaN where it is padded gives what its sequences give one by one: outputs, last
/// states, and gradients of the inputs and of all Parameters, in both directions.
void check_padding(const Row& row, OverTimeOptions<Recurrent::State> options, const Array& real) {
  Recurrent cell = row.make();
  cell.to(float64);
  Array x = row.input(5, 4);
  for (Size t = 0; t < 5; ++t)
    for (Size b = 0; b < 4; ++b)
      if (real.at({t, b}) == 0) x[t][b].fill(NAN);
  for (bool reverse : {false, true}) {
    options.reverse = reverse;
    Tape tape;
    const Variable xs = tape.watch(x);
    Variables leaves{xs};
    for (const Parameter& p : cell.parameters()) leaves.push_back(p);
    const auto padded = over_time(cell, xs, options);
    Variable together = sum(square(padded.outputs())), apart = full({}, 0, float64);
    for (Size b = 0; b < 4; ++b) {
      const auto alone = over_time(cell, without_padding(xs, real, b), {.reverse = reverse});
      BOOST_TEST(distance(without_padding(padded.outputs(), real, b), alone.outputs()) < 1e-14);
      const Variables last = values_of(padded.last()), expected = values_of(alone.last());
      for (std::size_t k = 0; k < last.size(); ++k) {
        BOOST_TEST(distance(sliced(last[k], 0, b, b + 1), expected[k]) < 1e-14);
        apart = apart + sum(square(expected[k]));
      }
      apart = apart + sum(square(alone.outputs()));
    }
    for (const Variable& last : values_of(padded.last())) together = together + sum(square(last));
    const Variables expected = grad(apart, leaves, {.retain_graph = true});
    const Variables gradients = grad(together, leaves);
    for (std::size_t k = 0; k < leaves.size(); ++k)
      BOOST_TEST(distance(gradients[k], expected[k]) < 1e-12);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cells_over_time)

BOOST_AUTO_TEST_CASE(padded_equals_one_by_one) {
  const Array lengths =
      values({{1, 1, 0, 1}, {1, 1, 0, 0}, {1, 1, 0, 0}, {0, 1, 0, 0}, {0, 1, 0, 0}});
  for_each_cell([&](const Row& row) { check_padding(row, {.lengths = {3, 5, 0, 1}}, lengths); });
}

BOOST_AUTO_TEST_CASE(masked_equals_without_the_holes) {
  const Array mask = values({{0, 1, 0, 1}, {1, 0, 0, 1}, {0, 1, 0, 0}, {1, 1, 0, 1}, {1, 0, 0, 1}});
  for_each_cell([&](const Row& row) { check_padding(row, {.mask = mask}, mask); });
}

BOOST_AUTO_TEST_CASE(reverse_equals_flipped_forward) {
  for_each_cell([](const Row& row) {
    Recurrent cell = row.make();
    cell.to(float64);
    const Array x = row.input(5, 2);
    auto reverse = over_time(cell, x, {.reverse = true});
    auto forward = over_time(cell, x.flipped(0));
    BOOST_TEST(distance(flip(reverse.outputs(), {0}), forward.outputs()) == 0);
    const Variables last = values_of(reverse.last()), expected = values_of(forward.last()),
                    all = values_of(reverse.all()), flipped = values_of(forward.all());
    for (std::size_t k = 0; k < last.size(); ++k) {
      BOOST_TEST(distance(last[k], expected[k]) == 0);
      BOOST_TEST(distance(flip(all[k], {0}), flipped[k]) == 0);
    }
    const Variables back = gradients(cell, x, [&](const Variable& xs) {
      return over_time(cell, xs, {.reverse = true}).outputs();
    });
    const Variables forth = gradients(cell, x, [&](const Variable& xs) {
      return over_time(cell, flip(xs, {0})).outputs();
    });
    for (std::size_t k = 0; k < back.size(); ++k) BOOST_TEST(distance(back[k], forth[k]) < 1e-12);
  });
}

BOOST_AUTO_TEST_CASE(recomputed_equals_plain) {
  for_each_cell([](const Row& row) {
    Recurrent cell = row.make();
    cell.to(float64);
    const Array x = row.input(7, 2);
    auto with = [&](const OverTimeOptions<Recurrent::State>& options) {
      return gradients_to_order_two(
          cell, x, [&](const Variable& xs) { return over_time(cell, xs, options).outputs(); });
    };
    for (bool reverse : {false, true}) {
      OverTimeOptions<Recurrent::State> options{.lengths = {7, 4}, .reverse = reverse};
      const Variables plain = with(options);
      auto compare = [&] {
        const Variables again = with(options);
        for (std::size_t k = 0; k < plain.size(); ++k) {
          const double size = std::max(1.0, max(abs(plain[k])).item());
          BOOST_TEST(distance(again[k], plain[k]) < 1e-12 * size);
        }
      };
      for (Size every : {1, 2, 3}) {
        options.recompute_every = every;
        compare();
      }
      options.recompute_every = 0;
      options.memory_budget = least_budget(cell, x, options);
      compare();
    }
  });
}

BOOST_AUTO_TEST_CASE(truncated_at_the_end_equals_full_and_before_it_windows) {
  for_each_cell([](const Row& row) {
    Recurrent cell = row.make();
    cell.to(float64);
    const Array x = row.input(5, 2);
    auto truncated = [&](Truncation t) {
      return gradients(
          cell, x,
          [&](const Variable& xs) { return over_time(cell, xs, {.truncation = t}).outputs(); });
    };
    const Variables full = truncated({}), at_end = truncated({5}), windows = truncated({2});
    const Variables by_hand = gradients(cell, x, [&](const Variable& xs) {
      const auto first = over_time(cell, sliced(xs, 0, 0, 2));
      const auto second = over_time(cell, sliced(xs, 0, 2, 4), {.initial = detach(first.last())});
      const auto third = over_time(cell, sliced(xs, 0, 4, 5), {.initial = detach(second.last())});
      return concat({first.outputs(), second.outputs(), third.outputs()}, 0);
    });
    for (std::size_t k = 0; k < full.size(); ++k) {
      BOOST_TEST(distance(at_end[k], full[k]) == 0);
      BOOST_TEST(distance(windows[k], by_hand[k]) < 1e-12);
    }
  });
}

BOOST_AUTO_TEST_SUITE_END()
