// Traced: a Lane that notes on a short tape how it was computed, so that a function of Lanes can be
// run backwards. Functions of Traced are in micro_functions.hpp, their use is in fuse.hpp.
#pragma once

#include <unroll/ops/lane_functions.hpp>

namespace unroll {

/// The operations of one call, in order: whose result of what, and the derivatives. No operation
/// codes, so that it becomes registers when everything is inlined.
template <class T, unsigned arch>
struct MicroTape {
  using L = Lane<T, arch>;
  struct Node {
    int left, right;  ///< right is -1 for functions of one argument
    L dleft, dright;
  };

  Node* nodes;
  int capacity;
  int size = 0;  ///< grows beyond the capacity if that is too small; then nothing counts

  int push(int left, L dleft, int right, L dright) {
    if (size < capacity) nodes[size] = {left, right, dleft, dright};
    return size++;
  }

};

/// Which entries of a tape were touched: of a short one, in a register, or of any.
struct FewFlags {
  std::uint64_t bits = 0;
  bool has(int k) const { return bits >> k & 1; }
  void set(int k) { bits |= std::uint64_t{1} << k; }
};
struct ManyFlags {
  bool* flags;  ///< all false at the start
  bool has(int k) const { return flags[k]; }
  void set(int k) { flags[k] = true; }
};

/// The way back over a MicroTape: the derivatives of its results by each entry. An entry that no
/// result depends on stays untouched, so that an infinite derivative in it does no harm.
template <class T, unsigned arch, class Flags>
struct Adjoints {
  using L = Lane<T, arch>;

  L* sums;
  Flags touched;

  void add(int k, L derivative) {
    sums[k] = touched.has(k) ? sums[k] + derivative : derivative;
    touched.set(k);
  }
  /// Hands the sum of entry k on to what it was computed from.
  void step(const MicroTape<T, arch>& tape, int k) {
    if (!touched.has(k)) return;
    const auto& node = tape.nodes[k];
    add(node.left, node.dleft * sums[k]);
    if (node.right >= 0) add(node.right, node.dright * sums[k]);
  }
  /// From the last entry to the first; the first `inputs` are no results.
  void sweep(const MicroTape<T, arch>& tape, int inputs) {
    for (int k = tape.size - 1; k >= inputs; --k) step(tape, k);
  }
  /// The same for a tape of at most `most`, written out so that every index is a constant. More
  /// inputs than that never come here.
  template <int inputs, int most>
  void sweep_unrolled(const MicroTape<T, arch>& tape) {
    [&]<int... k>(std::integer_sequence<int, k...>) {
      ((most - 1 - k < tape.size ? step(tape, most - 1 - k) : void()), ...);
    }(std::make_integer_sequence<int, std::max(0, most - inputs)>());
  }
};

template <class T, unsigned arch>
struct Traced {
  using L = Lane<T, arch>;
  using M = Mask<T, arch>;

  L v;
  MicroTape<T, arch>* tape;
  int id;

  /// y = f(this) with its derivative.
  Traced then(L y, L derivative) const { return {y, tape, tape->push(id, derivative, -1, L(0))}; }
  /// y = f(this, other) with both derivatives.
  Traced with(Traced other, L y, L derivative, L other_derivative) const {
    return {y, tape, tape->push(id, derivative, other.id, other_derivative)};
  }

  friend Traced operator+(Traced a, Traced b) { return a.with(b, a.v + b.v, 1, 1); }
  friend Traced operator+(Traced a, L b) { return a.then(a.v + b, 1); }
  friend Traced operator+(L a, Traced b) { return b.then(a + b.v, 1); }
  friend Traced operator-(Traced a, Traced b) { return a.with(b, a.v - b.v, 1, -1); }
  friend Traced operator-(Traced a, L b) { return a.then(a.v - b, 1); }
  friend Traced operator-(L a, Traced b) { return b.then(a - b.v, -1); }
  friend Traced operator*(Traced a, Traced b) { return a.with(b, a.v * b.v, b.v, a.v); }
  friend Traced operator*(Traced a, L b) { return a.then(a.v * b, b); }
  friend Traced operator*(L a, Traced b) { return b.then(a * b.v, a); }
  friend Traced operator/(Traced a, Traced b) {
    L r = L(1) / b.v, y = a.v / b.v;
    return a.with(b, y, r, -y * r);
  }
  friend Traced operator/(Traced a, L b) { return a.then(a.v / b, L(1) / b); }
  friend Traced operator/(L a, Traced b) {
    L y = a / b.v;
    return b.then(y, -y / b.v);
  }
  friend Traced operator-(Traced a) { return a.then(-a.v, -1); }
  friend Traced operator+(Traced a) { return a; }
  template <class B>
  Traced& operator+=(const B& b) { return *this = *this + b; }
  template <class B>
  Traced& operator-=(const B& b) { return *this = *this - b; }
  template <class B>
  Traced& operator*=(const B& b) { return *this = *this * b; }
  template <class B>
  Traced& operator/=(const B& b) { return *this = *this / b; }

  friend M operator<(Traced a, Traced b) { return a.v < b.v; }
  friend M operator<(Traced a, L b) { return a.v < b; }
  friend M operator<(L a, Traced b) { return a < b.v; }
  friend M operator<=(Traced a, Traced b) { return a.v <= b.v; }
  friend M operator<=(Traced a, L b) { return a.v <= b; }
  friend M operator<=(L a, Traced b) { return a <= b.v; }
  friend M operator>(Traced a, Traced b) { return a.v > b.v; }
  friend M operator>(Traced a, L b) { return a.v > b; }
  friend M operator>(L a, Traced b) { return a > b.v; }
  friend M operator>=(Traced a, Traced b) { return a.v >= b.v; }
  friend M operator>=(Traced a, L b) { return a.v >= b; }
  friend M operator>=(L a, Traced b) { return a >= b.v; }
  friend M equals(Traced a, Traced b) { return equals(a.v, b.v); }
  friend M equals(Traced a, L b) { return equals(a.v, b); }
  friend M not_equals(Traced a, Traced b) { return not_equals(a.v, b.v); }
  friend M not_equals(Traced a, L b) { return not_equals(a.v, b); }

  friend Traced where(M m, Traced a, Traced b) {
    return a.with(b, where(m, a.v, b.v), where(m, 1, 0), where(m, 0, 1));
  }
  friend Traced where(M m, Traced a, L b) { return a.then(where(m, a.v, b), where(m, 1, 0)); }
  friend Traced where(M m, L a, Traced b) { return b.then(where(m, a, b.v), where(m, 0, 1)); }

  // Where a = b each gets half.
  friend Traced maximum(Traced a, Traced b) {
    L da = where(a.v < b.v, 0, where(equals(a.v, b.v), 0.5, 1));
    L db = where(a.v > b.v, 0, where(equals(a.v, b.v), 0.5, 1));
    return a.with(b, maximum(a.v, b.v), da, db);
  }
  friend Traced maximum(Traced a, L b) {
    return a.then(maximum(a.v, b), where(a.v < b, 0, where(equals(a.v, b), 0.5, 1)));
  }
  friend Traced maximum(L a, Traced b) { return maximum(b, a); }
  friend Traced minimum(Traced a, Traced b) { return -maximum(-a, -b); }
  friend Traced minimum(Traced a, L b) { return -maximum(-a, -b); }
  friend Traced minimum(L a, Traced b) { return minimum(b, a); }
  friend Traced max(Traced a, Traced b) { return maximum(a, b); }
  friend Traced max(Traced a, L b) { return maximum(a, b); }
  friend Traced max(L a, Traced b) { return maximum(b, a); }
  friend Traced min(Traced a, Traced b) { return minimum(a, b); }
  friend Traced min(Traced a, L b) { return minimum(a, b); }
  friend Traced min(L a, Traced b) { return minimum(b, a); }
};

}  // namespace unroll
