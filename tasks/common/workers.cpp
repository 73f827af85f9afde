// Threads that wait for work, each with the same share every time. The caller is the first of them.
#include "common/workers.hpp"

#include <utility>

namespace tasks {

Workers::Workers(int threads) : errors_(threads), start_(threads), finish_(threads) {
  for (int k = 1; k < threads; ++k) {
    threads_.emplace_back([this, k] {
      for (;;) {
        start_.arrive_and_wait();
        if (work_ == nullptr) return;
        call(k);
        finish_.arrive_and_wait();
      }
    });
  }
}

Workers::~Workers() {
  work_ = nullptr;
  start_.arrive_and_wait();
  for (std::thread& thread : threads_) thread.join();
}

void Workers::run(const std::function<void(int)>& f) {
  work_ = &f;
  start_.arrive_and_wait();
  call(0);
  finish_.arrive_and_wait();
  const auto errors = std::exchange(errors_, std::vector<std::exception_ptr>(errors_.size()));
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);
}

void Workers::call(int k) {
  try {
    (*work_)(k);
  } catch (...) {
    errors_[k] = std::current_exception();
  }
}

}  // namespace tasks
