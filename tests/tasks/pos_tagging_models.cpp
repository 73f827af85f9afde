// The networks of pos_tagging and how sentences become their numbers, without the program.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <map>
#include <set>

#include "common/bad_input.hpp"
#include "pos_tagging/model.hpp"
#include "pos_tagging/training.hpp"
#include "program.hpp"

using namespace tasks;
using namespace tasks::pos_tagging;
using namespace unroll;

namespace {

using Numbers = std::vector<Size>;

const std::vector<Words> kSentences{{"The", "tide", "turned", "."},
                                    {"Boats"},
                                    {"The", "old", "boat", "turned", "slowly", "."},
                                    {},
                                    {"A", "tide", "!"}};
const Lexicon kTags({"NOUN", "VERB", "."});

Vocabulary vocabulary() { return Vocabulary::of(kSentences, kTags, 1); }

Settings small(const std::string& model, Size lookahead = 1, bool crf = false) {
  Settings s = Settings::of(model);
  s.crf = crf;
  s.embedding = 3, s.hidden = 4, s.letter_embedding = 2, s.letter_hidden = 2, s.tag_embedding = 2;
  s.lookahead = lookahead;
  return s;
}

const std::vector<Settings> kKinds{small("bilstm"), small("bilstm", 1, true), small("tag-fed", 0),
                                   small("tag-fed", 1), small("tag-fed", 2)};

/// With weights so large that every input tells.
std::unique_ptr<Tagger> shaken(const Settings& settings, std::uint64_t seed) {
  auto net = make_tagger(settings, vocabulary());
  Generator generator(seed);
  for (Parameter& p : net->parameters()) p.assign(normal(p.shape(), generator));
  return net;
}

/// Of these sentences side by side.
std::vector<Numbers> tags_of(const Tagger& net, const std::vector<Words>& sentences, Size beams) {
  const EncodedSentences encoded(sentences, vocabulary());
  Numbers rows;
  for (Size row = 0; row < encoded.size(); ++row) rows.push_back(row);
  return net.tags(encoded.batch(rows), beams);
}

double log_probability(const Tagger& net, const Words& sentence, const Numbers& tags) {
  return -net.loss(EncodedSentences({sentence}, vocabulary(), {tags}).batch({0})).item();
}

/// All sequences of n tags, and the log-probability of each.
std::map<Numbers, double> all_sequences(const Tagger& net, const Words& sentence) {
  std::vector<Numbers> sequences{{}};
  for (std::size_t t = 0; t < sentence.size(); ++t) {
    std::vector<Numbers> longer;
    for (const Numbers& start : sequences)
      for (Size tag = 0; tag < kTags.size(); ++tag) {
        longer.push_back(start);
        longer.back().push_back(tag);
      }
    sequences = std::move(longer);
  }
  std::map<Numbers, double> result;
  for (const Numbers& tags : sequences) result[tags] = log_probability(net, sentence, tags);
  return result;
}

Numbers likeliest(const std::map<Numbers, double>& sequences) {
  return std::max_element(sequences.begin(), sequences.end(),
                          [](auto& a, auto& b) { return a.second < b.second; })
      ->first;
}

/// The tags that follow one by one when each is the likeliest, by summing over all that may come.
Numbers greedy(const std::map<Numbers, double>& sequences) {
  const std::size_t length = sequences.begin()->first.size();
  Numbers start;
  while (start.size() < length) {
    Numbers best;
    double most = -1;
    for (Size tag = 0; tag < kTags.size(); ++tag) {
      Numbers longer = start;
      longer.push_back(tag);
      double sum = 0;
      for (const auto& [tags, log_p] : sequences)
        if (std::equal(longer.begin(), longer.end(), tags.begin())) sum += std::exp(log_p);
      if (sum > most) most = sum, best = longer;
    }
    start = best;
  }
  return start;
}

template <class F>
std::string refusal_of(F&& f) {
  try {
    f();
  } catch (const BadInput& error) {
    return error.what();
  }
  return "nothing was thrown";
}

std::string refusal_of_corpus(const std::string& rows) {
  return refusal_of([&] {
    TaggedCorpus(Csv::parse("Tokenized_Sentence,Tagged_Sentence\n" + rows, "t.csv"), "t.csv")
        .tags();
  });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pos_tagging_models)

BOOST_AUTO_TEST_CASE(gradients) {
  const EncodedSentences encoded(kSentences, vocabulary(),
                                 {{0, 1, 1, 2}, {0}, {2, 0, 0, 1, 0, 2}, {}, {1, 0, 2}});
  const Batch batch = encoded.batch({0, 1, 2, 3, 4});
  for (const Settings& settings : kKinds) {
    BOOST_TEST_CONTEXT(settings.to_json().dump()) {
      const auto net = shaken(settings, 1);
      BOOST_TEST(gradcheck([&](auto& zero) { return net->loss(batch) + sum(zero); }, {{1}},
                           {.parameters = *net}));
    }
  }
}

BOOST_AUTO_TEST_CASE(losses_are_of_distributions_over_sequences) {
  for (const Settings& settings : kKinds) {
    const auto net = shaken(settings, 2);
    double sum = 0;
    for (const auto& [tags, log_p] : all_sequences(*net, kSentences[0])) sum += std::exp(log_p);
    BOOST_TEST(sum == 1, boost::test_tools::tolerance(1e-4));
  }
}

BOOST_AUTO_TEST_CASE(the_likeliest_sequence_is_found) {
  Size where_greed_fails = 0;
  for (const Settings& settings : kKinds)
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      const auto net = shaken(settings, seed);
      const auto sequences = all_sequences(*net, kSentences[0]);
      const Size all = static_cast<Size>(sequences.size());
      BOOST_TEST(tags_of(*net, {kSentences[0]}, all)[0] == likeliest(sequences));
      if (settings.model == "bilstm") continue;
      BOOST_TEST(tags_of(*net, {kSentences[0]}, 1)[0] == greedy(sequences));
      where_greed_fails += greedy(sequences) != likeliest(sequences);
    }
  BOOST_TEST(where_greed_fails > 0);
}

BOOST_AUTO_TEST_CASE(padding_does_not_change_tags) {
  std::set<Size> seen;
  for (const Settings& settings : kKinds)
    for (std::uint64_t seed = 1; seed <= 5; ++seed)
      for (Size beams : {1, 3}) {
        const auto net = shaken(settings, seed);
        const std::vector<Numbers> together = tags_of(*net, kSentences, beams);
        for (std::size_t k = 0; k < kSentences.size(); ++k) {
          BOOST_TEST(together[k] == tags_of(*net, {kSentences[k]}, beams)[0]);
          BOOST_TEST(together[k].size() == kSentences[k].size());
          seen.insert(together[k].begin(), together[k].end());
        }
      }
  BOOST_TEST(seen.size() == 3u);
}

BOOST_AUTO_TEST_CASE(words_by_number_and_by_letters) {
  const Vocabulary known = Vocabulary::of({{"The", "the", "tide"}, {"tide", "Éa"}}, kTags, 2);
  BOOST_TEST(known.words.tokens() == (Words{"<PAD>", "<UNK>", "the", "tide"}));
  BOOST_TEST(known.letters.tokens() == (Words{"<PAD>", "<UNK>", "e", "h", "t"}));
  const EncodedSentences encoded({{"THE", "Tide", "boat"}, {"tide"}}, known);
  const Batch batch = encoded.batch({0, 1});
  BOOST_TEST(batch.words.tokens.to_vector<Size>() == (Numbers{2, 3, 3, 0, 1, 0}));
  BOOST_TEST(batch.words.lengths == (Numbers{3, 1}));
  // No word, THE, Tide, tide, boat.
  BOOST_TEST(batch.spellings.to_vector<Size>() == (Numbers{1, 2, 3, 0, 4, 0}));
  BOOST_TEST(batch.letters.lengths == (Numbers{0, 3, 4, 4, 4}));
  BOOST_TEST(encoded.is_known(0, 0));
  BOOST_TEST(!encoded.is_known(0, 2));
}

BOOST_AUTO_TEST_CASE(long_words_are_spelled_by_their_ends) {
  const std::string middle(1000, 'x');
  const EncodedSentences encoded({{"boats" + middle + "turned", "boats" + middle + "xturned"}},
                                 vocabulary());
  const Batch batch = encoded.batch({0});
  BOOST_TEST(batch.letters.lengths == (Numbers{0, 12, 12}));
  BOOST_TEST(select(Variable(batch.letters.tokens), 1, 1).value().to_vector<Size>() ==
             select(Variable(batch.letters.tokens), 1, 2).value().to_vector<Size>());
}

BOOST_AUTO_TEST_CASE(words_are_left_out_at_random) {
  const EncodedSentences encoded({Words(1000, "tide"), {}}, vocabulary());
  Generator generator(1);
  const auto unknown = [&](double p) {
    const Numbers tokens = encoded.batch({0, 1}, {.generator = &generator, .word_dropout = p})
                               .words.tokens.to_vector<Size>();
    BOOST_TEST(std::count(tokens.begin(), tokens.end(), Lexicon::kPadding) == 1000);
    return std::count(tokens.begin(), tokens.end(), Lexicon::kUnknown);
  };
  BOOST_TEST(unknown(0) == 0);
  BOOST_TEST(unknown(0.3) > 230);
  BOOST_TEST(unknown(0.3) < 370);
  BOOST_TEST(unknown(1) == 1000);
}

BOOST_AUTO_TEST_CASE(batches_have_a_limit) {
  const Numbers lengths{1, 2, 3, 4, 50, 9};
  const std::vector<Numbers> parts = limited({{0, 1, 2, 3, 4}, {5}}, lengths, 8);
  BOOST_TEST((parts == std::vector<Numbers>{{0, 1}, {2, 3}, {4}, {5}}));
  BOOST_TEST((limited({{0, 1, 2, 3}}, lengths, 16) == std::vector<Numbers>{{0, 1, 2, 3}}));
}

BOOST_AUTO_TEST_CASE(files_that_make_no_sense_are_refused) {
  BOOST_TEST(refusal_of_corpus("a\tb,NOUN\n") ==
             "t.csv: line 2: 2 words but 1 tag; expected a tag for each word");
  BOOST_TEST(refusal_of_corpus("a,NOUN\n,.\n") ==
             "t.csv: line 3: 0 words but 1 tag; expected a tag for each word");
  BOOST_TEST(refusal_of_corpus("a\t\tb,N\tN\tN\n").find("line 2: word 2 of 3 is empty") !=
             std::string::npos);
  BOOST_TEST(refusal_of_corpus("a\tb,N\t\n").find("line 2: tag 2 of 2 is empty") !=
             std::string::npos);
  BOOST_TEST(refusal_of_corpus(",\n") == "t.csv: holds no words to learn from");
  std::string swapped;
  for (int k = 0; k <= 1000; ++k) swapped += "NOUN,word" + std::to_string(k) + "\n";
  BOOST_TEST(refusal_of_corpus(swapped) ==
             "t.csv: 1001 different tags in Tagged_Sentence; expected at most 1000");
  const TaggedCorpus corpus(
      Csv::parse("Tokenized_Sentence,Tagged_Sentence\n,\na\tb,NOUN\tFOO\n", "t.csv"), "t.csv");
  BOOST_TEST(refusal_of([&] { corpus.encode_tags(kTags); }) ==
             "t.csv: line 3: the tag 'FOO' is none of the model's: NOUN, VERB, .");
  BOOST_TEST(corpus.tags().tokens() == (Words{"NOUN", "FOO"}));
}

BOOST_AUTO_TEST_CASE(a_model_comes_back_from_its_file) {
  const Folder folder;
  for (const Settings& settings : kKinds) {
    const TrainedModel model{settings, vocabulary(), shaken(settings, 3)};
    model.save({{"valid", 0.5}}, folder / "m");
    const TrainedModel loaded = TrainedModel::load(folder / "m");
    BOOST_TEST(loaded.settings.to_json() == settings.to_json());
    BOOST_TEST(loaded.vocabulary.words.tokens() == model.vocabulary.words.tokens());
    BOOST_TEST((tags_of(*loaded.net, kSentences, 2) == tags_of(*model.net, kSentences, 2)));
    loaded.save({{"valid", 0.5}}, folder / "n");
    BOOST_TEST((content_of(folder / "m") == content_of(folder / "n")));
  }
}

BOOST_AUTO_TEST_SUITE_END()
