// Files, the part held out, and whether there is enough of both.
#include "language_modeling/data.hpp"

#include "common/bad_input.hpp"
#include "common/text.hpp"

namespace tasks {
namespace {

/// The last tenth of the stories, or of the one text.
Documents take_tenth(Documents& documents) {
  constexpr std::size_t kHeldOut = 10;
  Documents rest{documents.name, {}, documents.stories};
  if (documents.stories) {
    const std::size_t count = documents.texts.size(), keep = count - count / kHeldOut;
    const auto first = documents.texts.begin() + static_cast<std::ptrdiff_t>(keep);
    rest.texts.assign(first, documents.texts.end());
    documents.texts.resize(keep);
    return rest;
  }
  const std::u32string text = decode_utf8(documents.texts[0], documents.name);
  const std::size_t keep = text.size() - text.size() / kHeldOut;
  documents.texts[0] = encode_utf8(text.substr(0, keep));
  rest.texts.push_back(encode_utf8(text.substr(keep)));
  return rest;
}

void require_enough(const Corpus& corpus, const Settings& settings, const std::string& name) {
  const auto count = [&](const std::vector<std::vector<Size>>& texts) {
    return settings.stories ? texts.size() : texts[0].size();
  };
  if (count(corpus.train) >= (settings.stories ? 1 : 2) &&
      count(corpus.valid) >= (settings.stories ? 1 : 2))
    return;
  const std::string unit = settings.stories ? "stories" : unit_of(settings) + "s";
  bad_input(name, ": is too short to learn from: ", count(corpus.train), " ", unit,
            " to train on, ", count(corpus.valid), " for validation");
}

}  // namespace

Data read_data(const Options& options) {
  const bool words = options.settings.tokens != kCharacters;
  Documents train =
      read_documents(options.text, options.column, words ? kBuiltInStories : kBuiltInText);
  Documents valid =
      options.valid.empty() ? take_tenth(train) : read_documents(options.valid, options.column, "");
  if (valid.stories != train.stories)
    bad_input(valid.name, ": of a .csv of stories and a running text one cannot show how well the ",
              "other was learned; expected two of a kind");
  Data data{options.settings, {}, {}};
  data.settings.stories = train.stories;
  data.lexicon = make_lexicon(train, valid, data.settings, options.min_freq);
  data.corpus = {encode(train, data.lexicon, data.settings),
                 encode(valid, data.lexicon, data.settings)};
  require_enough(data.corpus, data.settings, train.name);
  return data;
}

Documents read_for(const TrainedModel& model, const Options& options) {
  Documents documents = read_documents(
      options.text, options.column, model.settings.stories ? kOtherBuiltInStories : kBuiltInText);
  if (documents.stories != model.settings.stories)
    bad_input(documents.name, model.settings.stories
                                  ? ": is a running text; the model knows stories in a .csv"
                                  : ": is a .csv of stories; the model knows a running text");
  return documents;
}

std::string unit_of(const Settings& settings) {
  return settings.tokens == kCharacters ? "character" : "word";
}

}  // namespace tasks
