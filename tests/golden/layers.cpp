// Golden group `layers`: layers without state. The kind is the first part of a case's name, sizes
// and options are in the metadata.
#include "run.hpp"

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/index.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/nn.hpp>
#include <unroll/ops/reshape.hpp>

namespace golden {
namespace {

using namespace unroll;

Variable parameter_or_none(Run& run, const std::string& name) {
  return run.has_parameter(name) ? Variable(run.parameter(name)) : Variable();
}

/// A number for both axes, or a list of two.
Pair pair_of(const Json& said) {
  if (said.is_array()) return {said.at(0).get<Size>(), said.at(1).get<Size>()};
  return said.get<Size>();
}

void run_linear(Run& run) {
  const Variable x = run.in("x");
  const Parameter W = run.parameter("weight");
  run.out("y", run.has_parameter("bias") ? linear(x, W, run.parameter("bias")) : linear(x, W));
}

void run_embedding(Run& run) {
  const Json padding = run.c.says("padding_idx", "none");
  run.out("y", embedding(run.parameter("weight"), run.in("indices"),
                         {.padding = padding.is_number() ? padding.get<Size>() : -1}));
}

void run_layer_norm(Run& run) {
  run.out("y", layer_norm(
                   run.in("x"), parameter_or_none(run, "weight"), parameter_or_none(run, "bias"),
                   {.axes = run.c.says("normalized_axes", 1), .epsilon = run.c.says("eps", 1e-5)}));
}

/// y plus a bias of one number a channel (axis 1).
Variable with_bias(Run& run, const Variable& y) {
  if (!run.has_parameter("bias")) return y;
  const Parameter b = run.parameter("bias");
  Shape shape{b.size()};
  for (int axis = 2; axis < y.rank(); ++axis) shape.push_back(1);
  return y + reshape(b, shape);
}

void run_conv1d(Run& run) {
  run.out("y", with_bias(run, conv1d(run.in("x"), run.parameter("weight"),
                                     {.dilation = run.c.says("dilation", 1),
                                      .groups = run.c.says("groups", 1),
                                      .padding = run.c.says("padding", 0),
                                      .stride = run.c.says("stride", 1)})));
}

void run_conv2d(Run& run) {
  run.out("y", with_bias(run, conv2d(run.in("x"), run.parameter("weight"),
                                     {.dilation = pair_of(run.c.says("dilation", 1)),
                                      .groups = run.c.says("groups", 1),
                                      .padding = pair_of(run.c.says("padding", 0)),
                                      .stride = pair_of(run.c.says("stride", 1))})));
}

PoolOptions pool_of(const Run& run) {
  const Json size = run.c.says("kernel", 2);
  return {.size = pair_of(size), .stride = pair_of(run.c.says("stride", size))};
}

void run_max_pool2d(Run& run) { run.out("y", max_pool2d(run.in("x"), pool_of(run))); }
void run_avg_pool2d(Run& run) { run.out("y", avg_pool2d(run.in("x"), pool_of(run))); }

void give(Run& run, const Attended& attended) {
  run.out("y", attended.output);
  run.out("attn", attended.weights);
}

void run_attention(Run& run) {
  const bool causal = run.c.says("mask") == "causal";
  Variable mask;
  if (run.has("mask") && !causal) mask = run.in("mask");
  give(run, attention(run.in("q"), run.in("k"), run.in("v"), {.causal = causal, .mask = mask}));
}

void run_additive_attention(Run& run) {
  const Variable keys = run.in("keys");
  Variable mask;
  if (run.has("key_lengths"))  // (B, K): 1 within each length
    mask = Variable(arange(0, keys.size(1))) < expand(run.in("key_lengths"), -1);
  else if (run.has("mask"))
    mask = run.in("mask");
  give(run, additive_attention(run.in("query"), keys, run.parameter("Wq"), run.parameter("Wk"),
                               parameter_or_none(run, "b"), run.parameter("va"), {.mask = mask}));
}

struct Kind {
  const char* name;
  void (*compute)(Run&);
};
constexpr Kind kKinds[] = {
    {"linear", run_linear},
    {"embedding", run_embedding},
    {"layernorm", run_layer_norm},
    {"conv1d", run_conv1d},
    {"conv2d", run_conv2d},
    {"max_pool2d", run_max_pool2d},
    {"avg_pool2d", run_avg_pool2d},
    {"attention_sdp", run_attention},
    {"attention_additive", run_additive_attention},
};

void run_layers(Run& run) {
  for (const Kind& kind : kKinds) {
    if (!(run.c.name + "_").starts_with(std::string(kind.name) + "_")) continue;
    run.differentiate([&] { kind.compute(run); });
    return;
  }
  throw Unknown("a layer of another name");
}

const Handler handler{"layers", run_layers};

}  // namespace
}  // namespace golden
