// Kinds of group `ops` that reduce, scan or multiply matrices.
#include "ops.hpp"

#include <limits>

#include <unroll/ops/matmul.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

namespace golden {
namespace {

using namespace unroll;

/// attrs.axis as a list: none for null.
std::vector<Size> axes_of(const Run& run) {
  const Json axis = attributes(run).value("axis", Json());
  if (axis.is_null()) return {};
  if (axis.is_array()) return axis.get<std::vector<Size>>();
  return {axis.get<Size>()};
}

bool keepdims_of(const Run& run) { return attributes(run).value("keepdims", false); }

/// Which axes an output stands for: "y" those of the attributes, "all", "axis0", "axis1", ...
std::vector<Size> axes_of_output(const Run& run, const std::string& name) {
  if (name == "y") return axes_of(run);
  if (name == "all") return {};
  if (name.starts_with("axis")) return {std::atoll(name.c_str() + 4)};
  throw Unknown("an output named " + name);
}

using Reducer = Variable (*)(const Variable&, const Reduce&);

Compute reducer(Reducer f) {
  return [f](Run& run) {
    for (const std::string& name : run.c.names("out."))
      run.out(name, f(run.in("x"), {axes_of_output(run, name), keepdims_of(run)}));
  };
}

/// max and min, which may come with the index of the chosen element.
Compute chooser(Reducer f, Variable (*arg)(const Variable&, Size)) {
  return [=](Run& run) {
    const Variable x = run.in("x");
    run.out("y", f(x, {axes_of(run), keepdims_of(run)}));
    if (!run.c.has("out.index")) return;
    const Size axis = axis_of(run);
    const Variable index = arg(x, axis);
    run.out("index", keepdims_of(run) ? expand(index, axis) : index);
  };
}

Compute variance_kind(Variable (*f)(const Variable&, const VarianceOptions&)) {
  return [f](Run& run) {
    for (const std::string& name : run.c.names("out.")) {
      const bool unbiased =
          name == "y" ? attributes(run).at("unbiased").get<bool>() : name == "unbiased";
      if (name != "y" && name != "biased" && !unbiased) throw Unknown("an output named " + name);
      run.out(name, f(run.in("x"), {.axes = axes_of(run),
                                    .correction = unbiased ? 1.0 : 0.0,
                                    .keepdims = keepdims_of(run)}));
    }
  };
}

void run_norm(Run& run) {
  const Json said = attributes(run).value("p", Json(2.0));
  double p = said.is_number() ? said.get<double>() : std::atof(said.get<std::string>().c_str());
  if (said == "inf") p = std::numeric_limits<double>::infinity();
  run.out("y", norm(run.in("x"), {.axes = axes_of(run), .keepdims = keepdims_of(run), .p = p}));
}

void run_matmul(Run& run) {
  const Variable a = run.in("a");
  if (!run.has("b")) return run.out("y", matmul(matmul(a, a), a));
  const Variable b = run.in("b");
  out_by_name(run, {{"y", [&] { return matmul(a, b); }},
                    {"nt", [&] { return matmul(a, transpose(b)); }},
                    {"tn", [&] { return matmul(transpose(a), b); }}});
}

/// Both outputs have the letters of their name: bik,bjk->bij and bik,bjk->bk.
void run_einsum(Run& run) {
  for (const std::string& name : run.c.names("out."))
    run.out(name, einsum("bik,bjk->" + name, {run.in("a"), run.in("b")}));
}

}  // namespace

Kinds reduce_kinds() {
  Kinds kinds;
  kinds["sum"] = reducer(sum);
  kinds["mean"] = reducer(mean);
  kinds["prod"] = reducer(prod);
  kinds["max"] = chooser(max, argmax);
  kinds["min"] = chooser(min, argmin);
  kinds["amax"] = [](Run& run) {
    const Reduce options{axes_of(run), keepdims_of(run)};
    out_by_name(run, {{"max", [&] { return amax(run.in("x"), options); }},
                      {"min", [&] { return amin(run.in("x"), options); }},
                      {"y", [&] { return amax(run.in("x"), options); }}});
  };
  kinds["argmax"] = [](Run& run) { run.out("y", argmax(run.in("x"), axis_of(run))); };
  kinds["var"] = variance_kind(variance);
  kinds["std"] = variance_kind(standard_deviation);
  kinds["norm"] = run_norm;
  kinds["cumsum"] = [](Run& run) { run.out("y", cumsum(run.in("x"), axis_of(run))); };
  kinds["cumprod"] = [](Run& run) { run.out("y", cumprod(run.in("x"), axis_of(run))); };
  kinds["matmul"] = run_matmul;
  kinds["einsum"] = run_einsum;
  kinds["dot_outer"] = [](Run& run) {
    out_by_name(run, {{"dot", [&] { return dot(run.in("a"), run.in("b")); }},
                      {"outer", [&] { return outer(run.in("a"), run.in("b")); }}});
  };
  return kinds;
}

}  // namespace golden
