// The networks of sentiment_rating and how reviews become their numbers, without the program.
#include <cmath>

#include <boost/test/unit_test.hpp>

#include "common/bad_input.hpp"
#include "common/cells.hpp"
#include "sentiment_rating/reviews.hpp"
#include "sentiment_rating/training.hpp"

using namespace tasks;
using namespace tasks::sentiment_rating;
using namespace unroll;

namespace {

using Words = std::vector<std::string>;
using Numbers = std::vector<Size>;

constexpr Size kVocabulary = 9;
const std::vector<Numbers> kReviews{{2, 5, 3}, {7}, {4, 8, 2, 6, 1}};

Settings small(const std::string& model) {
  Settings s = Settings::of(model);
  s.embedding = 3;
  s.hidden = 4;
  return s;
}

Variable ratings(const RatingModel& net, const std::vector<Numbers>& reviews) {
  Numbers rows;
  for (std::size_t k = 0; k < reviews.size(); ++k) rows.push_back(static_cast<Size>(k));
  return net(pad(reviews, rows));
}

double dot(const Array& row, const std::vector<double>& numbers) {
  double sum = 0;
  for (Size k = 0; k < row.size(); ++k) sum += row.at({k}) * numbers[static_cast<std::size_t>(k)];
  return sum;
}

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

BOOST_AUTO_TEST_SUITE(sentiment_models)

BOOST_AUTO_TEST_CASE(a_rating_for_each_review_whatever_stands_beside_it) {
  for (const std::string& model : Settings::models()) {
    BOOST_TEST_CONTEXT(model) {
      const auto net = make_model(small(model), kVocabulary);
      const Variable together = ratings(*net, kReviews);
      BOOST_TEST((together.shape() == Shape{3}));
      for (std::size_t k = 0; k < kReviews.size(); ++k)
        BOOST_TEST(ratings(*net, {kReviews[k]}).item() ==
                       together.value().at({static_cast<Size>(k)}),
                   boost::test_tools::tolerance(1e-5));
    }
  }
}

BOOST_AUTO_TEST_CASE(gradients_of_the_loss) {
  const Array truth = values({2, 9, 6});
  for (const std::string& model : Settings::models()) {
    BOOST_TEST_CONTEXT(model) {
      const auto net = make_model(small(model), kVocabulary);
      BOOST_TEST(gradcheck(
          [&](const Variable& y) { return mean_squared_error(ratings(*net, kReviews), y); },
          {truth}, {.parameters = *net}));
    }
  }
}

BOOST_AUTO_TEST_CASE(bag_of_words_is_its_formula) {
  MlpBow net(small("mlp-bow"), kVocabulary);
  net.learn_frequencies({{2, 3}, {2}, {2, 5}});
  const auto idf = [](double holding) { return 1 + std::log(4 / (1 + holding)); };
  for (auto [feature, holding] : {std::pair{2, 3.}, {3, 1.}, {4, 0.}, {5, 1.}})
    BOOST_TEST(net.idf.value().at({feature}) == idf(holding), boost::test_tools::tolerance(1e-6));

  const double length = std::hypot(idf(3), idf(1));
  std::vector<double> h;
  for (Size unit = 0; unit < 4; ++unit)
    h.push_back(logistic(
        6 / length * (idf(3) * net.W.value().at({2, unit}) + idf(1) * net.W.value().at({5, unit})) +
        net.b.value().at({unit})));
  const double expected =
      5.5 + 4.5 * (dot(net.readout.W.value()[0], h) + net.readout.b.value().item());
  BOOST_TEST(ratings(net, {{2, 5}}).item() == expected, boost::test_tools::tolerance(1e-5));
}

BOOST_AUTO_TEST_CASE(mean_of_word_vectors_is_its_formula) {
  const MlpCbow net(small("mlp-cbow"), kVocabulary);
  std::vector<double> mean;
  for (Size k = 0; k < 3; ++k)
    mean.push_back((2 * net.embed.value().at({7, k}) + net.embed.value().at({3, k})) / 3);
  std::vector<double> h;
  for (Size unit = 0; unit < 4; ++unit)
    h.push_back(logistic(dot(net.hidden.W.value()[unit], mean) + net.hidden.b.value().at({unit})));
  const double expected =
      5.5 + 4.5 * (dot(net.readout.W.value()[0], h) + net.readout.b.value().item());
  BOOST_TEST(ratings(net, {{7, 3, 7}}).item() == expected, boost::test_tools::tolerance(1e-5));
}

BOOST_AUTO_TEST_CASE(recurrent_states_are_pooled) {
  const Rnn net(small("rnn"), kVocabulary);
  const Numbers review{4, 8, 2};
  const Array h =
      over_time(net.rnn, embedding(net.embed, values(review, {3, 1}))).outputs().value();
  std::vector<double> pooled;
  for (Size k = 0; k < 8; ++k)
    pooled.push_back((h.at({0, 0, k}) + h.at({1, 0, k}) + h.at({2, 0, k})) / 3);
  for (Size k = 0; k < 8; ++k)
    pooled.push_back(std::max({h.at({0, 0, k}), h.at({1, 0, k}), h.at({2, 0, k})}));
  const double expected =
      5.5 + 4.5 * (dot(net.readout.W.value()[0], pooled) + net.readout.b.value().item());
  BOOST_TEST(ratings(net, {review}).item() == expected, boost::test_tools::tolerance(1e-5));
}

BOOST_AUTO_TEST_CASE(or_the_last_ones_are_read) {
  Settings s = small("rnn");
  s.pooling = "last";
  const Rnn net(s, kVocabulary);
  const Numbers review{4, 8, 2};
  const Array h =
      over_time(net.rnn, embedding(net.embed, values(review, {3, 1}))).outputs().value();
  std::vector<double> last;
  for (Size k = 0; k < 8; ++k) last.push_back(h.at({k < 4 ? 2 : 0, 0, k}));  // backwards: at 0
  const double expected =
      5.5 + 4.5 * (dot(net.readout.W.value()[0], last) + net.readout.b.value().item());
  const Numbers longer{1, 2, 3, 4, 5};
  BOOST_TEST(ratings(net, {review, longer}).value().to_vector<double>()[0] == expected,
             boost::test_tools::tolerance(1e-5));
}

BOOST_AUTO_TEST_CASE(any_cell_in_one_direction_or_two) {
  for (const std::string& cell : cell_names())
    for (Size directions : {1, 2}) {
      BOOST_TEST_CONTEXT(cell << " " << directions) {
        Settings s = small("rnn");
        s.cell = cell, s.directions = directions, s.layers = 2;
        const auto net = make_model(s, kVocabulary);
        Generator generator(1);
        Tape tape(generator);
        tape.backward(sum(ratings(*net, kReviews)));
        BOOST_TEST(!net->word_vectors().grad().empty());
      }
    }
}

BOOST_AUTO_TEST_CASE(ratings_stay_within_one_and_ten) {
  MlpCbow net(small("mlp-cbow"), kVocabulary);
  Workers workers(2);
  for (double bias : {-9., 0., 9.}) {
    net.readout.b.mutable_value().fill(bias);
    const std::vector<double> found = rate(net, kReviews, workers);
    BOOST_TEST(found.size() == 3u);
    for (std::size_t k = 0; k < found.size(); ++k) {
      const double raw = ratings(net, {kReviews[k]}).item();
      BOOST_TEST(found[k] == std::clamp(raw, 1., 10.), boost::test_tools::tolerance(1e-5));
    }
  }
}

BOOST_AUTO_TEST_CASE(words_and_pairs_of_words) {
  Settings s = Settings::of("mlp-bow");
  BOOST_TEST((features("Not good.", s) == Words{"not", "good", ".", "not good", "good ."}));
  s.ngrams = 1;
  BOOST_TEST((features("Not good.", s) == Words{"not", "good", "."}));
  s.ngrams = 4;
  BOOST_TEST((features("a b c", s) == Words{"a", "b", "c", "a b", "b c", "a b c"}));
  s.max_words = 2;
  BOOST_TEST((features("a b c", s) == Words{"b", "c", "b c"}));
  BOOST_TEST(features(" \n", s).empty());
}

BOOST_AUTO_TEST_CASE(reviews_as_numbers) {
  const Lexicon lexicon({"<PAD>", "<UNK>", "good", "bad"});
  const Words texts{"bad good bad", "good grief", "what?", ""};
  Settings s = Settings::of("rnn");
  BOOST_TEST((encode(texts, lexicon, s) == std::vector<Numbers>{{3, 2, 3}, {2, 1}, {1, 1}, {1}}));
  s = Settings::of("mlp-bow");
  BOOST_TEST((encode(texts, lexicon, s) == std::vector<Numbers>{{2, 3}, {2}, {1}, {1}}));
  BOOST_TEST((lexicon_of({"a b b", "b c c"}, Settings::of("rnn"), 2).tokens() ==
              Words{"<PAD>", "<UNK>", "b", "c"}));
}

BOOST_AUTO_TEST_CASE(a_tenth_is_held_out) {
  Reviews all;
  for (int k = 0; k < 25; ++k) {
    all.ratings.push_back(k);
    all.texts.push_back(std::to_string(k));
  }
  Generator generator(3);
  const Reviews taken = take_tenth(all, generator);
  BOOST_TEST(taken.texts.size() == 2u);
  BOOST_TEST(all.texts.size() == 23u);
  std::vector<double> seen;
  for (const Reviews* part : {&std::as_const(all), &taken})
    for (std::size_t k = 0; k < part->texts.size(); ++k) {
      BOOST_TEST(part->texts[k] == std::to_string(static_cast<int>(part->ratings[k])));
      seen.push_back(part->ratings[k]);
    }
  std::sort(seen.begin(), seen.end());
  BOOST_TEST((std::adjacent_find(seen.begin(), seen.end()) == seen.end()));
  Reviews two{{1, 2}, {"a", "b"}}, one{{1}, {"a"}};
  BOOST_TEST(take_tenth(two, generator).texts.size() == 1u);
  BOOST_TEST(take_tenth(one, generator).texts.empty());
}

BOOST_AUTO_TEST_CASE(scores_are_those_of_the_metrics) {
  const RatingScores scores = rating_scores({1, 4, 7, 10, 6}, {2, 6, 8, 9, 3});
  BOOST_TEST(scores.mean_squared_error == (1 + 4 + 1 + 1 + 9) / 5.);
  BOOST_TEST(scores.mean_absolute_error == (1 + 2 + 1 + 1 + 3) / 5.);
  BOOST_TEST(scores.r2 == regression_scores({1, 4, 7, 10, 6}, {2, 6, 8, 9, 3}).r2);
  BOOST_TEST(scores.accuracy == 3 / 5.);  // 4 taken for 6 and 6 for 3 are on the wrong side
}

BOOST_AUTO_TEST_CASE(settings_survive_a_file) {
  for (const std::string& model : Settings::models()) {
    const nlohmann::json json = Settings::of(model).to_json();
    BOOST_TEST(Settings::from_json(json, "file").to_json() == json);
    for (const auto& [name, value] : json.items()) {
      nlohmann::json broken = json;
      broken.erase(name);
      BOOST_CHECK_THROW(Settings::from_json(broken, "file"), BadInput);
      for (const nlohmann::json& wrong :
           {nlohmann::json(-1), nlohmann::json("no"), nlohmann::json(1e300), nlohmann::json()}) {
        broken[name] = wrong;
        BOOST_TEST_INFO(broken.dump());
        BOOST_CHECK_THROW(Settings::from_json(broken, "file"), BadInput);
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
