// A type-erased callable, because <functional> costs 0.7 s in every file that includes it.
// Copies share the callable.
#pragma once

#include <type_traits>
#include <utility>

#include <unroll/autograd/ref.hpp>

namespace unroll {

template <class Signature>
class Function;

template <class R, class... Args>
class Function<R(Args...)> {
 public:
  Function() = default;
  template <class F>
    requires(!std::is_same_v<std::decay_t<F>, Function> &&
             std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
  Function(F&& f) : held_(new Held<std::decay_t<F>>(std::forward<F>(f))) {}

  R operator()(Args... args) const { return held_->call(std::forward<Args>(args)...); }
  explicit operator bool() const { return static_cast<bool>(held_); }

 private:
  struct Base : Shared {
    virtual R call(Args... args) = 0;
  };
  template <class F>
  struct Held final : Base {
    explicit Held(F f) : f(std::move(f)) {}
    R call(Args... args) override {
      if constexpr (std::is_void_v<R>)
        f(std::forward<Args>(args)...);
      else
        return f(std::forward<Args>(args)...);
    }
    F f;
  };
  Ref<Base> held_;
};

}  // namespace unroll
