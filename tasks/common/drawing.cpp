// Graphviz as a program of its own, called without a shell. Where it is missing the text stays.
#include "common/drawing.hpp"

#include <spawn.h>
#include <sys/wait.h>

#include <filesystem>
#include <vector>

#include <unroll/layers/new_file.hpp>

#include "common/bad_input.hpp"
#include "common/files.hpp"

extern char** environ;

namespace tasks {
namespace {

using unroll::detail::NewFile;

std::string format_of(const std::string& path) {
  const std::string extension = std::filesystem::path(path).extension();
  return extension.empty() ? "" : extension.substr(1);
}

// Exit code of the program, -1 if there is no such program. No shell: names may hold anything.
int run_program(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0)
    return -1;
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace

void require_drawable(const std::string& path) {
  const std::string format = format_of(path);
  if (format != "svg" && format != "png" && format != "pdf" && format != "dot")
    bad_input(path, ": the name of a drawing ends in .svg, .png, .pdf or .dot");
  require_writable(path);
}

std::string draw(const std::string& dot, const std::string& path) {
  if (format_of(path) == "dot") {
    write_file(path, dot);
    return "drawn in " + path;
  }
  NewFile source(path), picture(path);  // the source is never put in its place
  source.write(dot.data(), dot.size());
  const int code =
      run_program({"dot", "-T" + format_of(path), "-o", picture.temporary(), source.temporary()});
  if (code > 0) throw BadInput("dot: could not draw " + path);
  if (code == 0) {
    picture.commit();
    return "drawn in " + path;
  }
  const std::string text = std::filesystem::path(path).replace_extension(".dot");
  write_file(text, dot);
  return "Graphviz is not installed (apt-get install graphviz), so the graph is in " + text +
         " as text";
}

}  // namespace tasks
