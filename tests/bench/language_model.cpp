// W5 and W7: a whole step of training of a language model, from the embedding to the optimiser. The
// recurrent layers alone are in layers.cpp.
#include "workload.hpp"

using namespace bench;

namespace {

struct LanguageModel : Module {
  LanguageModel(Size words, Size size, Size hidden, Recurrent layers)
      : words(words), size(size), hidden(hidden), layers(std::move(layers)) {
    register_submodule("layers", this->layers);
  }
  Size words, size, hidden;
  Recurrent layers;
  Embedding embed = submodule("embed", Embedding(words, size));
  Linear readout = submodule("readout", Linear(hidden, words));

  Variable loss(const Array& x, const Array& y) const {
    return cross_entropy(readout(over_time(layers, embed(x)).outputs()), y);
  }
};

Array random_words(Size words, const Shape& shape) {
  Array a(shape, int64);
  for (Size k = 0; k < a.size(); ++k)
    a.mutable_data<Size>()[k] = static_cast<Size>(numbers().below(static_cast<unsigned>(words)));
  return a;
}

template <class C>
Line model(std::string name, Size words, Size size, Size hidden, Size T, Size B, int with_threads) {
  LanguageModel net(words, size, hidden, recurrent<C>(size, hidden, {.layers = 2}));
  Adam optimiser(net, {.learning_rate = 1e-3});
  const Array text = random_words(words, {T + 1, B});
  const Array x = text.sliced(0, 0, T), y = text.sliced(0, 1, T + 1);
  auto step = [&](Tape&, Size begin, Size end) {
    return net.loss(sequences(x, begin, end), sequences(y, begin, end));
  };
  Result r = time(
      [&] {
        backward(B, step);
        clip_global_norm(net, 5.0);
        optimiser.step();
      },
      3.0);
  return {.name = std::move(name),
          .time = r,
          .threads = with_threads,
          .figures = {{"tokens_per_s", static_cast<double>(B * T) / r.median}}};
}

const Register
    w5({"W5", "a step of a character model: 65 letters, two LSTMs of 512, B 32, T 128",
        [] { return std::vector<Line>{model<LSTM>("W5", 65, 128, 512, 128, 32, threads())}; }});
const Register w7({"W7", "a step of a word model: 10000 words, two GRUs of 500, B 20, T 35", [] {
                     return std::vector<Line>{model<GRU>("W7", 10000, 300, 500, 35, 20, threads())};
                   }});

}  // namespace
