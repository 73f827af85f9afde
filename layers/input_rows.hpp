// What the steps of a cell read of sequences: which steps are real, and the rows of the inputs.
// Which steps are taken when is the loop's affair, in steps.hpp. Internal.
#pragma once

#include <string>
#include <vector>

#include <unroll/autograd/variable.hpp>

namespace unroll::detail {

/// Which steps of which sequence are real.
class Padding {
 public:
  /// All of them.
  Padding() = default;
  /// By lengths (B) or a mask (T, B), empty for all. Throws Error if they do not fit.
  Padding(const std::string& label, const std::vector<Size>& lengths, const Variable& mask,
          Size steps, Size batch);

  bool none() const { return active_.size() == 0; }
  /// How many sequences are real at step t, of those that there are.
  Size active(Size t) const { return active_.data<Size>()[t]; }
  Size batch() const { return mask_.size(1); }
  /// Which sequences have had real steps after k steps, from the end in reverse.
  enum class Which {
    ended,     ///< all of them
    under_way  ///< some of them, and not all
  };
  /// How many sequences that is.
  Size count(Which which, Size k, bool reverse) const;
  /// 1 for those, else 0: (B, 1, ...) of that rank.
  Variable those(Which which, Size k, bool reverse, int rank) const;
  /// (1, B, ...), read where xs (T, B, ...) is padded: a step of each sequence that is real,
  /// of another one if it has none. 0 would not do for a cell that is not finite there.
  Array in_its_place(const Array& xs) const;
  /// 1 where real, else 0: (B, 1, ...) of that rank.
  Variable at(Size t, int rank) const;
  /// (T, B, 1, ...).
  Variable all(int rank) const;

 private:
  void read(const std::string& label, const std::vector<Size>& lengths);
  void read(const std::string& label, const Variable& mask);

  Array mask_;    // (T, B)
  Array active_;  // (T), int64; empty without padding
  // Of each sequence the first real step and the last; T and -1 if there is none.
  std::vector<Size> first_, last_;
  bool is(Which which, std::size_t b, Size k, bool reverse) const;
};

/// The rows of one or several sequences (T, B, ...), by value and step; other steps' where padded, so
/// that nothing of the padding gets into products and gradients.
class InputRows {
 public:
  /// Of all steps, or of none but any one to start from.
  InputRows(const std::string& label, const Variables& sequences,
            const std::vector<Size>& lengths = {}, const Variable& mask = {}, bool all = true);
  Size steps() const { return steps_; }
  const Padding& padding() const { return padding_; }
  /// Value k at step t; t = -1 stands for any one step, also where there is none.
  const Variable& at(std::size_t k, Size t) const {
    return t < 0 ? some_[k] : rows_[k][static_cast<std::size_t>(t - first_)];
  }

  /// Makes the rows of steps first..end - 1, and no others.
  void load(Size first, Size end);
  /// The sequences at steps first..end - 1, for part().
  Variables slices(Size first, Size end) const;
  /// The same rows, taken from slices that begin at step `first`; none is loaded.
  InputRows part(const Variables& slices, Size first) const;

 private:
  InputRows() = default;
  Size steps_ = 0;
  Padding padding_;
  Variables sequences_;
  Size start_ = 0;  // the step of a sequence's first row
  Size first_ = 0;  // the step of the first row loaded
  std::vector<std::vector<Variable>> rows_;
  std::vector<Array> instead_;  // by whole sequences: parts of them read what these do
  Variables some_;
};

}  // namespace unroll::detail
