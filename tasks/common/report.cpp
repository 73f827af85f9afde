// The page: its style, its sections, its tables.
#include "common/report.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include <unroll/layers/gradient_flow.hpp>

#include "common/bad_input.hpp"
#include "common/files.hpp"

namespace tasks {
namespace {

namespace fs = std::filesystem;
using unroll::join;

constexpr const char* kStyle = R"(
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff;
       max-width: 1180px; margin: 2em auto; padding: 0 1em }
h1 { font-size: 1.5em } h2 { font-size: 1.1em; margin: 0 0 .5em }
main { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr));
       gap: 1.2em; align-items: start }
section { border: 1px solid #ddd; border-radius: 6px; padding: 1em; overflow-x: auto }
.wide { grid-column: 1 / -1 }
p { margin: .4em 0 0; color: #555 }
svg { width: 100%; display: block; font: 12px system-ui, sans-serif }
svg text { fill: #444 }
.grid { stroke: #e4e4e4; fill: none } .axis { stroke: #888; fill: none }
.line { fill: none; stroke-width: 1.6 } .bar { fill: #1f6fb4 }
.dots { fill: #1f6fb4; fill-opacity: .35 }
table { border-collapse: collapse; width: 100%; font-size: .93em }
th, td { text-align: left; padding: .2em .6em .2em 0; border-bottom: 1px solid #eee;
         vertical-align: top; overflow-wrap: anywhere; white-space: pre-line }
th { overflow-wrap: normal }
th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
)";

/// What a page of ours begins with, and no other: it may be replaced.
constexpr const char* kStart = "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
                               "<meta name='generator' content='unroll'>\n";

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789.,+-e% kMG") == text.npos;
}

std::string value_text(const nlohmann::ordered_json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_number_float()) return value.dump();
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value.get<double>());
  return text;
}

/// Means of some hundred neighbours, so that a line of thousands can be read.
Series smoothed(const std::string& name, const std::vector<double>& values) {
  constexpr std::size_t kPoints = 250;
  const std::size_t width = std::max<std::size_t>(1, values.size() / kPoints);
  Series series{name};
  for (std::size_t first = 0; first < values.size(); first += width) {
    const std::size_t end = std::min(values.size(), first + width);
    double sum = 0;
    for (std::size_t k = first; k < end; ++k) sum += values[k];
    series.x.push_back(static_cast<double>(first + end) / 2);
    series.y.push_back(sum / static_cast<double>(end - first));
  }
  return series;
}

}  // namespace

void Report::section(const std::string& heading, const std::string& html, bool wide) {
  body_ += join(wide ? "<section class='wide'><h2>" : "<section><h2>", escaped(heading), "</h2>\n",
                html, "</section>\n");
}

void Report::picture(const std::string& heading, const std::string& svg,
                     const std::string& remark) {
  section(heading, svg + (remark.empty() ? "" : "<p>" + escaped(remark) + "</p>\n"));
}

void Report::training(const Fitted& fitted) {
  const History& history = fitted.history;
  picture("Loss while learning",
          line_chart({smoothed("", history.loss)}, {.x = "batches", .y = "loss"}),
          join(fitted.steps, " batches in ", clock_text(fitted.seconds), ", with dropout."));
  std::vector<Series> scores;
  for (const History::Epoch& epoch : history.epochs)
    for (std::size_t k = 0; k < epoch.scores.size(); ++k) {
      if (k == scores.size()) scores.push_back({epoch.scores[k].first});
      scores[k].x.push_back(epoch.epochs);
      scores[k].y.push_back(epoch.scores[k].second);
    }
  const double best = history.epochs.at(static_cast<std::size_t>(fitted.best)).epochs;
  for (const Series& score : scores)
    picture("Validation: " + score.name, line_chart({score}, {.x = "epochs", .y = score.name}),
            "The network after epoch " + join(best) + " was kept.");
  facts("Training", fitted.settings);
  picture("Norm of the gradient",
          line_chart({smoothed("", history.gradient_norm)},
                     {.x = "batches", .y = "norm before clipping", .log_y = true}));
}

void Report::lengths(const std::vector<Size>& lengths, const Axes& axes) {
  picture("Lengths", histogram({lengths.begin(), lengths.end()}, axes));
}

void Report::gradient_through_time(const unroll::Variable& loss,
                                   const unroll::RecurrentStates& states,
                                   const std::string& remark) {
  const unroll::Recurrent::State norms = gradient_norms(loss, states);
  std::vector<Series> cells;
  for (const unroll::CellState& norm : norms.cells) {
    Series cell{join("cell ", cells.size() + 1)};
    cell.y = norm.values()[0].value().to_vector<double>();
    for (std::size_t t = 0; t < cell.y.size(); ++t) cell.x.push_back(static_cast<double>(t));
    cells.push_back(std::move(cell));
  }
  picture("Norm of the gradient through time",
          line_chart(cells, {.x = "time step", .y = "|dL/dh_t|", .log_y = true}),
          remark + (cells.size() > 1 ? " Cells by layers, forward before backward." : ""));
}

void Report::layers(const unroll::Module& net) {
  std::vector<std::vector<std::string>> rows{{"Parameter", "shape", "numbers"}};
  for (const unroll::NamedParameter& p : net.named_parameters())
    rows.push_back({p.name, join(p.parameter.shape()), std::to_string(p.parameter.size())});
  rows.push_back({"all together", "", std::to_string(net.parameter_count())});
  table("Layers", rows);
}

void Report::facts(const std::string& heading, const nlohmann::ordered_json& object) {
  std::string html = "<table>\n";
  for (const auto& [name, value] : object.items())
    html +=
        join("<tr><td>", escaped(name), "</td><td>", escaped(value_text(value)), "</td></tr>\n");
  section(heading, html + "</table>\n");
}

void Report::table(const std::string& heading, const std::vector<std::vector<std::string>>& rows) {
  constexpr std::size_t kLong = 60;
  bool wide = false;
  const auto is_number_column = [&](std::size_t column) {
    return rows.size() > 1 && is_number(rows[1].at(column));
  };
  std::string html = "<table>\n";
  for (std::size_t r = 0; r < rows.size(); ++r) {
    html += "<tr>";
    for (std::size_t c = 0; c < rows[r].size(); ++c) {
      const std::string& cell = rows[r][c];
      wide = wide || cell.size() > kLong;
      const char* style = is_number_column(c) ? " class='number'>" : ">";
      html += join(r == 0 ? "<th" : "<td", style, escaped(cell), r == 0 ? "</th>" : "</td>");
    }
    html += "</tr>\n";
  }
  section(heading, html + "</table>\n", wide);
}

void Report::save(const std::string& folder) const {
  const std::string page = join(kStart, "<title>", escaped(title_), "</title>\n<style>", kStyle,
                                "</style></head><body>\n<h1>", escaped(title_), "</h1>\n<main>\n",
                                body_, "</main></body></html>\n");
  write_file((fs::path(folder) / "index.html").string(), page);
}

void require_report_place(const std::string& folder) {
  std::error_code problem;
  if (fs::exists(folder, problem) && !fs::is_directory(folder, problem))
    bad_input(folder, ": is not a folder; a report needs one");
  fs::create_directory(folder, problem);
  if (problem) bad_input(folder, ": no such folder, and none can be made: ", problem.message());
  require_replaceable((fs::path(folder) / "index.html").string(), kStart);
}

void require_report_place(const TrainingOptions& options) {
  if (!options.report.empty()) require_report_place(options.report);
}

}  // namespace tasks
