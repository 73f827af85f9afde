// Golden group `second`, the part without recurrent layers: derivatives of unary functions up to
// the third, and Hessian-vector products of small graphs. Recurrent layers are in
// second_recurrent.cpp.
#include "second.hpp"

#include <algorithm>

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/index.hpp>
#include <unroll/ops/matmul.hpp>
#include <unroll/ops/nn.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>
#include <unroll/ops/softmax.hpp>

#include "ops.hpp"

namespace golden {

using namespace unroll;

Variable inner_product(const Variables& a, const Variables& b) {
  Variable s;
  for (std::size_t k = 0; k < a.size(); ++k) {
    const Variable part = sum(a[k] * b[k]);
    s = s.empty() ? part : s + part;
  }
  return s;
}

void compare_hessian_product(Run& run, const Variable& loss) {
  const auto names = run.c.names("in.v.");
  std::vector<std::string> tensors;
  Variables leaves, v;
  for (const std::string& name : names) {
    tensors.push_back((run.has(name) ? "in." : "param.") + name);
    leaves.push_back(run.leaf(tensors.back()));
    v.push_back(run.constant("in.v." + name));
  }
  Variables gradients = grad(loss, leaves, {.create_graph = true});
  for (std::size_t k = 0; k < names.size(); ++k) gradients[k] = run.part(tensors[k], gradients[k]);
  const Variables product = grad(inner_product(gradients, v), leaves);
  for (std::size_t k = 0; k < names.size(); ++k)
    run.compare("out.hvp." + names[k], run.part(tensors[k], product[k]), Kind::second_order);
}

namespace {

/// dy/dx element by element, recorded; zeros where y is a constant (relu's second derivative).
Variable derivative(const Variable& y, const Variable& x) {
  if (!y.is_recorded()) return Variable(zeros(x.shape(), x.type()));
  return grad(sum(y), x, {.create_graph = true});
}

Variable unary_of(const std::string& name, const Variable& x) {
  if (name == "pow2p5") return pow(x, 2.5);
  if (name == "elu") return elu(x);
  const auto f = unary_op(name);
  if (!f) throw Unknown("function " + name);
  return f(x);
}

bool is_zero(const Array& a) {
  const auto numbers = a.to_vector<double>();
  return std::all_of(numbers.begin(), numbers.end(), [](double x) { return x == 0; });
}

void run_unary(Run& run, const std::string& name) {
  Tape tape;
  run.begin(tape);
  const Variable x = run.in("x");
  const Variable y = unary_of(name, x), d1 = derivative(y, x), d2 = derivative(d1, x);
  run.out("y", y);
  run.compare("out.d1", d1, Kind::gradient);
  run.compare("out.d3", derivative(d2, x), Kind::second_order);
  if (name == "abs" && !is_zero(run.c.at("out.d2"))) {
    if (!is_zero(d2.value())) throw std::runtime_error("the second derivative of |x| is not 0");
    throw WrongReference("out.d2 is not 0, as |x|'' is, but stray memory (pytorch issue 89034)");
  }
  run.compare("out.d2", d2, Kind::second_order);
}

Variable graph_div(const Variable& ab, const Variable& b) {
  return ab / (1 + sum(square(b), {.axes = {0}}));
}

Variable graph_broadcast_mul(const Variable& a, const Variable& b) {
  const Variable gate = sigmoid(sum(a, {.axes = {1}}));
  return expand(a, -1) * expand(b, 0) * expand(expand(gate, -1), -1);
}

Variable graph_concat_split(const Variable& ab) {
  return square(sliced(concat({ab, square(ab)}, 1), 1, 1, 2 * ab.size(1), 2));
}

Variable graph_of(const std::string& graph, const Variable& a, const Variable& b) {
  if (graph == "broadcast_mul") return graph_broadcast_mul(a, b);
  if (graph == "index_select")
    return matmul(tanh(index_select(a, 0, Variable(indices({1, 0, 1})))), b);
  const Variable ab = matmul(a, b);
  if (graph == "matmul") return tanh(ab);
  if (graph == "softmax") return softmax(ab);
  if (graph == "logsumexp") return logsumexp(ab, {.axes = {0}});
  if (graph == "div") return graph_div(ab, b);
  if (graph == "layernorm") return layer_norm(ab);
  if (graph == "max") return square(max(ab, {.axes = {1}}));
  if (graph == "concat_split") return graph_concat_split(ab);
  if (graph == "cumsum") return pow(cumsum(ab, 0), 3);
  throw Unknown("graph " + graph);
}

void run_graph(Run& run, const std::string& graph) {
  auto compute = [&] { run.out("y", graph_of(graph, run.in("a"), run.in("b"))); };
  run.differentiate(compute);
  Tape tape;
  run.begin(tape);
  compute();
  compare_hessian_product(run, run.weighted_loss());
}

void run_second(Run& run) {
  const std::string op = run.c.says("op", ""), graph = run.c.says("graph", "");
  if (!op.empty()) return run_unary(run, op);
  if (!graph.empty()) return run_graph(run, graph);
  run_second_recurrent(run);
}

const Handler handler{"second", run_second};

}  // namespace
}  // namespace golden
