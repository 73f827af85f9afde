// Data-parallel training: the batch is cut into shards, each with a tape and a thread of its own.
// Threads inside one matrix product there are none.
#pragma once

#include <unroll/autograd/function.hpp>
#include <unroll/autograd/tape.hpp>

namespace unroll {

struct ParallelOptions {
  /// What dropout draws from: each shard's tape gets a generator split off this one, in their
  /// order.
  Generator* generator = nullptr;
  /// Most shards, each in its own thread; 0: one a processor.
  Size threads = 0;
};

/// Cuts the batch into shards [begin, end) whose sizes differ by one at most, calls f for each and
/// runs backward() of the mean loss of the shard that f returns. Adds to grad() what one tape over
/// the whole batch would: sum over shards of (end - begin) / batch times its gradient, always in
/// the same order, so the same numbers of threads and seed give the same bits. Returns the mean
/// loss.
///
///     parallel_backward(x.size(1), [&](Size begin, Size end) {
///       return cross_entropy(net(sliced(x, 1, begin, end)), sliced(y, 1, begin, end));
///     }, {.threads = 2});
///     optimiser.step();
///
/// f is called from several threads at once: it may read what they share, but change only what
/// belongs to its shard. Tape::current() is the shard's tape, for watch(). If it throws, the error
/// of the first shard that did is thrown here when all have ended, and no gradient changes.
/// Throws Error if the batch is empty, a tape is alive in this thread, or f returns anything but
/// one number.
double parallel_backward(Size batch, Function<Variable(Size begin, Size end)> f,
                         const ParallelOptions& options = {});

}  // namespace unroll
