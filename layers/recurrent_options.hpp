// What the layers of a Recurrent do besides running their cells: how directions are joined, what
// goes around a layer, and which noise helps it to generalise.
#pragma once

#include <string>
#include <vector>

#include <unroll/autograd/shape.hpp>

namespace unroll {

/// How the outputs f and b of the two directions of a layer become one.
enum class Merge {
  average,  ///< (f + b) / 2
  concat,   ///< of the features, which lie on axis 1 of a step (B, features, ...)
  mul,      ///< f b
  sum,      ///< f + b
};

/// What a layer shows, for an input x and an output f(x) of its cells.
enum class Skip {
  none,      ///< f(x)
  highway,   ///< t f(x) + (1 - t) x, t = sigmoid(x W^T + b), b -1 at first (Srivastava et al. 2015);
             ///< of images at every point
  residual,  ///< f(x) + x
};

/// All noise is drawn while a tape records, from its generator; where none does the layers are what
/// they are on average. What is said of a layer that reads another one, dropout between them and
/// skip, does not touch the input and the output of all: a single layer has none of it.
struct RecurrentOptions {
  bool operator==(const RecurrentOptions&) const = default;

  /// Every layer reads the sequence in both directions, and its outputs are merged.
  bool bidirectional = false;
  /// DropConnect (Wan et al. 2013; for recurrent weights Merity et al. 2018): dropout of the
  /// weights with these names in every cell, {"U"}, once for all steps of a sequence.
  std::vector<std::string> drop_connect = {};
  /// Probability of each number in these weights.
  double drop_connect_probability = 0.5;
  /// Probability of dropout between layers, on the outputs of each but the last.
  double dropout = 0;
  Size layers = 1;
  /// Every cell starts from Parameters, which begin as its zero_state, instead of that; of images
  /// from one number for each channel, as their size is not known. Integers are not learned, and
  /// what zero_state computes from Parameters begins as it is and is learned apart from them.
  bool learned_initial = false;
  Merge merge = Merge::concat;
  /// Of every layer but the first; dropout does not touch the x that goes around.
  Skip skip = Skip::none;
  /// Dropout between layers with one mask for all steps, another one for each sequence. Of what Gal
  /// and Ghahramani (2016) mask these are the connections between layers alone: drop_connect is for
  /// recurrent ones, and an input x is masked by x * dropout(ones({1, B, in}), p).
  double variational_dropout = 0;
  /// Zoneout of every cell: one probability, or one for each value of its State, {0.05, 0.5}; see
  /// OverTimeOptions.
  std::vector<double> zoneout = {};
};

}  // namespace unroll
