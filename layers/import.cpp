// Names and gate orders of PyTorch and Keras. The tables are in import.hpp; assign() is in
// save.cpp.
#include <unroll/layers/import.hpp>

#include <algorithm>
#include <set>
#include <string_view>

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/reshape.hpp>

namespace unroll {

namespace {

std::string path(const std::string& start, const std::string& end) {
  return start.empty() ? end : start + "." + end;
}

void put(NamedArrays& to, const std::string& name, const Variable& value) {
  if (!to.emplace(name, value.value().contiguous()).second)
    fail("import", "two arrays come to the name ", name, ".");
}

/// The arrays of one recurrent cell by what they are, and where it stands.
struct ForeignCell {
  std::string place;
  NamedArrays parts;

  bool has(const std::string& part) const { return parts.contains(part); }
  const Array& at(const std::string& part) const {
    const auto found = parts.find(part);
    if (found == parts.end()) fail("import", "a cell ", place, " without ", part, ".");
    return found->second;
  }
  /// A bias of that many numbers, or two of them, one on the other.
  const Array& bias(const std::string& part, Size numbers, bool may_be_two = false) const {
    const Array& b = at(part);
    if (b.shape() != Shape{numbers} && !(may_be_two && b.shape() == Shape{2, numbers}))
      fail("import", place, " ", part, " is ", b.shape(), "; expected ", Shape{numbers},
           may_be_two ? join(" or ", Shape{2, numbers}) : std::string(), ".");
    return b;
  }
  /// How many gates: U is (gates n, n) or, as Keras has it, (n, gates n).
  Size gates(const std::string& part) const {
    const Array& u = at(part);
    if (u.rank() != 2) fail("import", place, " ", part, " is ", u.shape(), "; expected two axes.");
    const Size least = std::min(u.size(0), u.size(1)), most = std::max(u.size(0), u.size(1));
    const Size count = least > 0 && most % least == 0 ? most / least : 0;
    if (count != 1 && count != 3 && count != 4)
      fail("import", place, " ", part, " is ", u.shape(),
           "; expected 1, 3 or 4 gates as an Elman layer, a GRU or an LSTM has.");
    return count;
  }
};

// Names are cut by hand: std::regex calls itself for each character, and files name their arrays
// as they like.

bool ends(std::string& name, std::string_view end) {
  if (!name.ends_with(end)) return false;
  name.resize(name.size() - end.size());
  return true;
}

/// "encoder.lstm" and "weight" of "encoder.lstm.weight"; nothing and "weight" of "weight".
std::pair<std::string, std::string> cut_last(const std::string& name, char sign) {
  const std::size_t k = name.rfind(sign);
  if (k == name.npos) return {"", name};
  return {name.substr(0, k), name.substr(k + 1)};
}

// ---- PyTorch -----------------------------------------------------------------------------------

struct CellPart {
  std::string place, part;
};

/// "rnn.weight_ih_l0_reverse" is the weight_ih of the cell rnn.layer0_reverse, "cell.bias_hh" the
/// bias_hh of cell; other names are no part of any.
CellPart cell_part(const std::string& name) {
  static const std::set<std::string> parts{"bias_hh",   "bias_hr",   "bias_ih",
                                           "weight_hh", "weight_hr", "weight_ih"};
  auto [owner, last] = cut_last(name, '.');
  const std::string reverse = ends(last, "_reverse") ? "_reverse" : "";
  const std::size_t layer = std::min(last.find("_l"), last.size());
  const std::string number = last.substr(std::min(layer + 2, last.size()));
  const bool is_number = !number.empty() && number.find_first_not_of("0123456789") == number.npos;
  if (is_number) last.resize(layer);
  if (!parts.contains(last) || (!is_number && !reverse.empty())) return {};
  return {is_number ? path(owner, "layer" + number + reverse) : owner, last};
}

void put_pytorch(const ForeignCell& cell, NamedArrays& to) {
  const auto name = [&](const char* end) { return path(cell.place, end); };
  put(to, name("W"), cell.at("weight_ih"));
  put(to, name("U"), cell.at("weight_hh"));
  if (cell.has("weight_hr")) put(to, name("P"), cell.at("weight_hr"));
  if (!cell.has("bias_ih") && !cell.has("bias_hh")) return;
  const bool is_gru = !cell.has("weight_hr") && cell.gates("weight_hh") == 3;
  const Array& u = cell.at("weight_hh");
  const Size numbers = u.rank() > 0 ? u.size(0) : 0;
  const Variable b = cell.bias("bias_ih", numbers), bh = cell.bias("bias_hh", numbers);
  put(to, name("b"), is_gru ? b : b + bh);
  if (is_gru) put(to, name("bh"), bh);
}

// ---- Keras -------------------------------------------------------------------------------------

/// Those gates of the last axis, which has `count` of them, as rows.
Variable gates_of(const Array& weight, Size count, const std::vector<Size>& order) {
  const Variables parts = chunk(Variable(weight), count, -1);
  Variables chosen;
  for (Size k : order) chosen.push_back(parts[static_cast<std::size_t>(k)]);
  const Variable all = concat(chosen);
  return all.rank() == 2 ? transpose(all) : all;
}

/// W, U and b of these gates, with `end` behind their names.
void put_gates(const ForeignCell& cell, const std::vector<Size>& order, const std::string& end,
               NamedArrays& to) {
  const Size count = cell.gates("recurrent_kernel");
  put(to, path(cell.place, "W" + end), gates_of(cell.at("kernel"), count, order));
  put(to, path(cell.place, "U" + end), gates_of(cell.at("recurrent_kernel"), count, order));
  if (!cell.has("bias")) return;
  const Array& bias = cell.bias("bias", cell.at("recurrent_kernel").size(1), count == 3);
  const bool both = bias.rank() == 2;  // of the input and of the state
  put(to, path(cell.place, "b" + end), gates_of(both ? bias[0] : bias, count, order));
  if (both) put(to, path(cell.place, "bh" + end), gates_of(bias[1], count, order));
}

void put_keras(const ForeignCell& cell, NamedArrays& to) {
  const Size count = cell.gates("recurrent_kernel");
  const bool resets_before = count == 3 && cell.has("bias") && cell.at("bias").rank() == 1;
  if (resets_before) {
    put_gates(cell, {0, 1}, "", to);
    put_gates(cell, {2}, "n", to);
  } else if (count == 3) {
    put_gates(cell, {1, 0, 2}, "", to);
  } else {
    put_gates(cell, count == 4 ? std::vector<Size>{0, 1, 2, 3} : std::vector<Size>{0}, "", to);
  }
}

/// "bi/forward_lstm" as "bi.layer0", "encoder/lstm" as "encoder.lstm".
std::string keras_place(const std::string& layer) {
  const auto [owner, last] = cut_last(layer, '/');
  std::string place = layer;
  if (last.size() < layer.size()) {
    if (last.starts_with("forward_")) place = owner + "/layer0";
    if (last.starts_with("backward_")) place = owner + "/layer0_reverse";
  }
  std::ranges::replace(place, '/', '.');
  return place;
}

}  // namespace

NamedArrays from_pytorch(const NamedArrays& state_dict) {
  std::map<std::string, ForeignCell> cells;
  NamedArrays result;
  for (const auto& [name, array] : state_dict) {
    if (const CellPart of = cell_part(name); !of.part.empty()) {
      ForeignCell& cell = cells[of.place];
      cell.place = of.place;
      cell.parts[of.part] = array;
      continue;
    }
    const auto [owner, last] = cut_last(name, '.');
    if (last != "weight" && last != "bias") {
      put(result, name, array);
      continue;
    }
    const auto weight = state_dict.find(path(owner, "weight"));
    const bool is_norm = weight != state_dict.end() && weight->second.rank() == 1;
    const char* ours = last == "weight" ? (is_norm ? "gain" : "W") : (is_norm ? "bias" : "b");
    put(result, path(owner, ours), array);
  }
  for (const auto& [place, cell] : cells) put_pytorch(cell, result);
  return result;
}

NamedArrays from_keras(const NamedArrays& weights) {
  static const std::map<std::string, std::string> ours{
      {"beta", "bias"}, {"bias", "b"}, {"embeddings", "W"}, {"gamma", "gain"}, {"kernel", "W"}};
  std::map<std::string, ForeignCell> layers;
  for (const auto& [name, array] : weights) {
    const std::size_t slash = name.rfind('/');
    const std::string layer = slash == name.npos ? "" : name.substr(0, slash);
    layers[layer].place = keras_place(layer);
    layers[layer].parts[slash == name.npos ? name : name.substr(slash + 1)] = array;
  }
  NamedArrays result;
  for (const auto& [name, layer] : layers) {
    if (layer.has("recurrent_kernel")) {
      put_keras(layer, result);
      continue;
    }
    for (const auto& [part, array] : layer.parts) {
      const auto known = ours.find(part);
      const Variable value =
          part == "kernel" && array.rank() == 2 ? transpose(Variable(array)) : Variable(array);
      put(result, path(layer.place, known == ours.end() ? part : known->second), value);
    }
  }
  return result;
}

NamedArrays renamed(const NamedArrays& arrays,
                    const std::vector<std::pair<std::string, std::string>>& beginnings) {
  NamedArrays result;
  for (const auto& [name, array] : arrays) {
    std::string now = name;
    for (const auto& [from, to] : beginnings)
      if (name == from || name.starts_with(from + ".")) {
        now = to + name.substr(from.size());
        break;
      }
    put(result, now, array);
  }
  return result;
}

}  // namespace unroll
