// Batches of similar lengths, dealt to threads; tags found and counted.
#include "pos_tagging/training.hpp"

namespace tasks::pos_tagging {

using namespace unroll;

namespace {

constexpr Size kMostWords = 8192;  // in a batch, with padding

}  // namespace

std::vector<std::vector<Size>> tag(const Tagger& net, const EncodedSentences& sentences, Size beams,
                                   Workers& workers) {
  constexpr Size kBatch = 64;
  const auto batches =
      limited(batches_by_length(sentences.lengths(), kBatch), sentences.lengths(), kMostWords);
  std::vector<std::vector<Size>> tags(static_cast<std::size_t>(sentences.size()));
  workers.run([&](int worker) {
    for (std::size_t k = worker; k < batches.size(); k += workers.count()) {
      auto found = net.tags(sentences.batch(batches[k]), beams);
      for (std::size_t b = 0; b < found.size(); ++b) tags[batches[k][b]] = std::move(found[b]);
    }
  });
  return tags;
}

void TagScores::add(const EncodedSentences& sentences,
                    const std::vector<std::vector<Size>>& found) {
  for (Size row = 0; row < sentences.size(); ++row) {
    const std::vector<Size>& truth = sentences.tags(row);
    for (std::size_t k = 0; k < truth.size(); ++k) {
      confusion.add(truth[k], found[row][k]);
      if (sentences.is_known(row, static_cast<Size>(k))) continue;
      ++unknown;
      unknown_right += truth[k] == found[row][k];
    }
  }
}

double TagScores::unknown_accuracy() const {
  return static_cast<double>(unknown_right) / static_cast<double>(unknown);
}

TagTraining::TagTraining(const TrainedModel& model, const EncodedSentences& train,
                         const EncodedSentences& valid, const Options& options)
    : model_(model), train_(train), valid_(valid), options_(options), workers_(options.threads) {}

Description TagTraining::description() const {
  return {.identity = {{"settings", model_.settings.to_json()},
                       {"sentences", {train_.size(), valid_.size()}},
                       {"vocabulary", model_.vocabulary.words.size()},
                       {"word dropout", options_.word_dropout}},
          .model = options_.path,
          .unit = "words"};
}

std::vector<BatchSize> TagTraining::begin_epoch(Generator& generator) {
  batches_ = limited(batches_by_length(train_.lengths(), options_.batch, generator),
                     train_.lengths(), kMostWords);
  std::vector<BatchSize> sizes;
  for (const std::vector<Size>& rows : batches_) {
    BatchSize size{static_cast<Size>(rows.size()), 0};
    for (Size row : rows) size.elements += train_.lengths()[static_cast<std::size_t>(row)];
    sizes.push_back(size);
  }
  return sizes;
}

Variable TagTraining::loss(Size batch, const Share& share) {
  const std::vector<Size>& all = batches_[static_cast<std::size_t>(batch)];
  const std::vector<Size> rows(all.begin() + share.begin, all.begin() + share.end);
  return model_.net->loss(
      train_.batch(rows, {.generator = Tape::generator(), .word_dropout = options_.word_dropout}));
}

Validation TagTraining::validate() {
  constexpr Size kBeams = 1;  // greedily: it is done after every epoch
  TagScores scores(model_.vocabulary.tags.size());
  scores.add(valid_, tag(*model_.net, valid_, kBeams, workers_));
  return {.scores = {{"accuracy", scores.confusion.accuracy()},
                     {"macro_f1", scores.confusion.macro().f1}},
          .maximise = true};
}

void TagTraining::save(const nlohmann::json& scores) { model_.save(scores, options_.path); }

}  // namespace tasks::pos_tagging
