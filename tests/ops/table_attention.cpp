// Op table: attention. Masks that broadcast and queries that see nothing are in attention.cpp.
#include <cmath>

#include <unroll/ops/nn.hpp>
#include <unroll/ops/softmax.hpp>

#include "op_table.hpp"

namespace op_table {
namespace {

/// Output and weights of scores (B, Q, K) for values (B, K, V); visible(b, i, j) or hidden.
template <class F>
NumbersList attended(const Numbers& scores, const Numbers& values, F&& visible) {
  Numbers weights = build(scores.shape, [&](const Index& i) {
    double sum = 0;
    for (Size j = 0; j < scores.size(2); ++j)
      if (visible(i[0], i[1], j)) sum += std::exp(scores(i[0], i[1], j));
    return visible(i[0], i[1], i[2]) ? std::exp(scores.at(i)) / sum : 0;
  });
  Numbers output = build({scores.size(0), scores.size(1), values.size(2)}, [&](const Index& i) {
    double sum = 0;
    for (Size j = 0; j < scores.size(2); ++j) sum += weights(i[0], i[1], j) * values(i[0], j, i[2]);
    return sum;
  });
  return {output, weights};
}

/// 1 = visible; the second query of the second sequence sees nothing.
const unroll::Array mask = unroll::values(
    std::vector<Size>{1, 0, 1, 1, 1, 1, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 1, 0, 0},
    {2, 3, 4});
bool masked(Size b, Size i, Size j) { return mask.at({b, i, j}) != 0; }
bool everything(Size, Size, Size) { return true; }
bool causal(Size, Size i, Size j) { return j <= i; }
bool both(Size b, Size i, Size j) { return j <= i && masked(b, i, j); }

Row attention(const char* variant, bool (*visible)(Size, Size, Size),
              unroll::AttentionOptions options) {
  const Index q{2, 3, 5}, k{2, 4, 5}, v{2, 4, 2};
  const std::vector<std::vector<Index>> empties = {
      {{0, 3, 5}, {0, 4, 5}, {0, 4, 2}}, {{2, 0, 5}, k, v}, {q, {2, 0, 5}, {2, 0, 2}},
      {q, k, {2, 4, 0}},                 {{2, 3, 0}, {2, 4, 0}, v}};
  return {.name = "attention",
          .variant = variant,
          .f = [=](const Variables& x) -> Variables {
            const auto result = unroll::attention(x[0], x[1], x[2], options);
            return {result.output, result.weights};
          },
          .reference =
              [=](const NumbersList& x) {
                const Size depth = x[0].size(2);
                const Index shape{x[0].size(0), x[0].size(1), x[1].size(1)};
                const Numbers scores = build(shape, [&](const Index& i) {
                  double sum = 0;
                  for (Size d = 0; d < depth; ++d) sum += x[0](i[0], i[1], d) * x[1](i[0], i[2], d);
                  return depth ? sum / std::sqrt(static_cast<double>(depth)) : 0;
                });
                return attended(scores, x[2], visible);
              },
          .inputs = {empty_as(real(q), q), empty_as(real(k), k), empty_as(real(v), v)},
          .also_empty = options.mask.empty() ? empties : std::vector<std::vector<Index>>()};
}

Row additive_attention(const char* variant, bool bias, bool hide) {
  const Index query{2, 3}, keys{2, 4, 5}, Wq{6, 3}, Wk{6, 5}, va{6};
  std::vector<Input> inputs;
  for (const Index& shape : {query, keys, Wq, Wk, va, va})
    inputs.push_back(empty_as(real(shape), shape));
  if (!bias) inputs.pop_back();
  return {.name = "additive_attention",
          .variant = variant,
          .f = [=](const Variables& x) -> Variables {
            const auto result = unroll::additive_attention(
                x[0], x[1], x[2], x[3], bias ? x[5] : Variable(), x[4],
                {.mask = hide ? Variable(mask.select(1, 1)) : Variable()});
            return {result.output, result.weights};
          },
          .reference =
              [=](const NumbersList& x) {
                const Numbers scores = build({2, 1, 4}, [&](const Index& i) {
                  double score = 0;
                  for (Size a = 0; a < 6; ++a) {
                    double z = bias ? x[5](a) : 0;
                    for (Size d = 0; d < 3; ++d) z += x[2](a, d) * x[0](i[0], d);
                    for (Size d = 0; d < 5; ++d) z += x[3](a, d) * x[1](i[0], i[2], d);
                    score += x[4](a) * std::tanh(z);
                  }
                  return score;
                });
                NumbersList result = attended(scores, x[1], [&](Size b, Size, Size j) {
                  return !hide || masked(b, 1, j);
                });
                for (Numbers& y : result) y.shape.erase(y.shape.begin() + 1);
                return result;
              },
          .inputs = inputs};
}

const Rows attention_rows{
    {.name = "masked_softmax",
     .f = [](const Variables& x) { return unroll::masked_softmax(x[0], mask); },
     .reference = [](const NumbersList& x) { return attended(x[0], Numbers(Index{2, 4, 1}), masked)[1]; },
     .inputs = {empty_as(real({2, 3, 4}), {2, 3, 4})}},
    attention("plain", everything, {}),
    attention("masked", masked, {.mask = mask}),
    attention("causal", causal, {.causal = true}),
    attention("causal and masked", both, {.causal = true, .mask = mask}),
    additive_attention("plain", true, false),
    additive_attention("without bias", false, false),
    additive_attention("masked", true, true),
};

}  // namespace
}  // namespace op_table
