// Windows read without recording, the state carried along.
#include "language_modeling/measuring.hpp"

#include "common/padded_batches.hpp"
#include "language_modeling/tokens.hpp"

namespace tasks {
namespace {

using namespace unroll;

/// Calls f(worker, w, from, window, nats) for each worker's rows of each window; nats is (T, B).
template <class F>
void read(const LanguageModel& net, const Windows& windows, Workers& workers, const F& f) {
  workers.run([&](int worker) {
    LanguageModel::State state;
    for (Size w = 0; w < windows.count(); ++w) {
      const Size rows = windows.rows(w), from = rows * worker / workers.count(),
                 to = rows * (worker + 1) / workers.count();
      if (from == to) continue;
      if (windows.is_first(w)) state = {};
      const Window window = windows.at(w, from, to);
      const auto result = net(window.x, state, window.lengths);
      state = result.states.last();
      f(worker, w, from, window,
        net.loss(result.h, window.y, {.lengths = window.lengths, .reduction = Reduction::none})
            .value());
    }
  });
}

bool is_real(const Window& window, Size t, Size b) {
  return window.lengths.empty() || t < window.lengths[static_cast<std::size_t>(b)];
}

}  // namespace

Measured measure(const TrainedModel& model, const Windows& windows, Workers& workers) {
  const bool unknown = model.settings.tokens != kCharacters;
  std::vector<Measured> parts(static_cast<std::size_t>(workers.count()));
  read(model.net, windows, workers,
       [&](int worker, Size, Size, const Window& window, const Array& nats) {
         Measured& part = parts[static_cast<std::size_t>(worker)];
         const Size width = nats.size(1);
         for (Size k = 0; k < nats.size(); ++k) {
           if (!is_real(window, k / width, k % width)) continue;
           const double one = nats.data<float>()[k];
           part.all.add(one, 1);
           if (!unknown || window.y.data<Size>()[k] != Lexicon::kUnknown) part.known.add(one, 1);
         }
       });
  Measured sum;
  for (const Measured& part : parts) {
    sum.all.add(part.all.nats, part.all.tokens);
    sum.known.add(part.known.nats, part.known.tokens);
  }
  return sum;
}

std::vector<std::vector<double>> nats_of_tokens(const TrainedModel& model,
                                                const std::vector<std::vector<Size>>& stories,
                                                Workers& workers) {
  constexpr Size kBatch = 64, kSteps = 128;
  std::vector<Size> lengths;
  std::vector<std::vector<double>> all;
  for (const auto& story : stories) {
    lengths.push_back(static_cast<Size>(story.size()));
    all.emplace_back(story.size() + 1);
  }
  const StoryWindows windows(stories, batches_by_length(lengths, kBatch),
                             model.lexicon.find(kEndOfStory), kSteps);
  read(model.net, windows, workers,
       [&](int, Size w, Size from, const Window& window, const Array& nats) {
         for (Size t = 0; t < nats.size(0); ++t)
           for (Size b = 0; b < nats.size(1); ++b)
             if (is_real(window, t, b))
               all[windows.batch_of(w)[from + b]][windows.start_of(w) + t] = nats.at({t, b});
       });
  return all;
}

}  // namespace tasks
