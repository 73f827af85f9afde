// einsum: a sum of products over named axes, brought into the form of matmul pair by pair. It has
// no gradient of its own, as every step is an op.
#include <algorithm>
#include <string>

#include <unroll/autograd/op.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/matmul.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll {

namespace {

bool contains(const std::string& text, char letter) { return text.find(letter) != text.npos; }

/// A factor and the letters of its axes.
struct Term {
  Variable x;
  std::string axes;

  Size size(char letter) const { return x.size(static_cast<Size>(axes.find(letter))); }

  /// The axes in another order; letters that are missing become axes of size 1.
  Variable arranged(const std::string& letters) const {
    std::vector<Size> order;
    for (char c : letters)
      if (contains(axes, c)) order.push_back(static_cast<Size>(axes.find(c)));
    Variable y = std::is_sorted(order.begin(), order.end()) ? x : permute(x, order);
    for (std::size_t k = 0; k < letters.size(); ++k)
      if (!contains(axes, letters[k])) y = expand(y, static_cast<Size>(k));
    return y;
  }

  /// Sums over the letters that `keep` does not have.
  Term reduced_to(const std::string& keep) const {
    Reduce gone;
    std::string rest;
    for (std::size_t k = 0; k < axes.size(); ++k) {
      if (contains(keep, axes[k])) rest += axes[k];
      else gone.axes.push_back(static_cast<Size>(k));
    }
    return gone.axes.empty() ? *this : Term{sum(x, gone), rest};
  }
};

struct Equation {
  std::vector<std::string> factors;
  std::string result;
};

[[noreturn]] void fail_at(std::string_view equation, std::string_view what) {
  fail("einsum", "\"", std::string(equation), "\" ", std::string(what));
}

/// Without "->" the result has the letters that occur once, in alphabetical order.
std::string implied_result(const std::vector<std::string>& factors) {
  std::string all, once;
  for (const std::string& axes : factors) all += axes;
  std::sort(all.begin(), all.end());
  for (char c : all)
    if (std::count(all.begin(), all.end(), c) == 1) once += c;
  return once;
}

Equation parse(std::string_view text) {
  Equation e{{""}, ""};
  bool arrow = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    std::string& axes = arrow ? e.result : e.factors.back();
    if (c == ' ') continue;
    if (c == ',' && !arrow) {
      e.factors.emplace_back();
    } else if (c == '-' && !arrow && i + 1 < text.size() && text[i + 1] == '>') {
      arrow = true;
      ++i;
    } else if (letter && !contains(axes, c)) {
      axes += c;
    } else if (letter) {
      fail_at(text, join("names axis ", std::string(1, c), " twice; use diagonal first."));
    } else {
      fail_at(text, join("has an unexpected '", std::string(1, c),
                         "'; expected letters, commas and one \"->\"."));
    }
  }
  if (!arrow) e.result = implied_result(e.factors);
  return e;
}

void check_sizes(std::string_view text, const Equation& e, const Variables& xs) {
  if (e.factors.size() != xs.size())
    fail_at(text, join("has ", e.factors.size(), " factors; ", xs.size(), " are given."));
  std::string letters;
  std::vector<Size> sizes;
  for (std::size_t f = 0; f < xs.size(); ++f) {
    const Shape& shape = xs[f].shape();
    if (static_cast<int>(e.factors[f].size()) != shape.rank())
      fail_at(text, join("gives factor ", f, " ", e.factors[f].size(), " axes; its shape is ",
                         shape, "."));
    for (int k = 0; k < shape.rank(); ++k) {
      char c = e.factors[f][static_cast<std::size_t>(k)];
      auto known = letters.find(c);
      if (known == letters.npos) {
        letters += c;
        sizes.push_back(shape[k]);
      } else if (sizes[known] != shape[k]) {
        fail_at(text, join("has size ", sizes[known], " along ", std::string(1, c), "; factor ", f,
                           " is ", shape, "."));
      }
    }
  }
  for (char c : e.result)
    if (!contains(letters, c))
      fail_at(text, join("has ", std::string(1, c), " in the result; no factor has it."));
}

/// Several axes of a matrix operand as one: (batch..., rows..., columns...) -> (batch..., r, c).
Variable as_matrices(const Variable& x, std::size_t batch, std::size_t rows) {
  Shape shape(x.shape().data(), static_cast<int>(batch));
  Size r = 1, c = 1;
  for (int k = static_cast<int>(batch); k < x.rank(); ++k)
    (k < static_cast<int>(batch + rows) ? r : c) *= x.shape()[k];
  shape.push_back(r);
  shape.push_back(c);
  return shape == x.shape() ? x : reshape(x, shape);
}

/// The product of two factors, summed over the letters that `keep` does not have.
Term contract(const Term& whole_a, const Term& whole_b, const std::string& keep) {
  Term a = whole_a.reduced_to(keep + whole_b.axes), b = whole_b.reduced_to(keep + whole_a.axes);
  std::string batch, rows, columns, inner;
  for (char c : a.axes) (!contains(b.axes, c) ? rows : contains(keep, c) ? batch : inner) += c;
  for (char c : b.axes)
    if (!contains(a.axes, c)) columns += c;
  std::string all = batch + rows + columns;
  if (inner.empty()) return {a.arranged(all) * b.arranged(all), all};
  Variable y = matmul(as_matrices(a.arranged(batch + rows + inner), batch.size(), rows.size()),
                      as_matrices(b.arranged(batch + inner + columns), batch.size(), inner.size()));
  Shape shape;
  for (char c : all) shape.push_back(contains(a.axes, c) ? a.size(c) : b.size(c));
  return {shape == y.shape() ? y : reshape(y, shape), all};
}

}  // namespace

Variable einsum(std::string_view equation, const Variables& factors) {
  Equation e = parse(equation);
  check_sizes(equation, e, factors);
  Term product{factors[0], e.factors[0]};
  for (std::size_t f = 1; f < factors.size(); ++f) {
    std::string keep = e.result;
    for (std::size_t later = f + 1; later < factors.size(); ++later) keep += e.factors[later];
    product = contract(product, {factors[f], e.factors[f]}, keep);
  }
  return product.reduced_to(e.result).arranged(e.result);
}

}  // namespace unroll
