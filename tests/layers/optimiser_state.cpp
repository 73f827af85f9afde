// The state of optimisers for checkpoints, and their options. What a step does to the numbers is in
// optimiser.cpp.
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <cmath>

#include <unroll/layers/save.hpp>

#include "common/error_of.hpp"
#include "optimisers.hpp"

using namespace unroll;
namespace data = boost::unit_test::data;

namespace {

Parameter parameter(const Array& value, const char* name = "w") { return Parameter(name, value); }

/// A gradient that differs from element to element and step to step.
Array gradient(const Shape& shape, int step, Type type) {
  Array a(shape, float64);
  for (Size i = 0; i < a.size(); ++i)
    a.mutable_data<double>()[i] = std::sin(1.3 * static_cast<double>(i) + 0.7 * step);
  return a.to(type);
}

void run(Optimiser& optimiser, int from, int to) {
  for (int step = from; step < to; ++step) {
    for (const Parameter& p : optimiser.parameters())
      p.set_grad(gradient(p.shape(), step, p.type()));
    optimiser.step();
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(optimiser_state)

BOOST_DATA_TEST_CASE(a_resumed_run_is_the_same_bit_for_bit, data::make(all_optimisers()), o) {
  for (Type type : {float32, float64}) {
    Parameter a = parameter(gradient({3, 3}, 50, type), "a");
    Parameter b = parameter(gradient({5}, 60, type), "b"), unused = parameter(zeros({2}), "unused");
    auto whole = o.make({a, b, unused});
    auto steps = [&](Optimiser& optimiser, Parameter p, Parameter q, int from, int to) {
      for (int k = from; k < to; ++k) {
        p.set_grad(gradient({3, 3}, k, type));
        if (k % 2) q.set_grad(gradient({5}, k, type));
        optimiser.step();
      }
    };
    steps(*whole, a, b, 0, 5);
    whole->set_learning_rate(whole->learning_rate() / 3);
    std::string file = to_safetensors(whole->state());
    Parameter a2("a", a.value()), b2("b", b.value()), unused2("unused", unused.value());
    steps(*whole, a, b, 5, 10);
    BOOST_TEST(!identical(a.value(), a2.value()));

    auto resumed = o.make({a2, b2, unused2});
    resumed->set_state(from_safetensors(file).arrays);
    BOOST_TEST(resumed->learning_rate() == whole->learning_rate());
    steps(*resumed, a2, b2, 5, 10);
    BOOST_TEST(identical(a.value(), a2.value()));
    BOOST_TEST(identical(b.value(), b2.value()));
    BOOST_TEST((to_safetensors(resumed->state()) == to_safetensors(whole->state())));
  }
}

BOOST_AUTO_TEST_CASE(state_is_a_copy) {
  Parameter w = parameter(values({1}));
  Adam optimiser(w);
  run(optimiser, 0, 1);
  NamedArrays state = optimiser.state();
  double mean = state.at("0.w.mean").item();
  run(optimiser, 1, 3);
  BOOST_TEST(state.at("0.w.mean").item() == mean);
  optimiser.set_state(state);
  run(optimiser, 1, 3);
  BOOST_TEST(state.at("0.w.mean").item() == mean);
}

BOOST_AUTO_TEST_CASE(state_that_does_not_fit) {
  Parameter w = parameter(values({1, 2}));
  Adam adam(w, {.learning_rate = 0.5});
  run(adam, 0, 2);
  NamedArrays good = adam.state(), state = good;
  state["0.w.mean"] = zeros({3});
  state.erase("0.w.square");
  state["extra"] = zeros({1});
  state["learning_rate"] = full({}, 0.25, float64);
  BOOST_TEST(error_of([&] { adam.set_state(state); }) ==
             "[set_state] does not fit this adam optimiser: 0.w.mean is float32 (3,), expected "
             "float32 (2,); missing 0.w.square; unexpected extra.");
  BOOST_TEST(adam.learning_rate() == 0.5);
  BOOST_TEST((to_safetensors(adam.state()) == to_safetensors(good)));

  SGD sgd(w, {.momentum = 0.9});
  BOOST_TEST(error_of([&] { sgd.set_state(good); }) ==
             "[set_state] does not fit this sgd optimiser: missing 0.w.momentum; unexpected "
             "0.w.mean; unexpected 0.w.square.");
  Adam two({w, parameter(zeros({1}), "v")});
  BOOST_TEST(error_of([&] { two.set_state(good); }) ==
             "[set_state] does not fit this adam optimiser: steps is int64 (1,), expected int64 "
             "(2,); unexpected 0.w.mean; unexpected 0.w.square.");
  state = good;
  state["learning_rate"] = full({}, -1, float64);
  BOOST_TEST(error_of([&] { adam.set_state(state); }) ==
             "[adam] learning_rate is -1; expected a finite number of at least 0.");
}

BOOST_AUTO_TEST_CASE(parameters_may_change_their_type) {
  Parameter a = parameter(values({1, 2}, float64)), b = parameter(values({1, 2}));
  Adam first(a, {.learning_rate = 0.1}), second(b, {.learning_rate = 0.1});
  run(first, 0, 5);
  run(second, 0, 5);
  b.to(float64);
  run(first, 5, 10);
  run(second, 5, 10);
  BOOST_TEST((b.type() == float64));
  for (Size i = 0; i < 2; ++i)
    BOOST_TEST(a.value().at({i}) == b.value().at({i}), boost::test_tools::tolerance(1e-5));
}

// ---- wrong arguments ----

BOOST_AUTO_TEST_CASE(wrong_arguments) {
  struct Nothing : Module {
  } nothing;
  BOOST_TEST(error_of([&] { Adam optimiser(nothing); }) ==
             "[adam] got no Parameters; pass a Module that has some.");
  Parameter w = parameter(zeros({1}));
  BOOST_TEST(error_of([&] { Adam(w, {.beta1 = 1}); }) ==
             "[adam] beta1 is 1; expected at least 0 and less than 1.");
  BOOST_TEST(error_of([&] { RMSprop(w, {.epsilon = std::nan("")}); }) ==
             "[rmsprop] epsilon is nan; expected a finite number of at least 0.");
  BOOST_TEST(error_of([&] { Adadelta(w, {.weight_decay = -0.5}); }) ==
             "[adadelta] weight_decay is -0.5; expected a finite number of at least 0.");
  BOOST_TEST(error_of([&] { SGD(w, {.nesterov = true}); }) ==
             "[sgd] nesterov has momentum 0 and dampening 0; expected a momentum above 0 and no "
             "dampening.");
  SGD optimiser(w);
  BOOST_TEST(error_of([&] { optimiser.set_learning_rate(INFINITY); }) ==
             "[sgd] learning_rate is inf; expected a finite number of at least 0.");
}

BOOST_AUTO_TEST_SUITE_END()
