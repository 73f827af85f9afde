// From a model file to an .onnx file, and what is said about it.
#include "common/export.hpp"

#include <cstdio>

#include <nlohmann/json.hpp>
#include <unroll/layers/save.hpp>

#include "common/bad_input.hpp"
#include "common/onnx_file.hpp"
#include "common/pretrained.hpp"

namespace tasks {
namespace {

struct Options {
  std::string model = {}, onnx = {};
  bool json = false;
};

void print(const onnx::Graph& graph, const Options& options) {
  nlohmann::ordered_json json{{"onnx", options.onnx}};
  std::string text = "saved in " + options.onnx + "\n";
  const auto add = [&](const char* kind, const std::vector<onnx::Declaration>& list) {
    for (const onnx::Declaration& declared : list) {
      json[kind + std::string("s")].push_back(declared.text());
      text += std::string("  ") + kind + " " + declared.text() + "\n";
    }
  };
  add("input", graph.inputs());
  add("output", graph.outputs());
  std::printf("%s", options.json ? (json.dump() + "\n").c_str() : text.c_str());
}

void write(const Options& options, const std::string& path, const Describe& describe) {
  if (options.onnx.empty()) bad_input("expected --onnx and a file to write");
  onnx::require_place(options.onnx);
  const std::unique_ptr<onnx::Graph> graph = describe(options.model);
  for (const auto& [name, text] : unroll::load_metadata(path)) graph->metadata(name, text);
  onnx::save(*graph, options.onnx);
  print(*graph, options);
}

}  // namespace

void add_export(CLI::App& app, const std::string& model, Describe describe) {
  const auto options = std::make_shared<Options>(Options{.model = model});
  CLI::App& verb = *app.add_subcommand("export", "write a network down for other runtimes");
  set_defaults(verb);
  verb.add_option("model", options->model, "file written by train, or pretrained");
  verb.add_option("--onnx", options->onnx, "file to write, of the Open Neural Network Exchange");
  verb.add_flag("--json", options->json, "print one object");
  verb.callback([options, describe = std::move(describe), program = app.get_name()] {
    write(*options, model_path(program, options->model), describe);
  });
}

}  // namespace tasks
