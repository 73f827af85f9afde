// Every mistake that the engine answers with a sentence instead of a wrong number, with the sentence.
#include <boost/test/unit_test.hpp>

#include <thread>

#include "errors.hpp"
#include "small_ops.hpp"

using namespace unroll;

BOOST_AUTO_TEST_SUITE(mistakes)

BOOST_AUTO_TEST_CASE(second_backward) {
  Parameter w("w", ones({2}));
  Tape tape;
  Variable y = small::sum(small::square(w));
  tape.backward(y);
  EXPECT_ERROR(tape.backward(y),
               "[backward] the graph below sum_to was released by an earlier backward; pass "
               "{.retain_graph = true} to that one, or detach what is carried over (detach(state)).");
  EXPECT_ERROR(grad(y, w), "[backward] the graph below sum_to was released by an earlier backward; pass "
                           "{.retain_graph = true} to that one, or detach what is carried over (detach(state)).");
  // A state that is carried over on the same tape.
  Variable h = small::tanh(w);
  tape.backward(small::sum(h));
  EXPECT_ERROR(tape.backward(small::sum(small::square(h))),
               "[backward] the graph below tanh was released by an earlier backward; pass "
               "{.retain_graph = true} to that one, or detach what is carried over (detach(state)).");
  w.zero_grad();
  tape.backward(small::sum(small::mul(detach(h), w)));
  BOOST_TEST(identical(w.grad().value(), h.value()));
}

BOOST_AUTO_TEST_CASE(stale_handles) {
  Parameter w("w", ones({2}));
  Variable y;
  {
    Tape tape;
    y = small::sum(small::square(w));
  }
  EXPECT_ERROR(grad(y, w), "[grad] the result was recorded on a tape that no longer exists, or of another "
                           "thread; call grad in the thread and scope of its tape.");
  Tape next;
  EXPECT_ERROR(next.backward(y), "[backward] a value () was recorded on a tape that no longer exists; call "
                                 "backward or grad while that tape is alive.");
  EXPECT_ERROR(grad(y, w), "[grad] a value () was recorded on a tape that no longer exists; call backward or "
                           "grad while that tape is alive.");
  Variable z = small::sum(small::square(w));
  EXPECT_ERROR(grad(z, y), "[grad] a value () was recorded on a tape that no longer exists; call backward or "
                           "grad while that tape is alive.");
}

BOOST_AUTO_TEST_CASE(results_without_gradients) {
  Parameter w("w", ones({2}));
  EXPECT_ERROR(grad(small::sum(w), w), "[grad] no tape is recording; make one (`Tape tape;`) before computing "
                                       "the result.");
  Variable before = small::sum(small::square(w));
  Tape tape;
  const char* unrecorded = "[backward] a value () is not recorded: it depends on no Parameter or watched "
                           "input, but for frozen ones, values of another tape, which are constants here, "
                           "or what has no gradient, such as comparisons; was computed while no tape was "
                           "recording; or is a gradient that was asked for without create_graph.";
  EXPECT_ERROR(tape.backward(before), unrecorded);
  EXPECT_ERROR(tape.backward(Variable(2.0)), unrecorded);
  EXPECT_ERROR(tape.backward(no_grad([&] { return small::sum(w); })), unrecorded);
  EXPECT_ERROR(tape.backward(Variable()), "[backward] the value is empty.");
  EXPECT_ERROR(tape.backward(Parameter("s", full({}, 1))),
               "[backward] the result is a Parameter that this tape has not used.");
  EXPECT_ERROR(grad(small::sum(w), Variable(ones({3}))),
               "[grad] a value (3,) is not recorded: it depends on no Parameter or watched input, but "
               "for frozen ones, values of another tape, which are constants here, or what has no "
               "gradient, such as comparisons; was computed while no tape was recording; or is a "
               "gradient that was asked for without create_graph.");
  Parameter frozen("f", ones({2}));
  frozen.freeze();
  EXPECT_ERROR(tape.backward(small::sum(small::square(frozen))), unrecorded);
}

BOOST_AUTO_TEST_CASE(values_changed_after_recording) {
  Parameter w("w", ones({2}));
  {
    Tape tape;
    Variable y = small::sum(small::square(w));
    w.assign(zeros({2}));
    EXPECT_ERROR(tape.backward(y), "[mul] input 1 (2,) was changed after it was recorded; call backward before "
                                   "the change (an optimiser step, assign), or record a copy.");
  }
  {
    Tape tape;
    Variable h = small::tanh(w), y = small::sum(h);
    Array inside = h.value();
    inside.fill(3);
    EXPECT_ERROR(tape.backward(y), "[tanh] its result (2,) was changed after it was recorded; call backward "
                                   "before the change, or change a copy.");
  }
  {
    Tape tape;  // through a view of it
    Variable h = small::scale(w, 2), y = small::sum(small::square(small::slice(h, 0, 0, 1)));
    Array inside = h.value();
    inside[1].fill(3);
    BOOST_CHECK_THROW(tape.backward(y), Error);
  }
  {
    Tape tape;  // what no gradient function asks for may change
    Variable y = small::sum(small::scale(w, 2));
    w.mutable_value().fill(5);
    tape.backward(y);
    BOOST_TEST(identical(w.grad().value(), full({2}, 2)));
  }
  {
    Tape tape;  // and a copy
    Variable y = small::sum(small::square(Variable(tape.watch(w.value().copy()))));
    w.mutable_value().fill(7);
    tape.backward(y);
  }
}

// An array that takes another's place is a change too.
BOOST_AUTO_TEST_CASE(parameters_converted_after_recording) {
  auto changed = [](const char* shape) {
    return "[mul] input 1 " + std::string(shape) +
           " was changed after it was recorded; call backward before the change (an optimiser step, "
           "assign), or record a copy.";
  };
  Parameter w("w", values({2, 3}));
  {
    Tape tape;
    Variable y = small::sum(small::square(w));
    w.to(float64);
    EXPECT_ERROR(tape.backward(y), changed("(2,)"));
  }
  {
    Tape tape;
    Variable y = small::sum(small::square(w));
    w.to(float32);
    w.assign(values({5, 7}));
    w.to(float64);
    EXPECT_ERROR(tape.backward(y), changed("(2,)"));
  }
  {
    Tape tape;  // to the type it has
    Variable y = small::sum(small::square(w));
    w.to(float64);
    tape.backward(y);
    BOOST_TEST(identical(w.grad().value(), values({10, 14}, float64)));
    w.zero_grad();
  }
  {
    Tape tape;  // nobody asks for the old numbers: the gradient has the new type
    Variable y = small::sum(small::scale(w, 2));
    w.to(float32);
    tape.backward(y);
    BOOST_TEST(identical(w.grad().value(), values({2, 2})));
  }
}

BOOST_AUTO_TEST_CASE(results_of_several_numbers) {
  Parameter w("w", ones({2, 3}));
  Tape tape;
  Variable y = small::square(w);
  EXPECT_ERROR(tape.backward(y), "[backward] the result has shape (2, 3); expected one number, or pass grad_output "
                                 "of that shape.");
  EXPECT_ERROR(grad(y, w), "[grad] the result has shape (2, 3); expected one number, or pass grad_output of that "
                           "shape.");
  EXPECT_ERROR(tape.backward(y, {.grad_output = ones({3, 2})}),
               "[backward] grad_output has shape (3, 2), the result (2, 3).");
  EXPECT_ERROR(grad({y, y}, {w}, {.grad_outputs = {ones({2, 3})}}), "[grad] 2 outputs, but 1 grad_outputs.");
  tape.backward(small::slice(small::slice(y, 0, 0, 1), 1, 0, 1));  // (1, 1) is one number
  BOOST_TEST(w.grad().value().at({0, 0}) == 2);
}

BOOST_AUTO_TEST_CASE(mixed_types) {
  Parameter w("w", ones({2})), d("d", ones({2}, float64));
  Tape tape;
  EXPECT_ERROR(small::mul(w, d), "[mul] mixed element types: float32 (2,), float64 (2,); convert one side with "
                                 "to(float64).");
  EXPECT_ERROR(add(small::square(w), small::square(d)),
               "[add] mixed element types: float32 (2,), float64 (2,); convert one side with to(float64).");
  // A float32 constant widens, exactly; a float32 Parameter or recorded value never.
  Variable y = small::mul(d, Variable(full({2}, 0.1)));
  BOOST_TEST(y.type() == float64);
  BOOST_TEST(y.value().at({0}) == static_cast<double>(0.1f));
  tape.backward(small::sum(y));
  BOOST_TEST(d.grad().type() == float64);
  BOOST_TEST(d.grad().value().at({1}) == static_cast<double>(0.1f));
  BOOST_TEST(small::mul(Variable(2.0), d).type() == float64);
  EXPECT_ERROR(small::mul(w, Variable(ones({2}, float64))),
               "[mul] mixed element types: float32 (2,), float64 (2,); convert one side with to(float64).");
  EXPECT_ERROR(no_grad([&] { return small::mul(w, d); }),
               "[mul] mixed element types: float32 (2,), float64 (2,); convert one side with to(float64).");
  EXPECT_ERROR(add(w, Variable()), "[add] input 1 is empty; give it a value first.");
  // The same of what a sweep starts with.
  Variable wide = small::square(d), narrow = small::square(w);
  BOOST_TEST(grad(wide, d, {.grad_outputs = {ones({2})}}).type() == float64);
  EXPECT_ERROR(tape.backward(narrow, {.grad_output = ones({2}, float64)}),
               "[backward] mixed element types: grad_output is float64, the result float32; convert it with "
               "to(float32).");
  EXPECT_ERROR(grad(wide, d, {.grad_outputs = {narrow}}),
               "[grad] mixed element types: grad_output is float32, the result float64; convert it with "
               "to(float64).");
  EXPECT_ERROR(tape.backward(narrow, {.grad_output = indices({1, 1})}),
               "[backward] mixed element types: grad_output is int64, the result float32; convert it with "
               "to(float32).");
}

BOOST_AUTO_TEST_CASE(inner_value_on_the_outer_tape) {
  Parameter w("w", ones({2}));
  Tape outer;
  Variable kept;
  {
    Tape inner;
    kept = small::square(w);
    BOOST_TEST(inner.nodes() == 1);
  }
  EXPECT_ERROR(small::mul(kept, w),
               "[mul] a value (2,) was recorded on an inner or younger tape than the one that records now, so "
               "its gradient would be lost; pass detach(x) if it is a constant.");
  EXPECT_ERROR(outer.backward(kept),
               "[backward] a value (2,) was recorded on an inner or younger tape than the one that records now, so "
               "its gradient would be lost; pass detach(x) if it is a constant.");
  outer.backward(small::sum(small::mul(detach(kept), w)));
  BOOST_TEST(identical(w.grad().value(), ones({2})));
  // From an older tape it is a constant.
  Variable old = small::scale(w, 3);
  Tape next;
  w.zero_grad();
  next.backward(small::sum(small::mul(old, w)));
  BOOST_TEST(identical(w.grad().value(), full({2}, 3)));
}

BOOST_AUTO_TEST_CASE(a_tape_used_from_two_threads) {
  Parameter w("w", ones({2}));
  Tape tape;
  Variable h = small::square(w), y = small::sum(h);
  std::string in_backward, in_watch, in_op, in_grad, in_hook;
  std::thread([&] {
    auto told = [](auto f) {
      try {
        f();
      } catch (const Error& e) {
        return std::string(e.what());
      }
      return std::string("no error");
    };
    in_backward = told([&] { tape.backward(y); });
    in_watch = told([&] { static_cast<void>(tape.watch(ones({2}))); });
    in_hook = told([&] { tape.hook(h, [](const Variable&) { return Variable(); }); });
    in_grad = told([&] { grad(y, w); });
    in_op = told([&] { small::square(h); });
    Tape mine;
    if (told([&] { small::mul(h, w); }) != in_op) in_op = "another message on a tape of this thread";
  }).join();
  const std::string called = " called from another thread than the one that made the tape; a tape belongs to one "
                             "thread, make one in each.";
  BOOST_TEST(in_backward == "[backward]" + called);
  BOOST_TEST(in_watch == "[watch]" + called);
  BOOST_TEST(in_hook == "[hook]" + called);
  BOOST_TEST(in_grad == "[grad] the result was recorded on a tape that no longer exists, or of another thread; "
                        "call grad in the thread and scope of its tape.");
  BOOST_TEST(in_op == "[mul] a value (2,) belongs to a tape that is alive in another thread; pass detach(x), or "
                      "record it on a tape of this thread.");
  tape.backward(y);
  BOOST_TEST(identical(w.grad().value(), full({2}, 2)));
}

BOOST_AUTO_TEST_CASE(two_threads_with_tapes_of_their_own) {
  Parameter w("w", values({1, 2, 3, 4}));
  auto work = [&](std::vector<double>& sums) {
    for (int k = 0; k < 300; ++k) {
      Tape tape;
      Variable h = w;
      for (int t = 0; t < 5; ++t) h = small::mul(small::tanh(h), w);
      sums.push_back(grad(small::sum(h), w).value().at({2}));
      tape.backward(small::sum(small::scale(w, 1)));
    }
  };
  std::vector<double> a, b;
  std::thread other([&] { work(a); });
  work(b);
  other.join();
  BOOST_TEST(a == b);
  BOOST_TEST(identical(w.grad().value(), full({4}, 600)));
}

BOOST_AUTO_TEST_CASE(create_graph_of_an_outer_tape) {
  Parameter w("w", ones({2}));
  Tape outer;
  Variable y = small::sum(small::square(w));
  Tape inner;
  EXPECT_ERROR(grad(y, w, {.create_graph = true}),
               "[grad] create_graph records on the youngest tape, but the outputs belong to an outer one.");
}

BOOST_AUTO_TEST_CASE(parameters) {
  Parameter w("w", ones({2, 3})), tied = w;
  EXPECT_ERROR(w.assign(ones({3})), "[assign] w has shape (2, 3); cannot take a value (3,).");
  EXPECT_ERROR(w.set_grad(ones({3})), "[set_grad] w has shape (2, 3); cannot take a gradient (3,).");
  EXPECT_ERROR(w.to(int64), "[parameter] w cannot become int64.");
  EXPECT_ERROR(Parameter("n", indices({1})), "[parameter] n is int64; expected float32 or float64.");
  EXPECT_ERROR(Parameter().name(), "[parameter] is empty; declare it with parameter(name, shape).");
  EXPECT_ERROR(Parameter(Variable(1.0)), "[parameter] a value float32 () 1 is not a Parameter.");
  EXPECT_ERROR(Variable().shape(), "[variable] is empty; give it a value first.");
  EXPECT_ERROR(Variable(1.0)[0], "[index] a scalar () has no axis to index.");
  w.assign(full({2, 3}, 2, float64));  // converted
  BOOST_TEST(identical(tied.value(), full({2, 3}, 2)));
  w.set_grad(full({2, 3}, 4, float64));
  BOOST_TEST(identical(tied.grad().value(), full({2, 3}, 4)));
  w.to(float64);
  BOOST_TEST(tied.type() == float64);
  BOOST_TEST(tied.grad().type() == float64);
  Tape tape;
  tape.backward(small::sum(small::mul(w, tied)));  // one Parameter used twice
  BOOST_TEST(identical(w.grad().value(), full({2, 3}, 8, float64)));
  freeze(w);
  BOOST_TEST(tied.is_frozen());
  BOOST_TEST(!small::square(tied).is_recorded());
  unfreeze(w);
  BOOST_TEST(small::square(tied).is_recorded());
  Array shared = ones({4});
  Parameter own("own", shared);
  own.mutable_value().fill(9);
  BOOST_TEST(shared.at({0}) == 1);  // a Parameter has memory of its own
}

BOOST_AUTO_TEST_CASE(a_frozen_float32_parameter_is_a_constant_that_widens) {
  Parameter w("w", full({2}, 0.5));
  w.freeze();
  Tape tape;
  Variable x = tape.watch(ones({2}, float64));
  BOOST_TEST(small::mul(x, w).type() == float64);
}

BOOST_AUTO_TEST_CASE(numbers_of_dead_parameters_are_reused) {
  Parameter keep("keep", ones({2}));
  Tape tape;
  Variable total = small::sum(keep);
  for (int k = 0; k < 100; ++k) {
    Parameter passing("passing", full({2}, k));
    total = add(total, small::sum(small::mul(passing, keep)));
  }
  tape.backward(total);
  BOOST_TEST(keep.grad().value().at({0}) == 1 + 99 * 100 / 2);
  std::vector<Parameter> later;
  for (int k = 0; k < 100; ++k) {
    later.emplace_back("later", ones({2}));
    BOOST_TEST(grad(small::sum(keep), later.back()).value().at({0}) == 0);
  }
}

BOOST_AUTO_TEST_SUITE_END()
