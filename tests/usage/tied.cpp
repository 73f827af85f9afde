// (h) Tied embedding and softmax: the Parameter is used twice.
#include <boost/test/unit_test.hpp>
#include <vector>

#include "own_cells.hpp"

using namespace std;
using namespace unroll;
using mine::MyLSTM;

namespace {

struct TiedModel : Module {
  TiedModel(Size words, Size size) : words(words), size(size) {}
  Size words, size;
  Embedding embed = submodule("embed", Embedding(words, size));
  MyLSTM cell = submodule("cell", MyLSTM(size, size));
  Parameter bias = parameter("bias", {words}, init::zeros);
  Variable operator()(const Variable& text) const {
    return linear(over_time(cell, embed(text)).outputs(), embed.W, bias);
  }
  Variable sampled_loss(const Variable& text, const Variable& next,
                        const ClassSample& sample) const {
    auto h = over_time(cell, embed(text)).outputs();
    return sampled_softmax_loss(h, embed.W, bias, next, sample);
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(tied_weights) {
  TiedModel model(6, 8);
  BOOST_TEST(model.parameters().size() == 5u);
  Array x = values(vector<Size>{0, 3, 1, 4, 2, 5}, {3, 2}),
        y = values(vector<Size>{1, 4, 2, 5, 3, 0}, {3, 2});
  BOOST_TEST(gradcheck([&](auto&) { return cross_entropy(model(x), y); }, {Shape{0}},
                       {.may_be_constant = true, .order = 2, .parameters = model}));
  Adam optimiser(model, {.learning_rate = 0.02});
  double first = 0, last = 0;
  for (int k = 0; k < 60; ++k) {
    Tape tape;
    auto loss = cross_entropy(model(x), y);
    tape.backward(loss);
    optimiser.step();
    (k ? last : first) = loss.item();
  }
  BOOST_TEST(first > 1);
  BOOST_TEST(last < 0.1);
}

// With a large vocabulary the same weights are trained on a sample of the words.
BOOST_AUTO_TEST_CASE(tied_weights_sampled) {
  TiedModel model(50, 12);
  Generator generator(1);
  Array x = arange(0, 49).reshaped({7, 7}), y = arange(1, 50).reshaped({7, 7});
  Adam optimiser(model, {.learning_rate = 0.02});
  BOOST_TEST(cross_entropy(model(x), y).item() > 3);
  for (int k = 0; k < 200; ++k) {
    Tape tape;
    tape.backward(model.sampled_loss(x, y, sample_classes(10, model.words, generator)));
    optimiser.step();
  }
  BOOST_TEST(cross_entropy(model(x), y).item() < 0.2);
}
