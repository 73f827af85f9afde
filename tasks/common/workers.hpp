// Workers: threads that live as long as the training and work on one share of the batch each.
// Which work, and how the results are put together, is the caller's business.
#pragma once

#include <barrier>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

namespace tasks {

/// Each thread keeps its own memory pool and its own tape, so a share should stay with its thread:
/// run(f) calls f(k) always on thread k, where 0 is the caller's own.
class Workers {
 public:
  explicit Workers(int threads);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  int count() const { return static_cast<int>(errors_.size()); }

  /// Calls f(0) ... f(count() - 1) at once and waits for all. Throws what the lowest one threw.
  void run(const std::function<void(int)>& f);

 private:
  void call(int k);

  std::vector<std::exception_ptr> errors_;
  std::barrier<> start_, finish_;
  const std::function<void(int)>* work_ = nullptr;  // null: go home
  std::vector<std::thread> threads_;
};

}  // namespace tasks
