// Loops that read or add to elements chosen by int64 indices, for the .cpp files of ops. Nothing is
// recorded here; the ops are in index.hpp.
#pragma once

#include <unroll/autograd/array.hpp>

namespace unroll::kernel {

/// Throws Error("[op] ...") unless index is int64 and in [0, n), n being x's size along the axis.
/// To be given what the user gave: Op widens float32 beside float64.
void check_index(std::string_view op, const Array& index, int axis, const Shape& x);

// All of these want checked indices.

/// y[i][j][k] = x[i][index[i][j][k]][k] for axis 1.
Array gather(const Array& x, int axis, const Array& index);
/// target[i][index[i][j][k]][k] += source[i][j][k] for axis 1.
void scatter_add(Array& target, int axis, const Array& index, const Array& source);
/// Slices of x along an axis, which is replaced by the axes of index.
Array take(const Array& x, int axis, const Array& index);
/// Slices of target at the indices += those of source; index `padding` is left out.
void add_taken(Array& target, int axis, const Array& index, const Array& source, Size padding = -1);

}  // namespace unroll::kernel
