// Golden group `softmax`: softmax, log_softmax, logsumexp over the axes that the metadata names.
#include "run.hpp"

#include <cmath>

#include <unroll/ops/elementwise.hpp>
#include <unroll/ops/softmax.hpp>

namespace golden {
namespace {

std::vector<Size> axes_of(const Json& axis) {
  if (axis.is_null()) return {};
  if (axis.is_array()) return axis.get<std::vector<Size>>();
  return {axis.get<Size>()};
}

Variable compute(Run& run) {
  const Variable x = run.in("x");
  const auto axes = axes_of(run.c.says("axis", -1));
  if (run.c.name.starts_with("logsumexp"))
    return unroll::logsumexp(x, {.axes = axes, .keepdims = run.c.says("keepdims", false)});
  if (axes.size() != 1) throw Unknown("softmax over several axes");
  if (run.c.name.starts_with("log_softmax")) return unroll::log_softmax(x, axes[0]);
  if (run.c.name.starts_with("softmax")) return unroll::softmax(x, axes[0]);
  throw Unknown("a softmax case of another name");
}

void run_softmax(Run& run) {
  run.differentiate([&] {
    const Variable y = compute(run);
    run.out("y", y);
    // The loss may weigh y without its infinite entries.
    if (run.c.has("out.y_finite")) run.out("y_finite", where(y > -INFINITY, y, 0.0));
  });
}

const Handler handler{"softmax", run_softmax};

}  // namespace
}  // namespace golden
