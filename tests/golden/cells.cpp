// Golden group `cells`: the library's other cells through over_time, their weights put together from
// the per-gate matrices of the file; a truncated run, tied layers, a stack and an attention decoder.
#include "second.hpp"

#include <unroll/layers/cells/coupled_lstm.hpp>
#include <unroll/layers/cells/elman_of_order.hpp>
#include <unroll/layers/cells/gru_reset_before.hpp>
#include <unroll/layers/cells/indrnn.hpp>
#include <unroll/layers/cells/layer_norm_lstm.hpp>
#include <unroll/layers/cells/mgu.hpp>
#include <unroll/layers/cells/multiplicative_rnn.hpp>
#include <unroll/layers/cells/peephole_lstm.hpp>
#include <unroll/layers/cells/recurrent_highway.hpp>
#include <unroll/layers/cells/sru.hpp>
#include <unroll/layers/recurrent.hpp>
#include <unroll/ops/ops.hpp>

namespace golden {
namespace {

using namespace unroll;

/// The file's names of what a Parameter of ours holds, block of rows by block of rows.
using Blocks = std::map<std::string, std::vector<std::string>>;
using Names = std::vector<std::string>;

/// W, U and b of several gates: {"W", {"Wi", "Wf"}}, ...
Blocks gates(const std::string& letters) {
  Blocks blocks;
  for (const char* name : {"W", "U", "b"})
    for (char gate : letters) blocks[name].push_back(std::string(name) + gate);
  return blocks;
}

/// Fills the cell's Parameters from param.<prefix>*; gradients of the file's are parts of theirs.
void load(Run& run, Module& cell, const Blocks& blocks, const std::string& prefix = "") {
  cell.to(run.type);
  for (NamedParameter& named : cell.named_parameters()) {
    const auto found = blocks.find(named.name);
    const Names names = found == blocks.end() ? Names{named.name} : found->second;
    Array all = named.parameter.mutable_value();
    Size row = 0;
    for (const std::string& name : names) {
      const Array part = run.constant("param." + prefix + name);
      Array here = all.sliced(0, row, row + part.size(0));
      here.assign(part);
      run.adopt(prefix + name, named.parameter, row, row + part.size(0));
      row += part.size(0);
    }
  }
}

/// `states` are the file's names of the state's values; "" for one that it has not.
template <class C>
void run_cell(Run& run, C cell, const Names& states, const Blocks& blocks = {}) {
  load(run, cell, blocks);
  OverTimeOptions<StateOf<C>> options{.reverse = run.c.says("reverse", false)};
  if (run.has("lengths")) options.lengths = run.sizes("lengths");
  if (run.has(states.back() + "_0")) {
    Variable first = run.in("x")[0];
    options.initial = initial_state(cell, first);
    std::size_t k = 0;
    for_each_value(options.initial, [&](Variable& v) {
      const std::string& name = states[k++];
      if (!name.empty()) v = run.in(name + "_0");
    });
  }
  const auto result = over_time(cell, run.in("x"), options);
  run.out("y", result.outputs());
  const Variables last = values_of(result.last());
  for (std::size_t k = 0; k < states.size(); ++k)
    if (!states[k].empty() && run.c.has("out." + states[k] + "_n"))
      run.out(states[k] + "_n", last[k]);
}

void run_named(Run& run, const std::string& name) {
  const Size in = run.c.says("input_size"), hidden = run.c.says("hidden_size");
  const Names h{"h"}, hc{"h", "c"};
  if (name == "peephole_lstm") return run_cell(run, PeepholeLSTM(in, hidden), hc, gates("ifgo"));
  if (name == "cifg_lstm") return run_cell(run, CoupledLSTM(in, hidden), hc, gates("fgo"));
  if (name == "layernorm_lstm") return run_cell(run, LayerNormLSTM(in, hidden), hc);
  if (name == "gru_reset_before") return run_cell(run, GRUResetBefore(in, hidden), h, gates("zr"));
  if (name == "mgu") return run_cell(run, MGU(in, hidden), h);
  if (name == "indrnn") return run_cell(run, IndRNN(in, hidden), h);
  if (name == "multiplicative_rnn") return run_cell(run, MultiplicativeRNN(in, hidden), h);
  if (name == "second_order_memory")
    return run_cell(run, ElmanOfOrder(in, hidden, 2), {"h1", "h2"}, {{"W", {"Wx"}}});
  if (name == "sru")
    return run_cell(run, SRU(in, hidden), {"", "c"}, {{"W", {"W", "Wf", "Wr", "Ws"}}});
  if (name == "recurrent_highway")
    return run_cell(run, RecurrentHighway(in, hidden), h,
                    {{"W", {"Wh", "Wt"}},
                     {"R1", {"Rh1", "Rt1"}},
                     {"R2", {"Rh2", "Rt2"}},
                     {"b1", {"bh1", "bt1"}},
                     {"b2", {"bh2", "bt2"}}});
  throw Unknown("cell " + name);
}

/// Chunks of steps; the state is carried from one to the next without a gradient.
void run_truncated(Run& run) {
  CoupledLSTM cell(run.c.says("input_size"), run.c.says("hidden_size"));
  load(run, cell, gates("fgo"));
  const Size chunk = run.c.says("chunk");
  run.out("y", over_time(cell, run.in("x"), {.truncation = {chunk}}).outputs());
}

void run_tied(Run& run) {
  const Size hidden = run.c.says("hidden_size");
  MGU cell(hidden, hidden);
  load(run, cell, {});
  run.out("y", over_time(cell, over_time(cell, run.in("x")).outputs()).outputs());
}

void run_stack(Run& run) {
  const Size hidden = run.c.says("hidden_size");
  PeepholeLSTM below(run.c.says("input_size"), hidden);
  SRU above(hidden, hidden);
  load(run, below, gates("ifgo"), "a.");
  load(run, above, {{"W", {"W", "Wf", "Wr", "Ws"}}}, "b.");
  const Recurrent both = stacked(std::move(below), std::move(above));
  run.out("y", over_time(both, run.in("x")).outputs());
}

void run_attention_decoder(Run& run) {
  Variable keys = run.in("keys"), y = run.in("y_0"), s = run.in("s_0");
  Variables outputs, weights;
  for (Size t = 0; t < static_cast<Size>(run.c.says("T")); ++t) {
    Variable attention = softmax(squeeze(matmul(keys, expand(s, -1)), -1));
    Variable context = squeeze(matmul(expand(attention, 1), keys), 1);
    s = tanh(affine(y, run.parameter("Wy"), s, run.parameter("U"), context, run.parameter("Wc"),
                    run.parameter("b")));
    y = linear(s, run.parameter("V"));
    outputs.push_back(y);
    weights.push_back(attention);
  }
  run.out("y", stack_along(outputs, 0));
  run.out("attn", stack_along(weights, 0));
}

void compute(Run& run) {
  if (run.c.name == "cifg_truncated_bptt") return run_truncated(run);
  if (run.c.name == "mgu_tied_2layer") return run_tied(run);
  if (run.c.name == "stack_peephole_sru") return run_stack(run);
  if (run.c.name == "attention_decoder") return run_attention_decoder(run);
  run_named(run, run.c.says("cell", ""));
}

/// loss = sum(y^2 weighting.y), its gradient and products with its Hessian.
Variable squared_loss(Run& run) {
  compute(run);
  return sum(square(run.value_of("y")) * run.constant("in.weighting.y"));
}

void run_cells(Run& run) {
  if (!run.c.name_ends_with("_hvp")) return run.differentiate([&] { compute(run); });
  for (bool create_graph : {false, true}) {
    Tape tape;
    run.begin(tape);
    run.compare_gradients(tape, squared_loss(run), create_graph);
  }
  Tape tape;
  run.begin(tape);
  compare_hessian_product(run, squared_loss(run));
}

const Handler handler{"cells", run_cells};

}  // namespace
}  // namespace golden
