#include "common/command_line.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>

#include "common/bad_input.hpp"

namespace tasks {
namespace {

int complain(const CLI::App& app, std::string message, Exit code) {
  std::replace(message.begin(), message.end(), '\n', ' ');
  std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), message.c_str());
  return code;
}

}  // namespace

int run(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return kDone;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error, std::cout, std::cerr);  // --help
    return complain(app, error.what() + std::string(" (see --help)"), kBadInput);
  } catch (const BadInput& error) {
    return complain(app, error.what(), kBadInput);
  } catch (const std::exception& error) {
    return complain(app, error.what(), kFailed);
  }
}

void lay_out(CLI::App& app, const std::string& examples) {
  app.get_formatter()->column_width(30);
  app.get_formatter()->label("OPTIONS", "options");
  app.footer("\nExamples:\n" + examples);
}

}  // namespace tasks
