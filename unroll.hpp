// The whole library in one header, but for the opt-in <unroll/autograd/xtensor.hpp>. Each part can
// be included by itself.
#pragma once

#include <unroll/autograd/array.hpp>
#include <unroll/autograd/differentiable.hpp>
#include <unroll/autograd/generator.hpp>
#include <unroll/autograd/gradcheck.hpp>
#include <unroll/autograd/graph.hpp>
#include <unroll/autograd/op.hpp>
#include <unroll/autograd/report.hpp>
#include <unroll/autograd/substitution.hpp>
#include <unroll/autograd/tape.hpp>
#include <unroll/autograd/variable.hpp>
#include <unroll/layers/layers.hpp>
#include <unroll/ops/ops.hpp>
