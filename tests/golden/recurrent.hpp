// Recurrent layers of golden cases: built from the metadata out of the library's own cells, with
// the weights of the file under PyTorch's names.
#pragma once

#include "run.hpp"

namespace golden {

struct RecurrentResult {
  Variable y, hn, cn;  ///< (T, B, H), (layers * directions, B, H), the same for an LSTM
};

/// Runs in.x through the layers that kind, num_layers, bidirectional, ... describe, with
/// in.lengths, in.h0 and in.c0 where the file has them; their Parameters stand for param.* from now
/// on. Throws Unknown for a kind that the library has not.
RecurrentResult run_recurrent(Run& run);

/// out() of y, hn and, for an LSTM, cn.
void give(Run& run, const RecurrentResult& result);

}  // namespace golden
