// What the two taggers have in common: how words become vectors, and what is asked of them. The
// networks themselves are in bilstm.hpp and tag_fed.hpp.
#pragma once

#include <memory>

#include <unroll/unroll.hpp>

#include "common/onnx_graph.hpp"
#include "pos_tagging/encoded.hpp"
#include "pos_tagging/settings.hpp"

namespace tasks::pos_tagging {

/// A vector for each word: its embedding beside what a bidirectional GRU has read in its letters.
struct WordEncoder : unroll::Module {
  WordEncoder(const Settings& settings, const Vocabulary& vocabulary);

  double dropout;
  Size size;                ///< of the vector
  unroll::Parameter embed;  ///< (words, embedding), small at first: rare words rely on letters
  unroll::Embedding letters;
  unroll::Recurrent spell;

  /// (T, B, size); zeros where padded.
  unroll::Variable operator()(const Batch& batch) const;
};

/// Gives each word of a sentence one of K tags.
class Tagger : public unroll::Module {
 public:
  virtual ~Tagger() = default;

  /// The states of the network that reads the words, and the batch's tags if it reads tags too.
  virtual unroll::RecurrentStates read(const Batch& batch) const = 0;
  /// -log p(tags | words), the sum over the sentences of the batch that was read.
  virtual unroll::Variable loss(const unroll::RecurrentStates& states,
                                const Batch& batch) const = 0;
  unroll::Variable loss(const Batch& batch) const { return loss(read(batch), batch); }
  /// The tags of each sentence. Taggers that read their own tags follow the likeliest `beams`
  /// sequences; the others know the likeliest one.
  virtual std::vector<std::vector<Size>> tags(const Batch& batch, Size beams) const = 0;
  /// The network as a graph, from a Batch to the probability of each tag of each word. The graph
  /// refuses a tagger that ONNX has no operators for.
  virtual void describe(onnx::Graph& graph) const;
};

std::unique_ptr<Tagger> make_tagger(const Settings& settings, const Vocabulary& vocabulary);

}  // namespace tasks::pos_tagging
