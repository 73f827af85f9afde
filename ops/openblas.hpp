// How OpenBLAS is set up for this processor and this library: its kernels and its threads. The
// products themselves are in gemm.cpp. Internal.
#pragma once

namespace unroll::kernel {

/// Before a product: OpenBLAS runs in the calling thread only.
void prepare_openblas();

/// The kernels that OpenBLAS uses, by its name for the processor they are written for: "Haswell".
const char* kernels_of_openblas();

/// The least of what this processor can run, by the same names; nullptr if it cannot run Haswell's
/// (AVX2 and FMA), or if nothing is known of such processors.
const char* kernels_for_this_processor();

}  // namespace unroll::kernel
