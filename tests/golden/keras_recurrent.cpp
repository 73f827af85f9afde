// Recurrent layers of Keras out of the library's cells; see keras_recurrent.hpp.
#include "keras_recurrent.hpp"

#include <unroll/layers/cells/elman.hpp>
#include <unroll/layers/cells/gru.hpp>
#include <unroll/layers/cells/gru_reset_before.hpp>
#include <unroll/layers/cells/lstm.hpp>
#include <unroll/ops/ops.hpp>

namespace golden {
namespace {

using namespace unroll;

// ---- activations -------------------------------------------------------------------------------

struct NamedActivation {
  const char* name;
  Activation function;
};
const NamedActivation kActivations[] = {
    {"elu", [](const Variable& x) { return elu(x); }},
    {"hard_sigmoid", [](const Variable& x) { return clamp(0.2 * x + 0.5, 0, 1); }},
    {"linear", [](const Variable& x) { return x; }},
    {"relu", relu},
    {"selu", selu},
    {"sigmoid", sigmoid},
    {"softmax", [](const Variable& x) { return softmax(x); }},
    {"softplus", [](const Variable& x) { return softplus(x); }},
    {"softsign", softsign},
    {"tanh", tanh},
};

}  // namespace

Activation activation_of(const Json& config, const char* key) {
  const std::string name = config.at(key);
  for (const NamedActivation& a : kActivations)
    if (a.name == name) return a.function;
  throw Unknown("activation " + name);
}

namespace {

// ---- cells with other activations than the library's, whose Parameters they have ---------------

struct ActivatedLSTM : Cell {
  ActivatedLSTM(Size in, Size hidden, Activation activation, Activation gate)
      : Cell(in, hidden), activation(activation), gate(gate) {}
  Activation activation, gate;
  Parameter W = parameter("W", {4 * hidden, in}), U = parameter("U", {4 * hidden, hidden}),
            b = parameter("b", {4 * hidden});

  using State = LSTM::State;
  State step(const Variable& x, const State& s) const {
    auto [i, f, g, o] = chunk<4>(affine(x, W, s.h, U, b));
    Variable c = gate(f) * s.c + gate(i) * activation(g);
    return {gate(o) * activation(c), c};
  }
};

struct ActivatedGRU : Cell {
  ActivatedGRU(Size in, Size hidden, Activation activation, Activation gate)
      : Cell(in, hidden), activation(activation), gate(gate) {}
  Activation activation, gate;
  Parameter W = parameter("W", {2 * hidden, in}), U = parameter("U", {2 * hidden, hidden}),
            b = parameter("b", {2 * hidden});
  Parameter Wn = parameter("Wn", {hidden, in}), Un = parameter("Un", {hidden, hidden}),
            bn = parameter("bn", {hidden});

  using State = GRUResetBefore::State;
  State step(const Variable& x, const State& s) const {
    auto [z, r] = chunk<2>(gate(affine(x, W, s.h, U, b)));
    return {z * s.h + (1 - z) * activation(affine(x, Wn, r * s.h, Un, bn))};
  }
};

// ---- recurrent layers --------------------------------------------------------------------------

/// One direction of a recurrent layer, with its weights at param.<path>/kernel, ...
struct Direction {
  const Run& run;
  const Json& config;
  std::string path;

  Variable weight(const std::string& name) const { return run.c.at("param." + path + "/" + name); }
  bool has_bias() const { return run.has_parameter(path + "/bias"); }
  Size in() const { return weight("kernel").size(0); }
  Size units() const { return config.at("units"); }
  Activation activation() const { return activation_of(config, "activation"); }
  Activation gate() const { return activation_of(config, "recurrent_activation"); }
  /// Whether they are what the library's LSTM and GRU have.
  bool is_usual() const {
    return config.at("activation") == "tanh" && config.at("recurrent_activation") == "sigmoid";
  }
  /// Those gates of a kernel (in, gates units) as rows (units, ..., in), or of a bias.
  Array gates(const Variable& weight, const std::vector<Size>& order) const {
    Variables parts;
    for (Size k : order) parts.push_back(sliced(weight, -1, k * units(), (k + 1) * units()));
    const Variable all = concat(parts);
    return (all.rank() == 2 ? transpose(all) : all).value();
  }
};

Elman simple_rnn(const Direction& d) {
  Elman cell(d.in(), d.units(), {.activation = d.activation(), .bias = d.has_bias()});
  cell.to(d.run.type);
  cell.W.assign(d.gates(d.weight("kernel"), {0}));
  cell.U.assign(d.gates(d.weight("recurrent_kernel"), {0}));
  if (d.has_bias()) cell.b.assign(d.weight("bias").value());
  return cell;
}

/// Gates i, f, c, o, which are the i, f, g, o of an LSTM.
template <class C>
C lstm(const Direction& d, C cell) {
  cell.to(d.run.type);
  cell.W.assign(d.gates(d.weight("kernel"), {0, 1, 2, 3}));
  cell.U.assign(d.gates(d.weight("recurrent_kernel"), {0, 1, 2, 3}));
  cell.b.assign(d.weight("bias").value());
  return cell;
}

/// Gates z, r, h: z and r together, h is the candidate n.
template <class C>
C gru_reset_before(const Direction& d, C cell) {
  cell.to(d.run.type);
  cell.W.assign(d.gates(d.weight("kernel"), {0, 1}));
  cell.U.assign(d.gates(d.weight("recurrent_kernel"), {0, 1}));
  cell.b.assign(d.gates(d.weight("bias"), {0, 1}));
  cell.Wn.assign(d.gates(d.weight("kernel"), {2}));
  cell.Un.assign(d.gates(d.weight("recurrent_kernel"), {2}));
  cell.bn.assign(d.gates(d.weight("bias"), {2}));
  return cell;
}

/// Gates z, r, h for the r, z, n of a GRU; the bias holds that of x and that of h.
GRU gru_reset_after(const Direction& d) {
  if (!d.is_usual()) throw Unknown("GRU with reset_after and other activations");
  GRU cell(d.in(), d.units());
  cell.to(d.run.type);
  cell.W.assign(d.gates(d.weight("kernel"), {1, 0, 2}));
  cell.U.assign(d.gates(d.weight("recurrent_kernel"), {1, 0, 2}));
  cell.b.assign(d.gates(d.weight("bias")[0], {1, 0, 2}));
  cell.bh.assign(d.gates(d.weight("bias")[1], {1, 0, 2}));
  return cell;
}

Merge merge_of(const std::string& name) {
  if (name == "ave") return Merge::average;
  if (name == "concat") return Merge::concat;
  if (name == "mul") return Merge::mul;
  if (name == "sum") return Merge::sum;
  throw Unknown("merge_mode " + name);
}

/// One layer of the cells that make(Direction) builds.
template <class Make>
Recurrent in_directions(const Run& run, const Json& layer, const Make& make) {
  const std::string name = layer.at("config").at("name");
  if (layer.at("class_name") != "Bidirectional")
    return make(Direction{run, layer.at("config"), name});
  const Json& config = layer.at("config").at("layer").at("config");
  const std::string inner = config.at("name");
  return bidirectional(make(Direction{run, config, name + "/forward_" + inner}),
                       make(Direction{run, config, name + "/backward_" + inner}),
                       merge_of(layer.at("config").at("merge_mode")));
}

}  // namespace

Recurrent recurrent_layer(const Run& run, const Json& outer, const Json& inner) {
  const std::string kind = inner.at("class_name");
  const Json& config = inner.at("config");
  auto build = [&](const auto& make) { return in_directions(run, outer, make); };
  if (kind == "SimpleRNN") return build(simple_rnn);
  const bool usual = Direction{run, config, ""}.is_usual();
  if (kind == "LSTM" && usual)
    return build([](const Direction& d) { return lstm(d, LSTM(d.in(), d.units())); });
  if (kind == "LSTM")
    return build([](const Direction& d) {
      return lstm(d, ActivatedLSTM(d.in(), d.units(), d.activation(), d.gate()));
    });
  if (kind != "GRU") throw Unknown("layer " + kind);
  if (config.value("reset_after", false)) return build(gru_reset_after);
  if (usual)
    return build(
        [](const Direction& d) { return gru_reset_before(d, GRUResetBefore(d.in(), d.units())); });
  return build([](const Direction& d) {
    return gru_reset_before(d, ActivatedGRU(d.in(), d.units(), d.activation(), d.gate()));
  });
}

}  // namespace golden
