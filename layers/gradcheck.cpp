// What gradcheck of a Module adds to gradcheck of a function: paths as names, and the search for
// Parameters that were not registered.
#include <unroll/layers/gradcheck.hpp>

#include <unroll/ops/random.hpp>

namespace unroll::detail {

Array random_input(const Shape& shape, std::uint64_t seed) {
  Generator generator(seed + 100);
  return normal(shape, generator, {.type = float64});
}

CheckReport gradcheck_module(const std::string& label, const Module& module, const CheckFunction& f,
                             const CheckInputs& inputs, const CheckOptions& options) {
  CheckOptions check = options;
  if (check.parameters.list.empty())
    for (const NamedParameter& p : module.named_parameters()) {
      check.parameters.list.push_back(p.parameter);
      check.parameters.names.push_back(p.name);
    }
  CheckReport report = gradcheck(f, inputs, check);
  std::string lost;
  for (const Parameter& p : report.unlisted)
    if (!p.is_frozen()) lost += join(lost.empty() ? "" : ", ", p.name(), " ", p.shape());
  if (lost.empty()) return report;
  report.passed = false;
  report.message = join("gradcheck failed: ", label, " uses Parameters that it has not registered: ",
                        lost, "; they would be neither trained nor saved. Wrap their module in ",
                        "submodule(\"name\", ...), declare them with parameter(...), or freeze them.");
  return report;
}

}  // namespace unroll::detail
