// Numbers, inputs and registration of the op table. The checks are in op_checks.cpp.
#include "op_table.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace op_table {

namespace {

std::size_t offset_of(const Index& shape, const Index& index) {
  if (index.size() != shape.size()) throw std::logic_error("reference: index of another rank");
  std::size_t offset = 0;
  for (std::size_t k = 0; k < shape.size(); ++k) {
    if (index[k] < 0 || index[k] >= shape[k]) throw std::logic_error("reference: index outside");
    offset = offset * static_cast<std::size_t>(shape[k]) + static_cast<std::size_t>(index[k]);
  }
  return offset;
}

std::size_t count_of(const Index& shape) {
  std::size_t n = 1;
  for (Size size : shape) n *= static_cast<std::size_t>(size);
  return n;
}

std::vector<Row>& rows() {
  static std::vector<Row> all;
  return all;
}

}  // namespace

Numbers::Numbers(Index shape_) : shape(std::move(shape_)), data(count_of(shape)) {}
Size Numbers::size(int axis) const {
  return shape[static_cast<std::size_t>(axis < 0 ? axis + static_cast<int>(shape.size()) : axis)];
}
double& Numbers::at(const Index& index) { return data[offset_of(shape, index)]; }
double Numbers::at(const Index& index) const { return data[offset_of(shape, index)]; }

void each_index(const Index& shape, const std::function<void(const Index&)>& f) {
  if (count_of(shape) == 0) return;
  Index index(shape.size(), 0);
  for (;;) {
    f(index);
    std::size_t axis = shape.size();
    while (axis > 0 && ++index[axis - 1] == shape[axis - 1]) index[--axis] = 0;
    if (axis == 0) return;
  }
}

Numbers build(const Index& shape, const std::function<double(const Index&)>& f) {
  Numbers y(shape);
  each_index(shape, [&](const Index& i) { y.at(i) = f(i); });
  return y;
}

Numbers fold(const Numbers& x, Index axes, bool keepdims,
             const std::function<double(const std::vector<double>&)>& f) {
  const Size rank = static_cast<Size>(x.shape.size());
  if (axes.empty())
    for (Size axis = 0; axis < rank; ++axis) axes.push_back(axis);
  std::vector<bool> folded(x.shape.size(), false);
  for (Size axis : axes) folded[static_cast<std::size_t>(axis < 0 ? axis + rank : axis)] = true;
  auto target = [&](const Index& index, bool sizes) {
    Index kept;
    for (std::size_t k = 0; k < index.size(); ++k)
      if (!folded[k])
        kept.push_back(index[k]);
      else if (keepdims)
        kept.push_back(sizes ? 1 : 0);
    return kept;
  };
  Numbers y(target(x.shape, true));
  std::vector<std::vector<double>> groups(y.data.size());
  each_index(x.shape, [&](const Index& i) {
    groups[offset_of(y.shape, target(i, false))].push_back(x.at(i));
  });
  for (std::size_t k = 0; k < groups.size(); ++k) y.data[k] = f(groups[k]);
  return y;
}

Index broadcast(const Index& a, const Index& b) {
  Index shape(std::max(a.size(), b.size()), 1);
  for (std::size_t k = 1; k <= shape.size(); ++k) {
    const Size m = k <= a.size() ? a[a.size() - k] : 1, n = k <= b.size() ? b[b.size() - k] : 1;
    shape[shape.size() - k] = m == 1 ? n : m;
  }
  return shape;
}

double broadcast_at(const Numbers& x, const Index& index) {
  Index own(index.end() - static_cast<std::ptrdiff_t>(x.shape.size()), index.end());
  for (std::size_t k = 0; k < own.size(); ++k)
    if (x.shape[k] == 1) own[k] = 0;
  return x.at(own);
}

Input real(Index shape, double low, double high) {
  Index empty = shape;
  if (!empty.empty()) empty[0] = 0;
  return {.shape = std::move(shape), .low = low, .high = high, .empty = std::move(empty)};
}

Input spaced(Index shape) {
  Input input = real(std::move(shape));
  input.spaced = true;
  return input;
}

Input index(Index shape, Size n) {
  Input input = real(std::move(shape), 0, static_cast<double>(n));
  input.whole = true;
  return input;
}

Input empty_as(Input input, Index empty) {
  input.empty = std::move(empty);
  return input;
}

Row unary(std::string name, Variable (*f)(const Variable&), double (*reference)(double), double low,
          double high, std::vector<double> away_from) {
  Row row;
  row.name = std::move(name);
  row.f = [f](const Variables& x) { return f(x[0]); };
  row.reference = [reference](const NumbersList& x) {
    return build(x[0].shape, [&](const Index& i) { return reference(x[0].at(i)); });
  };
  row.inputs = {real({5, 7}, low, high)};
  row.inputs[0].away_from = std::move(away_from);
  row.elementwise = true;
  return row;
}

Row binary(std::string name, Variable (*f)(const Variable&, const Variable&),
           double (*reference)(double, double), Input a, Input b) {
  Row row;
  row.name = std::move(name);
  row.f = [f](const Variables& x) { return f(x[0], x[1]); };
  row.reference = [reference](const NumbersList& x) {
    return build(broadcast(x[0].shape, x[1].shape), [&](const Index& i) {
      return reference(broadcast_at(x[0], i), broadcast_at(x[1], i));
    });
  };
  row.inputs = {std::move(a), std::move(b)};
  row.broadcasts = true;
  return row;
}

Rows::Rows(std::initializer_list<Row> list) { rows().insert(rows().end(), list); }
Rows::Rows(const std::vector<Row>& list) { rows().insert(rows().end(), list.begin(), list.end()); }
const std::vector<Row>& all_rows() { return rows(); }

}  // namespace op_table
