// Whether numbers below the normal range (1.2e-38 for float) are computed with or are 0, a state of
// the processor that each thread has. Internal: sweeps and optimisers set it.
#pragma once

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace unroll {

/// While it lives, denormal numbers are 0 in this thread; with `on` false they are computed with. A
/// gradient that vanishes along a long sequence becomes denormal before it is 0, and some processors
/// take a hundred cycles for each operation on such numbers.
class FlushDenormals {
 public:
#if defined(__SSE2__)
  static constexpr bool kWorks = true;
  explicit FlushDenormals(bool on = true) : before_(_mm_getcsr() & kBits) { set(on ? kBits : 0); }
  ~FlushDenormals() { set(before_); }
#else
  static constexpr bool kWorks = false;  // numbers stay as they are
  explicit FlushDenormals(bool = true) {}
#endif
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

#if defined(__SSE2__)
 private:
  static constexpr unsigned kBits = 0x8040;  // of results, of operands
  static void set(unsigned bits) { _mm_setcsr((_mm_getcsr() & ~kBits) | bits); }
  unsigned before_;
#endif
};

}  // namespace unroll
