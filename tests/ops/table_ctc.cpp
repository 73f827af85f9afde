// Op table: ctc_loss against the sum over all paths, one by one.
#include <cmath>

#include <unroll/ops/loss.hpp>

#include "op_table.hpp"

namespace op_table {
namespace {

using unroll::Reduction;
using Labels = std::vector<Size>;

/// What a path reads as: repeats merged, then blanks dropped.
Labels read(const Index& path, Size blank) {
  Labels labels;
  for (std::size_t t = 0; t < path.size(); ++t)
    if (path[t] != blank && (t == 0 || path[t] != path[t - 1])) labels.push_back(path[t]);
  return labels;
}

double loss_of(const Numbers& log_p, Size b, Size frames, const Labels& labels, Size blank) {
  double sum = 0;
  each_index(Index(static_cast<std::size_t>(frames), log_p.size(2)), [&](const Index& path) {
    if (read(path, blank) != labels) return;
    double log_path = 0;
    for (Size t = 0; t < frames; ++t) log_path += log_p(t, b, path[static_cast<std::size_t>(t)]);
    sum += std::exp(log_path);
  });
  return -std::log(sum);
}

Row ctc(const char* variant, Reduction reduction, Labels frames, Labels lengths, Size blank) {
  auto all = [](const Labels& lengths, Size batch) {
    return Labels(lengths.begin(), lengths.begin() + static_cast<std::ptrdiff_t>(batch));
  };
  const Size batch = static_cast<Size>(frames.size());
  Input labels = index({batch, 3}, 3);
  labels.low = blank == 0 ? 1 : 0;  // labels 1..2, or 0..2 with blank 3
  return {.name = "ctc_loss",
          .variant = variant,
          .f = [=](const Variables& x) {
            const Size b = x[0].size(1);
            return unroll::ctc_loss(x[0], x[1], all(frames, b), all(lengths, b),
                                    {.blank = blank, .reduction = reduction});
          },
          .reference =
              [=](const NumbersList& x) {
                Numbers losses(Index{x[0].size(1)});
                for (Size b = 0; b < losses.count(); ++b) {
                  const auto k = static_cast<std::size_t>(b);
                  Labels wanted;
                  for (Size s = 0; s < lengths[k]; ++s)
                    wanted.push_back(static_cast<Size>(x[1](b, s)));
                  losses.data[k] = loss_of(x[0], b, frames[k], wanted, blank);
                  if (reduction == Reduction::mean)
                    losses.data[k] /= static_cast<double>(std::max<Size>(1, lengths[k]) * batch);
                }
                if (reduction == Reduction::none) return losses;
                return fold(losses, {}, false, [=](const std::vector<double>& all) {
                  double sum = all.empty() && reduction == Reduction::mean ? NAN : 0;
                  for (double e : all) sum += e;
                  return sum;
                });
              },
          .inputs = {empty_as(real({6, batch, 4}, -3, -0.1), {6, 0, 4}),
                     empty_as(labels, {0, 3})}};
}

const Rows rows{
    ctc("none", Reduction::none, {6, 5, 6, 3}, {3, 2, 0, 1}, 0),
    ctc("mean", Reduction::mean, {6, 5, 2}, {2, 0, 1}, 0),
    ctc("last class is the blank", Reduction::sum, {6, 6, 1}, {3, 3, 1}, 3),
};

}  // namespace
}  // namespace op_table
