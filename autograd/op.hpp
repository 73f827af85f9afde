// What the author of an op needs: Op checks the inputs and records the result, Backward is what a
// gradient function is given. Users who only combine ops do not need this header.
#pragma once

#include <new>
#include <span>
#include <type_traits>

#include <unroll/autograd/tape.hpp>

namespace unroll {

struct Node;
class Sweep;

/// Work on a gradient that is put off and done in bulk; see Backward::deferred.
struct Deferred : Shared {
  /// Adds what was collected to `gradient` (same shape as the input), or writes it if !accumulate.
  virtual void flush(Array& gradient, bool accumulate) = 0;
};

/// The arguments of a gradient function: what arrived, what the op was given, what it returned.
class Backward {
 public:
  Backward(Sweep& sweep, const Node& node) : sweep_(sweep), node_(node) {}

  /// Gradient of result k, zeros if nothing arrived there.
  Variable dy(int k = 0) const;
  bool has_dy(int k) const { return given(k) != nullptr; }
  /// The same without another handle to it; nullptr if nothing arrived.
  const Variable* given(int k = 0) const;
  /// Input k. Throws if its value was not kept, or has changed since.
  const Variable& x(int k = 0) const;
  /// Input k, for a collector: moved out of the node where it may be, so not to be asked for again.
  Variable take_x(int k);
  /// Result k; as x.
  const Variable& y(int k = 0) const;
  const Shape& x_shape(int k = 0) const;
  Type x_type(int k = 0) const;
  int inputs() const;
  int results() const;
  bool is_recorded(int k) const;  ///< input k is no constant
  /// True if somebody wants the gradient of input k; giving it is harmless otherwise.
  bool wants(int k = 0) const;
  /// True if grad() was asked for the gradient of result k. Where other results depend on it, see
  /// Node::joint, that is more than has arrived there: set_dy() is told all of it.
  bool wants_dy(int k) const;
  void set_dy(int k, Variable&& gradient);

  /// Adds to the gradient of input k. A gradient in a shape that x(k) was broadcast to is summed
  /// back; any other shape, or another element type, throws.
  void give(int k, Variable&& gradient);
  void give(int k, const Variable& gradient);

  /// True if gradients are recorded themselves: then only dy, x, y and public ops may be used.
  bool create_graph() const;

  /// Where the gradient of input k is summed, for kernels: an array of the input's shape
  /// (strided), to write entirely, or to add to if `accumulate`. Not with create_graph.
  class Target {
   public:
    Target(Array& sum, bool accumulate) : array(sum), accumulate(accumulate) {}
    explicit Target(Array&& part) : array(part_), accumulate(true), part_(std::move(part)) {}
    Target(const Target&) = delete;

    Array& array;
    const bool accumulate;

   private:
    Array part_;  ///< of another gradient
  };
  Target target(int k);
  /// Whether anything has arrived for input k so far, apart from what collectors have.
  bool has_sum(int k) const;
  /// Adds to the gradient of input k what collectors, see deferred(), still have for it.
  void complete(int k);

  /// The gradient of the only result, for give_part(): where nobody else sees it, unless a copy would
  /// take much memory. Not with create_graph.
  const Array& dy_in_parts();
  /// Gives input k its gradient, a part of dy_in_parts() that no other input is given. What comes
  /// later is added to it where it lies, if nobody else sees that.
  void give_part(int k, Array&& part);

  /// The collector of class D for the gradient of input k, one for the whole sweep; its flush is
  /// called when that gradient is complete. Not with create_graph.
  template <class D>
  D& deferred(int k) {
    static const char tag = 0;
    Deferred* found = find_deferred(k, &tag);
    if (!found) add_deferred(k, &tag, Ref<Deferred>(found = new D));
    return static_cast<D&>(*found);
  }

 private:
  friend struct ViewsGradient;
  /// Of a node of views(): which view result k is.
  Array geometry(int k) const;
  Deferred* find_deferred(int k, const void* tag) const;
  void add_deferred(int k, const void* tag, Ref<Deferred> deferred);

  Sweep& sweep_;
  const Node& node_;
};

/// Which values the gradient function asks for; what it does not need is freed early.
enum class Keep : std::uint8_t { nothing = 0, inputs = 1, results = 2, all = 3 };

/// How the tape handles a gradient function, a closure in its memory.
struct GradientFunction {
  void (*invoke)(const void*, Backward&);
  void (*destroy)(void*);  ///< nullptr if there is nothing to destroy
  void (*move)(void* to, void* from);
  std::uint32_t bytes, alignment;
};
template <class C>
inline constexpr GradientFunction gradient_function{
    [](const void* p, Backward& b) { (*static_cast<const C*>(p))(b); },
    std::is_trivially_destructible_v<C> ? nullptr
                                        : +[](void* p) { static_cast<C*>(p)->~C(); },
    [](void* to, void* from) { new (to) C(std::move(*static_cast<C*>(from))); }, sizeof(C),
    alignof(C)};

/// Views of one shape and strides, each `step` elements after the one before.
struct Series {
  Array first;
  Size step = 0, count = 1;
};

/// One call of an op: checks the inputs when made, and records the result.
///
///     Variable tanh(const Variable& x) {
///       Op op("tanh", x);
///       return op.record(value_of_tanh(op[0]), [](Backward& b) {
///         b.give(0, b.dy() * (1 - square(b.y())));
///       }, Keep::results);
///     }
class Op {
 public:
  /// Throws Error if an input is empty, belongs to a younger tape or another thread's, or if
  /// floating types are mixed (a float32 constant is widened to float64 instead).
  template <class... X>
    requires(std::is_base_of_v<Variable, X> && ...)  // a converted temporary would not live on
  explicit Op(const char* name, const X&... inputs) : name_(name) {
    const Variable* list[] = {&static_cast<const Variable&>(inputs)...};
    check(list, static_cast<int>(sizeof...(X)));
  }
  Op(const char* name, std::span<const Variable> inputs);
  Op(const char* name, std::span<const Variable* const> inputs) : name_(name) {
    check(inputs.data(), static_cast<int>(inputs.size()));
  }
  ~Op();
  Op(const Op&) = delete;
  Op& operator=(const Op&) = delete;

  int inputs() const { return n_; }
  /// Input k, widened if it had to be.
  const Variable& input(int k) const { return *inputs_[k].variable; }
  const Array& operator[](int k) const { return input(k).value(); }
  /// The floating type that the inputs share (float32 if none has one).
  Type type() const { return type_; }
  /// True if the result will be recorded.
  bool recorded() const { return recorded_; }
  bool recorded(int k) const { return inputs_[k].slot >= 0; }
  /// Says of a number that the program gives the op that it may be in the result: anomaly detection
  /// takes an infinity for meant then.
  void may_show(double number) { infinity_is_meant_ |= number == number && number - number != 0; }
  /// Where ops keep something with input k, such as a copy in another layout: with a recorded one
  /// for the rest of the tape's life, with a Parameter that is not recorded as long as a Memos
  /// lives; nullptr elsewhere. The value's version tells whether it still holds.
  Ref<Shared>* memo(int k) const;

  /// Throws Error("[name] parts...") unless the condition holds.
  template <class... Parts>
  void require(bool condition, const Parts&... parts) const {
    if (!condition) unroll::fail(name_, parts...);
  }
  int axis(Size axis, int k = 0) const { return checked_axis(name_, axis, (*this)[k].shape()); }

  /// The result as a Variable, with its gradient function `void(Backward&)`, if a tape wants it.
  template <class F>
  Variable record(Array y, F&& gradient, Keep keep = Keep::all) {
    Variable result(std::move(y));
    record({&result, 1}, std::forward<F>(gradient), keep);
    return result;
  }
  /// The same for several results; those of a span are Variables already.
  template <class F>
  void record(std::span<Variable> results, F&& gradient, Keep keep = Keep::all) {
    if (recorded_) store(results, gradient_function<std::remove_cvref_t<F>>, &gradient, keep);
    else if (noted_) note(results);
  }
  template <class F>
  std::vector<Variable> record(std::vector<Array> ys, F&& gradient, Keep keep = Keep::all) {
    std::vector<Variable> results;
    results.reserve(ys.size());
    for (Array& y : ys) results.emplace_back(std::move(y));
    record(std::span<Variable>(results), std::forward<F>(gradient), keep);
    return results;
  }
  /// A result without gradient: indices, comparisons.
  Variable constant(Array y) const { return Variable(std::move(y)); }

 private:
  friend Variable rows_together(const Variable&, Size, Size, int);
  friend std::vector<Variable> views(const char*, const Variable&, const std::vector<Series>&,
                                     const std::vector<Series>&);
  struct Input {
    const Variable* variable;
    int slot;
  };
  static constexpr int kInline = 8;

  void check(const Variable* const* list, int n);
  void widen();
  void note(std::span<Variable> results) const;
  /// True if an input is infinite because the program says so, a number such as -INFINITY, or
  /// because what it was computed from was.
  bool is_infinity_meant() const;
  void store(std::span<Variable> results, const GradientFunction& function, void* closure,
             Keep keep);

  const char* name_;
  Input* inputs_ = inline_;
  int n_ = 0;
  Type type_ = float32;
  bool recorded_ = false, noted_ = false, infinity_is_meant_ = false;
  Input inline_[kInline];
  std::vector<Variable>* widened_ = nullptr;
  double started_ = 0;
};

/// While it lives, ops of this thread may keep memos with Parameters that no tape records, such as a
/// weight in the layout that its products want: for loops that use them many times. over_time and
/// beam_search have one; a loop around them, or around steps of a cell, gains from one of its own:
///
///     Memos memos;
///     while (...) state = cell.step(x, state);
///
/// Of several the oldest keeps them. They take about the memory of the weights.
class Memos {
 public:
  Memos();
  ~Memos();
  Memos(const Memos&) = delete;
  Memos& operator=(const Memos&) = delete;

 private:
  friend class Op;
  struct Entry {
    Ref<Record> parameter;
    Ref<Shared> memo;
  };
  std::vector<Entry> entries_;
};

// What the engine itself needs of ops; ops.hpp has the rest.

/// a + b, broadcasting.
Variable add(const Variable& a, const Variable& b);
/// Sum over broadcast axes down to that shape; the gradient is broadcast_to.
Variable sum_to(const Variable& x, const Shape& shape);
/// Repeats along broadcast axes, without copying.
Variable broadcast_to(const Variable& x, const Shape& shape);

/// The same numbers in row-major order; copies only if they are not.
Variable contiguous(const Variable& x);

/// Views of x, sharing its numbers; their gradients are summed in place in the gradient of x.
/// `geometries` are the views of Array::layout(contiguous x), without numbers, `values` the same of
/// x, where that is not contiguous.
std::vector<Variable> views(const char* name, const Variable& x, const std::vector<Series>& values,
                            const std::vector<Series>& geometries);
/// The views that `f`, a function from Array to std::vector<Series>, makes of x.
template <class F>
std::vector<Variable> views(const char* name, const Variable& x, F&& f) {
  const Shape& shape = x.shape();
  std::vector<Series> values;
  if (!x.value().is_contiguous()) values = f(x.value());
  return views(name, x, values, f(Array::layout(shape, contiguous_strides(shape), 0, x.type())));
}
/// The view that `f`, a function of an Array such as `a.transposed()`, makes of x.
template <class F>
Variable view(const char* name, const Variable& x, F&& f) {
  return views(name, x, [&](const Array& a) { return std::vector<Series>{{f(a)}}; })[0];
}
/// x as it is read, for an op that changes nothing: a Parameter would be read once more, in the place
/// of which another may stand then.
Variable as_read(const char* name, const Variable& x);
/// x.sliced(0, first, end) as the sum of its rows, whose gradients it gets: those that `unstack` has
/// made of x and this tape has recorded from that slot on. What is asked of a row, its gradient or a
/// hook, then sees this use of it too.
Variable rows_together(const Variable& x, Size first, Size end, int slot);
/// Sum of the xs, each placed where its geometry says in zeros of that shape: the gradient of views.
Variable scatter_views(const Variables& xs, const std::vector<Array>& geometries,
                       const Shape& shape);

}  // namespace unroll
