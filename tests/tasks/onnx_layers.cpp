// Recurrent layers in ONNX Runtime give what they give here: each cell, in one and two directions,
// for sequences of different lengths. Whole models are in onnx_programs.cpp.
#include <boost/test/unit_test.hpp>

#include <unroll/unroll.hpp>

#include "common/bad_input.hpp"
#include "common/cells.hpp"
#include "common/onnx_file.hpp"
#include "common/onnx_ops.hpp"
#include "onnx_runtime.hpp"
#include "program.hpp"

using namespace unroll;
using tasks::onnx::Graph;

namespace {

const std::vector<std::string> kCells{"elman", "gru", "gru-reset-before", "lstm", "peephole-lstm"};

constexpr Size kWords = 7, kIn = 3, kHidden = 4, kOut = 5;

/// Embedding, two recurrent layers, Linear; no weight is zero, biases neither.
struct Net : Module {
  Net(const std::string& cell, bool both)
      : rnn(submodule(
            "rnn", tasks::recurrent_of(cell, kIn, kHidden, {.bidirectional = both, .layers = 2}))),
        readout(submodule("readout", Linear(both ? 2 * kHidden : kHidden, kOut))) {
    Generator generator(1);
    for (Parameter p : parameters()) {
      Array numbers(p.shape());
      init::uniform(-0.9, 0.9)(numbers, generator);
      p.assign(numbers);
    }
  }

  Parameter embed = parameter("embed", {kWords, kIn});
  Recurrent rnn;
  Linear readout;
};

const std::vector<Size> kLengths{5, 2, 0, 4};

Array tokens() {
  return values(std::vector<Size>{1, 2, 3, 4, 5, 6, 0, 1, 2, 0, 0, 3, 4, 0, 0, 5, 6, 0, 0, 0},
                {5, 4});
}

void describe(const Net& net, const std::string& cell, Graph& graph) {
  const auto read = tasks::onnx::padded_input(graph, "tokens", "lengths", "steps", "batch");
  const auto states = over_time(net.rnn, cell, embedding(net.embed, read.tokens), read.lengths);
  const Size directions = net.rnn.is_bidirectional() ? 2 : 1;
  graph.output("p", softmax(linear(states.outputs, net.readout)), {"steps", "batch", kOut});
  graph.output("last", last_output(states, cell), {"batch", directions * kHidden});
  for (std::size_t k = 0; k < states.last.size(); ++k)
    graph.output(join("state", k), states.last[k], {directions, "batch", kHidden});
}

/// The states of all layers, directions on the first axis, as ONNX has them.
std::vector<Array> states_of(const Recurrent::State& last, Size directions) {
  std::vector<Array> all;
  for (std::size_t cell = 0; cell < last.cells.size(); cell += std::size_t(directions))
    for (std::size_t value = 0; value < last.cells[cell].values().size(); ++value) {
      Variables both;
      for (Size d = 0; d < directions; ++d)
        both.push_back(last.cells[cell + std::size_t(d)].values()[value]);
      all.push_back(stack_along(both).value());
    }
  return all;
}

void check_same(const Net& net, const NamedArrays& found) {
  const auto states = over_time(net.rnn, embedding(net.embed, tokens()), {.lengths = kLengths});
  check_close(found.at("p"), softmax(net.readout(states.outputs())).value());
  check_close(found.at("last"), net.rnn.output(states.last()).value());
  const auto expected = states_of(states.last(), net.rnn.is_bidirectional() ? 2 : 1);
  BOOST_TEST(found.size() == expected.size() + 2);
  for (std::size_t k = 0; k < expected.size(); ++k)
    check_close(found.at(join("state", k)), expected[k]);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(onnx_layers)

BOOST_AUTO_TEST_CASE(every_cell_in_one_and_two_directions) {
  if (!has_onnx_runtime()) return;
  const Folder folder;
  std::vector<OnnxJob> jobs;
  const auto for_each_net = [&](const auto& f) {
    for (const std::string& cell : kCells)
      for (const bool both : {false, true}) f(Net(cell, both), cell, both);
  };
  for_each_net([&](const Net& net, const std::string& cell, bool both) {
    Graph graph(net, "net");
    describe(net, cell, graph);
    const std::string path = folder / (cell + (both ? "-2" : "-1") + ".onnx");
    tasks::onnx::save(graph, path);
    jobs.push_back({path, {{"lengths", values(kLengths, {4})}, {"tokens", tokens()}}});
  });
  const auto results = run_onnx(jobs);
  std::size_t k = 0;
  for_each_net([&](const Net& net, const std::string& cell, bool both) {
    BOOST_TEST_CONTEXT(cell << (both ? " in two directions" : "")) check_same(net, results.at(k++));
  });
}

BOOST_AUTO_TEST_CASE(other_cells_are_refused) {
  for (const std::string& cell : tasks::cell_names()) {
    const Net net(cell, false);
    Graph graph(net, "net.safetensors");
    if (std::ranges::count(kCells, cell) > 0) {
      describe(net, cell, graph);
      continue;
    }
    BOOST_CHECK_EXCEPTION(
        describe(net, cell, graph), tasks::BadInput, [&](const tasks::BadInput& error) {
          return std::string(error.what())
              .starts_with("net.safetensors: ONNX has no operator for its cell " + cell + ", only");
        });
  }
}

BOOST_AUTO_TEST_CASE(weights_keep_their_names_and_are_there_once) {
  const Net net("lstm", false);
  Graph graph(net, "net");
  const auto read = tasks::onnx::padded_input(graph, "tokens", "lengths", "steps", "batch");
  const auto x = embedding(net.embed, read.tokens);
  linear(x, net.embed);  // tied
  over_time(net.rnn, "lstm", x, read.lengths);
  std::vector<std::string> names;
  for (const auto& [name, numbers] : graph.constants()) names.push_back(name);
  for (const char* name : {"embed", "rnn.layer0.W", "rnn.layer1.U"})
    BOOST_TEST(std::ranges::count(names, name) == 1);
  BOOST_CHECK_THROW(graph.weight(Net("lstm", false).embed), Error);
}

BOOST_AUTO_TEST_SUITE_END()
