// Gradients by time step: what is asked of one grad(), and how the copies of a Parameter are made.
#include <unroll/layers/gradient_flow.hpp>

#include <algorithm>

#include <unroll/autograd/node.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll {

namespace {

GradOptions keeping_the_graph(GradOptions options) {
  options.retain_graph = true;
  return options;
}

}  // namespace

Variables detail::norms_by_step(const Variable& loss, const std::vector<Variables>& steps,
                                const GradOptions& options) {
  if (steps.empty()) return {};
  Variables recorded;
  for (const Variables& values : steps) {
    if (values.size() != steps[0].size())
      fail("gradient_norms", "a State holds ", values.size(), " values at one step and ",
           steps[0].size(), " at another; expected the same number.");
    for (const Variable& v : values)
      if (v.is_recorded()) recorded.push_back(v);
  }
  const Variables gradients = grad(loss, recorded, keeping_the_graph(options));
  std::vector<Variables> norms(steps[0].size());
  std::size_t next = 0;
  for (const Variables& values : steps)
    for (std::size_t k = 0; k < norms.size(); ++k)
      norms[k].push_back(values[k].is_recorded() ? norm(gradients[next++])
                                                 : Variable(zeros({}, loss.type())));
  Variables result;
  for (const Variables& one : norms) result.push_back(stack_along(one));
  return result;
}

GradientByStep::GradientByStep(const ParameterList& parameters)
    : tape_(detail::recording_serial()) {
  if (tape_ == 0)
    fail("gradient_by_step", "no tape is recording; make one (`Tape tape;`) before it.");
  for (const Parameter& p : parameters) splits_.push_back({p, {}});
}

const Variable* GradientByStep::find(const Variable& parameter) {
  const TapeImpl* tape = recording_tape();
  if (!tape && Tape::recording())
    fail("gradient_by_step",
         "the steps are recomputed by the backward pass, so that they cannot be ",
         "told apart; use over_time without recompute_every and memory_budget.");
  if (!tape || tape->serial != tape_ || tape->step < 0) return nullptr;
  for (Split& s : splits_) {
    if (!(s.parameter.record() == parameter.record())) continue;
    auto t = static_cast<std::size_t>(tape->step);
    if (t >= s.copies.size()) s.copies.resize(t + 1);
    if (s.copies[t].empty()) {
      const Variable& whole = read_outside(parameter);
      detail::PlainReading plain;
      Op op("at_step", whole);
      s.copies[t] = op.record(
          op[0], [](Backward& b) { b.give(0, b.dy()); }, Keep::nothing);
    }
    return &s.copies[t];
  }
  return nullptr;
}

std::vector<Variable> GradientByStep::gradients(const Variable& loss,
                                                const GradOptions& options) const {
  std::size_t steps = 0;
  Variables read;
  for (const Split& s : splits_) {
    steps = std::max(steps, s.copies.size());
    for (const Variable& copy : s.copies)
      if (copy.is_recorded()) read.push_back(copy);
  }
  const Variables gradients = grad(loss, read, keeping_the_graph(options));
  std::vector<Variable> result;
  std::size_t next = 0;
  for (const Split& s : splits_) {
    const Array none = zeros(s.parameter.shape(), s.parameter.type());
    std::vector<Variable> by_step(steps, none);
    for (std::size_t t = 0; t < s.copies.size(); ++t)
      if (s.copies[t].is_recorded()) by_step[t] = gradients[next++];
    result.push_back(steps > 0 ? stack_along(by_step) : none.expanded(0).sliced(0, 0, 0));
  }
  return result;
}

}  // namespace unroll
