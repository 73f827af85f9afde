// Reading .h5 files, if the tasks are built and have HDF5.
#include "h5.hpp"

#ifdef UNROLL_TASKS_COMMON
#include "common/keras_file.hpp"

bool golden::reads_h5() { return tasks::reads_keras_files(); }
unroll::NamedArrays golden::read_h5(const std::filesystem::path& file) {
  return tasks::read_keras_file(file);
}
#else
bool golden::reads_h5() { return false; }
unroll::NamedArrays golden::read_h5(const std::filesystem::path&) { return {}; }
#endif
