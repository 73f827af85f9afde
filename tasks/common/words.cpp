// ICU's word boundaries, lower case and normal form, all on UTF-8. The rules are those of no
// language in particular (the root locale), so that a model reads alike on every machine.
#include "common/words.hpp"

#include <unicode/brkiter.h>
#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>

#include <memory>

#include <unroll/autograd/error.hpp>

namespace tasks {
namespace {

void require(UErrorCode code) {
  if (U_FAILURE(code)) unroll::fail("words", "ICU says ", u_errorName(code), ".");
}

icu::StringPiece piece(std::string_view utf8) {
  return {utf8.data(), static_cast<std::int32_t>(utf8.size())};
}

std::string normal_form(std::string_view utf8) {
  UErrorCode code = U_ZERO_ERROR;
  std::string result;
  icu::StringByteSink<std::string> sink(&result);
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(code);
  require(code);
  nfc->normalizeUTF8(0, piece(utf8), sink, nullptr, code);
  require(code);
  return result;
}

/// Reading the rules takes longer than cutting a sentence: once a thread.
icu::BreakIterator& word_boundaries() {
  thread_local const auto boundaries = [] {
    UErrorCode code = U_ZERO_ERROR;
    std::unique_ptr<icu::BreakIterator> made(
        icu::BreakIterator::createWordInstance(icu::Locale::getRoot(), code));
    require(code);
    return made;
  }();
  return *boundaries;
}

/// White space, a line break or something without a shape of its own.
bool is_blank(std::string_view token) {
  UChar32 first;
  std::int32_t next = 0;
  U8_NEXT_OR_FFFD(token.data(), next, static_cast<std::int32_t>(token.size()), first);
  return u_isUWhiteSpace(first) || u_iscntrl(first);
}

}  // namespace

std::string lowercased(std::string_view utf8) {
  UErrorCode code = U_ZERO_ERROR;
  std::string result;
  icu::StringByteSink<std::string> sink(&result);
  icu::CaseMap::utf8ToLower("", 0, piece(utf8), sink, nullptr, code);
  require(code);
  return result;
}

std::vector<std::string> words(std::string_view utf8, const WordOptions& options) {
  const std::string text = normal_form(options.lowercase ? lowercased(utf8) : std::string(utf8));
  UErrorCode code = U_ZERO_ERROR;
  const std::unique_ptr<UText, UText* (*)(UText*)> opened(
      utext_openUTF8(nullptr, text.data(), static_cast<std::int64_t>(text.size()), &code),
      utext_close);
  require(code);
  icu::BreakIterator& boundaries = word_boundaries();
  boundaries.setText(opened.get(), code);
  require(code);

  std::vector<std::string> found;
  std::int32_t start = boundaries.first();
  for (std::int32_t end = boundaries.next(); end != icu::BreakIterator::DONE;
       start = end, end = boundaries.next()) {
    const bool is_word = boundaries.getRuleStatus() >= UBRK_WORD_NONE_LIMIT;
    std::string token = text.substr(start, end - start);
    if (is_word || (options.punctuation && !is_blank(token))) found.push_back(std::move(token));
  }
  return found;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  if (text.empty()) return parts;
  for (std::size_t end; (end = text.find(separator)) != text.npos; text.remove_prefix(end + 1))
    parts.emplace_back(text.substr(0, end));
  parts.emplace_back(text);
  return parts;
}

}  // namespace tasks
