// BadInput: what the programs throw when a file, a word or an option is not what they can use.
// command_line.hpp turns it into one line on stderr and exit code 2; nothing else prints errors.
#pragma once

#include <stdexcept>
#include <string>

#include <unroll/autograd/error.hpp>

namespace tasks {

struct BadInput : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws BadInput of the parts joined: strings and numbers.
template <class... Parts>
[[noreturn]] void bad_input(const Parts&... parts) {
  throw BadInput(unroll::join(parts...));
}

}  // namespace tasks
