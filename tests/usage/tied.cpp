// (h) Tied embedding and softmax: the Parameter is used twice.
#include <boost/test/unit_test.hpp>
#include <vector>

#include <unroll/unroll.hpp>

using namespace std;
using namespace unroll;

namespace {

struct TiedModel : Module {
  TiedModel(Size words, Size size) : words(words), size(size) {}
  Size words, size;
  Embedding embed = submodule("embed", Embedding(words, size));
  LSTM cell = submodule("cell", LSTM(size, size));
  Parameter bias = parameter("bias", {words}, init::zeros);
  Variable operator()(const Variable& text) const {
    return linear(over_time(cell, embed(text)).outputs(), embed.W, bias);
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(tied_weights) {
  TiedModel model(6, 8);
  BOOST_TEST(model.parameters().size() == 5u);
  Array x = values(vector<Size>{0, 3, 1, 4, 2, 5}, {3, 2}),
        y = values(vector<Size>{1, 4, 2, 5, 3, 0}, {3, 2});
  BOOST_TEST(gradcheck([&](auto&) { return cross_entropy(model(x), y); }, {Shape{0}},
                       {.may_be_constant = true, .parameters = model}));
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
