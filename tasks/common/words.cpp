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

using MakeBoundaries = icu::BreakIterator* (*)(const icu::Locale&, UErrorCode&);

std::unique_ptr<icu::BreakIterator> boundaries_by(MakeBoundaries make) {
  UErrorCode code = U_ZERO_ERROR;
  std::unique_ptr<icu::BreakIterator> made(make(icu::Locale::getRoot(), code));
  require(code);
  return made;
}

/// Calls f for each part of the text; the boundaries stand at its end.
template <class F>
void each_part(std::string_view text, icu::BreakIterator& boundaries, const F& f) {
  UErrorCode code = U_ZERO_ERROR;
  const std::unique_ptr<UText, UText* (*)(UText*)> opened(
      utext_openUTF8(nullptr, text.data(), static_cast<std::int64_t>(text.size()), &code),
      utext_close);
  require(code);
  boundaries.setText(opened.get(), code);
  require(code);
  std::int32_t start = boundaries.first();
  for (std::int32_t end = boundaries.next(); end != icu::BreakIterator::DONE;
       start = end, end = boundaries.next())
    f(text.substr(start, end - start));
}

UChar32 first_of(std::string_view text) {
  UChar32 first;
  std::int32_t next = 0;
  U8_NEXT_OR_FFFD(text.data(), next, static_cast<std::int32_t>(text.size()), first);
  return first;
}

/// White space, a line break or something without a shape of its own.
bool is_blank(std::string_view token) {
  const UChar32 first = first_of(token);
  return u_isUWhiteSpace(first) || u_iscntrl(first);
}

bool starts_small(std::string_view text) { return u_islower(first_of(text)); }

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
  // Reading the rules takes longer than cutting a sentence: once a thread.
  thread_local const auto boundaries = boundaries_by(icu::BreakIterator::createWordInstance);
  std::vector<std::string> found;
  each_part(text, *boundaries, [&](std::string_view token) {
    const bool is_word = boundaries->getRuleStatus() >= UBRK_WORD_NONE_LIMIT;
    if (is_word || (options.punctuation && !is_blank(token))) found.emplace_back(token);
  });
  return found;
}

std::vector<std::string> sentences(std::string_view utf8) {
  thread_local const auto boundaries = boundaries_by(icu::BreakIterator::createSentenceInstance);
  std::vector<std::string> found;
  std::string_view before;  // the sentence that was found last
  each_part(utf8, *boundaries, [&](std::string_view part) {
    while (!part.empty() && is_blank(part.substr(part.size() - 1))) part.remove_suffix(1);
    if (part.empty()) return;
    // "Why?" she asked.
    if (!found.empty() && starts_small(part)) {
      part = {before.data(), static_cast<std::size_t>(part.end() - before.data())};
      found.pop_back();
    }
    found.emplace_back(before = part);
  });
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
