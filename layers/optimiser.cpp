// What all optimisers share: who is updated, whose gradients were forgotten, and the state for
// checkpoints. The updates themselves are in updates.cpp.
#include <unroll/layers/optimiser.hpp>

#include <algorithm>
#include <cmath>

#include <unroll/autograd/denormals.hpp>

namespace unroll {

namespace {

// "[step] ..." for the Parameters that backward() reached and nobody trains.
[[noreturn]] void fail_unheld(const std::vector<Parameter>& unheld) {
  constexpr std::size_t kShown = 8;
  std::string names;
  for (std::size_t k = 0; k < unheld.size() && k < kShown; ++k)
    names += (k ? ", " : "") + unheld[k].name();
  if (unheld.size() > kShown) names += join(" and ", unheld.size() - kShown, " more");
  if (unheld.size() == 1)
    fail("step", "parameter ", names,
         " got a gradient but no optimiser holds it; register it with ",
         "submodule(...), give it to the optimiser, or freeze it.");
  fail("step", "parameters ", names, " got gradients but no optimiser holds them; register them ",
       "with submodule(...), give them to the optimiser, or freeze them.");
}

}  // namespace

Optimiser::Optimiser(const char* name, const ParameterList& parameters, double learning_rate,
                     std::vector<Buffer> buffers)
    : name_(name), parameters_(parameters), buffers_(std::move(buffers)) {
  if (parameters_.empty()) fail(name_, "got no Parameters; pass a Module that has some.");
  set_learning_rate(learning_rate);
  memory_.resize(parameters_.size());
  for (const Parameter& p : parameters_) ++p.data().holders;
}

Optimiser::~Optimiser() {
  for (const Parameter& p : parameters_) --p.data().holders;
}

void Optimiser::require(std::initializer_list<Option> options) const {
  for (const Option& o : options) {
    if (o.value >= 0 && o.value < (o.below > 0 ? o.below : INFINITY)) continue;
    if (o.below > 0)
      fail(name_, o.name, " is ", o.value, "; expected at least 0 and less than ", o.below, ".");
    fail(name_, o.name, " is ", o.value, "; expected a finite number of at least 0.");
  }
}

void Optimiser::set_learning_rate(double rate) {
  require({{"learning_rate", rate}});
  learning_rate_ = rate;
}

void Optimiser::zero_grad() {
  for (const Parameter& p : parameters_) p.zero_grad();
}

void Optimiser::check_unheld() const {
  std::vector<std::uint64_t> sweeps;
  for (const Parameter& p : parameters_)
    if (p.data().gradient && p.data().last_backward != 0) sweeps.push_back(p.data().last_backward);
  std::sort(sweeps.begin(), sweeps.end());
  sweeps.erase(std::unique(sweeps.begin(), sweeps.end()), sweeps.end());
  if (sweeps.empty()) return;
  std::vector<Parameter> unheld = unheld_parameters(sweeps);
  if (!unheld.empty()) fail_unheld(unheld);
}

// Makes the arrays at the first update, and follows a Parameter whose type was converted since.
void Optimiser::prepare(Memory& memory, const Array& value) const {
  if (memory.steps == 0) {
    memory.buffers.clear();
    for (const Buffer& b : buffers_)
      memory.buffers.push_back(b.scalar ? full({}, b.initial, float64)
                                        : full(value.shape(), b.initial, value.type()));
  }
  for (std::size_t j = 0; j < buffers_.size(); ++j)
    if (!buffers_[j].scalar) memory.buffers[j] = memory.buffers[j].to(value.type());
}

void Optimiser::step() {
  check_unheld();
  FlushDenormals faded_is_zero;  // moments of words that have not come up for long
  for (std::size_t k = 0; k < parameters_.size(); ++k) {
    Parameter& p = parameters_[k];
    if (!p.data().gradient || p.is_frozen()) continue;
    Array gradient = p.grad().value().to(p.type()).contiguous();
    if (gradient.shape() != p.shape())
      fail("step", p.name(), " has shape ", p.shape(), ", its gradient ", gradient.shape(), ".");
    Array value = p.mutable_value();
    if (!value.is_contiguous())
      fail("step", p.name(), " was made a strided view; give it an array in memory of its own.");
    prepare(memory_[k], value);
    update({value, gradient, memory_[k].buffers, ++memory_[k].steps});
  }
  zero_grad();
}

std::string Optimiser::key(std::size_t k, const Buffer& buffer) const {
  return join(k, ".", parameters_[k].name(), ".", buffer.name);
}

NamedArrays Optimiser::state() const {
  NamedArrays state;
  state["learning_rate"] = full({}, learning_rate_, float64);
  std::vector<Size> steps;
  for (std::size_t k = 0; k < memory_.size(); ++k) {
    steps.push_back(memory_[k].steps);
    for (std::size_t j = 0; j < memory_[k].buffers.size(); ++j)
      state[key(k, buffers_[j])] = memory_[k].buffers[j].copy();
  }
  state["steps"] = values(steps, {static_cast<Size>(steps.size())});
  return state;
}

void Optimiser::set_state(const NamedArrays& state) {
  std::string problems;
  std::size_t used = 0;
  auto take = [&](const std::string& name, const Shape& shape, Type type) {
    auto found = state.find(name);
    if (found == state.end()) {
      problems += join(" missing ", name, ";");
      return Array(shape, type);
    }
    ++used;
    const Array& a = found->second;
    if (a.shape() == shape && (a.type() == int64) == (type == int64))
      return type == a.type() ? a.copy() : a.to(type);
    problems +=
        join(" ", name, " is ", a.type(), " ", a.shape(), ", expected ", type, " ", shape, ";");
    return Array(shape, type);
  };
  double rate = take("learning_rate", {}, float64).item();
  Array steps = take("steps", {static_cast<Size>(parameters_.size())}, int64);
  std::vector<Memory> memory(parameters_.size());
  std::vector<std::string> expected{"learning_rate", "steps"};
  for (std::size_t k = 0; k < memory.size(); ++k) {
    const Parameter& p = parameters_[k];
    memory[k].steps = steps.data<Size>()[k];
    if (memory[k].steps < 0) problems += join(" steps of ", p.name(), " is ", memory[k].steps, ";");
    for (std::size_t j = 0; memory[k].steps > 0 && j < buffers_.size(); ++j) {
      const Buffer& b = buffers_[j];
      expected.push_back(key(k, b));
      memory[k].buffers.push_back(
          take(expected.back(), b.scalar ? Shape() : p.shape(), b.scalar ? float64 : p.type()));
    }
  }
  if (used < state.size()) {
    std::sort(expected.begin(), expected.end());
    for (const auto& [name, array] : state)
      if (!std::binary_search(expected.begin(), expected.end(), name))
        problems += join(" unexpected ", name, ";");
  }
  if (!problems.empty()) {
    problems.back() = '.';
    fail("set_state", "does not fit this ", name_, " optimiser:", problems);
  }
  set_learning_rate(rate);
  memory_ = std::move(memory);
}

}  // namespace unroll
