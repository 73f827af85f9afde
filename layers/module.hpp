// Module: named Parameters and submodules, and what is done with all of them at once. What a module
// computes is its own; cells and the loop over time are in over_time.hpp.
#pragma once

#include <unroll/autograd/tape.hpp>
#include <unroll/layers/init.hpp>

namespace unroll {

/// A Parameter with its path from the module that was asked: "encoder.layer0.W".
struct NamedParameter {
  std::string name;
  Parameter parameter;
};

namespace detail {
/// What a Module has registered. It is shared with the parent, so a module may move.
struct ModuleNode;
struct ModulePlace;
class Standing;
}  // namespace detail

/// Base of everything with Parameters. They register where they are declared:
///
///     struct Net : Module {
///       LSTM cell = submodule("cell", LSTM(3, 4));
///       Parameter scale = parameter("scale", {4}, init::ones);
///     };
///
/// Modules move but do not copy: a copy would either tie the two in silence or be forgotten by the
/// optimiser. copy_parameters(from, to) copies the numbers. A submodule may be assigned to or
/// swapped with another: the parent finds under each name what stands there now.
class Module {
 public:
  Module();
  Module(Module&& other) noexcept;
  Module& operator=(Module&& other) noexcept;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  ~Module();

  /// Every Parameter below, in order of registration, each once however often it is tied.
  std::vector<Parameter> parameters() const;
  /// The same with their paths.
  std::vector<NamedParameter> named_parameters() const;
  /// The numbers in all Parameters together.
  Size parameter_count() const;
  /// The name under which a parent registered it; "" if none has.
  const std::string& name() const;
  /// Its name after those of the modules that hold it, "encoder.layer0"; "" for the outermost.
  std::string path() const;

  /// Draws the numbers of every Parameter again, each by its initialiser. Without this they come
  /// from a fixed stream: the same program starts with the same numbers.
  void initialise(Generator& generator);
  /// Converts all Parameters to float32 or float64.
  void to(Type type);
  /// Forgets the gradients of all Parameters.
  void zero_grad() const;

  /// So that grad(loss, net) gives one gradient per Parameter, in the order of parameters().
  operator Variables() const;

 protected:
  /// Makes and registers a Parameter, float32, drawn by `initialiser` (init.hpp has them).
  /// Throws Error if the name is taken, empty, or contains a dot.
  Parameter parameter(std::string name, const Shape& shape,
                      const Initialiser& initialiser = init::fan_in);

  /// Registers a module and hands it back: `Linear readout = submodule("readout", Linear(4, 2));`
  template <class M>
  requires std::is_base_of_v<Module, M> M submodule(std::string name, M&& module) {
    register_submodule(std::move(name), module);
    return std::move(module);
  }
  template <class M>
  requires std::is_base_of_v<Module, M> void submodule(std::string, M&) {
    static_assert(!std::is_base_of_v<Module, M>,
                  "[module] submodule takes a module and hands it back: `m = submodule(\"m\", "
                  "M(...))`, or std::move(m); register_submodule is for one that stays where it is");
  }
  /// Registers a module that stays where it is.
  void register_submodule(std::string name, Module& module);

 private:
  friend class detail::Standing;
  detail::ModuleNode& node() const;

  Ref<detail::ModuleNode> node_;
  Ref<detail::ModulePlace> left_;  // where a moved-from module stood: the next one takes its name
};

namespace detail {

/// Knows whether a module still stands where it stood.
class Standing {
 public:
  Standing() = default;
  explicit Standing(const Module& module);
  /// False once it has been destroyed or moved.
  bool holds() const;

 private:
  const Module* module_ = nullptr;
  Ref<Shared> node_;
};

}  // namespace detail

/// Base of cells whose state is zeros of (B, hidden) at the start: `using Cell::Cell;` makes the
/// constructor (in, hidden). What else a cell needs is told in over_time.hpp.
class Cell : public Module {
 public:
  Cell(Size in, Size hidden);

  Size in;      ///< size of the last axis of x
  Size hidden;  ///< size of the last axis of every Variable in the state
};

/// What optimisers and clipping work on: Adam(net), Adam({cell, readout}), Adam({W, b}). Each
/// Parameter is there once.
class ParameterList : public std::vector<Parameter> {
 public:
  /// One entry of a braced list: a module with all below it, or a Parameter.
  struct Item {
    Item(const Module& module) : parameters(module.parameters()) {}
    Item(const Parameter& parameter) : parameters{parameter} {}
    std::vector<Parameter> parameters;
  };

  /// What a class takes besides a ParameterList, so that a list of one is not also a copy of the
  /// class made from that one: Adam({net}).
  using Items = std::initializer_list<Item>;

  ParameterList() = default;
  ParameterList(const Module& module) : std::vector<Parameter>(module.parameters()) {}
  ParameterList(const Parameter& parameter) : std::vector<Parameter>{parameter} {}
  ParameterList(const std::vector<Parameter>& parameters) { add(parameters); }
  ParameterList(Items items) {
    for (const Item& item : items) add(item.parameters);
  }

 private:
  void add(const std::vector<Parameter>& parameters);
};

/// Copies the numbers of every Parameter to the one of the same path, converting element types.
/// Throws Error naming the first path that is missing on either side or differs in shape; then
/// nothing was copied.
void copy_parameters(const Module& from, Module& to);

/// Makes all Parameters below constants for tapes and optimisers until unfreeze.
void freeze(const Module& module);
void unfreeze(const Module& module);

}  // namespace unroll
