// Weights of PyTorch and Keras in Modules of ours. The numbers to be reached are those of the
// golden cases.
#include <boost/test/unit_test.hpp>

#include <unroll/layers/import.hpp>
#include <unroll/layers/save.hpp>
#include <unroll/unroll.hpp>

#include "common/error_of.hpp"
#include "common/paths.hpp"

using namespace unroll;

namespace {

NamedArrays golden(const std::string& name) {
  return load_arrays(tests_dir() / "golden" / (name + ".safetensors")).arrays;
}

/// The arrays whose names begin so, without the beginning.
NamedArrays beginning(const NamedArrays& arrays, const std::string& start) {
  NamedArrays result;
  for (const auto& [name, array] : arrays)
    if (name.starts_with(start)) result[name.substr(start.size())] = array;
  return result;
}

double distance(const Variable& a, const Variable& b) { return max(abs(a - b)).item(); }

template <class Make>
void check_pytorch(const std::string& name, const Make& make, const RecurrentOptions& options) {
  BOOST_TEST_CONTEXT(name) {
    const NamedArrays all = golden("rnn/" + name), weights = beginning(all, "param.");
    constexpr Size kIn = 3, kHidden = 4;
    Recurrent net = recurrent(make, kIn, kHidden, options);
    net.to(float64);
    assign(net, from_pytorch(weights), name);
    Recurrent::State initial;
    for (Size k = 0; all.contains("in.h0") && k < net.cells(); ++k) {
      const Variable h = all.at("in.h0")[k];
      const bool has_c = all.contains("in.c0");
      initial.cells.push_back(has_c ? CellState({h, all.at("in.c0")[k]}) : CellState({h}));
    }
    const auto states = over_time(net, all.at("in.x"), {.initial = initial});
    BOOST_TEST(distance(states.outputs(), all.at("out.y")) < 1e-10);
  }
}

/// The layer alone, as it is called in the case.
template <class C>
void check_keras(const std::string& name, const std::string& layer, C cell) {
  BOOST_TEST_CONTEXT(name) {
    const NamedArrays all = golden("keras/" + name);
    cell.to(float64);
    assign(cell, beginning(from_keras(beginning(all, "param.")), layer + "."), name);
    const auto states = over_time(cell, permute(all.at("in.x"), {1, 0, 2}));
    BOOST_TEST(distance(permute(states.outputs(), {1, 0, 2}), all.at("out.y")) < 2e-6);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(importing)

BOOST_AUTO_TEST_CASE(recurrent_layers_of_pytorch) {
  const auto lstm = [](Size in, Size hidden) { return LSTM(in, hidden); };
  const auto bare = [](Size in, Size hidden) { return LSTM(in, hidden, {.bias = false}); };
  const auto gru = [](Size in, Size hidden) { return GRU(in, hidden); };
  const auto elman = [](Size in, Size hidden) { return Elman(in, hidden); };
  check_pytorch("lstm_2layer_bidir", lstm, {.bidirectional = true, .layers = 2});
  check_pytorch("lstm_no_bias", bare, {});
  check_pytorch("gru_2layer_bidir", gru, {.bidirectional = true, .layers = 2});
  check_pytorch("rnn_tanh_2layer", elman, {.layers = 2});
}

BOOST_AUTO_TEST_CASE(other_layers_of_pytorch) {
  const NamedArrays ours = from_pytorch({{"embed.weight", zeros({5, 2})},
                                         {"norm.weight", zeros({2})},
                                         {"norm.bias", zeros({2})},
                                         {"out.weight", zeros({3, 2})},
                                         {"out.bias", zeros({3})},
                                         {"weight", zeros({1, 1})},
                                         {"start", zeros({2})},
                                         {"a.cell.weight_ih", zeros({4, 1})},
                                         {"a.cell.weight_hh", zeros({4, 1})},
                                         {"a.cell.bias_ih", full({4}, 2)},
                                         {"a.cell.bias_hh", full({4}, 3)}});
  std::string names;
  for (const auto& [name, array] : ours) names += name + " ";
  BOOST_TEST(names ==
             "W a.cell.U a.cell.W a.cell.b embed.W norm.bias norm.gain out.W out.b start ");
  BOOST_TEST(ours.at("a.cell.b").to_vector<double>() == (std::vector<double>{5, 5, 5, 5}));
}

BOOST_AUTO_TEST_CASE(names_of_pytorch_may_be_anything) {
  const std::string dots(300000, '.'), long_name(300000, 'a');
  const NamedArrays ours = from_pytorch({{dots + "weight", zeros({1, 1})},
                                         {long_name, zeros({1})},
                                         {"", zeros({1})},
                                         {"weight_ih_l", zeros({1})},
                                         {"weight_ih_l1x", zeros({1})},
                                         {"weight_ih_reverse", zeros({1})},
                                         {"weights", zeros({1})},
                                         {"a\nb.weight", zeros({1, 1})}});
  for (const std::string& name : {dots.substr(1) + ".W", long_name, std::string(),
                                  std::string("weight_ih_l"), std::string("weight_ih_l1x"),
                                  std::string("weight_ih_reverse"), std::string("weights"),
                                  std::string("a\nb.W")})
    BOOST_TEST(ours.contains(name), name.substr(0, 40));
}

BOOST_AUTO_TEST_CASE(recurrent_layers_of_keras) {
  check_keras("lstm_sigmoid_sequences", "lstm", LSTM(3, 4));
  check_keras("gru_sigmoid_sequences", "gru", GRUResetBefore(3, 4));
  check_keras("gru_reset_after", "gru", GRU(3, 4));
  check_keras("simple_rnn_sequences", "rnn", Elman(3, 4));
  check_keras("bidirectional_lstm_concat_sequences", "bi",
              recurrent<LSTM>(3, 4, {.bidirectional = true}));
  check_keras("bidirectional_gru_sum_sequences", "bi",
              recurrent<GRUResetBefore>(3, 4, {.bidirectional = true, .merge = Merge::sum}));
}

BOOST_AUTO_TEST_CASE(other_layers_of_keras) {
  const NamedArrays ours = from_keras({{"dense/kernel", values({{1, 2, 3}, {4, 5, 6}})},
                                       {"dense/bias", zeros({3})},
                                       {"embedding_1/embeddings", zeros({5, 2})},
                                       {"norm/gamma", zeros({2})},
                                       {"norm/beta", zeros({2})}});
  std::string names;
  for (const auto& [name, array] : ours) names += name + " ";
  BOOST_TEST(names == "dense.W dense.b embedding_1.W norm.bias norm.gain ");
  BOOST_TEST(ours.at("dense.W").to_vector<double>() == (std::vector<double>{1, 4, 2, 5, 3, 6}));
}

BOOST_AUTO_TEST_CASE(new_names) {
  const NamedArrays given{{"lstm.W", zeros({1})}, {"lstm_1.W", zeros({2})}, {"b", zeros({3})}};
  const NamedArrays ours = renamed(given, {{"lstm", "rnn.layer0"}, {"b", "bias"}});
  BOOST_TEST((ours.at("rnn.layer0.W").shape() == Shape{1}));
  BOOST_TEST((ours.at("lstm_1.W").shape() == Shape{2}));
  BOOST_TEST((ours.at("bias").shape() == Shape{3}));
  BOOST_TEST(error_of([&] {
               renamed(given, {{"lstm", "lstm_1"}});
             }) == "[import] two arrays come to the name lstm_1.W.");
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_listed) {
  LSTM cell(3, 4);
  const Array before = cell.W.value().copy();
  NamedArrays weights = beginning(golden("rnn/gru_plain"), "param.");
  const std::string error = error_of(
      [&] { assign(cell, beginning(from_pytorch(weights), "layer0."), "gru.safetensors"); });
  BOOST_TEST(error == "[load] gru.safetensors: does not fit the module: W is float64 (12, 3), "
                      "expected float32 (16, 3); U is float64 (12, 4), expected float32 (16, 4); "
                      "b is float64 (12,), expected float32 (16,); 'bh' (12,) is unexpected.");
  BOOST_TEST(cell.W.value().to_vector<float>() == before.to_vector<float>());
  BOOST_TEST(error_of([&] {
               from_pytorch({{"l.weight_ih_l0", zeros({6, 3})},
                             {"l.weight_hh_l0", zeros({6, 3})},
                             {"l.bias_ih_l0", zeros({6})},
                             {"l.bias_hh_l0", zeros({6})}});
             }) == "[import] l.layer0 weight_hh is (6, 3); expected 1, 3 or 4 gates as an Elman "
                   "layer, a GRU or an LSTM has.");
  BOOST_TEST(error_of([&] {
               from_pytorch({{"weight_hh_l0", zeros({4, 1})}});
             }) == "[import] a cell layer0 without weight_ih.");
}

// One that broadcasts to the right shape is wrong all the same.
BOOST_AUTO_TEST_CASE(biases_that_do_not_fit) {
  const NamedArrays lstm{{"weight_ih_l0", zeros({16, 3})},
                         {"weight_hh_l0", zeros({16, 4})},
                         {"bias_ih_l0", zeros({16})}};
  for (const Shape& shape : {Shape{1}, Shape{}, Shape{1, 16}}) {
    NamedArrays all = lstm;
    all["bias_hh_l0"] = zeros(shape);
    BOOST_TEST(error_of([&] { from_pytorch(all); }) ==
               join("[import] layer0 bias_hh is ", shape, "; expected (16,)."));
  }
  NamedArrays half = lstm;
  BOOST_TEST(error_of([&] { from_pytorch(half); }) == "[import] a cell layer0 without bias_hh.");
  half["bias_hh_l0"] = half["bias_ih_l0"];
  half.erase("bias_ih_l0");
  BOOST_TEST(error_of([&] { from_pytorch(half); }) == "[import] a cell layer0 without bias_ih.");
  auto keras = [](Size gates, const Shape& bias) {
    return error_of([&] {
      from_keras({{"cell/kernel", zeros({3, gates * 4})},
                  {"cell/recurrent_kernel", zeros({4, gates * 4})},
                  {"cell/bias", zeros(bias)}});
    });
  };
  BOOST_TEST(keras(3, {3, 12}) == "[import] cell bias is (3, 12); expected (12,) or (2, 12).");
  BOOST_TEST(keras(4, {2, 16}) == "[import] cell bias is (2, 16); expected (16,).");
  BOOST_TEST(keras(3, {2, 12}) == "");
}

BOOST_AUTO_TEST_SUITE_END()
