// The tagger that needs no search as an ONNX graph, its equations as in tagger.cpp and bilstm.cpp
// but without dropout.
#include "common/onnx_ops.hpp"

#include "pos_tagging/bilstm.hpp"
#include "pos_tagging/model.hpp"

namespace tasks::pos_tagging {

using onnx::Value;

namespace {

/// A Batch as the inputs of a graph.
struct GraphBatch {
  onnx::Padded letters, words;
  Value spellings;

  explicit GraphBatch(onnx::Graph& graph)
      : letters(padded_input(graph, "letters", "letter_lengths", "letters_of_word", "spelled")),
        words(padded_input(graph, "words", "lengths", "steps", "batch")),
        spellings(graph.input("spellings", unroll::int64, {"steps", "batch"})) {}
};

Value encoded(const WordEncoder& encode, const GraphBatch& batch) {
  const Value letters = embedding(encode.letters.W, batch.letters.tokens);
  const auto read = over_time(encode.spell, "gru", letters, batch.letters.lengths);
  const Value spelled = index_select(last_output(read, "gru"), batch.spellings);
  const Value words = onnx::concat({embedding(encode.embed, batch.words.tokens), spelled});
  return words * expand(batch.words.mask, -1);
}

}  // namespace

void Tagger::describe(onnx::Graph& graph) const {
  graph.refuse("is a tag-fed, which searches while it reads; ONNX can say a bilstm");
}

void BiLSTM::describe(onnx::Graph& graph) const {
  if (crf_) graph.refuse("has a CRF, for which ONNX has no operator; train without --crf");
  const GraphBatch batch(graph);
  const auto states = over_time(rnn_, cell_, encoded(encode_, batch), batch.words.lengths);
  graph.output("probabilities", softmax(linear(states.outputs, readout_)),
               {"steps", "batch", readout_.out});
}

std::unique_ptr<onnx::Graph> to_onnx(const TrainedModel& model, const std::string& source) {
  auto graph = std::make_unique<onnx::Graph>(*model.net, source);
  model.net->describe(*graph);
  return graph;
}

}  // namespace tasks::pos_tagging
