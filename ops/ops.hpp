// All ops: functions of Variables with their gradients. Parameters and state belong to layers.
#pragma once

#include <unroll/ops/crf.hpp>
#include <unroll/ops/ctc_decode.hpp>
#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/fuse.hpp>
#include <unroll/ops/gemm.hpp>
#include <unroll/ops/index.hpp>
#include <unroll/ops/linear.hpp>
#include <unroll/ops/loss.hpp>
#include <unroll/ops/matmul.hpp>
#include <unroll/ops/nn.hpp>
#include <unroll/ops/padding.hpp>
#include <unroll/ops/random.hpp>
#include <unroll/ops/reduce.hpp>
#include <unroll/ops/reshape.hpp>
#include <unroll/ops/sampled_softmax.hpp>
#include <unroll/ops/softmax.hpp>
