// Golden group `rnn`: torch's recurrent layers against this library's, layers, directions, lengths
// and initial states included.
#include "recurrent.hpp"

namespace golden {
namespace {

const Handler handler{"rnn",
                      [](Run& run) { run.differentiate([&] { give(run, run_recurrent(run)); }); }};

}  // namespace
}  // namespace golden
