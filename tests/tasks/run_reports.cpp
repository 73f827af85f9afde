// Pages about trainings of pos_tagging and language_modeling: which sections there are. The page
// itself is report.cpp's, that of sentiment_rating is in sentiment_rating.cpp.
#include <boost/test/unit_test.hpp>

#include "program.hpp"

namespace {

using Words = std::vector<std::string>;

struct Page : Folder {
  std::string html;

  Page(const std::string& program, const Words& more) {
    Words arguments{"train",    "--save",   *this / "model", "--epochs", "2",
                    "--hidden", "6",        "--embedding",   "5",        "--threads",
                    "2",        "--report", *this / "run"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    for (int time = 0; time < 2; ++time) {  // over its own page too
      const Ran ran = run(program, arguments);
      BOOST_TEST_INFO(ran.err);
      BOOST_REQUIRE(ran.code == 0);
    }
    html = content_of(*this / "run/index.html");
  }
  bool has(const std::string& text) const { return html.find(text) != html.npos; }
  void check_sections(const Words& headings) const {
    for (const std::string& heading : headings)
      BOOST_TEST(has("<h2>" + heading), "a section " << heading);
  }
};

const Words kOfAll{"Scores",
                   "Loss while learning",
                   "Norm of the gradient<",
                   "Lengths",
                   "Norm of the gradient through time",
                   "Layers",
                   "Settings",
                   "Training",
                   "Samples"};

}  // namespace

BOOST_AUTO_TEST_SUITE(run_reports)

BOOST_AUTO_TEST_CASE(of_taggers) {
  for (const Words& kind : {Words{"--model", "bilstm", "--crf"}, Words{"--model", "tag-fed"}}) {
    const Page page("pos_tagging", kind);
    page.check_sections(kOfAll);
    page.check_sections({"Confusion matrix", "Tags", "Validation: accuracy"});
    BOOST_TEST(page.has(">NOUN</text>"));
    BOOST_TEST(page.has("/NOUN"));
    BOOST_TEST(page.has("<td>readout.W</td>"));
    BOOST_TEST(page.has("<td>learning rate</td><td>0.004</td>"));
    BOOST_TEST(page.has("<td>data</td><td>built-in</td>"));
  }
}

BOOST_AUTO_TEST_CASE(of_language_models) {
  const Page characters("language_modeling", {});
  characters.check_sections(kOfAll);
  characters.check_sections({"Validation: perplexity"});
  BOOST_TEST(characters.has("characters of a line"));
  const Page words("language_modeling", {"--tokens", "words", "--adaptive", "--layers", "2"});
  words.check_sections(kOfAll);
  BOOST_TEST(words.has("words of a story"));
  BOOST_TEST(words.has("perplexity without unknown"));
  BOOST_TEST(words.has("cell 2"));
}

BOOST_AUTO_TEST_CASE(refused_before_the_training) {
  const Folder folder;
  folder.file("index.html", "<h1>My boats</h1>");
  for (const std::string program : {"pos_tagging", "language_modeling", "sentiment_rating"}) {
    const Ran ran = run(program, {"train", "--save", folder / "model", "--report", folder.path});
    BOOST_TEST_INFO(ran.err);
    BOOST_TEST(ran.refused());
    BOOST_TEST(ran.err.find("index.html exists and was not written by") != std::string::npos);
  }
  BOOST_TEST(content_of(folder / "index.html") == "<h1>My boats</h1>");
  BOOST_TEST(!std::filesystem::exists(folder / "model"));
}

BOOST_AUTO_TEST_SUITE_END()
