// Golden group `clip`: gradients before and after clipping by norm or by value.
#include "run.hpp"

#include <cmath>

#include <unroll/layers/clip.hpp>

namespace golden {
namespace {

using namespace unroll;

void run_clip(Run& run) {
  const auto names = run.c.names("in.grads.");
  std::vector<Parameter> parameters;
  for (const std::string& name : names) {
    const Array gradient = run.constant("in.grads." + name).copy();
    parameters.emplace_back(name, zeros(gradient.shape(), run.type));
    parameters.back().set_grad(gradient);
  }
  const Json limit = run.c.says("clip_value"), most = run.c.says("max_norm");
  if (limit.is_number()) {
    clip_value(parameters, limit);
  } else if (most.is_number()) {
    const Json p = run.c.says("norm_type", 2.0);
    const double norm =
        clip_global_norm(parameters, most, {.p = p == "inf" ? INFINITY : p.get<double>()});
    run.out("total_norm", full({}, norm, run.type));
  } else {
    throw Unknown("clipping that is neither by norm nor by value");
  }
  for (std::size_t k = 0; k < names.size(); ++k)
    run.compare("out.grads." + names[k], parameters[k].grad(), Kind::output);
}

const Handler handler{"clip", run_clip};

}  // namespace
}  // namespace golden
