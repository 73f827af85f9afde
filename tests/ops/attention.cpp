// Attention beyond its formula in the op table (table_nn.cpp): broadcasting masks, queries that see
// nothing, heads, and the errors.
#include "reference.hpp"

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/nn.hpp>
#include <unroll/ops/reduce.hpp>

namespace {

using namespace reference;

}  // namespace

BOOST_AUTO_TEST_SUITE(attention_ops)

BOOST_AUTO_TEST_CASE(masks_broadcast) {
  Array q = numbers({2, 3, 4}), k = numbers({2, 5, 4}, 2), v = numbers({2, 5, 3}, 3);
  Array mask = values(std::vector<Size>{1, 1, 0, 1, 0, 0, 1, 1, 1, 1}, {2, 1, 5});
  Attended short_mask = attention(q, k, v, {.mask = mask});
  Attended full_mask = attention(q, k, v, {.mask = mask.broadcast_to({2, 3, 5})});
  BOOST_TEST(close(short_mask.output, full_mask.output.value()));
  BOOST_TEST(close(short_mask.weights, full_mask.weights.value()));
  // Floating masks of either precision, and any number but 0, mean the same.
  for (Type type : {float32, float64})
    for (Type numbers_type : {float32, float64}) {
      Array m = (Variable(mask.to(type)) * 3).value();
      Attended other = attention(q.to(numbers_type), k.to(numbers_type), v.to(numbers_type),
                                 {.mask = m});
      double tolerance = numbers_type == float32 ? 1e-5 : 1e-13;
      BOOST_TEST((other.output.type() == numbers_type));
      BOOST_TEST(close(other.output, full_mask.output.value(), tolerance));
    }
}

BOOST_AUTO_TEST_CASE(hidden_keys_have_weight_zero_and_no_gradient) {
  Array q = numbers({1, 2, 4}), k = numbers({1, 3, 4}, 2), v = numbers({1, 3, 2}, 3);
  Array mask = values(std::vector<Size>{1, 0, 1, 0, 0, 0}, {2, 3});  // the second query is blind
  for (bool create_graph : {false, true}) {
    Tape tape;
    Variable a = tape.watch(q), b = tape.watch(k), c = tape.watch(v);
    auto [output, weights] = attention(a, b, c, {.mask = mask});
    BOOST_TEST(weights.value().at({0, 0, 1}) == 0);
    BOOST_TEST(close(sum(weights, {.axes = {-1}}), values({{1, 0}}, float64)));
    BOOST_TEST(close(output.value().select(1, 1), zeros({1, 2}, float64)));
    std::vector<Variable> g = grad(sum(square(output)), {a, b, c}, {.create_graph = create_graph});
    BOOST_TEST(close(g[0].value().select(1, 1), zeros({1, 4}, float64)));
    BOOST_TEST(close(g[1].value().select(1, 1), zeros({1, 4}, float64)));
    BOOST_TEST(close(g[2].value().select(1, 1), zeros({1, 2}, float64)));
    for (const Variable& one : g)
      for (double e : one.value().to_vector<double>()) BOOST_TEST(std::isfinite(e));
  }
}

// Any leading axes: heads, here, that share their keys.
BOOST_AUTO_TEST_CASE(leading_axes_broadcast) {
  Array q = numbers({2, 3, 4, 5}), k = numbers({2, 1, 6, 5}, 2), v = numbers({2, 1, 6, 7}, 3);
  Attended all = attention(q, k, v, {.causal = true});
  BOOST_TEST(all.output.shape() == Shape({2, 3, 4, 7}));
  for (Size b = 0; b < 2; ++b)
    for (Size h = 0; h < 3; ++h) {
      Attended one = attention(q[b][h], k[b][0], v[b][0], {.causal = true});
      BOOST_TEST(close(all.output.value()[b][h], one.output.value()));
    }
}

// A query for each time step at once, as a decoder asks with teacher forcing.
BOOST_AUTO_TEST_CASE(additive_attention_broadcasts_over_time) {
  Array query = numbers({6, 2, 3}), keys = numbers({2, 4, 5}, 2);
  Array Wq = numbers({7, 3}, 3), Wk = numbers({7, 5}, 4), b = numbers({7}, 5), va = numbers({7}, 6);
  Array mask = values(std::vector<Size>{1, 1, 0, 0, 1, 1, 1, 1}, {2, 4});
  Attended all = additive_attention(query, keys, Wq, Wk, b, va, {.mask = mask});
  for (Size t = 0; t < 6; ++t) {
    Attended one = additive_attention(query[t], keys, Wq, Wk, b, va, {.mask = mask});
    BOOST_TEST(close(all.output.value()[t], one.output.value()));
    BOOST_TEST(close(all.weights.value()[t], one.weights.value()));
  }
}

BOOST_AUTO_TEST_CASE(errors) {
  Array q = zeros({2, 3, 4}), k = zeros({2, 5, 4}), v = zeros({2, 5, 3});
  BOOST_TEST(error_of([&] { attention(q, v, v); }) ==
             "[attention] q is (2, 3, 4), k (2, 5, 3), v (2, 5, 3); expected q (..., Q, D), "
             "k (..., K, D), v (..., K, V).");
  BOOST_TEST(error_of([&] { attention(q, k, v, {.mask = ones({3, 3, 5})}); }) ==
             "[attention] shapes (2, 3, 5) and (3, 3, 5) do not broadcast; sizes must be equal or "
             "1, counted from the last axis.");
  BOOST_TEST(error_of([&] { attention(q[0], k[0], v[0], {.mask = ones({2, 3, 5})}); }) ==
             "[attention] mask is (2, 3, 5), the scores are (3, 5); expected a mask that "
             "broadcasts to the scores.");
  BOOST_TEST(error_of([&] {
    additive_attention(zeros({2, 3}), zeros({4}), zeros({7, 3}), zeros({7, 5}), {}, zeros({7}));
  }) == "[additive_attention] keys are (4,), va (7,); expected keys (..., K, V) and va (A).");
}

BOOST_AUTO_TEST_SUITE_END()
