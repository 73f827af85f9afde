// The one exception type of the library, and the way its messages are put together.
// Nothing here prints or exits; programs decide what to do with an Error.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace unroll {

/// Everything the library throws. what() reads "[op] sentence with both shapes; expectation."
class Error : public std::exception {
 public:
  explicit Error(std::string message) : message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

namespace detail {

/// Shortest text of a number that reads back as the same float64 ("0.1", "1e-12", "nan"). Not
/// called to_string: programs use std too.
std::string text_of(double number);

inline void append(std::string& text, std::string_view part) { text += part; }
inline void append(std::string& text, const char* part) { text += part; }
inline void append(std::string& text, char part) { text += part; }
inline void append(std::string& text, double part) { text += text_of(part); }
inline void append(std::string& text, std::int64_t part) { text += std::to_string(part); }
inline void append(std::string& text, int part) { text += std::to_string(part); }
inline void append(std::string& text, std::size_t part) { text += std::to_string(part); }
template <class T>
  requires requires(const T& t) { t.text(); }
void append(std::string& text, const T& part) {
  text += part.text();
}
template <class T>
  requires requires(const T& t) { name_of(t); }
void append(std::string& text, const T& part) {
  text += name_of(part);
}

}  // namespace detail

/// Joins strings, numbers, shapes and types into one text.
template <class... Parts>
std::string join(const Parts&... parts) {
  std::string text;
  (detail::append(text, parts), ...);
  return text;
}

/// Writes what can tell itself in words to a stream: std::cout << y.shape() << y.value().
template <class Stream, class T>
  requires requires(Stream& out, const T& x) {
    out.write("", 1);
    x.text();
  } || requires(Stream& out, const T& x) {
    out.write("", 1);
    name_of(x);
  }
Stream& operator<<(Stream& out, const T& x) {
  const std::string text = join(x);
  out.write(text.data(), static_cast<std::ptrdiff_t>(text.size()));
  return out;
}

/// Throws Error("[op] parts...").
template <class... Parts>
[[noreturn]] void fail(std::string_view op, const Parts&... parts) {
  throw Error(join("[", op, "] ", parts...));
}

}  // namespace unroll
