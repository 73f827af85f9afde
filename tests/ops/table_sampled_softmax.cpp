// Op table: sampled_softmax_loss by its definition. Sampling itself is in sampled_softmax.cpp.
#include <cmath>

#include <unroll/ops/sampled_softmax.hpp>

#include "op_table.hpp"

namespace op_table {
namespace {

constexpr Size V = 9, kDraws = 7;
const Index sampled{2, 0, 1, 6};

double in_sample(unroll::ClassSampler sampler, Size c) {
  const double k = static_cast<double>(c);
  const double p = sampler == unroll::ClassSampler::uniform
                       ? 1.0 / V
                       : (std::log(k + 2) - std::log(k + 1)) / std::log(V + 1.0);
  return 1 - std::pow(1 - p, kDraws);
}

/// x: h (4, 2, 3), W (V, 3), targets (4, 2), b (V) or none.
Numbers losses(const NumbersList& x, unroll::ClassSampler sampler) {
  return build(x[2].shape, [&](const Index& i) {
    auto weight = [&](Size c) {
      double logit = x.size() > 3 ? x[3](c) : 0;
      for (Size d = 0; d < 3; ++d) logit += x[0](i[0], i[1], d) * x[1](c, d);
      return std::exp(logit) / in_sample(sampler, c);
    };
    const Size y = static_cast<Size>(x[2].at(i));
    double total = weight(y);
    for (Size c : sampled)
      if (c != y) total += weight(c);
    return std::log(total / weight(y));
  });
}

Row row(const char* variant, unroll::ClassSampler sampler, bool bias) {
  std::vector<Input> inputs{empty_as(real({4, 2, 3}), {4, 0, 3}), empty_as(real({V, 3}), {V, 3}),
                            empty_as(index({4, 2}, V), {4, 0})};
  if (bias) inputs.push_back(empty_as(real({V}), {V}));
  const unroll::ClassSample sample{unroll::values(sampled, {4}), V, kDraws, sampler};
  return {.name = "sampled_softmax_loss",
          .variant = variant,
          .f =
              [=](const Variables& x) {
                return unroll::sampled_softmax_loss(x[0], x[1], bias ? x[3] : Variable(), x[2],
                                                    sample, {.reduction = unroll::Reduction::none});
              },
          .reference = [=](const NumbersList& x) { return losses(x, sampler); },
          .inputs = inputs};
}

const Rows rows{
    row("log-uniform", unroll::ClassSampler::log_uniform, true),
    row("uniform", unroll::ClassSampler::uniform, true),
    row("without bias", unroll::ClassSampler::log_uniform, false),
};

}  // namespace
}  // namespace op_table
