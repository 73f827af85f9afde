// All ops: functions of Variables with their gradients. Parameters and state belong to layers.
#pragma once

#include <unroll/ops/gemm.hpp>
#include <unroll/ops/index.hpp>
#include <unroll/ops/matmul.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>
