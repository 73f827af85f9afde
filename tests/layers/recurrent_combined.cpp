// What the options of a Recurrent and those of over_time do together: padding, directions, learned
// starts, noise and recomputation. Each of them alone is tested where it is declared.
#include <boost/test/unit_test.hpp>

#include "common/error_of.hpp"
#include "common/numbers.hpp"

#include <unroll/layers/layers.hpp>
#include <unroll/ops/reshape.hpp>

using namespace unroll;

namespace {

using Options = OverTimeOptions<Recurrent::State>;

constexpr Size kSteps = 6, kBatch = 4;

struct Row {
  const char* name;
  RecurrentOptions options;
  Recurrent make() const {
    Recurrent r = recurrent<LSTM>(4, 4, options);
    r.to(float64);
    std::uint64_t seed = 1;
    for (Parameter p : r.parameters()) p.assign((0.5 * random(p.shape(), ++seed)).value());
    return r;
  }
};

const std::vector<Row> kQuiet = {
    {"sum", {.bidirectional = true, .layers = 2, .merge = Merge::sum}},
    {"mul", {.bidirectional = true, .layers = 2, .merge = Merge::mul}},
    {"average", {.bidirectional = true, .layers = 2, .merge = Merge::average}},
    {"residual", {.layers = 3, .skip = Skip::residual}},
    {"highway", {.layers = 3, .skip = Skip::highway}},
    {"learned", {.learned_initial = true}},
    {"learned, all", {.bidirectional = true, .layers = 2, .learned_initial = true,
                      .merge = Merge::sum, .skip = Skip::highway}},
};
const std::vector<Row> kNoisy = {
    {"zoneout", {.layers = 2, .zoneout = {0.3, 0.5}}},
    {"dropout", {.dropout = 0.4, .layers = 2}},
    {"variational", {.bidirectional = true, .layers = 2, .variational_dropout = 0.4}},
    {"drop_connect", {.drop_connect = {"U"}, .layers = 2}},
    {"all", {.bidirectional = true, .drop_connect = {"W", "b"}, .dropout = 0.2, .layers = 2,
             .learned_initial = true, .variational_dropout = 0.3,
             .zoneout = {0.2}}},
};

const Array kMask =
    values({{0, 1, 0, 1}, {1, 0, 0, 1}, {0, 0, 0, 0}, {0, 1, 0, 0}, {1, 1, 0, 1}, {1, 0, 0, 1}});
const Array kPrefixes =
    values({{1, 1, 0, 1}, {1, 1, 0, 0}, {1, 1, 0, 0}, {1, 1, 0, 0}, {0, 1, 0, 0}, {0, 1, 0, 0}});

/// The given run with no padding, lengths with 0 among them, and a mask, in both directions.
template <class F>
void for_each_padding(const std::vector<Row>& rows, F&& f) {
  const Options paddings[] = {{}, {.lengths = {4, 6, 0, 1}}, {.mask = kMask}};
  for (const Row& row : rows)
    for (Options o : paddings)
      for (bool reverse : {false, true}) {
        o.reverse = reverse;
        BOOST_TEST_CONTEXT(row.name << ", lengths " << o.lengths.size() << ", mask "
                                    << !o.mask.empty() << ", reverse " << reverse)
        f(row, o);
      }
}

/// Values that f computes of a sequence, the gradients of their squares for it and for all
/// Parameters, and with `twice` the gradients of the squares of those.
template <class F>
std::vector<Array> run(const Module& net, F&& f, bool twice, std::uint64_t seed = 1) {
  Generator generator(seed);
  Tape tape(generator);
  const Variable xs = tape.watch(random({kSteps, kBatch, 4}));
  Variables leaves{xs};
  for (const Parameter& p : net.parameters()) leaves.push_back(p);
  Variable loss = full({}, 0, float64), penalty = loss;
  std::vector<Array> result;
  for (const Variable& y : f(xs)) {
    result.push_back(y.value());
    loss = loss + sum(square(y));
  }
  const Variables first = grad(loss, leaves, {.create_graph = twice});
  for (const Variable& g : first) result.push_back(g.value());
  if (!twice) return result;
  for (const Variable& g : first) penalty = penalty + sum(square(g));
  for (const Variable& g : grad(penalty, leaves)) result.push_back(g.value());
  return result;
}

template <class S>
Variables seen(const S& states) {
  Variables y{states.outputs()};
  for (const Variable& v : values_of(states.last())) y.push_back(v);
  return y;
}

void check_equal(const std::vector<Array>& a, const std::vector<Array>& b) {
  BOOST_REQUIRE(a.size() == b.size());
  for (std::size_t k = 0; k < a.size(); ++k)
    BOOST_TEST(distance(a[k], b[k]) < 1e-12 * (1 + max(abs(Variable(b[k]))).item()));
}

/// The rows of xs at which `real` is 1 for sequence b, as a batch of one.
Variable alone(const Variable& xs, const Array& real, Size b) {
  Variables rows;
  for (Size t = 0; t < kSteps; ++t)
    if (real.at({t, b}) != 0) rows.push_back(sliced(xs[t], 0, b, b + 1));
  return rows.empty() ? sliced(sliced(xs, 1, b, b + 1), 0, 0, 0) : stack_along(rows);
}

/// The steps of it back in their places, zeros in the others.
Variable spread(const Variable& ys, const Array& real, Size b) {
  Variables rows;
  Size next = 0;
  for (Size t = 0; t < kSteps; ++t)
    rows.push_back(real.at({t, b}) != 0 ? ys[next++]
                                        : Variable(zeros({1, ys.size(-1)}, float64)));
  return stack_along(rows);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(recurrent_combined)

BOOST_AUTO_TEST_CASE(padded_equals_one_by_one) {
  for_each_padding(kQuiet, [](const Row& row, const Options& o) {
    const Recurrent net = row.make();
    const Array real = !o.mask.empty()      ? kMask
                       : o.lengths.empty() ? ones({kSteps, kBatch})
                                           : kPrefixes;
    auto one_by_one = [&](const Variable& xs) {
      std::vector<Variables> parts;
      for (Size b = 0; b < kBatch; ++b) {
        const auto states = over_time(net, alone(xs, real, b), {.reverse = o.reverse});
        parts.push_back(seen(states));
        parts.back()[0] = spread(states.outputs(), real, b);
      }
      Variables together;
      for (std::size_t k = 0; k < parts[0].size(); ++k) {
        Variables columns;
        for (const Variables& p : parts) columns.push_back(p[k]);
        together.push_back(concat(columns, k == 0 ? 1 : 0));
      }
      return together;
    };
    check_equal(run(net, [&](const Variable& xs) { return seen(over_time(net, xs, o)); }, false),
                run(net, one_by_one, false));
  });
}

BOOST_AUTO_TEST_CASE(steps_computed_again_give_the_same_to_order_two) {
  std::vector<Row> rows = kNoisy;
  rows.push_back(kQuiet.back());
  for_each_padding(rows, [](const Row& row, const Options& o) {
    const Recurrent net = row.make();
    Options again = o;
    again.recompute_every = 2;
    auto with = [&](const Options& options) {
      return run(net, [&](const Variable& xs) { return seen(over_time(net, xs, options)); }, true);
    };
    check_equal(with(again), with(o));
  });
}

// Zoneout, drawn for whole steps, before padding keeps the state.
BOOST_AUTO_TEST_CASE(zoneout_of_padded_steps_in_both_directions) {
  for_each_padding({{"zoneout", {.zoneout = {0.3}}}}, [](const Row& row, const Options& o) {
    if (o.mask.empty()) return;
    const Recurrent net = row.make();
    LSTM cell(4, 4);
    cell.to(float64);
    for (std::size_t k = 0; k < 3; ++k) cell.parameters()[k].assign(net.parameters()[k].value());
    auto by_hand = [&](const Variable& xs) {
      LSTM::State s = initial_state(cell, xs[0]);
      Variables outputs(std::vector<Variable>(kSteps, Variable()));
      for (Size k = 0; k < kSteps; ++k) {
        const Size t = o.reverse ? kSteps - 1 - k : k;
        const Variable real = kMask[t].reshaped({kBatch, 1}).to(float64);
        if (sum(real).item() > 0) {
          const LSTM::State next = cell.step(xs[t], s);
          auto moved = [&](const Variable& before, const Variable& after) {
            const Variable zoned =
                where(bernoulli(after.shape(), 0.3, *Tape::generator(), float64), before, after);
            return where(real, zoned, before);
          };
          const Variable h = moved(s.h, next.h);
          s = {h, moved(s.c, next.c)};
        }
        outputs[std::size_t(t)] = real * s.h;
      }
      return Variables{stack_along(outputs), s.h, s.c};
    };
    check_equal(run(net, [&](const Variable& xs) { return seen(over_time(net, xs, o)); }, true),
                run(cell, by_hand, true));
  });
}

// Dropout and variational dropout between layers: constants that multiply what the first one shows.
BOOST_AUTO_TEST_CASE(dropout_between_padded_layers_by_hand_to_order_two) {
  const std::vector<Row> rows = {{"dropout", {.dropout = 0.4, .layers = 2}},
                                 {"variational", {.layers = 2, .variational_dropout = 0.4}}};
  for_each_padding(rows, [](const Row& row, const Options& o) {
    const Recurrent net = row.make();
    LSTM cells[] = {LSTM(4, 4), LSTM(4, 4)};
    for (std::size_t k = 0; k < 6; ++k) {
      LSTM& cell = cells[k / 3];
      if (k % 3 == 0) cell.to(float64);
      cell.parameters()[k % 3].assign(net.parameters()[k].value());
    }
    struct Both : Module {
      Both(LSTM& below, LSTM& above) {
        register_submodule("below", below);
        register_submodule("above", above);
      }
    } both(cells[0], cells[1]);
    auto by_hand = [&](const Variable& xs) {
      const OverTimeOptions<LSTM::State> each{
          .lengths = o.lengths, .mask = o.mask, .reverse = o.reverse};
      const auto below = over_time(cells[0], xs, each);
      const Shape shape{row.options.dropout > 0 ? kSteps : 1, kBatch, 4};
      const Variable mask = dropout(ones(shape, float64), 0.4);
      const auto above = over_time(cells[1], below.outputs() * mask, each);
      return Variables{above.outputs(), below.last().h, below.last().c, above.last().h,
                       above.last().c};
    };
    check_equal(run(net, [&](const Variable& xs) { return seen(over_time(net, xs, o)); }, true),
                run(both, by_hand, true));
  });
}

// Without output() of its own it shows the first value, that of the lowest layer.
BOOST_AUTO_TEST_CASE(a_cell_made_of_layers) {
  struct Made : Module {
    Recurrent inner = submodule("inner", recurrent<LSTM>(4, 4, {.layers = 2}));
    using State = Recurrent::State;
    State zero_state(const Variable& x) const { return inner.zero_state(x); }
    State step(const Variable& x, const State& s) const { return inner.step(x, s); }
  } cell;
  cell.to(float64);
  const auto states = over_time(cell, random({kSteps, kBatch, 4}));
  for (Size t = 0; t < kSteps; ++t)
    BOOST_TEST(identical(states.outputs().value()[t], values_of(states[t])[0].value()));
  BOOST_TEST(identical(states.outputs().value(), values_of(states.all())[0].value()));
  // A start without the batch axis is every sequence's, in a State within the State too.
  const Variable h = random({4}, 5);
  const Recurrent::State one{{LSTM::State{h, {}}, {}}};
  const Recurrent::State each{{LSTM::State{h + zeros({kBatch, 4}, float64), {}}, {}}};
  const std::vector<Size> lengths{6, 3, 0, 1};
  auto last = [&](const Recurrent::State& start) {
    return over_time(cell, random({kSteps, kBatch, 4}), {.initial = start, .lengths = lengths}).last();
  };
  for (std::size_t k = 0; k < 4; ++k)
    BOOST_TEST(identical(values_of(last(one))[k].value(), values_of(last(each))[k].value()));
}

BOOST_AUTO_TEST_SUITE_END()
