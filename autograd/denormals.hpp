// Whether numbers below the normal range (1.2e-38 for float) are computed with or are 0, a state of
// the processor that each thread has. Internal: sweeps set it.
#pragma once

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace unroll {

/// While it lives, denormal numbers are 0 in this thread. A gradient that vanishes along a long
/// sequence becomes denormal before it is 0, and some processors take a hundred cycles for each
/// operation on such numbers. Does nothing where the compiler knows no SSE.
class FlushDenormals {
 public:
#if defined(__SSE2__)
  explicit FlushDenormals(bool on = true) : before_(_mm_getcsr()) {
    constexpr unsigned kResults = 0x8000, kOperands = 0x0040;
    _mm_setcsr(on ? before_ | kResults | kOperands : before_ & ~(kResults | kOperands));
  }
  ~FlushDenormals() { _mm_setcsr(before_); }
#else
  explicit FlushDenormals(bool = true) {}
#endif
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
#if defined(__SSE2__)
  unsigned before_;
#endif
};

}  // namespace unroll
