// Weights in the .h5 files of Keras 2. What becomes of their names and gates is the library's
// business (from_keras in layers/import.hpp).
#pragma once

#include <string>

#include <unroll/layers/named_arrays.hpp>

namespace tasks {

/// Whether the program was built with HDF5's C library.
bool reads_keras_files();

/// The arrays of a file that save_weights() or save() of Keras 2 has written, as "layer/kernel" and
/// so on: without the ":0" at the end, and without the cell's own name, which tf.keras puts between
/// ("lstm/lstm_cell/kernel" is "lstm/kernel").
///
///     assign(net, from_keras(read_keras_file("tagger.h5")), "tagger.h5");
///
/// Throws BadInput "FILE: what is wrong" for a file that is missing, is not HDF5 or not Keras's, or
/// holds anything but numbers, and if the program was built without HDF5.
unroll::NamedArrays read_keras_file(const std::string& path);

}  // namespace tasks
