// Small networks learn, with every optimiser: a function that no line separates, and the parity of
// a sequence, which needs memory. And the same seed gives the same numbers, bit for bit.
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <unroll/layers/cells/elman.hpp>
#include <unroll/layers/clip.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/save.hpp>
#include <unroll/layers/schedule.hpp>
#include <unroll/ops/ops.hpp>

#include "optimisers.hpp"

using namespace unroll;
namespace data = boost::unit_test::data;

namespace {

/// One hidden layer for x (8, 3) -> logits of "an odd number of ones".
struct TwoLayers : Module {
  Linear hidden = submodule("hidden", Linear(3, 12)), readout = submodule("readout", Linear(12, 1));
  Variable operator()(const Variable& x) const { return readout(tanh(hidden(x))); }
};

/// The same from the last state of a sequence x (T, B, 1).
struct Reader : Module {
  Elman cell = submodule("cell", Elman(1, 16));
  Linear readout = submodule("readout", Linear(16, 1));
  Variable operator()(const Variable& x) const { return readout(over_time(cell, x).last().h); }
};

/// All words of `bits` bits as rows of -1 and 1, and whether the number of ones is odd.
std::pair<Array, Array> parity(Size bits) {
  const Size words = Size{1} << bits;
  Array x = zeros({words, bits}), y = zeros({words, 1});
  for (Size w = 0; w < words; ++w) {
    Size ones = 0;
    for (Size k = 0; k < bits; ++k) {
      ones += w >> k & 1;
      x.mutable_data<float>()[w * bits + k] = w >> k & 1 ? 1 : -1;
    }
    y.mutable_data<float>()[w] = static_cast<float>(ones % 2);
  }
  return {x, y};
}

/// The losses of each step, over the whole table at once.
template <class Net>
std::vector<double> losses(Net& net, Optimiser& optimiser, const Array& x, const Array& y,
                           int steps) {
  std::vector<double> list;
  for (int k = 0; k < steps; ++k) {
    Tape tape;
    Variable loss = binary_cross_entropy_with_logits(net(x), y);
    list.push_back(loss.item());
    tape.backward(loss);
    clip_global_norm(optimiser.parameters(), 1);
    optimiser.step();
  }
  return list;
}

template <class Net>
Size right(const Net& net, const Array& x, const Array& y) {
  std::vector<double> logits = net(x).value().template to_vector<double>();
  Size count = 0;
  for (std::size_t k = 0; k < logits.size(); ++k)
    count += (logits[k] > 0) == (y.at({static_cast<Size>(k), 0}) == 1);
  return count;
}

/// A sequence of columns: (B, T) -> (T, B, 1).
Array as_sequence(const Array& x) { return x.transposed().expanded(-1).contiguous(); }

template <class Net>
Net seeded(std::uint64_t seed) {
  Net net;
  Generator generator(seed);
  net.initialise(generator);
  return net;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(training)

BOOST_DATA_TEST_CASE(two_layers_learn_parity_of_three_bits, data::make(all_optimisers()), o) {
  auto [x, y] = parity(3);
  auto net = seeded<TwoLayers>(3);
  auto optimiser = o.make(net);
  std::vector<double> loss = losses(net, *optimiser, x, y, 600);
  BOOST_TEST_MESSAGE(o.name << ": " << loss.front() << " to " << loss.back());
  BOOST_TEST(loss.front() > 0.6);  // it knows nothing: log 2 is chance
  BOOST_TEST(loss.back() < 0.1);
  BOOST_TEST(right(net, x, y) == 8);
}

BOOST_DATA_TEST_CASE(a_network_with_memory_learns_parity_of_a_sequence,
                     data::make(all_optimisers()), o) {
  const auto table = parity(4);  // clang 14's lambdas capture no structured bindings
  const Array x = as_sequence(table.first), y = table.second;
  auto net = seeded<Reader>(3);
  auto optimiser = o.make(net);
  std::vector<double> loss = losses(net, *optimiser, x, y, 800);
  BOOST_TEST_MESSAGE(o.name << ": " << loss.front() << " to " << loss.back());
  BOOST_TEST(loss.front() > 0.6);
  BOOST_TEST(loss.back() < 0.1);
  BOOST_TEST(right(net, x, y) == 16);
}

BOOST_DATA_TEST_CASE(the_same_seed_gives_the_same_bits, data::make(all_optimisers()), o) {
  const auto table = parity(4);  // clang 14's lambdas capture no structured bindings
  const Array x = as_sequence(table.first), y = table.second;
  auto train = [&](std::uint64_t seed) {
    auto net = seeded<Reader>(seed);
    auto optimiser = o.make(net);
    losses(net, *optimiser, x, y, 30);
    return net;
  };
  Reader first = train(1), second = train(1), third = train(2);
  for (std::size_t k = 0; k < first.parameters().size(); ++k)
    BOOST_TEST(identical(first.parameters()[k].value(), second.parameters()[k].value()));
  BOOST_TEST(!identical(first.cell.W.value(), third.cell.W.value()));
}

// What a program does that stops and goes on: weights, optimiser and schedule in one file.
BOOST_AUTO_TEST_CASE(training_resumes_bit_for_bit) {
  const auto table = parity(4);  // clang 14's lambdas capture no structured bindings
  const Array x = as_sequence(table.first), y = table.second;
  const CosineSchedule schedule{.base = 0.02, .epochs = 40};
  auto train = [&](Reader& net, Optimiser& optimiser, Size from, Size to) {
    for (Size epoch = from; epoch < to; ++epoch) {
      optimiser.set_learning_rate(schedule(epoch));
      losses(net, optimiser, x, y, 1);
    }
  };
  Reader whole = seeded<Reader>(1), first = seeded<Reader>(1), second;
  Adam optimiser(whole), stopped(first), resumed(second);
  train(whole, optimiser, 0, 40);
  train(first, stopped, 0, 20);
  NamedArrays checkpoint = stopped.state();
  for (const auto& [name, p] : first.named_parameters()) checkpoint["model." + name] = p.value();

  NamedArrays file = from_safetensors(to_safetensors(checkpoint)).arrays, state;
  for (auto& [name, array] : file)
    if (!name.starts_with("model.")) state[name] = array;
  for (auto& [name, p] : second.named_parameters()) p.assign(file.at("model." + name));
  resumed.set_state(state);
  train(second, resumed, 20, 40);
  for (std::size_t k = 0; k < whole.parameters().size(); ++k)
    BOOST_TEST(identical(whole.parameters()[k].value(), second.parameters()[k].value()));
}

BOOST_AUTO_TEST_SUITE_END()
