// Optimisers and tapes: gradients that add up, values that change too early, and Parameters that
// nobody trains. What a step does to the numbers is in optimiser.cpp.
#include <boost/test/unit_test.hpp>

#include <unroll/layers/optimiser.hpp>
#include <unroll/ops/ops.hpp>

#include "common/error_of.hpp"

using namespace unroll;

namespace {

std::vector<double> numbers(const Variable& x) { return x.value().to_vector<double>(); }

struct Layer : Module {
  Parameter W = parameter("W", {2, 2}), b = parameter("b", {2}, init::zeros);
  Variable operator()(const Variable& x) const { return linear(x, W, b); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(optimiser_and_tape)

BOOST_AUTO_TEST_CASE(gradients_of_several_tapes_add_up) {
  Layer net;
  SGD optimiser(net, {.learning_rate = 1});
  for (int k = 0; k < 3; ++k) {
    Tape tape;
    tape.backward(sum(net(ones({4, 2}))));
  }
  optimiser.step();
  BOOST_TEST(numbers(net.b) == (std::vector<double>{-12, -12}));
}

BOOST_AUTO_TEST_CASE(a_step_before_backward_is_noticed) {
  Layer net;
  SGD optimiser(net);
  Tape tape;
  Variable x = tape.watch(ones({3, 2}));  // whose gradient needs W
  Variable loss = sum(net(x));
  net.W.set_grad(ones({2, 2}));
  optimiser.step();
  BOOST_TEST(error_of([&] { tape.backward(loss); }) ==
             "[linear] input 1 (2, 2) was changed after it was recorded; call backward before the "
             "change (an optimiser step, assign), or record a copy.");
}

BOOST_AUTO_TEST_CASE(the_next_tape_uses_the_new_values) {
  Layer net;
  SGD optimiser(net, {.learning_rate = 1});
  double before = 0;
  for (int k = 0; k < 2; ++k) {
    Tape tape;
    Variable loss = sum(net(ones({1, 2})));
    if (k == 0)
      before = loss.item();
    else
      BOOST_TEST(loss.item() == before - 6, boost::test_tools::tolerance(1e-5));
    tape.backward(loss);
    optimiser.step();
  }
}

// ---- forgotten Parameters ----

BOOST_AUTO_TEST_CASE(a_forgotten_submodule_is_named) {
  struct Model : Module {
    Layer encoder = submodule("encoder", Layer());
    Layer readout;  // no submodule(...)
  } model;
  struct Lost : Module {
    Layer readout = submodule("readout", Layer());
  } lost;
  Adam optimiser(model);
  Array before = model.encoder.W.value().copy();
  {
    Tape tape;
    freeze(lost.readout.b);
    tape.backward(sum(lost.readout(model.encoder(ones({1, 2})))));
  }
  BOOST_TEST(
      error_of([&] { optimiser.step(); }) ==
      "[step] parameter readout.W got a gradient but no optimiser holds it; register it with "
      "submodule(...), give it to the optimiser, or freeze it.");
  BOOST_TEST(identical(model.encoder.W.value(), before));
  BOOST_TEST(!model.encoder.W.grad().empty());

  SGD second(lost);  // now it is held
  optimiser.step();
  second.step();
  BOOST_TEST(!identical(model.encoder.W.value(), before));
}

BOOST_AUTO_TEST_CASE(several_forgotten_parameters) {
  Layer net, lost;
  SGD optimiser(net);
  {
    Tape tape;
    tape.backward(sum(lost(net(ones({1, 2})))));
  }
  BOOST_TEST(error_of([&] { optimiser.step(); }) ==
             "[step] parameters W, b got gradients but no optimiser holds them; register them with "
             "submodule(...), give them to the optimiser, or freeze them.");
  freeze(lost);
  BOOST_TEST(error_of([&] { optimiser.step(); }) == "");
}

BOOST_AUTO_TEST_CASE(an_optimiser_that_is_gone_holds_nothing) {
  Layer net, head;
  SGD optimiser(net);
  { SGD gone(head); }
  {
    Tape tape;
    tape.backward(sum(head(net(ones({1, 2})))));
  }
  BOOST_TEST(error_of([&] { optimiser.step(); }).find("no optimiser holds them") !=
             std::string::npos);
  BOOST_TEST(error_of([&] { SGD(head, {.learning_rate = -1}); }) != "");  // nor a failed one
  BOOST_TEST(error_of([&] { optimiser.step(); }) != "");
}

BOOST_AUTO_TEST_CASE(other_models_do_not_disturb) {
  Layer net, other, watched;
  SGD optimiser(net);
  watched.W.set_grad(ones({2, 2}));  // by hand, in no sweep
  {
    Tape tape;
    tape.backward(sum(other(ones({1, 2}))));  // a sweep that net has no part in
  }
  {
    Tape tape;
    tape.backward(sum(net(ones({1, 2}))));
  }
  BOOST_TEST(error_of([&] { optimiser.step(); }) == "");
  net.W.set_grad(ones({2, 2}));
  BOOST_TEST(error_of([&] { optimiser.step(); }) == "");
  BOOST_TEST(!other.W.grad().empty());
  Layer fresh;
  SGD by_hand(fresh);
  fresh.W.set_grad(ones({2, 2}));
  BOOST_TEST(error_of([&] { by_hand.step(); }) == "");
}

BOOST_AUTO_TEST_CASE(two_optimisers_over_one_loss) {
  Layer generator, critic;
  SGD first(generator, {.learning_rate = 1}), second(critic, {.learning_rate = 1});
  {
    Tape tape;
    tape.backward(sum(critic(generator(ones({1, 2})))));
  }
  BOOST_TEST(error_of([&] { first.step(); }) == "");
  BOOST_TEST(!critic.b.grad().empty());
  second.step();
  BOOST_TEST(numbers(critic.b) == (std::vector<double>{-1, -1}));
}

BOOST_AUTO_TEST_SUITE_END()
