// Comparison, tolerances and gradients of golden cases; see run.hpp.
#include "run.hpp"

#include <algorithm>
#include <cmath>

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

namespace golden {

using unroll::float32;
using unroll::float64;
using unroll::int64;

double error_between(const Array& a, const Array& b) {
  const auto x = a.to_vector<double>(), y = b.to_vector<double>();
  double largest = 0, scale = 1;
  for (std::size_t k = 0; k < y.size(); ++k) {
    if (x[k] == y[k] || (std::isnan(x[k]) && std::isnan(y[k]))) {
      if (std::isfinite(y[k])) scale = std::max(scale, std::fabs(y[k]));
      continue;
    }
    if (!std::isfinite(x[k]) || !std::isfinite(y[k])) return INFINITY;
    scale = std::max(scale, std::fabs(y[k]));
    largest = std::max(largest, std::fabs(x[k] - y[k]));
  }
  return largest / scale;
}

Variable Run::in(const std::string& name) {
  auto [found, made] = inputs_.try_emplace("in." + name);
  if (made) {
    const Array& value = c.at("in." + name);
    found->second = value.type() == int64 ? Variable(value) : tape_->watch(value.to(type));
  }
  return found->second;
}

Parameter Run::parameter(const std::string& name) {
  auto [found, made] = parameters_.try_emplace("param." + name);
  if (made) found->second = Parameter(name, constant("param." + name).copy());
  return found->second;
}

void Run::adopt(const std::string& name, const Parameter& parameter) {
  parameters_["param." + name] = parameter;
}

void Run::adopt(const std::string& name, const Parameter& parameter, Size first, Size end) {
  adopt(name, parameter);
  rows_["param." + name] = {first, end};
}

Variable Run::part(const std::string& tensor, const Variable& like_leaf) const {
  const auto rows = rows_.find(tensor);
  if (rows == rows_.end()) return like_leaf;
  return unroll::sliced(like_leaf, 0, rows->second.first, rows->second.second);
}

Array Run::constant(const std::string& tensor) const {
  const Array& value = c.at(tensor);
  return value.type() == int64 ? value : value.to(type);
}

std::vector<Size> Run::sizes(const std::string& name) const {
  return c.at("in." + name).to_vector<Size>();
}

Variable Run::leaf(const std::string& tensor) {
  if (tensor.starts_with("in.")) return in(tensor.substr(3));
  return parameter(tensor.substr(std::string("param.").size()));
}

void Run::out(const std::string& name, const Variable& value) {
  outputs_[name] = value;
  compare("out." + name, value, Kind::output);
}

void Run::begin(unroll::Tape& tape) {
  tape_ = &tape;
  inputs_.clear();
  outputs_.clear();
  parameters_.clear();
  rows_.clear();
}

Variable Run::weighted_loss() const {
  Variable loss;
  for (const auto& [name, value] : outputs_) {
    if (!c.has("in.weighting." + name)) continue;
    Variable part = unroll::sum(value * Variable(constant("in.weighting." + name)));
    loss = loss.empty() ? part : loss + part;
  }
  return loss;
}

void Run::compare_gradients(unroll::Tape& tape, const Variable& loss, bool create_graph,
                            Kind kind) {
  const auto names = c.names("grad.");
  if (names.empty()) return;
  if (loss.empty())
    throw std::runtime_error("gradients are expected, but no output has a weighting");
  Variables leaves;
  for (const std::string& name : names) leaves.push_back(leaf(name));
  Variables gradients;
  if (create_graph) {
    gradients = unroll::grad(loss, leaves, {.create_graph = true});
  } else {
    if (loss.is_recorded()) tape.backward(loss);
    for (const Variable& x : leaves) {
      Variable g = x.grad();
      gradients.push_back(g.empty() ? Variable(unroll::zeros(x.shape(), x.type())) : g);
    }
  }
  for (std::size_t k = 0; k < names.size(); ++k)
    compare("grad." + names[k], part(names[k], gradients[k]), kind);
}

namespace {

/// `got` with NaN wherever `expected` is: torch's NaN gradient of an infinite loss means nothing.
Array without_meaningless(const Array& got, const Array& expected) {
  auto x = got.to_vector<double>();
  const auto y = expected.to_vector<double>();
  for (std::size_t k = 0; k < y.size(); ++k)
    if (std::isnan(y[k])) x[k] = y[k];
  return unroll::values(std::span<const double>(x), got.shape());
}

/// The README's bound for references that were computed in float32: 2e-6 + 2e-5 times the largest
/// element, in the measure of error_between.
double float32_reference_tolerance(const Array& expected) {
  double largest = 0;
  for (double x : expected.to_vector<double>()) largest = std::max(largest, std::fabs(x));
  return (2e-6 + 2e-5 * largest) / std::max(1.0, largest);
}

bool has_infinite_loss(const Case& c) {
  if (!c.has("out.loss")) return false;
  const auto loss = c.at("out.loss").to_vector<double>();
  return std::any_of(loss.begin(), loss.end(), [](double x) { return std::isinf(x); });
}

}  // namespace

void Run::compare(const std::string& tensor, const Variable& value, Kind kind) {
  if (!c.has(tensor)) throw std::runtime_error("computed " + tensor + ", which the file has not");
  compared_.insert(tensor);
  const Array& expected = c.at(tensor);
  Array got = value.value();
  auto differs = [&](const std::string& what, double error, double allowed) {
    differences_.push_back({tensor, what, error, allowed});
    largest_ = std::max(largest_, error);
  };
  if (!(got.shape() == expected.shape()))
    return differs("has shape " + got.shape().text() + ", expected " + expected.shape().text(),
                   INFINITY, 0);
  if (expected.type() == float64 && got.type() != type)
    return differs(std::string("is ") + unroll::name_of(got.type()), INFINITY, 0);
  if (kind != Kind::output && has_infinite_loss(c)) got = without_meaningless(got, expected);
  double allowed = tolerance(kind);
  if (expected.type() == int64) allowed = 0;
  if (c.says("precision") == Json("float32")) allowed = float32_reference_tolerance(expected);
  const double error = error_between(got, expected);
  largest_ = std::max(largest_, error);
  if (!(error <= allowed)) differs("", error, allowed);
}

double Run::tolerance(Kind kind) const {
  const bool is_long = c.name_ends_with("_long");
  if (type == float64)
    return c.group == "second" || c.name_ends_with("_hvp") || is_long ? 1e-9 : 1e-10;
  if (is_long || kind == Kind::second_order) return 1e-3;
  return kind == Kind::gradient ? 1e-4 : 1e-5;
}

std::vector<std::string> Run::forgotten() const {
  std::vector<std::string> names;
  for (const auto& [name, array] : c.tensors)
    if ((name.starts_with("out.") || name.starts_with("grad.")) && !compared_.contains(name))
      names.push_back(name);
  return names;
}

std::string float32_exception(const Case& c) {
  for (const char* end : {"__extreme", "__small"})
    if (c.name_ends_with(end)) return std::string("*") + end;
  if (c.group == "softmax" && c.name_ends_with("_large")) return "softmax/*_large";
  for (const char* name : {"layers/layernorm_constant_row", "crf/peaked", "ops/log1p__values"})
    if (c.group + "/" + c.name == name) return name;
  // Ties and kinks: rounding would move a point to the other side of the jump.
  const std::string about = c.name + " " + (c.meta.contains("desc") ? c.meta.at("desc") : "");
  const bool on_a_jump = about.find("_ties") != std::string::npos ||
                         about.find("kinks") != std::string::npos ||
                         about.find("__bounds") != std::string::npos;
  if (!on_a_jump) return "";
  for (const auto& [name, array] : c.tensors) {
    if (!name.starts_with("in.") || name.starts_with("in.weighting.")) continue;
    if (array.type() == float64 && !unroll::identical(array, array.to(float32).to(float64)))
      return "a tie or kink whose points are not floats";
  }
  return "";
}

namespace {

std::map<std::string, void (*)(Run&)>& handlers() {
  static std::map<std::string, void (*)(Run&)> all;
  return all;
}

}  // namespace

Handler::Handler(const char* group, void (*run)(Run&)) { handlers()[group] = run; }

void (*handler_of(const std::string& group))(Run&) {
  auto found = handlers().find(group);
  return found == handlers().end() ? nullptr : found->second;
}

}  // namespace golden
