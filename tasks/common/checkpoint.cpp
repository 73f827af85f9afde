// A checkpoint as safetensors: arrays "net.*", "best.*", "optimiser.*", "carried.*" and
// "history.*", and the rest as JSON in the metadata. The file carries a checksum of everything.
#include "common/checkpoint.hpp"

#include <unroll/layers/save.hpp>

#include "common/bad_input.hpp"
#include "common/files.hpp"

namespace tasks {
namespace {

using namespace unroll;
using nlohmann::json;

const std::string kNet = "net.", kBest = "best.", kOptimiser = "optimiser.", kCarried = "carried.",
                  kLoss = "history.loss", kNorm = "history.gradient_norm";

json to_json(const Standing& s) {
  json epochs = json::array();
  for (const History::Epoch& e : s.history.epochs)
    epochs.push_back({e.epochs, e.step, e.learning_rate, e.seconds, e.train, e.scores});
  return {{"batch", s.batch},           {"best", s.best},   {"elements", s.elements},
          {"epoch", s.epoch},           {"epochs", epochs}, {"epoch_began", s.epoch_began},
          {"generator", s.generator},   {"rate", s.rate},   {"seconds", s.seconds},
          {"since_best", s.since_best}, {"step", s.step},   {"train", s.train}};
}

Standing standing_of(const json& j) {
  Standing s;
  j.at("batch").get_to(s.batch);
  j.at("best").get_to(s.best);
  j.at("elements").get_to(s.elements);
  j.at("epoch").get_to(s.epoch);
  j.at("epoch_began").get_to(s.epoch_began);
  j.at("generator").get_to(s.generator);
  j.at("rate").get_to(s.rate);
  j.at("seconds").get_to(s.seconds);
  j.at("since_best").get_to(s.since_best);
  j.at("step").get_to(s.step);
  j.at("train").get_to(s.train);
  for (const json& e : j.at("epochs"))
    s.history.epochs.push_back({e.at(0), e.at(1), e.at(2), e.at(3), e.at(4),
                                e.at(5).get<std::vector<std::pair<std::string, double>>>()});
  return s;
}

void add(NamedArrays& all, const std::string& prefix, const NamedArrays& some) {
  for (const auto& [name, array] : some) all[prefix + name] = array;
}

NamedArrays taken(const NamedArrays& all, const std::string& prefix) {
  NamedArrays some;
  for (const auto& [name, array] : all)
    if (name.starts_with(prefix)) some[name.substr(prefix.size())] = array;
  return some;
}

Array row(const std::vector<double>& numbers) {
  return values(numbers, {static_cast<Size>(numbers.size())});
}

/// Complains about the first thing that differs.
void require_same(const json& written, const json& now, const std::string& path) {
  for (const auto& [key, value] : now.items()) {
    const json before = written.value(key, json());
    if (before == value) continue;
    bad_input(path, ": is of another training: its ", key, " is ", before.dump(), ", here it is ",
              value.dump());
  }
}

void require_fit(const Module& net, const NamedArrays& weights, const std::string& path) {
  for (const auto& [name, parameter] : net.named_parameters()) {
    const auto found = weights.find(name);
    if (found == weights.end() || found->second.shape() != parameter.shape())
      bad_input(path, ": holds no ", name, " of shape ", parameter.shape());
  }
}

}  // namespace

NamedArrays copied_weights(const Module& net) {
  NamedArrays weights;
  for (const auto& [name, parameter] : net.named_parameters())
    weights[name] = parameter.value().copy();
  return weights;
}

void write_checkpoint(const std::string& path, const Learner& learner, const Standing& standing,
                      const NamedArrays& carried, const json& identity) {
  NamedArrays arrays;
  add(arrays, kNet, copied_weights(learner.net));
  add(arrays, kBest, standing.best_weights);
  add(arrays, kOptimiser, learner.optimiser.state());
  add(arrays, kCarried, carried);
  arrays[kLoss] = row(standing.history.loss);
  arrays[kNorm] = row(standing.history.gradient_norm);
  const Metadata metadata{{"checkpoint", to_json(standing).dump()}, {"identity", identity.dump()}};
  as_bad_input([&] { save_arrays(arrays, metadata, path); });
}

Standing read_checkpoint(const std::string& path, const Learner& learner, NamedArrays& carried,
                         const json& identity) {
  open_file(path);  // its sentences about missing files and folders are better
  const SafeTensors file = as_bad_input([&] { return load_arrays(path); });
  try {
    if (!file.metadata.contains("checkpoint")) bad_input(path, ": is not a checkpoint");
    require_same(json::parse(file.metadata.at("identity")), identity, path);
    Standing standing = standing_of(json::parse(file.metadata.at("checkpoint")));
    standing.history.loss = file.arrays.at(kLoss).to_vector<double>();
    standing.history.gradient_norm = file.arrays.at(kNorm).to_vector<double>();
    carried = taken(file.arrays, kCarried);
    const NamedArrays weights = taken(file.arrays, kNet);
    require_fit(learner.net, weights, path);
    standing.best_weights = taken(file.arrays, kBest);
    if (standing.best >= 0) require_fit(learner.net, standing.best_weights, path);
    as_bad_input([&] { learner.optimiser.set_state(taken(file.arrays, kOptimiser)); });
    for (auto& [name, parameter] : learner.net.named_parameters())
      Parameter(parameter).assign(weights.at(name));
    return standing;
  } catch (const json::exception&) {
    bad_input(path, ": is not a checkpoint");
  } catch (const std::out_of_range&) {
    bad_input(path, ": is not a checkpoint");
  }
}

}  // namespace tasks
