// OpenBLAS chooses its kernels by the model of the processor. One that is newer than the library
// gets those of the oldest: with Debian 12's version, SSE3 on processors with AVX-512, a fifth of
// their speed. Where that has happened, what the processor can do decides.
#include <unroll/ops/openblas.hpp>

#include <cstdlib>
#include <string_view>

#include <cblas.h>

#if defined(__x86_64__) && defined(__linux__)
// Exported, but in no header: how it chooses, again. Absent if it is built for one processor only.
extern "C" {
__attribute__((weak)) void gotoblas_dynamic_init();
__attribute__((weak)) void gotoblas_dynamic_quit();
}
#endif

namespace unroll::kernel {

const char* kernels_of_openblas() { return openblas_get_corename(); }

#if defined(__x86_64__) && defined(__linux__)

const char* kernels_for_this_processor() {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return nullptr;
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512cd");
  return avx512 ? "SkylakeX" : "Haswell";
}

namespace {

void choose_kernels() {
  constexpr const char* kVariable = "OPENBLAS_CORETYPE";
  if (std::getenv(kVariable)) return;  // the user has chosen
  const std::string_view chosen = kernels_of_openblas();
  // What it takes for Intel's and AMD's processors that it does not know.
  if (chosen != "Prescott" && chosen != "Barcelona") return;
  const char* better = kernels_for_this_processor();
  if (!better || !gotoblas_dynamic_init || !gotoblas_dynamic_quit) return;
  setenv(kVariable, better, 1);
  gotoblas_dynamic_quit();
  gotoblas_dynamic_init();
  unsetenv(kVariable);
}

// Before main: no other thread may multiply or read the environment meanwhile.
[[maybe_unused]] const bool at_start = (choose_kernels(), true);

}  // namespace

#else

const char* kernels_for_this_processor() { return nullptr; }

#endif

void prepare_openblas() {
  // More threads make small products slower, and results depend on their number.
  static const bool one_thread = (openblas_set_num_threads(1), true);
  static_cast<void>(one_thread);
}

}  // namespace unroll::kernel
