// What gradcheck of a Module adds to gradcheck of a function: its Parameters with their paths. How
// a cell becomes a function is in the header, a template.
#include <unroll/layers/gradcheck.hpp>

#include <unroll/ops/random.hpp>

namespace unroll::detail {

Array random_input(const Shape& shape, std::uint64_t seed) {
  Generator generator(seed + 100);
  return normal(shape, generator, {.type = float64});
}

Variable as_of(const Module& module, const Variable& x) {
  const auto parameters = module.parameters();
  if (parameters.empty() || !is_float(x.type())) return x;
  return x.value().to(parameters[0].type());
}

CheckReport gradcheck_module(const Module& module, const CheckFunction& f,
                             const CheckInputs& inputs, const CheckOptions& options) {
  CheckOptions check = options;
  if (check.parameters.list.empty()) {
    check.parameters = module;
    for (const NamedParameter& p : module.named_parameters())
      check.parameters.names.push_back(p.name);
  }
  return gradcheck(f, inputs, check);
}

}  // namespace unroll::detail
