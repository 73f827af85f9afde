// Building recurrent layers for golden cases; see recurrent.hpp.
#include "recurrent.hpp"

#include <unroll/layers/cells/elman.hpp>
#include <unroll/layers/cells/gru.hpp>
#include <unroll/layers/cells/lstm.hpp>
#include <unroll/layers/recurrent.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reshape.hpp>

namespace golden {
namespace {

using namespace unroll;

struct Config {
  std::string kind;
  Size input, hidden, layers;
  bool bidirectional, bias;
  Size projection;

  int directions() const { return bidirectional ? 2 : 1; }
};

Config config_of(const Run& run) {
  return {run.c.says("kind", ""),
          run.c.says("input_size"),
          run.c.says("hidden_size"),
          run.c.says("num_layers", 1),
          run.c.says("bidirectional", false),
          run.has_parameter("bias_ih_l0"),
          run.c.says("proj_size", 0)};
}

Recurrent layers_of(const Config& c) {
  const RecurrentOptions options{.bidirectional = c.bidirectional, .layers = c.layers};
  const bool bias = c.bias;
  auto build = [&](const auto& make) { return recurrent(make, c.input, c.hidden, options); };
  if (c.kind == "rnn_tanh")
    return build([=](Size in, Size hidden) { return Elman(in, hidden, {.bias = bias}); });
  if (c.kind == "rnn_relu")
    return build([=](Size in, Size hidden) {
      return Elman(in, hidden, {.activation = relu, .bias = bias});
    });
  if (c.kind == "lstm")
    return build([=](Size in, Size hidden) {
      return LSTM(in, hidden, {.bias = bias, .projection = c.projection});
    });
  if (c.kind == "gru")
    return build([=](Size in, Size hidden) { return GRU(in, hidden, {.bias = bias}); });
  throw Unknown("recurrent kind " + c.kind);
}

Array sum_of(const Array& a, const Array& b) {
  auto x = a.to_vector<double>();
  const auto y = b.to_vector<double>();
  for (std::size_t k = 0; k < x.size(); ++k) x[k] += y[k];
  return values(std::span<const double>(x), a.shape());
}

/// Gives one Parameter of a module the numbers of PyTorch's: layer1_reverse.W those of
/// weight_ih_l1_reverse. A cell with one bias gets the sum of PyTorch's two, whose gradients are
/// both that of the sum.
void load_parameter(Run& run, const NamedParameter& named, bool one_bias) {
  const auto dot = named.name.find('.');
  const std::string layer = "l" + named.name.substr(5, dot - 5);  // layer0_reverse -> l0_reverse
  const std::string own = named.name.substr(dot + 1);
  auto take = [&](const std::string& torch_name) {
    run.adopt(torch_name + "_" + layer, named.parameter);
    return run.c.at("param." + torch_name + "_" + layer);
  };
  Parameter target = named.parameter;
  if (own == "W") return target.assign(take("weight_ih"));
  if (own == "U") return target.assign(take("weight_hh"));
  if (own == "P") return target.assign(take("weight_hr"));
  if (own == "bh") return target.assign(take("bias_hh"));
  if (own != "b") throw std::runtime_error("nothing for the parameter " + named.name);
  if (!one_bias) return target.assign(take("bias_ih"));
  target.assign(sum_of(take("bias_ih"), take("bias_hh")));
}

Recurrent::State initial_of(Run& run, const Config& c) {
  Recurrent::State state;
  if (!run.has("h0")) return state;
  for (Size k = 0; k < c.layers * c.directions(); ++k) {
    const Variable h = run.in("h0")[k];
    state.cells.push_back(run.has("c0") ? CellState{h, run.in("c0")[k]} : CellState{h});
  }
  return state;
}

/// The n-th value of every cell's last state, (cells, B, H).
Variable final_values(const Recurrent::State& last, std::size_t n) {
  Variables values;
  for (const CellState& cell : last.cells) values.push_back(cell.values().at(n));
  return stack_along(values, 0);
}

}  // namespace

RecurrentResult run_recurrent(Run& run) {
  const Config c = config_of(run);
  Recurrent net = layers_of(c);
  net.to(run.type);
  for (const NamedParameter& named : net.named_parameters())
    load_parameter(run, named, c.kind != "gru");
  std::vector<Size> lengths;
  if (run.has("lengths")) lengths = run.sizes("lengths");
  const auto states =
      over_time(net, run.in("x"), {.initial = initial_of(run, c), .lengths = lengths});
  RecurrentResult result{states.outputs(), final_values(states.last(), 0), {}};
  if (c.kind == "lstm") result.cn = final_values(states.last(), 1);
  return result;
}

void give(Run& run, const RecurrentResult& result) {
  run.out("y", result.y);
  run.out("hn", result.hn);
  if (!result.cn.empty()) run.out("cn", result.cn);
}

}  // namespace golden
