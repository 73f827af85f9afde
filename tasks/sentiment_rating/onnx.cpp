// The three networks as ONNX graphs, their equations as in model.cpp but without dropout.
#include "common/onnx_ops.hpp"

#include "sentiment_rating/model.hpp"

namespace tasks::sentiment_rating {
namespace {

using onnx::Value;

/// From about -1 ... 1 to ratings of 1 to 10, which they never leave: as rate() says them.
Value on_scale(const Value& x) { return clamp(5.5 + 4.5 * squeeze(x, -1), 1, 10); }

/// sum_t x_tb w_tb.
Value weighted_sum(const Value& x, const Value& w) { return sum(x * expand(w, -1), 0); }

Value mean_over_time(const Value& x, const onnx::Padded& reviews) {
  return weighted_sum(x, reviews.mask) / expand(sum(reviews.mask, 0), -1);
}

Value max_over_time(const Value& x, const onnx::Padded& reviews) {
  constexpr double kBelowAll = 1e30;
  return max(x + kBelowAll * expand(-1 + reviews.mask, -1), 0);
}

}  // namespace

Value MlpBow::rating(const onnx::Padded& reviews) const {
  const Value counts = embedding(idf, reviews.tokens) * reviews.mask;
  const Value x = kLength * (counts / norm(counts, 0));
  const Value rows = embedding(W, reviews.tokens);
  return on_scale(linear(sigmoid(weighted_sum(rows, x) + rows.graph->weight(b)), readout));
}

Value MlpCbow::rating(const onnx::Padded& reviews) const {
  const Value mean = mean_over_time(embedding(embed, reviews.tokens), reviews);
  return on_scale(linear(sigmoid(linear(mean, hidden)), readout));
}

Value Rnn::rating(const onnx::Padded& reviews) const {
  const Value x = embedding(embed, reviews.tokens);
  const auto states = over_time(rnn, cell, x, reviews.lengths);
  const auto mean_and_max = [&, &h = states.outputs] {
    return onnx::concat({mean_over_time(h, reviews), max_over_time(h, reviews)});
  };
  const Value pooled = pooling == "last" ? last_output(states, cell) : mean_and_max();
  return on_scale(linear(pooled, readout));
}

std::unique_ptr<onnx::Graph> to_onnx(const TrainedModel& model, const std::string& source) {
  auto graph = std::make_unique<onnx::Graph>(*model.net, source);
  const auto reviews = onnx::padded_input(*graph, "tokens", "lengths", "steps", "batch");
  graph->output("rating", model.net->rating(reviews), {"batch"});
  return graph;
}

}  // namespace tasks::sentiment_rating
