// Variable, the value that ops take and return, and Parameter, a Variable that is trained. How a
// tape records them is in tape.hpp; what can be done with them is in ops.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include <unroll/autograd/array.hpp>

namespace unroll {

struct Leaf;
struct ParameterData;

/// What a Variable points to: a value, and where a tape recorded it.
struct Record : Counted {
  int slot = -1;           ///< its place on that tape
  std::uint64_t tape = 0;  ///< serial of the tape that recorded it, 0 for constants
  Array value;
  Leaf* leaf = nullptr;    ///< set for Parameters and watched inputs
  Ref<Shared> sequence;    ///< the sequence this is a row of, see ops/sequence.hpp

  explicit Record(Array&& value) : value(std::move(value)) {}
  static Ref<Record> make(Array&& value);
  static void free(Record* record);
  ParameterData* parameter() const;
};
static_assert(sizeof(Record) == 128);  // two cache lines for each value on a tape

/// What a value that gets gradients has besides.
struct Leaf {
  Ref<Record> gradient;  ///< summed by backward()
  int number = -1;       ///< Parameters: dense over those alive, a tape's table index
};

/// A value that takes part in gradients: one counted pointer, immutable through this handle.
class Variable {
 public:
  /// Empty: no value; as a field of an initial state it stands for zeros.
  Variable() = default;
  Variable(const Array& value) : Variable(Array(value)) {}
  Variable(Array&& value) : record_(Record::make(std::move(value))) {}
  /// A float32 scalar constant, rounded to that beside float64 too; x * 0.1 of an op is exact.
  Variable(double number) : Variable(full({}, number)) {}
  explicit Variable(Ref<Record> record) : record_(std::move(record)) {}
  Variable(const Variable&) = default;
  Variable(Variable&&) = default;
  Variable& operator=(const Variable&) & = default;
  Variable& operator=(Variable&&) & = default;
  Variable& operator=(const Variable&) && = delete;  // x[t] = y would change a temporary
  explicit operator bool() const = delete;           // if (loss < 1): ask loss.item() < 1

  bool empty() const { return !record_; }
  /// The numbers. Throws for an empty Variable.
  const Array& value() const {
    if (!record_) fail("variable", "is empty; give it a value first.");
    return record_->value;
  }
  const Shape& shape() const { return value().shape(); }
  int rank() const { return value().rank(); }
  Type type() const { return value().type(); }
  Size size() const { return value().size(); }
  Size size(Size axis) const { return value().size(axis); }
  /// The only element, as a double; throws if there is not exactly one.
  double item() const { return value().item(); }
  /// Index i along the first axis, recorded: x[t] of (T, B, D) is (B, D).
  Variable operator[](Size i) const;

  /// What backward() has summed up for a Parameter or a watched input; empty if nothing has.
  Variable grad() const { return record_ && record_->leaf ? Variable(record_->leaf->gradient) : Variable(); }
  void zero_grad() const {
    if (record_ && record_->leaf) record_->leaf->gradient = nullptr;
  }
  /// True if a tape that is alive in this thread gives gradients to this value.
  bool is_recorded() const;
  bool is_parameter() const { return record_ && record_->leaf && record_->leaf->number >= 0; }

  const Ref<Record>& record() const { return record_; }
  std::string text() const { return empty() ? "empty" : value().text(); }

 private:
  Ref<Record> record_;
};

/// A list of Variables: {loss}, {w1, w2}, a std::vector.
class Variables : public std::vector<Variable> {
 public:
  using std::vector<Variable>::vector;
  Variables(std::initializer_list<Variable> list) : std::vector<Variable>(list) {}
  Variables(std::vector<Variable> list) : std::vector<Variable>(std::move(list)) {}
  Variables(const Variable& one) : std::vector<Variable>{one} {}
};

/// What belongs to a Parameter besides its value.
struct ParameterData : Leaf {
  std::string name;
  bool frozen = false;               ///< treated as a constant
  int holders = 0;                   ///< optimisers that update it
  std::uint64_t last_backward = 0;   ///< the backward sweep that last added to its gradient
  Ref<Shared> initialiser;           ///< how its default value is drawn, see layers/init.hpp
};

inline ParameterData* Record::parameter() const {
  return leaf && leaf->number >= 0 ? static_cast<ParameterData*>(leaf) : nullptr;
}

/// A Variable with a name and a gradient, updated by optimisers. Copies are handles to the same
/// Parameter; using one twice ties it.
class Parameter : public Variable {
 public:
  Parameter() = default;
  Parameter(std::string name, Array value);
  /// The Parameter behind a Variable that is one; throws if it is none.
  explicit Parameter(const Variable& variable);

  const std::string& name() const { return data().name; }
  /// Replaces the numbers by others of the same shape (converted to this element type).
  void assign(const Array& value);
  /// For updates in place: w.mutable_value().fill(0).
  Array mutable_value() { return checked()->value; }
  /// Converts value and gradient.
  void to(Type type);
  /// Replaces the gradient; the shape must be the value's.
  void set_grad(const Array& gradient) const;
  void freeze(bool frozen = true) { data().frozen = frozen; }
  bool is_frozen() const { return data().frozen; }
  ParameterData& data() const { return *checked()->parameter(); }

 private:
  Record* checked() const {
    if (!is_parameter()) fail("parameter", "is empty; declare it with parameter(name, shape).");
    return record().get();
  }
};

/// Makes it a constant for tapes and optimisers until unfreeze.
inline void freeze(Parameter parameter) { parameter.freeze(); }
inline void unfreeze(Parameter parameter) { parameter.freeze(false); }

/// Parameters that got gradients in one of these backward sweeps and that no optimiser holds.
std::vector<Parameter> unheld_parameters(const std::vector<std::uint64_t>& sweeps);

/// The same value without history: a constant.
Variable detach(const Variable& x);

}  // namespace unroll
