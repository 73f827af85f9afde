// Files of Keras, read; that their numbers mean the right thing is tested by the golden group
// keras.
#include <boost/test/unit_test.hpp>

#include <unroll/autograd/shape.hpp>

#include "common/bad_input.hpp"
#include "common/keras_file.hpp"
#include "common/paths.hpp"
#include "program.hpp"

using namespace tasks;

namespace {

std::string path_of(const std::string& name) { return tests_dir() / "golden" / "keras" / name; }

std::string listed(const unroll::NamedArrays& arrays) {
  std::string list;
  for (const auto& [name, array] : arrays) list += name + " ";
  return list;
}

std::string refusal_of(const std::string& path) {
  try {
    read_keras_file(path);
  } catch (const BadInput& error) {
    return error.what();
  }
  return "nothing was thrown";
}

bool skipped() {
  if (!reads_keras_files()) BOOST_TEST_MESSAGE("built without HDF5");
  return !reads_keras_files();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(keras_file)

BOOST_AUTO_TEST_CASE(names_of_weights) {
  if (skipped()) return;
  BOOST_TEST(listed(read_keras_file(path_of("h5_gru_classifier.h5"))) ==
             "dense_1/bias dense_1/kernel embedding_1/embeddings gru_1/bias gru_1/kernel "
             "gru_1/recurrent_kernel ");
  BOOST_TEST(listed(read_keras_file(path_of("h5_lstm_tagger.h5"))) ==
             "lstm/bias lstm/kernel lstm/recurrent_kernel lstm_1/bias lstm_1/kernel "
             "lstm_1/recurrent_kernel time_distributed/bias time_distributed/kernel ");
}

BOOST_AUTO_TEST_CASE(broken_files_are_refused) {
  const Folder folder;
  const std::string whole = content_of(path_of("h5_gru_classifier.h5"));
  BOOST_TEST(refusal_of(folder / "missing.h5").find("missing.h5: no such file") !=
             std::string::npos);
  if (skipped()) {
    BOOST_TEST(refusal_of(path_of("h5_gru_classifier.h5")).find("built without HDF5") !=
               std::string::npos);
    return;
  }
  BOOST_TEST(refusal_of(folder.file("text.h5", "notes")) == folder / "text.h5: is not HDF5");
  for (std::size_t bytes = 100; bytes < whole.size(); bytes += whole.size() / 20)
    BOOST_TEST(
        refusal_of(folder.file("cut.h5", whole.substr(0, bytes))).starts_with(folder / "cut.h5: "));
  std::string other = whole;
  other.replace(other.find("layer_names"), 11, "layer_games");
  BOOST_TEST(refusal_of(folder.file("other.h5", other)) ==
             folder / "other.h5: has no layer_names; it is not a file of Keras");
}

// What HDF5 makes of a flipped bit is its business; that it is a complaint or an array is ours.
BOOST_AUTO_TEST_CASE(flipped_bits_are_refused_or_harmless) {
  if (skipped()) return;
  const Folder folder;
  const std::string whole = content_of(path_of("h5_gru_classifier.h5"));
  int refused = 0;
  for (std::size_t at = 0; at < whole.size(); at += 41) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 1 << at % 8);
    const std::string path = folder.file("flipped.h5", flipped), what = refusal_of(path);
    if (what == "nothing was thrown") continue;
    BOOST_TEST(what.starts_with(path + ": "));
    ++refused;
  }
  BOOST_TEST(refused > 5);
}

BOOST_AUTO_TEST_CASE(names_in_a_file_stay_on_one_line) {
  if (skipped()) return;
  const Folder folder;
  std::string file = content_of(path_of("h5_gru_classifier.h5"));
  file.replace(file.find("gru_1/kernel:0"), 14, "gru_1/ker\nel:0");
  BOOST_TEST(refusal_of(folder.file("name.h5", file)) ==
             folder / "name.h5: its weight 'gru_1/ker?el:0' cannot be read");
}

BOOST_AUTO_TEST_CASE(sizes_beyond_the_file_are_refused) {
  if (skipped()) return;
  const Folder folder;
  std::string file = content_of(path_of("h5_gru_classifier.h5"));
  const auto bytes = [](std::uint64_t n) {
    return std::string(reinterpret_cast<const char*>(&n), sizeof n);
  };
  const std::size_t place = file.find(bytes(3) + bytes(12));  // the shape of gru_1/kernel
  for (const std::uint64_t rows : {std::uint64_t{1} << 23, std::uint64_t{1} << 40}) {
    file.replace(place + 8, 8, bytes(rows));
    BOOST_TEST(refusal_of(folder.file("large.h5", file)) ==
               folder / "large.h5: its weight 'gru_1/kernel:0' is too large");
  }
}

BOOST_AUTO_TEST_SUITE_END()
