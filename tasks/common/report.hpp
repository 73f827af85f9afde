// Report: what a run was, as one HTML page with pictures, that needs nothing beside itself. The
// pictures are charts.hpp's; which of them a page has is decided by each program.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <unroll/layers/recurrent.hpp>

#include "common/charts.hpp"
#include "common/fit.hpp"

namespace tasks {

/// Sections in the order in which they are added.
///
///     Report report("sentiment_rating: rnn");
///     report.training(fitted);
///     report.picture("Predicted against true", scatter_chart(...), "Reviews held out.");
///     report.layers(net);
///     report.save("run1");                        // run1/index.html
class Report {
 public:
  explicit Report(const std::string& title) : title_(title) {}

  /// Loss and norm of the gradient of the batches, and each score by epoch.
  void training(const Fitted& fitted);
  /// How long sequences are; `axes` says of what.
  void lengths(const std::vector<Size>& lengths, const Axes& axes);
  /// |dL/dh_t| by the states of each cell, for a loss recorded on the present tape.
  void gradient_through_time(const unroll::Variable& loss, const unroll::RecurrentStates& states,
                             const std::string& remark);
  void picture(const std::string& heading, const std::string& svg, const std::string& remark = "");
  /// Every Parameter with its shape.
  void layers(const unroll::Module& net);
  /// Names and values: settings, scores.
  void facts(const std::string& heading, const nlohmann::ordered_json& object);
  /// The first row is the header. Columns of numbers are set flush right.
  void table(const std::string& heading, const std::vector<std::vector<std::string>>& rows);

  /// Writes FOLDER/index.html, which may have been there, in one move. Throws BadInput if that
  /// fails.
  void save(const std::string& folder) const;

 private:
  void section(const std::string& heading, const std::string& html, bool wide = false);

  std::string title_, body_;
};

/// Throws BadInput if save() could not write there, or would replace a page of another's; makes the
/// folder, if only itself is missing.
void require_report_place(const std::string& folder);
/// The same for the folder of a training, if it has one.
void require_report_place(const TrainingOptions& options);

}  // namespace tasks
