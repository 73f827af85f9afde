// Arrays and texts by name: what a saved file holds, and what optimisers and schedules hand out as
// their state. How they get into a file is in save.hpp.
#pragma once

#include <map>
#include <string>

#include <unroll/autograd/array.hpp>

namespace unroll {

/// Arrays by name, in alphabetical order.
using NamedArrays = std::map<std::string, Array>;
/// Texts by name: settings, a vocabulary, scores.
using Metadata = std::map<std::string, std::string>;

}  // namespace unroll
