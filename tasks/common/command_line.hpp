// Command lines in one way for all programs: parsing, --help, and errors as one line with an exit
// code. Options are declared by each program.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace tasks {

/// Exit codes of every program; 128 + signal, 130 for Ctrl-C, after a training that was stopped.
enum Exit { kDone = 0, kFailed = 1, kBadInput = 2 };

/// Parses the command line and runs the callbacks of `app` and its verbs. Bad options, BadInput
/// and Errors about the user's numbers become "program: what is wrong" on stderr.
int run(CLI::App& app, int argc, char** argv);

/// A number from low to high; unlike CLI::Range it refuses nan.
CLI::Validator within(double low, double high);

/// For options declared after it: --help shows what they are at first, and the last one counts.
void set_defaults(CLI::App& app);

/// An app with the house's layout of --help; `examples` come last.
void lay_out(CLI::App& app, const std::string& examples);

}  // namespace tasks
