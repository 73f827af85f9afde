// Arrays as xtensor containers and back; opt-in, because xtensor costs seconds to compile.
// No other public header includes xtensor, whose headers moved in version 0.26.
#pragma once

#if __has_include(<xtensor/containers/xarray.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/containers/xarray.hpp>
#include <xtensor/core/xnoalias.hpp>
#else
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xnoalias.hpp>
#endif

#include <unroll/autograd/array.hpp>

namespace unroll {

/// An Array from any xtensor expression of float, double or an integer type.
template <class E>
Array to_array(const xt::xexpression<E>& expression) {
  using V = typename E::value_type;
  using T = std::conditional_t<std::is_integral_v<V>, Size, V>;
  const E& e = expression.derived_cast();
  Shape shape;
  for (auto size : e.shape()) shape.push_back(static_cast<Size>(size));
  Array a = Array::uninitialised(shape, type_of<T>);
  auto target = xt::adapt(a.mutable_data<T>(), static_cast<std::size_t>(a.size()),
                          xt::no_ownership(), std::vector<std::size_t>(shape.begin(), shape.end()));
  xt::noalias(target) = xt::cast<T>(e);
  return a;
}

/// The numbers of an Array as an xtensor container of its own (a copy).
template <class T>
xt::xarray<T> as_xt(const Array& array) {
  Array a = array.contiguous();
  std::vector<std::size_t> shape(a.shape().begin(), a.shape().end());
  xt::xarray<T> copy = xt::xarray<T>::from_shape(shape);
  if (a.size() > 0) std::copy_n(a.data<T>(), a.size(), copy.data());
  return copy;
}

}  // namespace unroll
