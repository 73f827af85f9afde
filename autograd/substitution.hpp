// Substitution: other values in the place of Parameters, for whatever reads those within a scope.
// A cell written with its weights W and U runs with other ones, and its text says nothing of it.
#pragma once

#include <utility>
#include <vector>

#include <unroll/autograd/variable.hpp>

namespace unroll {

namespace detail {

/// What ops of this thread read in the place of a Parameter, or of any value, while it lives. Of
/// several the youngest that answers decides.
class Reading {
 public:
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
  /// What to read for x, nullptr if this one does not say. It stays where it is for as long as this
  /// lives.
  virtual const Variable* find(const Variable& x) = 0;

 protected:
  Reading();
  virtual ~Reading();
  /// What the older ones say, x itself if nothing.
  const Variable& read_outside(const Variable& x) const;

 private:
  friend const Variable& find_reading(const Variable& x);
  Reading* outer_;
};

extern constinit thread_local Reading* reading;
const Variable& find_reading(const Variable& x);

/// x, or what stands in for it: every op looks at its inputs through this.
inline const Variable& read(const Variable& x) { return reading ? find_reading(x) : x; }

/// While it lives everything is read as it is.
struct PlainReading {
  Reading* before = std::exchange(reading, nullptr);
  PlainReading() = default;
  PlainReading(const PlainReading&) = delete;
  ~PlainReading() { reading = before; }
};

}  // namespace detail

/// While it lives, ops of this thread that are given one of the Parameters compute with the value
/// in its place, and gradients flow to that value:
///
///     Substitution fast(W, W - 0.1 * grad(loss, W, {.create_graph = true}));
///     auto adapted = model(x);              // model reads W
///
/// What the values stand for is read before it is in force: {{P, Q}, {Q, P}} swaps two Parameters.
/// The Parameter itself does not change, so that other threads may use it meanwhile, and gradients
/// of any order are those of a program that was written with the values. Sweeps use what was
/// recorded. W.value() is no op: it says what the Parameter holds.
class Substitution final : detail::Reading {
 public:
  struct Pair {
    Parameter parameter;
    Variable value;
  };
  Substitution(const Parameter& parameter, const Variable& value);
  /// Throws Error naming the Parameter if a value has another shape or element type.
  explicit Substitution(std::vector<Pair> pairs);

 private:
  struct AreRead {};
  Substitution(std::vector<Pair> pairs, AreRead) : pairs_(std::move(pairs)) {}
  const Variable* find(const Variable& parameter) override;
  std::vector<Pair> pairs_;
};

}  // namespace unroll
