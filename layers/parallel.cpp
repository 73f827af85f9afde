// Threads that wait for shards, and the order in which gradients are added. What a sweep computes
// is autograd's.
#include <unroll/layers/parallel.hpp>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <unroll/autograd/leaf_gradients.hpp>
#include <unroll/autograd/substitution.hpp>

namespace unroll {

namespace {

/// A thread that waits for work. It stays for the next call: memory is pooled by the thread that
/// used it, and touching fresh pages costs more than the arithmetic on them.
class Worker {
 public:
  Worker() : thread_([this] { loop(); }) {}
  ~Worker() {
    change(stopped);
    thread_.join();
  }
  void start(Function<void()> job) {
    job_ = std::move(job);
    change(working);
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return state_ == idle; });
  }

 private:
  enum State { idle, working, stopped };

  void change(State state) {
    {
      std::lock_guard lock(mutex_);
      state_ = state;
    }
    changed_.notify_all();
  }
  void loop() {
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return state_ != idle; });
        if (state_ == stopped) return;
      }
      job_();
      job_ = {};  // its captures die in the thread that used them
      change(idle);
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = idle;
  Function<void()> job_;
  std::thread thread_;  // last: it reads the others
};

struct Shard {
  Size begin, end;
  double weight;
  std::optional<Generator> generator = {};
  double loss = 0;
  bool is_constant = false;  // as that of sequences without a step
  std::vector<LeafGradient> gradients = {};
  std::exception_ptr error = {};

  /// What stands for Parameters in the thread that asked, by a Substitution, does so here.
  void run(const Function<Variable(Size, Size)>& f, detail::Reading* outside) noexcept {
    const struct Reads {
      detail::Reading* before;
      ~Reads() { detail::reading = before; }
    } as_before{std::exchange(detail::reading, outside)};
    try {
      backward(f);
    } catch (...) {
      error = std::current_exception();
    }
  }

 private:
  void backward(const Function<Variable(Size, Size)>& f) {
    std::optional<Tape> own;
    Tape& tape = generator ? own.emplace(*generator) : own.emplace();
    const Variable mean = f(begin, end);
    if (mean.size() != 1)
      fail("parallel_backward", "the loss of shard [", begin, ", ", end, ") has shape ",
           mean.shape(), "; expected one number, the mean over the shard.");
    loss = mean.item();
    is_constant = !mean.is_recorded() && !mean.is_parameter();
    if (is_constant) return;
    gradients =
        leaf_gradients(tape, mean, {.grad_output = full(mean.shape(), weight, mean.type())});
  }
};

std::vector<Shard> cut(Size batch, const ParallelOptions& options) {
  Size most = options.threads > 0 ? options.threads : std::thread::hardware_concurrency();
  Size count = std::clamp<Size>(most, 1, batch);
  std::vector<Shard> shards;
  for (Size k = 0; k < count; ++k) {
    Size begin = k * batch / count, end = (k + 1) * batch / count;
    shards.push_back({begin, end, static_cast<double>(end - begin) / static_cast<double>(batch)});
    if (options.generator) shards.back().generator = options.generator->split();
  }
  return shards;
}

/// Calls f(k) for k = 0, ..., count - 1 at the same time, k = 0 in this thread. f does not throw.
void at_once(std::size_t count, const Function<void(std::size_t)>& f) {
  thread_local std::vector<std::unique_ptr<Worker>> workers;
  while (workers.size() + 1 < count) workers.push_back(std::make_unique<Worker>());
  for (std::size_t k = 1; k < count; ++k) workers[k - 1]->start([&f, k] { f(k); });
  f(0);
  for (std::size_t k = 1; k < count; ++k) workers[k - 1]->wait();
}

}  // namespace

double parallel_backward(Size batch, Function<Variable(Size begin, Size end)> f,
                         const ParallelOptions& options) {
  if (batch < 1) fail("parallel_backward", "the batch is ", batch, "; expected 1 or more.");
  if (options.threads < 0)
    fail("parallel_backward", "threads is ", options.threads,
         "; expected a number of threads, or 0 for one a processor.");
  if (Tape::current())
    fail("parallel_backward", "a tape is alive in this thread, and what it records would be a ",
         "constant to the shards; end it first, each shard makes its own.");
  std::vector<Shard> shards = cut(batch, options);
  at_once(shards.size(), [&, outside = detail::reading](std::size_t k) {
    shards[k].run(f, outside);
  });
  std::exception_ptr error;
  for (const Shard& s : shards)
    if (!error) error = s.error;
  if (!error && std::all_of(shards.begin(), shards.end(), [](auto& s) { return s.is_constant; }))
    fail("parallel_backward", "the loss depends on no Parameter and on nothing that was watched.");
  double loss = 0;
  if (!error) {
    const std::uint64_t sweep = new_sweep();
    for (Shard& s : shards) {
      loss += s.weight * s.loss;
      // Those of the first, made in this thread, may stay where they are.
      if (&s == &shards[0]) add_to_leaves(std::move(s.gradients), sweep);
      else add_to_leaves(s.gradients, sweep);
    }
  }
  // Buffers go back to the pools that they came from.
  at_once(shards.size(), [&](std::size_t k) { shards[k].gradients.clear(); });
  if (error) std::rethrow_exception(error);
  return loss;
}

}  // namespace unroll
