// Weights of golden cases that lie in .h5 files. They are read by what the programs read them with;
// where that is not built, such cases are skipped.
#pragma once

#include <filesystem>

#include <unroll/layers/named_arrays.hpp>

namespace golden {

bool reads_h5();
/// By name, "gru/kernel". Throws what the reader throws.
unroll::NamedArrays read_h5(const std::filesystem::path& file);

}  // namespace golden
