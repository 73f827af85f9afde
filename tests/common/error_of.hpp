// What a test compares of an error: its message.
#pragma once

#include <string>

#include <unroll/autograd/error.hpp>

/// The message of the Error that f throws; "" if it throws none.
template <class F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const unroll::Error& e) {
    return e.what();
  }
  return "";
}
