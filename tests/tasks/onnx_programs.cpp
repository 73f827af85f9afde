// The verb export: what ONNX Runtime makes of the written files is what the programs say, and what
// cannot be written is refused. Each kind of recurrent layer is tested in onnx_layers.cpp.
#include <boost/test/unit_test.hpp>

#include <algorithm>

#include <nlohmann/json.hpp>
#include <unroll/layers/layer_outputs.hpp>
#include <unroll/unroll.hpp>

#include "common/onnx_file.hpp"
#include "language_modeling/model.hpp"
#include "onnx_runtime.hpp"
#include "pos_tagging/model.hpp"
#include "program.hpp"
#include "sentiment_rating/model.hpp"

using namespace unroll;
using tasks::pad;

namespace {

using Words = std::vector<std::string>;

struct Model : Folder {
  std::string path = *this / "model.safetensors", onnx = *this / "model.onnx";

  void train(const std::string& program, Words more) const {
    Words arguments{"train", "--save", path, "--epochs", "1", "--batch", "8", "--threads", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    check(run(program, arguments));
  }
  Ran write(const std::string& program) const {
    return run(program, {"export", path, "--onnx", onnx});
  }
  static void check(const Ran& ran) {
    BOOST_TEST_INFO(ran.err);
    BOOST_REQUIRE(ran.code == 0);
  }
  NamedArrays outputs(const std::string& program, const NamedArrays& inputs) const {
    check(write(program));
    return run_onnx({onnx, inputs});
  }
};

Array whole(const std::vector<Size>& numbers) {
  return values(numbers, {static_cast<Size>(numbers.size())});
}

void check_refused(const Ran& ran, const std::string& expected) {
  BOOST_TEST_INFO(ran.err);
  BOOST_TEST(ran.refused());
  BOOST_TEST_INFO(ran.err);
  BOOST_TEST(ran.err.find(expected) != std::string::npos);
}

void check_refused(const std::string& program, const Words& settings, const std::string& expected) {
  const Model model;
  model.train(program, settings);
  check_refused(model.write(program), model.path + ": " + expected);
  BOOST_TEST(!std::filesystem::exists(model.onnx));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(onnx_programs)

BOOST_AUTO_TEST_CASE(ratings) {
  using namespace tasks::sentiment_rating;
  if (!has_onnx_runtime()) return;
  for (const Words& kind : {Words{"mlp-bow"}, Words{"mlp-cbow"}, Words{"rnn"},
                            Words{"rnn", "--pooling", "last", "--layers", "2"}}) {
    BOOST_TEST_CONTEXT(kind.back()) {
      const Model model;
      Words arguments{"--hidden", "8", "--min-freq", "2", "--model"};
      arguments.insert(arguments.end(), kind.begin(), kind.end());
      model.train("sentiment_rating", arguments);
      const TrainedModel trained = TrainedModel::load(model.path);
      const auto reviews = pad({{2, 3, 4, 5, 6}, {7, 1}, {8}, {9, 10, 11, 12}}, {0, 1, 2, 3});
      const auto found = model.outputs(
          "sentiment_rating", {{"lengths", whole(reviews.lengths)}, {"tokens", reviews.tokens}});
      check_close(found.at("rating"), clamp((*trained.net)(reviews), 1, 10).value());
    }
  }
}

BOOST_AUTO_TEST_CASE(tags) {
  using namespace tasks::pos_tagging;
  if (!has_onnx_runtime()) return;
  const Model model;
  model.train("pos_tagging", {"--model", "bilstm", "--hidden", "8", "--layers", "2"});
  const TrainedModel trained = TrainedModel::load(model.path);
  const EncodedSentences sentences({{"The", "tide", "turned", "at", "noon"}, {"Xyz", "!"}},
                                   trained.vocabulary);
  Batch batch = sentences.batch({0, 1});
  batch.tags = zeros(batch.words.tokens.shape(), int64);
  const auto found = model.outputs("pos_tagging", {{"letter_lengths", whole(batch.letters.lengths)},
                                                   {"letters", batch.letters.tokens},
                                                   {"lengths", whole(batch.words.lengths)},
                                                   {"spellings", batch.spellings},
                                                   {"words", batch.words.tokens}});
  const Variable p = found.at("probabilities");
  BOOST_TEST(
      (argmax(p)[0].value().to_vector<Size>() ==
       std::vector<Size>{trained.net->tags(batch, 1)[0][0], trained.net->tags(batch, 1)[1][0]}));
  LayerOutputs outputs;
  trained.net->loss(batch);
  const auto readout = std::ranges::find(outputs.list(), "readout", &NamedOutput::name);
  BOOST_REQUIRE((readout != outputs.list().end()));
  const Array expected = softmax(readout->value).value();
  for (Size b = 0; b < 2; ++b)
    for (Size t = 0; t < batch.words.lengths[static_cast<std::size_t>(b)]; ++t)
      check_close(p.value()[t][b], expected[t][b]);
  // All tags are asked about in turn: the loss is minus the sum of the logarithms.
  for (Size tag = 0; tag < trained.vocabulary.tags.size(); ++tag) {
    batch.tags = full(batch.tags.shape(), double(tag), int64);
    const Variable nats = -log(index_select(p, -1, values(std::vector<Size>{tag}, {1})));
    const Variable counted = squeeze(nats, -1) * batch.words.mask;
    BOOST_TEST(std::abs(sum(counted).item() - trained.net->loss(batch).item()) < 1e-4);
  }
}

BOOST_AUTO_TEST_CASE(texts_go_on_from_a_state) {
  if (!has_onnx_runtime()) return;
  for (const Words& more : {Words{"--layers", "2"}, Words{"--tied", "--cell", "gru"}}) {
    BOOST_TEST_CONTEXT(more[0]) {
      const Model model;
      Words arguments{"--tokens", "words", "--hidden", "8", "--embedding", "6"};
      arguments.insert(arguments.end(), more.begin(), more.end());
      model.train("language_modeling", arguments);
      const tasks::TrainedModel trained = tasks::TrainedModel::load(model.path);
      const auto& net = trained.net;
      const auto texts = pad({{2, 3, 4}, {5, 6, 7, 8, 1}, {9}}, {0, 1, 2});
      // A state like any other: the one after these texts.
      const auto state = net(texts.tokens, {}).states.last();
      NamedArrays inputs{{"lengths", whole(texts.lengths)}, {"tokens", texts.tokens}};
      const Words names{"h", "c"};
      const auto name = [&](std::size_t layer, std::size_t value) {
        return join("layer", layer, ".", names[value]);
      };
      const auto each_value = [&](const Recurrent::State& s, const auto& f) {
        for (std::size_t layer = 0; layer < s.cells.size(); ++layer)
          for (std::size_t value = 0; value < s.cells[layer].values().size(); ++value)
            f(name(layer, value), expand(s.cells[layer].values()[value], 0).value());
      };
      each_value(state, [&](const std::string& n, const Array& array) { inputs[n] = array; });
      const auto found = model.outputs("language_modeling", inputs);
      const auto expected = net(texts.tokens, state, texts.lengths);
      check_close(found.at("log_probabilities"), log_softmax(net.logits(expected.h)).value());
      each_value(expected.states.last(), [&](const std::string& n, const Array& array) {
        check_close(found.at(n + ".last"), array);
      });
    }
  }
}

BOOST_AUTO_TEST_CASE(what_onnx_cannot_say_is_refused) {
  if (!tasks::onnx::writes_files()) return;
  check_refused("pos_tagging", {"--crf", "--hidden", "4"}, "has a CRF");
  check_refused("pos_tagging", {"--model", "tag-fed", "--hidden", "4"}, "is a tag-fed");
  check_refused("sentiment_rating", {"--model", "rnn", "--cell", "mgu", "--hidden", "4"},
                "ONNX has no operator for its cell mgu");
  check_refused("language_modeling", {"--tokens", "words", "--hidden", "4", "--adaptive"},
                "has an adaptive softmax");
}

BOOST_AUTO_TEST_CASE(files) {
  const Model model;
  model.train("sentiment_rating", {"--model", "mlp-bow", "--hidden", "4"});
  if (!tasks::onnx::writes_files())
    return check_refused(model.write("sentiment_rating"), "was built without ONNX");
  check_refused(run("sentiment_rating", {"export", model / "no.safetensors", "--onnx", model.onnx}),
                "no.safetensors: no such file");
  check_refused(run("sentiment_rating", {"export", model.path}),
                "expected --onnx and a file to write");
  const std::string before = content_of(model.path);
  check_refused(run("sentiment_rating", {"export", model.path, "--onnx", model.path}),
                model.path + " exists and is no ONNX file");
  BOOST_TEST((content_of(model.path) == before));
  // An older one is replaced, with the same bytes.
  Model::check(model.write("sentiment_rating"));
  const std::string written = content_of(model.onnx);
  Model::check(model.write("sentiment_rating"));
  BOOST_TEST((content_of(model.onnx) == written));
  BOOST_TEST(written.find("<UNK>") != std::string::npos);  // the vocabulary
  const Ran said = run("sentiment_rating", {"export", model.path, "--onnx", model.onnx, "--json"});
  const auto json = nlohmann::json::parse(said.out);
  BOOST_TEST(json.at("inputs") ==
             nlohmann::json({"tokens int64 (steps, batch)", "lengths int64 (batch)"}));
  BOOST_TEST(json.at("outputs") == nlohmann::json({"rating float32 (batch)"}));
}

BOOST_AUTO_TEST_SUITE_END()
