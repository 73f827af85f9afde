// --model of the verbs that use a network: a file that train wrote, or one of the networks that
// come with the programs. What is in such a file is the business of model_file.hpp.
#pragma once

#include <string>

#include "common/command_line.hpp"

namespace tasks {

/// Whether it stands for a network that came with the programs, and for no path.
bool is_pretrained(const std::string& model);

/// Where the network is that `model` means to a program: "pretrained" and "pretrained:NAME" are
/// PROGRAM.safetensors and PROGRAM_NAME.safetensors in the folder pretrained/ beside the program,
/// or else in that of the sources it was built from; anything else is a path. Throws BadInput, with
/// what there is, for a NAME that there is not.
std::string model_path(const std::string& program, const std::string& model);

/// Declares --model of a verb; `about` says what it means. It stays as it was typed, for messages:
/// who reads the file asks model_path().
CLI::Option* add_model(CLI::App& verb, std::string& model,
                       const std::string& about = "file written by train");

}  // namespace tasks
