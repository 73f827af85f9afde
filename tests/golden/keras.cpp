// Golden group `keras`: small Keras models, layer by layer as the configuration in the metadata
// says. Their recurrent layers are made in keras_recurrent.cpp; here sequences are batch first.
#include "keras_recurrent.hpp"

#include <unroll/ops/ops.hpp>

namespace golden {
namespace {

using namespace unroll;

class Model {
 public:
  explicit Model(Run& run) : run_(run), layers_(run.c.says("model")) {}

  /// x (B, ...), batch first. States of stateful layers go on from call to call.
  Variable operator()(Variable x) {
    mask_ = {};
    for (const Json& layer : layers_) x = apply(layer, x);
    return x;
  }
  void reset_states() { states_.clear(); }
  /// The last state of the recurrent layer that ran last.
  Variables last() const { return last_.cells.at(0).values(); }

 private:
  Variable apply(const Json& layer, const Variable& x);
  Variable run_recurrent(const Json& outer, const Json& inner, const Variable& x);
  Variable dense(const std::string& name, const Json& config, const Variable& x);
  Variable conv1d(const std::string& name, const Json& config, const Variable& x);
  Variable with_bias(const std::string& name, const Variable& y);

  Run& run_;
  const Json layers_;
  Variable mask_;  // (B, T), empty if there is none
  std::map<std::string, Recurrent::State> states_;
  Recurrent::State last_;
};

Variable Model::apply(const Json& layer, const Variable& x) {
  const std::string kind = layer.at("class_name");
  const Json& config = layer.at("config");
  const std::string name = config.at("name");
  if (kind == "Dropout") return x;  // at prediction
  if (kind == "Dense") return dense(name, config, x);
  if (kind == "TimeDistributed") {
    if (config.at("layer").at("class_name") != "Dense") throw Unknown("TimeDistributed layer");
    return dense(name, config.at("layer").at("config"), x);
  }
  if (kind == "Conv1D") return conv1d(name, config, x);
  if (kind == "LayerNormalization")
    return layer_norm(x, run_.parameter(name + "/gamma"), run_.parameter(name + "/beta"),
                      {.epsilon = config.at("epsilon")});
  if (kind == "Masking") {
    mask_ = max(not_equals(x, config.at("mask_value").get<double>()), {.axes = {-1}});
    return x;
  }
  if (kind == "Embedding") {
    if (config.at("mask_zero")) mask_ = not_equals(x, 0);
    return embedding(run_.parameter(name + "/embeddings"), x);
  }
  return run_recurrent(layer, kind == "Bidirectional" ? config.at("layer") : layer, x);
}

Variable Model::run_recurrent(const Json& outer, const Json& inner, const Variable& x) {
  const Recurrent net = recurrent_layer(run_, outer, inner);
  const Json& config = inner.at("config");
  const bool backwards = config.value("go_backwards", false);
  Recurrent::State& carried = states_[config.at("name")];
  const auto states = over_time(net, permute(x, {1, 0, 2}),
                                {.initial = carried,
                                 .mask = mask_.empty() ? Variable() : transpose(mask_),
                                 .reverse = backwards});
  last_ = states.last();
  if (config.value("stateful", false)) carried = last_;
  if (!config.value("return_sequences", false)) {
    mask_ = {};
    return net.output(last_);
  }
  Variables shown;  // at a masked step what was shown before, where outputs() is 0
  for (Size t = 0; t < states.size(); ++t) shown.push_back(net.output(states[t]));
  const Variable y = mask_.empty() ? states.outputs() : stack_along(shown);
  return permute(backwards ? flip(y, {0}) : y, {1, 0, 2});
}

Variable Model::with_bias(const std::string& name, const Variable& y) {
  return run_.has_parameter(name + "/bias") ? y + run_.parameter(name + "/bias") : y;
}

Variable Model::dense(const std::string& name, const Json& config, const Variable& x) {
  const Variable y = linear(x, transpose(run_.parameter(name + "/kernel")));
  return activation_of(config, "activation")(with_bias(name, y));
}

/// The kernel is (size, in, filters); "same" pads the end by one more than the start.
Variable Model::conv1d(const std::string& name, const Json& config, const Variable& x) {
  const Variable W = permute(run_.parameter(name + "/kernel"), {2, 1, 0});
  Variable steps = transpose(x);  // (B, in, T)
  const Size more = W.size(2) - 1;
  if (config.at("padding") == "same")
    steps = pad(steps, {{0, 0}, {0, 0}, {more / 2, more - more / 2}});
  const Variable y = unroll::conv1d(steps, W, {.stride = config.at("strides")});
  return activation_of(config, "activation")(with_bias(name, transpose(y)));
}

void run_keras(Run& run) {
  Tape tape;
  run.begin(tape);
  Model model(run);
  if (run.has("chunk0")) {
    run.out("chunk0", model(run.in("chunk0")));
    run.out("chunk1", model(run.in("chunk1")));
    model.reset_states();
    run.out("chunk0_after_reset", model(run.in("chunk0")));
    return;
  }
  run.out("y", model(run.in(run.has("ids") ? "ids" : "x")));
  const char* const names[] = {"h", "c"};
  for (std::size_t k = 0; k < 2; ++k)
    if (run.c.has(std::string("out.") + names[k])) run.out(names[k], model.last().at(k));
}

const Handler handler{"keras", run_keras};

}  // namespace
}  // namespace golden
