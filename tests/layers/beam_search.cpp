// Greedy and beam search: every hypothesis against enumeration, states that follow their
// hypotheses, batches, and the errors. Tables of known results are golden's group beam.
#include <boost/test/unit_test.hpp>

#include <cmath>

#include "common/error_of.hpp"

#include <unroll/autograd/generator.hpp>
#include <unroll/autograd/op.hpp>
#include <unroll/layers/beam_search.hpp>
#include <unroll/layers/cells/gru.hpp>
#include <unroll/layers/embedding.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/recurrent.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/index.hpp>
#include <unroll/ops/reshape.hpp>
#include <unroll/ops/softmax.hpp>

using namespace unroll;

namespace {

constexpr Size kWords = 4, kLongest = 5;

/// Random weights whose logits differ by more than a little. Its State has what makes gathering
/// hard: a list, a nested struct, a number, and a value that no step replaces.
struct Decoder : Cell {
  Decoder() : Cell(5, 6) { to(float64); }
  Embedding embed = submodule("embed", Embedding(kWords, in));
  GRU cell = submodule("cell", GRU(in + 2, hidden));
  Parameter readout = parameter("readout", {kWords, hidden}, init::normal(2));

  struct Inner {
    GRU::State gru;
    int steps = 0;
  };
  struct State {
    std::vector<Variable> before;  // the last token, one-hot
    Inner inner;
    Variable memory;  // (B, 3, 2)
  };
  State step(const Variable& word, const State& s) const {
    Variable look = select(s.memory, 1, s.inner.steps % 3);
    Inner inner{cell.step(concat({embed(word), look}), s.inner.gru), s.inner.steps + 1};
    return {{one_hot(word, kWords, float64)}, inner, s.memory};
  }
  Variable output(const State& s) const {
    return linear(s.inner.gru.h, readout) - s.before[0];  // dislikes repeating itself
  }
};

struct Fixture {
  Decoder decoder;
  Generator generator{3};
  Variable memory = [&] {
    Array m({3, 3, 2}, float64);
    for (Size i = 0; i < m.size(); ++i) m.mutable_data<double>()[i] = generator.normal();
    return m;
  }();
  Array first = indices({1, 2, 3});
  Decoder::State start{{zeros({3, kWords}, float64)}, {}, memory};

  /// log p of tokens after first[b], by the cell alone.
  double log_probability(Size b, const std::vector<Size>& tokens) {
    auto row = [&](const Variable& x) { return sliced(x, 0, b, b + 1); };
    Decoder::State s = map_values(initial_state(decoder, first, start), row);
    Variable word = row(first);
    double sum = 0;
    for (Size token : tokens) {
      s = decoder.step(word, s);
      sum += log_softmax(decoder.output(s)).value().at({0, token});
      word = indices({token});
    }
    return sum;
  }
};

/// Calls f with every sequence that ends in 0 or is as long as allowed.
template <class F>
void each_sequence(std::vector<Size> tokens, F&& f) {
  if ((!tokens.empty() && tokens.back() == 0) || tokens.size() == kLongest) return f(tokens);
  for (Size w = 0; w < kWords; ++w) {
    tokens.push_back(w);
    each_sequence(tokens, f);
    tokens.pop_back();
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(beams)

// A beam that drops nothing finds every sequence, with its probability: states follow.
BOOST_FIXTURE_TEST_CASE(a_wide_beam_is_exact, Fixture) {
  auto found =
      beam_search(decoder, first, start, {.beams = 1024, .length_power = 0.6, .longest = kLongest});
  for (Size b = 0; b < 3; ++b) {
    const std::vector<Hypothesis>& list = found[static_cast<std::size_t>(b)];
    std::size_t count = 0;
    each_sequence({}, [&](const std::vector<Size>& tokens) {
      ++count;
      for (const Hypothesis& h : list) {
        if (h.tokens != tokens) continue;
        double expected = log_probability(b, tokens);
        BOOST_TEST(std::abs(h.log_probability - expected) < 1e-12);
        double length = std::pow(static_cast<double>(tokens.size()), 0.6);
        BOOST_TEST(std::abs(h.score - expected / length) < 1e-12);
        BOOST_TEST(h.complete == (tokens.back() == 0));
        return;
      }
      BOOST_ERROR("a sequence was not found");
    });
    BOOST_TEST(list.size() == count);
    for (std::size_t k = 1; k < list.size(); ++k) {
      bool in_order = list[k - 1].complete != list[k].complete ? list[k - 1].complete
                                                               : list[k - 1].score >= list[k].score;
      BOOST_TEST(in_order);
    }
  }
}

// Narrow beams keep the likeliest continuations at every step, worked out here one by one.
BOOST_FIXTURE_TEST_CASE(narrow_beams, Fixture) {
  for (Size beams : {1, 2, 3}) {
    auto found = beam_search(decoder, first, start, {.beams = beams, .longest = kLongest});
    for (Size b = 0; b < 3; ++b) {
      std::vector<std::vector<Size>> kept{{}};
      for (Size t = 0; t < kLongest; ++t) {
        std::vector<std::pair<double, std::vector<Size>>> all;
        for (const std::vector<Size>& tokens : kept) {
          if (!tokens.empty() && tokens.back() == 0) {
            all.emplace_back(-log_probability(b, tokens), tokens);
            continue;
          }
          for (Size w = 0; w < kWords; ++w) {
            std::vector<Size> longer = tokens;
            longer.push_back(w);
            all.emplace_back(-log_probability(b, longer), longer);
          }
        }
        std::sort(all.begin(), all.end());
        kept.clear();
        for (std::size_t k = 0; k < std::min(all.size(), static_cast<std::size_t>(beams)); ++k)
          kept.push_back(all[k].second);
      }
      std::vector<std::vector<Size>> got;
      for (const Hypothesis& h : found[static_cast<std::size_t>(b)]) got.push_back(h.tokens);
      std::sort(got.begin(), got.end());
      std::sort(kept.begin(), kept.end());
      BOOST_TEST((got == kept));
    }
  }
}

BOOST_FIXTURE_TEST_CASE(greedy_takes_the_likeliest_token, Fixture) {
  auto found = greedy_search(decoder, first, start, {.longest = kLongest});
  for (Size b = 0; b < 3; ++b) {
    const Hypothesis& h = found[static_cast<std::size_t>(b)];
    std::vector<Size> tokens;
    for (Size chosen : h.tokens) {
      for (Size w = 0; w < kWords; ++w) {
        auto with = [&](Size token) {
          std::vector<Size> longer = tokens;
          longer.push_back(token);
          return log_probability(b, longer);
        };
        BOOST_TEST(with(chosen) >= with(w));
      }
      tokens.push_back(chosen);
    }
    BOOST_TEST(std::abs(h.log_probability - log_probability(b, tokens)) < 1e-12);
    BOOST_TEST((h.complete || tokens.size() == kLongest));
  }
}

// A Recurrent with a readout beside it, and a tape around: nothing is recorded.
BOOST_AUTO_TEST_CASE(any_function_of_a_step) {
  Embedding embed(kWords, 3);
  Recurrent rnn = recurrent<GRU>(3, 5, {.layers = 2});
  Linear readout(5, kWords);
  auto step = [&](const Variable& word, const Recurrent::State& s) {
    Recurrent::State next = rnn.step(embed(word), s);
    return std::pair(readout(rnn.output(next)), next);
  };
  Tape tape;
  Array first = indices({2, 3});
  Recurrent::State start = initial_state(rnn, embed(first));
  Size before = tape.nodes();
  auto found = beam_search(step, first, start, {.beams = 3, .longest = 4});
  auto greedy = greedy_search(step, first, start, {.longest = 4});
  BOOST_TEST(tape.nodes() == before);
  BOOST_TEST(found.size() == 2u);
  BOOST_TEST(found[0].size() == 3u);
  for (Size b = 0; b < 2; ++b) {
    Recurrent::State s =
        map_values(start, [&](const Variable& x) { return sliced(x, 0, b, b + 1); });
    Variable word = first.sliced(0, b, b + 1);
    double sum = 0;
    for (Size token : found[static_cast<std::size_t>(b)][1].tokens) {
      auto [logits, next] = step(word, s);
      sum += log_softmax(logits).value().at({0, token});
      s = next;
      word = indices({token});
    }
    BOOST_TEST(std::abs(sum - found[static_cast<std::size_t>(b)][1].log_probability) < 1e-5);
  }
  BOOST_TEST(greedy.size() == 2u);
}

// From step to step, as in over_time: else each of them would prepare its weights anew.
BOOST_AUTO_TEST_CASE(what_is_kept_with_a_weight) {
  Parameter W("W", ones({3}));
  std::vector<Ref<Shared>> kept;
  auto step = [&](const Variable& word, const std::vector<Variable>& s) {
    Ref<Shared>* memo = Op("probe", W).memo(0);
    if (memo && !*memo) *memo = Ref<Shared>(new Shared);
    kept.push_back(memo ? *memo : Ref<Shared>());
    return std::pair(Variable(zeros({word.size(), kWords})), s);
  };
  greedy_search(step, indices({0}), std::vector<Variable>{}, {.end = 3, .longest = 3});
  BOOST_TEST(kept.size() == 3u);
  for (const Ref<Shared>& memo : kept) BOOST_TEST((memo && memo == kept[0]));
}

// Impossible tokens are never decoded, and where nothing else is left nothing is returned.
BOOST_AUTO_TEST_CASE(impossible_tokens) {
  Array logits = values({{-INFINITY, 0, -INFINITY}}, float64);
  auto step = [&](const Variable& word, const std::vector<Variable>& s) {
    Array rows = logits.broadcast_to({word.size(), 3}).copy();
    return std::pair(Variable(rows), s);
  };
  auto found = beam_search(step, indices({0}), std::vector<Variable>{}, {.beams = 3, .longest = 2});
  BOOST_TEST(found[0].size() == 1u);
  BOOST_TEST((found[0][0].tokens == std::vector<Size>{1, 1}));
  BOOST_TEST(!found[0][0].complete);
}

// What follows an end token is of no interest: nothing may follow it.
BOOST_AUTO_TEST_CASE(nothing_after_the_end) {
  constexpr double kNever = -INFINITY;
  const Array logits =
      values({{kNever, kNever, kNever}, {kNever, kNever, 0}, {0, kNever, kNever}}, float64);
  auto step = [&](const Variable& word, const std::vector<Variable>& s) {
    return std::pair(index_select(logits, 0, word), s);
  };
  for (Size beams : {1, 2}) {
    auto found = beam_search(step, indices({1, 2}), std::vector<Variable>{},
                             {.beams = beams, .end = 0, .longest = 4});
    BOOST_REQUIRE(found[0].size() == 1u);
    BOOST_TEST((found[0][0].tokens == std::vector<Size>{2, 0}));
    BOOST_TEST((found[1][0].tokens == std::vector<Size>{0}));
    BOOST_TEST(found[1][0].complete);
  }
}

BOOST_FIXTURE_TEST_CASE(errors, Fixture) {
  auto error = [&](const BeamOptions& options, const Array& tokens) {
    return error_of([&] { beam_search(decoder, tokens, start, options); });
  };
  BOOST_TEST(error({.beams = 0}, first) == "[beam_search] beams is 0; expected 1 or more.");
  BOOST_TEST(error({.longest = 0}, first) ==
             "[beam_search] longest is 0; expected 1 or more tokens.");
  BOOST_TEST(
      error({.end = 4}, first) ==
      "[beam_search] the end token is 4, the logits are (12, 4); expected a token in [0, 4).");
  BOOST_TEST(error({.length_power = NAN}, first) ==
             "[beam_search] length_power is nan; expected a finite number.");
  auto step = [](const Variable& word, const std::vector<Variable>& s) {
    return std::pair(Variable(full({word.size(), 2}, NAN)), s);
  };
  BOOST_TEST(error_of([&] { greedy_search(step, first, std::vector<Variable>{}); }) ==
             "[greedy_search] the logits of token 1 in row 0 are no distribution: NaN, +inf, or "
             "nothing but -inf.");
  BOOST_TEST(error_of([&] {
               beam_search(step, first, std::vector<Variable>{zeros({2, 5})});
             }) ==
             "[beam_search] a value of the State is (2, 5); its first axis must be the batch (3).");
  BOOST_TEST(error_of([&] { beam_search(step, zeros({3}), std::vector<Variable>{}); }) ==
             "[beam_search] the first tokens are float32 (3,); expected int64 (B).");
}

BOOST_AUTO_TEST_SUITE_END()
