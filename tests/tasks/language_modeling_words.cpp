// The program language_modeling on words, stories and prepared corpora, and what it refuses there.
// Characters of a running text are in language_modeling.cpp.
#include <boost/test/unit_test.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "common/paths.hpp"
#include "program.hpp"

namespace {

using Words = std::vector<std::string>;
using Json = nlohmann::json;

const std::string kProgram = "language_modeling";

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int k = 0; k < times; ++k) all += text;
  return all;
}

Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// Stories whose ending follows from their beginning.
struct Stories : Folder {
  std::string csv =
      file("stories.csv", "Id,Story\n" + repeated("1,\"The dog ran, and ran. It barked!\"\n"
                                                  "2,The cat slept all day. It purred.\n",
                                                  20));
  std::string model = *this / "model.safetensors";
  Words words(const Words& more = {}) const { return words(csv, more); }
  Words words(const std::string& text, const Words& more) const {
    return with({"train",       text,    "--valid",         text,   "--save",    model,
                 "--tokens",    "words", "--hidden",        "16",   "--steps",   "5",
                 "--embedding", "16",    "--epochs",        "25",   "--batch",   "4",
                 "--threads",   "2",     "--learning-rate", "0.02", "--dropout", "0"},
                more);
  }
};

Ran done(const Words& arguments) {
  const Ran ran = run(kProgram, arguments);
  BOOST_TEST_INFO(arguments[0] << ": " << ran.err);
  BOOST_TEST(ran.code == 0);
  return ran;
}

Json answer(const Words& arguments) {
  const Ran ran = done(with(arguments, {"--json"}));
  return ran.code == 0 ? Json::parse(ran.out) : Json();
}

void check_refused(const Words& arguments, const std::string& expected) {
  BOOST_TEST_CONTEXT(expected) {
    const Ran ran = run(kProgram, arguments);
    BOOST_TEST(ran.refused());
    BOOST_TEST_INFO(ran.err);
    BOOST_TEST(ran.err.find(expected) != std::string::npos);
  }
}

/// The program in a shell, for what only a shell can do.
Ran in_shell(const Folder& folder, const std::string& before, Words arguments,
             const std::string& after) {
  std::string command = before + " '" + (build_dir() / "tasks" / kProgram).string() + "'";
  for (const std::string& argument : arguments) command += " '" + argument + "'";
  const int status = std::system((command + " " + after + " 2> '" + folder / "err" + "'").c_str());
  return {WEXITSTATUS(status), "", content_of(folder / "err")};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(language_modeling_words)

BOOST_AUTO_TEST_CASE(stories_are_learned_measured_scored_and_told) {
  const std::vector<Words> kinds{{},
                                 {"--tied", "--variational", "--embedding", "12"},
                                 {"--cell", "gru", "--layers", "2", "--recurrent-dropout", "0.1"},
                                 {"--tokens", "spaced"}};
  for (const Words& kind : kinds) {
    BOOST_TEST_CONTEXT(Json(kind).dump()) {
      const Stories s;
      BOOST_TEST(answer(s.words(kind))["perplexity"].get<double>() < 1.6);
      const Json measured = answer({"evaluate", s.csv, "--model", s.model});
      const bool spaced = kind.size() == 2;
      BOOST_TEST(measured["stories"] == 40);
      BOOST_TEST(measured["words"] == 20 * (spaced ? 8 + 8 : 11 + 10));
      BOOST_TEST(measured["unknown"] == 0);
      BOOST_TEST(measured["perplexity"].get<double>() < 1.6);

      const Json scored = answer({"score", s.csv, "--model", s.model});
      BOOST_TEST(scored["stories"].size() == 40u);
      BOOST_TEST(scored["endings"]["comparisons"] == 400);
      for (const char* measure : {"accuracy", "accuracy_of_mean", "accuracy_of_mutual_information"})
        BOOST_TEST(scored["endings"][measure].get<double>() > 0.99);

      const Words ask{"generate",  "--model", s.model,         "--prompt", "the cat",
                      "--samples", "3",       "--temperature", "0.2"};
      const Json told = answer(ask);
      BOOST_TEST(told["texts"].size() == 3u);
      BOOST_TEST((spaced || told["text"] == "slept all day. it purred."));  // and ends
      BOOST_TEST(run(kProgram, ask).out == run(kProgram, ask).out);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_story_is_as_likely_as_its_tokens) {
  const Stories s;
  done(s.words({"--epochs", "3"}));
  const Json one = answer({"score", "--story", "The cat slept.", "--model", s.model});
  BOOST_TEST(one["stories"][0]["words"] == 5);  // the end too
  const std::string csv = s.file("one.csv", "Story\nThe cat slept.\n");
  const Json measured = answer({"evaluate", csv, "--model", s.model});
  BOOST_TEST(one["stories"][0]["log_probability"].get<double>() ==
                 -5 * measured["nats_per_word"].get<double>(),
             boost::test_tools::tolerance(1e-4));
  // Padding and the batch change nothing.
  const std::string two =
      s.file("two.csv", "Story\nThe cat slept.\nIt barked! It purred. It ran.\n");
  BOOST_TEST(
      answer({"score", two, "--model", s.model})["stories"][0]["log_probability"].get<double>() ==
          one["stories"][0]["log_probability"].get<double>(),
      boost::test_tools::tolerance(1e-4));
}

BOOST_AUTO_TEST_CASE(stories_of_characters) {
  const Stories s;
  const Json trained = answer(s.words({"--tokens", "characters", "--epochs", "8"}));
  BOOST_TEST(trained["valid"].get<double>() < 1.2);
  const Json told = answer({"generate", "--model", s.model, "--temperature", "0"});
  BOOST_TEST(told["text"].get<std::string>().starts_with("The "));
  BOOST_TEST(told["text"].get<std::string>().size() < 60u);  // it ends
  answer({"score", s.csv, "--model", s.model});
}

// As the Penn Treebank is: <unk> is the unknown word, the end of a line is a word.
BOOST_AUTO_TEST_CASE(prepared_corpora) {
  const Folder folder;
  const std::string text = folder.file("ptb.txt", repeated(" the <unk> fell N points \n", 40));
  const std::string model = folder / "model.safetensors";
  const Words network{"--tokens", "spaced",          "--hidden", "16",      "--embedding",
                      "16",       "--steps",         "7",        "--batch", "4",
                      "--tied",   "--learning-rate", "0.02"};
  done(with({"train", text, "--valid", text, "--save", model, "--epochs", "20"}, network));
  const Json measured = answer({"evaluate", text, "--model", model});
  BOOST_TEST(measured["words"] == 40 * 6 - 1);  // all but the first
  BOOST_TEST(measured["unknown"] == 40);
  BOOST_TEST(measured["perplexity"].get<double>() < 1.5);
  const std::string other = folder.file("other.txt", "the cheese fell N points\n");
  BOOST_TEST(answer({"evaluate", other, "--model", model})["unknown"] == 1);
  const Json told = answer({"generate", "--model", model, "--temperature", "0", "--length", "6"});
  // What is unknown is never written.
  BOOST_TEST(told["text"].get<std::string>().find("<UNK>") == std::string::npos);
  BOOST_TEST(told["text"].get<std::string>().find("N points\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_adaptive_softmax) {
  const Folder folder;
  std::string some;
  for (int k = 0; k < 300; ++k)
    some += "word" + std::to_string(k * k % 31) + (k % 2 ? " and " : " or ");
  const std::string text = folder.file("text.txt", some), model = folder / "model.safetensors";
  const Words arguments{"train", text,       "--save", model,      "--tokens",
                        "words", "--hidden", "16",     "--epochs", "2"};
  done(with(arguments, {"--adaptive"}));
  BOOST_TEST(answer({"evaluate", text, "--model", model})["perplexity"].get<double>() < 60);
  done({"generate", "--model", model, "--length", "5"});
  check_refused(with(arguments, {"--adaptive", "--tied"}), "--adaptive");
  check_refused({"train", "--save", model, "--tokens", "characters", "--adaptive", "--valid",
                 folder.file("few.txt", "abc"), folder.file("ab.txt", "abababab")},
                "an adaptive softmax needs at least 20 tokens");
}

BOOST_AUTO_TEST_CASE(rare_words_are_unknown) {
  const Folder folder;
  const std::string csv =
      folder.file("s.csv", "Story\n" + repeated("often often\n", 9) + "seldom often\n");
  const std::string model = folder / "model.safetensors";
  done({"train", csv, "--valid", csv, "--save", model, "--tokens", "words", "--min-freq", "2",
        "--epochs", "1", "--hidden", "4"});
  BOOST_TEST(answer({"evaluate", csv, "--model", model})["unknown"] == 1);
}

BOOST_AUTO_TEST_CASE(long_and_empty_texts_simply_work) {
  const Stories s;
  const std::string long_word(2000, 'x');  // 10 MB in one field
  const std::string csv =
      s.file("long.csv", "Story\n\"\"\na b\n" + repeated(long_word + ' ', 5000) + "\n\"\"\n");
  const std::string empty = s.file("empty.csv", "Story\n\"\"\n\"\"\n");
  for (const std::string& text : {csv, empty})
    done(s.words(text, {"--epochs", "1", "--hidden", "4", "--steps", "64"}));
  done({"evaluate", csv, "--model", s.model});
  done({"generate", "--model", s.model, "--prompt", "", "--length", "3"});
  done(s.words({"--epochs", "1", "--hidden", "4"}));
  const std::string foreign = s.file("foreign.csv", "Story\n" + repeated("qqq ", 100000) + "\n");
  const Json measured = answer({"evaluate", foreign, "--model", s.model});  // unknown words only
  BOOST_TEST(measured["unknown"] == 100000);
  const Json nothing = answer({"score", "--story", "", "--model", s.model});
  BOOST_TEST(nothing["stories"].size() == 1u);
  BOOST_TEST(nothing["stories"][0]["words"] == 1);  // its end
  done({"score", "--story", "zzz zzz", "--model", s.model});
  done({"generate", "--model", s.model, "--prompt", "zzz", "--length", "3"});
}

BOOST_AUTO_TEST_CASE(bad_stories_are_refused) {
  const Stories s;
  const auto train = [&](const std::string& name, const std::string& content) {
    return s.words(s.file(name, content), {});
  };
  check_refused(train("empty.csv", ""), "empty.csv: the file is empty");
  check_refused(train("header.csv", "Story\n"), "header.csv: ");
  check_refused(train("column.csv", "Text\na b\n"), "column.csv: ");
  check_refused(s.words({"--column", "Text"}), "Text");
  check_refused(train("latin.csv", "Story\ngr\xFC\xDF\n"), "latin.csv: line 2: ");
  check_refused(train("fields.csv", "Story\na,b\n"), "fields.csv: line 2: ");
  const std::string text = s.file("text.txt", "the cat slept");
  check_refused(s.words({"--valid", text}), "expected two of a kind");
  BOOST_TEST(!std::filesystem::exists(s.model));
  done(s.words({"--epochs", "1"}));
  check_refused({"evaluate", text, "--model", s.model}, "the model knows stories in a .csv");
  check_refused({"score", "--story", "\xFF", "--model", s.model}, "the story: not UTF-8");
  check_refused({"score", s.csv, "--story", "a", "--model", s.model}, "text excludes --story");
  const std::string running = s / "running.safetensors";
  done({"train", text, "--valid", text, "--save", running, "--epochs", "1", "--hidden", "4"});
  check_refused({"evaluate", s.csv, "--model", running}, "the model knows a running text");
  check_refused({"score", s.csv, "--model", running}, "expected a model of stories");
  check_refused({"evaluate", s.file("one.txt", "a"), "--model", running},
                "one.txt: is too short: 1 character; the first one is not predicted");
}

BOOST_AUTO_TEST_CASE(damaged_models_are_refused) {
  const Stories s;
  done(s.words({"--epochs", "1"}));
  const std::string whole = content_of(s.model);
  const auto both = [&](const std::string& content) {
    const std::string path = s.file("bad.safetensors", content);
    check_refused({"evaluate", s.csv, "--model", path}, "bad.safetensors");
    check_refused({"generate", "--model", path}, "bad.safetensors");
  };
  for (std::size_t at = 3; at < whole.size(); at += whole.size() / 12) {
    std::string flipped = whole;
    flipped[at] ^= 4;
    both(flipped);
    both(whole.substr(0, at));
  }
  // A lexicon that does not fit the weights; the checksum is left out.
  std::uint64_t before = 0;
  for (int k = 7; k >= 0; --k) before = before << 8 | static_cast<unsigned char>(whole[k]);
  const auto edited = [&](const std::string& from, const std::string& to) {
    Json header = Json::parse(whole.substr(8, before));
    header["__metadata__"].erase("unroll.checksum");
    std::string words = header["__metadata__"]["vocabulary"];
    words.replace(words.find(from), from.size(), to);
    header["__metadata__"]["vocabulary"] = words;
    std::string text = header.dump();
    text.append((8 - text.size() % 8) % 8, ' ');
    std::string bytes(8, '\0');
    for (int k = 0; k < 8; ++k) bytes[k] = static_cast<char>(text.size() >> 8 * k & 0xFF);
    return bytes + text + whole.substr(8 + before);
  };
  both(edited("\"cat\",", ""));
  both(edited("\"cat\"", "\"dog\""));
  both(edited("<END>", "<AND>"));
  both(edited("<PAD>", "<BAD>"));
}

// A limit on the size of files stands for a disk that is full.
BOOST_AUTO_TEST_CASE(built_in_stories) {
  const Folder folder;
  const std::string model = folder / "model.safetensors";
  done({"train", "--tokens", "words", "--save", model, "--epochs", "1", "--hidden", "16"});
  const Json measured = answer({"evaluate", "--model", model});
  BOOST_TEST(measured["stories"] == 100);
  BOOST_TEST(measured["unknown"] > 100);  // others than those it has learned
  BOOST_TEST(answer({"score", "--model", model})["endings"]["comparisons"] == 1000);
}

BOOST_AUTO_TEST_CASE(a_full_disk_and_a_folder_for_reading_only) {
  const Stories s;
  done(s.words({"--epochs", "1"}));
  const std::string before = content_of(s.model);
  const auto files = [&] { return std::distance(std::filesystem::directory_iterator(s.path), {}); };
  const auto count = files();
  const Ran full = in_shell(s, "trap '' XFSZ; ulimit -f 8;",
                            s.words({"--epochs", "1", "--hidden", "64"}), "> /dev/null");
  BOOST_TEST(full.refused());
  BOOST_TEST_INFO(full.err);
  BOOST_TEST(full.err.find("model.safetensors: ") != std::string::npos);
  BOOST_TEST((content_of(s.model) == before));
  BOOST_TEST(files() == count + 1);  // err

  const Ran told = in_shell(s, "", {"generate", "--model", s.model}, "> /dev/full");
  BOOST_TEST(told.refused());
  BOOST_TEST_INFO(told.err);
  BOOST_TEST(told.err.find("the output cannot be written") != std::string::npos);

  // Root may write where others may not, but not there.
  const Folder locked;
  std::filesystem::permissions(locked.path, std::filesystem::perms(0555));
  const std::string place = geteuid() == 0 ? "/proc/model.safetensors" : locked / "model";
  check_refused(s.words({"--save", place}), place + ": cannot be written");
  check_refused(s.words({"--checkpoint", place}), place + ": cannot be written");
}

BOOST_AUTO_TEST_CASE(stories_go_on_where_they_were_stopped) {
  const Stories whole, parts;
  const Words more{"--epochs", "6", "--dropout", "0.2"};
  done(whole.words(more));
  const std::string checkpoint = parts / "checkpoint";
  const Words go{"--checkpoint", checkpoint, "--checkpoint-every", "1"};
  Started program = start(kProgram, with(parts.words(more), go));
  while (program.is_running() && !std::filesystem::exists(checkpoint)) {}
  program.signal(SIGKILL);
  program.wait();
  done(with(with(parts.words(more), go), {"--resume"}));
  BOOST_TEST((content_of(parts.model) == content_of(whole.model)));
  const auto other = [&](const Words& changed) {
    const Ran ran = run(kProgram, with(with(parts.words(more), go), with({"--resume"}, changed)));
    BOOST_TEST(ran.refused());
    return ran.err;
  };
  const std::string another = kProgram + ": " + checkpoint + ": is of another training: its ";
  BOOST_TEST(other({"--seed", "2"}) == another + "seed is 1, here it is 2\n");
  BOOST_TEST(other({"--hidden", "8"}).starts_with(another + "network is "));
  check_refused(with(parts.words(more), go), "checkpoint exists; add --resume");
}

BOOST_AUTO_TEST_SUITE_END()
