// CLI11 in the house's way: its layout, its messages on one line. Options are declared by each
// program.
#include "common/command_line.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <memory>

#include <unroll/autograd/error.hpp>

#include "common/bad_input.hpp"
#include "common/files.hpp"
#include "common/interrupt.hpp"

namespace tasks {
namespace {

// "--hidden [12]" instead of "--hidden INT:INT in [1 - 1024]=12".
struct Layout : CLI::Formatter {
  Layout() {
    column_width(26);
    label("OPTIONS", "options");
    label("SUBCOMMAND", "VERB");
    label("SUBCOMMANDS", "VERB");
    label("Positionals", "Arguments");
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    const std::string value = option->get_default_str();
    return value.empty() || option->get_type_size() == 0 ? "" : " [" + value + "]";
  }
};

std::string verbs_of(const CLI::App& app) {
  std::string list;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; }))
    list += (list.empty() ? std::string() : std::string(", ")) + verb->get_name();
  return list;
}

int complain(const CLI::App& app, std::string message, int code) {
  std::replace(message.begin(), message.end(), '\n', ' ');
  std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), message.c_str());
  return code;
}

}  // namespace

int run(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return kDone;
    return complain(app, "the output cannot be written: " + std::string(std::strerror(errno)),
                    kBadInput);
  } catch (const CLI::RequiredError&) {
    return complain(app, "expected a verb: " + verbs_of(app) + " (see --help)", kBadInput);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error, std::cout, std::cerr);  // --help
    return complain(app, error.what() + std::string(" (see --help)"), kBadInput);
  } catch (const Interrupted& stop) {
    return complain(app, stop.message, 128 + stop.signal);
  } catch (const BadInput& error) {
    return complain(app, error.what(), kBadInput);
  } catch (const unroll::Error& error) {
    const std::string about_file = complaint_of_file(error);
    return about_file.empty() ? complain(app, error.what(), kFailed)
                              : complain(app, about_file, kBadInput);
  } catch (const std::exception& error) {
    return complain(app, error.what(), kFailed);
  }
}

CLI::Validator within(double low, double high) {
  return CLI::Validator(
      [low, high](std::string& text) {
        double number = 0;
        const bool fits =
            CLI::detail::lexical_cast(text, number) && number >= low && number <= high;
        return fits ? std::string()
                    : unroll::join("Value ", text, " not in range ", low, " to ", high);
      },
      "");
}

void set_defaults(CLI::App& app) {
  app.group("Verbs");
  app.option_defaults()->always_capture_default()->multi_option_policy(
      CLI::MultiOptionPolicy::TakeLast);
}

void lay_out(CLI::App& app, const std::string& examples) {
  app.formatter(std::make_shared<Layout>());
  app.footer("Examples:\n" + examples);
}

}  // namespace tasks
