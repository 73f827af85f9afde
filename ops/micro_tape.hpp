// Traced: a Lane that notes on a short tape how it was computed, so that a function of Lanes can be
// run backwards. Functions of Traced are in micro_functions.hpp, their use is in fuse.hpp.
#pragma once

#include <unroll/ops/lane_functions.hpp>

namespace unroll {

/// The operations of one call, in order: whose result of what, and the derivatives. No operation
/// codes, so that it becomes registers when everything is inlined.
template <class T, class Arch>
struct MicroTape {
  using L = Lane<T, Arch>;
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

  /// Adds to adjoints[k] for all k, from the last to the first. The first `inputs` are not results.
  void sweep(L* adjoints, int inputs) const {
#pragma GCC unroll 128
    for (int k = size - 1; k >= inputs; --k) {
      const Node& n = nodes[k];
      adjoints[n.left] = adjoints[n.left] + n.dleft * adjoints[k];
      if (n.right >= 0) adjoints[n.right] = adjoints[n.right] + n.dright * adjoints[k];
    }
  }
};

template <class T, class Arch>
struct Traced {
  using L = Lane<T, Arch>;
  using M = Mask<T, Arch>;

  L v;
  MicroTape<T, Arch>* tape;
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
