// Which op is to blame: each op on the path is checked by itself, its gradient function against the
// change of its own result when the checked input moves. What failed is gradcheck.cpp's business.
#include <algorithm>
#include <cmath>
#include <map>

#include <unroll/autograd/gradcheck_subject.hpp>

namespace unroll::check {

namespace {

constexpr TapeOptions kKeep{.anomaly = false, .keep_values = true, .profile = false};

/// What a node's gradient function gives to one recorded input.
struct Given {
  int slot;
  int input;  ///< the first of the node's inputs with that slot
  Variable gradient;
};

/// Runs the gradient function of one node alone.
std::vector<Given> gradients_of_node(TapeImpl& tape, int index, const Variables& dy, bool graph) {
  const Node& node = tape.nodes[index];
  int first = node.first_slot, last = node.first_slot + node.n_results - 1;
  for (int k = 0; k < node.n_inputs; ++k)
    if (node.inputs[k].slot >= 0) first = std::min(first, node.inputs[k].slot);
  struct Restore {
    TapeImpl& tape;
    int origin;
    bool recording;
    ~Restore() {
      tape.origin = origin;
      unroll::detail::set_recording(recording);
    }
  } restore{tape, tape.origin, unroll::detail::set_recording(graph)};
  tape.origin = index;
  Sweep sweep(tape, graph, true, first, last, {});
  for (int k = 0; k < node.n_results; ++k)
    sweep.seed(node.first_slot + k, dy[static_cast<std::size_t>(k)]);
  Backward b(sweep, node);
  node.function->invoke(node.closure, b);
  std::vector<Given> list;
  for (int k = 0; k < node.n_inputs; ++k) {
    int slot = node.inputs[k].slot;
    bool seen = std::any_of(list.begin(), list.end(),
                            [&](const Given& g) { return g.slot == slot; });
    if (slot < 0 || seen) continue;
    Variable g = sweep.finish(slot);
    const Slot& s = tape.slots[slot];
    list.push_back({slot, k, g.empty() ? Variable(zeros(s.shape, s.type)) : g});
  }
  return list;
}

Array difference(const Array& plus, const Array& minus) {
  std::vector<double> p = plus.to_vector<double>(), m = minus.to_vector<double>();
  for (std::size_t i = 0; i < p.size(); ++i) p[i] -= m[i];
  return values(p, plus.shape());
}

/// The same evaluation at the point, and a step ahead of and behind it; `here` is the youngest
/// tape and may record. A Parameter that is moved has one value at a time: go() puts back the one
/// that an evaluation was recorded with.
struct Three {
  Subject& subject;
  int target;
  Evaluation plus;
  Array at_plus = moving();
  Evaluation minus;
  Array at_minus = moving();
  Evaluation here;
  Array at_here = moving();
  int nodes = here.impl().nodes.size();

  Three(Subject& s, const Direction& d)
      : subject(s), target(d.target), plus(s, d, kKeep), minus(s, back(d), kKeep),
        here(s, {}, kKeep) {}
  ~Three() { go(here); }

  void go(const Evaluation& e) {
    if (Parameter* p = parameter())
      p->record()->value = &e == &plus ? at_plus : &e == &minus ? at_minus : at_here;
  }
  static const Variable& value(const Evaluation& e, int index, int input) {
    return e.impl().value_of(e.impl().nodes[index].inputs[input]);
  }
  /// The change of a node's input from minus to plus.
  Array change(int index, int input) {
    const Variable &p = value(plus, index, input), &m = value(minus, index, input);
    bool moves = parameter() && p.record() == parameter()->record();
    return moves ? difference(at_plus, at_minus) : difference(p.value(), m.value());
  }
  bool comparable() const {
    if (plus.impl().nodes.size() != nodes || minus.impl().nodes.size() != nodes) return false;
    for (int k = 0; k < nodes; ++k)
      if (here.impl().nodes[k].n_inputs != plus.impl().nodes[k].n_inputs ||
          here.impl().nodes[k].n_inputs != minus.impl().nodes[k].n_inputs)
        return false;
    return true;
  }

 private:
  static Direction back(Direction d) {
    d.length = -d.length;
    return d;
  }
  /// The Parameter that is moved, nullptr if it is an input.
  Parameter* parameter() {
    if (target < 0) return nullptr;
    Target& t = subject.targets[static_cast<std::size_t>(target)];
    return t.kind == Target::kParameter ? &t.parameter : nullptr;
  }
  Array moving() { return parameter() ? parameter()->value() : Array(); }
};

/// Slopes of an op along a direction; magnitude bounds the terms that made them.
struct Slopes {
  double gradient = 0, difference = 0, magnitude = 0, noise = 0;
  bool differ() const {
    double scale = std::max({magnitude, std::fabs(gradient), std::fabs(difference)});
    return !(std::fabs(gradient - difference) <= 1e-6 * scale + noise);
  }
};

Slopes slopes_of_node(Three& e, int index, double h, Generator& generator) {
  const Node &p = e.plus.impl().nodes[index], &m = e.minus.impl().nodes[index],
             &n = e.here.impl().nodes[index];
  Slopes s;
  Variables dy;
  for (int k = 0; k < n.n_results; ++k) {
    Array w = normal(n.results()[k].shape(), generator);
    Array d = difference(p.results()[k].value(), m.results()[k].value());
    s.difference += dot(w, d) / (2 * h);
    s.magnitude += absolute_dot(w, d) / (2 * h);
    s.noise += 1e-14 * absolute_dot(w, n.results()[k].value()) / h;
    dy.emplace_back(w.to(n.results()[k].type()));
  }
  for (const Given& g : gradients_of_node(e.here.impl(), index, dy, false)) {
    s.gradient += dot(g.gradient.value(), e.change(index, g.input)) / (2 * h);
  }
  return s;
}

/// True if an input that is a constant on the tape moves with what is checked.
bool has_hidden_input(const Three& e, int index) {
  const Node &p = e.plus.impl().nodes[index], &m = e.minus.impl().nodes[index];
  for (int k = 0; k < p.n_inputs; ++k)
    if (p.inputs[k].slot < 0 && !identical(p.inputs[k].value.value(), m.inputs[k].value.value()))
      return true;
  return false;
}

Suspect blame(const TapeImpl& tape, const Node& node, const std::string& why) {
  return {node.name, node.step, join("Suspect: ", tape.describe(node), ": ", why, ".")};
}

Suspect nobody() {
  return {"", -1,
          "No single op is wrong by itself at this point; is a value taken out of the graph?"};
}

Suspect first_order(Subject& subject, const Direction& direction) {
  Three e(subject, direction);
  if (!e.comparable()) return {"", -1, "The ops that are called change with the input."};
  Generator generator(subject.options.seed + 11);
  for (int k = 0; k < e.nodes; ++k) {
    Slopes s = slopes_of_node(e, k, direction.length, generator);
    if (!s.differ()) continue;
    const Node& node = e.here.impl().nodes[k];
    if (has_hidden_input(e, k))
      return blame(e.here.impl(), node,
                   "one of its inputs depends on what is checked, but is a constant on the tape "
                   "(detach, value(), item() or no_grad before it?)");
    return blame(e.here.impl(), node, join("along this direction its gradient gives ", brief(s.gradient),
                                           ", differences give ", brief(s.difference)));
  }
  return nobody();
}

/// The shares of one op's gradients in the results' types, and where they are to be moved.
struct Incoming {
  Variables at, ahead, behind;
  std::vector<Array> move;
  Incoming(Evaluation& e, const Node& node, double h, Generator& generator) {
    for (int k = 0; k < node.n_results; ++k) {
      const Shape& shape = node.results()[k].shape();
      Array w = normal(shape, generator), d = normal(shape, generator);
      std::vector<double> p = w.to_vector<double>(), m = p, step = d.to_vector<double>();
      for (std::size_t i = 0; i < p.size(); ++i) {
        p[i] += h * step[i];
        m[i] -= h * step[i];
      }
      Type type = node.results()[k].type();
      at.push_back(e.tape.watch(w.to(type)));
      ahead.emplace_back(values(p, shape).to(type));
      behind.emplace_back(values(m, shape).to(type));
      move.push_back(d);
    }
  }
};

/// Derivatives of a node's gradient function, as the tape has them and by differences. The
/// incoming gradient moves too: a gradient function that forgets its dependence on dy is wrong.
Slopes slopes_of_gradient(Three& e, int index, const Direction& direction, Generator& generator) {
  double h = direction.length;
  Incoming dy(e.here, e.here.impl().nodes[index], h, generator);
  std::vector<Given> here = gradients_of_node(e.here.impl(), index, dy.at, true);
  e.go(e.plus);
  std::vector<Given> plus = gradients_of_node(e.plus.impl(), index, dy.ahead, false);
  e.go(e.minus);
  std::vector<Given> minus = gradients_of_node(e.minus.impl(), index, dy.behind, false);
  e.go(e.here);
  Slopes s;
  Variables outputs, weights, by = dy.at;
  for (std::size_t i = 0; i < here.size(); ++i) {
    Array w = normal(here[i].gradient.shape(), generator);
    Array d = difference(plus[i].gradient.value(), minus[i].gradient.value());
    s.difference += dot(w, d) / (2 * h);
    s.magnitude += absolute_dot(w, d) / (2 * h);
    s.noise += 1e-14 * absolute_dot(w, here[i].gradient.value()) / h;
    outputs.push_back(here[i].gradient);
    weights.emplace_back(w);
  }
  by.push_back(e.here.xs[static_cast<std::size_t>(direction.target)]);
  std::vector<Variable> slopes = gradients(e.here, outputs, by, weights, false, true);
  for (std::size_t k = 0; k < dy.move.size(); ++k) s.gradient += dot(slopes[k].value(), dy.move[k]);
  s.gradient += dot(slopes.back().value(), direction.d);
  return s;
}

/// Every node of a short tape; of a long one the first three of each op.
std::vector<int> nodes_to_try(const TapeImpl& tape, int nodes) {
  std::vector<int> list;
  std::map<std::string_view, int> seen;
  for (int k = 0; k < nodes; ++k)
    if (nodes <= 300 || ++seen[tape.nodes[k].name] <= 3) list.push_back(k);
  return list;
}

Suspect second_order(Subject& subject, const Direction& direction) {
  Three e(subject, direction);
  if (!e.comparable()) return {"", -1, "The ops that are called change with the input."};
  Generator generator(subject.options.seed + 12);
  for (int k : nodes_to_try(e.here.impl(), e.nodes)) {
    Slopes s = slopes_of_gradient(e, k, direction, generator);
    if (s.differ())
      return blame(e.here.impl(), e.here.impl().nodes[k],
                   join("its gradient function returns the right values with a wrong derivative: ",
                        brief(s.gradient), ", differences give ", brief(s.difference),
                        " (is a value taken out of the graph in it?)"));
  }
  return nobody();
}

}  // namespace

Suspect suspect_of_order(int order, Subject& subject, const Direction& direction) {
  return order == 1 ? first_order(subject, direction) : second_order(subject, direction);
}

Suspect suspect_of_kernels(Subject& subject) {
  Evaluation e(subject, {}, kKeep);
  Generator generator(subject.options.seed + 13);
  int nodes = e.impl().nodes.size();
  for (int index = 0; index < nodes; ++index) {
    const Node& node = e.impl().nodes[index];
    Variables dy;
    for (int k = 0; k < node.n_results; ++k)
      dy.emplace_back(normal(node.results()[k].shape(), generator).to(node.results()[k].type()));
    std::vector<Given> fast = gradients_of_node(e.impl(), index, dy, false),
                       composed = gradients_of_node(e.impl(), index, dy, true);
    for (std::size_t k = 0; k < fast.size(); ++k) {
      const Array &a = fast[k].gradient.value(), &b = composed[k].gradient.value();
      if (!(largest(difference(a, b)) <= 1e-9 * std::max(largest(a), largest(b))))
        return blame(e.impl(), node,
                     join("its first-order kernel and its differentiable form differ for input ",
                          fast[k].input));
    }
  }
  return nobody();
}

}  // namespace unroll::check
