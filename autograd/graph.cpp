// A tape as Graphviz text. Each time step is a column under its heading, and what one step hands to
// the next goes down and to the right.
#include <unroll/autograd/graph.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>

#include <unroll/autograd/node.hpp>

namespace unroll {

namespace {

constexpr int kMostNumbers = 16;

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string brief(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", number);
  return text;
}

/// "0.1 -0.2\n0.3 0.4", or "" if there are too many.
std::string numbers(const Array& a) {
  if (a.size() > kMostNumbers || a.size() == 0) return "";
  std::vector<double> v = a.to_vector<double>();
  Size row = a.rank() ? a.shape().back() : 1;
  std::string text;
  for (std::size_t i = 0; i < v.size(); ++i)
    text += (i == 0 ? "" : static_cast<Size>(i) % row ? " " : "\\n") + brief(v[i]);
  return text;
}

class Drawing {
 public:
  Drawing(const TapeImpl& tape, const GraphOptions& options) : tape_(tape), options_(options) {}
  std::string text();

 private:
  bool is_drawn(const Node& node) const {
    return (options_.gradients || node.origin < 0) &&
           (options_.step < 0 || node.step == options_.step);
  }
  void collect();
  void draw_leaf(int slot);
  void draw_outside(int slot);
  std::string draw_constant(const Variable& value);
  std::string box(const std::string& id, const std::string& label, const std::string& style);
  std::string label(std::string_view title, const Shape& shape, const Array* value) const;
  void draw_node(int index);
  void draw_inputs(int index);
  std::string clusters() const;
  std::string headings() const;
  /// What a slot is called: nodes have several slots, leaves one.
  std::string id(int slot) const {
    int node = tape_.slots[slot].node;
    return node < 0 ? join("leaf", slot) : join("n", node);
  }

  const TapeImpl& tape_;
  const GraphOptions& options_;
  std::map<Size, std::map<int, std::string>> steps_;  ///< boxes by step and scope
  std::map<Size, std::string> first_;                 ///< a node of each step
  std::set<int> used_;                                ///< slots that a drawn node takes
  std::map<int, std::string> leaves_;                 ///< by slot
  std::map<const Record*, std::string> constants_;
  std::string outside_, edges_;
};

std::string Drawing::label(std::string_view title, const Shape& shape, const Array* value) const {
  std::string text = escaped(title);
  std::string digits = options_.values && value ? numbers(*value) : "";
  if (digits.empty() || shape.rank() > 0) text += "\\n" + shape.text();
  if (!digits.empty()) text += "\\n" + digits;
  return text;
}

std::string Drawing::box(const std::string& id, const std::string& text, const std::string& style) {
  return "    " + id + " [label=\"" + text + "\"" + (style.empty() ? "" : ", ") + style + "];\n";
}

void Drawing::draw_leaf(int slot) {
  const Record& record = *tape_.leaf(slot).record();
  const ParameterData* parameter = record.parameter();
  std::string title = parameter ? parameter->name : "input";
  if (title.empty()) title = "parameter";
  const char* style = parameter ? "shape=box, style=filled, fillcolor=\"#ffe2b8\""
                                : "shape=box, style=filled, fillcolor=\"#cfe5ff\"";
  outside_ += box(id(slot), label(title, record.value.shape(), &record.value), style);
  leaves_[slot] = id(slot);
}

/// A value of another step, where only one is drawn.
void Drawing::draw_outside(int slot) {
  const Node& node = tape_.nodes[tape_.slots[slot].node];
  std::string title = node.name;
  if (node.step >= 0) title += join(" of t=", node.step);
  outside_ += box(id(slot), label(title, tape_.slots[slot].shape, nullptr),
                  "shape=box, style=\"dashed,rounded\", color=\"#888888\", fontcolor=\"#666666\"");
}

std::string Drawing::draw_constant(const Variable& value) {
  auto [found, is_new] = constants_.try_emplace(value.record().get());
  if (!is_new) return found->second;
  found->second = join("constant", constants_.size());
  bool number = value.size() == 1;
  std::string text =
      number ? brief(value.item()) : label("constant", value.shape(), &value.value());
  outside_ += box(found->second, text, "shape=plaintext, fontcolor=\"#888888\"");
  return found->second;
}

void Drawing::draw_node(int index) {
  const Node& node = tape_.nodes[index];
  std::string text;
  for (int k = 0; k < node.n_results; ++k) {
    const Array* value = node.keeps_results ? &node.results()[k].value() : nullptr;
    text += label(k ? "" : node.name, tape_.slots[node.first_slot + k].shape, value);
  }
  bool is_last = true;
  for (int k = 0; k < node.n_results; ++k) is_last &= !used_.contains(node.first_slot + k);
  std::string style = "shape=box, style=\"rounded,filled\", fillcolor=";
  style += node.origin >= 0 ? "\"#f3d9ee\"" : is_last ? "\"#c9ecc4\"" : "white";
  if (node.is_view) style += ", color=\"#aaaaaa\", fontcolor=\"#777777\"";
  steps_[node.step][node.scope] += box(join("n", index), text, style);
  first_.try_emplace(node.step, join("n", index));
}

void Drawing::draw_inputs(int index) {
  const Node& node = tape_.nodes[index];
  for (int k = 0; k < node.n_inputs; ++k) {
    const NodeInput& in = node.inputs[k];
    std::string from, style;
    if (in.slot >= 0) {
      const Slot& slot = tape_.slots[in.slot];
      from = id(in.slot);
      if (slot.node < 0) {
        style = tape_.leaf(in.slot).is_parameter() ? " [color=\"#d99a3d\"]" : " [color=\"#5b97d6\"]";
      } else if (tape_.nodes[slot.node].step != node.step && tape_.nodes[slot.node].step >= 0) {
        if (node.step >= 0) style = " [color=\"#2f6d2f\", penwidth=1.6]";
      }
    } else if (!in.value.empty()) {
      from = draw_constant(in.value);
      style = " [color=\"#bbbbbb\"]";
    } else {
      continue;  // a constant that backward has released
    }
    edges_ += "  " + from + " -> " + join("n", index) + style + ";\n";
  }
}

void Drawing::collect() {
  bool found = options_.step < 0;
  for (int k = 0; k < tape_.nodes.size(); ++k) {
    if (!is_drawn(tape_.nodes[k])) continue;
    found = true;
    for (int i = 0; i < tape_.nodes[k].n_inputs; ++i) used_.insert(tape_.nodes[k].inputs[i].slot);
  }
  if (!found) fail("dot", "no node was recorded at step ", options_.step, "; see Scope::step.");
  for (int slot : used_) {
    if (slot < 0) continue;
    int node = tape_.slots[slot].node;
    if (node < 0) draw_leaf(slot);
    else if (!is_drawn(tape_.nodes[node])) draw_outside(slot);
  }
  for (int k = 0; k < tape_.nodes.size(); ++k)
    if (is_drawn(tape_.nodes[k])) {
      draw_node(k);
      draw_inputs(k);
    }
}

std::string Drawing::clusters() const {
  std::string text;
  int number = 0;
  auto open = [&](const std::string& title, const char* style) {
    return join("  subgraph cluster", number++, " {\n    label=\"", escaped(title), "\"; ", style,
                "\n");
  };
  const char* kColumn =
      "style=\"rounded,filled\"; color=\"#dddddd\"; fillcolor=\"#f6f6f6\"; fontcolor=\"#777777\";";
  const char* kScope = "style=\"rounded\"; color=\"#bbbbbb\"; fontcolor=\"#777777\";";
  for (const auto& [step, scopes] : steps_) {
    bool one = step >= 0 && scopes.size() == 1;  // then the column carries the scope's name
    auto name = [&](int scope) { return tape_.scopes[static_cast<std::size_t>(scope)]; };
    if (step >= 0) text += open(one ? name(scopes.begin()->first) : "", kColumn);
    for (const auto& [scope, boxes] : scopes) {
      bool framed = !one && !name(scope).empty();
      if (framed) text += open(name(scope), kScope);
      text += boxes;
      if (framed) text += "  }\n";
    }
    if (step >= 0) text += "  }\n";
  }
  return text;
}

/// A row of headings in order of time, each above its column.
std::string Drawing::headings() const {
  std::string boxes, chain, ties;
  for (const auto& [step, node] : first_) {
    if (step < 0) continue;
    std::string id = join("t", step);
    boxes += "    " + id + " [label=\"" + join("t=", step) + "\"];\n";
    chain += (chain.empty() ? "" : " -> ") + id;
    ties += "  " + id + " -> " + node + " [style=invis, weight=100];\n";
  }
  if (boxes.empty()) return "";
  std::string last = "  t" + std::to_string(first_.rbegin()->first);
  for (const auto& [slot, name] : leaves_) ties += last + " -> " + name + " [style=invis, weight=0];\n";
  return "  { rank=min; node [shape=plaintext, fontsize=14]; edge [color=\"#999999\"];\n" + boxes +
         "    " + chain + ";\n  }\n" + ties;
}

std::string Drawing::text() {
  collect();
  return "digraph tape {\n"
         "  rankdir=TB; newrank=true; nodesep=0.25; ranksep=0.35; fontname=\"Helvetica\";\n"
         "  node [fontname=\"Helvetica\", fontsize=11, height=0.3, margin=\"0.1,0.05\"];\n"
         "  edge [arrowsize=0.6, color=\"#555555\"];\n" +
         headings() + outside_ + clusters() + edges_ + "}\n";
}

}  // namespace

std::string dot(const Tape& tape, const GraphOptions& options) {
  return Drawing(tape.impl(), options).text();
}

void save_dot(const Tape& tape, const std::string& path, const GraphOptions& options) {
  std::string text = dot(tape, options);
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (!out.flush()) fail("save_dot", "cannot write ", path, ".");
}

}  // namespace unroll
