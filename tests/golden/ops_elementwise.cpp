// Kinds of group `ops` that work element by element, with broadcasting.
#include "ops.hpp"

#include <limits>

#include <unroll/autograd/op.hpp>
#include <unroll/ops/elementwise.hpp>

namespace golden {
namespace {

using namespace unroll;

using Unary = Variable (*)(const Variable&);
using Binary = Variable (*)(const Variable&, const Variable&);

const std::map<std::string, Unary> kUnary = {
    {"neg", negative},
    {"abs", abs},
    {"sign", sign},
    {"square", square},
    {"sq", square},
    {"exp", exp},
    {"expm1", expm1},
    {"log", log},
    {"log1p", log1p},
    {"log2", log2},
    {"log10", log10},
    {"sqrt", sqrt},
    {"rsqrt", rsqrt},
    {"reciprocal", reciprocal},
    {"sin", sin},
    {"cos", cos},
    {"sinh", sinh},
    {"cosh", cosh},
    {"atan", atan},
    {"tanh", tanh},
    {"erf", erf},
    {"sigmoid", sigmoid},
    {"log_sigmoid", log_sigmoid},
    {"relu", relu},
    {"relu6", relu6},
    {"softplus", softplus},
    {"silu", silu},
    {"gelu", gelu},
    {"gelu_tanh", gelu_tanh},
    {"mish", mish},
    {"selu", selu},
    {"softsign", softsign},
    {"floor", floor},
    {"hard_sigmoid_torch", hard_sigmoid},
    {"hard_sigmoid_keras", [](const Variable& x) { return clamp(0.2 * x + 0.5, 0, 1); }},
    {"hardtanh", [](const Variable& x) { return hardtanh(x); }},
};

const std::map<std::string, Binary> kBinary = {
    {"add", add},         {"sub", subtract},    {"mul", multiply}, {"div", divide},
    {"maximum", maximum}, {"minimum", minimum}, {"atan2", atan2},  {"hypot", hypot},
};

/// The number after a word of the description ("alpha 1.3"), where attrs do not give it.
double constant_of(const Run& run, const std::string& word, double missing) {
  const Json attrs = attributes(run);
  if (attrs.contains(word)) return attrs[word];
  const std::string desc = run.c.meta.contains("desc") ? run.c.meta.at("desc") : "";
  const auto at = desc.find(word + " ");
  return at == std::string::npos ? missing : std::atof(desc.c_str() + at + word.size());
}

/// The exponent in an output's name: p2 is 2, pm1 is -1, ph a half, p1h one and a half.
double exponent_of(const std::string& name) {
  std::string rest = name.substr(1);
  const bool minus = rest.starts_with("m"), half = rest.ends_with("h");
  if (minus) rest.erase(0, 1);
  if (half) rest.pop_back();
  if (!name.starts_with("p") || rest.find_first_not_of("0123456789") != std::string::npos ||
      (rest.empty() && !half))
    throw Unknown("an output named " + name);
  const double p = std::atof(("0" + rest).c_str()) + (half ? 0.5 : 0);
  return minus ? -p : p;
}

void run_pow(Run& run) {
  for (const std::string& name : run.c.names("out."))
    run.out(name,
            name == "y" ? pow(run.in("a"), run.in("b")) : pow(run.in("a"), exponent_of(name)));
}

void run_clamp(Run& run) {
  const double low = attributes(run).at("min"), high = attributes(run).at("max");
  const double infinity = std::numeric_limits<double>::infinity();
  const Variable x = run.in("x");
  out_by_name(run, {{"y", [&] { return clamp(x, low, high); }},
                    {"min", [&] { return clamp(x, low); }},
                    {"max", [&] { return clamp(x, -infinity, high); }}});
}

void run_where(Run& run) {
  const Variable condition = run.in("cond"), a = run.in("a");
  // Without b it is the doubled where that keeps the root of a negative number out.
  run.out("y", run.has("b") ? where(condition, a, run.in("b"))
                            : where(condition, sqrt(where(condition, a, 1.0)), 0.0));
}

void run_unary(Run& run) {
  for (const std::string& name : run.c.names("out.")) {
    const Unary f = unary_op(name);
    if (!f) throw Unknown("an output named " + name);
    run.out(name, f(run.in("x")));
  }
}

}  // namespace

Unary unary_op(const std::string& name) {
  auto found = kUnary.find(name);
  return found == kUnary.end() ? nullptr : found->second;
}

Kinds elementwise_kinds() {
  Kinds kinds;
  for (const auto& [name, f] : kUnary)
    kinds[name] = [f = f](Run& run) { run.out("y", f(run.in("x"))); };
  for (const auto& [name, f] : kBinary)
    kinds[name] = [f = f](Run& run) { run.out("y", f(run.in("a"), run.in("b"))); };
  kinds["elu"] = [](Run& run) { run.out("y", elu(run.in("x"), constant_of(run, "alpha", 1))); };
  kinds["leaky_relu"] = [](Run& run) {
    run.out("y", leaky_relu(run.in("x"), constant_of(run, "slope", 0.01)));
  };
  kinds["masked_fill"] = [](Run& run) {
    run.out("y", masked_fill(run.in("x"), run.in("mask"), attributes(run).at("value")));
  };
  kinds["pow"] = run_pow;
  kinds["clamp"] = run_clamp;
  kinds["where"] = run_where;
  kinds["unary"] = run_unary;
  return kinds;
}

}  // namespace golden
