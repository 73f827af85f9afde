// Anomaly mode, which says where the first NaN or infinity came from, and very long chains.
#include <boost/test/unit_test.hpp>

#include <pthread.h>

#include <unroll/autograd/graph.hpp>
#include <unroll/autograd/report.hpp>

#include "errors.hpp"
#include "small_ops.hpp"

using namespace unroll;

namespace {

/// A recurrence of 50 steps in scope lstm/encoder; `f` is applied at step 37.
template <class F>
Variable recurrence(const Parameter& w, F f) {
  Scope outer("lstm");
  Scope scope("encoder");
  Variable h = ones({2, 3});
  for (Size t = 0; t < 50; ++t) {
    scope.step(t);
    h = small::tanh(small::matmul(h, w));
    if (t == 37) h = f(h);
  }
  return small::sum(h);
}

Parameter weights() { return Parameter("w", full({3, 3}, 0.5)); }

std::string message(auto f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

/// Runs f on a thread with that much stack; what it threw, or "".
std::string on_small_stack(std::size_t bytes, Function<void()> f) {
  struct Job {
    Function<void()> f;
    std::string error;
  } job{std::move(f), ""};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, bytes);
  pthread_t thread;
  pthread_create(&thread, &attributes, [](void* p) -> void* {
    Job& j = *static_cast<Job*>(p);
    try {
      j.f();
    } catch (const std::exception& e) {
      j.error = e.what();
    }
    return nullptr;
  }, &job);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  return job.error;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(anomaly)

BOOST_AUTO_TEST_CASE(value) {
  Parameter w = weights();
  Tape tape({.anomaly = true});
  std::string told = message([&] { recurrence(w, [](const Variable& h) { return small::log(small::scale(h, 0)); }); });
  BOOST_TEST(told == "[anomaly] the value of log((2, 3) in [0, 0]) at lstm/encoder t=37 is not finite.");
}

BOOST_AUTO_TEST_CASE(gradient) {
  Parameter w = weights();
  // A value that is finite with a gradient that is not: the square root at 0.
  auto root = [](const Variable& x) {
    Op op("root", x);
    return op.record(small::map(op[0], [](double v) { return std::sqrt(v); }), [](Backward& b) {
      b.give(0, small::mul(b.dy(), small::scale(small::reciprocal(b.y()), 0.5)));
    }, Keep::results);
  };
  auto planted = [&](const Variable& h) { return root(small::scale(h, 0)); };
  Tape tape({.anomaly = true});
  Variable y = recurrence(w, planted);
  std::string told = message([&] { tape.backward(y); });
  BOOST_TEST(told == "[anomaly] a gradient that comes out of root((2, 3) in [0, 0]) at lstm/encoder t=37 is not "
                     "finite.");
  BOOST_TEST(w.grad().empty());
}

BOOST_AUTO_TEST_CASE(names_parameters_and_ranges) {
  Parameter w("encoder.U", values({{1, -2}, {3, INFINITY}}));
  Tape tape({.anomaly = true});
  BOOST_TEST(message([&] { small::matmul(ones({1, 2}), w); }) ==
             "[anomaly] the value of matmul((1, 2) in [1, 1], encoder.U (2, 2) with 1 not finite) is not finite.");
  Variable x = tape.watch(values({0.1, 1.0 / 3}));
  BOOST_TEST(message([&] { small::log(small::scale(x, -1)); }) ==
             "[anomaly] the value of log((2,) in [-0.333333, -0.1]) is not finite.");
}

BOOST_AUTO_TEST_CASE(incoming_gradient) {
  Parameter w("w", ones({2}));
  Tape tape({.anomaly = true});
  Variable y = small::square(w);
  BOOST_TEST(message([&] { tape.backward(y, {.grad_output = full({2}, NAN)}); }) ==
             "[anomaly] the grad_output (2,) given to backward is not finite.");
  BOOST_TEST(message([&] { grad(y, w, {.grad_outputs = {full({2}, INFINITY)}}); }) ==
             "[anomaly] the grad_output (2,) given to grad is not finite.");
}

// y = x with a gradient of dy + log(0 dy), which is finite nowhere, at the recurrence's step 37.
BOOST_AUTO_TEST_CASE(value_in_a_recorded_gradient) {
  Parameter w = weights();
  auto planted = [](const Variable& x) {
    Op op("planted", x);
    return op.record(op[0].copy(), [](Backward& b) {
      b.give(0, small::add(b.dy(), small::log(small::scale(b.dy(), 0))));
    });
  };
  Tape tape({.anomaly = true});
  Variable y = recurrence(w, planted);
  Scope later("later");
  BOOST_TEST(message([&] { grad(y, w, {.create_graph = true}); }) ==
             "[anomaly] the value of log((2, 3) in [0, 0]) in the gradient of planted at "
             "lstm/encoder t=37 is not finite.");
  BOOST_TEST(message([&] { small::log(small::scale(w, 0)); }) ==
             "[anomaly] the value of log((3, 3) in [0, 0]) at later is not finite.");
}

BOOST_AUTO_TEST_CASE(finite_runs_are_the_same) {
  auto run = [](bool check) {
    Parameter w = weights();
    Tape tape({.anomaly = check});
    tape.backward(recurrence(w, [](const Variable& h) { return small::slice(h, 0, 0, 1); }));
    return w.grad().value().copy();
  };
  BOOST_TEST(identical(run(true), run(false)));
}

BOOST_AUTO_TEST_CASE(scopes) {
  Scope nothing("without a tape");
  nothing.step(3);
  Parameter w = weights();
  Tape tape;
  {
    Scope a("a");
    a.step(1);
    {
      Scope b("b");
      small::square(w);
      b.step(5);
      small::square(w);
    }
    small::square(w);
    Scope same("");
    small::square(w);
  }
  small::square(w);
  TapeReport r = report(tape);
  BOOST_TEST(r.steps.size() == 3u);
  std::string text = dot(tape);
  BOOST_TEST(text.find("a/b") != std::string::npos);
  // A scope that outlives its tape harms nobody.
  auto inner = new Tape();
  auto scope = new Scope("late");
  delete inner;
  delete scope;
  BOOST_TEST(Tape::current() == &tape);
}

BOOST_AUTO_TEST_CASE(chain_of_300000_ops_under_a_small_stack) {
  std::string error = on_small_stack(256 << 10, [] {
    Parameter w("w", full({1, 4}, 0.5));
    Tape tape;
    Variable h = w;
    for (int k = 0; k < 300000; ++k) h = add(h, k % 2 ? w : h);
    BOOST_TEST(tape.nodes() == 300000);
    Variable y = small::sum(small::scale(h, 0));
    tape.backward(y);
  });
  BOOST_TEST(error == "");
}

BOOST_AUTO_TEST_CASE(long_chain_of_many_kinds_kept_and_released) {
  std::string error = on_small_stack(256 << 10, [] {
    Parameter w("w", full({1, 4}, 0.5));
    Variable last;
    {
      Tape tape;
      Variable h = w;
      for (int k = 0; k < 50000; ++k) {
        h = small::tanh(h);
        h = contiguous(small::slice(h, 1, 3, -5, -1));
      }
      Variable y = small::sum(h);
      Variable g = grad(y, w, {.create_graph = true});
      BOOST_TEST(g.value().at({0, 1}) > 0);
      last = h;  // a value that outlives the tape
    }
    BOOST_TEST(last.size() == 4);
  });
  BOOST_TEST(error == "");
}

BOOST_AUTO_TEST_SUITE_END()
