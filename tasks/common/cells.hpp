// Recurrent cells by name, for --cell. Cells themselves are the library's (layers/cells).
#pragma once

#include <string>
#include <vector>

#include <unroll/layers/recurrent.hpp>

namespace tasks {

/// "coupled-lstm", "elman", "gru" and so on, in alphabetical order.
const std::vector<std::string>& cell_names();

/// Layers of the cell of that name, as unroll::recurrent<GRU>(in, hidden, options) makes them.
/// Throws BadInput for a name that is none of cell_names().
unroll::Recurrent recurrent_of(const std::string& cell, unroll::Size in, unroll::Size hidden,
                               const unroll::RecurrentOptions& options = {});

}  // namespace tasks
