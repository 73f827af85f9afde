// (k) Saving, loading, copying, and the element type.
#include <boost/test/unit_test.hpp>
#include <cstdio>

#include <unroll/unroll.hpp>

using namespace std;
using namespace unroll;

namespace {

struct LanguageModel : Module {
  LanguageModel(Size words, Size size) : words(words), size(size) {}
  Size words, size;
  Embedding embed = submodule("embed", Embedding(words, size));
  Recurrent rnn = submodule("rnn", recurrent<LSTM>(size, size, {.dropout = 0.3, .layers = 2}));
  Linear readout = submodule("readout", Linear(size, words));
  Variable operator()(const Variable& text) const {
    return readout(over_time(rnn, embed(text)).outputs());
  }
};

LanguageModel keep(const LanguageModel& lm) {
  save(lm, "lm.safetensors");
  LanguageModel other(lm.words, lm.size);
  load(other, "lm.safetensors");
  return other;
}

LanguageModel copy_of(const LanguageModel& lm) {
  LanguageModel other(lm.words, lm.size);
  copy_parameters(lm, other);
  other.to(float64);
  return other;
}

}  // namespace

BOOST_AUTO_TEST_CASE(saving_and_loading) {
  LanguageModel lm(10, 6);
  Array text = values(vector<Size>{0, 3, 9, 4}, {2, 2});
  Array logits = lm(text).value();
  LanguageModel loaded = keep(lm), copied = copy_of(lm);
  remove("lm.safetensors");
  BOOST_TEST(identical(loaded(text).value(), logits));
  BOOST_TEST((copied(text).type() == float64));
  BOOST_TEST(max(abs(copied(text) - logits)).item() < 1e-6);
  BOOST_TEST(loaded.named_parameters()[4].name == "rnn.layer1.W");
}
