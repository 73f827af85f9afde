// What each program that learns does with bad files and damaged models, by one list for all: one
// line, word for word where it is ours, and what was there is there still. What only one of them
// reads (ratings, tags, running text) is in the files of its name.
#include "every_program.hpp"

#include <nlohmann/json.hpp>

#include <unroll/layers/save.hpp>

using namespace every_program;

BOOST_AUTO_TEST_SUITE(every_program)

BOOST_AUTO_TEST_CASE(bad_files_are_refused_word_for_word) {
  for (const Program& program : kPrograms) {
    const Trained trained(program);
    const auto check = [&](const std::string& path, const std::string& what) {
      const std::ptrdiff_t before = trained.files();
      check_says(program, trained.train(path, {}), path + what);
      check_says(program, trained.train({"--valid", path}), path + what);
      for (const Verb& verb : program.verbs)
        check_says(program, Trained::ask(verb, path, trained.model), path + what);
      trained.check_unharmed(before);
    };
    const auto bad = [&](const std::string& text, const std::string& what) {
      check(trained.file("bad.csv", text), what);
    };
    const std::string header = program.header + '\n', row = program.row + '\n';
    std::string names = program.header;
    names.insert(names.find(',') + 1, " ");
    std::filesystem::create_directory(trained / "folder.csv");
    check(trained / "missing.csv", ": no such file");
    check(trained / "folder.csv", ": is a folder, not a file");
    bad("", ": the file is empty");
    bad("\xEF\xBB\xBF\n\n", ": holds neither a header nor rows");
    bad(header, ": holds a header but no rows");
    bad(header + row + "x\n", ": line 3: 1 field; expected 2 (" + names + ")");
    bad(header + row + "1,2,3\n", ": line 3: 3 fields; expected 2 (" + names + ")");
    bad(header + "\"a\nb\n", ": line 2: a quoted field begins here and never ends");
    bad(header + row + "1,gr\xFC\xDF\n", ": line 3: not UTF-8 at byte 4 (0xFC)");
    bad("\xFF\xFEI", ": line 1: not UTF-8 at byte 0 (0xFF)");
  }
}

BOOST_AUTO_TEST_CASE(a_missing_column_is_named) {
  for (const Program& program : kPrograms) {
    const Trained trained(program);
    const std::string path = trained.file("other.csv", "Number,Text\n1,two\n");
    const auto says = [&](const std::string& column) {
      return path + ": line 1: no column '" + column + "'; the header names Number, Text";
    };
    check_says(program, trained.train(path, {}), says(program.column));
    check_says(program, trained.train({"--valid", path}), says(program.column));
    for (const Verb& verb : program.verbs)
      check_says(program, Trained::ask(verb, path, trained.model), says(verb.column));
    trained.check_unharmed(3);
  }
}

BOOST_AUTO_TEST_CASE(damaged_models_are_refused) {
  for (const Program& program : kPrograms) {
    const Trained trained(program);
    const std::string& whole = trained.learned;
    const auto check = [&](const std::string& bytes) {
      const std::string path = trained.file("bad.safetensors", bytes);
      for (const Verb& verb : program.verbs)
        check_refused(program, Trained::ask(verb, trained.data, path), path + ": ");
      check_says(program, trained.train({"--save", path}),
                 path + " exists and is not a model; choose another --save");
      BOOST_TEST((content_of(path) == bytes));
    };
    for (std::size_t k = 0; k < 10; ++k) check(whole.substr(0, k * whole.size() / 10));
    check(whole + 'x');
    check("notes");
    for (std::size_t k = 0; k < 30; ++k) {
      const std::size_t at = k * (whole.size() - 1) / 29;
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ 1 << k % 8);
      const std::string path = trained.file("flipped.safetensors", flipped);
      for (const Verb& verb : program.verbs)
        check_refused(program, Trained::ask(verb, trained.data, path), path + ": ");
    }
    const std::string checksum = "unroll.checksum";  // whose name a flipped bit would hide
    for (std::size_t k = 0; k < checksum.size(); ++k) {
      std::string flipped = whole;
      flipped[whole.find(checksum) + k] ^= 4;
      const std::string path = trained.file("flipped.safetensors", flipped);
      check_refused(program, Trained::ask(program.verbs[0], trained.data, path), path + ": ");
    }
    const auto all_verbs = [&](const std::string& path, const std::string& line) {
      for (const Verb& verb : program.verbs)
        check_says(program, Trained::ask(verb, trained.data, path), line);
    };
    all_verbs("/dev/zero", "/dev/zero: is not a safetensors file");
    all_verbs(trained.data, trained.data + ": is not a safetensors file");
    all_verbs(trained.path, trained.path.string() + ": is a folder, not a file");
    all_verbs("", "the name of the file to read is empty");
    for (const Program& other : kPrograms)
      if (other.name != program.name)
        check_says(other, Trained::ask(other.verbs[0], trained.data, trained.model),
                   trained.model + ": is not a model of " + other.name);
  }
}

BOOST_AUTO_TEST_CASE(a_lexicon_that_does_not_fit_the_weights) {
  for (const Program& program : kPrograms) {
    const Trained trained(program);
    unroll::SafeTensors file = unroll::load_arrays(trained.model);
    auto words = nlohmann::json::parse(file.metadata.at("vocabulary"));
    words.push_back("kraken");
    file.metadata["vocabulary"] = words.dump();
    const std::string path = trained / "larger.safetensors";
    unroll::save_arrays(file.arrays, file.metadata, path);
    for (const Verb& verb : program.verbs)
      check_refused(program, Trained::ask(verb, trained.data, path),
                    path + ": does not fit the module: ");
  }
}

BOOST_AUTO_TEST_SUITE_END()
