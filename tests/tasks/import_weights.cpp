// Weights of PyTorch and Keras under our names, and the verb import. That gates come in the right
// order is tested in tests/layers/import.cpp and by the golden group keras.
#include <boost/test/unit_test.hpp>

#include <cmath>

#include <nlohmann/json.hpp>
#include <unroll/layers/import.hpp>
#include <unroll/unroll.hpp>

#include "common/bad_input.hpp"
#include "common/import_weights.hpp"
#include "common/keras_file.hpp"
#include "common/paths.hpp"
#include "program.hpp"

using namespace unroll;
using namespace tasks;
using Json = nlohmann::json;

namespace {

/// Embedding, two GRUs, Linear, as programs name them.
struct Net : Module {
  explicit Net(double first = 0) {
    for (Parameter p : parameters()) p.mutable_value().fill(first++);
  }
  Parameter embed = parameter("embed", {7, 3});
  Recurrent rnn = submodule("rnn", recurrent<GRU>(3, 4, {.layers = 2}));
  Linear readout = submodule("readout", Linear(4, 2));
};

NamedArrays arrays_of(const Module& net) {
  NamedArrays arrays;
  for (const NamedParameter& p : net.named_parameters()) arrays[p.name] = p.parameter.value();
  return arrays;
}

/// The same under other names of layers, and in no order that would help.
NamedArrays foreign(const Net& net, const std::string& first, const std::string& second) {
  return renamed(
      arrays_of(net),
      {{"embed", "zz.W"}, {"rnn.layer0", first}, {"rnn.layer1", second}, {"readout", "a_dense"}});
}

void check_equal(const NamedArrays& found, const NamedArrays& expected) {
  BOOST_REQUIRE(found.size() == expected.size());
  for (const auto& [name, array] : expected) {
    BOOST_REQUIRE(found.contains(name));
    BOOST_TEST((found.at(name).to_vector<float>() == array.to_vector<float>()), name);
  }
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

/// A model of the program as the state dict that PyTorch would have saved of it.
NamedArrays state_dict(const std::string& model, const std::vector<std::string>& layers) {
  NamedArrays dict;
  for (const auto& [name, array] : load_arrays(model).arrays) {
    if (!name.starts_with("rnn.")) {
      const bool is_layer = name.find('.') != name.npos;
      dict[name[0] == 'e' ? layers[0] + ".weight"
                          : layers[1] + (is_layer && name.ends_with(".b") ? ".bias" : ".weight")] =
          array;
      continue;
    }
    const std::string layer = name.substr(9, 1), part = name.substr(11);
    const std::map<std::string, std::string> theirs{
        {"W", "weight_ih_l"}, {"U", "weight_hh_l"}, {"b", "bias_ih_l"}, {"bh", "bias_hh_l"}};
    dict["lstm." + theirs.at(part) + layer] = array;
    if (part == "b" && array.size(0) % 4 == 0)  // PyTorch's LSTM has two
      dict["lstm.bias_hh_l" + layer] = zeros(array.shape());
  }
  return dict;
}

Json parsed(const Ran& ran) {
  BOOST_TEST_INFO(ran.err);
  BOOST_REQUIRE(ran.code == 0);
  return Json::parse(ran.out);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(imported_weights)

BOOST_AUTO_TEST_CASE(layers_are_taken_in_order) {
  const Net net(1);
  check_equal(named_as_in(Net(), foreign(net, "gru_9", "gru_10")), arrays_of(net));
  check_equal(named_as_in(Net(), foreign(net, "gru", "gru_1")), arrays_of(net));
  // Known names first, whatever their order.
  check_equal(named_as_in(Net(), foreign(net, "zgru", "rnn.layer1")), arrays_of(net));
}

BOOST_AUTO_TEST_CASE(more_layers_than_ours_keep_their_names) {
  NamedArrays arrays = foreign(Net(), "gru_1", "gru_2");
  arrays["other.W"] = zeros({7, 3});  // a second embedding
  const NamedArrays found = named_as_in(Net(), arrays);
  BOOST_TEST(found.contains("zz.W"));
  BOOST_TEST(found.contains("other.W"));
  BOOST_TEST(found.contains("rnn.layer1.U"));
}

BOOST_AUTO_TEST_CASE(files_of_pytorch_and_of_ours) {
  const Folder folder;
  Net net(1), other;
  save_arrays(foreign(net, "cells.1", "cells.0"), {}, folder / "dict.safetensors");
  ImportOptions options{.weights = folder / "dict.safetensors"};
  options.rename = {"cells.1=rnn.layer0", "cells.0=rnn.layer1"};
  import_weights(other, options);
  check_equal(arrays_of(other), arrays_of(net));
  options.rename = {"cell=rnn"};
  BOOST_TEST(refusal_of([&] { import_weights(other, options); })
                 .starts_with("--rename cell=rnn: " + options.weights +
                              " holds a_dense.W, a_dense.b, cells.0.U, "));
  options.rename = {"cells.1"};
  BOOST_TEST(refusal_of([&] { import_weights(other, options); }) ==
             "--rename cells.1: expected OLD=NEW");
}

BOOST_AUTO_TEST_CASE(a_mismatch_lists_names_and_shapes_and_changes_nothing) {
  const Folder folder;
  NamedArrays arrays = foreign(Net(1), "gru_1", "gru_2");
  arrays["gru_2.U"] = ones({12, 5});
  arrays["norm.gain"] = ones({4});
  arrays.erase("a_dense.b");
  save_arrays(arrays, {}, folder / "dict.safetensors");
  Net net;
  const std::string said =
      refusal_of([&] { import_weights(net, {.weights = folder / "dict.safetensors"}); });
  for (const char* part : {"dict.safetensors", "readout.W", "readout.b", "a_dense.W",
                           "'norm.gain' (4,)", "rnn.layer1.U", "(12, 5)"})
    BOOST_TEST(said.find(part) != said.npos, part << " in " << said);
  check_equal(arrays_of(net), arrays_of(Net()));
}

BOOST_AUTO_TEST_CASE(files_of_keras) {
  struct Classifier : Module {
    explicit Classifier(const NamedArrays& keras)
        : embed(parameter("embed", keras.at("embedding_1/embeddings").shape())),
          rnn(submodule("rnn", recurrent<GRUResetBefore>(embed.size(1), units(keras)))),
          readout(submodule("readout", Linear(units(keras), keras.at("dense_1/bias").size(0)))) {}
    static Size units(const NamedArrays& keras) {
      return keras.at("gru_1/recurrent_kernel").size(0);
    }
    Parameter embed;
    Recurrent rnn;
    Linear readout;
  };
  if (!reads_keras_files()) return;
  const std::string path = tests_dir() / "golden" / "keras" / "h5_gru_classifier.h5";
  const NamedArrays keras = read_keras_file(path);
  Classifier net(keras);
  import_weights(net, {.weights = path});
  BOOST_TEST((net.embed.value().to_vector<float>() ==
              keras.at("embedding_1/embeddings").to_vector<float>()));
  BOOST_TEST((transpose(net.readout.W).value().to_vector<float>() ==
              keras.at("dense_1/kernel").to_vector<float>()));
}

BOOST_AUTO_TEST_CASE(vocabularies) {
  const Folder folder;
  const Lexicon read = read_vocabulary(folder.file("v.json", R"(["<PAD>", "<UNK>", "\n", "é"])"));
  BOOST_TEST(read.size() == 4);
  BOOST_TEST(read.find("\n") == 2);
  for (const char* text : {"the cat", "{\"the\": 1}", "[1, 2]"})
    BOOST_TEST(refusal_of([&] {
                 read_vocabulary(folder.file("v.json", text));
               }).starts_with(folder / "v.json: is no JSON list of texts"));
  BOOST_TEST(refusal_of([&] {
               read_vocabulary(folder.file("v.json", R"(["a", "a"])"));
             }).starts_with(folder / "v.json: "));
}

BOOST_AUTO_TEST_CASE(a_language_model_of_pytorch) {
  const Folder folder;
  const std::string model = folder / "model.safetensors", dict = folder / "dict.safetensors",
                    imported = folder / "imported.safetensors",
                    other = folder / "other.safetensors";
  const auto train = [](const std::string& path, const std::string& seed) {
    parsed(run("language_modeling", {"train", "--tokens", "words", "--hidden", "8", "--layers", "2",
                                     "--epochs", "1", "--seed", seed, "--save", path, "--json"}));
  };
  train(model, "1"), train(other, "2");
  save_arrays(state_dict(model, {"encoder", "decoder"}), {}, dict);
  parsed(
      run("language_modeling", {"import", dict, "--model", other, "--save", imported, "--json"}));
  const auto perplexity = [](const std::string& path) {
    return parsed(run("language_modeling", {"evaluate", "--model", path, "--json"}))
        .at("perplexity")
        .get<double>();
  };
  BOOST_TEST(perplexity(imported) == perplexity(model));
  BOOST_TEST(perplexity(imported) != perplexity(other));

  const std::string few = folder.file("few.json", R"(["<PAD>", "<UNK>", "<END>"])");
  const Ran refused = run("language_modeling", {"import", dict, "--model", other, "--vocabulary",
                                                few, "--save", imported});
  BOOST_TEST(refused.refused());
  BOOST_TEST(refused.err.find("embedding") != std::string::npos);
  BOOST_TEST(refused.err.find("(3, 64)") != std::string::npos);
  BOOST_TEST(run("language_modeling", {"import", dict, "--model", other}).refused());
}

// All but the last layer fits: Keras's ends in two classes, ours in one rating.
BOOST_AUTO_TEST_CASE(a_file_of_keras_through_the_program) {
  const Folder folder;
  const std::string model = folder / "model.safetensors", saved = folder / "imported.safetensors",
                    keras = tests_dir() / "golden" / "keras" / "h5_gru_classifier.h5";
  parsed(run("sentiment_rating", {"train", "--model", "rnn", "--pooling", "last", "--cell",
                                  "gru-reset-before", "--directions", "1", "--hidden", "4",
                                  "--embedding", "3", "--epochs", "1", "--save", model, "--json"}));
  const std::string words =
      folder.file("words.json", R"(["<PAD>", "<UNK>", "a", "good", "bad", "film", "book"])");
  const Ran ran = run("sentiment_rating",
                      {"import", keras, "--model", model, "--vocabulary", words, "--save", saved});
  BOOST_TEST(ran.refused());
  if (reads_keras_files())
    BOOST_TEST(ran.err ==
               "sentiment_rating: " + keras +
                   ": does not fit the module: readout.W is float32 (2, 4), expected "
                   "float32 (1, 4); readout.b is float32 (2,), expected float32 (1,).\n");
  BOOST_TEST(!std::filesystem::exists(saved));
}

// Layers in another order than ours, and words in another than the model's.
BOOST_AUTO_TEST_CASE(renamed_layers_and_another_vocabulary) {
  const Folder folder;
  const std::string model = folder / "model.safetensors", other = folder / "other.safetensors",
                    dict = folder / "dict.safetensors", imported = folder / "imported.safetensors";
  const auto train = [&](const std::string& text, const std::string& path) {
    parsed(run("language_modeling",
               {"train", folder.file("text.txt", text), "--hidden", "6", "--embedding", "6",
                "--layers", "2", "--epochs", "1", "--save", path, "--json"}));
  };
  std::string sea, river;
  for (int k = 0; k < 20; ++k)
    sea += "the sea was there again. ", river += "a river of xylophones! ";
  train(sea, model), train(river, other);
  const SafeTensors learned = load_arrays(model);
  save_arrays(renamed(learned.arrays, {{"rnn.layer0", "z"}, {"rnn.layer1", "a"}}), {}, dict);
  const std::string words = folder.file("words.json", learned.metadata.at("vocabulary"));
  const auto import = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"import", dict,           "--model", other,   "--save",
                                       imported, "--vocabulary", words,     "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    parsed(run("language_modeling", arguments));
    const SafeTensors found = load_arrays(imported);
    BOOST_TEST(found.metadata.at("vocabulary") == learned.metadata.at("vocabulary"));
    return identical(found.arrays.at("rnn.layer0.W"), learned.arrays.at("rnn.layer0.W"));
  };
  BOOST_TEST(!import({}));  // a comes before z
  BOOST_TEST(import({"--rename", "z=rnn.layer0", "--rename", "a=rnn.layer1"}));
  check_equal(load_arrays(imported).arrays, learned.arrays);
}

BOOST_AUTO_TEST_CASE(what_is_no_file_of_weights) {
  const Folder folder;
  const std::string csv = folder.file("w.csv", "Rating,Review\n1,bad\n");
  const Ran ran = run("sentiment_rating", {"import", csv, "--model", "pretrained", "--save",
                                           folder / "new.safetensors"});
  BOOST_TEST(ran.refused());
  BOOST_TEST(ran.err == "sentiment_rating: " + csv + ": is not a safetensors file\n");
}

BOOST_AUTO_TEST_CASE(a_network_that_says_ratings) {
  const Folder folder;
  const std::string model = folder / "model.safetensors", dict = folder / "dict.safetensors",
                    imported = folder / "imported.safetensors";
  const auto rating = [](const std::string& path) {
    return parsed(run("sentiment_rating",
                      {"predict", "A quiet, funny film.", "--model", path, "--json"}))
        .at("ratings")[0]
        .get<double>();
  };
  parsed(run("sentiment_rating",
             {"train", "--model", "rnn", "--pooling", "last", "--cell", "lstm", "--directions", "1",
              "--hidden", "8", "--epochs", "2", "--batch", "8", "--save", model, "--json"}));
  NamedArrays theirs = state_dict(model, {"embedding", "fc"});
  const Variable W = theirs.at("fc.weight"), b = theirs.at("fc.bias");
  BOOST_REQUIRE((W.shape() == Shape{1, 8}));
  theirs["fc.weight"] = (4.5 * W).value();
  theirs["fc.bias"] = (5.5 + 4.5 * b).value();
  save_arrays(theirs, {}, dict);
  parsed(run("sentiment_rating", {"import", dict, "--model", model, "--save", imported, "--json"}));
  BOOST_TEST(std::abs(rating(imported) - rating(model)) < 1e-5);
}

BOOST_AUTO_TEST_SUITE_END()
