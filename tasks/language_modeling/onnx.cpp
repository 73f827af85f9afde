// The network as an ONNX graph: as in model.cpp, but without dropout.
#include "common/onnx_ops.hpp"

#include "language_modeling/model.hpp"

namespace tasks {

using onnx::Value;

std::unique_ptr<onnx::Graph> to_onnx(const TrainedModel& model, const std::string& source) {
  const LanguageModel& net = model.net;
  auto graph = std::make_unique<onnx::Graph>(net, source);
  if (net.softmax)
    graph->refuse("has an adaptive softmax, for which ONNX has no operator; train without it");
  const auto texts = onnx::padded_input(*graph, "tokens", "lengths", "steps", "batch");
  // One direction.
  const onnx::Axes axes{Size{1}, "batch", model.settings.hidden};
  std::vector<std::string> names;
  onnx::Values initial;
  for (Size layer = 0; layer < net.rnn.layers(); ++layer)
    for (const std::string& value : onnx::state_values(*graph, model.settings.cell)) {
      names.push_back(unroll::join("layer", layer, ".", value));
      initial.push_back(graph->input(names.back(), unroll::float32, axes));
    }
  const auto states = over_time(net.rnn, model.settings.cell,
                                embedding(net.embedding, texts.tokens), texts.lengths, initial);
  const Value h = net.project ? linear(states.outputs, *net.project) : states.outputs;
  const Value logits =
      net.readout ? linear(h, *net.readout) : linear(h, net.embedding) + graph->weight(net.bias);
  graph->output("log_probabilities", log_softmax(logits), {"steps", "batch", model.lexicon.size()});
  for (std::size_t k = 0; k < names.size(); ++k)
    graph->output(names[k] + ".last", states.last[k], axes);
  return graph;
}

}  // namespace tasks
