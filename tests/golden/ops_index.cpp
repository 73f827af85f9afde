// Kinds of group `ops` that choose elements by index or order, and small graphs of several ops.
#include "ops.hpp"

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/index.hpp>
#include <unroll/ops/reduce.hpp>

namespace golden {
namespace {

using namespace unroll;

void give(Run& run, const Sorted& sorted) {
  run.out("y", sorted.values);
  run.out("index", sorted.indices);
}

void run_topk(Run& run) {
  const Json attrs = attributes(run);
  give(run, topk(run.in("x"), attrs.at("k"),
                 {.axis = attrs.value("axis", Size{-1}), .largest = attrs.value("largest", true)}));
}

Variable diamond(const Variable& x) { return (square(x) + tanh(x)) * (x + exp(-square(x))); }

Variable deep_chain(Variable x) {
  for (int k = 0; k < 60; ++k) x = sin(1.3 * x) + 0.1 * x;
  return x;
}

/// s <- s x_t + x_t over the rows, from zero.
Variable accumulate(const Variable& x) {
  Variable s = Variable(zeros(x[0].shape(), x.type()));
  for (Size t = 0; t < x.size(0); ++t) s = s * x[t] + x[t];
  return s;
}

/// The metadata tells these apart by the case's name only.
void run_graph(Run& run) {
  const std::string name = run.c.name.substr(run.c.name.find("__") + 2);
  const Variable x = run.in("x");
  const Named table = {
      {"diamond", [&] { return diamond(x); }},
      {"deep_chain", [&] { return deep_chain(x); }},
      {"stop_gradient", [&] { return x * stop_gradient(tanh(x)) + square(x); }},
      {"unused_input", [&] { return 2 * x; }},
      {"sum_then_broadcast", [&] { return x / sum(abs(x), {.axes = {1}, .keepdims = true}); }},
      {"inplace_like_accumulate", [&] { return accumulate(x); }},
  };
  for (const auto& [kind, compute] : table)
    if (name.starts_with(kind)) return run.out("y", compute());
  throw Unknown("graph " + name);
}

}  // namespace

Kinds index_kinds() {
  Kinds kinds;
  kinds["gather"] = [](Run& run) {
    run.out("y", gather(run.in("x"), axis_of(run), run.in("index")));
  };
  kinds["index_select"] = [](Run& run) {
    run.out("y", index_select(run.in("x"), axis_of(run), run.in("index")));
  };
  kinds["scatter_add"] = [](Run& run) {
    run.out("y", scatter_add(run.in("x"), axis_of(run), run.in("index"), run.in("src")));
  };
  kinds["index_add"] = [](Run& run) {
    run.out("y", index_add(run.in("x"), axis_of(run), run.in("index"), run.in("src")));
  };
  kinds["index"] = [](Run& run) {
    run.out("y", index(run.in("x"), {run.in("rows"), run.in("cols")}));
  };
  kinds["masked_select"] = [](Run& run) {
    run.out("y", masked_select(run.in("x"), run.in("mask")));
  };
  kinds["sort"] = [](Run& run) {
    give(run, sort(run.in("x"), axis_of(run), attributes(run).value("descending", false)));
  };
  kinds["topk"] = run_topk;
  kinds["one_hot"] = [](Run& run) {
    run.out("y", one_hot(run.in("index"), attributes(run).at("depth"), run.type));
  };
  return kinds;
}

Kinds graph_kinds() { return {{"graph", run_graph}}; }

}  // namespace golden
