// Module: registration, paths, moving, and what is done with all Parameters at once.
#include <boost/test/unit_test.hpp>
#include <type_traits>

#include "common/error_of.hpp"

#include <unroll/layers/cells/elman.hpp>
#include <unroll/layers/embedding.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/ops/reduce.hpp>

using namespace unroll;

namespace {

struct Inner : Module {
  Linear first = submodule("first", Linear(2, 3)), second = submodule("second", Linear(3, 1));
};
struct Net : Module {
  Parameter scale = parameter("scale", {2}, init::ones);
  Inner inner = submodule("inner", Inner());
  Parameter shift = parameter("shift", {1}, init::zeros);
  Variable operator()(const Variable& x) const {
    return inner.second(tanh(inner.first(x * scale))) + shift;
  }
};

std::vector<std::string> names(const Module& m) {
  std::vector<std::string> list;
  for (const NamedParameter& p : m.named_parameters()) list.push_back(p.name);
  return list;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(module)

BOOST_AUTO_TEST_CASE(parameters_have_paths_in_order_of_declaration) {
  Net net;
  std::vector<std::string> expected{"scale",          "inner.first.W",  "inner.first.b",
                                    "inner.second.W", "inner.second.b", "shift"};
  BOOST_TEST(names(net) == expected, boost::test_tools::per_element());
  BOOST_TEST(net.parameters().size() == 6u);
  BOOST_TEST(net.parameter_count() == 2 + 6 + 3 + 3 + 1 + 1);
  BOOST_TEST(net.inner.second.W.name() == "inner.second.W");
  BOOST_TEST(net.inner.second.name() == "second");
  BOOST_TEST(net.name() == "");
}

BOOST_AUTO_TEST_CASE(a_tied_parameter_counts_once) {
  struct Tied : Module {
    Linear a = submodule("a", Linear(2, 2));
    struct Other : Module {
      explicit Other(Linear& from) { register_submodule("again", from); }
    } other = submodule("other", Other(a));
  } tied;
  std::vector<std::string> expected{"a.W", "a.b"};
  BOOST_TEST(names(tied) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(wrong_names_are_refused) {
  struct Twice : Module {
    Parameter a = parameter("W", {1}), b = parameter("W", {1});
  };
  struct Dotted : Module {
    Parameter a = parameter("a.b", {1});
  };
  BOOST_TEST(error_of([&] { Twice(); }) ==
             "[module] the name 'W' is taken already; give each its own.");
  BOOST_TEST(error_of([&] { Dotted(); }) ==
             "[module] 'a.b' is no name; expected some letters without a dot.");
}

BOOST_AUTO_TEST_CASE(a_module_within_itself_is_refused) {
  struct Part : Module {
    using Module::register_submodule;
  } a, b, c;
  a.register_submodule("b", b);
  b.register_submodule("c", c);
  BOOST_TEST(error_of([&] { a.register_submodule("self", a); }) ==
             "[module] 'self' would be a part of itself.");
  BOOST_TEST(error_of([&] { c.register_submodule("a", a); }) ==
             "[module] 'a' would be a part of itself.");
  BOOST_TEST(names(a).empty());
}

BOOST_AUTO_TEST_CASE(modules_move_and_do_not_copy) {
  static_assert(!std::is_copy_constructible_v<Net> && !std::is_copy_assignable_v<Net>);
  static_assert(std::is_nothrow_move_constructible_v<Net>);
  std::vector<Net> nets;
  for (int k = 0; k < 5; ++k) nets.emplace_back();
  Parameter W = nets[3].inner.first.W;
  Net moved = std::move(nets[3]);
  BOOST_TEST((moved.parameters()[1].record() == W.record()));
  BOOST_TEST(error_of([&] { nets[3].parameters(); }) ==
             "[module] was moved from; use the one it was moved to.");
}

BOOST_AUTO_TEST_CASE(assigning_a_submodule_replaces_it_for_its_parent) {
  Net net;
  net.inner.second = Linear(3, 5);
  BOOST_TEST(net.parameters()[3].shape().text() == "(5, 3)");
  BOOST_TEST(names(net)[3] == "inner.second.W");
  BOOST_TEST(net.inner.second.name() == "second");
  Net other;
  Parameter W = other.inner.first.W;
  net = std::move(other);
  BOOST_TEST((net.parameters()[1].record() == W.record()));
  net.inner.first = Linear(2, 7);
  BOOST_TEST(net.parameters()[1].shape().text() == "(7, 2)");
}

// Names belong to places: after a swap each path leads to what stands there now.
BOOST_AUTO_TEST_CASE(swapped_submodules_change_names) {
  struct Three : Module {
    Linear a = submodule("a", Linear(2, 3)), b = submodule("b", Linear(2, 3)),
           c = submodule("c", Linear(2, 3));
  };
  auto is_in_order = [](const Three& net) {
    const Linear* members[] = {&net.a, &net.b, &net.c};
    std::vector<NamedParameter> list = net.named_parameters();
    for (std::size_t k = 0; k < 3; ++k) {
      const std::string name(1, "abc"[k]);
      if (list.size() != 6 || list[2 * k].name != name + ".W" || members[k]->name() != name ||
          !(list[2 * k].parameter.record() == members[k]->W.record()) ||
          members[k]->W.name() != name + ".W")
        return false;
    }
    return true;
  };
  Three net, other;
  auto first = net.a.W.record();
  std::swap(net.a, net.b);
  BOOST_TEST((net.b.W.record() == first));
  BOOST_TEST(is_in_order(net));
  copy_parameters(net, other);
  BOOST_TEST(identical(other.b.W.value(), net.b.W.value()));

  Linear held = std::move(net.a);  // a rotation
  net.a = std::move(net.b);
  net.b = std::move(net.c);
  net.c = std::move(held);
  BOOST_TEST((net.a.W.record() == first));
  BOOST_TEST(is_in_order(net));

  net.b = Linear(2, 3);
  std::swap(net.b, net.c);
  BOOST_TEST(is_in_order(net));
  std::swap(net, other);
  BOOST_TEST((is_in_order(net) && is_in_order(other)));
  BOOST_TEST((other.a.W.record() == first));
  std::swap(other.a, other.c);
  BOOST_TEST((is_in_order(net) && is_in_order(other)));
  Three moved = std::move(other);
  std::swap(moved.a, moved.b);
  BOOST_TEST(is_in_order(moved));
  other = Three();
  BOOST_TEST((is_in_order(other) && is_in_order(moved)));
  std::swap(other.a, other.b);
  BOOST_TEST(is_in_order(other));
}

BOOST_AUTO_TEST_CASE(weights_are_redrawn_by_their_own_initialisers) {
  Elman a(3, 4), b(3, 4);
  BOOST_TEST(!identical(a.W.value(), b.W.value()));
  Generator one(7), two(7);
  a.initialise(one);
  b.initialise(two);
  for (std::size_t k = 0; k < 3; ++k)
    BOOST_TEST(identical(a.parameters()[k].value(), b.parameters()[k].value()));
  BOOST_TEST(identical(a.b.value(), zeros({4})));
  a.initialise(one);
  BOOST_TEST(!identical(a.W.value(), b.W.value()));
}

BOOST_AUTO_TEST_CASE(conversion_keeps_the_numbers) {
  Net net;
  Array before = net.inner.first.W.value().copy();
  net.to(float64);
  BOOST_TEST((net.inner.first.W.type() == float64));
  BOOST_TEST(identical(net.inner.first.W.value(), before.to(float64)));
  BOOST_TEST((net(zeros({2, 2}, float64)).type() == float64));
  net.to(float32);
  BOOST_TEST(identical(net.inner.first.W.value(), before));
}

BOOST_AUTO_TEST_CASE(gradients_come_in_the_order_of_parameters) {
  Net net;
  Array x = values({{1, 2}, {3, 4}});
  Tape tape;
  Variable loss = sum(square(net(x)));
  std::vector<Variable> g = grad(loss, net, {.retain_graph = true});
  tape.backward(loss);
  std::vector<Parameter> p = net.parameters();
  BOOST_TEST(g.size() == p.size());
  for (std::size_t k = 0; k < p.size(); ++k)
    BOOST_TEST(identical(g[k].value(), p[k].grad().value()));
  net.zero_grad();
  for (const Parameter& q : p) BOOST_TEST(q.grad().empty());
}

BOOST_AUTO_TEST_CASE(frozen_parameters_get_no_gradient) {
  Net net;
  freeze(net.inner);
  {
    Tape tape;
    tape.backward(sum(net(values({{1, 2}}))));
  }
  BOOST_TEST(net.inner.first.W.grad().empty());
  BOOST_TEST(!net.scale.grad().empty());
  unfreeze(net.inner);
  Tape tape;
  tape.backward(sum(net(values({{1, 2}}))));
  BOOST_TEST(!net.inner.first.W.grad().empty());
}

BOOST_AUTO_TEST_CASE(numbers_are_copied_by_path) {
  Net a, b;
  b.to(float64);
  copy_parameters(a, b);
  for (std::size_t k = 0; k < 6; ++k)
    BOOST_TEST(identical(a.parameters()[k].value().to(float64), b.parameters()[k].value()));
  Linear narrow(2, 3), wide(2, 4), bare(2, 3, {.bias = false});
  Array before = wide.W.value().copy();
  BOOST_TEST(error_of([&] { copy_parameters(narrow, wide); }) ==
             "[copy_parameters] W is (3, 2) in the source and (4, 2) in the target; "
             "expected two modules built alike.");
  BOOST_TEST(identical(wide.W.value(), before));
  BOOST_TEST(error_of([&] { copy_parameters(narrow, bare); }) ==
             "[copy_parameters] b (3,) is not in the target; expected two modules "
             "built alike.");
  BOOST_TEST(error_of([&] { copy_parameters(bare, narrow); }) ==
             "[copy_parameters] b (3,) is not in the source; expected two modules "
             "built alike.");
}

BOOST_AUTO_TEST_CASE(lists_take_modules_and_parameters) {
  Linear a(2, 3), b(3, 1);
  Parameter start("start", zeros({4}));
  BOOST_TEST(ParameterList(a).size() == 2u);
  BOOST_TEST(ParameterList({a, b, start}).size() == 5u);
  BOOST_TEST(ParameterList({a, a, a.W}).size() == 2u);
  BOOST_TEST(ParameterList(a.parameters()).size() == 2u);
  BOOST_CHECK_THROW(ParameterList({a, Parameter()}), Error);
}

BOOST_AUTO_TEST_CASE(padding_of_an_embedding_stays_zero) {
  Embedding embed(5, 3, {.padding = 2});
  Generator generator(3);
  embed.initialise(generator);
  BOOST_TEST(identical(embed.W.value()[2].copy(), zeros({3})));
  BOOST_TEST(embed.W.value().at({1, 0}) != 0);
  Tape tape;
  tape.backward(sum(embed(indices({2, 1, 2}))));
  BOOST_TEST(identical(embed.W.grad().value()[2].copy(), zeros({3})));
  BOOST_TEST(identical(embed.W.grad().value()[1].copy(), ones({3})));
}

BOOST_AUTO_TEST_SUITE_END()
