// .onnx files as others see them: checked by Python's onnx, run by ONNX Runtime. Where these are
// missing the tests say so in one line and are skipped; .ci/run installs them.
#pragma once

#include <string>
#include <vector>

#include <unroll/layers/named_arrays.hpp>

struct OnnxJob {
  std::string model;
  unroll::NamedArrays inputs;
};

/// False if .onnx files cannot be written, checked or run here, which is printed once.
bool has_onnx_runtime();

/// The outputs of each model for its inputs. Throws std::runtime_error with what the checker or the
/// runtime complains about.
std::vector<unroll::NamedArrays> run_onnx(const std::vector<OnnxJob>& jobs);
unroll::NamedArrays run_onnx(const OnnxJob& job);

/// Checks that both have the same shape and differ by no more than 1e-5 anywhere.
void check_close(const unroll::Array& found, const unroll::Array& expected);
