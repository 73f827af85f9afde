// Attention modules against the ops that take their weights as arguments, with padded sources, and
// in the State of a decoder.
#include <boost/test/unit_test.hpp>

#include <cmath>

#include "common/error_of.hpp"
#include "common/numbers.hpp"

#include <unroll/layers/attention.hpp>
#include <unroll/layers/cells/gru.hpp>
#include <unroll/layers/gradcheck.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/reshape.hpp>

using namespace unroll;

namespace {

const std::vector<Size> lengths{4, 2, 0};
const Array mask = values(std::vector<Size>{1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0}, {3, 4});  // (B, S)

/// (4, 3, 5), NaN where padded.
Array states() {
  Array a = random({4, 3, 5});
  for (Size s = 0; s < 4; ++s)
    for (Size b = 0; b < 3; ++b)
      if (mask.at({b, s}) == 0) a[s].select(0, b).fill(NAN);
  return a;
}

Array clean(const Array& a) {
  return where(equals(Variable(a), Variable(a)), a, 0.0).value().permuted({1, 0, 2});
}

// Attends, then steps; memory and mask are in its State.
template <class Attention>
struct Decoder : Cell {
  Decoder() : Cell(2, 3) { to(float64); }
  Attention attention = submodule("attention", Attention(hidden, 5, 4));
  GRU cell = submodule("cell", GRU(in + 5, hidden));
  struct State {
    GRU::State inner;
    AttentionMemory memory;
  };
  State step(const Variable& x, const State& s) const {
    Variable context = attention(s.inner.h, s.memory).output;
    return {cell.step(concat({x, context}), s.inner), s.memory};
  }
};

template <class Attention>
void check_gradients() {
  Decoder<Attention> decoder;
  auto run = [&](auto& x, auto& source, auto& question) {
    AttentionMemory memory = decoder.attention.remember(source, {.lengths = lengths});
    Variable hs = over_time(decoder, x, {.initial = {{}, memory}, .lengths = {2, 3, 1}}).outputs();
    return Variables{hs, decoder.attention(question, memory).weights};
  };
  BOOST_TEST(gradcheck(run, {{3, 3, 2}, {4, 3, 5}, {3, 3}}, {.order = 2, .parameters = decoder}));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(attention_layers)

BOOST_AUTO_TEST_CASE(additive) {
  AdditiveAttention attention(3, 5, 6);
  attention.to(float64);
  Array source = states(), queries = random({7, 3, 3}, 8);
  Attended expected = additive_attention(queries, clean(source), attention.Wq, attention.Wk,
                                         attention.b, attention.va, {.mask = mask});
  AttentionMemory by_lengths = attention.remember(source, {.lengths = lengths}),
                  by_mask = attention.remember(source, {.mask = mask.transposed()});
  for (const AttentionMemory& memory : {by_lengths, by_mask}) {
    Attended all = attention(queries, memory);
    BOOST_TEST(distance(all.output, expected.output) < 1e-14);
    BOOST_TEST(distance(all.weights, expected.weights) < 1e-14);
    Attended one = attention(queries[2], memory);  // a step by itself
    BOOST_TEST(distance(one.output, expected.output[2]) < 1e-14);
  }
  BOOST_TEST(distance(expected.output.value().select(1, 2), zeros({7, 5}, float64)) == 0);
}

BOOST_AUTO_TEST_CASE(scaled_dot_product) {
  DotAttention attention(3, 5, 6);
  attention.to(float64);
  Array source = states(), queries = random({7, 3, 3}, 8);
  Variable keys = linear(clean(source), attention.Wk);
  AttentionMemory memory = attention.remember(source, {.lengths = lengths});
  Attended all = attention(queries, memory);
  for (Size t = 0; t < 7; ++t) {
    Variable q = expand(linear(queries[t], attention.Wq), 1);
    Attended expected = unroll::attention(q, keys, clean(source), {.mask = mask.expanded(1)});
    BOOST_TEST(distance(all.output[t], squeeze(expected.output, 1)) < 1e-14);
    BOOST_TEST(distance(all.weights[t], squeeze(expected.weights, 1)) < 1e-14);
  }
}

BOOST_AUTO_TEST_CASE(gradients) {
  check_gradients<AdditiveAttention>();
  check_gradients<DotAttention>();
}

BOOST_AUTO_TEST_CASE(without_padding_every_state_is_seen) {
  DotAttention attention(3, 5, 6);
  AttentionMemory memory = attention.remember(random({4, 2, 5}).to(float32));
  Variable weights = attention(zeros({2, 3}), memory).weights;
  BOOST_TEST(distance(weights, full({2, 4}, 0.25)) < 1e-6);
}

BOOST_AUTO_TEST_CASE(errors) {
  AdditiveAttention attention(3, 5, 6);
  Array source = zeros({4, 2, 5});
  BOOST_TEST(error_of([&] { attention.remember(source[0]); }) ==
             "[additive_attention] the states are (2, 5); expected (S, B, 5), time first.");
  BOOST_TEST(error_of([&] {
               attention.remember(source, {.mask = ones({2, 4})});
             }) == "[additive_attention] mask is (2, 4); expected (4, 2), (S, B).");
  BOOST_TEST(error_of([&] {
               attention.remember(source, {.lengths = {5, 1}});
             }) == "[additive_attention] lengths[0] is 5; expected a number in [0, 4].");
}

// As the hypotheses of one sentence do.
BOOST_AUTO_TEST_CASE(many_queries_of_one_source) {
  AdditiveAttention additive(3, 5, 4);
  DotAttention dot(3, 5, 4);
  const Array source = random({6, 1, 5}).to(float32), queries = random({2, 3}).to(float32);
  auto check = [&](const auto& attention) {
    const AttentionMemory memory = attention.remember(source);
    const Variable all = attention(queries, memory).output;
    for (Size b = 0; b < 2; ++b)
      BOOST_TEST(distance(sliced(all, 0, b, b + 1),
                          attention(queries.sliced(0, b, b + 1), memory).output) < 1e-6);
  };
  check(additive);
  check(dot);
}

// What a decoder's State starts with when its memory was forgotten is (B, hidden).
BOOST_AUTO_TEST_CASE(a_forgotten_memory) {
  for (bool dot : {false, true}) {
    auto ask = [&](auto attention, const Variable& query, const AttentionMemory& memory) {
      return error_of([&] { attention(query, memory); });
    };
    auto error = [&](const Variable& query, const AttentionMemory& memory) {
      return dot ? ask(DotAttention(3, 5, 4), query, memory)
                 : ask(AdditiveAttention(3, 5, 4), query, memory);
    };
    const std::string name = dot ? "[dot_attention] " : "[additive_attention] ";
    const Variable none = zeros({2, 3});
    BOOST_TEST(error(none, {none, none, none}) ==
               name + "the memory's keys are (2, 3), its values (2, 3); expected (B, S, 4) and (B, "
                      "S, 5), as remember() gives them: pass it as .initial of the decoder's State.");
    const AttentionMemory memory{zeros({3, 6, 4}), ones({3, 6}, int64), zeros({3, 6, 5})};
    BOOST_TEST(error(none, memory) == name + "the query is (2, 3); expected (..., 3, 3), with the "
                                             "batch of the memory.");
  }
}

BOOST_AUTO_TEST_SUITE_END()
