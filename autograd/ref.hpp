// A counted pointer whose counter lies in the object it points to. Counts are atomic, because
// Parameters and batches are read by several tapes. A locked instruction costs as much as thirty
// others, so making an object and dropping the last Ref to it do without.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace unroll {

/// Base of counted objects. A derived type T may say how it is freed: `static void free(T*)`.
struct Counted {
  mutable std::atomic<std::uint32_t> count{0};
  Counted() = default;
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
};

/// Counted object that is freed through its virtual destructor.
struct Shared : Counted {
  virtual ~Shared() = default;
  static void free(Shared* p) { delete p; }
};

template <class T>
class Ref {
 public:
  Ref() = default;
  Ref(std::nullptr_t) {}
  explicit Ref(T* p) : p_(p) {
    // What nobody holds yet is known to this thread alone.
    if (p && p->count.load(std::memory_order_relaxed) == 0)
      p->count.store(1, std::memory_order_relaxed);
    else
      take();
  }
  /// To an object that was made a moment ago.
  static Ref first(T* p) {
    p->count.store(1, std::memory_order_relaxed);
    return counted(p);
  }
  /// That is counted already.
  static Ref counted(T* p) {
    Ref ref;
    ref.p_ = p;
    return ref;
  }
  Ref(const Ref& other) : p_(other.p_) { take(); }
  Ref(Ref&& other) noexcept : p_(std::exchange(other.p_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(p_, other.p_);
    return *this;
  }
  ~Ref() {
    if (p_) drop();
  }

  /// A copy without a locked instruction, of what no other thread can have seen yet.
  Ref copy_unseen() const {
    p_->count.store(p_->count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return counted(p_);
  }

  T* get() const { return p_; }
  T* operator->() const { return p_; }
  T& operator*() const { return *p_; }
  explicit operator bool() const { return p_ != nullptr; }
  bool operator==(const Ref& other) const { return p_ == other.p_; }
  /// True if nobody else holds the object.
  bool unique() const { return p_ && p_->count.load(std::memory_order_acquire) == 1; }

 private:
  void take() const {
    if (p_) p_->count.fetch_add(1, std::memory_order_relaxed);
  }
  void drop() {
    if (p_->count.load(std::memory_order_acquire) == 1 ||
        p_->count.fetch_sub(1, std::memory_order_acq_rel) == 1)
      T::free(p_);
  }
  T* p_ = nullptr;
};

/// Copies of a Ref that are counted with one instruction: next() is one of them.
template <class T>
class Copies {
 public:
  /// Of a Ref that lives longer.
  Copies(const Ref<T>& ref, std::size_t n) : p_(ref.get()), left_(static_cast<std::uint32_t>(n)) {
    if (p_) p_->count.fetch_add(left_, std::memory_order_relaxed);
  }
  ~Copies() {
    if (p_ && left_) p_->count.fetch_sub(left_, std::memory_order_relaxed);
  }
  Copies(const Copies&) = delete;
  Copies& operator=(const Copies&) = delete;

  Ref<T> next() {
    --left_;
    return Ref<T>::counted(p_);
  }

 private:
  T* p_;
  std::uint32_t left_;
};

}  // namespace unroll
