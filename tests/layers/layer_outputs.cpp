// Outputs of layers taken while a network computes: their names, values, order, and who takes them.
#include <boost/test/unit_test.hpp>

#include <unroll/unroll.hpp>

using namespace unroll;

namespace {

struct Net : Module {
  Embedding embed = submodule("embed", Embedding(5, 3));
  Recurrent rnn = submodule("rnn", recurrent<GRU>(3, 4, {.bidirectional = true, .layers = 2}));
  Linear readout = submodule("readout", Linear(8, 2));

  Variable operator()(const Variable& x) const {
    const Variable h = over_time(rnn, embed(x)).outputs();
    return readout(layer_output(*this, "activation", tanh(h)));
  }
};

std::vector<std::string> names(const LayerOutputs& outputs) {
  std::vector<std::string> list;
  for (const NamedOutput& output : outputs.list()) list.push_back(output.name);
  return list;
}

const Array& value(const LayerOutputs& outputs, const std::string& name) {
  for (const NamedOutput& output : outputs.list())
    if (output.name == name) return output.value.value();
  BOOST_FAIL("no output " << name);
  return outputs.list()[0].value.value();
}

Variable numbers(const std::vector<Size>& list, const Shape& shape) { return values(list, shape); }

Variable some_numbers(const Shape& shape) {
  Generator generator(3);
  return normal(shape, generator);
}

using Names = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_SUITE(layer_outputs)

BOOST_AUTO_TEST_CASE(of_a_network_by_their_paths) {
  const Net net;
  const Variable x = numbers({1, 4, 0, 2, 2, 3}, {3, 2});
  LayerOutputs outputs;
  const Variable y = net(x);
  BOOST_TEST(names(outputs) == (Names{"embed", "rnn.layer0", "rnn.layer0_reverse", "rnn.layer1",
                                      "rnn.layer1_reverse", "rnn", "activation", "readout"}),
             boost::test_tools::per_element());
  BOOST_TEST(value(outputs, "readout").to_vector<float>() == y.value().to_vector<float>());
  BOOST_TEST(value(outputs, "embed").to_vector<float>() ==
             embedding(net.embed.W, x).value().to_vector<float>());
  BOOST_TEST((value(outputs, "rnn.layer1").shape() == Shape{3, 2, 4}));
  const Variable both = concat({Variable(value(outputs, "rnn.layer1")),
                                Variable(value(outputs, "rnn.layer1_reverse"))});
  BOOST_TEST(both.value().to_vector<float>() == value(outputs, "rnn").to_vector<float>());
}

BOOST_AUTO_TEST_CASE(of_a_module_within_another) {
  struct Whole : Module {
    Net net = submodule("net", Net());
  };
  const Whole whole;
  BOOST_TEST(whole.path() == "");
  BOOST_TEST(whole.net.rnn.path() == "net.rnn");
  LayerOutputs outputs;
  whole.net(numbers({1}, {1, 1}));
  BOOST_TEST(names(outputs)[0] == "net.embed");
  BOOST_TEST(names(outputs)[6] == "net.activation");
}

BOOST_AUTO_TEST_CASE(without_kept_states_the_last_one) {
  const Variable xs = some_numbers({4, 2, 3});
  const GRU cell(3, 5);
  const Recurrent rnn = recurrent<GRU>(3, 5);
  LayerOutputs outputs;
  const auto one = over_time(cell, xs, {.keep_states = false});
  const auto several = over_time(rnn, xs, {.keep_states = false});
  BOOST_REQUIRE(outputs.list().size() == 3);  // the cell, layer0 and all of rnn
  BOOST_TEST(outputs.list()[0].value.value().to_vector<float>() ==
             one.last().h.value().to_vector<float>());
  for (const std::size_t k : {1, 2})
    BOOST_TEST(outputs.list()[k].value.value().to_vector<float>() ==
               rnn.output(several.last()).value().to_vector<float>());
}

// A backward pass may call layers again, and a budget for memory tries them out: nobody asked.
BOOST_AUTO_TEST_CASE(of_steps_that_are_computed_again) {
  struct WithLayer : Cell {
    using Cell::Cell;
    Linear in_to_hidden = submodule("in_to_hidden", Linear(in, hidden));
    Parameter U = parameter("U", {hidden, hidden});
    struct State {
      Variable h;
    };
    State step(const Variable& x, const State& s) const {
      return {tanh(in_to_hidden(x) + linear(s.h, U))};
    }
  } cell(3, 4);
  using Options = OverTimeOptions<WithLayer::State>;
  const Variable xs = some_numbers({6, 2, 3});
  for (const Options& o :
       {Options{}, Options{.recompute_every = 2}, Options{.memory_budget = 1 << 20}}) {
    LayerOutputs outputs;
    Tape tape;
    const Variable loss = sum(over_time(cell, xs, o).outputs());
    BOOST_TEST(outputs.list().size() == 7);
    for (const bool create_graph : {true, false}) {
      grad(loss, cell, {.create_graph = create_graph});
      BOOST_TEST(outputs.list().size() == 7);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_youngest_takes_them_and_nobody_is_fine_too) {
  const Linear layer(2, 2);
  const Variable x = some_numbers({1, 2});
  layer(x);
  LayerOutputs outer;
  {
    LayerOutputs inner;
    layer(x);
    layer(x);
    BOOST_TEST(inner.list().size() == 2);
  }
  BOOST_TEST(outer.list().empty());
  layer(x);
  BOOST_TEST(outer.list().size() == 1);
}

BOOST_AUTO_TEST_CASE(gradients_of_what_was_recorded) {
  const Net net;
  Tape tape;
  LayerOutputs outputs;
  const Variable loss = sum(net(numbers({1, 2}, {2, 1})));
  const Variable slope = grad(loss, outputs.list()[6].value);
  BOOST_TEST((slope.shape() == Shape{2, 1, 8}));
  const Variable expected = sum(net.readout.W, {.axes = {0}});
  const Array first = slope.value().reshaped({2, 8})[0];
  BOOST_TEST(first.to_vector<float>() == expected.value().to_vector<float>(),
             boost::test_tools::tolerance(1e-6f) << boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
