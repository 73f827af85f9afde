// Counts what a tape holds. Times are measured where nodes are recorded and visited, with
// TapeOptions::profile.
#include <unroll/autograd/report.hpp>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include <unroll/autograd/node.hpp>

namespace unroll {

namespace {

void add_to(TapeRow& row, const TapeRow& one) {
  row.nodes += one.nodes;
  row.bytes += one.bytes;
  row.kept += one.kept;
  row.forward += one.forward;
  row.backward += one.backward;
}

/// Bytes of the buffers that a node holds and no node before it.
Size kept_by(const Node& node, std::set<const Buffer*>& seen) {
  Size bytes = 0;
  auto count = [&](const Variable& v) {
    if (v.empty() || v.is_parameter() || !v.value().buffer()) return;
    const Buffer* buffer = v.value().buffer().get();
    if (seen.insert(buffer).second) bytes += static_cast<Size>(buffer->bytes);
  };
  for (int k = 0; k < node.n_inputs; ++k) count(node.inputs[k].value);
  for (int k = 0; node.keeps_results && k < node.n_results; ++k) count(node.results()[k]);
  return bytes;
}

TapeRow row_of(const TapeImpl& tape, int index, std::set<const Buffer*>& seen) {
  const Node& node = tape.nodes[index];
  TapeRow row;
  row.nodes = 1;
  row.kept = kept_by(node, seen);
  for (int k = 0; k < node.n_results && !node.is_view; ++k) {
    const Slot& slot = tape.slots[node.first_slot + k];
    row.bytes += slot.shape.count() * bytes_of(slot.type);
  }
  if (static_cast<std::size_t>(index) < tape.times.size()) {
    row.forward = tape.times[static_cast<std::size_t>(index)].forward;
    row.backward = tape.times[static_cast<std::size_t>(index)].backward;
  }
  return row;
}

std::string count_text(Size n) {
  std::string text = std::to_string(n);
  for (int k = static_cast<int>(text.size()) - 3; k > 0; k -= 3)
    text.insert(static_cast<std::size_t>(k), ",");
  return text;
}

std::string bytes_text(Size bytes) {
  char text[32];
  if (bytes < 10000) return count_text(bytes) + " B";
  double k = static_cast<double>(bytes) / 1024;
  if (k < 10000) std::snprintf(text, sizeof text, "%.1f KiB", k);
  else std::snprintf(text, sizeof text, "%.1f MiB", k / 1024);
  return text;
}

std::string milliseconds(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f ms", seconds * 1e3);
  return text;
}

using Cells = std::vector<std::string>;

Cells cells_of(const TapeRow& row, bool timed) {
  Cells cells{row.name, count_text(row.nodes), bytes_text(row.bytes), bytes_text(row.kept)};
  if (timed) {
    cells.push_back(milliseconds(row.forward));
    cells.push_back(milliseconds(row.backward));
  }
  return cells;
}

/// Columns as wide as they must be, the first one to the left, the others to the right.
std::string table(const std::vector<Cells>& rows) {
  std::vector<std::size_t> widths(rows[0].size());
  for (const Cells& row : rows)
    for (std::size_t k = 0; k < row.size(); ++k) widths[k] = std::max(widths[k], row[k].size());
  std::string text;
  for (const Cells& row : rows) {
    for (std::size_t k = 0; k < row.size(); ++k) {
      std::string space(widths[k] - row[k].size(), ' ');
      text += k == 0 ? row[k] + space : "  " + space + row[k];
    }
    text += '\n';
  }
  return text;
}

}  // namespace

TapeReport report(const Tape& tape) {
  const TapeImpl& impl = tape.impl();
  TapeReport result;
  result.timed = impl.options.profile;
  result.total.name = "total";
  std::map<std::string, TapeRow> ops;
  std::map<Size, TapeRow> steps;
  std::set<const Buffer*> seen;
  for (int k = 0; k < impl.nodes.size(); ++k) {
    TapeRow row = row_of(impl, k, seen);
    add_to(ops[impl.nodes[k].name], row);
    add_to(steps[impl.nodes[k].step], row);
    add_to(result.total, row);
  }
  for (auto& [name, row] : ops) {
    row.name = name;
    result.ops.push_back(row);
  }
  for (auto& [step, row] : steps) {
    row.step = step;
    row.name = step < 0 ? std::string("no step") : join("t=", step);
    result.steps.push_back(row);
  }
  std::stable_sort(result.ops.begin(), result.ops.end(), [&](const TapeRow& a, const TapeRow& b) {
    if (result.timed) return a.forward + a.backward > b.forward + b.backward;
    return a.bytes > b.bytes;
  });
  return result;
}

std::string TapeReport::text() const {
  auto section = [&](const char* title, const std::vector<TapeRow>& rows) {
    Cells head{title, "nodes", "results", "kept"};
    if (timed) head.insert(head.end(), {"forward", "backward"});
    std::vector<Cells> lines{head};
    for (const TapeRow& row : rows) lines.push_back(cells_of(row, timed));
    lines.push_back(cells_of(total, timed));
    return table(lines);
  };
  return section("op", ops) + "\n" + section("step", steps);
}

}  // namespace unroll
