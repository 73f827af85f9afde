// Weights that other frameworks have trained, under our names and in our order. How their files are
// read is not told here: PyTorch's state dicts come as safetensors (save.hpp).
#pragma once

#include <utility>
#include <vector>

#include <unroll/layers/module.hpp>
#include <unroll/layers/named_arrays.hpp>

namespace unroll {

/// Gives every Parameter the array of its name, converted to its element type. `source` stands in
/// errors. Throws Error that lists every missing and unexpected name and every wrong shape; then
/// nothing was changed.
///
///     Net net;                                                   // with an encoder and a readout
///     assign(net, from_pytorch(load_arrays("net.safetensors").arrays), "net.safetensors");
void assign(Module& module, const NamedArrays& arrays, const std::string& source);

/// A state dict of PyTorch as the Modules here name their Parameters:
///
///     weight_ih_l0, weight_hh_l0_reverse    layer0.W, layer0_reverse.U of a Recurrent
///     weight_ih, weight_hh (RNNCell ...)    W, U of a cell
///     weight_hr_l0                          layer0.P
///     bias_ih_l0, bias_hh_l0                layer0.b, their sum; of a GRU b and bh
///     weight, bias                          W, b; of one axis, LayerNorm, gain, bias
///
/// each after the same path. Gates have the same order in both. Other names stay as they are.
/// Throws Error naming an array whose shape is that of no LSTM, GRU or Elman layer.
NamedArrays from_pytorch(const NamedArrays& state_dict);

/// Weights of Keras 2, named "layer/kernel" and so on, transposed, with gates in our order:
///
///     lstm/kernel, recurrent_kernel, bias       lstm.W, U, b; gates i, f, c, o are our i, f, g, o
///     gru/... with bias (2, 3 units)            a GRU's W, U, b, bh; gates z, r, h become r, z, n
///     gru/... with bias (3 units)               a GRUResetBefore's W, U, b, Wn, Un, bn
///     simple_rnn/...                            W, U, b
///     bi/forward_lstm/..., bi/backward_lstm/... bi.layer0.W ..., bi.layer0_reverse.W ...
///     dense/kernel, bias                        dense.W, b
///     embedding/embeddings                      embedding.W
///     norm/gamma, norm/beta                     norm.gain, norm.bias
///
/// A GRU without bias counts as one that resets after the product. Throws Error as from_pytorch.
NamedArrays from_keras(const NamedArrays& weights);

/// The same arrays with other beginnings of their names: {{"lstm", "rnn.layer0"}} makes
/// rnn.layer0.W of lstm.W. The first pair that fits a name is taken. Throws Error if two arrays
/// come to one name.
NamedArrays renamed(const NamedArrays& arrays,
                    const std::vector<std::pair<std::string, std::string>>& beginnings);

}  // namespace unroll
