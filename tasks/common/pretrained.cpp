// The folder of networks that come with the programs.
#include "common/pretrained.hpp"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "common/bad_input.hpp"

namespace tasks {
namespace {

const std::string kPretrained = "pretrained", kEnding = ".safetensors";

std::filesystem::path folder() {
  namespace fs = std::filesystem;
  std::error_code none;
  const fs::path beside = fs::read_symlink("/proc/self/exe", none).parent_path() / kPretrained;
  return fs::is_directory(beside, none) ? beside : fs::path(UNROLL_PRETRAINED);
}

/// "pretrained, pretrained:characters": what a program may be asked for.
std::string what_there_is(const std::string& program) {
  std::vector<std::string> names;
  std::error_code none;  // a folder that is gone holds nothing
  for (const auto& entry : std::filesystem::directory_iterator(folder(), none)) {
    const std::string stem = entry.path().stem().string();
    if (entry.path().extension() != kEnding) continue;
    if (stem == program) names.push_back(kPretrained);
    if (stem.rfind(program + "_", 0) == 0)
      names.push_back(kPretrained + ":" + stem.substr(program.size() + 1));
  }
  std::sort(names.begin(), names.end());
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list.empty() ? "the file of a network, as none came with the program" : list;
}

}  // namespace

bool is_pretrained(const std::string& model) {
  return model == kPretrained || model.starts_with(kPretrained + ":");
}

std::string model_path(const std::string& program, const std::string& model) {
  if (!is_pretrained(model)) return model;
  const std::string name = model == kPretrained ? "" : "_" + model.substr(kPretrained.size() + 1);
  const std::string path = folder() / (program + name + kEnding);
  if (name.find('/') != std::string::npos || !std::filesystem::exists(path))
    bad_input(model, ": there is no such network; expected ", what_there_is(program));
  return path;
}

CLI::Option* add_model(CLI::App& verb, std::string& model, const std::string& about) {
  const std::string program = verb.get_parent()->get_name();
  const auto find = [program](const std::string& text) {
    model_path(program, text);
    return std::string();
  };
  return verb
      .add_option("--model", model, about + ", or pretrained: one that came with the program")
      ->check(CLI::Validator(find, ""));
}

}  // namespace tasks
