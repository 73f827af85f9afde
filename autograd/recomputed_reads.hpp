// What a function that is computed again uses: it is noted when the function is called first, and
// other values stand for it later. The op that does so is in recomputed.cpp. Internal.
#pragma once

#include <vector>

#include <unroll/autograd/node.hpp>
#include <unroll/autograd/substitution.hpp>

namespace unroll::detail {

/// What a function read of the tape's values, or instead of a Parameter: `original` is what it was
/// written with, `value` what it got, another one within a Substitution.
struct Use {
  Variable original, value;
  bool is_substitute() const { return !(original.record() == value.record()); }
};

/// Where one with that record stands, list.size() for nowhere.
inline std::size_t place_of(const Variable& x, const Variables& list) {
  std::size_t k = 0;
  while (k < list.size() && !(list[k].record() == x.record())) ++k;
  return k;
}

/// While it lives ops compute as if the tape recorded them, and what it would have recorded of
/// their inputs is listed. An input of the function is what is given for it, however it is reached.
class Noting final : Reading {
 public:
  Noting(const Tape& tape, const Variables& inputs, const Variables& given)
      : tape_(tape), inputs_(inputs), given_(given) {}
  std::vector<Use> uses;
  Variables unrecorded;  ///< Parameters read within no_grad, or on a tape of the function's own

 private:
  const Variable* find(const Variable& x) override {
    const bool here = Tape::current() == &tape_;  // a step may have tapes of its own
    if (std::size_t k = place_of(x, inputs_); here && k < inputs_.size()) return &given_[k];
    const Variable& value = read_outside(x);
    if (const Use use{x, value}; is_recorded(value) || use.is_substitute()) add(use);
    else if (x.is_parameter() && place_of(x, unrecorded) == unrecorded.size())
      unrecorded.push_back(x);
    return &value;
  }
  bool is_recorded(const Variable& x) const {
    if (x.empty() || !Tape::recording() || Tape::current() != &tape_) return false;
    if (x.is_parameter()) return true;  // a frozen one too: it must not change in between
    return x.record()->tape == tape_.impl().serial && x.record()->slot >= 0;
  }
  void add(const Use& use) {
    const Variable& x = use.original;
    for (const Use& u : uses) {
      if (!(u.original.record() == x.record())) continue;
      if (u.value.record() == use.value.record()) return;
      fail("recomputed", x.is_parameter() ? Parameter(x).name() : "a value", " ", x.shape(),
           " stands for different values within it; expected one, as from a Substitution.");
    }
    uses.push_back(use);
  }

  const Tape& tape_;
  const Variables &inputs_, &given_;
  NotingScope scope_;
};

/// While it lives the tape draws the random numbers of the first time, and others stand for what
/// was used.
class Replay final : Reading {
 public:
  Replay(TapeImpl& tape, const Generator::State* drawn) : tape_(tape) {
    if (!drawn) return;
    again_.set_state(*drawn);
    tape_.generator = &again_;
  }
  ~Replay() override { tape_.generator = generator_; }
  /// x in the place of what was used; of a substitute also where nothing is recorded, as its
  /// Substitution may have ended.
  void put(const Use& use, const Variable& x) { others_.push_back({use, x}); }

 private:
  const Variable* find(const Variable& x) override {
    const bool here = Tape::current() == tape_.self;
    for (const Other& o : others_)
      if (o.use.original.record() == x.record() && (here || o.use.is_substitute())) return &o.value;
    // Its gradient would be lost.
    if (here && x.is_parameter() && !Parameter(x).is_frozen())
      fail("recomputed", Parameter(x).name(), " ", x.shape(), " is used, but was not the first time: ",
           "what it computes must do the same again in the backward pass.");
    return nullptr;
  }

  TapeImpl& tape_;
  Generator* generator_ = tape_.generator;
  Generator again_;
  struct Other {
    Use use;
    Variable value;
  };
  std::vector<Other> others_;
};

}  // namespace unroll::detail
