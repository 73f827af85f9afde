// Python and Node.js called as a shell would. What they print is in files of a folder of its own.
#include "onnx_runtime.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdlib>
#include <iostream>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "common/onnx_file.hpp"
#include "common/paths.hpp"
#include "program.hpp"

using namespace unroll;
using Json = nlohmann::json;

namespace {

// Debian's Python, which has python3-onnx, whatever other one there is.
const std::string kPython = "/usr/bin/python3";

std::string modules() { return build_dir() / "onnx" / "node_modules"; }

bool succeeds(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

std::string missing() {
  if (!tasks::onnx::writes_files()) return "libonnx-dev";
  if (!succeeds(kPython + " -c 'import onnx'")) return "python3-onnx";
  if (!succeeds("node --version")) return "nodejs";
  if (!std::filesystem::exists(modules() + "/onnxruntime-node")) return "onnxruntime-node";
  return "";
}

void must_succeed(const std::string& command, const Folder& folder) {
  const std::string out = folder / "out", err = folder / "err";
  if (std::system((command + " >" + out + " 2>" + err).c_str()) != 0)
    throw std::runtime_error(content_of(err));
}

Json json_of(const Array& array) {
  const bool whole = array.type() == int64;
  Json json{{"type", whole ? "int64" : "float32"}, {"shape", Json::array()}};
  for (int k = 0; k < array.rank(); ++k) json["shape"].push_back(array.size(k));
  if (whole)
    json["numbers"] = array.to_vector<Size>();
  else
    json["numbers"] = array.to_vector<double>();
  return json;
}

}  // namespace

bool has_onnx_runtime() {
  static const std::string without = missing();
  static const bool said = [] {
    if (!without.empty()) std::cout << "skipped: ONNX Runtime (no " << without << ")" << std::endl;
    return true;
  }();
  return said && without.empty();
}

std::vector<NamedArrays> run_onnx(const std::vector<OnnxJob>& jobs) {
  const Folder folder;
  std::string check = "import onnx\n";
  Json list = Json::array();
  for (const OnnxJob& job : jobs) {
    check += "onnx.checker.check_model(onnx.load('" + job.model + "'), full_check=True)\n";
    list.push_back({{"model", job.model}, {"inputs", Json::object()}});
    for (const auto& [name, array] : job.inputs) list.back()["inputs"][name] = json_of(array);
  }
  must_succeed(kPython + " " + folder.file("check.py", check), folder);
  must_succeed("NODE_PATH=" + modules() + " node " +
                   (tests_dir() / "tasks" / "onnx_runtime.js").string() + " " +
                   folder.file("jobs.json", list.dump()),
               folder);
  std::vector<NamedArrays> results;
  for (const Json& outputs : Json::parse(content_of(folder / "out"))) {
    results.emplace_back();
    for (const auto& [name, array] : outputs.items())
      results.back()[name] = values(array.at("numbers").get<std::vector<double>>(),
                                    Shape(array.at("shape").get<std::vector<Size>>()));
  }
  return results;
}

NamedArrays run_onnx(const OnnxJob& job) { return run_onnx(std::vector<OnnxJob>{job}).at(0); }

void check_close(const Array& found, const Array& expected) {
  BOOST_REQUIRE(found.shape() == expected.shape());
  const auto a = found.to_vector<double>(), b = expected.to_vector<double>();
  double worst = 0;
  for (std::size_t k = 0; k < a.size(); ++k)
    worst = std::isnan(a[k] - b[k]) ? INFINITY : std::max(worst, std::abs(a[k] - b[k]));
  BOOST_TEST(worst <= 1e-5);
}
