// Charts and the page around them: what is drawn, that it is whole, and where it may be written.
#include <cmath>
#include <limits>

#include <boost/test/unit_test.hpp>

#include <unroll/layers/linear.hpp>

#include "common/bad_input.hpp"
#include "common/report.hpp"
#include "program.hpp"

using namespace tasks;

namespace {

Size count(const std::string& text, const std::string& part) {
  Size n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++n;
  return n;
}

/// Every element that is opened is closed in its turn.
bool is_well_formed(const std::string& html) {
  std::vector<std::string> open;
  for (std::size_t at = 0; (at = html.find('<', at)) != html.npos;) {
    const std::size_t end = html.find('>', at);
    if (end == html.npos) return false;
    const std::string tag = html.substr(at + 1, end - at - 1);
    at = end;
    const std::string name = tag.substr(0, tag.find_first_of(" /", 1));
    if (tag[0] == '!' || tag.back() == '/' || name == "meta") continue;
    if (tag[0] != '/') {
      open.push_back(name);
    } else {
      if (open.empty() || "/" + open.back() != tag) return false;
      open.pop_back();
    }
  }
  return open.empty();
}

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

Fitted some_training() {
  Fitted fitted;
  for (int k = 1; k <= 1000; ++k) {
    fitted.history.loss.push_back(10. / k);
    fitted.history.gradient_norm.push_back(k % 7);
  }
  for (int epoch = 1; epoch <= 3; ++epoch) {
    History::Epoch e;
    e.epochs = epoch;
    e.scores = {{"mse", 4. / epoch}, {"r2", 1 - 0.3 / epoch}};
    fitted.history.epochs.push_back(e);
  }
  fitted.best = 2;
  fitted.steps = 1000;
  return fitted;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(report)

BOOST_AUTO_TEST_CASE(lines) {
  const Axes axes{.x = "step", .y = "a < b"};
  const std::string one = line_chart({{"only", {0, 1, 2}, {3, 5, 4}}}, axes);
  BOOST_TEST(is_well_formed(one));
  BOOST_TEST(count(one, "<circle") == 3);
  BOOST_TEST(count(one, "a &lt; b") == 1);
  BOOST_TEST(count(one, "only") == 0);  // nothing to tell apart
  BOOST_TEST(one.find("d='M62 256L305 12L548 134'") != one.npos);
  const std::string two =
      line_chart({{"first", {0, 1}, {3, kNan}}, {"second", {0, kInf, 2}, {1, 2, 1}}}, axes);
  BOOST_TEST(count(two, "<circle") == 3);
  BOOST_TEST(count(two, "second") == 1);
  BOOST_TEST(count(two, "nan") + count(two, "inf") == 0);
  BOOST_TEST(is_well_formed(line_chart({}, axes)));
  BOOST_TEST(count(one, ">-0") == 0);
}

BOOST_AUTO_TEST_CASE(logarithms) {
  const std::string svg = line_chart({{"", {0, 1, 2, 3}, {1, 10, 0, 100}}}, {.log_y = true});
  BOOST_TEST(count(svg, "<circle") == 3);
  BOOST_TEST(svg.find("d='M62 256L224 134L548 12'") != svg.npos);
  for (const char* label : {">10<", ">100<"}) BOOST_TEST(count(svg, label) == 1);
  const std::string small = line_chart({{"", {0, 1}, {0.0001, 0.01}}}, {.log_y = true});
  for (const char* label : {">1e-4<", ">0.001<", ">0.01<"})
    BOOST_TEST(count(small, label) == 1, label);
  // Where powers of ten are too few to read a scale by, there is something between.
  const std::string narrow = line_chart({{"", {0, 1}, {0.007, 0.035}}}, {.log_y = true});
  for (const char* label : {">0.01<", ">0.02<", ">0.03<"})
    BOOST_TEST(count(narrow, label) == 1, label);
  const std::string wider = line_chart({{"", {0, 30}, {0.15, 3}}}, {.log_y = true});
  for (const char* label : {">0.2<", ">0.5<", ">1<", ">2<"})
    BOOST_TEST(count(wider, label) == 1, label);
}

BOOST_AUTO_TEST_CASE(ticks_can_be_told_apart) {
  const std::string svg = line_chart({{"", {0, 1}, {3.2301, 3.2399}}}, {});
  for (const char* label : {">3.232<", ">3.234<", ">3.236<", ">3.238<"})
    BOOST_TEST(count(svg, label) == 1);
}

BOOST_AUTO_TEST_CASE(dots_bars_and_matrices) {
  const std::string dots = scatter_chart({"", {1, 2, 3}, {1, 2, kNan}}, {});
  BOOST_TEST(is_well_formed(dots));
  BOOST_TEST(count(dots, "<circle") == 2);
  const std::string bars = histogram({1, 1, 1, 1.5, kNan}, {});
  BOOST_TEST(is_well_formed(bars));
  BOOST_TEST(count(bars, "height='244'") == 1);  // the three of 1, as high as the picture
  BOOST_TEST(count(bars, "height='0'") == 28);
  BOOST_TEST(count(histogram({7, 7, 8, 10}, {}), "<rect") == 4);  // of 7, 8, 9 and 10
  BOOST_TEST(count(histogram({0, 59}, {}), "<rect") == 30);       // two numbers each
  BOOST_TEST(count(histogram({0, 60}, {}), "<rect") == 21);       // three
  BOOST_TEST(is_well_formed(histogram({}, {})));
  const std::string matrix = matrix_chart({"NOUN", "VERB"}, {{5, 0}, {1, 3}}, {});
  BOOST_TEST(is_well_formed(matrix));
  BOOST_TEST(count(matrix, "<rect") == 4);
  BOOST_TEST(count(matrix, "NOUN") == 2);
  BOOST_CHECK_THROW(matrix_chart({"NOUN", "VERB"}, {{5, 0}}, {}), unroll::Error);
}

BOOST_AUTO_TEST_CASE(a_page_needs_nothing_beside_itself) {
  const Folder folder;
  const std::string place = folder / "run";
  require_report_place(place);
  Report page("a & b");
  page.training(some_training());
  page.layers(unroll::Linear(3, 4));
  page.facts("Settings", {{"cell", "gru"}, {"rate", 1. / 3}});
  page.table("Samples", {{"true", "text"}, {"7", "<script>alert('x')</script>"}});
  page.save(place);
  const std::string html = content_of(place + "/index.html");
  BOOST_TEST(is_well_formed(html));
  BOOST_TEST(count(html, "<svg") == 4);
  BOOST_TEST(count(html, "The network after epoch 3 was kept.") == 2);
  BOOST_TEST(count(html, "(4, 3)") == 1);
  BOOST_TEST(count(html, "0.3333") == 1);
  BOOST_TEST(count(html, "<h1>a &amp; b</h1>") == 1);
  for (const char* outside : {"<script", "http", "src=", "href="})
    BOOST_TEST(count(html, outside) == 0);
}

BOOST_AUTO_TEST_CASE(places_where_no_page_can_be) {
  const Folder folder;
  BOOST_CHECK_THROW(require_report_place(folder.file("notes", "mine")), BadInput);
  BOOST_CHECK_THROW(require_report_place(folder / "no/such/folder"), BadInput);
  BOOST_CHECK_THROW(require_report_place("/proc/report"), BadInput);
  BOOST_CHECK_THROW(Report("").save(folder / "missing"), BadInput);
}

BOOST_AUTO_TEST_SUITE_END()
