// The function under check: which Parameters it uses, whether it repeats, and its evaluation at
// and near the point of the check. What is compared there is in gradcheck.cpp.
#include <unroll/autograd/gradcheck_subject.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace unroll::check {

Array normal(const Shape& shape, Generator& generator) {
  Array a = Array::uninitialised(shape, float64);
  double* p = a.mutable_data<double>();
  for (Size i = 0; i < a.size(); ++i) p[i] = generator.normal();
  return a;
}

namespace {
template <class F>
double sum_over(const Array& a, const Array& b, F&& f) {
  std::vector<double> x = a.to_vector<double>(), y = b.to_vector<double>();
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += f(x[i], y[i]);
  return sum;
}

bool contains(const std::vector<Parameter>& list, const Parameter& p) {
  return std::any_of(list.begin(), list.end(),
                     [&](const Parameter& q) { return q.record() == p.record(); });
}
}  // namespace

double dot(const Array& a, const Array& b) {
  return sum_over(a, b, [](double x, double y) { return y == 0 ? 0 : x * y; });
}
double absolute_dot(const Array& a, const Array& b) {
  return sum_over(a, b, [](double x, double y) { return std::fabs(x * y); });
}
double largest(const Array& a) {
  double most = 0;
  for (double x : a.to_vector<double>())
    if (std::isfinite(x)) most = std::max(most, std::fabs(x));
  return most;
}

std::string brief(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.8g", number);
  return text;
}

std::vector<Parameter> parameters_of(const TapeImpl& tape) {
  std::vector<Parameter> list;
  for (const TapeLeaf& leaf : tape.leaves)
    if (leaf.variable.is_parameter()) list.emplace_back(leaf.variable);
  return list;
}

Subject::Subject(const CheckFunction& f, const CheckInputs& given, const CheckOptions& options)
    : options(options), f_(f) {
  Generator generator(options.seed);
  for (const CheckInput& in : given) {
    if (!in.has_value) inputs.push_back(normal(in.shape, generator));
    else inputs.push_back(in.value.type() == int64 ? in.value : in.value.to(float64).copy());
  }
  for (const Parameter& p : options.parameters.list) convert(p);
}

Subject::~Subject() {
  for (Saved& s : saved_) {
    s.parameter.record()->value = s.value;
    s.parameter.data().gradient = s.gradient;
  }
}

bool Subject::is_saved(const Parameter& p) const {
  return std::any_of(saved_.begin(), saved_.end(),
                     [&](const Saved& s) { return s.parameter.record() == p.record(); });
}

/// True if its type changed.
bool Subject::convert(const Parameter& p) {
  if (is_saved(p)) return false;
  Array before = p.value();
  saved_.push_back({p, before, p.data().gradient});
  Array here = before.type() == float64 ? before.copy() : before.to(float64);
  here.succeed(before);  // copies that ops keep of a weight are told apart by its version
  p.record()->value = here;
  p.data().gradient = nullptr;
  return before.type() != float64;
}

// One run of f. Where it stops because a Parameter is float32 still, that one is converted and f
// runs again; a Parameter converted in the last round must then be met again.
std::string Subject::meet_round(std::vector<Parameter>& expected, bool& again) {
  Generator generator(options.seed);
  Tape tape(generator);
  std::string error;
  try {
    Variables xs;
    for (const Array& a : inputs) xs.push_back(is_float(a.type()) ? tape.watch(a) : Variable(a));
    ++evaluations;
    call(xs);
  } catch (const Error& e) {
    error = e.what();
  }
  std::vector<Parameter> met = parameters_of(tape.impl());
  for (const Parameter& p : expected)
    if (!contains(met, p))
      return join("the function does not repeat: it used a new Parameter ", p.name(), " ", p.shape(),
                  " in one evaluation and not in the next; make modules and Parameters outside of "
                  "the function.");
  expected.clear();
  again = false;
  for (const Parameter& p : met)
    if (convert(p)) {
      expected.push_back(p);
      again = true;
    }
  if (!again && !error.empty()) throw Error(error);
  return "";
}

std::string Subject::meet() {
  std::vector<Parameter> expected;
  for (bool again = true; again;) {
    std::string complaint = meet_round(expected, again);
    if (!complaint.empty()) return complaint;
  }
  std::string complaint = repeats();
  if (complaint.empty()) list_targets();
  return complaint;
}

std::string Subject::repeats() {
  Evaluation one(*this);
  Evaluation two(*this);
  for (const Parameter& p : parameters_of(two.impl()))
    if (!is_saved(p))
      return join("the function does not repeat: it made a new Parameter ", p.name(), " ", p.shape(),
                  "; make modules and Parameters outside of the function.");
  bool same = one.ys.size() == two.ys.size();
  for (std::size_t k = 0; same && k < one.ys.size(); ++k) {
    if (identical(one.ys[k].value(), two.ys[k].value())) continue;
    std::string numbers;
    if (one.ys[k].shape() == two.ys[k].shape()) {
      std::vector<double> a = one.ys[k].value().to_vector<double>(),
                          b = two.ys[k].value().to_vector<double>();
      for (std::size_t i = 0; i < a.size() && numbers.empty(); ++i)
        if (a[i] != b[i]) numbers = join(" (", a[i], " and then ", b[i], ")");
    }
    return join("the function does not repeat: two evaluations at the same point differ", numbers,
                "; does it draw from a generator of its own, make fresh modules, or keep state? Use ",
                "the tape's generator (dropout(x, p)), and make modules outside of the function.");
  }
  if (!same) return "the function does not repeat: the number of its results changes.";
  return "";
}

void Subject::list_targets() {
  targets.clear();
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (!is_float(inputs[k].type())) continue;
    std::string name = k < options.names.size() ? options.names[k] : join("input ", k);
    targets.push_back({Target::kInput, k, name, inputs[k]});
  }
  const std::vector<Parameter>& listed = options.parameters.list;
  std::vector<Parameter> used;
  for (const Parameter& p : listed)
    if (!contains(used, p)) used.push_back(p);
  for (const Saved& s : saved_)
    if (!contains(listed, s.parameter))
      (listed.empty() && !options.parameters.complete ? used : unlisted).push_back(s.parameter);
  for (std::size_t k = 0; k < used.size(); ++k) {
    if (used[k].is_frozen()) continue;
    bool named = k < options.parameters.names.size();
    std::string name = named ? options.parameters.names[k] : used[k].name();
    if (name.empty()) name = join("parameter ", k);
    targets.push_back({Target::kParameter, k, name, used[k].value().copy(), used[k]});
  }
}

void Subject::add_incoming(const std::vector<Array>& weights) {
  for (std::size_t k = 0; k < weights.size(); ++k)
    targets.push_back({Target::kIncoming, k, join("the incoming gradient of result ", k),
                       weights[k].copy()});
}

Array Subject::point(int target, const Direction& direction) const {
  const Array& at = targets[static_cast<std::size_t>(target)].at;
  if (target != direction.target || direction.length == 0) return at;
  Array moved = at.copy();
  std::vector<double> d = direction.d.to_vector<double>();
  double* p = moved.mutable_data<double>();
  for (Size i = 0; i < moved.size(); ++i) p[i] += direction.length * d[static_cast<std::size_t>(i)];
  return moved;
}

// Each position has an array of its own with a version of its own, so that a tape that was recorded
// there finds the numbers again when the array is put back.
void Subject::move(const Direction& direction) {
  if (moved_ >= 0) targets[static_cast<std::size_t>(moved_)].parameter.record()->value = unmoved_;
  moved_ = -1;
  if (direction.target < 0) return;
  Target& t = targets[static_cast<std::size_t>(direction.target)];
  if (t.kind != Target::kParameter) return;
  moved_ = direction.target;
  unmoved_ = t.parameter.value();
  Array moved = point(direction.target, direction).copy();
  newest_version_ = std::max(newest_version_, unmoved_.version()) + 1;
  moved.buffer()->version = newest_version_;
  t.parameter.record()->value = moved;
}

Evaluation::Evaluation(Subject& subject, const Direction& direction, TapeOptions tape_options)
    : generator(subject.options.seed), tape(generator, tape_options) {
  subject.move(direction);
  ++subject.evaluations;
  Variables in;
  for (const Array& a : subject.inputs) in.emplace_back(a);
  std::vector<Target>& targets = subject.targets;
  if (targets.empty())  // not listed yet
    for (Variable& x : in)
      if (is_float(x.type())) x = tape.watch(x);
  for (std::size_t k = 0; k < targets.size(); ++k) {
    if (targets[k].kind == Target::kParameter) {
      xs.push_back(targets[k].parameter);
      continue;
    }
    xs.push_back(tape.watch(subject.point(static_cast<int>(k), direction)));
    if (targets[k].kind == Target::kInput) in[targets[k].number] = xs.back();
  }
  for (Variable& y : subject.call(in)) {
    if (y.empty()) fail("gradcheck", "the function returned an empty Variable.");
    if (is_float(y.type())) ys.push_back(y);
  }
}

bool Evaluation::is_recorded(const Variable& v) const {
  if (v.is_parameter()) return impl().slot_of("gradcheck", v) >= 0;
  return v.record()->tape == impl().serial;
}

std::vector<Variable> gradients(const Evaluation& e, const Variables& outputs,
                                const Variables& targets, const Variables& weights,
                                bool create_graph, bool retain_graph) {
  GradOptions options;
  options.create_graph = create_graph;
  options.retain_graph = retain_graph;
  Variables recorded;
  for (std::size_t k = 0; k < outputs.size(); ++k)
    if (e.is_recorded(outputs[k])) {
      recorded.push_back(outputs[k]);
      options.grad_outputs.push_back(weights[k]);
    }
  if (!recorded.empty()) return grad(recorded, targets, options);
  std::vector<Variable> none;
  for (const Variable& x : targets) none.emplace_back(zeros(x.shape(), float64));
  return none;
}

}  // namespace unroll::check
