// parallel_backward against one tape over the whole batch: the same gradients, the same bits in
// each run, errors of a thread, and memory that stays with its threads.
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <mutex>
#include <set>

#include "common/numbers.hpp"

#include <unroll/autograd/memory.hpp>
#include <unroll/layers/cells/elman.hpp>
#include <unroll/layers/cells/gru.hpp>
#include <unroll/layers/cells/lstm.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/optimiser.hpp>
#include <unroll/layers/parallel.hpp>
#include <unroll/layers/recurrent.hpp>
#include <unroll/ops/ops.hpp>

using namespace unroll;

namespace {

constexpr Size T = 6, B = 7;

struct Net : Module {
  explicit Net(double dropout = 0) : encoder(stacked(LSTM(3, 5), GRU(5, 4))), drop(dropout) {
    register_submodule("encoder", encoder);
  }
  Recurrent encoder;
  Linear readout = submodule("readout", Linear(4, 2));
  double drop;

  Variable loss(const Variable& x, const Variable& y) const {
    Variable h = over_time(encoder, x).outputs();
    return mean_squared_error(readout(drop > 0 ? dropout(h, drop) : h), y);
  }
};

struct Batch {
  Array x, y;
  explicit Batch(Type type = float32) {
    Generator g(3);
    x = normal({T, B, 3}, g, {.type = type});
    y = normal({T, B, 2}, g, {.type = type});
  }
};

double run(const Net& net, const Batch& batch, const ParallelOptions& options) {
  return parallel_backward(
      B,
      [&](Size begin, Size end) {
        return net.loss(sliced(batch.x, 1, begin, end), sliced(batch.y, 1, begin, end));
      },
      options);
}

std::vector<double> gradients_of(const Module& net) {
  std::vector<double> all;
  for (const Parameter& p : net.parameters()) {
    BOOST_REQUIRE(!p.grad().empty());
    for (double g : p.grad().value().to_vector<double>()) all.push_back(g);
  }
  return all;
}

/// What f throws says so.
template <class F>
void check_throws(F&& f, const std::string& message) {
  BOOST_CHECK_EXCEPTION(f(), Error, [&](const Error& e) {
    BOOST_TEST(std::string(e.what()).find(message) != std::string::npos, e.what());
    return true;
  });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(parallel)

BOOST_AUTO_TEST_CASE(equals_one_tape) {
  Net net;
  net.to(float64);
  Batch batch(float64);
  double loss = 0;
  for (int k = 0; k < 2; ++k) {  // gradients are added to those that are there
    Tape tape;
    Variable l = net.loss(batch.x, batch.y);
    loss = l.item();
    tape.backward(l);
  }
  const std::vector<double> expected = gradients_of(net);
  for (Size threads : {1, 2, 3, 7, 20}) {
    net.zero_grad();
    BOOST_TEST(run(net, batch, {.threads = threads}) == loss, boost::test_tools::tolerance(1e-14));
    run(net, batch, {.threads = threads});
    const std::vector<double> got = gradients_of(net);
    BOOST_REQUIRE(got.size() == expected.size());
    double worst = 0;
    for (std::size_t k = 0; k < got.size(); ++k)
      worst = std::max(worst, std::abs(got[k] - expected[k]));
    BOOST_TEST(worst < 1e-15, threads << " threads: " << worst);
  }
}

BOOST_AUTO_TEST_CASE(shards_cover_the_batch) {
  for (Size batch : {1, 2, 7, 12})
    for (Size threads : {1, 2, 5, 40}) {
      std::vector<std::atomic<int>> seen(static_cast<std::size_t>(batch));
      std::atomic<Size> shards = 0, longest = 0, shortest = batch;
      std::mutex mutex;
      Parameter w("w", ones({}));
      parallel_backward(batch,
                        [&](Size begin, Size end) {
                          ++shards;
                          for (Size k = begin; k < end; ++k) ++seen[static_cast<std::size_t>(k)];
                          std::lock_guard lock(mutex);
                          longest = std::max<Size>(longest, end - begin);
                          shortest = std::min<Size>(shortest, end - begin);
                          return w * 1;
                        },
                        {.threads = threads});
      BOOST_TEST(shards == std::min(batch, threads));
      BOOST_TEST(longest - shortest <= 1);
      for (const auto& s : seen) BOOST_TEST(s == 1);
      BOOST_TEST(w.grad().item() == 1, boost::test_tools::tolerance(1e-6));
    }
}

BOOST_AUTO_TEST_CASE(repeats_bit_for_bit) {
  Net net(0.4);
  Batch batch;
  std::set<std::vector<double>> seen;
  std::set<double> losses;
  for (int k = 0; k < 20; ++k) {
    net.zero_grad();
    Generator generator(11);
    losses.insert(run(net, batch, {.generator = &generator, .threads = 3}));
    seen.insert(gradients_of(net));
  }
  BOOST_TEST(losses.size() == 1u);
  BOOST_TEST(seen.size() == 1u);
}

BOOST_AUTO_TEST_CASE(shards_draw_different_numbers) {
  Generator generator(1), same(1);
  std::array<Array, 3> masks, again;
  auto draw = [](std::array<Array, 3>& to) {
    return [&](Size begin, Size) {
      Variable x = Tape::current()->watch(ones({50}));
      Variable y = dropout(x, 0.5);
      to[static_cast<std::size_t>(begin)] = y.value();
      return mean(y);
    };
  };
  parallel_backward(3, draw(masks), {.generator = &generator, .threads = 3});
  parallel_backward(3, draw(again), {.generator = &same, .threads = 3});
  std::set<std::vector<double>> different;
  for (std::size_t k = 0; k < 3; ++k) {
    BOOST_TEST(masks[k].to_vector<double>() == again[k].to_vector<double>());
    different.insert(masks[k].to_vector<double>());
  }
  BOOST_TEST(different.size() == 3u);
  parallel_backward(3, draw(again), {.generator = &generator, .threads = 3});
  BOOST_TEST(masks[0].to_vector<double>() != again[0].to_vector<double>());
}

BOOST_AUTO_TEST_CASE(inputs_get_gradients) {
  const Array x = values({1, 2, 3, 4});
  std::array<Variable, 2> inputs;
  Parameter w("w", values({2}));
  double loss = parallel_backward(4,
                                  [&](Size begin, Size end) {
                                    Variable& mine = inputs[begin == 0 ? 0 : 1];
                                    mine = Tape::current()->watch(x.sliced(0, begin, end));
                                    return mean(mine * mine * w);
                                  },
                                  {.threads = 2});
  BOOST_TEST(loss == 2 * 30 / 4.0);
  BOOST_TEST(inputs[0].grad().value().to_vector<double>() == (std::vector<double>{1, 2}));
  BOOST_TEST(inputs[1].grad().value().to_vector<double>() == (std::vector<double>{3, 4}));
  BOOST_TEST(w.grad().item() == 7.5);
}

BOOST_AUTO_TEST_CASE(a_parameter_of_one_shard) {
  Parameter w("w", values({2})), v("v", values({5}));
  parallel_backward(4, [&](Size begin, Size) { return sum(begin == 0 ? w * w : w * v); },
                    {.threads = 2});
  BOOST_TEST(w.grad().item() == (4 + 5) / 2.0);
  BOOST_TEST(v.grad().item() == 1);
}

// A shard of sequences without a step has a constant for its loss, as it would be a part of one.
BOOST_AUTO_TEST_CASE(a_shard_without_steps) {
  Elman cell(3, 4);
  const Array x = random({5, 4, 3}).to(float32);
  auto loss = [&](const std::vector<Size>& lengths) {
    return [&cell, &x, lengths](Size begin, Size end) {
      const std::vector<Size> some(lengths.begin() + begin, lengths.begin() + end);
      return mean(over_time(cell, x.sliced(1, begin, end), {.lengths = some}).last().h);
    };
  };
  const auto some = loss({5, 2, 0, 0});
  double expected = 0;
  {
    Tape tape;
    const Variable whole = some(0, 4);
    expected = whole.item();
    tape.backward(whole);
  }
  const Array gradient = cell.U.grad().value().copy();
  cell.zero_grad();
  BOOST_TEST(parallel_backward(4, some, {.threads = 2}) == expected, boost::test_tools::tolerance(1e-6));
  BOOST_TEST(distance(cell.U.grad(), gradient) < 1e-6);
  check_throws([&] { parallel_backward(4, loss({0, 0, 0, 0}), {.threads = 2}); },
               "[parallel_backward] the loss depends on no Parameter");
}

// A Substitution of the thread that asks is one of all shards.
BOOST_AUTO_TEST_CASE(what_stands_for_a_parameter) {
  Elman cell(3, 4);
  const Array x = random({5, 4, 3}).to(float32);
  const Substitution other(cell.W, zeros(cell.W.shape()));
  auto loss = [&](Size threads) {
    auto of_some = [&](Size begin, Size end) {
      return mean(square(over_time(cell, x.sliced(1, begin, end)).last().h));
    };
    return parallel_backward(4, of_some, {.threads = threads});
  };
  BOOST_TEST(loss(1) == loss(4), boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(errors_of_threads) {
  Parameter w("w", values({2}));
  auto fails_from = [&](Size first) {
    return parallel_backward(4,
                             [&](Size begin, Size) {
                               if (begin >= first) fail("test", "shard ", begin, " failed.");
                               return sum(w);
                             },
                             {.threads = 4});
  };
  for (Size first : {0, 1, 2, 3}) {
    check_throws([&] { fails_from(first); }, join("[test] shard ", first, " failed."));
    BOOST_TEST(w.grad().empty());  // all or nothing
  }
  fails_from(4);
  BOOST_TEST(w.grad().item() == 1);
  BOOST_CHECK_THROW(parallel_backward(2, [](Size, Size) -> Variable { throw 7; }), int);
}

// Each shard asks for the outputs on a tape of its own, for which they are made.
BOOST_AUTO_TEST_CASE(states_that_shards_share) {
  GRU encoder(3, 4);
  freeze(encoder);
  Batch batch;
  const auto states = over_time(encoder, batch.x);
  const Recurrent stack = stacked(GRU(3, 4));
  const auto others = over_time(stack, batch.x);
  Parameter w("w", values({2}));
  const double expected = sum(states.outputs()).item() + sum(others.outputs()).item() +
                          sum(states.all().h).item();
  for (int k = 0; k < 200; ++k) {
    std::atomic<int> wrong = 0;
    parallel_backward(
        B,
        [&](Size, Size) {
          for (int again = 0; again < 5; ++again) {
            Tape inner;
            const double seen = sum(states.outputs()).item() + sum(others.outputs()).item() +
                                sum(states.all().h).item();
            wrong += seen != expected;
          }
          return sum(w);
        },
        {.threads = 2});
    BOOST_REQUIRE(wrong == 0);
  }
}

BOOST_AUTO_TEST_CASE(mistakes) {
  Parameter w("w", values({2, 3}));
  auto f = [&](Size, Size) { return sum(w); };
  check_throws([&] { parallel_backward(0, f); }, "the batch is 0; expected 1 or more.");
  check_throws([&] { parallel_backward(2, f, {.threads = -1}); }, "threads is -1");
  check_throws([&] { parallel_backward(2, [&](Size, Size) { return w * 2; }, {.threads = 2}); },
               "the loss of shard [0, 1) has shape (2,); expected one number");
  check_throws([&] { parallel_backward(2, [&](Size, Size) { return dropout(w, 0.5); }); },
               "the tape has no generator");
  Tape tape;
  check_throws([&] { parallel_backward(2, f); }, "a tape is alive in this thread");
}

BOOST_AUTO_TEST_CASE(a_forgotten_submodule_is_found) {
  Net net;
  Batch batch;
  SGD optimiser(net.readout);
  run(net, batch, {.threads = 2});
  check_throws([&] { optimiser.step(); }, "got gradients but no optimiser holds them");
}

BOOST_AUTO_TEST_CASE(memory_stays_with_its_threads) {
  Net net;
  Batch batch;
  SGD optimiser(net);
  auto held_after = [&](int steps) {
    for (int k = 0; k < steps; ++k) {
      run(net, batch, {.threads = 3});
      optimiser.step();
    }
    return memory_statistics().from_system;
  };
  const auto held = held_after(5);
  BOOST_TEST(held_after(30) == held);
}

BOOST_AUTO_TEST_SUITE_END()
