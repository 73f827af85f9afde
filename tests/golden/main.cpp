// The program golden: runs every case under a folder at float64 and float32 and counts. Exit codes:
// 0 all passed, 1 a case failed or is of a kind that nobody knows, 2 wrong usage or a file that cannot
// be read. Skipped is what nobody knows, what a reference has wrong itself, or what the build leaves out.
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>

#include <unroll/autograd/error.hpp>

#include "h5.hpp"
#include "run.hpp"

namespace {

using namespace golden;

struct Arguments {
  std::string folder, group, name;
  bool verbose = false;
};

const char* const kUsage = "usage: golden DIR [--group G] [--case C] [--verbose]";

/// Empty if the command line is wrong.
std::optional<Arguments> parse(int argc, char** argv) {
  Arguments a;
  for (int k = 1; k < argc; ++k) {
    const std::string word = argv[k];
    if (word == "--verbose") {
      a.verbose = true;
    } else if (word == "--group" || word == "--case") {
      if (k + 1 == argc) return {};
      (word == "--group" ? a.group : a.name) = argv[++k];
    } else if (word.starts_with("-") || !a.folder.empty()) {
      return {};
    } else {
      a.folder = word;
    }
  }
  if (a.folder.empty()) return {};
  return a;
}

enum class Outcome { passed, failed, skipped };

std::string number(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2e", x);
  return text;
}

/// What went wrong at one precision, in a line; empty if all is well.
std::string complaint(const Run& run) {
  const Run::Difference* worst = nullptr;
  for (const auto& d : run.differences())
    if (!worst || d.error > worst->error) worst = &d;
  if (worst) {
    std::string text = worst->tensor + " ";
    text += !worst->what.empty()
                ? worst->what
                : "differs by " + number(worst->error) + ", allowed " + number(worst->allowed);
    const auto others = run.differences().size() - 1;
    return others ? text + " (and " + std::to_string(others) + " more)" : text;
  }
  const auto forgotten = run.forgotten();
  return forgotten.empty() ? "" : forgotten[0] + " was not compared";
}

struct Report {
  Outcome outcome = Outcome::passed;
  std::string text;
  bool unknown = false;  // skipped, but nothing to be content with
};

/// One case at one precision.
Report run_once(const Case& c, unroll::Type type, void (*handler)(Run&)) {
  Run run(c, type);
  try {
    handler(run);
  } catch (const Unknown& unknown) {
    return {Outcome::skipped, unknown.what(), true};
  } catch (const WrongReference& reference) {
    if (!run.differences().empty()) return {Outcome::failed, complaint(run)};
    return {Outcome::skipped, reference.what()};
  } catch (const std::exception& error) {
    return {Outcome::failed, std::string("threw: ") + error.what()};
  }
  const std::string wrong = complaint(run);
  if (!wrong.empty()) return {Outcome::failed, wrong};
  return {Outcome::passed, "largest error " + number(run.largest_error())};
}

/// Both precisions; prints failures, and everything if verbose.
Report run_case(const Case& c, bool verbose) {
  const std::string title = c.group + "/" + c.name;
  auto handler = handler_of(c.group);
  if (!handler) {  // metrics are those of the programs, which a build may leave out
    return {Outcome::skipped, "no handler for group " + c.group, c.group != "metrics"};
  }
  if (c.name.ends_with(".h5") && !reads_h5())
    return {Outcome::skipped, "built without what reads .h5 files"};
  Report all, skipped;
  for (unroll::Type type : {unroll::float64, unroll::float32}) {
    if (type == unroll::float32) {
      const std::string why = float32_exception(c);
      if (!why.empty()) {
        if (verbose)
          std::printf("      %s float32: not compared (%s)\n", title.c_str(), why.c_str());
        continue;
      }
    }
    const Report one = run_once(c, type, handler);
    if (one.outcome == Outcome::skipped) skipped = one;
    if (one.outcome == Outcome::failed) all.outcome = Outcome::failed;
    if (one.outcome == Outcome::failed || verbose)
      std::printf("%s %s %s: %s\n", one.outcome == Outcome::failed ? "FAIL " : "     ",
                  title.c_str(), unroll::name_of(type), one.text.c_str());
  }
  return all.outcome == Outcome::failed || skipped.outcome == Outcome::passed ? all : skipped;
}

/// The same case with the weights that its other file holds.
Case with_weights_of_h5(Case c) {
  c.name = c.meta.at("h5");
  if (!reads_h5()) return c;
  std::erase_if(c.tensors, [](const auto& tensor) { return tensor.first.starts_with("param."); });
  for (const auto& [name, array] : read_h5(c.file.parent_path() / c.name))
    c.tensors["param." + name] = array.to(unroll::float64);
  return c;
}

std::vector<Case> read_all(const Arguments& a) {
  std::vector<Case> cases;
  for (const auto& file : find_cases(a.folder)) {
    Case c = read_case(file);
    if ((!a.group.empty() && c.group != a.group) || (!a.name.empty() && c.name != a.name)) continue;
    if (c.meta.contains("h5")) cases.push_back(with_weights_of_h5(c));
    cases.push_back(std::move(c));
  }
  if (cases.empty()) throw Unreadable(a.folder + ": holds no such case");
  return cases;
}

constexpr auto kSkipped = static_cast<std::size_t>(Outcome::skipped);

int run_all(const std::vector<Case>& cases, bool verbose) {
  std::map<std::string, std::array<int, 3>> groups;
  std::array<int, 3> total{};
  bool unknown = false;
  std::map<std::string, std::vector<std::string>> skipped;  // reason -> cases
  for (const Case& c : cases) {
    const Report report = run_case(c, verbose);
    const auto k = static_cast<std::size_t>(report.outcome);
    ++groups[c.group][k];
    ++total[k];
    unknown |= report.unknown;
    if (report.outcome == Outcome::skipped) skipped[report.text].push_back(c.group + "/" + c.name);
    std::fflush(stdout);
  }
  for (const auto& [why, names] : skipped) {
    std::printf("SKIP  %s:", why.c_str());
    for (const std::string& name : names) std::printf(" %s", name.c_str());
    std::printf("\n");
  }
  for (const auto& [group, n] : groups)
    std::printf("%-10s %4d passed, %d failed, %d skipped\n", group.c_str(), n[0], n[1], n[2]);
  std::printf("%d passed, %d failed, %d skipped\n", total[0], total[1], total[2]);
  return total[1] || unknown ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto arguments = parse(argc, argv);
  if (!arguments) {
    std::fprintf(stderr, "%s\n", kUsage);
    return 2;
  }
  std::vector<Case> cases;
  try {
    cases = read_all(*arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "golden: %s\n", error.what());
    return 2;
  }
  return run_all(cases, arguments->verbose);
}
