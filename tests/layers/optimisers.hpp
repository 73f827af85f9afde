// Every optimiser once, for tests that hold for all of them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <unroll/layers/optimiser.hpp>

struct NamedOptimiser {
  std::string name;
  std::function<std::unique_ptr<unroll::Optimiser>(const unroll::ParameterList&)> make;
};

inline std::ostream& operator<<(std::ostream& out, const NamedOptimiser& o) {
  return out << o.name;
}

/// With rates under which a small network learns in some hundred steps.
inline std::vector<NamedOptimiser> all_optimisers() {
  using namespace unroll;
  auto of = [](const char* name, auto make) {
    return NamedOptimiser{name, [make](const ParameterList& p) -> std::unique_ptr<Optimiser> {
                            return std::unique_ptr<Optimiser>(make(p));
                          }};
  };
  using List = const ParameterList&;
  return {
      of("SGD", [](List p) { return new SGD(p, {.learning_rate = 0.5}); }),
      of("SGD momentum",
         [](List p) {
           return new SGD(p, {.dampening = 0.1, .learning_rate = 0.1, .momentum = 0.9});
         }),
      of("SGD nesterov",
         [](List p) {
           return new SGD(p, {.learning_rate = 0.1, .momentum = 0.9, .nesterov = true});
         }),
      of("Adagrad", [](List p) { return new Adagrad(p, {.learning_rate = 0.1}); }),
      of("RMSprop", [](List p) { return new RMSprop(p, {.learning_rate = 0.01}); }),
      of("RMSprop centered",
         [](List p) {
           return new RMSprop(p, {.centered = true, .learning_rate = 0.005, .momentum = 0.5});
         }),
      of("Adam", [](List p) { return new Adam(p, {.learning_rate = 0.02}); }),
      of("Adam amsgrad",
         [](List p) { return new Adam(p, {.amsgrad = true, .learning_rate = 0.02}); }),
      of("AdamW",
         [](List p) { return new AdamW(p, {.learning_rate = 0.02, .weight_decay = 1e-4}); }),
      of("Adamax", [](List p) { return new Adamax(p, {.learning_rate = 0.02}); }),
      of("Adadelta", [](List p) { return new Adadelta(p, {.learning_rate = 1}); }),
      of("NAdam", [](List p) { return new NAdam(p, {.learning_rate = 0.02}); }),
      of("RAdam", [](List p) { return new RAdam(p, {.learning_rate = 0.02}); }),
  };
}
