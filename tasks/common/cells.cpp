// The table of cells that programs offer: all that read one vector a step and learn their weights.
#include "common/cells.hpp"

#include <map>

#include <unroll/layers/layers.hpp>

#include "common/bad_input.hpp"

namespace tasks {
namespace {

using namespace unroll;

using Make = Recurrent (*)(Size in, Size hidden, const RecurrentOptions& options);

template <class C>
Recurrent made(Size in, Size hidden, const RecurrentOptions& options) {
  return recurrent<C>(in, hidden, options);
}

const std::map<std::string, Make>& cells() {
  static const std::map<std::string, Make> table{
      {"coupled-lstm", made<CoupledLSTM>},
      {"elman", made<Elman>},
      {"gru", made<GRU>},
      {"gru-reset-before", made<GRUResetBefore>},
      {"indrnn", made<IndRNN>},
      {"layer-norm-lstm", made<LayerNormLSTM>},
      {"leaky", made<LeakyIntegrator>},
      {"lstm", made<LSTM>},
      {"mgu", made<MGU>},
      {"multiplicative", made<MultiplicativeRNN>},
      {"peephole-lstm", made<PeepholeLSTM>},
      {"recurrent-highway", made<RecurrentHighway>},
      {"sru", made<SRU>},
  };
  return table;
}

}  // namespace

const std::vector<std::string>& cell_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const auto& [name, make] : cells()) list.push_back(name);
    return list;
  }();
  return names;
}

Recurrent recurrent_of(const std::string& cell, Size in, Size hidden,
                       const RecurrentOptions& options) {
  const auto place = cells().find(cell);
  if (place != cells().end()) return place->second(in, hidden, options);
  std::string list;
  for (const std::string& name : cell_names()) list += (list.empty() ? "" : ", ") + name;
  bad_input("no cell '", cell, "'; expected one of ", list);
}

}  // namespace tasks
