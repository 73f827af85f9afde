// Plain structs seen field by field.
#include <boost/test/unit_test.hpp>
#include <map>

#include <unroll/layers/recurrent_cell.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

#include "../common/error_of.hpp"

using namespace unroll;

namespace {

enum class Phase { first, second };
struct Pair {
  Variable h, c;
};
struct Rich {
  std::array<Variable, 2> both;
  Pair pair;
  int count = 3;
  std::vector<Variable> list;
  Phase phase = Phase::second;
  std::vector<Pair> pairs;
  double rate = 0.5;
  std::array<Pair, 2> more;
};
struct Twelve {
  Variable a, b, c, d, e, f, g, h, i, j, k, l;
};
struct Nothing {};

static_assert(PlainState<Rich> && PlainState<Nothing> && PlainState<std::vector<Variable>>);
static_assert(!PlainState<Variable> && !PlainState<std::string> && !PlainState<std::map<int, int>>);

Rich rich() {
  auto n = [k = 0.0]() mutable { return Variable(k++); };
  Rich r;
  r.both = {n(), n()};
  r.pair = {n(), n()};
  r.list = {n(), n(), n()};
  r.pairs = {{n(), n()}};
  r.more = {Pair{n(), n()}, Pair{n(), n()}};
  return r;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(state)

BOOST_AUTO_TEST_CASE(values_in_order_of_declaration) {
  Variables v = values_of(rich());
  BOOST_TEST(v.size() == 13u);
  for (std::size_t k = 0; k < v.size(); ++k) BOOST_TEST(v[k].item() == double(k));
  BOOST_TEST(values_of(Twelve()).size() == 12u);
  BOOST_TEST(values_of(Nothing()).size() == 0u);
}

BOOST_AUTO_TEST_CASE(mapping_keeps_numbers_and_lengths) {
  Rich r = rich();
  r.count = 8;
  Rich doubled = map_values(r, [](const Variable& x) { return Variable(2 * x.item()); });
  BOOST_TEST(doubled.more[1].c.item() == 24);
  BOOST_TEST(doubled.count == 8);
  BOOST_TEST((doubled.phase == Phase::second));
  BOOST_TEST(r.more[1].c.item() == 12);
}

BOOST_AUTO_TEST_CASE(detached_states_are_constants) {
  Tape tape;
  Variable x = tape.watch(values({1, 2}));
  Pair p{x * 2, {}};
  Pair q = detach(p);
  BOOST_TEST(p.h.is_recorded());
  BOOST_TEST(!q.h.is_recorded());
  BOOST_TEST(identical(q.h.value(), p.h.value()));
  BOOST_TEST(q.c.empty());
}

BOOST_AUTO_TEST_CASE(watched_states_get_gradients) {
  Tape tape;
  Pair p = tape.watch(Pair{values({1, 2}), {}});
  tape.backward(sum(p.h * p.h));
  BOOST_TEST(identical(p.h.grad().value(), values({2, 4})));
  BOOST_TEST(p.c.empty());
}

BOOST_AUTO_TEST_CASE(indices_in_a_state_are_not_watched) {
  Tape tape;
  Pair before{values({1, 2}), indices({3, 4})};
  Pair p = tape.watch(before);
  tape.backward(sum(p.h * p.h));
  BOOST_TEST(identical(p.h.grad().value(), values({2, 4})));
  BOOST_TEST((p.c.record() == before.c.record()));
}

BOOST_AUTO_TEST_CASE(the_state_of_an_erased_cell_is_one_too) {
  CellState s = Pair{Variable(1.0), Variable(2.0)}, loose{Variable(3.0)}, none;
  CellState copy = s;
  std::vector<CellState> all{s, loose, none};
  BOOST_TEST(values_of(all).size() == 3u);
  for_each_value(all, [](Variable& v) { v = v * 10.0; });
  BOOST_TEST(all[0].values()[1].item() == 20);
  BOOST_TEST(all[1].values()[0].item() == 30);
  BOOST_TEST(copy.values()[1].item() == 2);  // copies keep their own values
  BOOST_TEST((s.as<Pair>() != nullptr));
  BOOST_TEST((s.as<Twelve>() == nullptr));
}

BOOST_AUTO_TEST_CASE(states_that_grow_are_asked_for_one_by_one) {
  struct Remembering : Cell {
    using Cell::Cell;
    struct State {
      Variable seen, last;
    };
    State step(const Variable& x, const State& s) const { return {concat({s.seen, x}), x}; }
    Variable output(const State& s) const { return hidden > 1 ? s.seen : s.last; }
  } growing(3, 4), steady(3, 1);
  const Array x = ones({3, 2, 3});
  BOOST_TEST(over_time(growing, x)[2].seen.shape() == Shape({2, 13}));
  BOOST_TEST(error_of([&] { over_time(growing, x).outputs(); }) ==
             "[Remembering] its output is (2, 7) at step 0 and (2, 10) at step 1, which cannot be "
             "stacked; ask for the steps one by one, states[t].");
  BOOST_TEST(over_time(steady, x).outputs().shape() == Shape({3, 2, 3}));
  BOOST_TEST(error_of([&] { over_time(steady, x).all(); }) ==
             "[Remembering] value 0 of its State is (2, 4) at step 0 and (2, 7) at step 1, which "
             "cannot be stacked; ask for the steps one by one, states[t].");
}

BOOST_AUTO_TEST_SUITE_END()
