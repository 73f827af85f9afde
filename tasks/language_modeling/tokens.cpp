// Files read, texts cut into tokens, tokens joined to texts. What is predicted from what is not
// known here.
#include "language_modeling/tokens.hpp"

#include "common/bad_input.hpp"
#include "common/csv.hpp"
#include "common/embedded.hpp"
#include "common/files.hpp"
#include "common/text.hpp"
#include "common/words.hpp"

namespace tasks {
namespace {

const std::string kUnknownWord = "<UNK>";

std::vector<std::string> spaced(const std::string& text, bool running) {
  std::vector<std::string> tokens;
  std::string token;
  const auto finish = [&] {
    // What the lexicon uses for itself is no word of a text.
    if (token == "<unk>" || token == "<PAD>" || token == kEndOfStory) token = kUnknownWord;
    if (!token.empty()) tokens.push_back(token);
    token.clear();
  };
  for (const char c : text) {
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
      token += c;
      continue;
    }
    finish();
    if (c == '\n' && running) tokens.push_back(kEndOfLine);
  }
  finish();
  return tokens;
}

std::vector<std::string> cut(const std::string& text, const Settings& settings) {
  return settings.tokens == kSpaced ? spaced(text, !settings.stories) : words(text);
}

Lexicon lexicon_of_characters(const Documents& learned, const Documents& others, bool stories) {
  Lexicon lexicon;
  if (stories) lexicon.add(kEndOfStory);
  for (const Documents* documents : {&learned, &others})
    for (const std::string& text : documents->texts)
      for (const char32_t c : decode_utf8(text, documents->name)) lexicon.add(encode_utf8(c));
  return lexicon;
}

/// Whether a token stands close to the one before it, or to the one after it.
bool is_closing(const std::string& token) {
  static const Lexicon marks({".", ",", "!", "?", ";", ":", ")", "]", "”", "’", "…", "%", "'"});
  return marks.find(token) >= 0;
}
bool is_opening(const std::string& token) {
  static const Lexicon marks({"(", "[", "“", "‘", "$", "£"});
  return marks.find(token) >= 0;
}

std::string joined_words(const std::vector<Size>& tokens, const Lexicon& lexicon) {
  std::string text;
  bool open = true, quoted = false;  // a straight quote opens and closes in turn
  for (const Size number : tokens) {
    const std::string& token = lexicon[number];
    const bool quote = token == "\"", closing = is_closing(token) || (quote && quoted);
    if (!open && !closing) text += ' ';
    text += token;
    if (quote) quoted = !quoted;
    open = is_opening(token) || (quote && quoted);
  }
  return text;
}

std::string joined_spaced(const std::vector<Size>& tokens, const Lexicon& lexicon) {
  std::string text;
  for (const Size number : tokens) {
    const bool end = lexicon[number] == kEndOfLine;
    if (!end && !text.empty() && text.back() != '\n') text += ' ';
    text += end ? "\n" : lexicon[number];
  }
  return text;
}

}  // namespace

Documents read_documents(const std::string& path, const std::string& column,
                         const std::string& built_in) {
  if (path.empty() && built_in.ends_with(".csv")) {
    const std::string name = "the built-in stories";
    return {name, Csv::parse(embedded(built_in), name).column("Story"), true};
  }
  if (path.empty()) return {"the built-in text", {std::string(embedded(built_in))}};
  if (path.ends_with(".csv")) return {path, Csv::read(path).column(column), true};
  std::string text = read_file(path);
  decode_utf8(text, path);
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  return {path, {std::move(text)}};
}

Lexicon make_lexicon(const Documents& learned, const Documents& others, const Settings& settings,
                     Size min_freq) {
  if (settings.tokens == kCharacters)
    return lexicon_of_characters(learned, others, settings.stories);
  std::vector<std::vector<std::string>> sentences;
  for (const std::string& text : learned.texts) {
    sentences.push_back(cut(text, settings));
    if (settings.stories) sentences.back().push_back(kEndOfStory);
  }
  Lexicon lexicon = Lexicon::of_words(sentences, min_freq);
  if (settings.stories) lexicon.add(kEndOfStory);  // if it is rarer than min_freq
  return lexicon;
}

void require_lexicon(const Lexicon& lexicon, const Settings& settings, const std::string& path) {
  if (lexicon.size() == 0) bad_input(path, ": its vocabulary is empty");
  if (settings.stories && lexicon.find(kEndOfStory) < 0)
    bad_input(path, ": its vocabulary has no ", kEndOfStory);
  if (settings.tokens == kCharacters) return;
  if (!lexicon.is_of_words())
    bad_input(path, ": its vocabulary does not begin with <PAD> and ", kUnknownWord);
}

std::vector<Size> encode(const std::string& text, const Lexicon& lexicon, const Settings& settings,
                         const std::string& name) {
  if (settings.tokens == kCharacters) return lexicon.encode(decode_utf8(text, name), name);
  return lexicon.encode_words(cut(text, settings));
}

std::vector<std::vector<Size>> encode(const Documents& documents, const Lexicon& lexicon,
                                      const Settings& settings) {
  std::vector<std::vector<Size>> all;
  for (const std::string& text : documents.texts)
    all.push_back(encode(text, lexicon, settings, documents.name));
  return all;
}

std::string decode(const std::vector<Size>& tokens, const Lexicon& lexicon,
                   const Settings& settings) {
  if (settings.tokens == kCharacters) return lexicon.decode(tokens);
  return settings.tokens == kWords ? joined_words(tokens, lexicon) : joined_spaced(tokens, lexicon);
}

}  // namespace tasks
