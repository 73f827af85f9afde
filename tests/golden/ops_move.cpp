// Kinds of group `ops` that move numbers: views, cutting, joining, repeating.
#include "ops.hpp"

#include <unroll/autograd/op.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reshape.hpp>

namespace golden {
namespace {

using namespace unroll;

Shape shape_of(const Json& list) { return Shape(list.get<std::vector<Size>>()); }

std::vector<Size> list_of(const Json& said) {
  return said.is_array() ? said.get<std::vector<Size>>() : std::vector<Size>{said.get<Size>()};
}

/// [start, stop, step] with null for what Python's slice leaves out.
Variable python_slice(const Variable& x, Size axis, const Json& slice) {
  const Size n = x.size(axis), step = slice.at(2).is_null() ? 1 : slice.at(2).get<Size>();
  const Size first = step > 0 ? 0 : n - 1, last = step > 0 ? n : -n - 1;
  return sliced(x, axis, slice.at(0).is_null() ? first : slice.at(0).get<Size>(),
                slice.at(1).is_null() ? last : slice.at(1).get<Size>(), step);
}

void run_slice(Run& run) {
  const Variable x = run.in("x");
  const Json slices = attributes(run).value("slices", Json::array());
  auto rows = [&](Size start, Size stop) { return sliced(x, 0, start, stop); };
  out_by_name(run, {{"y",
                     [&] {
                       Variable y = x;
                       Size axis = 0;
                       for (const Json& slice : slices) y = python_slice(y, axis++, slice);
                       return y;
                     }},
                    {"int", [&] { return x[1]; }},
                    {"ellipsis", [&] { return select(x, -1, -1); }},
                    {"both", [&] { return sliced(x[-1], -1, 1, 3); }},
                    {"newaxis", [&] { return expand(select(x, 1, 0), 1); }},
                    {"empty", [&] { return sliced(x, 1, 2, 2); }},
                    {"a", [&] { return rows(1, 3); }},
                    {"b", [&] { return rows(0, 2); }},
                    {"d", [&] { return rows(1, 3) * rows(0, 2); }}});
}

void run_transpose(Run& run) {
  const Variable x = run.in("x");
  const auto perm = list_of(attributes(run).at("perm"));
  out_by_name(run, {{"perm", [&] { return permute(x, perm); }},
                    {"swap", [&] { return transpose(x); }},
                    {"twice", [&] {
                       return permute(permute(x, perm), {1, 0, 2});
                     }}});
}

void run_squeeze_expand(Run& run) {
  const Variable x = run.in("x");
  out_by_name(run, {{"sq", [&] { return squeeze(x, 1); }},
                    {"ex", [&] { return broadcast_to(x, shape_of(attributes(run).at("dims"))); }},
                    {"un", [&] { return expand(x, 1); }}});
}

void run_roll(Run& run) {
  const auto shifts = list_of(attributes(run).at("shift"));
  const auto axes = list_of(attributes(run).at("axis"));
  Variable y = run.in("x");
  for (std::size_t k = 0; k < shifts.size(); ++k) y = roll(y, shifts[k], axes.at(k));
  run.out("y", y);
}

void run_pad(Run& run) {
  const Variable x = run.in("x");
  std::vector<std::pair<Size, Size>> widths(static_cast<std::size_t>(x.rank()), {0, 0});
  widths.front() = {0, 1};
  widths.back() = {1, 2};
  run.out("y", pad(x, widths, 0.5));
}

/// All of in.a, in.b, ...; one alone is used three times, doubled in the middle.
Variables parts_of(Run& run) {
  Variables parts;
  for (const std::string& name : run.c.names("in."))
    if (!name.starts_with("weighting.")) parts.push_back(run.in(name));
  if (parts.size() == 1) return {parts[0], 2 * parts[0], parts[0]};
  return parts;
}

void run_split(Run& run) {
  const auto parts = split(run.in("x"), list_of(attributes(run).at("sizes")), axis_of(run));
  for (std::size_t k = 0; k < parts.size(); ++k)
    run.out("p" + std::to_string(k), pow(parts[k], static_cast<double>(k + 1)));
}

}  // namespace

Kinds move_kinds() {
  Kinds kinds;
  kinds["reshape"] = [](Run& run) {
    for (const std::string& name : run.c.names("out."))
      run.out(name, reshape(run.in("x"), run.c.at("out." + name).shape()));
  };
  kinds["broadcast_to"] = [](Run& run) {
    run.out("y", broadcast_to(run.in("x"), shape_of(attributes(run).at("shape"))));
  };
  kinds["transpose"] = run_transpose;
  kinds["transpose_reshape"] = [](Run& run) {
    const Variable turned = permute(run.in("x"), list_of(attributes(run).at("perm")));
    run.out("y", square(reshape(turned, run.c.at("out.y").shape())));
  };
  kinds["squeeze_expand"] = run_squeeze_expand;
  kinds["slice"] = run_slice;
  kinds["flip"] = [](Run& run) {
    run.out("y", flip(run.in("x"), list_of(attributes(run).at("axes"))));
  };
  kinds["roll"] = run_roll;
  kinds["tile_repeat"] = [](Run& run) {
    out_by_name(run, {{"tile",
                       [&] {
                         return tile(run.in("x"), {2, 3});
                       }},
                      {"repeat", [&] { return repeat(run.in("x"), 2, 1); }}});
  };
  kinds["pad"] = run_pad;
  kinds["concat"] = [](Run& run) { run.out("y", concat(parts_of(run), axis_of(run))); };
  kinds["stack"] = [](Run& run) { run.out("y", stack_along(parts_of(run), axis_of(run))); };
  kinds["split"] = run_split;
  kinds["chunk"] = [](Run& run) { run.out("y", chunk<2>(run.in("x"), axis_of(run))[1]); };
  kinds["diag_trace"] = [](Run& run) {
    out_by_name(run, {{"diag", [&] { return diagonal(run.in("x")); }},
                      {"trace", [&] { return trace(run.in("x")); }}});
  };
  kinds["tril_triu"] = [](Run& run) {
    out_by_name(run, {{"tril", [&] { return tril(run.in("x")); }},
                      {"triu", [&] { return triu(run.in("x"), 1); }}});
  };
  return kinds;
}

}  // namespace golden
