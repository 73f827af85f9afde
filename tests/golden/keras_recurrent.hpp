// Recurrent layers of Keras models in golden cases: the library's cells with the weights of the
// file, gates put into our order. What goes around them is in keras.cpp.
#pragma once

#include <unroll/layers/recurrent.hpp>

#include "run.hpp"

namespace golden {

using Activation = Variable (*)(const Variable&);

/// What config[key] names. Throws Unknown for what the library has not.
Activation activation_of(const Json& config, const char* key);

/// One layer in Keras's configuration: `inner` is a SimpleRNN, LSTM or GRU, `outer` the
/// Bidirectional around it, or the same. Throws Unknown for other kinds.
unroll::Recurrent recurrent_layer(const Run& run, const Json& outer, const Json& inner);

}  // namespace golden
