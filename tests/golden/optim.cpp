// Golden group `optim`: parameters after each step of an optimiser over given gradients.
#include "run.hpp"

#include <memory>

#include <unroll/layers/optimiser.hpp>

namespace golden {
namespace {

using namespace unroll;

std::unique_ptr<Optimiser> make_sgd(const std::vector<Parameter>& p, const Json& h) {
  return std::make_unique<SGD>(p, SGDOptions{.dampening = h.value("dampening", 0.0),
                                             .learning_rate = h.at("lr"),
                                             .momentum = h.value("momentum", 0.0),
                                             .nesterov = h.value("nesterov", false),
                                             .weight_decay = h.value("weight_decay", 0.0)});
}

std::unique_ptr<Optimiser> make_adagrad(const std::vector<Parameter>& p, const Json& h) {
  return std::make_unique<Adagrad>(
      p, AdagradOptions{.epsilon = h.at("eps"),
                        .initial_accumulator = h.value("initial_accumulator_value", 0.0),
                        .learning_rate = h.at("lr"),
                        .learning_rate_decay = h.value("lr_decay", 0.0),
                        .weight_decay = h.value("weight_decay", 0.0)});
}

std::unique_ptr<Optimiser> make_rmsprop(const std::vector<Parameter>& p, const Json& h) {
  return std::make_unique<RMSprop>(p, RMSpropOptions{.alpha = h.at("alpha"),
                                                     .centered = h.value("centered", false),
                                                     .epsilon = h.at("eps"),
                                                     .learning_rate = h.at("lr"),
                                                     .momentum = h.value("momentum", 0.0),
                                                     .weight_decay = h.value("weight_decay", 0.0)});
}

std::unique_ptr<Optimiser> make_adadelta(const std::vector<Parameter>& p, const Json& h) {
  return std::make_unique<Adadelta>(p,
                                    AdadeltaOptions{.epsilon = h.at("eps"),
                                                    .learning_rate = h.at("lr"),
                                                    .rho = h.at("rho"),
                                                    .weight_decay = h.value("weight_decay", 0.0)});
}

/// Adam and AdamW have options of the same names.
template <class O, class Options>
std::unique_ptr<Optimiser> make_adam(const std::vector<Parameter>& p, const Json& h) {
  return std::make_unique<O>(p, Options{.amsgrad = h.value("amsgrad", false),
                                        .beta1 = h.at("betas").at(0),
                                        .beta2 = h.at("betas").at(1),
                                        .epsilon = h.at("eps"),
                                        .learning_rate = h.at("lr"),
                                        .weight_decay = h.value("weight_decay", 0.0)});
}

/// Adamax and RAdam too.
template <class O, class Options>
std::unique_ptr<Optimiser> make_adamax(const std::vector<Parameter>& p, const Json& h) {
  return std::make_unique<O>(p, Options{.beta1 = h.at("betas").at(0),
                                        .beta2 = h.at("betas").at(1),
                                        .epsilon = h.at("eps"),
                                        .learning_rate = h.at("lr"),
                                        .weight_decay = h.value("weight_decay", 0.0)});
}

std::unique_ptr<Optimiser> make_nadam(const std::vector<Parameter>& p, const Json& h) {
  return std::make_unique<NAdam>(p, NAdamOptions{.beta1 = h.at("betas").at(0),
                                                 .beta2 = h.at("betas").at(1),
                                                 .epsilon = h.at("eps"),
                                                 .learning_rate = h.at("lr"),
                                                 .momentum_decay = h.value("momentum_decay", 0.0),
                                                 .weight_decay = h.value("weight_decay", 0.0)});
}

using Maker = std::unique_ptr<Optimiser> (*)(const std::vector<Parameter>&, const Json&);
const std::map<std::string, Maker> kMakers = {
    {"SGD", make_sgd},
    {"Adagrad", make_adagrad},
    {"RMSprop", make_rmsprop},
    {"Adadelta", make_adadelta},
    {"Adam", make_adam<Adam, AdamOptions>},
    {"AdamW", make_adam<AdamW, AdamWOptions>},
    {"Adamax", make_adamax<Adamax, AdamaxOptions>},
    {"RAdam", make_adamax<RAdam, RAdamOptions>},
    {"NAdam", make_nadam},
};

void run_optim(Run& run) {
  const std::string kind = run.c.says("optimizer", "");
  const auto maker = kMakers.find(kind);
  if (maker == kMakers.end()) throw Unknown("optimiser " + kind);
  const auto names = run.c.names("param.");
  std::vector<Parameter> parameters;
  std::vector<Array> gradients, results;
  for (const std::string& name : names) {
    parameters.push_back(run.parameter(name));
    gradients.push_back(run.constant("in.grads." + name));
    results.emplace_back(gradients.back().shape(), run.type);
  }
  auto optimiser = maker->second(parameters, run.c.says("hyperparameters"));
  const Size steps = run.c.says("steps");
  for (Size step = 0; step < steps; ++step) {
    for (std::size_t k = 0; k < names.size(); ++k)
      parameters[k].set_grad(gradients[k][step].copy());
    optimiser->step();
    for (std::size_t k = 0; k < names.size(); ++k) results[k][step].assign(parameters[k].value());
  }
  for (std::size_t k = 0; k < names.size(); ++k) run.out(names[k], results[k]);
}

const Handler handler{"optim", run_optim};

}  // namespace
}  // namespace golden
